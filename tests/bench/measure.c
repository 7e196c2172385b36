/*
 * Measuring. See measure.h.
 */
#include "measure.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCHES = 11,
	LOOP = 500000, /* the known loop has two instructions a turn */
	QUIET = 20,    /* so many loops one after another must cost just what they have */
	PATIENCE = 1200,
	SETTLE_S = 3, /* when time is taken, nothing tells a busy host from a busy guest */
};

static bool take_time;
static unsigned nbatches = BATCHES;

static uint64_t now(void)
{
	struct timespec t;
	uint32_t low, high;

	if (take_time) {
		clock_gettime(CLOCK_MONOTONIC, &t);
		return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	}
	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

void bench_fail(const char *what)
{
	printf("bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t known_loop(void)
{
	uint64_t turns = LOOP, begin = now();

	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(turns));
	return now() - begin;
}

/* Sees whether the counter counts instructions, and nobody else's for a while. */
static void wait_until_quiet(void)
{
	struct timespec pause = {.tv_nsec = 50000000};
	uint64_t most = 0, loop;
	unsigned quiet = 0;

	for (unsigned i = 0; i < PATIENCE && quiet < QUIET; i++) {
		loop = known_loop();
		/* A timer's interrupt may cost a few thousand. */
		if (loop < 2 * LOOP + LOOP / 50) {
			most = loop > most ? loop : most;
			quiet++;
			continue;
		}
		quiet = 0;
		most = 0;
		nanosleep(&pause, NULL);
	}
	if (quiet < QUIET) {
		printf("bench: a loop of %d instructions took %llu: the counter counts something "
		       "else, or others are busy\n",
		       2 * LOOP, (unsigned long long)known_loop());
		exit(1);
	}
	printf("@check name=known_loop instructions=%d counted=%llu\n", 2 * LOOP,
	       (unsigned long long)most);
}

void bench_start(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "instructions";

	setvbuf(stdout, NULL, _IOLBF, 0);
	take_time = strcmp(what, "ns") == 0;
	if (strcmp(what, "once") == 0) {
		nbatches = 1;
	} else if (!take_time && strcmp(what, "instructions") != 0) {
		printf("usage: %s [instructions | ns | once]\n", argv[0]);
		exit(2);
	}
	if (take_time)
		sleep(SETTLE_S);
	else
		wait_until_quiet();
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double run_batch(const struct bench_row *row)
{
	uint64_t begin, ticks;
	unsigned n;

	if (row->before)
		row->before(row->n);
	begin = now();
	n = row->work(row->n);
	ticks = now() - begin;
	if (row->after)
		row->after();
	return (double)ticks / (n ? n : 1);
}

void bench_run(const struct bench_row *rows, unsigned n)
{
	double batches[BATCHES];

	for (unsigned i = 0; i < n; i++) {
		run_batch(&rows[i]);
		for (unsigned j = 0; j < nbatches; j++)
			batches[j] = run_batch(&rows[i]);
		qsort(batches, nbatches, sizeof(*batches), by_size);
		printf("@bench name=%s value=%.0f unit=%s\n", rows[i].name, batches[nbatches / 2],
		       take_time ? "ns" : "instructions");
	}
}

void bench_report(const char *name, double value, const char *unit)
{
	if (!take_time)
		printf("@bench name=%s value=%.0f unit=%s\n", name, value, unit);
}
