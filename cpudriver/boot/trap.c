/*
 * Exceptions in the loader: there should be none, but firmware's tables can say anything about the
 * machine; so there is a last word with which one can look for the cause.
 *
 * Runs in: the loader. Source: Intel SDM vol. 3A, 6.14 (64-bit interrupt descriptors).
 */
#include "loader.h"
#include "arch/x86_64/asm.h"
#include "arch/x86_64/cpu.h"

#define TRAPS          32u
#define STUB_BYTES     16u
#define INTERRUPT_GATE 0x8e /* present, ring 0 */

struct gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_middle;
	u32 offset_high;
	u32 reserved;
};

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

	for (u32 i = 0; i < TRAPS; i++) {
		u64 stub = (u64)trap_stubs + i * STUB_BYTES;

		idt[i] = (struct gate){(u16)stub,         SEL_KERNEL_CS,     0, INTERRUPT_GATE,
				       (u16)(stub >> 16), (u32)(stub >> 32), 0};
	}
	__asm__ volatile("lidt %0" : : "m"(idtr));
}
