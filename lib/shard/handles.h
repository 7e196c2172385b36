/*
 * Handles: what other cores call an object of this one. A number given once and never again, so
 * that an old one names nothing rather than something else.
 *
 * Runs in: the personality, host tests. Memory comes from malloc().
 */
#ifndef SHARD_HANDLES_H
#define SHARD_HANDLES_H

#include <skerry/types.h>

struct shard_handle {
	u64 id;
	void *object;
	struct shard_handle *next;
};

/* All zero is an empty table. */
struct shard_handles {
	struct shard_handle **bucket;
	u32 nbuckets; /* a power of two, or 0 */
	u32 count;
	u64 last; /* given */
};

/** A new id for @object (not NULL); 0: no memory. */
u64 shard_handle_new(struct shard_handles *table, void *object);

/** The object of @id; NULL: there is none. */
void *shard_handle_get(const struct shard_handles *table, u64 id);

/** Take @id away; returns its object, NULL: there was none. */
void *shard_handle_drop(struct shard_handles *table, u64 id);

/**
 * Walk: the object with the smallest id above @after, and its id in *@id; NULL: no more.
 * The table may change between two steps. Takes time in proportion to the table.
 */
void *shard_handle_next(const struct shard_handles *table, u64 after, u64 *id);

/** Free the table itself. */
void shard_handles_fini(struct shard_handles *table);

#endif
