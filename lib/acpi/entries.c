/*
 * Tables that are lists of entries: MADT, SRAT, MCFG.
 *
 * An entry of the MADT and SRAT begins with its type and its length. The length is checked
 * against the table and against the shortest form of the type before any field is read; a length
 * below 2 would never reach the end of the table and is an error.
 *
 * Runs in: the loader, native domains, the build host.
 */
#include <acpi/acpi.h>
#include <acpi/field.h>

#define MADT_LAPIC       36  /* u32 */
#define MADT_FIXED_BYTES 44u /* ACPI 6.5, 5.2.12 */
#define SRAT_FIXED_BYTES 48u /* 5.2.16 */
#define MCFG_FIXED_BYTES 44u /* PCI firmware specification 3.3, 4.1.2 */
#define MCFG_ENTRY_BYTES 16u

static u32 fixed_bytes(const struct acpi_table *table)
{
	if (memcmp(table->signature, ACPI_MADT, 4) == 0)
		return MADT_FIXED_BYTES;
	if (memcmp(table->signature, ACPI_SRAT, 4) == 0)
		return SRAT_FIXED_BYTES;
	if (memcmp(table->signature, ACPI_MCFG, 4) == 0)
		return MCFG_FIXED_BYTES;
	return 0;
}

struct acpi_entries acpi_entries(const struct acpi_table *table)
{
	u32 fixed = fixed_bytes(table);
	struct acpi_entries it = {
		.data = table->data,
		.len = table->len,
		.next = fixed,
		.revision = table->revision,
	};

	if (fixed == 0)
		it.error = ACPI_BAD_SIGNATURE;
	else if (table->len < fixed)
		it.error = ACPI_BAD_LENGTH;
	return it;
}

/* The next entry, with all the bytes that its length promises; NULL at the end or an error. */
static const u8 *next_entry(struct acpi_entries *it)
{
	const u8 *entry = it->data + it->next;

	if (it->error || it->next == it->len)
		return NULL;
	if (it->len - it->next < 2 || entry[1] < 2 || entry[1] > it->len - it->next) {
		it->error = ACPI_BAD_ENTRY;
		return NULL;
	}
	it->next += entry[1];
	return entry;
}

/* The shortest length of the types of MADT entries that are decoded; 0 for all others. */
static const u8 madt_bytes[] = {
	[0] = 8, [1] = 12, [2] = 10, [4] = 6, [5] = 12, [9] = 16, [10] = 12,
};

static void decode_cpu(struct acpi_madt_entry *entry, u32 apic_id, u32 uid, u32 flags)
{
	bool enabled = flags & 1;

	entry->type = ACPI_MADT_CPU;
	entry->cpu.apic_id = apic_id;
	entry->cpu.uid = uid;
	entry->cpu.enabled = enabled;
	entry->cpu.online_capable = !enabled && (flags & 2);
}

static void decode_nmi(struct acpi_madt_entry *entry, u32 uid, u16 flags, u8 pin)
{
	entry->type = ACPI_MADT_NMI;
	entry->nmi.uid = uid;
	entry->nmi.flags = flags;
	entry->nmi.pin = pin;
}

static void decode_madt(const u8 *e, struct acpi_madt_entry *entry)
{
	switch (e[0]) {
	case 0:
		decode_cpu(entry, e[3], e[2], field32(e + 4));
		break;
	case 1:
		entry->type = ACPI_MADT_IOAPIC;
		entry->ioapic.id = e[2];
		entry->ioapic.base = field32(e + 4);
		entry->ioapic.gsi_base = field32(e + 8);
		break;
	case 2:
		entry->type = ACPI_MADT_OVERRIDE;
		entry->override.irq = e[3];
		entry->override.gsi = field32(e + 4);
		entry->override.flags = field16(e + 8);
		break;
	case 4:
		decode_nmi(entry, e[2] == 0xff ? ACPI_CPU_ALL : e[2], field16(e + 3), e[5]);
		break;
	case 5:
		entry->type = ACPI_MADT_LAPIC;
		entry->lapic.base = field64(e + 4);
		break;
	case 9:
		decode_cpu(entry, field32(e + 4), field32(e + 12), field32(e + 8));
		break;
	case 10:
		decode_nmi(entry, field32(e + 4), field16(e + 2), e[8]);
		break;
	default:
		break;
	}
}

bool acpi_madt_next(struct acpi_entries *it, struct acpi_madt_entry *entry)
{
	const u8 *e;

	while ((e = next_entry(it))) {
		if (e[0] >= ARRAY_SIZE(madt_bytes) || madt_bytes[e[0]] == 0)
			continue;
		if (e[1] < madt_bytes[e[0]]) {
			it->error = ACPI_BAD_ENTRY;
			return false;
		}
		decode_madt(e, entry);
		return true;
	}
	return false;
}

enum acpi_error acpi_madt_lapic(const struct acpi_table *madt, u64 *base)
{
	if (memcmp(madt->signature, ACPI_MADT, 4) != 0)
		return ACPI_BAD_SIGNATURE;
	if (madt->len < MADT_FIXED_BYTES)
		return ACPI_BAD_LENGTH;
	*base = field32(madt->data + MADT_LAPIC);
	return ACPI_OK;
}

static const u8 srat_bytes[] = {[0] = 16, [1] = 40, [2] = 24};

/* Before revision 2 a node had 8 bits, and the bytes for the others were reserved. */
static u32 node_number(const struct acpi_entries *it, u32 node)
{
	return it->revision < 2 ? node & 0xff : node;
}

/* Decode an entry of the SRAT; false if it is disabled, empty, or an error (in @it). */
static bool decode_srat(struct acpi_entries *it, const u8 *e, struct acpi_srat_entry *entry)
{
	u32 flags = field32(e + (e[0] == 0 ? 4 : e[0] == 1 ? 28 : 12));

	if (!(flags & 1))
		return false;
	entry->type = ACPI_SRAT_CPU;
	switch (e[0]) {
	case 0: /* the upper 24 bits of the node are in bytes 9 to 11 */
		entry->node = node_number(it, e[2] | (field32(e + 8) & ~0xffu));
		entry->cpu.apic_id = e[3];
		return true;
	case 1:
		entry->type = ACPI_SRAT_MEMORY;
		entry->node = node_number(it, field32(e + 2));
		entry->memory.base = field64(e + 8);
		entry->memory.bytes = field64(e + 16);
		entry->memory.hot_pluggable = flags & 2;
		entry->memory.non_volatile = flags & 4;
		if (entry->memory.base > UINT64_MAX - entry->memory.bytes)
			it->error = ACPI_BAD_VALUE;
		return !it->error && entry->memory.bytes != 0;
	default:
		entry->node = field32(e + 4);
		entry->cpu.apic_id = field32(e + 8);
		return true;
	}
}

bool acpi_srat_next(struct acpi_entries *it, struct acpi_srat_entry *entry)
{
	const u8 *e;

	while ((e = next_entry(it))) {
		if (e[0] >= ARRAY_SIZE(srat_bytes))
			continue;
		if (e[1] < srat_bytes[e[0]]) {
			it->error = ACPI_BAD_ENTRY;
			return false;
		}
		if (decode_srat(it, e, entry))
			return true;
	}
	return false;
}

bool acpi_mcfg_next(struct acpi_entries *it, struct acpi_mcfg_entry *entry)
{
	const u8 *e = it->data + it->next;

	if (it->error || it->next == it->len)
		return false;
	if (it->len - it->next < MCFG_ENTRY_BYTES) {
		it->error = ACPI_BAD_ENTRY;
		return false;
	}
	entry->base = field64(e);
	entry->segment = field16(e + 8);
	entry->first_bus = e[10];
	entry->last_bus = e[11];
	if (entry->first_bus > entry->last_bus) {
		it->error = ACPI_BAD_VALUE;
		return false;
	}
	it->next += MCFG_ENTRY_BYTES;
	return true;
}
