/*
 * "hake bench" without a suite: the main job. See scale.h.
 */
#include "scale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../build.h"
#include "../figures.h"
#include "../linux.h"
#include "../options.h"

#define README  "README.md"
#define MINUTES 9 /* and set-up, reading and drawing: under ten */
#define SEEDS   5
#define AT_ONCE 2

enum {
	OPT_PROCESSES = 256,
	OPT_FULL,
	OPT_WALL,
	OPT_PUBLISHED,
	OPT_MINUTES,
	OPT_SEEDS,
	OPT_JOBS,
	OPT_MACHINE,
	OPT_CORES,
	OPT_FRESH,
	OPT_EMIT,
	OPT_COLLECT,
	OPT_README,
	OPT_HELP
};

static const struct option options[] = {
	{"cores", no_argument, NULL, OPT_PROCESSES},
	{"full", no_argument, NULL, OPT_FULL},
	{"wall", no_argument, NULL, OPT_WALL},
	{"published", no_argument, NULL, OPT_PUBLISHED},
	{"minutes", required_argument, NULL, OPT_MINUTES},
	{"seeds", required_argument, NULL, OPT_SEEDS},
	{"at-once", required_argument, NULL, OPT_JOBS},
	{"machine", required_argument, NULL, OPT_MACHINE},
	{"most-cores", required_argument, NULL, OPT_CORES},
	{"fresh", no_argument, NULL, OPT_FRESH},
	{"emit-jobs", required_argument, NULL, OPT_EMIT},
	{"collect", required_argument, NULL, OPT_COLLECT},
	{"write-readme", no_argument, NULL, OPT_README},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

/* What else was asked for. */
struct asked {
	struct scale_options o;
	const char *emit, *emit_dir, *collect;
};

static struct asked read_asked(int argc, char **argv)
{
	struct asked a = {.o = {.minutes = MINUTES, .seeds = SEEDS, .at_once = AT_ONCE}};
	bool minutes = false;

	for (int c; (c = parse_option(argc, argv, options, false)) != -1;) {
		if (c == OPT_PROCESSES)
			a.o.asked = SCALE_PROCESSES;
		else if (c == OPT_FULL)
			a.o.full = true;
		else if (c == OPT_WALL)
			a.o.wall = true;
		else if (c == OPT_PUBLISHED)
			a.o.published = true;
		else if (c == OPT_MINUTES) {
			a.o.minutes = parse_count(optarg, "--minutes");
			minutes = true;
		} else if (c == OPT_SEEDS)
			a.o.seeds = parse_count(optarg, "--seeds");
		else if (c == OPT_JOBS)
			a.o.at_once = MIN(parse_count(optarg, "--at-once"), 64u);
		else if (c == OPT_MACHINE)
			a.o.machine = optarg;
		else if (c == OPT_CORES)
			a.o.most_cores = parse_count(optarg, "--most-cores");
		else if (c == OPT_FRESH)
			a.o.fresh = true;
		else if (c == OPT_EMIT)
			a.emit = optarg;
		else if (c == OPT_COLLECT)
			a.collect = optarg;
		else if (c == OPT_README)
			a.o.write_readme = true;
	}
	if (a.emit) {
		if (optind + 1 != argc)
			die("--emit-jobs slurm|parallel DIR: expected one folder");
		a.emit_dir = argv[optind];
	} else if (optind < argc) {
		die("there are no benchmarks %s (hake/bench --help)", argv[optind]);
	}
	if (a.o.asked == SCALE_PROCESSES && (a.o.full || a.o.published))
		die("--cores: --full and --published are about namespaces");
	if (a.o.full && !minutes)
		a.o.minutes = 0;
	return a;
}

static void copy_plots(const struct scale_matrix *m, const char *dir)
{
	const struct scale_question *q = &scale_questions[m->asked];

	for (size_t i = 0; i < m->machines.n * ARRAY_SIZE(q->plots); i++) {
		const char *kind = q->plots[i % ARRAY_SIZE(q->plots)].file;
		char *name = strf("%s-%s.svg", kind ? kind : "",
				  m->machines.v[i / ARRAY_SIZE(q->plots)]);
		struct buf b = {0};

		if (kind && file_read(strf("%s/%s", dir, name), &b) == 0) {
			make_parents(strf("%s/%s", SCALE_PLOTS, name));
			file_write(strf("%s/%s", SCALE_PLOTS, name), b.v, b.n);
		}
	}
}

static void write_readme(const struct scale_matrix *m, const struct scale_results *r,
			 const char *dir, const char *command)
{
	const char *place = scale_questions[m->asked].name;
	struct buf block = {0}, text = {0};

	scale_markdown(m, r, command, &block);
	copy_plots(m, dir);
	if (file_read(README, &text) || !figures_place(&text, place, block.v)) {
		warn(README " has no place for the figures of %s", place);
		return;
	}
	file_write(README, text.v, text.n);
	puts(README " and " SCALE_PLOTS " are renewed");
}

/* Shows and keeps what there is in @dir. */
static void finish(const struct scale_matrix *m, const struct scale_options *o,
		   const struct scale_results *r, const char *dir, const char *command)
{
	char *base = strf("%s/%s", dir, scale_questions[m->asked].name);
	struct buf text = {0};
	double releases = 0;

	scale_show(m, r, &text);
	buf_addf(&text, "\n");
	scale_goals(m, r, &text);
	for (size_t i = 0; i < r->n; i++)
		releases += MAX(0.0, r->v[i].releases);
	if (releases > 0)
		buf_addf(&text,
			 "\nThe model's watchdog acted: some runs cannot be repeated exactly "
			 "(column releases).\n");
	fputs(text.v, stdout);
	file_write(strf("%s.txt", base), text.v, text.n);
	scale_keep(r, base, command);
	scale_plot(m, r, dir);
	printf("\nKept in %s.txt, .csv and .json, and as plots beside them.\n", base);
	if (o->write_readme)
		write_readme(m, r, dir, command);
}

/* What the budget left out, of what was wanted. */
static void say_left_out(const struct scale_matrix *m, const struct scale_results *r)
{
	size_t wanted = 0, missing = 0, failed = 0;

	for (size_t i = 0; i < m->njobs; i++) {
		const struct scale_job *job = &m->jobs[i];

		for (size_t k = 0; k < job->npoints; k++) {
			for (u32 seed = 0; seed < job->seeds; seed++) {
				const struct scale_row *row =
					scale_find(r, job, &job->points[k], seed);

				wanted++;
				failed += job->skipped || (row && row->why);
				missing += !job->skipped && !row;
			}
		}
	}
	printf("\n%zu measurements wanted, %zu made, %zu cannot be made yet (the tables say why), "
	       "%zu "
	       "left out by the budget%s\n",
	       wanted, wanted - missing - failed, failed, missing,
	       missing ? ": the same command goes on with them" : "");
}

static void clean(const char *dir)
{
	struct strv argv = {0};

	strv_split(&argv, "rm -rf");
	strv_add(&argv, dir);
	run_program(&argv);
}

static void build_all(const struct project *p, const struct asked *a)
{
	struct strv targets = {0};

	scale_targets(p, a->o.wall, linux_find(), &targets);
	ninja_run(&targets);
}

static int measure(const struct project *p, const struct asked *a, const struct scale_matrix *m,
		   const char *command)
{
	const struct scale_question *q = &scale_questions[m->asked];
	char *dir = strf("%s/bench/%s%s", build_dir(), q->name, a->o.wall ? "-wall" : "");
	char *ids[SCALE_SYSTEMS] = {"", ""};
	struct scale_results r;
	bool whole;

	if (a->o.fresh)
		clean(dir);
	for (enum scale_system s = 0; s < SCALE_SYSTEMS; s++) {
		for (size_t i = 0; i < m->machines.n; i++)
			ids[s] = strf("%s %s", ids[s],
				      scale_build_id(p, q->program, s, m->machines.v[i]));
	}
	r = scale_read(dir, ids);
	if (r.n)
		printf("%zu results of the same builds are there already (--fresh forgets them)\n",
		       r.n);
	fflush(stdout);
	make_parents(strf("%s/x", dir));
	whole = scale_run(m, &a->o, dir, &r);
	r = scale_read(dir, ids);
	finish(m, &a->o, &r, dir, command);
	say_left_out(m, &r);
	return !whole;
}

int scale_main(const struct project *p, int argc, char **argv)
{
	struct asked a = read_asked(argc, argv);
	struct scale_matrix m = scale_matrix_of(&a.o);
	struct strv words = {0};
	char *command;

	strv_add(&words, "hake/bench");
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--write-readme") != 0)
			strv_add(&words, argv[i]);
	}
	command = strv_join(&words, " ");
	if (a.collect) {
		struct scale_results r = scale_read(strf("%s/results", a.collect), NULL);

		finish(&m, &a.o, &r, a.collect, command);
		return r.n == 0;
	}
	build_all(p, &a);
	if (a.emit) {
		scale_emit(&m, a.emit, a.emit_dir);
		printf("%zu jobs in %s; then: hake/bench --collect %s\n", m.njobs, a.emit_dir,
		       a.emit_dir);
		return 0;
	}
	return measure(p, &a, &m, command);
}
