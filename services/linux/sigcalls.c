/*
 * System calls about signals.
 *
 * Runs in: the personality's domain. Source: signal(7) and the manual pages of the calls.
 */
#include "afar.h"
#include "directory.h"
#include "misc.h"
#include "pidns.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "uaccess.h"

#include <errno.h>
#include <rt/clock.h>
#include <vfs/proc.h>

#define SET_BYTES 8u

/* ---- sending ---- */

/* pidfd_send_signal(2): who gets it, and names of the caller (linux/pidfd.h, linux/fcntl.h). */
#define PIDFD_SIGNAL_THREAD        1u
#define PIDFD_SIGNAL_PROCESS_GROUP 4u
#define PIDFD_SIGNAL_SCOPES        7u
#define PIDFD_SELF_THREAD          (-10000)
#define PIDFD_SELF_THREAD_GROUP    (-10001)

bool signal_permitted(const struct thread *t, const struct process *p, int sig)
{
	const struct cred *c = &t->cred, *other;

	if (!p->threads || p == t->process)
		return true;
	other = &p->threads->cred;
	return capable_over(t, p->threads, CAP_KILL) || c->euid == other->suid ||
	       c->euid == other->uid || c->uid == other->suid || c->uid == other->uid ||
	       (sig == SIGCONT && p->sid == t->process->sid);
}

/* Does kill(-1) mean @p: all that @t sees, but process 1 and itself? */
static bool is_anybody(const struct thread *t, const struct process *p)
{
	return p != t->process && show_pid(t, p->pid) > 1;
}

/* To all of a group, or to all that may be signalled (@pgrp 0). */
static s64 kill_many(struct thread *t, u32 pgrp, const struct k_siginfo *info)
{
	s64 result = -ESRCH;

	for (struct process *p = process_from(0), *next; p; p = next) {
		next = p->list_next;
		if (pgrp ? p->pgrp != pgrp : !is_anybody(t, p))
			continue;
		if (!signal_permitted(t, p, info->signo)) {
			result = result == -ESRCH ? -EPERM : result;
			continue;
		}
		signal_send(t, p, NULL, info);
		result = 0;
	}
	return result;
}

/* One success is a success; a refusal says more than that there was nobody. */
static s64 merge_kills(s64 result, s64 more)
{
	if (!result || !more)
		return 0;
	return result == -ESRCH ? more : result;
}

/* The same on the other cores that have such processes. */
static s64 kill_many_everywhere(struct thread *t, const u64 *a, u32 pgrp,
				const struct k_siginfo *info)
{
	s64 result = kill_many(t, pgrp, info);
	struct core_set cores;

	/* A PID namespace is of one core. */
	if (!afar_is_on || afar_is_stub(t) || t->process->pid_ns)
		return result;
	if (!pgrp)
		afar_all_cores(&cores);
	else if (directory_members(pgrp, NUMBER_GROUP, &cores))
		return result;
	return afar_spread(t, t->call_number, a, &cores, result, merge_kills);
}

static s64 kill_one(struct thread *t, u32 pid, const struct k_siginfo *info)
{
	struct process *p = process_find(pid);

	if (!p) {
		struct thread *of = thread_find(pid);

		p = of ? of->process : NULL;
	}
	if (!p)
		return -ESRCH;
	if (!signal_permitted(t, p, info->signo))
		return -EPERM;
	return signal_send(t, p, NULL, info);
}

s64 sys_kill(struct thread *t, const u64 *a)
{
	s32 pid = (s32)a[0], sig = (s32)a[1];
	struct k_siginfo info;

	if (sig < 0 || sig > (s32)SIGNALS)
		return -EINVAL;
	siginfo_from(&info, sig, SI_USER, t);
	if (pid > 0)
		return kill_one(t, keep_pid(t, (u32)pid), &info);
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid == -1)
		return kill_many_everywhere(t, a, 0, &info);
	return kill_many_everywhere(t, a, pid ? keep_pid(t, (u32)-pid) : t->process->pgrp, &info);
}

static s64 kill_thread(struct thread *t, u32 tgid, u32 tid, const struct k_siginfo *info)
{
	struct thread *to = thread_find(tid);

	if (!to || (tgid && to->process->pid != tgid))
		return -ESRCH;
	if (!signal_permitted(t, to->process, info->signo))
		return -EPERM;
	return signal_send(t, to->process, to, info);
}

s64 sys_tgkill(struct thread *t, const u64 *a)
{
	struct k_siginfo info;

	if ((s32)a[0] <= 0 || (s32)a[1] <= 0 || (s32)a[2] < 0 || (s32)a[2] > (s32)SIGNALS)
		return -EINVAL;
	siginfo_from(&info, (s32)a[2], SI_TKILL, t);
	return kill_thread(t, keep_pid(t, (u32)a[0]), keep_pid(t, (u32)a[1]), &info);
}

s64 sys_tkill(struct thread *t, const u64 *a)
{
	struct k_siginfo info;

	if ((s32)a[0] <= 0 || (s32)a[1] < 0 || (s32)a[1] > (s32)SIGNALS)
		return -EINVAL;
	siginfo_from(&info, (s32)a[1], SI_TKILL, t);
	return kill_thread(t, 0, keep_pid(t, (u32)a[0]), &info);
}

/* What a program may claim: not to be the system, unless it tells itself. */
static int queued_info(struct thread *t, u32 pid, s32 sig, u64 from, struct k_siginfo *info)
{
	if (copy_in(t, info, from, sizeof(*info)))
		return -EFAULT;
	if (sig < 0 || sig > (s32)SIGNALS)
		return -EINVAL;
	if ((info->code >= 0 || info->code == SI_TKILL) && pid != t->process->pid)
		return -EPERM;
	info->signo = sig;
	return 0;
}

s64 sys_rt_sigqueueinfo(struct thread *t, const u64 *a)
{
	struct k_siginfo info;
	u32 pid = keep_pid(t, (u32)a[0]);
	int err = queued_info(t, pid, (s32)a[1], a[2], &info);

	return err ? err : kill_one(t, pid, &info);
}

s64 sys_rt_tgsigqueueinfo(struct thread *t, const u64 *a)
{
	u32 pid = keep_pid(t, (u32)a[0]);
	struct k_siginfo info;
	int err = (s32)a[0] <= 0 || (s32)a[1] <= 0 ? -EINVAL : 0;

	if (!err)
		err = queued_info(t, pid, (s32)a[2], a[3], &info);
	return err ? err : kill_thread(t, pid, keep_pid(t, (u32)a[1]), &info);
}

/* Whom descriptor @fd names to pidfd_send_signal(2): also a folder /proc/PID does. */
static int process_to_signal(struct thread *t, int fd, struct process **p)
{
	int err = -EBADF;
	struct file *file;

	if (fd == PIDFD_SELF_THREAD || fd == PIDFD_SELF_THREAD_GROUP) {
		*p = t->process;
		return 0;
	}
	file = fd_get_real(&t->vfs, fd);
	if (file && procfs_process_of(file)) {
		*p = process_find(procfs_process_of(file));
		err = 0;
	} else if (file) {
		err = pidfd_process(t, fd, p, NULL);
	}
	if (file)
		file_put(file);
	return !err && !*p ? -ESRCH : err;
}

s64 sys_pidfd_send_signal(struct thread *t, const u64 *a)
{
	bool self = (s32)a[0] == PIDFD_SELF_THREAD;
	struct k_siginfo info;
	struct process *p;
	int err;

	/* One of the scopes at most. */
	if (a[3] & ~(u64)PIDFD_SIGNAL_SCOPES || (a[3] & (a[3] - 1)))
		return -EINVAL;
	err = process_to_signal(t, (int)a[0], &p);
	if (err)
		return err;
	/* Only those that it could name. */
	if ((s32)a[1] < 0 || (s32)a[1] > (s32)SIGNALS ||
	    !pid_ns_is_in(p->pid_ns, t->process->pid_ns))
		return -EINVAL;
	if (a[2]) {
		err = queued_info(t, p->pid, (s32)a[1], a[2], &info);
		err = err ? err : process_to_signal(t, (int)a[0], &p); /* copying has waited */
	} else {
		siginfo_from(&info, (s32)a[1], SI_USER, t);
	}
	if (err)
		return err;
	if (a[3] == PIDFD_SIGNAL_PROCESS_GROUP)
		return kill_many(t, p->pid, &info);
	if (a[3] == PIDFD_SIGNAL_THREAD || (self && !a[3]))
		return kill_thread(t, p->pid, self ? t->tid : p->pid, &info);
	return signal_permitted(t, p, info.signo) ? signal_send(t, p, NULL, &info) : -EPERM;
}

/* ---- handlers and masks ---- */

static void drop_ignored(struct process *p, int sig)
{
	struct k_siginfo info;

	if (!signal_is_ignored(p, sig))
		return;
	for (struct thread *t = p->threads; t; t = t->next) {
		while (signal_take(t, SIG_MASK(sig), &info))
			;
	}
}

s64 sys_rt_sigaction(struct thread *t, const u64 *a)
{
	s32 sig = (s32)a[0];
	struct k_sigaction new, old;

	if (a[3] != SET_BYTES)
		return -EINVAL;
	if (sig < 1 || sig > (s32)SIGNALS || (a[1] && (sig == SIGKILL || sig == SIGSTOP)))
		return -EINVAL;
	if (a[1] && copy_in(t, &new, a[1], sizeof(new)))
		return -EFAULT;
	old = t->process->sighand->action[sig - 1];
	if (a[1]) {
		new.mask &= ~SIG_UNBLOCKABLE;
		new.flags &= SA_KNOWN; /* others are cleared, so that a program can find out */
		t->process->sighand->action[sig - 1] = new;
		drop_ignored(t->process, sig);
	}
	return a[2] ? copy_out(t, a[2], &old, sizeof(old)) : 0;
}

s64 sys_rt_sigprocmask(struct thread *t, const u64 *a)
{
	u64 set, old = t->sigmask;

	if (a[3] != SET_BYTES)
		return -EINVAL;
	if (a[1]) {
		if (copy_in(t, &set, a[1], sizeof(set)))
			return -EFAULT;
		if ((s32)a[0] == SIG_BLOCK)
			set |= old;
		else if ((s32)a[0] == SIG_UNBLOCK)
			set = old & ~set;
		else if ((s32)a[0] != SIG_SETMASK)
			return -EINVAL;
		signal_set_mask(t, set);
	}
	return a[2] ? copy_out(t, a[2], &old, sizeof(old)) : 0;
}

s64 sys_rt_sigpending(struct thread *t, const u64 *a)
{
	u64 set = (t->pending.set | t->process->pending.set) & t->sigmask;

	if (a[1] > SET_BYTES)
		return -EINVAL;
	return copy_out(t, a[0], &set, a[1]);
}

/* Wait for any signal to be taken. */
static s64 wait_for_signal(struct thread *t)
{
	struct fiber_queue nobody = {0};

	while (!signal_pending(t))
		sched_wait(t, &nobody, FIBER_FOREVER);
	return -E_RESTARTNOHAND;
}

s64 sys_pause(struct thread *t, const u64 *a)
{
	(void)a;
	return wait_for_signal(t);
}

s64 sys_rt_sigsuspend(struct thread *t, const u64 *a)
{
	u64 set;

	if (a[1] != SET_BYTES)
		return -EINVAL;
	if (copy_in(t, &set, a[0], sizeof(set)))
		return -EFAULT;
	t->saved_sigmask = t->sigmask;
	t->restore_sigmask = true;
	signal_set_mask(t, set);
	return wait_for_signal(t);
}

s64 sys_rt_sigtimedwait(struct thread *t, const u64 *a)
{
	u64 set, ns, deadline_ns = FIBER_FOREVER;
	struct k_timespec ts;
	struct k_siginfo info;
	int sig, err = 0;

	if (a[3] != SET_BYTES)
		return -EINVAL;
	if (copy_in(t, &set, a[0], sizeof(set)) || (a[2] && copy_in(t, &ts, a[2], sizeof(ts))))
		return -EFAULT;
	if (a[2]) {
		if (timespec_to_ns(&ts, &ns))
			return -EINVAL;
		deadline_ns = timer_deadline(ns);
	}
	set &= ~SIG_UNBLOCKABLE;
	while (!(sig = signal_take(t, set, &info)) && !err)
		err = sched_wait(t, &signal_wait, deadline_ns);
	if (!sig)
		return err == -ETIMEDOUT ? -EAGAIN : -EINTR;
	if (a[1] && copy_out(t, a[1], &info, sizeof(info)))
		return -EFAULT;
	return sig;
}

s64 sys_sigaltstack(struct thread *t, const u64 *a)
{
	struct k_stack new, old = t->altstack;
	int err = 0;

	old.flags = altstack_flags(t, t->regs->rsp) | (old.flags & SS_AUTODISARM);
	if (a[0]) {
		if (copy_in(t, &new, a[0], sizeof(new)))
			return -EFAULT;
		err = altstack_set(t, &new);
	}
	return err ? err : (a[1] ? copy_out(t, a[1], &old, sizeof(old)) : 0);
}
