/*
 * Numbers of processes and threads; process groups and sessions.
 *
 * Runs in: the personality's domain. Source: credentials(7), setpgid(2), setsid(2).
 */
#include "afar.h"
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

bool process_group_in_session(u32 pgrp, u32 sid)
{
	for (const struct process *p = process_from(0); p; p = p->list_next) {
		if (p->pgrp == pgrp && p->sid == sid)
			return true;
	}
	return false;
}

static void join(struct process *p, u32 pgrp, u32 sid)
{
	process_set_membership(p, pgrp, sid);
	for (struct thread *t = p->threads; t; t = t->next)
		thread_sync_vfs(t);
	family_changed(p);
}

/* Whether there is such a group, on any core; or -errno. */
static int group_has_members(u32 pgrp)
{
	struct core_set cores;
	int err = directory_members(pgrp, NUMBER_GROUP, &cores);

	return err ? err : !core_set_is_empty(&cores);
}

/* The process whose group @t may set, as @who names it; or why not. */
static s64 may_set_group(struct thread *t, u64 who, struct process **out)
{
	struct process *p = named(t, who);
	const struct process *self = t->process;

	/* Who calls from another core is known here by its number. */
	if (!p || (p->pid != self->pid && (!p->parent || p->parent->pid != self->pid)))
		return -ESRCH;
	if (p->pid != self->pid && p->sid != self->sid)
		return -EPERM;
	if (p->pid != self->pid && p->did_exec)
		return -EACCES;
	*out = p;
	return p->sid == p->pid ? -EPERM : 0;
}

s64 sys_setpgid(struct thread *t, const u64 *a)
{
	u32 pgrp = a[1] ? keep_pid(t, (u32)a[1]) : 0, sid = t->process->sid;
	struct process *p;
	s64 err;

	if ((s32)a[1] < 0)
		return -EINVAL;
	err = may_set_group(t, a[0], &p);
	if (err)
		return err;
	if (!pgrp)
		pgrp = p->pid;
	if (pgrp != p->pid && !process_group_in_session(pgrp, sid) &&
	    !(afar_is_on && afar_group_in_session(pgrp, sid)))
		return -EPERM;
	err = membership_get(pgrp, sid);
	if (err)
		return err;
	err = may_set_group(t, a[0], &p); /* a child may have gone meanwhile */
	if (err)
		membership_put(pgrp, sid);
	else
		join(p, pgrp, sid);
	return err;
}

s64 sys_setsid(struct thread *t, const u64 *a)
{
	struct process *p = t->process;
	int err;

	(void)a;
	err = group_has_members(p->pid);
	if (err)
		return err < 0 ? err : -EPERM;
	err = membership_get(p->pid, p->pid);
	if (err)
		return err;
	join(p, p->pid, p->pid);
	for (struct thread *other = p->threads; other; other = other->next)
		other->vfs.ctty = NULL;
	return show_pid(t, p->pid);
}
