/*
 * Limits, use of resources, priorities.
 *
 * Runs in: the personality's domain. Source: getrlimit(2), getrusage(2), times(2), getpriority(2).
 */
#include "misc.h"
#include "sched.h"
#include "syscall.h"
#include "timer.h"
#include "uaccess.h"

#include <errno.h>
#include <rt/clock.h>

#define RUSAGE_SELF     0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD   1

/* ---- limits ---- */

void process_sync_limits(struct process *p)
{
	struct mm *mm = p->mm;

	if (mm) {
		mm->limit_as = p->limits[RLIMIT_AS].cur;
		mm->limit_data = p->limits[RLIMIT_DATA].cur;
		mm->limit_stack = p->limits[RLIMIT_STACK].cur;
	}
	for (struct thread *t = p->threads; t; t = t->next)
		thread_sync_vfs(t);
}

static int set_limit(struct thread *t, struct process *p, u32 which, const struct k_rlimit *new)
{
	if (new->cur > new->max)
		return -EINVAL;
	if (new->max > p->limits[which].max && !capable(t, VFS_CAP_SYS_RESOURCE))
		return -EPERM;
	if (which == RLIMIT_NOFILE && new->max > 1048576)
		return -EPERM;
	p->limits[which] = *new;
	p->has_cpu_timers |= which == RLIMIT_CPU;
	process_sync_limits(p);
	return 0;
}

static bool may_limit(const struct thread *t, const struct process *p)
{
	const struct cred *c = &t->cred, *o;

	if (p == t->process || !p->threads)
		return true;
	o = &p->threads->cred;
	return (c->uid == o->euid && c->uid == o->suid && c->uid == o->uid && c->gid == o->egid &&
		c->gid == o->sgid && c->gid == o->gid) ||
	       capable(t, VFS_CAP_SYS_RESOURCE);
}

s64 sys_prlimit64(struct thread *t, const u64 *a)
{
	u32 which = (u32)a[1];
	struct k_rlimit new, old;
	struct process *p;
	int err = 0;

	if (a[2] && copy_in(t, &new, a[2], sizeof(new)))
		return -EFAULT;
	if (which >= RLIMITS)
		return -EINVAL;
	p = a[0] ? process_named(t, (u32)a[0]) : t->process; /* copying has waited */
	if (!p)
		return -ESRCH;
	if (!may_limit(t, p))
		return -EPERM;
	old = p->limits[which];
	if (a[2])
		err = set_limit(t, p, which, &new);
	if (!err && a[3])
		err = copy_out(t, a[3], &old, sizeof(old));
	return err;
}

s64 sys_getrlimit(struct thread *t, const u64 *a)
{
	if (a[0] >= RLIMITS)
		return -EINVAL;
	return copy_out(t, a[1], &t->process->limits[a[0]], sizeof(struct k_rlimit));
}

s64 sys_setrlimit(struct thread *t, const u64 *a)
{
	struct k_rlimit new;

	if (a[0] >= RLIMITS)
		return -EINVAL;
	if (copy_in(t, &new, a[1], sizeof(new)))
		return -EFAULT;
	return set_limit(t, t->process, (u32)a[0], &new);
}

/* ---- use ---- */

static u64 own_peak(const struct process *p)
{
	return MAX(p->maxrss_pages, p->mm ? p->mm->peak_pages : 0);
}

/* What wait4(2) tells: of the process and its children. */
void usage_of_process(const struct process *p, struct k_rusage *out)
{
	u64 user_ns, system_ns;

	process_times(p, &user_ns, &system_ns);
	*out = (struct k_rusage){
		.utime = ns_to_timeval(user_ns + p->children_user_ns),
		.stime = ns_to_timeval(system_ns + p->children_system_ns),
		.maxrss = (s64)(MAX(own_peak(p), p->children_maxrss) * PAGE_SIZE / KiB),
		.minflt = (s64)(p->minor_faults + (p->mm ? p->mm->minor_faults : 0)),
	};
}

s64 sys_getrusage(struct thread *t, const u64 *a)
{
	const struct process *p = t->process;
	struct k_rusage out = {0};
	u64 user_ns, system_ns;

	switch ((s32)a[0]) {
	case RUSAGE_SELF:
		process_times(p, &user_ns, &system_ns);
		out.maxrss = (s64)(own_peak(p) * PAGE_SIZE / KiB);
		out.minflt = (s64)(p->minor_faults + p->mm->minor_faults);
		break;
	case RUSAGE_CHILDREN:
		user_ns = p->children_user_ns;
		system_ns = p->children_system_ns;
		out.maxrss = (s64)(p->children_maxrss * PAGE_SIZE / KiB);
		out.minflt = (s64)p->children_minor_faults;
		break;
	case RUSAGE_THREAD:
		thread_times(t, &user_ns, &system_ns);
		out.maxrss = (s64)(own_peak(p) * PAGE_SIZE / KiB);
		break;
	default:
		return -EINVAL;
	}
	out.utime = ns_to_timeval(user_ns);
	out.stime = ns_to_timeval(system_ns);
	return copy_out(t, a[1], &out, sizeof(out));
}

s64 sys_times(struct thread *t, const u64 *a)
{
	const struct process *p = t->process;
	u64 user_ns, system_ns, tick = NS_PER_S / TICKS_PER_S;
	struct k_tms out;

	process_times(p, &user_ns, &system_ns);
	out = (struct k_tms){
		(s64)(user_ns / tick),
		(s64)(system_ns / tick),
		(s64)(p->children_user_ns / tick),
		(s64)(p->children_system_ns / tick),
	};
	if (a[0] && copy_out(t, a[0], &out, sizeof(out)))
		return -EFAULT;
	return (s64)(clock_now_ns() / tick);
}

/* ---- nice ---- */

#define PRIO_PROCESS 0
#define PRIO_PGRP    1
#define PRIO_USER    2

/* Who is just moving is not here: what is set of the copy that is being made would be lost. */
static bool is_meant(const struct thread *t, const struct process *p, s32 which, u32 who)
{
	if (p->elsewhere)
		return false;
	switch (which) {
	case PRIO_PROCESS:
		return p->pid == (who ? keep_pid(t, who) : t->process->pid);
	case PRIO_PGRP:
		return p->pgrp == (who ? keep_pid(t, who) : t->process->pgrp);
	default:
		return p->threads->cred.uid == (who ? keep_uid(t, who) : t->cred.uid);
	}
}

s64 sys_getpriority(struct thread *t, const u64 *a)
{
	s64 best = -ESRCH;

	if (a[0] > PRIO_USER)
		return -EINVAL;
	for (const struct process *p = process_from(0); p; p = p->list_next) {
		if (p->threads && !p->zombie && is_meant(t, p, (s32)a[0], (u32)a[1]))
			best = MAX(best, 20 - p->threads->nice);
	}
	return best;
}

static s64 set_nice(struct thread *t, struct thread *of, s32 nice)
{
	if (of->cred.uid != t->cred.euid && of->cred.euid != t->cred.euid &&
	    !capable(t, CAP_SYS_NICE))
		return -EPERM;
	if (nice < of->nice && !capable(t, CAP_SYS_NICE) &&
	    (u64)(20 - nice) > of->process->limits[RLIMIT_NICE].cur)
		return -EACCES;
	of->nice = nice;
	sched_requeue(of);
	return 0;
}

s64 sys_setpriority(struct thread *t, const u64 *a)
{
	s32 nice = MIN(MAX((s32)a[2], -20), 19);
	s64 result = -ESRCH;

	if (a[0] > PRIO_USER)
		return -EINVAL;
	for (struct process *p = process_from(0); p; p = p->list_next) {
		if (!p->threads || p->zombie || !is_meant(t, p, (s32)a[0], (u32)a[1]))
			continue;
		for (struct thread *of = p->threads; of; of = of->next) {
			s64 err = set_nice(t, of, nice);

			result = result == -ESRCH || err ? err : result;
		}
	}
	return result;
}
