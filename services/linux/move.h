/*
 * Processes that move to another core.
 *
 * A process moves as its threads are about to go to user mode: between two system calls, or when it
 * was preempted. A thread that waits in a call is interrupted, and makes its call again there. All
 * of it goes along: registers, memory (pages are lent, see farpage.h, and copied by who writes to
 * them there), descriptors, signals, timers, credentials, namespaces, its place in its family.
 *
 *   old core                                   new core
 *   all threads stand still
 *   the record, in pieces          --->        kept
 *   MEMORY_MOVE_MAKE               --->        a process is made of it, that does not run
 *                                  <---        0, or an error: then it goes on here
 *   MEMORY_MOVE_RUN, with what has
 *   come meanwhile: signals        --->        it runs
 *   what is left here is freed
 *
 * What is shared with another process (memory, but for threads; descriptors, handlers, the working
 * directory: clone(2)) keeps it where it is; and waiting for a child of vfork(2).
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_MOVE_H
#define LINUX_MOVE_H

#include "process.h"

/**
 * Have @p go to @core as soon as it can; does not wait. What cannot be done is not: it stays.
 * The calling thread's own process goes as its call returns.
 */
void process_move(struct process *p, u32 core);

/** Why @p cannot move now, in a few words; NULL: it can. */
const char *process_cannot_move(const struct process *p);

/* By sched.c: @t is about to go to user mode, and its process is to move. */
enum move_result {
	MOVE_STAYS, /* it goes on here */
	MOVE_WAITS, /* another thread of its process sees to it: leave it alone */
	MOVE_GONE,  /* it is gone from this core: forget it */
};
enum move_result move_thread(struct thread *t);

struct shard_net;

/** Serve other cores; @vfs is this one's. 0 or -ENOMEM. */
int move_init(struct shard_net *net, struct vfs *vfs);

#endif
