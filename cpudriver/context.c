/*
 * Contexts: entering foreign code and coming back. See context.h.
 *
 * While a context runs, its runner is the current domain, in the middle of its RUN call; whatever
 * ends the run becomes that call's result.
 */
#include "context.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/tramp.h"
#include "domain.h"
#include "kernel.h"
#include "sched.h"
#include "syscall.h"

#define CONTEXTS_MAX 32768u /* on one address space: bounds the walks over them */

/* The state of the context that runs. */
static struct context_state *context_running(void)
{
	return (struct context_state *)tramp_regs;
}

void context_unbind(struct context *ctx)
{
	struct aspace *as = ctx->aspace;

	if (!as)
		return;
	if (ctx->prev)
		ctx->prev->next = ctx->next;
	else
		as->contexts = ctx->next;
	if (ctx->next)
		ctx->next->prev = ctx->prev;
	as->context_count--;
	ctx->aspace = NULL;
	ctx->state = NULL;
	ctx->next = ctx->prev = NULL;
}

void context_destroy(struct context *ctx)
{
	context_unbind(ctx);
}

void context_forget_states(struct aspace *as, u64 base, u64 bytes)
{
	struct context *next;

	for (struct context *c = as->contexts; c; c = next) {
		u64 phys = virt_to_phys(c->state);

		next = c->next;
		if (phys >= base && phys - base < bytes)
			context_unbind(c);
	}
}

s64 call_context_setup(u64 context, u64 aspace, u64 frame, u64 offset)
{
	struct cap *target, *space, *page;
	struct context *ctx;
	struct aspace *as;
	int err = cap_find((cap_t)context, CAP_CONTEXT, RIGHT_OWN, &target);

	if (!err)
		err = cap_find((cap_t)aspace, CAP_ASPACE, RIGHT_OWN, &space);
	if (!err)
		err = cap_find((cap_t)frame, CAP_FRAME, RIGHT_READ | RIGHT_WRITE, &page);
	if (err)
		return err;
	as = space->obj.ptr;
	if (!as->for_contexts || as->dead || offset % PAGE_SIZE || page->mem.bytes < PAGE_SIZE ||
	    offset > page->mem.bytes - PAGE_SIZE)
		return -EINVAL;
	if (!phys_is_own(page->mem.base + offset, PAGE_SIZE))
		return -EPERM;
	if (as->context_count >= CONTEXTS_MAX)
		return -ENOSPC;
	ctx = target->obj.ptr;
	context_unbind(ctx);
	cap_note_mappable(page);
	ctx->state = phys_to_virt(page->mem.base + offset);
	ctx->aspace = as;
	ctx->next = as->contexts;
	if (as->contexts)
		as->contexts->prev = ctx;
	as->contexts = ctx;
	as->context_count++;
	return 0;
}

/*
 * Load what a context has beyond its registers. The processor refuses what is malformed (QEMU's TCG
 * takes any base, so those are looked at here); some of it may be loaded then.
 */
static inline int load_rest(const struct context_state *st)
{
	if (unlikely((st->fs_base | st->gs_base) >= USER_END) &&
	    !(is_canonical(st->fs_base) && is_canonical(st->gs_base)))
		return -EINVAL;
	wrfsbase(st->fs_base);
	wrgsbase(st->gs_base);
	return xstate_load_checked(st->xstate);
}

/* How a state was left that RUN could not load whole. */
static __attribute__((noinline, cold)) int run_refused(struct domain *d, int err)
{
	xstate_load(xstate_initial);
	sched_load_bases(d);
	return err;
}

s64 call_run(u64 context)
{
	struct domain *d = current;
	struct cap *target;
	struct context *ctx;
	struct context_state *st;
	int err = cap_find((cap_t)context, CAP_CONTEXT, RIGHT_OWN, &target);

	if (unlikely(err))
		return err;
	ctx = target->obj.ptr;
	st = ctx->state;
	if (unlikely(!st))
		return -EBUSY;
	if (unlikely(st->rip >= USER_END))
		return -EINVAL;
	if (unlikely(d->events & d->wait_mask || sched_pending)) {
		st->reason = EXIT_EVENT;
		return EXIT_EVENT;
	}
	d->regs.fs_base = rdfsbase();
	err = load_rest(st);
	if (unlikely(err))
		return run_refused(d, err);
	st->rflags = (st->rflags & RFLAGS_USER) | RFLAGS_FIXED | RFLAGS_IF;
	/* SYSRET with TF traps before the next instruction: a single step would never get on. */
	context_enter(st, aspace_enter_cr3(ctx->aspace),
		      st->rcx == st->rip && st->r11 == st->rflags && !(st->rflags & RFLAGS_TF));
}

void context_exit(u32 reason)
{
	struct domain *d = current;
	struct context_state *st = context_running();

	tramp_in_context = 0;
	tramp_regs = &d->regs;
	st->reason = reason;
	st->fs_base = rdfsbase();
	st->gs_base = rdgsbase();
	xstate_save(st->xstate);
	xstate_load(xstate_initial);
	wrfsbase(d->regs.fs_base);
	d->regs.rax = reason;
}

void context_trapped(u32 vector, u64 error, u64 address)
{
	struct context_state *st = context_running();

	st->vector = vector;
	st->error = error;
	st->address = address;
	context_exit(vector == VECTOR_PF ? EXIT_FAULT : EXIT_EXCEPTION);
}
