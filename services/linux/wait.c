/*
 * wait4 and waitid: waiting for changes of children.
 *
 * Runs in: the personality's domain. Source: wait(2), wait4(2).
 */
#include "misc.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>

/* What is waited for, and what was found. */
struct wait {
	int type; /* P_* */
	u32 id;
	u32 options;
	u32 pid, uid;
	u32 status; /* as wait(2) gives it */
	int code;   /* CLD_* */
	struct k_rusage usage;
};

static bool is_wanted(const struct wait *w, const struct process *p)
{
	if (w->type == P_PID && p->pid != w->id)
		return false;
	if (w->type == P_PGID && p->pgrp != w->id)
		return false;
	if (w->options & WALL)
		return true;
	return (p->exit_signal != SIGCHLD) == !!(w->options & WCLONE);
}

static void found(const struct thread *t, struct wait *w, const struct process *p, int code,
		  u32 status)
{
	w->pid = show_pid(t, p->pid);
	w->uid = show_uid(t, p->threads ? p->threads->cred.uid : p->uid);
	w->code = code;
	w->status = status;
	usage_of_process(p, &w->usage);
}

/* Whether @p has changed as wanted; takes the change. */
static bool check(const struct thread *t, struct wait *w, struct process *p)
{
	bool keep = w->options & WNOWAIT;

	if (p->zombie && w->options & WEXITED) {
		found(t, w, p, p->exit_status & 0x7f ? CLD_KILLED : CLD_EXITED, p->exit_status);
		if (!keep)
			process_reap(p);
		return true;
	}
	if (p->stop_report && w->options & WUNTRACED) {
		found(t, w, p, CLD_STOPPED, p->stop_report << 8 | 0x7f);
		if (!keep)
			p->stop_report = 0;
		return true;
	}
	if (p->cont_report && w->options & WCONTINUED) {
		found(t, w, p, CLD_CONTINUED, 0xffff);
		if (!keep)
			p->cont_report = false;
		return true;
	}
	return false;
}

/* 1: found; 0: none has changed; -ECHILD: there are none such. */
static int look(struct thread *t, struct wait *w)
{
	bool any = false;

	for (struct process *p = t->process->children; p; p = p->sibling) {
		if (!is_wanted(w, p))
			continue;
		if (check(t, w, p))
			return 1;
		any = true;
	}
	return any ? 0 : -ECHILD;
}

static int wait_for(struct thread *t, struct wait *w)
{
	for (;;) {
		int n = look(t, w), err;

		if (n || w->options & WNOHANG)
			return n;
		err = sched_wait(t, &t->process->child_wait, FIBER_FOREVER);
		if (err == -EINTR) {
			/* A child may have ended and interrupted us at once. */
			n = look(t, w);
			return n ? n : -E_RESTARTSYS;
		}
	}
}

s64 sys_wait4(struct thread *t, const u64 *a)
{
	s32 pid = (s32)a[0];
	u32 options = (u32)a[2];
	struct wait w = {.type = P_PID, .id = keep_pid(t, (u32)pid), .options = options | WEXITED};
	int n;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WCLONE | WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid == -1) {
		w.type = P_ALL;
	} else if (pid <= 0) {
		w.type = P_PGID;
		w.id = pid ? keep_pid(t, (u32)-pid) : t->process->pgrp;
	}
	n = wait_for(t, &w);
	if (n <= 0)
		return n;
	if (a[1] && copy_out(t, a[1], &w.status, sizeof(w.status)))
		return -EFAULT;
	if (a[3] && copy_out(t, a[3], &w.usage, sizeof(w.usage)))
		return -EFAULT;
	return w.pid;
}

static int waitid_target(struct thread *t, struct wait *w, u64 type, s32 id)
{
	w->type = (int)type;
	w->id = keep_pid(t, (u32)id);
	switch (type) {
	case P_ALL:
		return 0;
	case P_PID:
		return id > 0 ? 0 : -EINVAL;
	case P_PGID:
		if (id < 0)
			return -EINVAL;
		if (id == 0)
			w->id = t->process->pgrp;
		return 0;
	case P_PIDFD: {
		struct process *p;
		int err = pidfd_process(t, id, &p, NULL);

		if (err)
			return err;
		w->type = P_PID;
		w->id = p ? p->pid : pidfd_number(t, id);
		return 0;
	}
	default:
		return -EINVAL;
	}
}

s64 sys_waitid(struct thread *t, const u64 *a)
{
	u32 options = (u32)a[3];
	struct wait w = {.options = options};
	struct k_siginfo info = {0};
	int n;

	if (options & ~(WNOHANG | WNOWAIT | WEXITED | WUNTRACED | WCONTINUED | WNOTHREAD | WCLONE |
			WALL) ||
	    !(options & (WEXITED | WUNTRACED | WCONTINUED)))
		return -EINVAL;
	n = waitid_target(t, &w, a[0], (s32)a[1]);
	if (n)
		return n;
	n = wait_for(t, &w);
	if (n < 0)
		return n;
	if (n) {
		info.signo = SIGCHLD;
		info.code = w.code;
		info.child.pid = (s32)w.pid;
		info.child.uid = w.uid;
		info.child.status = w.code == CLD_EXITED      ? (s32)(w.status >> 8)
				    : w.code == CLD_KILLED    ? (s32)(w.status & 0x7f)
				    : w.code == CLD_CONTINUED ? SIGCONT
							      : (s32)(w.status >> 8);
	}
	if (a[4] && n && copy_out(t, a[4], &w.usage, sizeof(w.usage)))
		return -EFAULT;
	/* Of the 128 bytes Linux writes what it knows: the first 28. */
	if (a[2] && copy_out(t, a[2], &info, offsetof(struct k_siginfo, child.pad)))
		return -EFAULT;
	return 0;
}
