/*
 * New processes and threads: fork, vfork, clone, clone3.
 *
 * A clone shares or copies, piece by piece, what its flags say. Everything that can fail happens
 * before the child is put into its family; then it runs.
 *
 * Not here: namespaces (namespaces.c), numbers in PID namespaces (pidns.c).
 * Runs in: the personality's domain. Source: clone(2), fork(2), vfork(2).
 */
#include "family.h"
#include "namespaces.h"
#include "placement.h"
#include "pidns.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <rt/rt.h>
#include <string.h>

#define EXIT_SIGNAL_MASK 0xfful

static int check_flags(struct thread *t, const struct k_clone_args *c)
{
	u64 f = c->flags;

	if (f & (CLONE_NEWNS | CLONE_EMPTY_MNTNS | CLONE_NEWUSER) && f & CLONE_FS)
		return -EINVAL;
	if ((f & CLONE_THREAD && !(f & CLONE_SIGHAND)) || (f & CLONE_SIGHAND && !(f & CLONE_VM)) ||
	    (f & CLONE_SIGHAND && f & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	/* Nobody would wait for a sibling of process 1. */
	if (f & CLONE_PARENT && t->process->unkillable)
		return -EINVAL;
	/* Threads of a process are in the same namespaces. */
	if (f & CLONE_THREAD && (f & (CLONE_NEWUSER | CLONE_NEWPID) ||
				 pid_ns_of(t->ns[KIND_PID]) != t->process->pid_ns))
		return -EINVAL;
	if (f & CLONE_PIDFD && f & CLONE_DETACHED)
		return -EINVAL;
	if (c->exit_signal > SIGNALS)
		return -EINVAL;
	if (f & (CLONE_NEWNS | CLONE_EMPTY_MNTNS | NS_OBJECTS) && !(f & CLONE_NEWUSER) &&
	    !capable_here(t, VFS_CAP_SYS_ADMIN))
		return -EPERM;
	return 0;
}

static u64 user_processes(u32 uid)
{
	u64 n = 0;

	for (struct process *p = process_from(0); p; p = p->list_next)
		n += p->threads && p->threads->cred.uid == uid;
	return n;
}

/* The thread's own part: registers, masks, names. */
static void copy_thread(struct thread *child, struct thread *t, const struct k_clone_args *c)
{
	memcpy(child->regs, t->regs, offsetof(struct context_state, xstate) + xstate_bytes());
	child->regs->rax = 0;
	if (c->stack)
		child->regs->rsp = c->stack + c->stack_size;
	if (c->flags & CLONE_SETTLS)
		child->regs->fs_base = c->tls;
	memcpy(child->name, t->name, sizeof(child->name));
	child->cred = t->cred;
	groups_get(child->cred.groups);
	if (child->cred.user_ns)
		ns_get(&child->cred.user_ns->ns);
	nsobjects_copy(child, t);
	child->sigmask = t->sigmask;
	child->no_new_privs = t->no_new_privs;
	child->personality = t->personality;
	child->ioprio = t->ioprio;
	child->timer_slack_ns = t->timer_slack_ns;
	if (!(c->flags & CLONE_VM) || c->flags & CLONE_VFORK)
		child->altstack = t->altstack;
	if (c->flags & CLONE_CHILD_CLEARTID)
		child->clear_child_tid = c->child_tid;
	if (!(c->flags & CLONE_VM)) {
		child->rseq = t->rseq;
		child->rseq_len = t->rseq_len;
		child->rseq_sig = t->rseq_sig;
		child->rseq_place = t->rseq_place;
	}
	sched_inherit(child, t);
}

static int copy_files(struct thread *child, struct thread *t, u64 flags)
{
	int err;

	child->vfs.vfs = t->vfs.vfs;
	child->vfs.ctty = t->vfs.ctty;
	if (flags & CLONE_FS)
		child->vfs.fs = fs_context_get(t->vfs.fs);
	else
		child->vfs.fs = fs_context_copy(t->vfs.fs);
	if (!child->vfs.fs)
		return -ENOMEM;
	err = namespaces_clone(t, child, flags);
	if (err)
		return err;
	if (flags & CLONE_FILES)
		child->vfs.files = fd_table_get(t->vfs.files);
	else if (fd_table_copy(t->vfs.files, &child->vfs.files))
		return -ENOMEM;
	return 0;
}

/* Memory, signal handlers and limits of a new process. */
static int copy_process(struct process *p, struct thread *t, const struct k_clone_args *c)
{
	struct process *from = t->process;

	if (process_join(p, from->pgrp, from->sid))
		return -ENOMEM;
	p->exit_signal = (s32)c->exit_signal;
	p->dumpable = from->dumpable;
	p->oom_score_adj = from->oom_score_adj;
	p->coredump_filter = from->coredump_filter;
	p->oom_score_adj_least = from->oom_score_adj_least;
	memcpy(p->limits, from->limits, sizeof(p->limits));
	p->has_cpu_timers = p->limits[RLIMIT_CPU].cur != RLIM_INFINITY;
	if (c->flags & CLONE_SIGHAND) {
		p->sighand = from->sighand;
		p->sighand->refs++;
	} else {
		p->sighand = sighand_copy(from->sighand);
		if (p->sighand && c->flags & CLONE_CLEAR_SIGHAND)
			sighand_reset(p->sighand);
	}
	if (c->flags & CLONE_VM) {
		p->mm = from->mm;
		p->mm->users++;
	} else {
		p->mm = mm_fork(from->mm);
	}
	return p->sighand && p->mm ? 0 : -ENOMEM;
}

static void undo(struct process *p, struct thread *child, bool new_process)
{
	if (child) {
		if (child->vfs.files)
			fd_table_put(&child->vfs, child->vfs.files);
		if (child->vfs.fs)
			fs_context_put(child->vfs.fs);
		thread_free(child);
	}
	if (!new_process)
		return;
	mm_put(p->mm);
	sighand_put(p->sighand);
	process_free(p);
}

/* Tell numbers to whom it was asked for; bad pointers are the child's or parent's own loss. */
static void tell_tids(struct thread *t, struct thread *child, const struct k_clone_args *c)
{
	u32 tid = show_pid(t, child->tid);

	if (c->flags & CLONE_PARENT_SETTID)
		copy_out(t, c->parent_tid, &tid, sizeof(tid));
	tid = show_pid(child, child->tid);
	if (c->flags & CLONE_CHILD_SETTID)
		mm_copy(child->process->mm, &tid, c->child_tid, sizeof(tid), true);
}

static void join_family(struct process *p, struct thread *t, u64 flags)
{
	struct process *parent = t->process;

	if (flags & CLONE_PARENT && parent->parent) {
		p->exit_signal = parent->exit_signal;
		parent = parent->parent;
	}
	process_adopt(p, parent);
	if (parent->far)
		family_born(p);
}

/* vfork(2): the parent waits until the child no longer uses its memory; only death ends that. */
static void wait_for_vfork(struct thread *t, struct process *p)
{
	struct fiber_queue done = {0};
	u32 pid = p->pid;

	p->vfork_wait = &done;
	while (fiber_wait(sched_loop(), &done, FIBER_FOREVER) == -EINTR) {
		p = process_find(pid);
		if (!p || p->vfork_wait != &done)
			return;
		if (signal_fatal(t)) {
			p->vfork_wait = NULL;
			return;
		}
	}
}

/* What the child is called in its PID namespace and those around it. */
static int name_child(struct thread *child, bool new_process, const struct pid_wish *wish)
{
	struct process *p = child->process;

	if (!new_process)
		return pid_name(p->pid_ns, child->tid, wish);
	p->pid_ns = pid_ns_of(child->ns[KIND_PID]);
	if (pid_name(p->pid_ns, p->pid, wish))
		return -ENOMEM;
	pid_hold(child->tid); /* the process and its first thread have the same number */
	return 0;
}

static s64 clone_thread(struct thread *t, const struct k_clone_args *c, const struct pid_wish *wish)
{
	bool new_process = !(c->flags & CLONE_THREAD);
	struct process *p = t->process;
	struct thread *child = NULL;
	u32 wanted = pid_wish_first(pid_ns_of(t->ns[KIND_PID]), c->flags & CLONE_NEWPID, wish);
	int pidfd = -1, err;
	u32 tid;

	if (t->cred.uid != 0 && user_processes(t->cred.uid) >= p->limits[RLIMIT_NPROC].cur &&
	    !capable(t, VFS_CAP_SYS_RESOURCE) && !capable(t, VFS_CAP_SYS_ADMIN))
		return -EAGAIN;
	if (new_process) {
		p = process_new(wanted);
		if (!p)
			return wanted ? -EEXIST : -EAGAIN;
		err = copy_process(p, t, c);
		if (err)
			goto fail;
	}
	err = -ENOMEM;
	child = thread_new(p, new_process ? p->pid : wanted);
	if (!child)
		goto fail;
	copy_thread(child, t, c);
	err = copy_files(child, t, c->flags);
	if (!err)
		err = name_child(child, new_process, wish);
	if (!err)
		err = context_bind(child->context, p->mm->space);
	if (!err && c->flags & CLONE_PIDFD) {
		pidfd = pidfd_new(t, p, 0);
		err = pidfd < 0 ? pidfd : copy_out(t, c->pidfd, &pidfd, sizeof(pidfd));
	}
	if (err)
		goto fail;
	thread_sync_vfs(child);
	tell_tids(t, child, c);
	tid = show_pid(t, child->tid);
	if (new_process) {
		pid_ns_begin(p);
		join_family(p, t, c->flags);
	}
	sched_add(child);
	if (child->process != t->process)
		placement_forked(child->process);
	if (c->flags & CLONE_VFORK)
		wait_for_vfork(t, p);
	return tid;
fail:
	if (pidfd >= 0)
		vfs_close(&t->vfs, pidfd);
	undo(p, child, new_process);
	return err;
}

static s64 clone_checked(struct thread *t, const struct k_clone_args *c,
			 const struct pid_wish *wish)
{
	int err = check_flags(t, c);

	if (!err)
		err = pid_ns_check(t, pid_ns_of(t->ns[KIND_PID]), c->flags & CLONE_NEWPID, wish);
	return err ? err : clone_thread(t, c, wish);
}

static const struct pid_wish any;

s64 sys_fork(struct thread *t, const u64 *a)
{
	(void)a;
	return clone_checked(t, &(struct k_clone_args){.exit_signal = SIGCHLD}, &any);
}

s64 sys_vfork(struct thread *t, const u64 *a)
{
	(void)a;
	return clone_checked(
		t, &(struct k_clone_args){.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD},
		&any);
}

s64 sys_clone(struct thread *t, const u64 *a)
{
	struct k_clone_args c = {
		.flags = a[0] & 0xffffffff & ~EXIT_SIGNAL_MASK,
		.exit_signal = a[0] & EXIT_SIGNAL_MASK,
		.stack = a[1],
		.parent_tid = a[2],
		.pidfd = a[2],
		.child_tid = a[3],
		.tls = a[4],
	};

	if (c.flags & CLONE_PIDFD && c.flags & CLONE_PARENT_SETTID)
		return -EINVAL;
	return clone_checked(t, &c, &any);
}

#define CLONE_ARGS_FIRST 64u /* bytes of the structure's first version */

/* The structure, of which a program may know less or more than there is here. */
static int read_args(struct thread *t, const u64 *a, struct k_clone_args *c)
{
	u8 rest[64];
	int err;

	if (a[1] < CLONE_ARGS_FIRST)
		return -EINVAL;
	if (a[1] > PAGE_SIZE)
		return -E2BIG;
	err = copy_in(t, c, a[0], MIN(a[1], sizeof(*c)));
	for (u64 at = sizeof(*c); at < a[1] && !err; at += sizeof(rest)) {
		u64 n = MIN(sizeof(rest), a[1] - at);

		err = copy_in(t, rest, a[0] + at, n);
		for (u64 i = 0; i < n && !err; i++)
			err = rest[i] ? -E2BIG : 0;
	}
	return err;
}

s64 sys_clone3(struct thread *t, const u64 *a)
{
	struct k_clone_args c = {0};
	struct pid_wish wish = {0};
	int err = read_args(t, a, &c);

	if (err)
		return err;
	/* A new time namespace has the bit of what was a signal once. */
	if (c.flags & ((EXIT_SIGNAL_MASK & ~CLONE_NEWTIME) | CLONE_DETACHED) ||
	    (c.flags & (CLONE_THREAD | CLONE_PARENT) && c.exit_signal) ||
	    !c.stack != !c.stack_size || c.exit_signal > SIGNALS || !c.set_tid != !c.set_tid_size ||
	    c.set_tid_size > PID_NS_LEVELS)
		return -EINVAL;
	wish.count = (u32)c.set_tid_size;
	if (wish.count && copy_in(t, wish.nr, c.set_tid, wish.count * sizeof(wish.nr[0])))
		return -EFAULT;
	return clone_checked(t, &c, &wish);
}

s64 sys_set_tid_address(struct thread *t, const u64 *a)
{
	t->clear_child_tid = a[0];
	return show_pid(t, t->tid);
}
