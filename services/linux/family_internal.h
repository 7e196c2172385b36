/*
 * What family.c and family_move.c share. Private to them.
 */
#ifndef LINUX_FAMILY_INTERNAL_H
#define LINUX_FAMILY_INTERNAL_H

#include "process.h"

#include <skerry/shard/process.h>

struct shard_net;

extern struct shard_net *family_net;

/** What is known of @child, for the core of @parent. */
void child_record(const struct process *child, u32 parent, u32 what, struct process_child *out);

/**
 * @parent, of this core, has the child that @c describes: a process of this core, or a ghost (of
 * @spare, if there is none), or a zombie. NULL: no memory.
 */
struct process *child_arrives(struct process *parent, const struct process_child *c,
			      struct process **spare);

#endif
