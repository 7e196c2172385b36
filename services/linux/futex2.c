/*
 * The calls that futex(2) was taken apart into: one operation each, words by their flags, and
 * waiting for several at once.
 *
 * Runs in: the personality's domain. Source: Linux, Documentation/userspace-api/futex2.rst.
 */
#include "futex.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "uaccess.h"

#include <errno.h>
#include <stdlib.h>

#define SIZE_MASK   0x03u
#define SIZE_U32    0x02u
#define PRIVATE     0x80u
#define FLAGS_KNOWN (SIZE_MASK | PRIVATE) /* a node of its own (NUMA) nobody has here */
#define WAITERS_MAX 128u

struct k_futex_waitv {
	u64 value, addr;
	u32 flags, reserved;
};

static bool are_flags(u64 flags)
{
	return !(flags & ~(u64)FLAGS_KNOWN) && (flags & SIZE_MASK) == SIZE_U32;
}

/* An absolute time of a clock; none: for ever. */
static int get_deadline(struct thread *t, u64 at, s32 clock, u64 *deadline_ns)
{
	struct k_timespec ts;
	u64 ns, now_ns = 0;

	*deadline_ns = FIBER_FOREVER;
	if (!at)
		return 0;
	if (clock != 0 && clock != 1)
		return -EINVAL;
	if (copy_in(t, &ts, at, sizeof(ts)))
		return -EFAULT;
	if (timespec_to_ns(&ts, &ns))
		return -EINVAL;
	timer_read_clock(t, clock, &now_ns);
	*deadline_ns = timer_deadline(ns > now_ns ? ns - now_ns : 0);
	return 0;
}

s64 sys_futex_wake(struct thread *t, const u64 *a)
{
	struct futex_key key;
	int err;

	if (!are_flags(a[3]) || !a[1] || a[1] > UINT32_MAX)
		return -EINVAL;
	err = futex_find(thread_mm(t), a[0], a[3] & PRIVATE, &key);
	return err ? err : (s64)futex_wake_key(&key, (u32)MAX((s32)a[2], 0), (u32)a[1]);
}

s64 sys_futex_wait(struct thread *t, const u64 *a)
{
	u64 deadline_ns;
	s64 err;

	if (!are_flags(a[3]) || a[1] > UINT32_MAX || !a[2] || a[2] > UINT32_MAX)
		return -EINVAL;
	err = get_deadline(t, a[4], (s32)a[5], &deadline_ns);
	if (!err)
		err = futex_wait_until(t, a[0], (u32)a[1], (u32)a[2], a[3] & PRIVATE, deadline_ns);
	return err == -EINTR ? -E_RESTARTSYS : err;
}

/* ---- several at once ---- */

static int read_waiters(struct thread *t, u64 from, u64 n, struct k_futex_waitv *list)
{
	if (copy_in(t, list, from, n * sizeof(*list)))
		return -EFAULT;
	for (u64 i = 0; i < n; i++) {
		if (!are_flags(list[i].flags) || list[i].reserved || list[i].value > UINT32_MAX)
			return -EINVAL;
	}
	return 0;
}

static s64 first_woken(const struct futex_waiter *w, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		if (w[i].woken)
			return i;
	}
	return -1;
}

/* -EAGAIN: a word has changed already. */
static s64 compare(struct thread *t, const struct k_futex_waitv *list, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		u32 now;

		if (copy_in(t, &now, list[i].addr, sizeof(now)))
			return -EFAULT;
		if (now != (u32)list[i].value)
			return -EAGAIN;
	}
	return 0;
}

/* Into the queues first, then the words are read: nobody's wake is missed. */
static s64 wait_for_any(struct thread *t, const struct k_futex_waitv *list, struct futex_waiter *w,
			u32 n, u64 deadline_ns)
{
	struct fiber_queue queue = {0};
	struct far_waiter *far = NULL;
	s64 err = 0, woken;

	for (u32 i = 0; i < n && !err; i++) {
		w[i] = (struct futex_waiter){.bits = UINT32_MAX, .queue = &queue};
		err = futex_find(thread_mm(t), list[i].addr, list[i].flags & PRIVATE, &w[i].key);
	}
	if (err)
		return err;
	for (u32 i = 0; i < n; i++) {
		if (!w[i].key.far)
			futex_waiter_add(&w[i]);
	}
	err = compare(t, list, n);
	for (u32 i = 0; i < n && !err; i++) {
		if (w[i].key.far)
			err = farfutex_begin(&far, &w[i], (u32)list[i].value);
	}
	if (!err && first_woken(w, n) < 0)
		err = sched_wait(t, &queue, deadline_ns);
	if (!err)
		err = farfutex_state(far);
	farfutex_end(far);
	woken = first_woken(w, n);
	for (u32 i = 0; i < n; i++) {
		if (!w[i].woken && !w[i].key.far)
			futex_waiter_remove(&w[i]);
	}
	return woken >= 0 ? woken : (err == -EINTR ? -E_RESTARTSYS : err);
}

s64 sys_futex_waitv(struct thread *t, const u64 *a)
{
	u64 n = (u32)a[1], deadline_ns;
	struct k_futex_waitv *list;
	struct futex_waiter *w;
	s64 result;

	if (a[2] || !n || n > WAITERS_MAX || !a[0])
		return -EINVAL;
	result = get_deadline(t, a[3], (s32)a[4], &deadline_ns);
	if (result)
		return result;
	list = malloc(n * sizeof(*list));
	w = malloc(n * sizeof(*w));
	result = list && w ? read_waiters(t, a[0], n, list) : -ENOMEM;
	if (!result)
		result = wait_for_any(t, list, w, (u32)n, deadline_ns);
	free(list);
	free(w);
	return result;
}

s64 sys_futex_requeue(struct thread *t, const u64 *a)
{
	struct k_futex_waitv list[2];
	struct futex_key from, to;
	u32 now, moved;
	int err;

	if (a[1] || !a[0])
		return -EINVAL;
	err = read_waiters(t, a[0], 2, list);
	if (!err && ((s32)a[2] < 0 || (s32)a[3] < 0))
		err = -EINVAL;
	if (!err)
		err = futex_find(thread_mm(t), list[0].addr, list[0].flags & PRIVATE, &from);
	if (!err)
		err = futex_find(thread_mm(t), list[1].addr, list[1].flags & PRIVATE, &to);
	if (err)
		return err;
	if (copy_in(t, &now, list[0].addr, sizeof(now)))
		return -EFAULT;
	if (now != (u32)list[0].value)
		return -EAGAIN;
	return futex_move(&from, &to, (u32)a[2], (u32)a[3], &moved) + moved;
}
