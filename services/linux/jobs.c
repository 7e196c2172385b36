/*
 * Numbers of processes and threads; process groups and sessions.
 *
 * Runs in: the personality's domain. Source: credentials(7), setpgid(2), setsid(2).
 */
#include "directory.h"
#include "family.h"
#include "pidns.h"
#include "signal.h"
#include "syscall.h"

#include <errno.h>

s64 sys_getpid(struct thread *t, const u64 *a)
{
	(void)a;
	return show_pid(t, t->process->pid);
}

s64 sys_gettid(struct thread *t, const u64 *a)
{
	(void)a;
	return show_pid(t, t->tid);
}

s64 sys_getppid(struct thread *t, const u64 *a)
{
	(void)a;
	return t->process->parent ? show_pid(t, t->process->parent->pid) : 0;
}

static struct process *named(struct thread *t, u64 pid)
{
	return (s32)pid == 0 ? t->process : process_named(t, (u32)pid);
}

s64 sys_getpgid(struct thread *t, const u64 *a)
{
	const struct process *p = named(t, a[0]);

	return p ? (s64)show_pid(t, p->pgrp) : -ESRCH;
}

s64 sys_getpgrp(struct thread *t, const u64 *a)
{
	(void)a;
	return show_pid(t, t->process->pgrp);
}

s64 sys_getsid(struct thread *t, const u64 *a)
{
	const struct process *p = named(t, a[0]);

	return p ? (s64)show_pid(t, p->sid) : -ESRCH;
}

static bool group_in_session(u32 pgrp, u32 sid)
{
	for (const struct process *p = process_from(0); p; p = p->list_next) {
		if (p->pgrp == pgrp && p->sid == sid)
			return true;
	}
	return false;
}

static int join(struct process *p, u32 pgrp, u32 sid)
{
	int err = process_join(p, pgrp, sid);

	for (struct thread *t = p->threads; t && !err; t = t->next)
		thread_sync_vfs(t);
	if (!err)
		family_changed(p);
	return err;
}

/* Whether there is such a group, on any core; or -errno. */
static int group_has_members(u32 pgrp)
{
	struct core_set cores;
	int err = directory_members(pgrp, NUMBER_GROUP, &cores);

	return err ? err : !core_set_is_empty(&cores);
}

s64 sys_setpgid(struct thread *t, const u64 *a)
{
	struct process *p = named(t, a[0]);
	u32 pgrp = a[1] ? keep_pid(t, (u32)a[1]) : 0;

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
	return join(p, pgrp, p->sid);
}

s64 sys_setsid(struct thread *t, const u64 *a)
{
	struct process *p = t->process;
	int err;

	(void)a;
	err = group_has_members(p->pid);
	if (err)
		return err < 0 ? err : -EPERM;
	err = join(p, p->pid, p->pid);
	if (err)
		return err;
	for (struct thread *other = p->threads; other; other = other->next)
		other->vfs.ctty = NULL;
	return show_pid(t, p->pid);
}
