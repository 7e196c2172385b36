/*
 * Workers, as main.c has them: they meet at gates, and say what came out. See workers.c.
 */
#ifndef BENCH_WORKERS_H
#define BENCH_WORKERS_H

#include "crew.h"

#include <stdatomic.h>

/* A word to the timing model (hake/timing/timing.h); a NOP elsewhere. */
#define MARKER(number) __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long " #number ::: "memory")
#define MODEL_ON()     MARKER(0x53540001)
#define MODEL_REPORT() MARKER(0x53540002)
#define MODEL_OFF()    MARKER(0x53540003)
#define MODEL_SEED()   MARKER(0x53540004)
#define MODEL_BEGIN()  MARKER(0x53540005)

/* So long after the world was made, and after the first operations, it is measured: what they have
 * left to be done later is done by then. */
#define SETTLE_US 50000

/* Where the workers meet over pipes: before the first operation, and when they may go. */
enum gate { GATE_WARM, GATE_END, GATES };

/* Where they meet before what is measured and after it: in memory they share, without a call or a
 * message. Worker 0 counts messages while all the others are there. */
struct meeting {
	_Atomic uint32_t warm;    /* workers that are */
	_Atomic uint32_t told;    /* not 0: @start is known */
	uint64_t start;           /* ns */
	_Atomic uint32_t done;    /* workers that have done the last operation */
	_Atomic uint32_t counted; /* not 0: so has everybody, and messages are counted */
	long before, sent; /* messages until the start, and from then on; -1: nobody counts */
};

/* What a worker sends: this, then one number an operation, in nanoseconds. */
struct report {
	int32_t error;
	uint64_t begin, end;
};

/* The workers, and what belongs to them. */
struct crew {
	int ready, go[GATES]; /* our ends */
	int out[MAX_WORKERS];
	struct meeting *meeting;
};

/* Those of @p, in the world that the calling process is in; or the program ends. */
void start_workers(const struct plan *p, struct crew *crew);

/* Waits until all are at the next gate. */
void all_ready(const struct plan *p, const struct crew *crew);

/* The core that a worker is pinned to. */
uint32_t core_of(const struct plan *p, uint32_t worker);

/* Before the first call of messages(). */
void open_sysfs(void);

/* Messages between cores so far; -1 where nobody counts them. */
long messages(void);

#endif
