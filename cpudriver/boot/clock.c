/*
 * How fast the time-stamp counter and the local APIC's timer run: from CPUID where the processor
 * tells, else measured against a clock whose rate is known: the HPET, or the PC's old timer.
 *
 * Runs in: the loader, on the first core; all cores' clocks have the same rate.
 * Source: Intel SDM vol. 2A, CPUID leaves 15H and 16H; vol. 3A, 11.5.4 (APIC timer) and 18.17
 * (TSC); IA-PC HPET specification 1.0a, 2.3; Intel 8254 data sheet.
 */
#include "loader.h"
#include "arch/x86_64/cpu.h"

#define NS_PER_S          1000000000ul
#define MEASURE_NS        20000000ul
#define MEASURE_POLLS     50000000u /* far more than fit in that time */
#define READ_TRIES        16

#define HPET_CAPABILITIES 0x00 /* upper half: period in femtoseconds */
#define HPET_CONFIG       0x10
#define HPET_COUNTER      0xf0
#define HPET_ENABLE       1u
#define HPET_PERIOD_MAX   100000000u /* femtoseconds; more is not allowed (2.3.4) */

#define PIT_HZ            1193182ul
#define PIT_CHANNEL2      0x42
#define PIT_COMMAND       0x43
#define PIT_MODE0         0xb0 /* channel 2, both bytes, count down once */
#define PIT_LATCH2        0x80
#define PIT_GATE          0x61 /* bit 0: channel 2 counts, bit 1: and is heard */

#define APIC_ENABLE       (1u << 11) /* of MSR_APIC_BASE */
#define APIC_X2           (1u << 10)
#define APIC_SPURIOUS     0xf0
#define APIC_TIMER        0x320
#define APIC_INITIAL      0x380
#define APIC_CURRENT      0x390
#define APIC_DIVIDE       0x3e0
#define APIC_SOFT_ON      0x100
#define APIC_MASKED       0x10000
#define APIC_DIVIDE_1     0xb

/* A clock of known rate; counts up, and wraps below @mask. */
struct reference {
	const char *name;
	u64 (*read)(void);
	u64 mask;
	u64 femtoseconds; /* a tick */
};

/* All clocks read at one moment. */
struct sample {
	u64 reference;
	u64 tsc;
	u32 apic;
};

static volatile u8 *hpet;

static u32 hpet_register(u32 offset)
{
	return *(volatile u32 *)(hpet + offset);
}

static u64 hpet_read(void)
{
	return hpet_register(HPET_COUNTER);
}

static bool hpet_start(u64 base, struct reference *r)
{
	u32 period;

	hpet = base ? phys_map(base, PAGE_SIZE) : NULL;
	if (!hpet)
		return false;
	period = hpet_register(HPET_CAPABILITIES + 4);
	if (period == 0 || period > HPET_PERIOD_MAX)
		return false;
	*(volatile u32 *)(hpet + HPET_CONFIG) = hpet_register(HPET_CONFIG) | HPET_ENABLE;
	*r = (struct reference){"HPET", hpet_read, UINT32_MAX, period};
	return true;
}

static u64 pit_read(void)
{
	u32 low;

	outb(PIT_COMMAND, PIT_LATCH2);
	low = inb(PIT_CHANNEL2);
	return 0xffffu - (low | (u32)inb(PIT_CHANNEL2) << 8);
}

/* It counts down from 65535 once, in 55 ms. */
static void pit_start(struct reference *r)
{
	outb(PIT_GATE, (inb(PIT_GATE) & ~2u) | 1);
	outb(PIT_COMMAND, PIT_MODE0);
	outb(PIT_CHANNEL2, 0xff);
	outb(PIT_CHANNEL2, 0xff);
	*r = (struct reference){"PIT", pit_read, 0xffff, NS_PER_S * 1000000 / PIT_HZ};
}

static u32 apic_read(u32 reg)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	if (base & APIC_X2)
		return (u32)rdmsr(MSR_X2APIC + reg / 16);
	return *(volatile u32 *)((base & ~(PAGE_SIZE - 1)) + reg);
}

static void apic_write(u32 reg, u32 value)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	if (base & APIC_X2)
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		*(volatile u32 *)((base & ~(PAGE_SIZE - 1)) + reg) = value;
}

static void apic_timer_start(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_ENABLE);
	apic_write(APIC_SPURIOUS, apic_read(APIC_SPURIOUS) | APIC_SOFT_ON | 0xff);
	apic_write(APIC_TIMER, APIC_MASKED);
	apic_write(APIC_DIVIDE, APIC_DIVIDE_1);
	apic_write(APIC_INITIAL, UINT32_MAX);
}

/* Reads all three, again and again; counts the time when that went fastest, for no interrupt of a
 * hypervisor fell into it. */
static struct sample read_all(const struct reference *r)
{
	struct sample best = {0};
	u64 best_took = UINT64_MAX;

	for (int i = 0; i < READ_TRIES; i++) {
		u64 before = rdtsc();
		u64 reference = r->read();
		u32 apic = apic_read(APIC_CURRENT);
		u64 took = rdtsc() - before;

		if (took >= best_took)
			continue;
		best_took = took;
		best = (struct sample){reference, before + took / 2, apic};
	}
	return best;
}

/* Returns false if @r does not run. */
static bool measure(const struct reference *r, struct clocks *c)
{
	struct sample from, to;
	u64 ns = 0;

	apic_timer_start();
	from = read_all(r);
	for (u32 i = 0; i < MEASURE_POLLS && ns < MEASURE_NS; i++)
		ns = ((r->read() - from.reference) & r->mask) * r->femtoseconds / 1000000;
	to = read_all(r);
	apic_write(APIC_INITIAL, 0);
	if (ns < MEASURE_NS)
		return false;
	ns = ((to.reference - from.reference) & r->mask) * r->femtoseconds / 1000000;
	c->tsc_hz = (to.tsc - from.tsc) * NS_PER_S / ns;
	c->apic_timer_hz = (from.apic - to.apic) * NS_PER_S / ns;
	return true;
}

/* Whether the processor tells both rates by itself. */
static bool ask_processor(struct clocks *c)
{
	u32 leaves = cpuid(0, 0).eax;
	struct cpuid_regs ratio = {0};
	u64 crystal;

	if (leaves >= 0x15)
		ratio = cpuid(0x15, 0);
	if (!ratio.eax || !ratio.ebx)
		return false;
	crystal = ratio.ecx;
	if (!crystal && leaves >= 0x16) /* base frequency in MHz */
		crystal = cpuid(0x16, 0).eax * 1000000ul * ratio.eax / ratio.ebx;
	c->tsc_hz = crystal * ratio.ebx / ratio.eax;
	c->apic_timer_hz = crystal;
	return crystal != 0;
}

void clock_measure(u64 hpet_base, struct clocks *c)
{
	struct reference r;
	const char *source = "CPUID";

	if (!ask_processor(c)) {
		bool measured = hpet_start(hpet_base, &r) && measure(&r, c);

		if (!measured) {
			pit_start(&r);
			measured = measure(&r, c);
		}
		if (!measured)
			fail("no clock to measure others by: neither HPET nor PIT runs");
		source = r.name;
	}
	say("TSC %lu.%03lu MHz, APIC timer %lu.%03lu MHz (by %s)", c->tsc_hz / 1000000,
	    c->tsc_hz / 1000 % 1000, c->apic_timer_hz / 1000000, c->apic_timer_hz / 1000 % 1000,
	    source);
}
