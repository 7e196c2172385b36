/*
 * Futexes: waiting for a word of memory to change.
 *
 * A futex is known by what its word is: in private memory the address space and the address, in
 * shared memory the page and the offset. Runs in: the personality's domain. Source: futex(2).
 */
#ifndef LINUX_FUTEX_H
#define LINUX_FUTEX_H

#include "process.h"

/** Wake up to @n who wait at @addr; returns how many. */
u32 futex_wake_at(struct mm *mm, u64 addr, u32 n);

/** Hand over the robust mutexes that @t holds: get_robust_list(2). */
void futex_robust_exit(struct thread *t);

#endif
