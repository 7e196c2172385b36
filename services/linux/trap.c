/* See trap.h. */
#include "trap.h"
#include "signal.h"

#include <rt/rt.h>

#define PF_WRITE 2u /* error code of a page fault: SDM vol. 3A, 4.7 */
#define PF_FETCH 16u

static void force(struct thread *t, int sig, int code, u64 addr)
{
	struct k_siginfo info = {.signo = sig, .code = code};

	info.fault.addr = addr;
	signal_force(t, &info);
}

/* When only the first process is left, and nobody's memory is about to come back. */
static void kill_first(bool dying)
{
	if (dying || init_process->group_exit)
		return;
	printf("linux: out of memory, and no process is left that could be killed\n");
	process_kill(init_process, SIGKILL);
}

void trap_out_of_memory(void)
{
	struct process *largest = NULL;
	bool dying = false;
	u64 pages = 0;

	for (struct process *p = process_from(0); p; p = p->list_next) {
		if (!p->mm || p == init_process)
			continue;
		dying |= p->group_exit;
		if (!p->group_exit && p->mm->pages.npages >= pages) {
			largest = p;
			pages = p->mm->pages.npages;
		}
	}
	if (!largest) {
		kill_first(dying);
		return;
	}
	printf("linux: out of memory: killed process %u (%s), %lu KiB\n", largest->pid,
	       process_thread(largest)->name, pages * PAGE_SIZE / KiB);
	process_kill(largest, SIGKILL);
}

static void page_fault(struct thread *t)
{
	const struct context_state *r = t->regs;
	u32 how =
		r->error & PF_WRITE ? TOUCH_WRITE : (r->error & PF_FETCH ? TOUCH_EXEC : TOUCH_READ);
	u64 addr = r->address;

	switch (mm_fault(thread_mm(t), addr, how)) {
	case 0:
		return;
	case TOUCH_MAPERR:
		return force(t, SIGSEGV, SEGV_MAPERR, addr);
	case TOUCH_ACCERR:
		return force(t, SIGSEGV, SEGV_ACCERR, addr);
	case TOUCH_BUS:
		return force(t, SIGBUS, BUS_ADRERR, addr);
	default:
		trap_out_of_memory();
	}
}

/* Which of the exceptions of x87 and SSE it was: SDM vol. 1, 8.5 and 11.5.1, by priority. */
static int float_code(u32 flags)
{
	if (flags & 1)
		return FPE_FLTINV;
	if (flags & 4)
		return FPE_FLTDIV;
	if (flags & 8)
		return FPE_FLTOVF;
	if (flags & 0x12)
		return FPE_FLTUND;
	return FPE_FLTRES;
}

static void float_exception(struct thread *t, bool sse)
{
	const u8 *area = t->regs->xstate;
	u32 mxcsr = *(const u32 *)(area + 24);
	u16 control = *(const u16 *)area, status = *(const u16 *)(area + 2);
	u32 flags = sse ? (mxcsr & 0x3f) & ~(mxcsr >> 7) : status & 0x3f & ~(u32)control;

	force(t, SIGFPE, float_code(flags), t->regs->rip);
}

static void exception(struct thread *t)
{
	const struct context_state *r = t->regs;

	switch (r->vector) {
	case 0:
		return force(t, SIGFPE, FPE_INTDIV, r->rip);
	case 1:
		return force(t, SIGTRAP, TRAP_TRACE, r->rip);
	case 3:
		return force(t, SIGTRAP, SI_KERNEL, 0);
	case 6:
		return force(t, SIGILL, ILL_ILLOPN, r->rip);
	case 11:
	case 12:
		return force(t, SIGBUS, SI_KERNEL, 0);
	case 16:
		return float_exception(t, false);
	case 17:
		return force(t, SIGBUS, BUS_ADRALN, 0);
	case 19:
		return float_exception(t, true);
	default:
		return force(t, SIGSEGV, SI_KERNEL, 0);
	}
}

void trap_handle(struct thread *t, s64 reason)
{
	t->call_number = UINT64_MAX;
	if (reason == EXIT_EVENT)
		return; /* for the sake of its signals */
	if (reason == EXIT_FAULT)
		page_fault(t);
	else if (reason == EXIT_EXCEPTION)
		exception(t);
	else /* registers that no processor would load: as the fault that loading them gives */
		force(t, SIGSEGV, SI_KERNEL, 0);
}
