/*
 * The family of processes over cores: ghosts, numbers, groups, and what their shards tell each
 * other (include/skerry/shard/process.h).
 *
 * A parent has a ghost for each child that lives on another core, and a child one for a parent that
 * does: a struct process without threads, memory or handlers, known to its relatives alone (it is
 * in no list, and no number finds it). What happens to a child is told to its parent's core, where
 * the ghost becomes a zombie and is waited for like any child.
 *
 * A process moves in two steps, of which the second cannot fail:
 *
 *   new core: family_prepare     room for all that may come
 *   old core: family_export, family_left   at one instant, without waiting: from now on whatever
 *             comes for the process is passed on
 *   new core: family_arrive      before anything that is passed on
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_FAMILY_H
#define LINUX_FAMILY_H

#include "process.h"

/** How many bytes family_export() fills at most, as long as nobody waits. */
u64 family_bytes(const struct process *p);
/** What the new core must know of the family of @p: parent, children, group. Returns bytes. */
u64 family_export(const struct process *p, void *out);
/**
 * @p lives on @core now: a ghost takes its place with its relatives here, and its number leads
 * there. Nothing else of @p is touched; the caller frees it with process_gone_elsewhere().
 */
void family_left(struct process *p, u32 core);
/** Free a process that has moved, with its threads; nobody is told of anything. */
void process_gone_elsewhere(struct process *p);

/**
 * A process @p with its number has been made on this core, to which it moves: set room aside for
 * @bytes of family_export(). 0 or -ENOMEM.
 */
int family_prepare(struct process *p, u64 bytes);
/** The move did not come about. */
void family_unprepare(struct process *p);
/** It did: @record of @bytes is family_export()'s. -EBADMSG: it is not one; nothing has changed. */
int family_arrive(struct process *p, const void *record, u64 bytes);

/** Where the process or thread @number lives; -ESRCH, -EHOSTDOWN. This core included. May wait. */
int family_where(u32 number);

/** @p joins or leaves a group or session, by setpgid, setsid, its end. */
void family_group_changed(struct process *p, u32 old_pgrp, u32 old_sid);

/** Serve what other shards ask. 0 or -ENOMEM. */
int family_init(void);

static inline bool is_ghost(const struct process *p)
{
	return p->far;
}

#endif
