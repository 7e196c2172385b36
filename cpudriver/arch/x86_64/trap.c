/*
 * Traps, by where they came from: a domain, the context that it runs, or the CPU driver itself.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/tramp.h"
#include "context.h"
#include "irq.h"
#include "kernel.h"
#include "log.h"
#include "sched.h"

struct fixup {
	u64 at, to;
};

extern const struct fixup fixups_start[], fixups_end[];

_Noreturn void trap_user(u32 vector, u64 error);
void trap_kernel(struct kernel_frame *frame);

/* An exception or interrupt from ring 3 (entry.S, trap_saved). */
_Noreturn void trap_user(u32 vector, u64 error)
{
	u64 address = vector == VECTOR_PF ? read_cr2() : 0;

	if (vector >= VECTOR_DOORBELL) {
		if (tramp_in_context)
			context_exit(EXIT_EVENT);
		else
			current->full = 1;
		irq_dispatch(vector);
	} else if (tramp_in_context) {
		context_trapped(vector, error, address);
	} else {
		domain_fault(current, vector, error, address);
	}
	sched_resume();
}

static _Noreturn void trap_panic(const struct kernel_frame *f)
{
	struct regs regs = {
		.rax = f->rax,
		.rbx = f->rbx,
		.rcx = f->rcx,
		.rdx = f->rdx,
		.rsi = f->rsi,
		.rdi = f->rdi,
		.rbp = f->rbp,
		.rsp = f->rsp,
		.r8 = f->r8,
		.r9 = f->r9,
		.r10 = f->r10,
		.r11 = f->r11,
		.r12 = f->r12,
		.r13 = f->r13,
		.r14 = f->r14,
		.r15 = f->r15,
		.rip = f->rip,
		.rflags = f->rflags,
	};

	panic_regs(&regs, "exception %lu, error 0x%lx, address 0x%lx", f->vector, f->error,
		   read_cr2());
}

/* A trap from ring 0: the end of idling, a copy that faulted, or a broken invariant. */
void trap_kernel(struct kernel_frame *f)
{
	if (f->vector >= VECTOR_DOORBELL && f->rip >= (u64)idle_halt &&
	    f->rip <= (u64)idle_halt_end) {
		irq_dispatch((u32)f->vector);
		sched_resume();
	}
	if (f->vector == VECTOR_DB) /* a trap of ring 3 that arrived behind SYSCALL */
		return;
	for (const struct fixup *x = fixups_start; x < fixups_end; x++) {
		if (f->rip == x->at && (f->vector == VECTOR_PF || f->vector == VECTOR_GP)) {
			f->rip = x->to;
			return;
		}
	}
	trap_panic(f);
}
