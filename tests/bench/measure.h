/*
 * What a Linux program that measures the system it runs on needs. The same file runs on Skerry and
 * on Linux; hake/bench starts it four times: counting instructions and taking time, on either.
 *
 *   PROGRAM [instructions | ns | once]
 *
 * Instructions are read from the time-stamp counter, which counts them when QEMU runs with
 * "-icount shift=0"; time is CLOCK_MONOTONIC. Of every row a batch runs first that does not count,
 * and the median of the batches after it is printed, so that an interrupt, or a thread of the
 * kernel that wakes, falls out. What loop and libc's wrapper take (about ten instructions an
 * operation) is in the figure, for both systems alike.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>

/* A row of the table. What comes before and after a batch is not measured. */
struct bench_row {
	const char *name;
	unsigned n; /* operations in a batch; short ones, so that few batches see an interrupt */
	void (*before)(unsigned n);
	unsigned (*work)(unsigned n); /* returns how many there were in the end */
	void (*after)(void);
};

/**
 * To be called first. Waits until the system does nothing else: after its start Linux has threads
 * busy for seconds. Ends the program, with status 1, if that does not come about.
 */
void bench_start(int argc, char **argv);

/** Measures @rows and prints a figure of each. */
void bench_run(const struct bench_row *rows, unsigned n);

/** Prints a figure that is no duration: it is left out when time is taken. */
void bench_report(const char *name, double value, const char *unit);

/** Ends the program: @what could not be done. */
_Noreturn void bench_fail(const char *what);

/** As bench_fail, unless @ok. */
static inline void bench_need(int ok, const char *what)
{
	if (!ok)
		bench_fail(what);
}

#endif
