/*
 * Several nets in one loop of fibers, for tests: what one sends arrives at the other a turn of the
 * loop later, in order; cores can be killed, and senders told to wait.
 *
 * Runs in: host tests.
 */
#ifndef SHARD_LOOPBACK_H
#define SHARD_LOOPBACK_H

#include <shard/shard.h>

#define SHARD_LOOPBACK_CORES 64u

struct shard_loopback;

/** @cores nets in @loop. NULL: no memory. */
struct shard_loopback *shard_loopback_new(struct fiber_loop *loop, u32 cores);

struct shard_net *shard_loopback_net(struct shard_loopback *lo, u32 core);

/** @core is dead: it sends and receives nothing any more, and all others are told. */
void shard_loopback_kill(struct shard_loopback *lo, u32 core);

/** Hold back what is sent to @core (and let it go again), as a core that is busy would. */
void shard_loopback_hold(struct shard_loopback *lo, u32 core, bool hold);

/** Let a sender wait when @packets to one core are under way; 0: never. */
void shard_loopback_limit(struct shard_loopback *lo, u32 packets);

/**
 * End all: from a fiber of the loop, or outside of fiber_loop_run() after which the loop is to be
 * run once more, so that their fibers end. Handlers must have returned.
 */
void shard_loopback_free(struct shard_loopback *lo);

#endif
