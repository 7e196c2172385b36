/*
 * Ghosts: what relatives on this core know of a process that lives on another. See family.h.
 *
 * There is at most one of a process on a core. It exists as long as it is somebody's parent or
 * child here.
 *
 * Private to family.c and its neighbours. Runs in: the personality's domain.
 */
#ifndef LINUX_GHOST_H
#define LINUX_GHOST_H

#include "process.h"

struct process_child;

/** The ghost of @pid; NULL: there is none. */
struct process *ghost_find(u32 pid);

/** An empty one, for later; NULL: no memory. */
struct process *ghost_new(void);

/**
 * The ghost of @pid, which lives on @core; if there is none it is made, of @spare if there is one
 * (which is then NULL). NULL: no memory.
 */
struct process *ghost_get(u32 pid, u32 core, struct process **spare);

/** Free a ghost that is nobody's parent or child any more. */
void ghost_settle(struct process *ghost);

/** It lives here now, as @p, which takes its place among its relatives; the ghost is freed. */
void ghost_becomes(struct process *ghost, struct process *p);

/** @p lives on @core now, and is a ghost here: it is in no list any more, and has only relatives.
 */
void ghost_of(struct process *p, u32 core);

/** Its process has ended: what its parent waits for is a process of this core, without threads. */
void ghost_ends(struct process *ghost);

/** All ghosts, for the death of a core: the first; NULL: none. */
struct process *ghost_first(void);

#endif
