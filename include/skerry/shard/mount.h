/*
 * What shards say to each other about mount namespaces: lib/mountns, which makes and reads all of
 * it. Images of namespaces (lib/mounts/image.h) and names of directories follow some structures.
 *
 * Long arguments go ahead in pieces, and of a long answer the rest is fetched: struct
 * shard_mounts_head is in front of both.
 */
#ifndef SKERRY_SHARD_MOUNT_H
#define SKERRY_SHARD_MOUNT_H

#include <skerry/shard.h>

enum {
	MOUNTS_PIECE = SHARD_OP(SHARD_MOUNTS, 0), /* of arguments: struct shard_mounts_piece */
	MOUNTS_FETCH = SHARD_OP(SHARD_MOUNTS, 1), /* of an answer: the same */
	MOUNTS_OPEN,   /* struct shard_mounts_ref: be a replica; an image */
	MOUNTS_DROP,   /* struct shard_mounts_replica, a tell: no replica any more */
	MOUNTS_UPDATE, /* struct shard_mounts_update, its namespaces, an image */
	MOUNTS_USERS,  /* struct shard_mounts_user[]: how often they are used there: u32[] */
	MOUNTS_CHANGE, /* struct shard_mounts_change, a directory */
	MOUNTS_MAKE,   /* the same, an owner: a new namespace: struct shard_mounts_made */
	MOUNTS_GIVE,   /* struct shard_mounts_give: make another core the home */
	MOUNTS_TAKE,   /* struct shard_mounts_take, its replicas, an image: be the home; an image */
	MOUNTS_MOVED,  /* struct shard_mounts_replica[]: core is the home now */
	MOUNTS_ENDED,  /* struct shard_mounts_ref, a tell: a namespace made there is no more */
	MOUNTS_FLUSH,  /* a tell to oneself */
	MOUNTS_CLAIM,  /* struct shard_mounts_claim, an image: what is left of a dead home */
	MOUNTS_OPS_END
};

/* Before all arguments and answers but those of pieces. */
struct shard_mounts_head {
	u64 blob;  /* arguments: what went ahead; answer: what is to be fetched; 0: all is here */
	u64 bytes; /* in all */
};

struct shard_mounts_piece {
	u64 blob;
	u64 at, bytes; /* of pieces, the bytes follow */
	u64 total;
};

/* A namespace. */
struct shard_mounts_ref {
	u64 id;
	u64 join; /* which time the replica's core has asked for it */
};

/* Before an image: what it is of, and what else has happened. */
struct shard_mounts_update {
	u64 number;         /* of the home's changes */
	struct shard_id by; /* the change that was asked for; its core and number there */
	u64 pivot_ns, pivot_from, pivot_to; /* whoever is at the root of one goes to the other's */
	u32 count; /* of struct shard_mounts_ref that follow, then the image */
	u32 zero;
};

struct shard_mounts_user {
	u64 ns, mount;
};

enum { MOUNTS_ATTACH = 1, MOUNTS_UMOUNT, MOUNTS_ATTR, MOUNTS_SET_GROUP, MOUNTS_PIVOT };
enum { MOUNTS_COPY_NS = 1, MOUNTS_COPY_TREE, MOUNTS_NS_OF_TREE };

/* A change, or a namespace that is made of others. What is not used is 0. */
struct shard_mounts_change {
	struct shard_id by;
	u32 what, how;
	struct shard_mounts_user a, b, c;
	u32 set, clear; /* MOUNT_SETTABLE */
	u32 kind;       /* 0: as it is; enum mount_kind + 1 */
	u32 users;
	u64 places[2]; /* mounts whose copies are asked for */
	u64 join;
};

struct shard_mounts_made {
	u64 id;
	u64 places[2];
};

struct shard_mounts_give {
	u64 id;
	u32 to, zero;
};

struct shard_mounts_take {
	u64 number;
	u32 count; /* of struct shard_mounts_replica */
	u32 zero;
};

struct shard_mounts_replica {
	u64 id, join;
	u32 core, zero;
};

struct shard_mounts_claim {
	u64 number; /* of the dead home's last change that is known */
	struct shard_id by;
	u32 core, count; /* the dead; of struct shard_mounts_ref */
};

static_assert(sizeof(struct shard_mounts_update) == 56, "no holes");
static_assert(sizeof(struct shard_mounts_change) == 112, "no holes");
static_assert(sizeof(struct shard_mounts_replica) == 24, "no holes");
static_assert(sizeof(struct shard_mounts_claim) == 32, "no holes");

#endif
