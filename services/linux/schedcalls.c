/*
 * System calls about scheduling; those about processors are affinity.c's.
 *
 * Runs in: the personality's domain. Source: sched(7) and the manual pages of the calls.
 */
#include "sched.h"
#include "syscall.h"
#include "timer.h"
#include "uaccess.h"

#include <errno.h>
#include <rt/rt.h>

struct k_sched_attr {
	u32 size, policy;
	u64 flags;
	s32 nice;
	u32 priority;
	u64 runtime, deadline, period;
	u32 util_min, util_max;
};

#define ATTR_SIZE_0 48u

s64 sys_sched_yield(struct thread *t, const u64 *a)
{
	(void)a;
	sched_yield_thread(t);
	return 0;
}

static struct thread *named(struct thread *t, u64 pid)
{
	return (s32)pid == 0 ? t : thread_named(t, (u32)pid);
}

static bool may_schedule(const struct thread *t, const struct thread *of)
{
	return capable(t, CAP_SYS_NICE) || t->cred.euid == of->cred.uid ||
	       t->cred.euid == of->cred.euid;
}

static bool is_real_time(s32 policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* Check, then set. */
static s64 set_policy(struct thread *t, struct thread *of, s32 policy, s32 priority, bool reset)
{
	u64 limit = of->process->limits[RLIMIT_RTPRIO].cur;

	if (policy < 0 || policy > SCHED_IDLE || policy == 4)
		return -EINVAL;
	if (is_real_time(policy) ? priority < 1 || priority > 99 : priority != 0)
		return -EINVAL;
	if (!may_schedule(t, of))
		return -EPERM;
	if (!capable(t, CAP_SYS_NICE)) {
		if (is_real_time(policy) &&
		    (limit == 0 || (u64)priority > MAX(limit, (u64)of->priority)))
			return -EPERM;
		if (of->reset_on_fork && !reset)
			return -EPERM;
	}
	of->policy = policy;
	of->priority = priority;
	of->reset_on_fork = reset;
	sched_requeue(of);
	return 0;
}

s64 sys_sched_setscheduler(struct thread *t, const u64 *a)
{
	s32 priority, policy = (s32)a[1];
	struct thread *of;

	if ((s32)a[0] < 0 || !a[2] || policy < 0)
		return -EINVAL;
	if (copy_in(t, &priority, a[2], sizeof(priority)))
		return -EFAULT;
	of = named(t, a[0]); /* copying has waited */
	if (!of)
		return -ESRCH;
	return set_policy(t, of, policy & ~SCHED_RESET_ON_FORK, priority,
			  policy & SCHED_RESET_ON_FORK);
}

s64 sys_sched_getscheduler(struct thread *t, const u64 *a)
{
	const struct thread *of = named(t, a[0]);

	if ((s32)a[0] < 0)
		return -EINVAL;
	return of ? of->policy | (of->reset_on_fork ? SCHED_RESET_ON_FORK : 0) : -ESRCH;
}

s64 sys_sched_setparam(struct thread *t, const u64 *a)
{
	struct thread *of;
	s32 priority;

	if ((s32)a[0] < 0 || !a[1])
		return -EINVAL;
	if (copy_in(t, &priority, a[1], sizeof(priority)))
		return -EFAULT;
	of = named(t, a[0]);
	return of ? set_policy(t, of, of->policy, priority, of->reset_on_fork) : -ESRCH;
}

s64 sys_sched_getparam(struct thread *t, const u64 *a)
{
	const struct thread *of = named(t, a[0]);
	s32 priority;

	if ((s32)a[0] < 0 || !a[1])
		return -EINVAL;
	if (!of)
		return -ESRCH;
	priority = of->priority;
	return copy_out(t, a[1], &priority, sizeof(priority));
}

s64 sys_sched_get_priority_max(struct thread *t, const u64 *a)
{
	(void)t;
	if (a[0] > 7 || a[0] == 4)
		return -EINVAL;
	return is_real_time((s32)a[0]) ? 99 : 0;
}

s64 sys_sched_get_priority_min(struct thread *t, const u64 *a)
{
	(void)t;
	if (a[0] > 7 || a[0] == 4)
		return -EINVAL;
	return is_real_time((s32)a[0]) ? 1 : 0;
}

s64 sys_sched_rr_get_interval(struct thread *t, const u64 *a)
{
	const struct thread *of = named(t, a[0]);
	struct k_timespec ts = ns_to_timespec(of && of->policy == SCHED_FIFO ? 0 : SLICE_NS);

	if ((s32)a[0] < 0)
		return -EINVAL;
	return of ? copy_out(t, a[1], &ts, sizeof(ts)) : -ESRCH;
}

s64 sys_sched_setattr(struct thread *t, const u64 *a)
{
	struct k_sched_attr attr = {0};
	struct thread *of;
	s64 err;
	u32 size;

	if (!a[1] || (s32)a[0] < 0 || a[2])
		return -EINVAL;
	if (copy_in(t, &size, a[1], sizeof(size)))
		return -EFAULT;
	size = size ? size : ATTR_SIZE_0;
	if (size < ATTR_SIZE_0 || size > PAGE_SIZE)
		return -E2BIG;
	if (copy_in(t, &attr, a[1], MIN(size, (u32)sizeof(attr))))
		return -EFAULT;
	of = named(t, a[0]);
	if (!of)
		return -ESRCH;
	if (attr.flags & ~1ul || attr.nice < -20 || attr.nice > 19)
		return -EINVAL;
	err = set_policy(t, of, (s32)attr.policy, (s32)attr.priority, attr.flags & 1);
	if (err)
		return err;
	if (!is_real_time((s32)attr.policy))
		of->nice = attr.nice;
	return 0;
}

s64 sys_sched_getattr(struct thread *t, const u64 *a)
{
	const struct thread *of = named(t, a[0]);
	struct k_sched_attr attr;

	if (!a[1] || (s32)a[0] < 0 || a[2] < ATTR_SIZE_0 || a[2] > PAGE_SIZE || a[3])
		return -EINVAL;
	if (!of)
		return -ESRCH;
	attr = (struct k_sched_attr){
		.size = (u32)MIN(a[2], sizeof(attr)),
		.policy = (u32)of->policy,
		.flags = of->reset_on_fork,
		.nice = is_real_time(of->policy) ? 0 : of->nice,
		.priority = (u32)of->priority,
		.runtime = is_real_time(of->policy) ? 0 : SLICE_NS,
	};
	return copy_out(t, a[1], &attr, attr.size);
}

/* ---- input and output: kept, and told, but every transfer here is at once ---- */

#define IOPRIO_CLASS(prio) ((prio) >> 13)
#define IOPRIO_RT          1
#define IOPRIO_BE          2
#define IOPRIO_IDLE        3
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_WHO_PGRP    2
#define IOPRIO_WHO_USER    3

static int check_ioprio(const struct thread *t, u32 prio)
{
	switch (IOPRIO_CLASS(prio)) {
	case 0:
		return prio ? -EINVAL : 0;
	case IOPRIO_RT:
		if (!capable(t, VFS_CAP_SYS_ADMIN) && !capable(t, CAP_SYS_NICE))
			return -EPERM;
		return 0;
	case IOPRIO_BE:
	case IOPRIO_IDLE:
		return 0;
	default:
		return -EINVAL;
	}
}

/* What is used where nothing was set: by nice(2). */
static u32 effective_ioprio(const struct thread *t)
{
	if (t->ioprio)
		return t->ioprio;
	if (is_real_time(t->policy))
		return IOPRIO_RT << 13 | (u32)(t->nice + 20) / 5;
	return (t->policy == SCHED_IDLE ? IOPRIO_IDLE : IOPRIO_BE) << 13 | (u32)(t->nice + 20) / 5;
}

/* Not who is just moving: what is set of the copy that is being made would be lost. */
static bool is_meant(const struct thread *t, const struct thread *of, u64 which, u32 who)
{
	if (of->process->elsewhere)
		return false;
	switch (which) {
	case IOPRIO_WHO_PROCESS:
		return of->tid == (who ? keep_pid(t, who) : t->tid);
	case IOPRIO_WHO_PGRP:
		return of->process->pgrp == (who ? keep_pid(t, who) : t->process->pgrp);
	default:
		return of->cred.uid == (who ? keep_uid(t, who) : t->cred.uid);
	}
}

s64 sys_ioprio_set(struct thread *t, const u64 *a)
{
	u32 prio = (u32)a[2];
	s64 result = check_ioprio(t, prio);

	if (result)
		return result;
	if (a[0] < IOPRIO_WHO_PROCESS || a[0] > IOPRIO_WHO_USER)
		return -EINVAL;
	result = -ESRCH;
	for (struct process *p = process_from(0); p; p = p->list_next) {
		for (struct thread *of = p->threads; of && !p->zombie; of = of->next) {
			if (!is_meant(t, of, a[0], (u32)a[1]))
				continue;
			if (!may_schedule(t, of))
				return -EPERM;
			of->ioprio = prio;
			result = 0;
		}
	}
	return result;
}

s64 sys_ioprio_get(struct thread *t, const u64 *a)
{
	s64 best = -ESRCH;

	if (a[0] < IOPRIO_WHO_PROCESS || a[0] > IOPRIO_WHO_USER)
		return -EINVAL;
	for (struct process *p = process_from(0); p; p = p->list_next) {
		for (struct thread *of = p->threads; of && !p->zombie; of = of->next) {
			if (!is_meant(t, of, a[0], (u32)a[1]))
				continue;
			if (a[0] == IOPRIO_WHO_PROCESS)
				return of->ioprio;
			best = best < 0 ? effective_ioprio(of)
					: MIN(best, (s64)effective_ioprio(of));
		}
	}
	return best;
}
