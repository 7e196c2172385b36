/*
 * nsbench: options, workers, what came out. See nsbench.h.
 *
 * Workers are processes pinned to cores, started together: each says over a pipe that it is ready
 * and waits for another pipe to be closed. Times are CLOCK_MONOTONIC, which under the timing model
 * is simulated (hake/timing); a marker tells the model when the measurement begins.
 */
#include "nsbench.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Noreturn void die(int error, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("nsbench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (error)
		fprintf(stderr, ": %s", strerror(-error));
	fputc('\n', stderr);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Caches on, in the timing model; a NOP elsewhere. */
static void model_on(void)
{
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long 0x53540001");
}

static void pin(uint32_t core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die(-errno, "core %u", core);
}

/* --- Workers --- */

/* What a worker sends: this, then one number an operation, in nanoseconds. */
struct report {
	uint32_t core;
	int32_t error;
	uint64_t begin, end;
};

static void send(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0)
			die(-errno, "worker's pipe");
		p += n;
		len -= (size_t)n;
	}
}

static void receive(int fd, void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n <= 0)
			die(n ? -errno : 0, "a worker ended early");
		p += n;
		len -= (size_t)n;
	}
}

static void work(const struct plan *p, uint32_t core, int ready, int go, int out)
{
	uint64_t *took = calloc(p->ops, sizeof(*took));
	struct report r = {.core = core};
	char byte = 0;

	if (!took)
		die(-ENOMEM, "worker %u", core);
	pin(core);
	for (uint32_t i = 0; i < p->warm && !r.error; i++)
		r.error = p->mode->run();
	send(ready, &byte, 1);
	(void)!read(go, &byte, 1); /* until it is closed */
	r.begin = now_ns();
	for (uint32_t i = 0; i < p->ops && !r.error; i++) {
		uint64_t start = now_ns();

		r.error = p->mode->run();
		took[i] = now_ns() - start;
	}
	r.end = now_ns();
	send(out, &r, sizeof(r));
	send(out, took, p->ops * sizeof(*took));
	exit(0);
}

static pid_t start_reader(void)
{
	char buf[65536];
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;) {
		int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

		while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
			;
		if (fd < 0)
			exit(1);
		close(fd);
	}
}

/* A process that holds a namespace until it is killed. */
static pid_t keep_namespace(void)
{
	int pipe_fd[2];
	char byte = 0;
	pid_t pid;

	if (pipe(pipe_fd))
		die(-errno, "pipe");
	pid = fork();
	if (pid < 0)
		die(-errno, "fork");
	if (pid == 0) {
		byte = unshare(CLONE_NEWNS) ? 1 : 0;
		send(pipe_fd[1], &byte, 1);
		for (;;)
			pause();
	}
	receive(pipe_fd[0], &byte, 1);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	if (byte)
		die(0, "a namespace to be kept could not be made");
	return pid;
}

/* --- What came out --- */

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t percentile(const uint64_t *sorted, size_t n, uint32_t percent)
{
	return sorted[(n - 1) * percent / 100];
}

static void show(const struct plan *p, uint64_t *took, const struct report *all)
{
	size_t n = (size_t)p->cores * p->ops;
	uint64_t begin = UINT64_MAX, end = 0;
	double seconds;

	for (uint32_t i = 0; i < p->cores; i++) {
		begin = all[i].begin < begin ? all[i].begin : begin;
		end = all[i].end > end ? all[i].end : end;
	}
	qsort(took, n, sizeof(*took), by_size);
	seconds = (double)(end - begin) / 1e9;
	printf("@nsbench mode=%s cores=%u mounts=%u tree=%u placement=%s readers=%u kept=%u "
	       "ops=%zu "
	       "seconds=%.9f rate=%.1f p50_ns=%llu p99_ns=%llu max_ns=%llu\n",
	       p->mode->name, p->cores, p->mounts, p->tree, p->crowded ? "crowded" : "own",
	       p->readers, p->kept, n, seconds, seconds > 0 ? (double)n / seconds : 0,
	       (unsigned long long)percentile(took, n, 50),
	       (unsigned long long)percentile(took, n, 99), (unsigned long long)took[n - 1]);
}

static void measure(const struct plan *p)
{
	int ready[2], go[2], out[p->cores];
	struct report all[p->cores];
	uint64_t *took = calloc((size_t)p->cores * p->ops, sizeof(*took));
	pid_t others[p->readers + p->kept + 1];
	uint32_t nothers = 0;
	char byte;

	if (!took || pipe(ready) || pipe(go))
		die(-errno, "pipes");
	for (uint32_t i = 0; i < p->kept; i++)
		others[nothers++] = keep_namespace();
	for (uint32_t i = 0; i < p->readers; i++)
		others[nothers++] = start_reader();
	for (uint32_t i = 0; i < p->cores; i++) {
		int results[2];
		pid_t pid;

		if (pipe(results))
			die(-errno, "pipe");
		pid = fork();
		if (pid < 0)
			die(-errno, "fork");
		if (pid == 0) {
			close(go[1]);
			work(p, i, ready[1], go[0], results[1]);
		}
		close(results[1]);
		out[i] = results[0];
	}
	for (uint32_t i = 0; i < p->cores; i++)
		receive(ready[0], &byte, 1);
	model_on();
	close(go[1]);
	for (uint32_t i = 0; i < p->cores; i++) {
		receive(out[i], &all[i], sizeof(all[i]));
		receive(out[i], took + (size_t)i * p->ops, p->ops * sizeof(*took));
		if (all[i].error)
			die(all[i].error, "%s on core %u", p->mode->name, i);
	}
	for (uint32_t i = 0; i < nothers; i++)
		kill(others[i], SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	show(p, took, all);
	free(took);
}

/* --- Options --- */

static void help(void)
{
	puts("usage: nsbench [OPTIONS] MODE\n\n"
	     "Creates mount namespaces on several cores at once; prints a line \"@nsbench "
	     "...\".\n");
	for (const struct mode *m = modes; m->name; m++)
		printf("  %-10s %s\n", m->name, m->about);
	puts("\n  --cores N     workers, one a core (1)\n"
	     "  --ops N       operations of each (100)\n"
	     "  --warm N      before those, not measured (3)\n"
	     "  --mounts N    in the namespace that they start from (1: as few as there can be)\n"
	     "  --tree N      in the tree that is copied\n"
	     "  --crowded     the tree is a folder of the mount that has all others, not a mount\n"
	     "  --readers N   processes that read mountinfo meanwhile\n"
	     "  --kept N      namespaces that exist already");
}

static uint32_t number(const char *text, const char *option)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > 1000000)
		die(0, "--%s: expected a number up to 1000000, not \"%s\"", option, text);
	return (uint32_t)n;
}

static struct plan read_plan(int argc, char **argv)
{
	struct plan p = {.cores = 1, .ops = 100, .warm = 3, .mounts = 1};
	const struct {
		const char *name;
		uint32_t *value;
	} numbers[] = {{"cores", &p.cores},   {"ops", &p.ops},   {"warm", &p.warm},
		       {"mounts", &p.mounts}, {"tree", &p.tree}, {"readers", &p.readers},
		       {"kept", &p.kept}};
	struct option options[] = {
		{"cores", required_argument, NULL, 0}, {"ops", required_argument, NULL, 0},
		{"warm", required_argument, NULL, 0},  {"mounts", required_argument, NULL, 0},
		{"tree", required_argument, NULL, 0},  {"readers", required_argument, NULL, 0},
		{"kept", required_argument, NULL, 0},  {"crowded", no_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},      {NULL, 0, NULL, 0},
	};
	int c, which;

	while ((c = getopt_long(argc, argv, "", options, &which)) != -1) {
		if (c == 0) {
			*numbers[which].value = number(optarg, numbers[which].name);
		} else if (c == 'c') {
			p.crowded = true;
		} else {
			help();
			exit(c == 'h' ? 0 : 64);
		}
	}
	if (optind + 1 != argc)
		die(0, "expected one mode (nsbench --help)");
	for (p.mode = modes; p.mode->name && strcmp(p.mode->name, argv[optind]) != 0; p.mode++)
		;
	if (!p.mode->name)
		die(0, "there is no mode \"%s\" (nsbench --help)", argv[optind]);
	if (!p.cores || p.cores > CPU_SETSIZE || !p.ops)
		die(0, "--cores must be 1 to %d, --ops at least 1", CPU_SETSIZE);
	return p;
}

int main(int argc, char **argv)
{
	struct plan p;

	/* The program that modes execute. */
	if (argc == 2 && strcmp(argv[1], "--true") == 0)
		return 0;
	p = read_plan(argc, argv);
	world_make(&p, "/proc/self/exe");
	measure(&p);
	return 0;
}
