/*
 * The main job of hake/bench: what jobs have written is read back, and nothing that was not.
 */
#include <stdlib.h>
#include <string.h>
#include <unit.h>
#include <unistd.h>

#include "scale/scale.h"

#define HEAD "@job system=skerry machine=2socket cores=2 build=b1 date=\"today\"\n"
#define LINE(seed, ops, rate, more)                                                                \
	"@nsbench mode=enter cores=2 mounts=30 tree=0 placement=own readers=0 kept=0 workers=2 "   \
	"seed=" seed " ops=" ops " seconds=1.0 rate=" rate " p50_ns=10 p99_ns=20 max_ns=30" more   \
	"\n"
#define FAILED                                                                                     \
	"@nsbench_failed mode=clone cores=2 mounts=30 tree=0 placement=own readers=0 kept=0 "      \
	"workers=2 seed=0 why=\"clone on core 1: Invalid argument\"\n"

static const struct scale_point enter = {.mode = "enter", .mounts = 30};
static const struct scale_point clone_ = {.mode = "clone", .mounts = 30};

static struct scale_results read_back(const char *log, const char *timing, char *const ids[])
{
	char *dir = mkdtemp(strf("/tmp/hake-scale-XXXXXX"));
	struct scale_results r;

	if (!dir)
		die("no temporary folder");
	file_write(strf("%s/a.log", dir), log, strlen(log));
	file_write(strf("%s/a.timing", dir), timing, strlen(timing));
	r = scale_read(dir, ids);
	unlink(strf("%s/a.log", dir));
	unlink(strf("%s/a.timing", dir));
	rmdir(dir);
	return r;
}

#define REPORT(instructions)                                                                       \
	"{\"releases\":0,\"sum_instructions\":" instructions ",\"sum_near\":3,\"sum_far\":1}\n"

TEST(seeds_are_a_mean_with_their_range)
{
	struct scale_results r =
		read_back(HEAD LINE("0", "10", "100", " messages=0") LINE("1", "10", "300", ""),
			  REPORT("500") REPORT("700"), NULL);
	struct scale_cell c = scale_cell_of(&r, SCALE_SKERRY, "2socket", 2, &enter);

	REQUIRE(r.n == 2);
	CHECK_EQUAL(c.n, 2);
	CHECK_EQUAL((int)c.rate, 200);
	CHECK_EQUAL((int)c.rate_min, 100);
	CHECK_EQUAL((int)c.rate_max, 300);
	CHECK_EQUAL((int)c.instructions, 60);
	CHECK_EQUAL((int)(10 * c.moved), 4);
}

TEST(a_failure_has_its_reason_and_takes_no_report)
{
	struct scale_results r =
		read_back(HEAD FAILED LINE("0", "10", "100", ""), REPORT("500"), NULL);
	struct scale_cell failed = scale_cell_of(&r, SCALE_SKERRY, "2socket", 2, &clone_);
	struct scale_cell good = scale_cell_of(&r, SCALE_SKERRY, "2socket", 2, &enter);

	CHECK_EQUAL(failed.n, 0);
	CHECK_STRING(failed.why, "clone on core 1: Invalid argument");
	CHECK_EQUAL((int)good.instructions, 50);
}

TEST(a_line_that_was_cut_off_is_no_result)
{
	struct scale_results r =
		read_back(HEAD "@nsbench mode=enter cores=2 mounts=30 tree=0 "
			       "placement=own readers=0 kept=0 seed=0 ops=10 rate=5",
			  "", NULL);

	CHECK_EQUAL(r.n, 0);
}

TEST(results_of_another_build_do_not_count)
{
	char *const mine[] = {" b1", ""}, *const others[] = {" b2", ""};

	CHECK_EQUAL(read_back(HEAD LINE("0", "10", "100", ""), "", mine).n, 1);
	CHECK_EQUAL(read_back(HEAD LINE("0", "10", "100", ""), "", others).n, 0);
}

TEST(a_goal_without_figures_is_not_met_nor_missed)
{
	struct scale_options o = {.seeds = 1};
	struct scale_matrix m = scale_matrix_of(&o);
	struct scale_results none = {0};
	struct buf out = {0};

	scale_goals(&m, &none, &out);
	CHECK(strstr(out.v, "not measured 2socket, open_tree: efficiency") != NULL);
	CHECK(strstr(out.v, "  met ") == NULL && strstr(out.v, "NOT MET") == NULL);
}

TEST(both_systems_do_the_same)
{
	struct scale_options o = {.seeds = 1, .most_cores = 16};
	struct scale_matrix m = scale_matrix_of(&o);

	for (size_t i = 0; i + 1 < m.njobs; i++) {
		for (size_t k = i + 1; k < m.njobs; k++) {
			if (m.jobs[i].cores != m.jobs[k].cores)
				continue;
			REQUIRE(m.jobs[i].npoints == m.jobs[k].npoints);
			for (size_t n = 0; n < m.jobs[i].npoints; n++)
				CHECK(scale_same_point(&m.jobs[i].points[n], &m.jobs[k].points[n]));
		}
	}
}
