/*
 * What is mapped on several cores: a file, or shared anonymous memory, of which another core gives
 * the pages.
 *
 * The core where such an object (struct backing of mm.h) was made is its home. There it has a
 * number once another core knows it, and is kept as long as one does: references are counted by
 * core, and end with it. Elsewhere a backing of a kind of its own stands for it, which asks the
 * home for pages and keeps those it has got. When pages are cut off a file, the home tells those
 * who know it.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_FARMEM_H
#define LINUX_FARMEM_H

#include "process.h"

#include <skerry/shard/memory.h>

struct inode;
struct shard_net;

/**
 * Describe @backing for @core, which gets a reference by it. Waits if it is another core's.
 * Returns 0, -ENOMEM, -EHOSTDOWN.
 */
int backing_export(struct backing *backing, u32 core, struct memory_object *out);

/** What was described for @core does not go there after all. Does not wait. */
void backing_unexport(const struct memory_object *object, u32 core);

/**
 * The backing that was described for this core, with a reference for the caller.
 * Uses the description up in any case. Returns 0, -ENOMEM, -EBADMSG.
 */
int backing_import(const struct memory_object *object, struct backing **out);

/** Pages @first to @last are no longer @inode's: those who map it on other cores hear. */
void farmem_cut(const struct inode *inode, u64 first, u64 last);

/** Serve other cores. 0 or -ENOMEM. */
int farmem_init(struct shard_net *net);

#endif
