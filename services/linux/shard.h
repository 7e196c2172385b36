/*
 * The other personalities of the system: lib/shard over channels.
 *
 * Linux runs on the first linux_cores() cores (kernel word linux.cores=N, or "all"); on each is a
 * personality (a shard), and they call each other. Channels are opened when they are first needed.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_SHARD_H
#define LINUX_SHARD_H

#include <shard/shard.h>

/** The net of this core; NULL: Linux runs on one core only. */
extern struct shard_net *shards;

/** How many cores Linux runs on: 0 to linux_cores() - 1; and which one this is. */
u32 linux_cores(void);
u32 linux_core(void);

/** Make the net. Then every area serves its operations. 0 or -errno. */
int shard_init(void);

/** Begin to talk to others: everything is served. Only if there is a net. 0 or -errno. */
int shard_open(void);

#endif
