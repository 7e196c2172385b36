/*
 * What the system calls about memory share (memory.c, mremap.c, advice.c, lock.c).
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_MEMORY_H
#define LINUX_MEMORY_H

#include "mm.h"
#include "process.h"

/** Start, and end on a page, of a range given by a program: 0; 1: it is empty; -EINVAL, -ENOMEM. */
int memory_range(const u64 *a, u64 *end);

/** Whether @bytes more may be locked: 0, -EPERM, -EAGAIN (over RLIMIT_MEMLOCK). */
int memory_may_lock(const struct thread *t, u64 bytes);

/** Make the pages of a range be there, as far as it goes; ranges that cannot be read are left. */
void memory_populate(struct mm *mm, u64 start, u64 end);

/** Whether a part of the range is sealed: mseal(2). */
bool mm_is_sealed(const struct mm *mm, u64 start, u64 end);

#endif
