/* What personalities ask each other about themselves: counts, load, memory. */
#ifndef SKERRY_SHARD_CONTROL_H
#define SKERRY_SHARD_CONTROL_H

#include <skerry/shard.h>

#define CONTROL_STATE  SHARD_OP(SHARD_CONTROL, 1) /* answer: struct core_state */
#define CONTROL_COUNTS SHARD_OP(SHARD_CONTROL, 2) /* answer: struct core_counts for each core */
#define CONTROL_IDLE   SHARD_OP(SHARD_CONTROL, 3) /* tell: this core has nothing to do */

/* A core, as Linux has it. */
struct core_state {
	u64 user_ns, system_ns; /* of processes that are here */
	u64 switches;
	u64 running, threads;
	u64 processes; /* made */
	u64 total_bytes, free_bytes;
	u64 last_pid; /* the number given out last */
};

static_assert(sizeof(struct core_state) == 72, "no holes");

/* Messages from and to one other core, by area. */
struct core_counts {
	u64 core;
	u64 sent[SHARD_AREAS];
	u64 received[SHARD_AREAS];
};

static_assert(sizeof(struct core_counts) == 120, "no holes");
static_assert(512 * sizeof(struct core_counts) <= SHARD_BYTES_MAX, "all cores in one answer");

#endif
