/*
 * poll and select: waiting for many files at once.
 *
 * A poller has an entry in the queue of every file; the first that wakes wakes its fiber, which
 * looks at all of them again.
 *
 * Runs in: the personality's domain. Source: poll(2), select(2).
 */
#include "misc.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "uaccess.h"

#include <errno.h>
#include <poll.h>
#include <rt/clock.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/far_file.h>

#define FDS_MAX 1048576u
#define FEW     32u /* files of a call that needs no memory for them */

struct poller {
	struct poll_table table; /* first */
	struct fiber_queue queue;
	bool woken;
	bool failed; /* no memory for an entry */
	struct poll_entry *entries;
	struct file *file; /* that is being looked at */
};

struct poll_entry {
	struct wait_entry wait;
	struct poller *poller;
	struct poll_entry *next;
	struct file *file; /* stays open meanwhile */
};

/* One file of a call. */
struct polled {
	s32 fd;
	int16_t events;
	int16_t got;
};

static void poller_wake(struct wait_entry *wait, u32 events)
{
	struct poller *p = container_of(wait, struct poll_entry, wait)->poller;

	(void)events;
	p->woken = true;
	fiber_wake_all(&p->queue);
}

static void poller_add(struct poll_table *table, struct wait_queue *queue)
{
	struct poller *p = container_of(table, struct poller, table);
	struct poll_entry *e = malloc(sizeof(*e));

	if (!e) {
		p->failed = true;
		return;
	}
	*e = (struct poll_entry){.wait = {.wake = poller_wake}, .poller = p, .next = p->entries};
	e->file = file_get(p->file);
	p->entries = e;
	wait_add(queue, &e->wait);
}

static void poller_fini(struct poller *p)
{
	struct poll_entry *next;

	for (struct poll_entry *e = p->entries; e; e = next) {
		next = e->next;
		wait_remove(&e->wait);
		file_put(e->file);
		free(e);
	}
}

/* Look at all; those that are ready are counted. */
static u32 scan(struct thread *t, struct polled *fds, u32 n, struct poller *p)
{
	u32 ready = 0;

	for (u32 i = 0; i < n; i++) {
		struct file *file;

		fds[i].got = 0;
		if (fds[i].fd < 0)
			continue;
		file = fd_peek(&t->vfs, fds[i].fd); /* looking does not block */
		if (!file) {
			fds[i].got = POLLNVAL;
		} else {
			if (p)
				p->file = file;
			fds[i].got = (int16_t)(file_poll(file, p && !ready ? &p->table : NULL) &
					       ((u16)fds[i].events | POLLERR | POLLHUP));
		}
		ready += fds[i].got != 0;
	}
	return ready;
}

/* Files of other cores are asked what holds now: scan() does not wait. */
static void settle(struct thread *t, const struct polled *fds, u32 n)
{
	if (!far_files_proxies(t->vfs.vfs))
		return;
	for (u32 i = 0; i < n; i++) {
		struct file *file = fds[i].fd < 0 ? NULL : fd_get_real(&t->vfs, fds[i].fd);

		if (!file)
			continue;
		file_settle(&t->vfs, file, false);
		file_put(file);
	}
}

/* Wait until one is ready. Returns how many, 0 at the deadline, or -EINTR, -ENOMEM. */
static s64 poll_files(struct thread *t, struct polled *fds, u32 n, u64 deadline_ns)
{
	struct poller p = {.table = {.add = poller_add}};
	s64 ready;

	settle(t, fds, n);
	ready = scan(t, fds, n, deadline_ns ? &p : NULL);
	while (!ready && deadline_ns && !p.failed) {
		int err = 0;

		if (!p.woken)
			err = sched_wait(t, &p.queue, deadline_ns);
		p.woken = false;
		settle(t, fds, n);
		ready = scan(t, fds, n, NULL);
		if (err) {
			ready = ready ? ready : (err == -ETIMEDOUT ? 0 : err);
			break;
		}
	}
	poller_fini(&p);
	return p.failed && !ready ? -ENOMEM : ready;
}

/* ---- poll ---- */

static s64 poll_call(struct thread *t, u64 at, u64 n, u64 deadline_ns)
{
	struct polled few[FEW], *fds = few;
	s64 ready;

	if (n > MIN(t->process->limits[RLIMIT_NOFILE].cur, (u64)FDS_MAX))
		return -EINVAL;
	if (n > FEW)
		fds = malloc(n * sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	ready = copy_in(t, fds, at, n * sizeof(*fds));
	if (!ready)
		ready = poll_files(t, fds, (u32)n, deadline_ns);
	if (ready >= 0 && n && copy_out(t, at, fds, n * sizeof(*fds)))
		ready = -EFAULT;
	if (fds != few)
		free(fds);
	return ready;
}

s64 poll_restart(struct thread *t)
{
	s64 ready = poll_call(t, t->restart_arg, t->restart_arg2, t->restart_ns);

	return ready == -EINTR ? -E_RESTARTBLOCK : ready;
}

s64 sys_poll(struct thread *t, const u64 *a)
{
	s32 ms = (s32)a[2];
	u64 deadline_ns = ms < 0 ? FIBER_FOREVER : (ms ? timer_deadline((u64)ms * 1000000) : 0);
	s64 ready = poll_call(t, a[0], (u32)a[1], deadline_ns);

	if (ready != -EINTR)
		return ready;
	t->restart = poll_restart;
	t->restart_arg = a[0];
	t->restart_arg2 = (u32)a[1];
	t->restart_ns = deadline_ns;
	return -E_RESTARTBLOCK;
}

/* ---- the p forms: a timeout as struct timespec, and a mask of signals ---- */

int poll_deadline(struct thread *t, u64 at, u64 *deadline_ns)
{
	struct k_timespec ts;
	u64 ns;

	*deadline_ns = FIBER_FOREVER;
	if (!at)
		return 0;
	if (copy_in(t, &ts, at, sizeof(ts)))
		return -EFAULT;
	if (timespec_to_ns(&ts, &ns))
		return -EINVAL;
	*deadline_ns = ns ? timer_deadline(ns) : 0;
	return 0;
}

/* Linux tells what was left of the timeout. */
static void give_left(struct thread *t, u64 at, u64 deadline_ns, bool micro)
{
	u64 now_ns = clock_now_ns();
	struct k_timespec ts = ns_to_timespec(
		deadline_ns > now_ns && deadline_ns != FIBER_FOREVER ? deadline_ns - now_ns : 0);

	if (!at || deadline_ns == FIBER_FOREVER)
		return;
	if (micro)
		ts.nsec /= 1000;
	copy_out(t, at, &ts, sizeof(ts)); /* read-only memory is allowed: the call succeeds */
}

int poll_begin_mask(struct thread *t, u64 at, u64 size)
{
	u64 set;

	if (!at)
		return 0;
	if (size != sizeof(set))
		return -EINVAL;
	if (copy_in(t, &set, at, sizeof(set)))
		return -EFAULT;
	t->saved_sigmask = t->sigmask;
	t->restore_sigmask = true;
	signal_set_mask(t, set);
	return 0;
}

s64 poll_end_mask(struct thread *t, s64 ready)
{
	if (ready == -EINTR)
		return -E_RESTARTNOHAND;
	if (t->restore_sigmask) {
		t->restore_sigmask = false;
		t->sigmask = t->saved_sigmask;
	}
	return ready;
}

s64 sys_ppoll(struct thread *t, const u64 *a)
{
	u64 deadline_ns;
	s64 ready = poll_deadline(t, a[2], &deadline_ns);

	if (!ready)
		ready = poll_begin_mask(t, a[3], a[4]);
	if (ready)
		return ready;
	ready = poll_end_mask(t, poll_call(t, a[0], (u32)a[1], deadline_ns));
	give_left(t, a[2], deadline_ns, false);
	return ready;
}

/* ---- select ---- */

#define SELECT_IN  (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define SELECT_OUT (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)
#define SELECT_EX  POLLPRI

static const int16_t select_events[3] = {SELECT_IN, SELECT_OUT, SELECT_EX};

static bool bit(const u64 *set, u32 fd)
{
	return set[fd / 64] >> fd % 64 & 1;
}

/* The files of three sets as a list; -EBADF if one is not open. */
static s64 list_files(struct thread *t, const u64 *const sets[3], u32 n, struct polled *fds)
{
	u32 count = 0;

	for (u32 fd = 0; fd < n; fd++) {
		int16_t events = 0;
		struct file *file;

		for (u32 k = 0; k < 3; k++)
			events |= bit(sets[k], fd) ? select_events[k] : 0;
		if (!events)
			continue;
		file = fd_get_real(&t->vfs, (int)fd);
		if (!file)
			return -EBADF;
		file_put(file);
		fds[count++] = (struct polled){.fd = (s32)fd, .events = events};
	}
	return count;
}

/* From the list back to the sets; returns the number of bits. */
static u32 give_sets(u64 *const sets[3], u64 words, const struct polled *fds, u32 count)
{
	u64 *asked = malloc(3 * words * 8 + 8);
	u32 bits = 0;

	if (!asked)
		return 0;
	for (u32 k = 0; k < 3; k++) {
		memcpy(asked + k * words, sets[k], words * 8);
		memset(sets[k], 0, words * 8);
	}
	for (u32 i = 0; i < count; i++) {
		for (u32 k = 0; k < 3; k++) {
			u32 fd = (u32)fds[i].fd;

			if (bit(asked + k * words, fd) && fds[i].got & select_events[k]) {
				sets[k][fd / 64] |= 1ul << fd % 64;
				bits++;
			}
		}
	}
	free(asked);
	return bits;
}

static s64 select_files(struct thread *t, const u64 *a, u64 deadline_ns)
{
	u32 n = (u32)MIN((u64)MAX((s32)a[0], 0), t->process->limits[RLIMIT_NOFILE].cur);
	u64 words = (n + 63) / 64;
	u64 *memory = calloc(3 * words + 1, 8);
	struct polled *fds = malloc((n + 1) * sizeof(*fds));
	u64 *const sets[3] = {memory, memory + words, memory + 2 * words};
	s64 result = memory && fds ? 0 : -ENOMEM;

	if ((s32)a[0] < 0)
		result = -EINVAL;
	for (u32 k = 0; k < 3 && !result; k++) {
		if (a[1 + k])
			result = copy_in(t, sets[k], a[1 + k], words * 8);
	}
	if (!result)
		result = list_files(t, (const u64 *const *)sets, n, fds);
	if (result >= 0) {
		u32 count = (u32)result;

		result = poll_files(t, fds, count, deadline_ns);
		if (result >= 0)
			result = give_sets(sets, words, fds, count);
	}
	for (u32 k = 0; k < 3 && result >= 0; k++) {
		if (a[1 + k] && copy_out(t, a[1 + k], sets[k], words * 8))
			result = -EFAULT;
	}
	free(memory);
	free(fds);
	return result;
}

s64 sys_select(struct thread *t, const u64 *a)
{
	u64 deadline_ns = FIBER_FOREVER;
	struct k_timeval tv;
	s64 ready;

	if (a[4]) {
		u64 ns;

		if (copy_in(t, &tv, a[4], sizeof(tv)))
			return -EFAULT;
		if (tv.sec < 0 || tv.usec < 0)
			return -EINVAL;
		tv.sec += tv.usec / 1000000;
		timespec_to_ns(&(struct k_timespec){tv.sec, tv.usec % 1000000 * 1000}, &ns);
		deadline_ns = ns ? timer_deadline(ns) : 0;
	}
	ready = select_files(t, a, deadline_ns);
	give_left(t, a[4], deadline_ns, true);
	return ready == -EINTR ? -E_RESTARTNOHAND : ready;
}

s64 sys_pselect6(struct thread *t, const u64 *a)
{
	u64 deadline_ns, mask[2] = {0, 0};
	s64 ready = poll_deadline(t, a[4], &deadline_ns);

	if (!ready && a[5])
		ready = copy_in(t, mask, a[5], sizeof(mask));
	if (!ready)
		ready = poll_begin_mask(t, mask[0], mask[1]);
	if (ready)
		return ready;
	ready = poll_end_mask(t, select_files(t, a, deadline_ns));
	give_left(t, a[4], deadline_ns, false);
	return ready;
}
