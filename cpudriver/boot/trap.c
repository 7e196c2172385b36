/*
 * Exceptions in the loader: there should be none, but firmware's tables can say anything about the
 * machine; so there is a last word with which one can look for the cause.
 *
 * Runs in: the loader. Source: Intel SDM vol. 3A, 6.14 (64-bit interrupt descriptors).
 */
#include "loader.h"
#include "arch/x86_64/asm.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/gate.h"

#define TRAPS 32u

struct frame {
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

extern char trap_stubs[];

void trap(const struct frame *f);

void trap(const struct frame *f)
{
	fail("the loader failed: exception %lu, error 0x%lx, at 0x%lx, address 0x%lx", f->vector,
	     f->error, f->rip, read_cr2());
}

void trap_init(void)
{
	static struct gate idt[TRAPS];
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = {sizeof(idt) - 1, (u64)idt};

	for (u32 i = 0; i < TRAPS; i++)
		idt[i] = gate_make((u64)trap_stubs + i * TRAP_STUB_BYTES, 0, GATE_INTERRUPT);
	__asm__ volatile("lidt %0" : : "m"(idtr));
}
