/*
 * Futexes: waiting for a word of memory to change.
 *
 * A futex is known by what its word is: in private memory the address space and the address, in
 * shared memory the page and the offset. futex.c has futex(2), futex2.c the calls after it.
 *
 * Runs in: the personality's domain. Source: futex(2).
 */
#ifndef LINUX_FUTEX_H
#define LINUX_FUTEX_H

#include "process.h"

struct futex_key {
	const void *where; /* struct mm or struct page */
	u64 offset;
	bool far; /* a page of another core: who waits, waits there (farfutex.c) */
};

struct futex_waiter {
	struct futex_waiter *next;
	struct futex_key key;
	u32 bits;
	bool woken;
	struct fiber_queue *queue; /* its thread's, which may wait for several */
};

/** The futex of @addr: 0, -EINVAL (not aligned), -EFAULT. */
int futex_find(struct mm *mm, u64 addr, bool private, struct futex_key *key);
void futex_waiter_add(struct futex_waiter *w);
void futex_waiter_remove(struct futex_waiter *w);

/** Wake up to @n who wait for one of @bits; returns how many. */
u32 futex_wake_key(const struct futex_key *key, u32 n, u32 bits);

/** Wake up to @nwake, let up to @nmove others wait for @to instead. Returns the number of the
 * woken. */
s64 futex_move(const struct futex_key *from, const struct futex_key *to, u32 nwake, u32 nmove,
	       u32 *moved);

/** Wait while the word is @value: 0, -EAGAIN, -ETIMEDOUT, -EINTR, -EINVAL, -EFAULT. */
s64 futex_wait_until(struct thread *t, u64 addr, u32 value, u32 bits, bool private,
		     u64 deadline_ns);

/** Wake up to @n who wait at @addr. */
void futex_wake_at(struct mm *mm, u64 addr, u32 n);

/* In pages of other cores; by futex.c and futex2.c. The first and the third may wait. */
s64 farfutex_wait(const struct futex_key *key, u32 value, u32 bits, u64 deadline_ns);
u32 farfutex_wake(const struct futex_key *key, u32 n, u32 bits);
s64 farfutex_move(const struct futex_key *from, const struct futex_key *to, u32 nwake, u32 nmove,
		  u32 *moved);
/** Does not wait for how many there are. */
void farfutex_wake_late(const struct futex_key *key, u32 n);

/**
 * Wait beside others: @w is woken, and its queue too when that failed (farfutex_state(): why).
 * 0 or -ENOMEM. All of the list ends with farfutex_end(), which waits for that.
 */
struct far_waiter;
int farfutex_begin(struct far_waiter **list, struct futex_waiter *w, u32 value);
s64 farfutex_state(const struct far_waiter *list);
void farfutex_end(struct far_waiter *list);

/** Serve other cores. 0 or -ENOMEM. */
struct shard_net;
int farfutex_init(struct shard_net *net);

/** Hand over the robust mutexes that @t holds: get_robust_list(2). */
void futex_robust_exit(struct thread *t);

#endif
