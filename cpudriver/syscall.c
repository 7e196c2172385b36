/*
 * Dispatch of the calls in skerry/calls.h. Their functions take the arguments as they came, all
 * untrusted, and lie with what they are about (cap.c, ipc.c, ...).
 */
#include "syscall.h"
#include "aspace.h"
#include "context.h"
#include "irq.h"
#include "log.h"
#include "sched.h"

typedef s64 call_fn(u64, u64, u64, u64, u64);

static s64 call_null(void)
{
	return CALLS_VERSION;
}

/* One entry a call: a function with fewer parameters ignores the rest (System V ABI, 3.2.3). */
#define ENTRY(number, function) [CALL_##number] = (call_fn *)(void *)(function)

static call_fn *const calls[CALL_COUNT] = {
	ENTRY(NULL, call_null),
	ENTRY(WAIT, call_wait),
	ENTRY(YIELD, call_yield),
	ENTRY(CALL, call_call),
	ENTRY(REPLY, call_reply),
	ENTRY(REPLY_WAIT, call_reply_wait),
	ENTRY(REPLY_SAVE, call_reply_save),
	ENTRY(REPLY_TO, call_reply_to),
	ENTRY(RECEIVE_SLOT, call_receive_slot),
	ENTRY(CAP_COPY, call_cap_copy),
	ENTRY(CAP_DELETE, call_cap_delete),
	ENTRY(CAP_REVOKE, call_cap_revoke),
	ENTRY(CAP_PUT, call_cap_put),
	ENTRY(CAP_INFO, call_cap_info),
	ENTRY(RETYPE, call_retype),
	ENTRY(FRAME_MINT, call_frame_mint),
	ENTRY(ASPACE_DONATE, call_aspace_donate),
	ENTRY(ASPACE_UPDATE, call_aspace_update),
	ENTRY(DOMAIN_SETUP, call_domain_setup),
	ENTRY(DOMAIN_START, call_domain_start),
	ENTRY(DOMAIN_STOP, call_domain_stop),
	ENTRY(DOMAIN_INFO, call_domain_info),
	ENTRY(DOMAIN_EXIT, call_domain_exit),
	ENTRY(CONTEXT_SETUP, call_context_setup),
	ENTRY(RUN, call_run),
	ENTRY(TIMER_SET, call_timer_set),
	ENTRY(IRQ_ALLOC, call_irq_alloc),
	ENTRY(IRQ_BIND, call_irq_bind),
	ENTRY(IO, call_io),
	ENTRY(IO_WRITE, call_io_write),
	ENTRY(IOPORT_MINT, call_ioport_mint),
	ENTRY(DOORBELL_BIND, call_doorbell_bind),
	ENTRY(DOORBELL_MINT, call_doorbell_mint),
	ENTRY(DOORBELL_RING, call_doorbell_ring),
	ENTRY(CORE_INIT, call_core_init),
	ENTRY(CORE_STARTUP, call_core_startup),
	ENTRY(CORE_HALT, call_core_halt),
	ENTRY(CORE_MINT, call_core_mint),
	ENTRY(LOG_READ, call_log_read),
	ENTRY(LOG_WRITE, call_log_write),
	ENTRY(LOG_DIRECT, call_log_direct),
};

#define X(number, name, args, errors, what) static_assert(CALL_##name == (number), #name);
SKERRY_CALLS(X)
#undef X

static_assert(CALL_RUN == NUMBER_RUN, "asm.h");

/* Where entry.S goes for a domain, with its registers saved in @d. */
_Noreturn void syscall_domain(struct domain *d);

/* The same for RUN, of which only what RUN keeps is saved. */
_Noreturn void syscall_run(u64 context);

_Noreturn void syscall_domain(struct domain *d)
{
	struct regs *r = &d->regs;
	s64 result = -ENOSYS;

	d->info.calls++;
	if (r->rax < CALL_COUNT)
		result = calls[r->rax](r->rdi, r->rsi, r->rdx, r->r10, r->r8);
	if (result != CALL_DONE)
		r->rax = (u64)result;
	sched_resume();
}

_Noreturn void syscall_run(u64 context)
{
	current->info.calls++;
	current->regs.rax = (u64)call_run(context);
	sched_resume();
}
