/* See signal.h: posting and taking. */
#include "signal.h"
#include "afar.h"
#include "family.h"
#include "pidns.h"
#include "sched.h"
#include "timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STOP_SIGNALS (SIG_MASK(SIGSTOP) | SIG_MASK(SIGTSTP) | SIG_MASK(SIGTTIN) | SIG_MASK(SIGTTOU))
#define IGNORED_SIGNALS                                                                            \
	(SIG_MASK(SIGCHLD) | SIG_MASK(SIGCONT) | SIG_MASK(SIGURG) | SIG_MASK(SIGWINCH))
/* Those that an instruction causes are taken first. */
#define FAULT_SIGNALS                                                                              \
	(SIG_MASK(SIGSEGV) | SIG_MASK(SIGBUS) | SIG_MASK(SIGILL) | SIG_MASK(SIGTRAP) |             \
	 SIG_MASK(SIGFPE) | SIG_MASK(SIGSYS))

/* ---- tables of handlers ---- */

struct sighand *sighand_new(void)
{
	struct sighand *s = calloc(1, sizeof(*s));

	if (s)
		s->refs = 1;
	return s;
}

struct sighand *sighand_copy(const struct sighand *from)
{
	struct sighand *s = malloc(sizeof(*s));

	if (s) {
		*s = *from;
		s->refs = 1;
	}
	return s;
}

void sighand_put(struct sighand *s)
{
	if (s && --s->refs == 0)
		free(s);
}

void sighand_reset(struct sighand *s)
{
	for (u32 i = 0; i < SIGNALS; i++) {
		u64 handler = s->action[i].handler == SIG_IGN ? SIG_IGN : SIG_DFL;

		s->action[i] = (struct k_sigaction){.handler = handler};
	}
}

bool signal_is_ignored(const struct process *p, int sig)
{
	u64 handler = p->sighand->action[sig - 1].handler;

	return handler == SIG_IGN || (handler == SIG_DFL && IGNORED_SIGNALS & SIG_MASK(sig));
}

/* ---- what is pending ---- */

/* @p  whose they are; NULL: it is past caring */
static void drop(struct process *p, struct pending *pending, u64 set)
{
	struct sigqueue **at = &pending->first;

	pending->set &= ~set;
	while (*at) {
		struct sigqueue *q = *at;

		if (set & SIG_MASK(q->info.signo)) {
			*at = q->next;
			if (p && q->info.code == SI_TIMER)
				posix_timer_dropped(p, &q->info);
			free(q);
		} else {
			at = &q->next;
		}
	}
}

void pending_clear(struct pending *pending)
{
	drop(NULL, pending, UINT64_MAX);
}

static u64 count(const struct pending *pending)
{
	u64 n = 0;

	for (const struct sigqueue *q = pending->first; q; q = q->next)
		n++;
	return n;
}

/* Signals below SIGRTMIN are pending once; without memory they come without their information. */
static int add(struct process *p, struct pending *pending, const struct k_siginfo *info)
{
	bool real_time = info->signo >= SIGRTMIN;
	struct sigqueue **at, *q;

	/* A timer's signal is one beside others of its number, and has its place already. */
	if (info->code != SI_TIMER && !real_time && pending->set & SIG_MASK(info->signo))
		return 0;
	if (real_time && info->code < 0 && info->code != SI_TIMER &&
	    count(pending) >= p->limits[RLIMIT_SIGPENDING].cur)
		return -EAGAIN;
	q = malloc(sizeof(*q));
	if (!q && real_time)
		return -EAGAIN;
	pending->set |= SIG_MASK(info->signo);
	if (!q)
		return 0;
	*q = (struct sigqueue){.info = *info};
	for (at = &pending->first; *at; at = &(*at)->next)
		;
	*at = q;
	return 0;
}

static void take(struct process *p, struct pending *pending, int sig, struct k_siginfo *info)
{
	struct sigqueue **at = &pending->first, *q;
	bool more = false;

	*info = (struct k_siginfo){.signo = sig};
	while (*at && (*at)->info.signo != sig)
		at = &(*at)->next;
	q = *at;
	if (q) {
		*info = q->info;
		*at = q->next;
		for (const struct sigqueue *r = q->next; r; r = r->next)
			more |= r->info.signo == sig;
		free(q);
	}
	if (info->code == SI_TIMER)
		posix_timer_taken(p, info);
	else if (sig == SIGALRM && p->real.interval_ns && !p->real.armed)
		timer_restart(&p->real, 0);
	if (!more)
		pending->set &= ~SIG_MASK(sig);
}

static int lowest(u64 set)
{
	return set & FAULT_SIGNALS ? __builtin_ctzl(set & FAULT_SIGNALS) + 1
				   : (set ? __builtin_ctzl(set) + 1 : 0);
}

int signal_take(struct thread *t, u64 set, struct k_siginfo *info)
{
	struct pending *from = &t->pending;
	int sig = lowest(from->set & set);

	if (!sig) {
		from = &t->process->pending;
		sig = lowest(from->set & set);
	}
	if (sig)
		take(t->process, from, sig, info);
	return sig;
}

bool signal_pending(const struct thread *t)
{
	return ((t->pending.set | t->process->pending.set) & ~t->sigmask) || signal_fatal(t) ||
	       t->process->stopped || t->process->leaving;
}

bool signal_fatal(const struct thread *t)
{
	return t->process->group_exit || t->exiting ||
	       (t->pending.set | t->process->pending.set) & SIG_MASK(SIGKILL);
}

void signal_set_mask(struct thread *t, u64 mask)
{
	t->sigmask = mask & ~SIG_UNBLOCKABLE;
}

/* ---- posting ---- */

void siginfo_from(struct k_siginfo *info, int sig, int code, const struct thread *from)
{
	*info = (struct k_siginfo){.signo = sig, .code = code};
	info->user.pid = (s32)show_pid(from, from->process->pid);
	info->user.uid = show_uid(from, from->cred.uid);
}

void signal_interrupt(struct thread *t)
{
	if (t->state == THREAD_IN_CALL && t->fiber && t->fiber != sched_fiber())
		fiber_interrupt(t->fiber);
	else if (t->state == THREAD_RUNNABLE)
		sched_preempt();
}

static void proceed(struct process *p, bool killed)
{
	if (!p->stopped)
		return;
	p->stopped = false;
	p->stop_report = 0;
	for (struct thread *t = p->threads; t; t = t->next)
		fiber_wake_all(&t->stopped);
	if (!killed) {
		p->cont_report = true;
		signal_parent(p, CLD_CONTINUED, SIGCONT);
	}
}

/* What happens at once, even if the signal is blocked or ignored. */
static void prepare(struct process *p, int sig)
{
	u64 gone = 0;

	if (sig == SIGCONT)
		gone = STOP_SIGNALS;
	else if (STOP_SIGNALS & SIG_MASK(sig))
		gone = SIG_MASK(SIGCONT);
	if (gone) {
		drop(p, &p->pending, gone);
		for (struct thread *t = p->threads; t; t = t->next)
			drop(p, &t->pending, gone);
	}
	if (sig == SIGCONT || sig == SIGKILL)
		proceed(p, sig == SIGKILL);
}

/*
 * Process 1 takes only what it has handlers for: it must not end. That of a namespace is ended and
 * stopped from outside, though, by SIGKILL and SIGSTOP that are forced.
 */
static bool is_protected(const struct process *p, int sig, int code, bool forced)
{
	if (!p->unkillable || p->sighand->action[sig - 1].handler != SIG_DFL)
		return false;
	if (p == init_process)
		return code != SI_KERNEL;
	return !forced || !(SIG_MASK(sig) & SIG_UNBLOCKABLE);
}

static int post(struct process *p, struct thread *only, const struct k_siginfo *info, bool forced)
{
	int sig = info->signo, err;
	struct thread *t = only;
	u64 bit;

	if (sig == 0 || p->zombie)
		return 0;
	bit = SIG_MASK(sig);
	prepare(p, sig);
	if (!t) {
		t = p->threads;
		while (t && t->sigmask & bit)
			t = t->next;
	}
	if (t && !(t->sigmask & bit) &&
	    (signal_is_ignored(p, sig) || is_protected(p, sig, info->code, forced))) {
		if (info->code == SI_TIMER)
			posix_timer_dropped(p, info);
		return 0;
	}
	err = add(p, only ? &only->pending : &p->pending, info);
	if (err)
		return err;
	if (sig == SIGKILL) {
		for (t = p->threads; t; t = t->next)
			signal_interrupt(t);
	} else if (t && !(t->sigmask & bit)) {
		signal_interrupt(t);
	} else {
		sched_signal_waiters(p); /* sigtimedwait waits for blocked ones */
		wait_wake(&signalfd_queue, 0);
	}
	return 0;
}

int signal_process(struct process *p, const struct k_siginfo *info)
{
	return post(p, NULL, info, info->code == SI_KERNEL);
}

int signal_thread(struct thread *t, const struct k_siginfo *info)
{
	return post(t->process, t, info, info->code == SI_KERNEL);
}

/* Does the information say who sent it? Codes of programs' own may: rt_sigqueueinfo(2). */
static bool has_sender(const struct k_siginfo *info)
{
	return info->code == SI_USER ||
	       (info->code < 0 && info->code != SI_TIMER && info->code != SI_SIGIO);
}

int signal_send(const struct thread *from, struct process *p, struct thread *only,
		const struct k_siginfo *info)
{
	bool is_above = p->pid_ns && !pid_ns_show(p->pid_ns, from->process->pid);
	struct k_siginfo seen = *info;

	if (has_sender(info)) {
		const struct thread *to = only ? only : p->threads;

		if (is_above)
			seen.user.pid = 0;
		if (to && to->cred.user_ns != from->cred.user_ns)
			seen.user.uid = show_uid(to, keep_uid(from, info->user.uid));
	}
	return post(p, only, &seen, is_above);
}

void signal_from_kernel(struct process *p, int sig)
{
	post(p, NULL, &(struct k_siginfo){.signo = sig, .code = SI_KERNEL}, true);
}

u32 signal_group(u32 pgrp, const struct k_siginfo *info)
{
	if (afar_is_on)
		afar_signal_group(pgrp, info);
	return signal_group_here(pgrp, info);
}

u32 signal_group_here(u32 pgrp, const struct k_siginfo *info)
{
	u32 n = 0;

	for (struct process *p = process_from(0); p; p = p->list_next) {
		if (p->pgrp == pgrp && !p->zombie) {
			signal_process(p, info);
			n++;
		}
	}
	return n;
}

void signal_force(struct thread *t, const struct k_siginfo *info)
{
	struct k_sigaction *action = &t->process->sighand->action[info->signo - 1];
	u64 bit = SIG_MASK(info->signo);

	if (t->sigmask & bit || action->handler == SIG_IGN)
		action->handler = SIG_DFL;
	/* It cannot go on: so process 1 ends, too. */
	if (action->handler == SIG_DFL)
		t->process->unkillable = false;
	t->sigmask &= ~bit;
	drop(t->process, &t->pending, bit);
	add(t->process, &t->pending, info);
}

void signal_parent(struct process *child, int code, int status)
{
	struct process *parent = child->parent;
	struct k_siginfo info = {.signo = SIGCHLD, .code = code};
	u64 user_ns, system_ns;
	bool stop = code == CLD_STOPPED || code == CLD_CONTINUED;
	int sig = stop ? SIGCHLD : child->exit_signal;

	if (!parent)
		return;
	if (parent->far) {
		family_tell_parent(child, code == CLD_STOPPED ? CHILD_STOPPED : CHILD_CONTINUED,
				   (u32)status);
		return;
	}
	fiber_wake_all(&parent->child_wait);
	if (sig == 0 || (stop && parent->sighand->action[SIGCHLD - 1].flags & SA_NOCLDSTOP))
		return;
	process_times(child, &user_ns, &system_ns);
	info.signo = sig;
	info.child.pid = (s32)pid_ns_show(parent->pid_ns, child->pid);
	info.child.uid = child->threads ? child->threads->cred.uid : child->uid;
	if (parent->threads)
		info.child.uid = show_uid(parent->threads, info.child.uid);
	info.child.status = status;
	info.child.utime = (s64)(user_ns / (1000000000 / TICKS_PER_S));
	info.child.stime = (s64)(system_ns / (1000000000 / TICKS_PER_S));
	signal_process(parent, &info);
}

/* ---- taking ---- */

/* Stay here until SIGCONT or SIGKILL. */
static void stay_stopped(struct thread *t)
{
	t->state = THREAD_STOPPED;
	while (t->process->stopped && !t->process->leaving && !signal_fatal(t))
		fiber_wait(sched_loop(), &t->stopped, FIBER_FOREVER);
	t->state = THREAD_IN_CALL;
}

bool signal_group_is_orphaned(u32 pgrp, u32 sid)
{
	return signal_group_is_orphaned_here(pgrp, sid) &&
	       (!afar_is_on || afar_group_is_orphaned(pgrp, sid));
}

bool signal_group_is_orphaned_here(u32 pgrp, u32 sid)
{
	for (struct process *p = process_from(0); p; p = p->list_next) {
		if (p->pgrp == pgrp && !p->zombie && p->parent && p->parent->pgrp != pgrp &&
		    p->parent->sid == (sid ? sid : p->sid) && p->parent->pid != 1)
			return false;
	}
	return true;
}

static void stop(struct thread *t, int sig)
{
	struct process *p = t->process;

	if (sig != SIGSTOP && signal_group_is_orphaned(p->pgrp, p->sid))
		return;
	p->stopped = true;
	p->stop_report = (u32)sig;
	p->cont_report = false;
	for (struct thread *other = p->threads; other; other = other->next) {
		if (other != t)
			signal_interrupt(other);
	}
	signal_parent(p, CLD_STOPPED, sig);
}

/* What a call that was interrupted returns, or that it is to be made again. */
static void settle_call(struct thread *t, const struct k_sigaction *handler)
{
	s64 result = (s64)t->regs->rax;
	bool again = true;

	if (t->call_number == UINT64_MAX || result > -E_RESTARTSYS || result < -E_RESTARTBLOCK)
		return;
	if (result == -E_RESTARTSYS)
		again = !handler || handler->flags & SA_RESTART;
	else if (result == -E_RESTARTNOHAND || result == -E_RESTARTBLOCK)
		again = !handler;
	if (!again) {
		t->regs->rax = (u64)-EINTR;
	} else {
		t->regs->rax = result == -E_RESTARTBLOCK ? 219 /* restart_syscall */
							 : t->call_number;
		t->regs->rip -= 2; /* SYSCALL is two bytes long */
	}
	t->call_number = UINT64_MAX;
}

static void run_handler(struct thread *t, int sig, const struct k_siginfo *info)
{
	struct k_sigaction *slot = &t->process->sighand->action[sig - 1], action = *slot;
	u64 old = t->restore_sigmask ? t->saved_sigmask : t->sigmask;
	u64 now = t->sigmask;

	settle_call(t, &action);
	if (action.flags & SA_RESETHAND)
		slot->handler = SIG_DFL;
	t->sigmask = old; /* what the frame keeps */
	if (!sigframe_push(t, sig, &action, info)) {
		if (sig == SIGSEGV)
			slot->handler = SIG_DFL;
		signal_force(t, &(struct k_siginfo){.signo = SIGSEGV, .code = SI_KERNEL});
		return;
	}
	t->restore_sigmask = false;
	now |= action.mask;
	if (!(action.flags & SA_NODEFER))
		now |= SIG_MASK(sig);
	signal_set_mask(t, now);
}

static void take_one(struct thread *t, int sig, const struct k_siginfo *info)
{
	u64 handler = t->process->sighand->action[sig - 1].handler;

	if (sig == SIGKILL)
		process_kill(t->process, SIGKILL);
	else if (handler == SIG_IGN || is_protected(t->process, sig, info->code, true))
		;
	else if (handler != SIG_DFL)
		run_handler(t, sig, info);
	else if (STOP_SIGNALS & SIG_MASK(sig))
		stop(t, sig);
	else if (!(IGNORED_SIGNALS & SIG_MASK(sig)))
		process_kill(t->process, (u32)sig);
}

void signal_deliver(struct thread *t)
{
	struct k_siginfo info;

	for (;;) {
		int sig;

		if (t->process->group_exit || t->exiting) {
			t->exiting = true;
			return;
		}
		if (t->process->stopped && !signal_fatal(t)) {
			stay_stopped(t);
			if (t->process->leaving)
				return; /* it is stopped where it goes */
			continue;
		}
		if ((t->pending.set | t->process->pending.set) & SIG_MASK(SIGKILL)) {
			process_kill(t->process, SIGKILL);
			continue;
		}
		sig = signal_take(t, ~t->sigmask, &info);
		if (!sig)
			break;
		take_one(t, sig, &info);
	}
	settle_call(t, NULL);
	if (t->restore_sigmask) {
		t->restore_sigmask = false;
		t->sigmask = t->saved_sigmask;
	}
}
