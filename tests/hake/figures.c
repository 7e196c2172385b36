/*
 * Figures of two systems side by side, from lines that were written down.
 */
#include <string.h>
#include <unit.h>

#include "beside.h"
#include "figures.h"

static struct strv lines(const char *first, const char *second)
{
	struct strv list = {0};

	strv_add(&list, "@up cores=1 ms=26");
	strv_add(&list, first);
	strv_add(&list, second);
	return list;
}

static struct figures *both(void)
{
	struct figures *f = alloc(sizeof(*f));
	struct strv skerry = lines("@bench name=a_call value=1900 unit=instructions",
				   "@bench name=b value=10 unit=bytes");
	struct strv linux_ = lines("@bench name=a_call value=4000 unit=instructions",
				   "@bench name=b value=10 unit=bytes");

	figures_add(f, "x", ON_SKERRY, &skerry);
	figures_add(f, "x", ON_LINUX, &linux_);
	return f;
}

TEST(figures_of_one_name_are_one_row)
{
	struct figures *f = both();

	REQUIRE(f->n == 2);
	CHECK_STRING(f->v[0].name, "a_call");
	CHECK_STRING(f->v[0].count[ON_SKERRY], "1900");
	CHECK_STRING(f->v[0].count[ON_LINUX], "4000");
	CHECK(!f->timed);
}

TEST(goal_is_missed_by_a_row_that_is_not_less)
{
	size_t missed;

	CHECK_EQUAL(figures_judge(both(), &missed), 2);
	CHECK_EQUAL(missed, 1);
}

TEST(row_of_one_system_is_not_judged)
{
	struct figures f = {0};
	struct strv skerry = lines("@bench name=a value=1 unit=instructions", "text");
	struct buf out = {0};
	size_t missed;

	figures_add(&f, "x", ON_SKERRY, &skerry);
	CHECK_EQUAL(figures_judge(&f, &missed), 0);
	figures_csv(&f, &out);
	CHECK(strstr(out.v, "\na,instructions,1,,,,,\n") != NULL);
}

TEST(time_stands_beside_what_is_counted)
{
	struct figures *f = both();
	struct strv timed = lines("@bench name=a_call value=12345 unit=ns", "");
	struct buf out = {0};
	size_t missed;

	figures_add(f, "x", ON_SKERRY, &timed);
	CHECK(f->timed);
	CHECK_EQUAL(figures_judge(f, &missed), 2); /* time decides nothing */
	figures_csv(f, &out);
	CHECK(strstr(out.v, "\na_call,instructions,1900,4000,0.47,met,12345,\n") != NULL);
	out = (struct buf){0};
	figures_text(f, &out);
	CHECK(strstr(out.v, "12,345") != NULL);
	CHECK(strstr(out.v, "NOT MET") != NULL);
}

TEST(json_holds_text_of_any_kind)
{
	struct figures f = {0};
	struct strv odd = lines("@bench name=\"say \\x\" value=1e3 unit=u", "");
	struct buf out = {0};

	strv_add(&f.made, "command=a \"quoted\" = word");
	figures_add(&f, "x", ON_LINUX, &odd);
	figures_json(&f, "x", &out);
	CHECK(strstr(out.v, "\"command\": \"a \\\"quoted\\\" = word\"") != NULL);
	CHECK(strstr(out.v, "\"name\": \"say \\\\x\"") != NULL);
	CHECK(strstr(out.v, "\"skerry\": null, \"linux\": \"1e3\"") != NULL);
}

TEST(block_of_a_readme_is_renewed_between_its_marks)
{
	struct buf text = {0};

	buf_addf(&text, "a\n<!-- figures x -->\nold\n<!-- end of figures -->\nb\n");
	CHECK(!figures_place(&text, "y", "new\n"));
	CHECK(figures_place(&text, "x", "new\n"));
	CHECK_STRING(text.v, "a\n<!-- figures x -->\nnew\n<!-- end of figures -->\nb\n");
}

TEST(block_without_an_end_is_left_alone)
{
	struct buf text = {0};

	buf_addf(&text, "<!-- figures x -->\nold\n");
	CHECK(!figures_place(&text, "x", "new\n"));
	CHECK_STRING(text.v, "<!-- figures x -->\nold\n");
}

TEST(benchmarks_of_linux_programs_run_on_linux_too)
{
	struct item native = {.kind = BENCHMARK, .name = "x", .program = "bin/x"};
	struct item linux_ = {.kind = BENCHMARK, .name = "x", .program = "/bin/x"};
	struct item host = {.kind = BENCHMARK, .name = "x", .command = "x"};

	CHECK(!beside_can(&native));
	CHECK(beside_can(&linux_));
	CHECK(!beside_can(&host));
}
