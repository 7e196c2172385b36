/*
 * Benchmarks: runs of Skerry, or of programs of the build host, that print figures.
 *
 * A figure is a line "@bench name=N value=V unit=U", with limit=L where V must not be over L.
 *
 * Not here: benchmarks that run Linux programs (beside.c), which run on Linux, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "beside.h"
#include "build.h"
#include "linux.h"
#include "options.h"
#include "profile/profile.h"
#include "run.h"
#include "scale/scale.h"
#include "test.h"

/* The figures of one run as a table. Returns how many are over their limits, or 1 for none. */
static int show_figures(const struct item *it, const struct strv *lines)
{
	int over = 0, n = 0;

	for (size_t i = 0; i < lines->n; i++) {
		char *name, *value, *unit, *limit;
		bool bad;

		if (!line_is(lines->v[i], "bench"))
			continue;
		name = line_value(lines->v[i], "name");
		value = line_value(lines->v[i], "value");
		unit = line_value(lines->v[i], "unit");
		limit = line_value(lines->v[i], "limit");
		if (!name || !value)
			die("benchmark %s: cannot read: %s", it->name, lines->v[i]);
		bad = limit && atof(value) > atof(limit);
		printf("  %-44s %14s %-14s", name, value, unit ? unit : "");
		if (limit)
			printf(" limit %s%s", limit, bad ? "  OVER" : "");
		putchar('\n');
		over += bad;
		n++;
	}
	if (!n)
		puts("  no figures");
	return n ? over : 1;
}

/* Splits the output of a program into figures, and text that is shown as it is. */
static void take_output(const struct buf *out, struct strv *lines)
{
	for (const char *at = out->v; *at;) {
		int n = (int)strcspn(at, "\n");

		if (*at == '@')
			strv_addf(lines, "%.*s", n, at);
		else
			printf("%.*s\n", n, at);
		at += n + (at[n] == '\n');
	}
}

static int run_on_host(const struct item *it, struct strv *lines)
{
	struct strv argv = {0};
	struct buf out = {0};
	int status;

	strv_split(&argv, "sh -c");
	strv_add(&argv, it->command);
	setenv("SKERRY_BUILD", build_dir(), 1);
	status = run_collect(&argv, &out);
	take_output(&out, lines);
	file_write(strf("%s/bench/%s.txt", build_dir(), it->name), out.v, out.n);
	return status;
}

static int run_in_qemu(const struct project *p, const struct item *it, struct strv *lines)
{
	struct boot b = {.tell = true};
	struct guest g = {.log = -1, .timeout_s = (u32)it->timeout};
	const char *trouble;
	int status;

	boot_of_item(&b, it);
	boot_check(p, &b);
	g.argv = boot_command(p, &b);
	status = guest_run(&g);
	trouble = guest_trouble(&g);
	if (trouble)
		warn("benchmark %s: %s", it->name, trouble);
	*lines = g.lines;
	file_write(strf("%s/bench/%s.txt", build_dir(), it->name), g.console.v, g.console.n);
	return status;
}

/* Returns whether it ran and kept its limits. */
static bool run_benchmark(const struct project *p, const struct item *it,
			  const struct beside_options *o)
{
	struct strv lines = {0};
	int status;
	bool figures;

	printf("%s%s%s\n", it->name, it->about ? ": " : "", it->about ? it->about : "");
	fflush(stdout);
	if (beside_can(it))
		return beside_run(p, it, o);
	status = it->command ? run_on_host(it, &lines) : run_in_qemu(p, it, &lines);
	/* A program of the host may have printed a table of its own instead. */
	figures = !it->command || lines.n;
	if (status)
		warn("benchmark %s failed with exit status %d; all it said is in %s/bench/%s.txt",
		     it->name, status, build_dir(), it->name);
	return !(figures && show_figures(it, &lines)) && status == 0;
}

static void build_for(const struct project *p, const struct strv *suites)
{
	struct strv targets = {0};

	for (size_t i = 0; i < p->n; i++) {
		const struct item *it = p->v[i];

		if (it->kind != BENCHMARK || !strv_has(suites, it->suite))
			continue;
		if (!it->command)
			strv_add(&targets, "image");
		if (beside_can(it))
			linux_targets(p, &targets);
		for (size_t j = 0; j < it->needs.n; j++)
			strv_add(&targets, build_target(p, it->needs.v[j]));
	}
	if (targets.n)
		ninja_run(&targets);
}

static void help(const struct project *p)
{
	puts("usage: hake/bench [OPTIONS]\n"
	     "       hake/bench --profile [OPTIONS] [MODE]\n"
	     "       hake/bench --SUITE... [--only-skerry] [--no-time] [--write-readme]\n"
	     "       hake/bench --all\n\n"
	     "The first is the main job: how the creation of mount namespaces scales, on Skerry "
	     "and\n"
	     "on Linux, on simulated machines (hake/timing/README.md). It takes under ten "
	     "minutes,\n"
	     "shows tables and the goals, and keeps them, CSV, JSON and plots in "
	     "build/bench/scale/.\n"
	     "Called again it measures what is missing; Ctrl-C leaves what was done.\n\n"
	     "  --cores            instead: fork, exec and wait, pipes on one core, one node, two "
	     "nodes,\n"
	     "                     files in folders of their own or one, on 1 to 32 cores\n"
	     "  --full             up to 255 cores, all mounts, readers, namespaces kept: hours\n"
	     "  --published        256 times what \"unshare -m true\" does, with 264 mounts\n"
	     "  --wall             without the model: the time is the emulator's, or KVM's\n"
	     "  --machine M        this one only, of hake/timing/machines\n"
	     "  --most-cores N     no more than so many\n"
	     "  --minutes N        the budget (9; --full: none)\n"
	     "  --seeds N          mean and range of so many (5)\n"
	     "  --at-once N        simulations at a time (2)\n"
	     "  --fresh            forget what is there\n"
	     "  --emit-jobs slurm|parallel DIR\n"
	     "                     the same as work for other machines, in DIR\n"
	     "  --collect DIR      shows what came of it\n"
	     "  --write-readme     renews the figures in README.md\n\n"
	     "--profile says where the cycles of a mode go, by function, with flame graphs (its "
	     "--help).\n\n"
	     "A suite of benchmarks prints its figures; the exit status is 0 only if all ran and\n"
	     "kept their limits. Those of Linux programs run on Linux, too, in the same QEMU: "
	     "their\n"
	     "goal is to take less than Linux in every row, and a row that does not is shown.\n\n"
	     "  --all            all suites\n"
	     "  --only-skerry    no Linux\n"
	     "  --no-time        instructions only\n\n"
	     "There are:\n");
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i]->kind == BENCHMARK)
			printf("  --%-14s %s: %s\n", p->v[i]->suite, p->v[i]->name,
			       p->v[i]->about ? p->v[i]->about : "");
	}
}

/* Whether @name is an option that is no suite; notes it. */
static bool take_option(struct beside_options *o, const char *name)
{
	bool *const options[] = {&o->only_skerry, &o->no_time, &o->write_readme};
	static const char *const names[] = {"only-skerry", "no-time", "write-readme"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(name, names[i]) == 0)
			return *options[i] = true;
	}
	return false;
}

/* Whether a word of @argv is a suite, "--all", or an option for suites only. */
static bool is_for_suites(int argc, char **argv, const struct strv *known)
{
	for (int i = 1; i < argc; i++) {
		const char *name = starts_with(argv[i], "--") ? argv[i] + 2 : argv[i];

		if (strv_has(known, name) || strcmp(name, "all") == 0 ||
		    strcmp(name, "only-skerry") == 0 || strcmp(name, "no-time") == 0)
			return true;
	}
	return false;
}

/* Whether @argv asks for help, in which of the two ways does not matter. */
static bool wants_help(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--profile") == 0)
		return false; /* it has its own */
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "help") == 0)
			return true;
	}
	return false;
}

static int suites_main(const struct project *p, int argc, char **argv, const struct strv *known)
{
	struct beside_options options = {0};
	struct strv wanted = {0};
	bool all = false;
	int bad = 0;

	for (int i = 1; i < argc; i++) {
		const char *name = starts_with(argv[i], "--") ? argv[i] + 2 : argv[i];

		all |= strcmp(name, "all") == 0;
		if (strcmp(name, "all") == 0 || take_option(&options, name))
			continue;
		if (!strv_has(known, name))
			die("there are no benchmarks %s%s (hake/bench --help)", argv[i],
			    suggest(name, known));
		strv_add(&wanted, name);
	}
	if (all || !wanted.n)
		wanted = *known;
	build_for(p, &wanted);
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i]->kind == BENCHMARK && strv_has(&wanted, p->v[i]->suite))
			bad += !run_benchmark(p, p->v[i], &options);
	}
	return bad != 0;
}

int bench_main(int argc, char **argv)
{
	struct project p = {0};
	struct strv known = {0};

	build_configure(&p);
	for (size_t i = 0; i < p.n; i++) {
		if (p.v[i]->kind == BENCHMARK && !strv_has(&known, p.v[i]->suite))
			strv_add(&known, p.v[i]->suite);
	}
	if (wants_help(argc, argv)) {
		help(&p);
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--profile") == 0)
		return profile_bench(&p, argc - 1, argv + 1);
	if (is_for_suites(argc, argv, &known))
		return suites_main(&p, argc, argv, &known);
	return scale_main(&p, argc, argv);
}
