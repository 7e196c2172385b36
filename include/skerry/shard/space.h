/*
 * What shards say to each other about namespaces that are not of mounts: services/vfs/far_ns.h.
 */
#ifndef SKERRY_SHARD_SPACE_H
#define SKERRY_SHARD_SPACE_H

#include <skerry/shard.h>

enum {
	SPACES_GET = SHARD_OP(SHARD_SPACES, 0), /* struct shard_space: struct shard_space, value */
	SPACES_CHANGE =
		SHARD_OP(SHARD_SPACES, 1),      /* the same with the value: to who orders changes */
	SPACES_SET = SHARD_OP(SHARD_SPACES, 2), /* the same: from there to all others */
};

struct shard_space {
	u64 id;
	u32 type;
	u32 inum;
	u64 owner; /* identifier of its user namespace */
};

static_assert(sizeof(struct shard_space) == 24, "no holes");

#endif
