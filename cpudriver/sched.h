/*
 * Who runs: fixed priorities, round robin within one. One core, no locks, interrupts off.
 */
#ifndef SCHED_H
#define SCHED_H

#include "domain.h"

/** Put a domain at the end of its queue and mark it runnable. */
void sched_wake(struct domain *d);

/** Take a runnable domain out of its queue; its new state is @state. */
void sched_block(struct domain *d, u32 state);

/** Move the current domain behind the others of its priority. */
void sched_rotate(void);

/** Make @d, which must be runnable, the current domain: address space and extended state. */
void sched_switch(struct domain *d);

/** Whether another domain should run instead of the current one. */
bool sched_should_switch(void);

/** Choose a domain and go to ring 3, or wait for an interrupt. */
_Noreturn void sched_resume(void);

/** A timer interrupt: the current domain's time slice may have ended. */
void sched_tick(void);

/** Load the FS and GS bases of @d again, after a context had its own. */
void sched_load_bases(const struct domain *d);

/** @d is dead: it is not current any more. */
void sched_forget(struct domain *d);

/** Nothing that is going away may stay loaded: fall back to the CPU driver's own tables. */
void sched_forget_aspace(const struct aspace *aspace);

s64 call_yield(void);

#endif
