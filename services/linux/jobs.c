/*
 * Numbers of processes and threads; process groups and sessions.
 *
 * Runs in: the personality's domain. Source: credentials(7), setpgid(2), setsid(2).
 */
#include "signal.h"
#include "syscall.h"

#include <errno.h>

s64 sys_getpid(struct thread *t, const u64 *a)
{
	(void)a;
	return t->process->pid;
}

s64 sys_gettid(struct thread *t, const u64 *a)
{
	(void)a;
	return t->tid;
}

s64 sys_getppid(struct thread *t, const u64 *a)
{
	(void)a;
	return t->process->parent ? t->process->parent->pid : 0;
}

static struct process *named(struct thread *t, u64 pid)
{
	return (s32)pid == 0 ? t->process : process_find((u32)pid);
}

s64 sys_getpgid(struct thread *t, const u64 *a)
{
	const struct process *p = named(t, a[0]);

	return p ? (s64)p->pgrp : -ESRCH;
}

s64 sys_getpgrp(struct thread *t, const u64 *a)
{
	(void)a;
	return t->process->pgrp;
}

s64 sys_getsid(struct thread *t, const u64 *a)
{
	const struct process *p = named(t, a[0]);

	return p ? (s64)p->sid : -ESRCH;
}

static bool group_in_session(u32 pgrp, u32 sid)
{
	for (const struct process *p = process_from(0); p; p = p->list_next) {
		if (p->pgrp == pgrp && p->sid == sid)
			return true;
	}
	return false;
}

static void sync_all(struct process *p)
{
	for (struct thread *t = p->threads; t; t = t->next)
		thread_sync_vfs(t);
}

s64 sys_setpgid(struct thread *t, const u64 *a)
{
	struct process *p = named(t, a[0]);
	u32 pgrp = (u32)a[1];

	if ((s32)a[1] < 0)
		return -EINVAL;
	if (!p || (p != t->process && p->parent != t->process))
		return -ESRCH;
	if (p != t->process && p->sid != t->process->sid)
		return -EPERM;
	if (p != t->process && p->did_exec)
		return -EACCES;
	if (p->sid == p->pid)
		return -EPERM;
	if (!pgrp)
		pgrp = p->pid;
	if (pgrp != p->pid && !group_in_session(pgrp, t->process->sid))
		return -EPERM;
	p->pgrp = pgrp;
	sync_all(p);
	return 0;
}

s64 sys_setsid(struct thread *t, const u64 *a)
{
	struct process *p = t->process;

	(void)a;
	for (const struct process *q = process_from(0); q; q = q->list_next) {
		if (q->pgrp == p->pid)
			return -EPERM;
	}
	p->pgrp = p->sid = p->pid;
	for (struct thread *other = p->threads; other; other = other->next)
		other->vfs.ctty = NULL;
	sync_all(p);
	return p->pid;
}
