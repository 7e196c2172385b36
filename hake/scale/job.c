/*
 * One job: a boot of Skerry or Linux under the timing model, with the program of a question. See
 * scale.h.
 *
 * A machine of S sockets with N cores has N/S of them in each socket; with fewer cores than sockets
 * there are only so many sockets. Both systems get the same machine, memory and program.
 */
#include "scale.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../build.h"
#include "../linux.h"
#include "../options.h"
#include "../profile/profile.h"
#include "../run.h"

/* Transfers between cores vary by so many per cent, by the seed. */
#define JITTER 10
/* QEMU cannot tell a guest that the processor's clocks agree, as those of the modelled ones do. */
#define LINUX_WORDS "tsc=reliable"
/* Without it, Linux programs run on Skerry's first core only. */
#define SKERRY_WORDS "linux.cores=all"

u32 scale_sockets(const char *machine, u32 cores)
{
	u32 n = (u32)atoi(machine); /* "2socket" */

	return MIN(n ? n : 1, cores);
}

static char *topology_text(const char *machine, u32 cores)
{
	u32 sockets = scale_sockets(machine, cores);

	return strf("pack:%u numa:1 core:%u pu:1", sockets, (cores + sockets - 1) / sockets);
}

static void add_file(struct buf *all, const char *path)
{
	struct buf b = {0};

	if (file_read(path, &b) == 0)
		buf_addf(all, "%s %zu %08x\n", path, b.n, text_hash(strf("%.*s", 4000, b.v)));
	/* The text ends at the first NUL; so the bytes count, too. */
	for (size_t i = 0, h = 0; i < b.n; i++) {
		h = h * 31 + (unsigned char)b.v[i];
		if (i + 1 == b.n)
			buf_addf(all, "%zx\n", h);
	}
}

char *scale_build_id(const struct project *p, const char *program, enum scale_system system,
		     const char *machine)
{
	struct buf all = {0};

	if (strcmp(machine, SCALE_WALL) != 0) {
		add_file(&all, strf("%s/timing.so", build_dir()));
		add_file(&all, timing_machine(machine));
	}
	add_file(&all, item_output(project_find(p, LINUX_PROGRAM, program)));
	if (system == SCALE_LINUX) {
		add_file(&all, linux_kernel());
		return strf("%08x", text_hash(all.v));
	}
	add_file(&all, boot_loader(p));
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i]->kind == DOMAIN || p->v[i]->kind == KERNEL)
			add_file(&all, item_output(p->v[i]));
	}
	return strf("%08x", text_hash(all.v));
}

void scale_targets(const struct project *p, bool wall, bool with_linux, struct strv *targets)
{
	strv_add(targets, "image");
	if (!wall)
		strv_add(targets, build_target(p, "timing-plugin"));
	if (with_linux)
		linux_targets(p, targets);
}

static const char *first_line(const char *command)
{
	struct strv argv = {0};
	struct buf out = {0};

	strv_split(&argv, "sh -c");
	strv_add(&argv, command);
	return run_collect(&argv, &out) == 0 ? strf("%.*s", (int)strcspn(out.v, "\n"), out.v) : "";
}

/* Begins the log with all that is needed to do it again. */
static int open_log(const struct project *p, const struct scale_job *job, const char *prefix,
		    const struct strv *words)
{
	char *path = strf("%s.log", prefix), day[32];
	time_t now = time(NULL);
	int fd;

	make_parents(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	strftime(day, sizeof(day), "%d %B %Y", localtime(&now));
	dprintf(fd,
		"@job program=%s system=%s machine=%s cores=%u seeds=%u date=\"%s\" build=%s "
		"skerry=%s "
		"linux=%s qemu=\"%s\" jitter=%u command=\"hake bench-job %s\"\n",
		job->program, scale_system_keys[job->system], job->machine, job->cores, job->seeds,
		day, scale_build_id(p, job->program, job->system, job->machine),
		first_line("git describe --always --dirty 2>/dev/null"),
		job->system == SCALE_LINUX ? linux_version() : "-",
		first_line(strf("%s --version", qemu_program())), JITTER, strv_join(words, " "));
	return fd;
}

static void prepare(const struct scale_job *job, const char *prefix, struct boot *b)
{
	b->topology = topology_text(job->machine, job->cores);
	b->cores = job->cores;
	b->mem = strf("%uM", MAX(4096u, job->cores * 96));
	b->accel = ACCEL_AUTO;
	b->on_linux = job->system == SCALE_LINUX;
	b->panic_exits = true;
	if (strcmp(job->machine, SCALE_WALL) != 0) {
		b->accel = ACCEL_TCG;
		b->timing = (struct timing_run){.machine = timing_machine(job->machine),
						.out = strf("%s.timing", prefix),
						.seed = 1,
						.jitter = JITTER};
	}
	if (b->on_linux) {
		b->program = strv_join(&b->command, " ");
		b->append = LINUX_WORDS;
		b->only = job->program;
	} else {
		b->is_world = true;
		b->append = SKERRY_WORDS;
		b->key = "1"; /* nothing else runs there */
	}
}

/* Its functions must be where they were when the kernel was asked for them. */
static void profile_this(struct boot *b, const char *prefix)
{
	b->timing.profile = strf("%s.profile", prefix);
	if (b->on_linux)
		b->append = LINUX_WORDS " " PROFILE_LINUX_WORDS;
}

static void help(void)
{
	puts("usage: hake bench-job [--program=P] --system=S --machine=M --cores=N --seeds=N "
	     "--out=PREFIX\n"
	     "                      [--cpu=N] [--profile] POINT...\n\n"
	     "Measures points of the main job of hake/bench in one boot; writes PREFIX.log and\n"
	     "PREFIX.timing, and PREFIX.profile (of the first point) if asked to. P is nsbench\n"
	     "or corebench, POINT is as it has it. All must be built.");
}

enum {
	OPT_PROGRAM = 256,
	OPT_SYSTEM,
	OPT_MACHINE,
	OPT_CORES,
	OPT_SEEDS,
	OPT_OUT,
	OPT_CPU,
	OPT_PROFILE,
	OPT_HELP
};

static const struct option options[] = {
	{"program", required_argument, NULL, OPT_PROGRAM},
	{"system", required_argument, NULL, OPT_SYSTEM},
	{"machine", required_argument, NULL, OPT_MACHINE},
	{"cores", required_argument, NULL, OPT_CORES},
	{"seeds", required_argument, NULL, OPT_SEEDS},
	{"out", required_argument, NULL, OPT_OUT},
	{"cpu", required_argument, NULL, OPT_CPU},
	{"profile", no_argument, NULL, OPT_PROFILE},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

/* The threads of a simulation take turns: on one processor of the host that is fastest. */
static void stay_on(u32 cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu - 1, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		warn("--cpu=%u: %s", cpu, strerror(errno));
}

static enum scale_system system_named(const char *name)
{
	for (enum scale_system s = 0; s < SCALE_SYSTEMS; s++) {
		if (strcmp(name, scale_system_keys[s]) == 0)
			return s;
	}
	die("--system: expected skerry or linux, not \"%s\"", name);
}

static const char *read_options(struct scale_job *job, bool *profiled, int argc, char **argv)
{
	const char *prefix = NULL;

	for (int c; (c = parse_option(argc, argv, options, true)) != -1;) {
		if (c == OPT_PROGRAM)
			job->program = scale_program(optarg);
		else if (c == OPT_SYSTEM)
			job->system = system_named(optarg);
		else if (c == OPT_MACHINE)
			job->machine = optarg;
		else if (c == OPT_CORES)
			job->cores = parse_count(optarg, "--cores");
		else if (c == OPT_SEEDS)
			job->seeds = parse_count(optarg, "--seeds");
		else if (c == OPT_OUT)
			prefix = optarg;
		else if (c == OPT_CPU)
			stay_on(parse_count(optarg, "--cpu"));
		else if (c == OPT_PROFILE)
			*profiled = true;
		else {
			help();
			exit(0);
		}
	}
	if (!prefix || optind == argc) {
		help();
		exit(EXIT_USAGE);
	}
	return prefix;
}

int scale_job_main(int argc, char **argv)
{
	struct scale_job job = {.program = scale_questions[0].program,
				.machine = "2socket",
				.cores = 1,
				.seeds = 1};
	struct guest g = {.log = -1};
	struct project p = {0};
	struct strv words = {0};
	struct boot b = {0};
	const char *prefix, *trouble;
	bool profiled = false;
	int status;

	for (int i = 1; i < argc; i++)
		strv_add(&words, argv[i]);
	prefix = read_options(&job, &profiled, argc, argv);
	project_load(&p);
	strv_addf(&b.command, "/bin/%s", job.program);
	strv_addf(&b.command, "--cores=%u", job.cores);
	strv_addf(&b.command, "--seeds=%u", job.seeds);
	for (int i = optind; i < argc; i++)
		strv_add(&b.command, argv[i]);
	g.log = open_log(&p, &job, prefix, &words);
	prepare(&job, prefix, &b);
	if (profiled)
		profile_this(&b, prefix);
	g.argv = b.on_linux ? linux_command(&p, &b) : boot_command(&p, &b);
	g.key = b.key;
	status = guest_run(&g);
	trouble = guest_trouble(&g);
	if (trouble)
		dprintf(g.log, "\n@job_failed why=\"%.*s\"\n", (int)strcspn(trouble, "\n\""),
			trouble);
	else
		dprintf(g.log, "\n@job_done code=%d\n", status);
	return trouble != NULL;
}
