/*
 * Who runs: fixed priorities, round robin within one. One core, no locks, interrupts off.
 */
#ifndef SCHED_H
#define SCHED_H

#include "arch/x86_64/tramp.h"
#include "domain.h"

/** Make a domain runnable: at the end of its priority's queue. */
void sched_wake(struct domain *d);

/** A domain stops being runnable; its new state is @state. */
void sched_block(struct domain *d, u32 state);

/**
 * Run @d, which was not runnable, at once, for the rest of the current domain's time slice. The
 * current domain is blocked already.
 */
void sched_hand_over(struct domain *d);

/** Something happened since the last choice that may mean that another domain must run. */
extern bool sched_pending;

/** Choose who runs, and go there, or idle. */
_Noreturn void sched_choose(void);

/** Go back to ring 3: to the current domain or to one that goes before it; or idle. */
static inline _Noreturn void sched_resume(void)
{
	if (sched_pending || !current)
		sched_choose();
	domain_return(&current->regs);
}

/** A timer interrupt: the current domain's time slice may have ended. */
void sched_tick(void);

/** Nothing that is going away may stay loaded: fall back to the CPU driver's own tables. */
void sched_forget_aspace(const struct aspace *aspace);

/** Load the FS and GS bases of @d again, after a context had its own. */
void sched_load_bases(const struct domain *d);

/** @d is dead: it is not current any more. */
void sched_forget(struct domain *d);

s64 call_yield(void);

#endif
