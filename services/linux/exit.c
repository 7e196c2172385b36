/*
 * The end of threads and processes, and waiting for it.
 *
 *   exit, a fatal signal -> thread_end for each thread -> zombie -> wait or SA_NOCLDWAIT -> reaped
 *
 * Runs in: the personality's domain. Source: exit_group(2), wait(2), credentials(7).
 */
#include "boot.h"
#include "directory.h"
#include "family.h"
#include "futex.h"
#include "misc.h"
#include "pidns.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "uaccess.h"

#include <rt/rt.h>
#include <stdlib.h>
#include <vfs/tty.h>

/* ---- ending ---- */

void process_kill(struct process *p, u32 status)
{
	if (p->group_exit)
		return;
	p->group_exit = true;
	p->exit_status = status;
	p->stopped = false;
	for (struct thread *t = p->threads; t; t = t->next) {
		fiber_wake_all(&t->stopped);
		signal_interrupt(t);
	}
}

s64 sys_exit_group(struct thread *t, const u64 *a)
{
	process_kill(t->process, (u32)(a[0] & 0xff) << 8);
	return 0;
}

s64 sys_exit(struct thread *t, const u64 *a)
{
	t->exiting = true;
	if (t->process->nthreads == 1)
		t->process->exit_status = (u32)(a[0] & 0xff) << 8;
	return 0;
}

/* Whom an orphan gets: the nearest ancestor that asked for it, or process 1; of its namespace. */
static struct process *new_parent(const struct process *p)
{
	for (struct process *q = p->parent; q && q->pid_ns == p->pid_ns; q = q->parent) {
		if (q->subreaper && !q->zombie)
			return q;
	}
	return pid_ns_reaper(p);
}

/* A group that becomes an orphan while stopped is told to go on: setpgid(2), _exit(2). */
static void wake_orphans(const struct process *p, u32 pgrp)
{
	bool stopped = false;

	for (struct process *q = process_from(0); q; q = q->list_next) {
		if (q == p || q->pgrp != pgrp || q->zombie || !q->parent)
			continue;
		stopped |= q->stopped;
		if (q->parent->pgrp != pgrp && q->parent->sid == q->sid && q->parent != p &&
		    q->parent != init_process)
			return;
	}
	if (!stopped)
		return;
	signal_group(pgrp, &(struct k_siginfo){.signo = SIGHUP, .code = SI_KERNEL});
	signal_group(pgrp, &(struct k_siginfo){.signo = SIGCONT, .code = SI_KERNEL});
}

/* PR_SET_PDEATHSIG: as if the one that dies had sent it. */
static void tell_death(struct thread *t, struct process *child)
{
	struct k_siginfo info;

	if (!child->death_signal || !signal_permitted(t, child, child->death_signal))
		return;
	siginfo_from(&info, child->death_signal, SI_USER, t);
	signal_send(t, child, NULL, &info);
}

/* Children that live elsewhere, or go to a parent that does. */
static bool is_far_affair(const struct process *child, const struct process *heir)
{
	return child->far || (heir ? heir->far : process_numbers.core != 0);
}

static void orphan_children(struct thread *t)
{
	struct process *p = t->process, *heir = new_parent(p);

	while (p->children) {
		struct process *child = p->children;

		if (is_far_affair(child, heir)) {
			family_bequeath(t, child, heir);
			continue;
		}
		process_disown(child);
		if (!heir || heir == p)
			continue;
		process_adopt(child, heir);
		tell_death(t, child);
		child->exit_signal = SIGCHLD;
		if (child->zombie)
			process_tell_end(child);
		else if (child->sid == p->sid)
			wake_orphans(p, child->pgrp);
	}
}

void process_inherited(struct process *child, u32 uid, u32 euid, bool may)
{
	const struct cred *c = child->threads ? &child->threads->cred : NULL;
	int sig = child->death_signal;

	if (c && sig &&
	    (may || euid == c->suid || euid == c->uid || uid == c->suid || uid == c->uid))
		signal_process(child, &(struct k_siginfo){.signo = sig, .code = SI_USER});
	if (!child->zombie)
		wake_orphans(NULL, child->pgrp);
}

static void leave_session(struct thread *t)
{
	struct process *p = t->process;

	if (p->sid == p->pid && t->vfs.ctty)
		tty_session_ended(t->vfs.ctty, p->sid);
	if (p->parent && p->parent->sid == p->sid && p->parent->pgrp != p->pgrp)
		wake_orphans(p, p->pgrp);
}

struct fiber_queue process_ends;

void process_tell_end(struct process *p)
{
	u32 status = p->exit_status;
	const struct k_sigaction *action;
	bool ignores;

	fiber_wake_all(&process_ends);
	if (!p->parent)
		return;
	if (p->parent->far) {
		family_ended(p);
		return;
	}
	action = &p->parent->sighand->action[SIGCHLD - 1];
	ignores = (p->exit_signal == SIGCHLD &&
		   (action->handler == SIG_IGN || action->flags & SA_NOCLDWAIT)) ||
		  pid_ns_is_ending(p->parent);
	if (status & 0x7f)
		signal_parent(p, CLD_KILLED, (int)(status & 0x7f));
	else
		signal_parent(p, CLD_EXITED, (int)(status >> 8));
	if (ignores)
		process_reap(p);
}

void process_end_vfork(struct process *p)
{
	if (!p->vfork_wait)
		return;
	fiber_wake_all(p->vfork_wait);
	p->vfork_wait = NULL;
}

/* The last thread is going: what the process has goes, but for what its parent will ask. */
static void process_end(struct thread *t)
{
	struct process *p = t->process;

	p->group_exit = true; /* whatever happens while files are closed */
	timer_cancel(&p->real);
	posix_timers_delete(p);
	cpu_timer_cancel(&p->virtual);
	cpu_timer_cancel(&p->prof);
	p->maxrss_pages = MAX(p->maxrss_pages, p->mm ? p->mm->peak_pages : 0);
	p->minor_faults += p->mm ? p->mm->minor_faults : 0;
	leave_session(t);
	mm_put(p->mm);
	p->mm = NULL;
	process_end_vfork(p);
	pid_ns_end(p);
	orphan_children(t);
	pending_clear(&p->pending);
}

void thread_end(struct thread *t)
{
	struct process *p = t->process;
	bool last = p->nthreads == 1;
	u64 user_ns, system_ns;
	u32 zero = 0;

	cpu_timers_forget(t);

	if (t->clear_child_tid && p->mm) {
		copy_out(t, t->clear_child_tid, &zero, sizeof(zero));
		futex_wake_at(p->mm, t->clear_child_tid, 1);
	}
	if (p->mm)
		futex_robust_exit(t);
	fd_table_put(&t->vfs, t->vfs.files);
	fs_context_put(t->vfs.fs);
	t->vfs.files = NULL;
	t->vfs.fs = NULL;
	if (last)
		process_end(t);
	pending_clear(&t->pending);
	thread_times(t, &user_ns, &system_ns);
	p->dead_user_ns += user_ns;
	p->dead_system_ns += system_ns;
	t->user_ticks = t->system_ticks = 0;
	t->state = THREAD_DEAD;
	if (last && p == init_process) {
		p->zombie = true;
		boot_first_ended(p);
	}
	if (!last) {
		thread_free(t);
		return;
	}
	p->zombie = true;
	pidfd_wake(p);
	process_tell_end(p); /* may free the process, and this thread with it */
}

void process_reap(struct process *p)
{
	struct process *parent = p->parent;

	if (parent) {
		parent->children_user_ns += p->dead_user_ns + p->children_user_ns;
		parent->children_system_ns += p->dead_system_ns + p->children_system_ns;
		parent->children_maxrss =
			MAX(parent->children_maxrss, MAX(p->maxrss_pages, p->children_maxrss));
		parent->children_minor_faults += p->minor_faults + p->children_minor_faults;
	}
	process_disown(p);
	while (p->threads)
		thread_free(p->threads);
	sighand_put(p->sighand);
	pidfd_forget(p);
	if (!numbers_is_home(&process_numbers, p->pid))
		directory_is_gone(p->pid);
	process_free(p);
}
