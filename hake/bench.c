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
#include "run.h"
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
	puts("usage: hake/bench [--SUITE]... [OPTIONS]\n\n"
	     "Runs the benchmarks of these suites, or all. Raw output is kept in build/bench/. "
	     "The\n"
	     "exit status is 0 only if all ran and kept their limits.\n\n"
	     "Those of Linux programs run on Linux, too, in the same QEMU: their goal is to take\n"
	     "less than Linux in every row, and a row that does not is shown.\n\n"
	     "  --only-skerry    no Linux\n"
	     "  --no-time        instructions only\n"
	     "  --write-readme   renew the figures in README.md\n\n"
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

int bench_main(int argc, char **argv)
{
	struct beside_options options = {0};
	struct project p = {0};
	struct strv known = {0}, wanted = {0};
	int bad = 0;

	build_configure(&p);
	for (size_t i = 0; i < p.n; i++) {
		if (p.v[i]->kind == BENCHMARK && !strv_has(&known, p.v[i]->suite))
			strv_add(&known, p.v[i]->suite);
	}
	for (int i = 1; i < argc; i++) {
		const char *name = starts_with(argv[i], "--") ? argv[i] + 2 : argv[i];

		if (strcmp(name, "help") == 0) {
			help(&p);
			return 0;
		}
		if (take_option(&options, name))
			continue;
		if (!strv_has(&known, name))
			die("there are no benchmarks %s%s (hake/bench --help)", argv[i],
			    suggest(name, &known));
		strv_add(&wanted, name);
	}
	if (!wanted.n)
		wanted = known;
	build_for(&p, &wanted);
	for (size_t i = 0; i < p.n; i++) {
		if (p.v[i]->kind == BENCHMARK && strv_has(&wanted, p.v[i]->suite))
			bad += !run_benchmark(&p, p.v[i], &options);
	}
	return bad != 0;
}
