/*
 * The family of processes over cores: what relatives that live on different cores are told of each
 * other.
 *
 * A parent has a ghost (ghost.h) for each child that lives on another core, and a child one for a
 * parent that does: a struct process without threads, memory or handlers, known to its relatives
 * alone. What happens to a child is told to its parent's core; there the ghost becomes a zombie and
 * is waited for like any child.
 *
 * A process moves in two steps, of which the second cannot fail:
 *
 *   new core: family_prepare     room for all that may come
 *   old core: family_export, family_left   at one instant, without waiting: from now on whatever
 *             comes for the process is passed on
 *   new core: family_arrive      before anything that is passed on
 *
 * What is told to a core that the process has just left is passed on; to one that it has died on,
 * goes to its heir.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_FAMILY_H
#define LINUX_FAMILY_H

#include "process.h"

#include <skerry/shard/process.h>

struct shard_net;

/** Serve what other shards tell. 0 or -ENOMEM. */
int family_init(struct shard_net *net);

/* --- Moving --- */

/** How many bytes family_export() fills at most, as long as nobody waits. */
u64 family_bytes(const struct process *p);
/** What the new core must know of the family of @p: parent, children, group. Returns bytes. */
u64 family_export(const struct process *p, void *out);
/**
 * @p lives on @core now: it is a ghost with its relatives here, and its number leads there.
 * Next comes process_gone_elsewhere().
 */
void family_left(struct process *p, u32 core);
/**
 * Free what is left of a process that has moved, but for its memory, handlers, timers and files,
 * which the caller has taken care of: its threads, and itself if it has no relatives here.
 */
void process_gone_elsewhere(struct process *p);

/**
 * A process @p with its number, group and session (numbers only) has been made on this core, to
 * which it moves: become a member of them, and set room aside for @bytes of family_export().
 * May wait. 0, -ENOMEM, -EHOSTDOWN.
 */
int family_prepare(struct process *p, u64 bytes);
/** The move did not come about. */
void family_unprepare(struct process *p);
/** It did: @record of @bytes is family_export()'s. -EBADMSG: it is not one; nothing has changed. */
int family_arrive(struct process *p, const void *record, u64 bytes);

/* --- What happens to processes --- */

/** The parent of @child is a ghost: tell it of a stop or a continuation (CHILD_*). */
void family_tell_parent(struct process *child, u32 what, u32 status);
/** @p, a zombie with a ghost for a parent, goes there; it is freed here, with its threads. */
void family_ended(struct process *p);
/** Group, session, user of @p or whether it has executed: relatives elsewhere are told. */
void family_changed(struct process *p);
/** @child was made for a parent that is a ghost (CLONE_PARENT). */
void family_born(struct process *child);
/**
 * @child, of @dead, gets @heir for its parent; one of the three is a ghost, or the child's parent
 * lives on core 0 (@heir NULL). The child may be gone afterwards (a zombie).
 */
void family_bequeath(const struct thread *dead, struct process *child, struct process *heir);
/** Children of this core that lost their parent: signals and jobs, by exit.c. */
void process_inherited(struct process *child, u32 uid, u32 euid, bool capable);

static inline bool is_ghost(const struct process *p)
{
	return p->far;
}

#endif
