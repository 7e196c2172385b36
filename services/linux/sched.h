/*
 * The scheduler of the core's Linux threads, and the fibers on which system calls run.
 *
 * A runner is a fiber that picks a thread, runs its context, and handles what ended that: a system
 * call, a fault, an event. One runner at a time has the baton. When the call that it handles waits,
 * the standby runner, which is always ready then, goes on; the first finishes its call when it is
 * woken and becomes the standby or goes to sleep.
 *
 *   pick -> RUN -> handle -> (signals) -> back into the queue
 *
 * Real-time threads go first, by priority; others by virtual runtime, weighted by nice(2).
 * Runs in: the personality's domain.
 */
#ifndef LINUX_SCHED_H
#define LINUX_SCHED_H

#include "process.h"

/** Start the first runner. 0 or -ENOMEM. */
int sched_init(void);

struct fiber_loop *sched_loop(void);

/** The fiber that runs now. */
struct fiber *sched_fiber(void);

/**
 * Make room for one more thread to wait in a call: 0 or -ENOMEM. Whoever has it may run without
 * end: there is always a fiber for the next thread.
 */
int sched_reserve(void);

/** A thread is gone: give back what is too much now. */
void sched_unreserve(void);

/** A new thread that may run. */
void sched_add(struct thread *t);

/** Take one out of the run queue, until sched_add(); false: it is not there. */
bool sched_remove(struct thread *t);

/** A child's virtual runtime begins where its parent's is. */
void sched_inherit(struct thread *child, struct thread *parent);

/** Put @t where its changed policy or nice belongs. */
void sched_requeue(struct thread *t);

/** Let others run soon: somebody may have become more urgent. */
void sched_preempt(void);

/** In a call that takes long: let others run. 0, or -EINTR: @t has a signal to take. */
int sched_breathe(struct thread *t);

/** sched_yield(2). */
void sched_yield_thread(struct thread *t);

/** The thread whose call runs on this fiber; NULL: none. */
struct thread *sched_current(void);

/** Wait in a queue: 0, -ETIMEDOUT, -EINTR. Returns -EINTR at once if @t has a signal to take. */
int sched_wait(struct thread *t, struct fiber_queue *queue, u64 deadline_ns);

/** Those who wait for signals that they block (sigtimedwait). */
void sched_signal_waiters(struct process *p);
extern struct fiber_queue signal_wait;

/** Number of threads that are runnable, and the load averages, 11 bits of fraction. */
u32 sched_runnable(void);
void sched_loads(u64 loads[3]);

/** Interval of SCHED_RR, and the slice of others. */
#define SLICE_NS 4000000ul

#endif
