/*
 * What the Linux personalities of the cores say to each other: operations, and who asks.
 *
 * A personality of one core is a shard of the system. What a call carries is a plain structure of
 * the area concerned (skerry/shard/AREA.h, sizes asserted), sometimes with bytes behind it; it is
 * untrusted: whoever receives it checks everything (-EBADMSG).
 *
 * Things of a core are named by its number and an id that it gives once and never again: struct
 * shard_id. Never by an address.
 *
 * How calls are made: lib/shard/shard.h.
 */
#ifndef SKERRY_SHARD_H
#define SKERRY_SHARD_H

#include <skerry/types.h>

#define SHARD_SERVICE   "linux"    /* under which a personality listens (skerry/monitor.h) */
#define SHARD_BYTES_MAX (64 * KiB) /* of a call's arguments, and of its answer */

/* Operations: the area in the upper byte, a number that the area gives out in the lower one. */
#define SHARD_OP(area, number) ((u16)((area) << 8 | (number)))
#define SHARD_AREA(op)         ((u32)(u16)(op) >> 8)

#define SHARD_CONTROL          0u /* counters, load, user memory of a far task */
#define SHARD_PROCESSES        1u
#define SHARD_FILES            2u /* open files */
#define SHARD_INODES           3u /* inodes and names */
#define SHARD_MEMORY           4u /* lent pages, migration */
#define SHARD_MOUNTS           5u
#define SHARD_SPACES           6u /* namespaces other than of mounts */
#define SHARD_AREAS            7u

/* Something of a core. Both zero: nothing. */
struct shard_id {
	u64 id;
	u32 core;
	u32 zero;
};

static_assert(sizeof(struct shard_id) == 16, "no holes");

#endif
