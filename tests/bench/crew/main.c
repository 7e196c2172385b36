/*
 * What is measured, one thing after the other, and what came out. See crew.h.
 *
 * Times are CLOCK_MONOTONIC, which under the timing model is simulated (hake/timing); markers tell
 * the model what is measured.
 *
 * Not here: what is to be measured (options.c), the workers (workers.c), the world and the modes
 * (the program's).
 */
#include "workers.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct plan *current; /* what is being measured, or NULL */

static void print_plan(const char *word)
{
	printf("@%s%s mode=%s cores=%u mounts=%u tree=%u placement=%s readers=%u kept=%u "
	       "workers=%u seed=%u ",
	       bench_name, word, current->mode->name, current->cores, current->mounts,
	       current->tree, current->crowded ? "crowded" : "own", current->readers, current->kept,
	       current->workers, current->round);
}

_Noreturn void die(int error, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fflush(stdout);
	fprintf(stderr, "%s: %s%s%s\n", bench_name, text, error ? ": " : "",
		error ? strerror(-error) : "");
	if (current) {
		print_plan("_failed");
		printf("why=\"%s%s%s\"\n", text, error ? ": " : "", error ? strerror(-error) : "");
		fflush(stdout);
	}
	exit(1);
}

#define START_US 1000000 /* from a system's start */
#define QUIET_US 1000

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

/* @sent: messages between cores, or -1. */
static void show(const struct plan *p, uint64_t *took, const struct report *all, long sent)
{
	size_t n = (size_t)p->workers * p->ops;
	uint64_t begin = UINT64_MAX, end = 0;
	double seconds;

	for (uint32_t i = 0; i < p->workers; i++) {
		begin = all[i].begin < begin ? all[i].begin : begin;
		end = all[i].end > end ? all[i].end : end;
	}
	qsort(took, n, sizeof(*took), by_size);
	seconds = (double)(end - begin) / 1e9;
	print_plan("");
	printf("ops=%zu seconds=%.9f rate=%.1f p50_ns=%llu p99_ns=%llu max_ns=%llu", n, seconds,
	       seconds > 0 ? (double)n / seconds : 0, (unsigned long long)percentile(took, n, 50),
	       (unsigned long long)percentile(took, n, 99), (unsigned long long)took[n - 1]);
	if (sent >= 0)
		printf(" messages=%ld", sent);
	putchar('\n');
}

/* In a process of its own, whose namespace it is. */
static void measure(const struct plan *p)
{
	static struct report all[MAX_WORKERS];
	static struct crew crew;
	uint64_t *took = calloc((size_t)p->workers * p->ops, sizeof(*took));

	if (!took)
		die(-ENOMEM, "results");
	world_make(p, "/proc/self/exe");
	start_workers(p, &crew);
	all_ready(p, &crew);
	usleep(SETTLE_US);
	MODEL_ON();
	close(crew.go[GATE_WARM]);
	all_ready(p, &crew);
	/* Cores that do not sleep when the model goes off go on for as long as the host has it. */
	usleep(QUIET_US);
	MODEL_OFF();
	close(crew.go[GATE_END]);
	for (uint32_t i = 0; i < p->workers; i++) {
		receive_all(crew.out[i], &all[i], sizeof(all[i]));
		receive_all(crew.out[i], took + (size_t)i * p->ops, p->ops * sizeof(*took));
		if (all[i].error) {
			world_end();
			die(all[i].error, "%s on core %u", p->mode->name, core_of(p, i));
		}
	}
	show(p, took, all, crew.meeting->sent);
	world_end();
	while (wait(NULL) > 0 || errno == EINTR)
		;
	free(took);
}

/* Returns whether it could be measured. */
static bool measure_in_child(const struct plan *p)
{
	int status;
	pid_t pid;

	fflush(stdout);
	current = p;
	pid = fork();
	if (pid < 0)
		die(-errno, "fork");
	if (pid == 0) {
		measure(p);
		exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	current = NULL;
	/* After a failure it may still be on. */
	MODEL_OFF();
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	static struct plan plans[MAX_PLANS];
	uint32_t rounds, n;
	bool good = true;

	/* The program that modes execute. */
	if (argc == 2 && strcmp(argv[1], "--true") == 0)
		return 0;
	open_sysfs();
	n = read_plans(argc, argv, plans, &rounds);
	usleep(START_US);
	for (uint32_t round = 0; round < rounds; round++) {
		if (round)
			MODEL_SEED();
		for (uint32_t i = 0; i < n; i++) {
			plans[i].round = round;
			good &= measure_in_child(&plans[i]);
		}
	}
	return !good;
}
