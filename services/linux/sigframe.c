/*
 * What a signal handler finds on its stack, and the way back (rt_sigreturn): exactly Linux's frame,
 * which debuggers, unwinders and programs know.
 *
 * Not here: which signal is taken (signal.c).
 * Runs in: the personality's domain. Source: sigaction(2), sigreturn(2), AMD64 supplement 1.0;
 * extended state: Intel SDM vol. 1, 13.4.
 */
#include "rseq.h"
#include "signal.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <string.h>

#define RED_ZONE 128ul
#define USER_CS  0x33
#define USER_SS  0x2b
#define RFLAGS_RESTORE                                                                             \
	0x50dd5ul /* what sigreturn may set: AC, OF, DF, TF, SF, ZF, AF, PF, CF, RF */
#define RFLAGS_CLEARED 0x10500ul /* for a handler: DF, TF, RF */
#define MXCSR_OFFSET   24u
#define MXCSR_MASK     0xffffu
#define XSTATE_HEADER  512u

static u32 area_bytes; /* of the area that the processor's enabled components need */
static u64 xstate_features;

void sigframe_init(void)
{
	u32 low, high;

	area_bytes = xstate_bytes();
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	xstate_features = (u64)high << 32 | low;
}

u64 sigframe_min_stack(void)
{
	return sizeof(struct k_sigframe) + RED_ZONE + ROUND_UP(area_bytes + 4, 64u) + 64;
}

static bool on_altstack(const struct thread *t, u64 sp)
{
	return !(t->altstack.flags & SS_AUTODISARM) && sp > t->altstack.sp &&
	       sp - t->altstack.sp <= t->altstack.size;
}

u32 altstack_flags(const struct thread *t, u64 sp)
{
	if (!t->altstack.size)
		return SS_DISABLE;
	return on_altstack(t, sp) ? SS_ONSTACK : 0;
}

static void save_registers(struct k_sigcontext *c, const struct context_state *r)
{
	*c = (struct k_sigcontext){
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.rdi = r->rdi,
		.rsi = r->rsi,
		.rbp = r->rbp,
		.rbx = r->rbx,
		.rdx = r->rdx,
		.rax = r->rax,
		.rcx = r->rcx,
		.rsp = r->rsp,
		.rip = r->rip,
		.eflags = r->rflags,
		.cs = USER_CS,
		.ss = USER_SS,
		.err = r->error,
		.trapno = r->vector,
		.cr2 = r->address,
	};
}

/* The extended state goes to @at with the marks that tell sigreturn how much there is. */
static int push_xstate(struct thread *t, u64 at)
{
	struct k_fp_sw sw = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = area_bytes + 4,
		.xfeatures = xstate_features,
		.xstate_size = area_bytes,
	};
	u32 magic2 = FP_XSTATE_MAGIC2;
	int err = copy_out(t, at, t->regs->xstate, area_bytes);

	if (!err)
		err = copy_out(t, at + FP_SW_OFFSET, &sw, sizeof(sw));
	if (!err)
		err = copy_out(t, at + area_bytes, &magic2, sizeof(magic2));
	return err;
}

bool sigframe_push(struct thread *t, int sig, const struct k_sigaction *action,
		   const struct k_siginfo *info)
{
	struct context_state *r = t->regs;
	struct k_sigframe frame = {.return_address = action->restorer, .info = *info};
	u64 sp = r->rsp - RED_ZONE, fp;

	if (!(action->flags & SA_RESTORER))
		return false;
	if (t->rseq)
		rseq_interrupted(t);
	if (action->flags & SA_ONSTACK && altstack_flags(t, r->rsp) == 0)
		sp = t->altstack.sp + t->altstack.size;
	fp = ROUND_DOWN(sp - area_bytes - 4, 64);
	sp = ROUND_DOWN(fp - sizeof(frame), 16) - 8;
	if (on_altstack(t, r->rsp) && !on_altstack(t, sp))
		return false;
	save_registers(&frame.uc.context, r);
	frame.uc.flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	frame.uc.stack = t->altstack;
	frame.uc.stack.flags = altstack_flags(t, r->rsp) | (t->altstack.flags & SS_AUTODISARM);
	frame.uc.context.oldmask = t->sigmask;
	frame.uc.context.fpstate = fp;
	frame.uc.sigmask = t->sigmask;
	if (push_xstate(t, fp) || copy_out(t, sp, &frame, sizeof(frame)))
		return false;
	if (t->altstack.flags & SS_AUTODISARM)
		t->altstack = (struct k_stack){.flags = SS_DISABLE};
	r->rsp = sp;
	r->rip = action->handler;
	r->rdi = (u64)sig;
	r->rsi = sp + offsetof(struct k_sigframe, info);
	r->rdx = sp + offsetof(struct k_sigframe, uc);
	r->rax = 0;
	r->rflags &= ~RFLAGS_CLEARED;
	r->rcx = r->rip;
	r->r11 = r->rflags;
	t->call_number = UINT64_MAX;
	return true;
}

/* ---- the way back ---- */

static void load_registers(struct context_state *r, const struct k_sigcontext *c)
{
	r->r8 = c->r8, r->r9 = c->r9, r->r10 = c->r10, r->r11 = c->r11;
	r->r12 = c->r12, r->r13 = c->r13, r->r14 = c->r14, r->r15 = c->r15;
	r->rdi = c->rdi, r->rsi = c->rsi, r->rbp = c->rbp, r->rbx = c->rbx;
	r->rdx = c->rdx, r->rax = c->rax, r->rcx = c->rcx, r->rsp = c->rsp;
	r->rip = c->rip;
	r->rflags = (r->rflags & ~RFLAGS_RESTORE) | (c->eflags & RFLAGS_RESTORE);
}

/* A program may have written anything there: what XRSTOR would refuse is refused here. */
static int pop_xstate(struct thread *t, u64 at)
{
	u8 *area = t->regs->xstate;
	struct k_fp_sw sw;
	u32 magic2 = 0, n;

	if (at == 0) {
		context_reset_xstate(t->regs);
		return 0;
	}
	if (copy_in(t, &sw, at + FP_SW_OFFSET, sizeof(sw)))
		return -EFAULT;
	if (sw.magic1 == FP_XSTATE_MAGIC1 && sw.xstate_size <= area_bytes &&
	    sw.xstate_size >= XSTATE_HEADER + 64)
		copy_in(t, &magic2, at + sw.xstate_size, sizeof(magic2));
	n = magic2 == FP_XSTATE_MAGIC2 ? sw.xstate_size : XSTATE_HEADER;
	if (copy_in(t, area, at, n))
		return -EFAULT;
	memset(area + n, 0, area_bytes - n);
	if (magic2 == FP_XSTATE_MAGIC2) {
		*(u64 *)(area + XSTATE_HEADER) &= xstate_features & sw.xfeatures;
		memset(area + XSTATE_HEADER + 8, 0, 56); /* the standard form: SDM 1, 13.4.2 */
	} else {
		*(u64 *)(area + XSTATE_HEADER) = 3;
	}
	*(u32 *)(area + MXCSR_OFFSET) &= MXCSR_MASK;
	return 0;
}

s64 sys_rt_sigreturn(struct thread *t, const u64 *a)
{
	struct context_state *r = t->regs;
	struct k_sigframe frame;

	(void)a;
	if (copy_in(t, &frame, r->rsp - 8, sizeof(frame)) || frame.uc.context.rip >= MM_TOP ||
	    pop_xstate(t, frame.uc.context.fpstate)) {
		signal_force(t, &(struct k_siginfo){.signo = SIGSEGV, .code = SI_KERNEL});
		return 0;
	}
	load_registers(r, &frame.uc.context);
	signal_set_mask(t, frame.uc.sigmask);
	if (!(frame.uc.stack.flags & SS_ONSTACK) || !on_altstack(t, r->rsp))
		altstack_set(t, &frame.uc.stack);
	t->call_number = UINT64_MAX;
	return (s64)r->rax;
}

/* sigaltstack(2)'s checks and effect. */
int altstack_set(struct thread *t, const struct k_stack *stack)
{
	u32 mode = stack->flags & ~SS_AUTODISARM;

	if (altstack_flags(t, t->regs->rsp) == SS_ONSTACK)
		return -EPERM;
	if (mode != 0 && mode != SS_DISABLE && mode != SS_ONSTACK)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		t->altstack = (struct k_stack){.flags = SS_DISABLE};
		return 0;
	}
	if (stack->size < MINSIGSTKSZ)
		return -ENOMEM;
	t->altstack = (struct k_stack){
		.sp = stack->sp,
		.flags = stack->flags & SS_AUTODISARM,
		.size = stack->size,
	};
	return 0;
}
