/*
 * The local APIC. Registers by number as in SDM vol. 3A, table 11-1 (xAPIC offsets); x2APIC's
 * MSRs are MSR_X2APIC + offset / 16. The loop that waits for an xAPIC to accept a command is
 * bounded.
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/asm.h"
#include <errno.h>
#include "kernel.h"
#include "log.h"

#define REG_ID         0x20
#define REG_EOI        0xb0
#define REG_SPURIOUS   0xf0
#define REG_ICR        0x300
#define REG_ICR_HIGH   0x310
#define REG_LVT_TIMER  0x320
#define REG_LVT_LINT0  0x350
#define REG_LVT_LINT1  0x360
#define REG_LVT_ERROR  0x370
#define REG_INITIAL    0x380
#define REG_DIVIDE     0x3e0

#define ICR_INIT       0x500u
#define ICR_STARTUP    0x600u
#define ICR_ASSERT     0x4000u
#define ICR_PENDING    0x1000u
#define LVT_MASKED     0x10000u
#define TIMER_DEADLINE 0x40000u
#define DIVIDE_BY_1    0xbu

#define APIC_ENABLE    0x800ul
#define APIC_X2        0x400ul
#define APIC_BYTES     PAGE_SIZE

static bool x2apic;
static bool tsc_deadline;
static u64 phys_base;
static u64 timer_ratio; /* timer ticks in a tick of the TSC, 32.32 */

static u32 apic_read(u32 reg)
{
	if (x2apic)
		return (u32)rdmsr(MSR_X2APIC + reg / 16);
	return *(volatile u32 *)(APIC_BASE_VA + reg); /* a device register */
}

static void apic_write(u32 reg, u32 value)
{
	if (x2apic)
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		*(volatile u32 *)(APIC_BASE_VA + reg) = value;
}

/* Fill the one entry that the builder left empty for APIC_BASE_VA. */
static void map_registers(void)
{
	u64 *table = phys_to_virt(boot.kernel_root);
	u32 index[] = {KERNEL_SLOT, APIC_BASE_VA >> 30 & 511, APIC_BASE_VA >> 21 & 511};

	for (u32 i = 0; i < ARRAY_SIZE(index); i++) {
		if (!(table[index[i]] & 1))
			panic("no page table for the local APIC");
		table = phys_to_virt(table[index[i]] & 0xffffffffff000ul);
	}
	/* Present, writable, uncached (PWT, PCD), accessed, dirty, no execution. */
	table[APIC_BASE_VA >> 12 & 511] = phys_base | 0x7bul | 1ul << 63;
}

void apic_init(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	phys_base = base & 0xffffffffff000ul;
	x2apic = cpuid(1, 0).ecx & 1u << 21;
	tsc_deadline = cpuid(1, 0).ecx & 1u << 24;
	wrmsr(MSR_APIC_BASE, base | APIC_ENABLE);
	if (x2apic)
		wrmsr(MSR_APIC_BASE, base | APIC_ENABLE | APIC_X2);
	else
		map_registers();
	timer_ratio = (boot.apic_timer_hz << 32) / boot.tsc_hz; /* below 4 GHz */
	apic_write(REG_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
	apic_write(REG_LVT_LINT0, LVT_MASKED);
	apic_write(REG_LVT_LINT1, LVT_MASKED);
	apic_write(REG_LVT_ERROR, LVT_MASKED);
	apic_write(REG_DIVIDE, DIVIDE_BY_1);
	apic_write(REG_LVT_TIMER, VECTOR_TIMER | (tsc_deadline ? TIMER_DEADLINE : 0));
	/* The MSR write that arms a deadline must not pass this one (vol. 3A, 11.5.4.1). */
	if (tsc_deadline)
		__asm__ volatile("mfence" : : : "memory");
}

u32 apic_id(void)
{
	return x2apic ? apic_read(REG_ID) : apic_read(REG_ID) >> 24;
}

void apic_eoi(void)
{
	apic_write(REG_EOI, 0);
}

bool apic_owns(u64 phys, u64 bytes)
{
	return phys < phys_base + APIC_BYTES && phys + bytes > phys_base;
}

static int send(u32 id, u32 command)
{
	if (x2apic) {
		/* The command must not pass the stores it announces (vol. 3A, 11.12.3). */
		__asm__ volatile("mfence; lfence" : : : "memory");
		wrmsr(MSR_X2APIC + REG_ICR / 16, (u64)id << 32 | command);
		return 0;
	}
	if (id > 254)
		return -EINVAL;
	for (u32 i = 0; i < 100000 && apic_read(REG_ICR) & ICR_PENDING; i++)
		__asm__ volatile("pause");
	apic_write(REG_ICR_HIGH, id << 24);
	apic_write(REG_ICR, command);
	return 0;
}

int apic_send(u32 id, u32 vector)
{
	return send(id, ICR_ASSERT | vector);
}

int apic_send_init(u32 id)
{
	return send(id, ICR_ASSERT | ICR_INIT);
}

int apic_send_startup(u32 id, u32 page)
{
	return send(id, ICR_ASSERT | ICR_STARTUP | page);
}

/* @ticks of the TSC in ticks of the timer: at least one, at most what the register holds. */
static u32 timer_ticks(u64 ticks)
{
	u64 count = (u64)((unsigned __int128)ticks * timer_ratio >> 32);

	return count == 0 ? 1 : count > UINT32_MAX ? UINT32_MAX : (u32)count;
}

void apic_timer(u64 ticks)
{
	if (tsc_deadline)
		wrmsr(MSR_TSC_DEADLINE, ticks ? rdtsc() + ticks : 0);
	else
		apic_write(REG_INITIAL, ticks ? timer_ticks(ticks) : 0);
}
