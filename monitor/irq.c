/*
 * See irq.h. Sources: Intel 82093AA I/O APIC data sheet, 3.0; ACPI 6.5, 5.2.12.5 for the overrides'
 * flags.
 */
#include "irq.h"
#include "mem.h"
#include "monitor.h"
#include <rt/slots.h>

#define IOAPIC_INDEX    0x00u /* offsets of its two registers */
#define IOAPIC_DATA     0x10u
#define IOAPIC_VERSION  0x01u      /* indices */
#define IOAPIC_REDIRECT 0x10u      /* two words for each pin */
#define REDIRECT_LOW    (1u << 13) /* active low */
#define REDIRECT_LEVEL  (1u << 15)
#define OVERRIDE_LOW    0x3u /* polarity field: active low */
#define OVERRIDE_LEVEL  0xcu /* trigger field: level */

static u32 read_register(u8 *ioapic, u32 index)
{
	*(volatile u32 *)(ioapic + IOAPIC_INDEX) = index;
	return *(volatile u32 *)(ioapic + IOAPIC_DATA);
}

static void write_register(u8 *ioapic, u32 index, u32 value)
{
	*(volatile u32 *)(ioapic + IOAPIC_INDEX) = index;
	*(volatile u32 *)(ioapic + IOAPIC_DATA) = value;
}

/* Which global interrupt an ISA interrupt is, and how it is wired. ISA is active high, edge. */
static u32 find_gsi(u32 irq, u32 *flags)
{
	const struct machine *m = self.machine;

	*flags = 0;
	for (u32 i = 0; i < m->noverrides; i++) {
		const struct machine_override *o = &machine_overrides(m)[i];

		if (o->irq != irq)
			continue;
		if ((o->flags & 3) == OVERRIDE_LOW)
			*flags |= REDIRECT_LOW;
		if ((o->flags & 0xc) == OVERRIDE_LEVEL)
			*flags |= REDIRECT_LEVEL;
		return o->gsi;
	}
	return irq;
}

/* The IOAPIC that has @gsi is the one with the greatest base that is not above it. */
static const struct machine_ioapic *find_ioapic(u32 gsi)
{
	const struct machine_ioapic *found = NULL;

	for (u32 i = 0; i < self.machine->nioapics; i++) {
		const struct machine_ioapic *io = &machine_ioapics(self.machine)[i];

		if (io->gsi_base <= gsi && (!found || io->gsi_base > found->gsi_base))
			found = io;
	}
	return found;
}

static int program_pin(const struct machine_ioapic *io, u32 pin, u32 low_word)
{
	u64 page = ROUND_DOWN(io->base, PAGE_SIZE);
	cap_t frame = slot_new();
	int err = -ENODEV;
	u8 *va = NULL;

	if (frame == CAP_NONE)
		return -ENOMEM;
	if (!sys_frame_mint(SLOT_PHYS, page, PAGE_SIZE, frame | MINT_DEVICE))
		va = vspace_attach(&mem_space, frame, 0, PAGE_SIZE,
				   MAP_READ | MAP_WRITE | MAP_UNCACHED);
	if (va) {
		u8 *registers = va + (io->base - page);

		if (pin <= (read_register(registers, IOAPIC_VERSION) >> 16 & 0xff)) {
			/* Physical destination, fixed delivery; the target before the mask goes. */
			write_register(registers, IOAPIC_REDIRECT + 2 * pin + 1,
				       self.boot->apic_id << 24);
			write_register(registers, IOAPIC_REDIRECT + 2 * pin, low_word);
			err = 0;
		}
		vspace_detach(&mem_space, va, PAGE_SIZE);
	}
	slot_drop(frame);
	return err;
}

int irq_route_isa(u32 irq, cap_t to)
{
	u32 flags;
	u32 gsi = find_gsi(irq, &flags);
	const struct machine_ioapic *io = find_ioapic(gsi);
	s64 vector;
	int err;

	/* Eight bits of destination: cores beyond are not reached without interrupt remapping. */
	if (!io || self.boot->apic_id > 0xff)
		return -ENODEV;
	vector = sys_irq_alloc(SLOT_CORE, to);
	if (vector < 0)
		return (int)vector;
	err = program_pin(io, gsi - io->gsi_base, (u32)vector | flags);
	if (err)
		sys_cap_delete(to);
	return err;
}
