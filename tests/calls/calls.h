/*
 * Tests of the CPU driver's calls, by a native program that makes them: what they do, and what they
 * refuse. Needs "tests=1" on the command line, for the authorities that only monitors have.
 */
#ifndef CALLS_CALLS_H
#define CALLS_CALLS_H

#include "testing.h"
#include <rt/rt.h>
#include <skerry/handoff.h>
#include <string.h>

/* A second instance of this program, which does what its argument names (victim.c). */
int victim_main(int argc, char **argv);

/**
 * Start a victim on this core and wait for its end.
 *
 * @gift  a capability for it, or CAP_NONE
 * Returns 0 and fills @task, or a negative errno.
 */
int victim_run(const char *what, cap_t gift, struct rt_task *task);

/** The same without waiting, with a priority (0: the default). */
int victim_start(const char *what, cap_t gift, u32 priority, struct rt_task *task);

/* Each file's tests. */
extern const struct test bad_tests[], cap_tests[], memory_tests[], ipc_tests[], time_tests[],
	context_tests[];
extern const u32 bad_count, cap_count, memory_count, ipc_count, time_count, context_count;

#endif
