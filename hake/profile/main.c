/*
 * Tables of a profile, and the commands that make them. See profile.h.
 */
#include "profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../build.h"
#include "../guest.h"
#include "../linux.h"
#include "../options.h"
#include "../scale/scale.h"

#define MOST_ROWS  40
#define MOST_CORES 8 /* with a column each */
#define MODE       "open_tree"
#define MACHINE    "2socket"
#define CORES      4
#define MOUNTS     30

/* --- Tables --- */

static int by_cycles(const void *a, const void *b)
{
	const struct profile_sum *x = a, *y = b;

	if (x->cycles != y->cycles)
		return x->cycles > y->cycles ? -1 : 1;
	return strcmp(x->key, y->key);
}

static double part(double some, double all)
{
	return all > 0 ? 100 * some / all : 0;
}

/* A column for each core, or how far they are apart. */
static void add_cores(const struct profile *v, const struct profile_sum *s, struct buf *out)
{
	double least = 100, most = 0;

	for (u32 i = 0; i < v->ncores; i++) {
		double p = part(s->core ? s->core[i] : 0, v->core[i]);

		least = MIN(least, p);
		most = MAX(most, p);
		if (v->ncores <= MOST_CORES)
			buf_addf(out, " %5.1f", p);
	}
	if (v->ncores > MOST_CORES)
		buf_addf(out, " %5.1f - %5.1f", least, most);
}

static void add_head(const struct profile *v, double ops, struct buf *out)
{
	buf_addf(out, "\n  %6s %6s%s", "own %", "all %", ops > 0 ? "  cycles/op   insns/op" : "");
	for (u32 i = 0; i < v->ncores && v->ncores <= MOST_CORES; i++)
		buf_addf(out, " %5s", strf("c%u", i));
	if (v->ncores > MOST_CORES)
		buf_addf(out, " %13s", "each core");
	buf_addf(out, "  function, program\n");
}

static void add_functions(const struct profile *v, double ops, struct buf *out)
{
	struct profile_sum *rows = alloc((v->functions.n + 1) * sizeof(*rows));
	size_t n = v->functions.n;

	if (n)
		memcpy(rows, v->functions.v, n * sizeof(*rows));
	qsort(rows, n, sizeof(*rows), by_cycles);
	add_head(v, ops, out);
	for (size_t i = 0; i < MIN(n, (size_t)MOST_ROWS) && rows[i].cycles > 0; i++) {
		int program = (int)strcspn(rows[i].key, ";");

		buf_addf(out, "  %6.2f %6.2f", part(rows[i].cycles, v->cycles),
			 part(rows[i].all, v->cycles));
		if (ops > 0)
			buf_addf(out, " %10.0f %10.0f", rows[i].cycles / ops,
				 rows[i].instructions / ops);
		add_cores(v, &rows[i], out);
		buf_addf(out, "  %s, %.*s\n", rows[i].key + program + 1, program, rows[i].key);
	}
}

static void add_programs(const struct profile *v, struct buf *out)
{
	const struct profile_sums *s = &v->stacks;

	for (size_t i = 0; i < s->n;) {
		size_t len = strcspn(s->v[i].key, ";"), k = i;
		double cycles = 0;

		for (; k < s->n && strncmp(s->v[k].key, s->v[i].key, len + 1) == 0; k++)
			cycles += s->v[k].cycles;
		buf_addf(out, "  %6.2f %%  %.*s\n", part(cycles, v->cycles), (int)len, s->v[i].key);
		i = k;
	}
}

/* Reads @raw; writes @base.txt, .folded and .svg, and prints the table. @ops: 0 is not known. */
static void show(const struct profile_names *names, const char *raw, const char *base,
		 const char *title, double ops)
{
	struct buf text = {0}, folded = {0}, svg = {0};
	struct profile v;

	profile_read(&v, raw, names);
	buf_addf(&text, "%s\n", title);
	if (ops > 0)
		buf_addf(&text, "%.0f operations, of each %.0f cycles and %.0f instructions\n", ops,
			 v.cycles / ops, v.instructions / ops);
	add_programs(&v, &text);
	add_functions(&v, ops, &text);
	for (size_t i = 0; i < v.stacks.n; i++) {
		if (v.stacks.v[i].cycles >= 0.5)
			buf_addf(&folded, "%s %.0f\n", v.stacks.v[i].key, v.stacks.v[i].cycles);
	}
	profile_flame(&v, title, &svg);
	make_parents(base);
	file_write(strf("%s.txt", base), text.v, text.n);
	file_write(strf("%s.folded", base), folded.v ? folded.v : "", folded.n);
	file_write(strf("%s.svg", base), svg.v, svg.n);
	fputs(text.v, stdout);
	printf("\nKept in %s.txt, .folded (stacks) and .svg (a flame graph).\n\n", base);
}

/* --- hake profile --- */

static void help(void)
{
	puts("usage: hake profile [--linux] [--title T] FILE BASE\n\n"
	     "Names what FILE has, a profile of \"hake run --timing M --profile FILE\" (--linux: "
	     "of\n"
	     "\"hake linux --run ... --append nokaslr\"); prints where the cycles went, and "
	     "writes\n"
	     "BASE.txt, BASE.folded and BASE.svg. Measured is from the model's marker \"begin\" "
	     "to\n"
	     "its first report (hake/timing/README.md). The programs must be those that ran.");
}

enum { OPT_LINUX = 256, OPT_TITLE, OPT_MACHINE, OPT_CORES, OPT_ONLY_SKERRY, OPT_HELP };

int profile_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"linux", no_argument, NULL, OPT_LINUX},
		{"title", required_argument, NULL, OPT_TITLE},
		{"help", no_argument, NULL, OPT_HELP},
		{NULL, 0, NULL, 0},
	};
	const char *title = NULL;
	struct project p = {0};
	bool on_linux = false;

	for (int c; (c = parse_option(argc, argv, options, false)) != -1;) {
		if (c == OPT_LINUX) {
			on_linux = true;
		} else if (c == OPT_TITLE) {
			title = optarg;
		} else {
			help();
			return 0;
		}
	}
	if (optind + 2 != argc) {
		help();
		return EXIT_USAGE;
	}
	project_load(&p);
	show(profile_names_of(&p, on_linux ? profile_linux_list(&p) : NULL), argv[optind],
	     argv[optind + 1], title ? title : argv[optind], 0);
	return 0;
}

/* --- hake bench --profile --- */

struct asked {
	const char *machine, *point, *name; /* as nsbench has it; for files */
	u32 cores;
	bool only_skerry;
};

static void bench_help(void)
{
	puts("usage: hake/bench --profile [OPTIONS] [MODE]\n\n"
	     "Where the cycles go when a mode of nsbench runs (" MODE "; with numbers as nsbench\n"
	     "has them: \"unshare,mounts=1000,ops=4\"), on Skerry and on Linux: a table of the\n"
	     "functions, and stacks and flame graphs in build/bench/profile/.\n\n"
	     "  --machine M      of hake/timing/machines (" MACHINE ")\n"
	     "  --cores N        that work (4)\n"
	     "  --only-skerry    no Linux");
}

static struct asked read_asked(int argc, char **argv)
{
	static const struct option options[] = {
		{"machine", required_argument, NULL, OPT_MACHINE},
		{"cores", required_argument, NULL, OPT_CORES},
		{"only-skerry", no_argument, NULL, OPT_ONLY_SKERRY},
		{"help", no_argument, NULL, OPT_HELP},
		{NULL, 0, NULL, 0},
	};
	struct asked a = {.machine = MACHINE, .point = MODE, .cores = CORES};

	for (int c; (c = parse_option(argc, argv, options, false)) != -1;) {
		if (c == OPT_MACHINE) {
			a.machine = optarg;
		} else if (c == OPT_CORES) {
			a.cores = parse_count(optarg, "--cores");
		} else if (c == OPT_ONLY_SKERRY) {
			a.only_skerry = true;
		} else {
			bench_help();
			exit(0);
		}
	}
	if (optind + 1 < argc)
		die("--profile: one mode, please, not also %s", argv[optind + 1]);
	if (optind < argc)
		a.point = argv[optind];
	timing_machine(a.machine);
	a.name = strf("%.*s", (int)strcspn(a.point, ","), a.point);
	if (!strchr(a.point, ','))
		a.point = scale_point_text(&(struct scale_point){.mode = a.name, .mounts = MOUNTS},
					   a.cores);
	return a;
}

/* The operations that a job's log says were measured, or 0: it says why not. */
static double ops_of(const char *log)
{
	struct buf b = {0};

	if (file_read(log, &b))
		return 0;
	for (const char *at = b.v; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		const char *line = strf("%.*s", (int)strcspn(at, "\r\n"), at);

		if (line_is(line, "nsbench") && line_value(line, "ops"))
			return atof(line_value(line, "ops"));
		if (strstr(line, "_failed "))
			warn("%s", line);
	}
	return 0;
}

/* Returns whether it could be measured. */
static bool profile_system(const struct project *p, const struct asked *a, enum scale_system s)
{
	const char *list = s == SCALE_LINUX ? profile_linux_list(p) : NULL;
	char *base = strf("%s/bench/profile/%s-%s-%u-%s", build_dir(), scale_system_keys[s],
			  a->machine, a->cores, a->name);
	struct strv argv = {0};
	double ops;

	strv_addf(&argv, "%s/hake", build_dir());
	strv_split(&argv, "bench-job --profile --seeds=1");
	strv_addf(&argv, "--system=%s", scale_system_keys[s]);
	strv_addf(&argv, "--machine=%s", a->machine);
	strv_addf(&argv, "--cores=%u", a->cores);
	strv_addf(&argv, "--out=%s", base);
	strv_add(&argv, a->point);
	fflush(stdout);
	if (run_program(&argv) != 0)
		warn("the job did not end well: %s.log", base);
	ops = ops_of(strf("%s.log", base));
	if (!(ops > 0)) {
		warn("%s measured nothing: %s.log", scale_system_names[s], base);
		return false;
	}
	show(profile_names_of(p, list), strf("%s.profile", base), base,
	     strf("%s, %s, %s, %u cores", scale_system_names[s], a->point, a->machine, a->cores),
	     ops);
	return true;
}

int profile_bench(const struct project *p, int argc, char **argv)
{
	struct asked a = read_asked(argc, argv);
	bool with_linux = !a.only_skerry && linux_find(), good;
	struct strv targets = {0};

	scale_targets(p, false, with_linux, &targets);
	ninja_run(&targets);
	good = profile_system(p, &a, SCALE_SKERRY);
	if (with_linux)
		good &= profile_system(p, &a, SCALE_LINUX);
	return !good;
}
