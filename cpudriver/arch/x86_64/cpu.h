/*
 * The processor: instructions that C cannot say, control registers, MSRs, and the per-core set-up
 * of descriptor tables and extended state. Section numbers are of the Intel SDM (2024).
 *
 * Runs in: the CPU driver, ring 0, interrupts off.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <errno.h>
#include <skerry/types.h>

#define CR0_WP       (1ul << 16)
#define CR4_PCIDE    (1ul << 17)
#define CR3_NOFLUSH  (1ul << 63)
#define RFLAGS_FIXED 0x2ul
#define RFLAGS_IF    0x200ul
#define RFLAGS_TF    0x100ul
#define RFLAGS_NT    0x4000ul
#define RFLAGS_AC    0x40000ul
#define RFLAGS_DF    0x400ul
/* What foreign code may choose: CF PF AF ZF SF TF DF OF RF AC ID. */
#define RFLAGS_USER      0x250dd5ul

#define MSR_APIC_BASE    0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC       0x800 /* + register / 16 (vol. 3A, table 11-6) */
#define MSR_EFER         0xc0000080
#define MSR_STAR         0xc0000081
#define MSR_LSTAR        0xc0000082
#define MSR_CSTAR        0xc0000083
#define MSR_FMASK        0xc0000084

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid(u32 leaf, u32 sub)
{
	struct cpuid_regs r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(sub));
	return r;
}

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

static inline u64 read_cr2(void)
{
	u64 v;

	__asm__ volatile("movq %%cr2, %0" : "=r"(v));
	return v;
}

static inline void write_cr3(u64 v)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(v) : "memory");
}

static inline u64 read_cr4(void)
{
	u64 v;

	__asm__ volatile("movq %%cr4, %0" : "=r"(v));
	return v;
}

static inline void write_cr4(u64 v)
{
	__asm__ volatile("movq %0, %%cr4" : : "r"(v) : "memory");
}

static inline void invlpg(u64 va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline u64 rdfsbase(void)
{
	u64 v;

	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}

static inline u64 rdgsbase(void)
{
	u64 v;

	__asm__ volatile("rdgsbase %0" : "=r"(v));
	return v;
}

static inline void wrfsbase(u64 v)
{
	__asm__ volatile("wrfsbase %0" : : "r"(v));
}

static inline void wrgsbase(u64 v)
{
	__asm__ volatile("wrgsbase %0" : : "r"(v));
}

static inline void outb(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outw(u16 port, u16 v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outl(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u16 inw(u16 port)
{
	u16 v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u32 inl(u16 port)
{
	u32 v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

/** Whether @va could be loaded into a base register: bits 63 to 47 are equal (vol. 1, 3.3.7.1). */
static inline bool is_canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}

/** Stop this core: interrupts off, halted, for ever. */
static inline _Noreturn void cpu_stop(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

/** Descriptor tables, SYSCALL, XSAVE, PCID. Panics if the processor lacks what Skerry needs. */
void cpu_init(void);

extern bool cpu_has_pcid;
extern u64 xstate_mask; /* components that are saved: XCR0 */

static inline void xstate_save(void *area)
{
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(area), "a"((u32)xstate_mask), "d"((u32)(xstate_mask >> 32))
			 : "memory");
}

/** Load extended state from @area, written by a CPU driver. */
static inline void xstate_load(const void *area)
{
	__asm__ volatile("xrstor64 (%0)"
			 :
			 : "r"(area), "a"((u32)xstate_mask), "d"((u32)(xstate_mask >> 32))
			 : "memory");
}

/** Load extended state from @area, written by anyone. Returns 0 or -EFAULT (malformed). */
static inline int xstate_load_checked(const void *area)
{
	__asm__ goto("1:	xrstor64 (%0)\n\t"
		     ".pushsection .fixups, \"a\"\n\t"
		     ".quad 1b, %l[malformed]\n\t"
		     ".popsection"
		     :
		     : "r"(area), "a"((u32)xstate_mask), "d"((u32)(xstate_mask >> 32))
		     : "memory"
		     : malformed);
	return 0;
malformed:
	return -EFAULT;
}

/* Extended state as a program expects it when it starts. */
extern u8 xstate_initial[];

#endif
