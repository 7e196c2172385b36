/*
 * WAIT, and local calls between domains of this core.
 *
 *   caller                              server
 *   CALL   -> state CALLING, queued     ... or at once, if it waits for calls:
 *          -> state REPLY               WAIT returns WAIT_CALLED; server->caller is set
 *   CALL returns                        <- REPLY, REPLY_WAIT, or REPLY_TO for a saved caller
 *
 * Words travel from registers to registers: a caller's stay in its saved registers until the
 * server takes them. A call switches to the server directly, on the caller's time.
 */
#include "syscall.h"
#include "kernel.h"
#include "sched.h"

/* The words that calls and replies carry: rsi, rdx, r10, r8, r9. */
static void copy_words(struct regs *to, const struct regs *from)
{
	to->rsi = from->rsi;
	to->rdx = from->rdx;
	to->r10 = from->r10;
	to->r8 = from->r8;
	to->r9 = from->r9;
}

/* Move the capability in @from's slot @slot along. Returns WAIT_CAP if it arrived, else 0. */
static u64 copy_cap(struct domain *to, const struct domain *from, cap_t slot)
{
	struct cap *src, *dst;

	if (!slot)
		return 0;
	src = cap_slot(from, slot);
	dst = cap_receive_slot(to);
	/* It may have changed since it was checked, while the caller waited. */
	if (!src || !dst || cap_check_copy(src, src->rights))
		return 0;
	cap_perform_copy(dst, src, src->rights, src->type == CAP_ENDPOINT ? src->obj.badge : 0);
	to->receive = 0;
	return WAIT_CAP;
}

static int check_sending(cap_t slot)
{
	const struct cap *src;

	if (!slot)
		return 0;
	src = cap_slot(current, slot);
	return src ? cap_check_copy(src, src->rights) : -EBADF;
}

/* ---- the callers' queue of a server; a caller in it is not in a run queue ---- */

static void queue_caller(struct domain *server, struct domain *caller)
{
	caller->run_next = NULL;
	caller->run_prev = server->callers_last;
	if (server->callers_last)
		server->callers_last->run_next = caller;
	else
		server->callers = caller;
	server->callers_last = caller;
}

static void unqueue_caller(struct domain *server, struct domain *caller)
{
	if (caller->run_prev)
		caller->run_prev->run_next = caller->run_next;
	else
		server->callers = caller->run_next;
	if (caller->run_next)
		caller->run_next->run_prev = caller->run_prev;
	else
		server->callers_last = caller->run_prev;
	caller->run_next = caller->run_prev = NULL;
}

/* ---- delivery ---- */

/* @caller's call becomes the result of @server's WAIT. */
static void deliver(struct domain *server, struct domain *caller)
{
	server->regs.rax = WAIT_CALLED | copy_cap(server, caller, caller->sending);
	server->regs.rdi = caller->badge;
	copy_words(&server->regs, &caller->regs);
	server->caller = caller;
	caller->state = DOMAIN_REPLY;
}

void ipc_take_call(struct domain *d)
{
	struct domain *caller = d->callers;

	unqueue_caller(d, caller);
	deliver(d, caller);
}

void ipc_wake_events(struct domain *d)
{
	d->regs.rax = WAIT_EVENTS;
	d->regs.rdi = d->events & d->wait_mask;
	d->events &= ~d->wait_mask;
	sched_wake(d);
}

/* Wake a caller with an error instead of an answer. */
static void fail_caller(struct domain *caller, int err)
{
	caller->server = NULL;
	caller->reply_slot = NULL;
	caller->regs.rax = (u64)err;
	sched_wake(caller);
}

/* ---- calls ---- */

/* What the current domain waits for may be there already: then the WAIT ends at once. */
static bool wait_is_over(struct domain *d)
{
	if (d->events & d->wait_mask) {
		d->regs.rax = WAIT_EVENTS;
		d->regs.rdi = d->events & d->wait_mask;
		d->events &= ~d->wait_mask;
		return true;
	}
	if (d->wait_flags & WAIT_CALLS && d->callers && !d->caller) {
		ipc_take_call(d);
		return true;
	}
	return false;
}

s64 call_wait(u64 mask, u64 flags)
{
	struct domain *d = current;

	if (flags & ~(u64)(WAIT_CALLS | WAIT_POLL))
		return -EINVAL;
	d->wait_mask = mask;
	d->wait_flags = (u32)flags;
	if (wait_is_over(d))
		return CALL_DONE;
	if (flags & WAIT_POLL)
		return -EAGAIN;
	sched_block(d, DOMAIN_WAITING);
	return CALL_DONE;
}

/* Whether @server waits, directly or over others, for the answer of @caller. */
static bool waits_for(const struct domain *server, const struct domain *caller)
{
	for (u32 i = 0; server && i < DOMAINS_MAX; i++) {
		if (server == caller)
			return true;
		server = server->server;
	}
	return false;
}

s64 call_call(u64 endpoint)
{
	cap_t send = SEND_SLOT(endpoint);
	struct domain *d = current, *server;
	struct cap *ep;
	int err = cap_find((cap_t)endpoint, CAP_ENDPOINT, RIGHT_CALL, &ep);

	if (!err)
		err = check_sending(send);
	if (err)
		return err;
	server = ep->obj.ptr;
	if (server->state == DOMAIN_DEAD)
		return -EPIPE;
	if (waits_for(server, d))
		return -EDEADLK;
	d->server = server;
	d->badge = ep->obj.badge;
	d->sending = send;
	sched_block(d, DOMAIN_CALLING);
	if (server->state == DOMAIN_WAITING && server->wait_flags & WAIT_CALLS && !server->caller) {
		deliver(server, d);
		sched_hand_over(server);
	} else {
		queue_caller(server, d);
	}
	return CALL_DONE;
}

/* Give the current domain's words and capability to @caller; it is to be woken. */
static void answer(struct domain *caller, cap_t send)
{
	caller->regs.rax = copy_cap(caller, current, send);
	copy_words(&caller->regs, &current->regs);
	caller->server = NULL;
	caller->reply_slot = NULL;
}

/* REPLY up to the answer: 0 and *@caller, who is to be woken, or an error. */
static int reply(u64 send, struct domain **caller)
{
	int err = check_sending(SEND_SLOT(send));

	*caller = current->caller;
	if (!err && !*caller)
		err = -ESRCH;
	if (err)
		return err;
	current->caller = NULL;
	answer(*caller, SEND_SLOT(send));
	return 0;
}

s64 call_reply(u64 send)
{
	struct domain *caller;
	int err = reply(send, &caller);

	if (!err)
		sched_wake(caller);
	return err;
}

s64 call_reply_wait(u64 send)
{
	struct domain *d = current, *caller;
	int err = reply(send, &caller);

	if (err)
		return err;
	if (wait_is_over(d)) {
		sched_wake(caller);
		return CALL_DONE;
	}
	sched_block(d, DOMAIN_WAITING);
	if (caller->priority >= d->priority)
		sched_hand_over(caller);
	else
		sched_wake(caller);
	return CALL_DONE;
}

s64 call_reply_save(u64 slot)
{
	struct domain *caller = current->caller;
	struct cap *to;
	int err = cap_find_empty(current, (cap_t)slot, &to);

	if (err)
		return err;
	if (!caller)
		return -ESRCH;
	cap_insert(to, &(struct cap){.type = CAP_REPLY, .obj = {.ptr = caller}}, NULL);
	caller->reply_slot = to;
	current->caller = NULL;
	return 0;
}

s64 call_reply_to(u64 slot)
{
	struct cap *reply;
	struct domain *caller;
	int err = cap_find((cap_t)slot, CAP_REPLY, 0, &reply);

	if (!err)
		err = check_sending(SEND_SLOT(slot));
	if (err)
		return err;
	caller = reply->obj.ptr;
	memset(reply, 0, sizeof(*reply));
	if (!caller)
		return -EPIPE;
	answer(caller, SEND_SLOT(slot));
	sched_wake(caller);
	return 0;
}

s64 call_receive_slot(u64 slot)
{
	struct cap *to;
	int err = slot ? cap_find_empty(current, (cap_t)slot, &to) : 0;

	if (err)
		return err;
	current->receive = (cap_t)slot;
	return 0;
}

/* ---- when one side dies ---- */

void ipc_reply_lost(struct domain *caller)
{
	if (caller)
		fail_caller(caller, -EPIPE);
}

void ipc_domain_gone(struct domain *d)
{
	if (d->server) {
		if (d->state == DOMAIN_CALLING)
			unqueue_caller(d->server, d);
		else if (d->reply_slot)
			d->reply_slot->obj.ptr = NULL;
		else if (d->server->caller == d)
			d->server->caller = NULL;
		d->server = NULL;
	}
	while (d->callers) {
		struct domain *caller = d->callers;

		unqueue_caller(d, caller);
		fail_caller(caller, -EPIPE);
	}
	for (struct domain *o = domains; o; o = o->next) {
		if (o->server != d)
			continue;
		if (o->reply_slot)
			o->reply_slot->obj.ptr = NULL;
		fail_caller(o, -EPIPE);
	}
	d->caller = NULL;
}
