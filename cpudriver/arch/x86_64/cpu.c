/*
 * Set-up of this core's processor: descriptor tables, SYSCALL, extended state, PCID.
 *
 * The start-up code (boot/head.S, trampoline.S) has already turned on NX, write protection, SMEP,
 * SMAP, UMIP, FSGSBASE and XSAVE in the control registers; here they are checked, not set.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/gate.h"
#include "arch/x86_64/tramp.h"
#include "kernel.h"
#include "log.h"

#define CR4_FSGSBASE (1ul << 16)
#define CR4_OSXSAVE  (1ul << 18)

#define XCR0_X87_SSE 0x3ul
#define XCR0_AVX     0x4ul
#define XCR0_AVX512  0xe0ul

bool cpu_has_pcid;
bool cpu_has_smap;
u64 xstate_mask;

/* Legacy region with the default control words (SDM vol. 1, 13.6); all components initial. */
u8 xstate_initial[4096] __attribute__((aligned(64)));

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 io_map;
} __attribute__((packed));

extern struct gate idt[256];
extern u64 gdt[];
extern struct tss tss;
extern char entry_stack_top[], ist_stacks[];
extern const char gdt_pointer[], idt_pointer[];

static_assert(sizeof(struct tss) == 104, "SDM vol. 3A, figure 8-11");

static u8 stack_of(u32 vector)
{
	switch (vector) {
	case VECTOR_DB:
		return 1;
	case VECTOR_NMI:
	case VECTOR_MC:
		return 2;
	case VECTOR_DF:
		return 3;
	default:
		return 0;
	}
}

static void set_gates(void)
{
	for (u32 v = 0; v < 256; v++) {
		u8 type = v == VECTOR_BP || v == VECTOR_OF ? GATE_INTERRUPT | GATE_ANYBODY
							   : GATE_INTERRUPT;

		idt[v] = gate_make((u64)trap_stubs + TRAP_STUB_BYTES * v, stack_of(v), type);
	}
}

static void set_tss(void)
{
	u64 base = (u64)&tss;

	tss.rsp[0] = (u64)entry_stack_top;
	for (u32 i = 0; i < 3; i++)
		tss.ist[i] = (u64)ist_stacks + (i + 1) * IST_STACK_BYTES;
	tss.io_map = sizeof(tss); /* no I/O ports for ring 3 */
	gdt[SEL_TSS / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ul << 40 |
			   (base >> 24 & 0xff) << 56;
	gdt[SEL_TSS / 8 + 1] = base >> 32;
}

static void load_tables(void)
{
	__asm__ volatile("lgdt (%0)\n\t"
			 "lidt (%1)\n\t"
			 "pushq %2\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\tmovl %3, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 "movl %%eax, %%fs\n\t"
			 "movl %%eax, %%gs\n\t"
			 "movw %4, %%ax\n\t"
			 "ltr %%ax"
			 :
			 : "r"(gdt_pointer), "r"(idt_pointer), "i"(SEL_KERNEL_CS),
			   "i"(SEL_KERNEL_SS), "i"(SEL_TSS)
			 : "rax", "memory");
}

static void set_syscall(void)
{
	wrmsr(MSR_STAR, (u64)SEL_USER32_CS << 48 | (u64)SEL_KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)syscall_entry);
	wrmsr(MSR_CSTAR, (u64)syscall32_entry);
	wrmsr(MSR_FMASK, RFLAGS_IF | RFLAGS_TF | RFLAGS_NT | RFLAGS_AC | RFLAGS_DF | 0x3000);
}

/* Components that fit in the areas that domains and contexts have (SDM vol. 1, 13.2, 13.3). */
static void set_xstate(void)
{
	u64 supported = cpuid(0xd, 0).eax;
	u64 mask = supported & (XCR0_X87_SSE | XCR0_AVX);

	if ((supported & XCR0_AVX512) == XCR0_AVX512 && mask & XCR0_AVX)
		mask |= XCR0_AVX512;
	__asm__ volatile("xsetbv" : : "c"(0), "a"((u32)mask), "d"(0));
	if (cpuid(0xd, 0).ebx > sizeof(((struct context_state *)0)->xstate))
		panic("extended state of %u bytes is larger than its area", cpuid(0xd, 0).ebx);
	xstate_mask = mask;

	*(u16 *)xstate_initial = 0x37f;         /* x87 control word */
	*(u32 *)(xstate_initial + 24) = 0x1f80; /* MXCSR */
}

void cpu_init(void)
{
	u64 cr4 = read_cr4();

	if (!(cr4 & CR4_OSXSAVE) || !(cr4 & CR4_FSGSBASE))
		panic("this processor lacks %s, which Skerry needs",
		      cr4 & CR4_OSXSAVE ? "FSGSBASE" : "XSAVE");
	cpu_has_smap = cr4 & 1ul << 21;
	set_gates();
	set_tss();
	load_tables();
	set_syscall();
	set_xstate();
	/* PCIDs may only be turned on while CR3 holds none (vol. 3A, 4.10.1). */
	cpu_has_pcid = cpuid(1, 0).ecx & 1u << 17;
	if (cpu_has_pcid)
		write_cr4(cr4 | CR4_PCIDE);
}
