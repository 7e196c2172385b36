/*
 * The reader of ACPI tables (lib/acpi), on tables made here in a small fake physical memory.
 */
#include "acpi_memory.h"

#include <acpi/acpi.h>
#include <string.h>
#include <unit.h>

static struct acpi open_memory(void)
{
	struct acpi acpi;

	REQUIRE(acpi_open(&acpi, memory_map, NULL, RSDP) == ACPI_OK);
	return acpi;
}

/* Make a memory with this one table, and find it again. */
static struct acpi_table one_table(const char *signature, u8 revision, const void *body, u32 len)
{
	struct acpi_table table;
	struct acpi acpi;

	new_memory(2);
	memory_add_table(signature, revision, body, len);
	acpi = open_memory();
	REQUIRE(acpi_find(&acpi, signature, &table) == ACPI_OK);
	return table;
}

TEST(tables_are_found_through_xsdt_and_rsdt)
{
	static const u8 revisions[] = {0, 2};

	for (size_t i = 0; i < ARRAY_SIZE(revisions); i++) {
		struct acpi_table table;
		struct acpi acpi;
		u64 phys;

		new_memory(revisions[i]);
		memory_add_table("FACP", 1, "abc", 3);
		phys = memory_add_table("APIC", 5, "12345678", 8);
		acpi = open_memory();
		CHECK_EQUAL(acpi.revision, revisions[i]);
		CHECK_EQUAL(acpi_find(&acpi, "APIC", &table), ACPI_OK);
		CHECK_STRING(table.signature, "APIC");
		CHECK_EQUAL(table.phys, phys);
		CHECK_EQUAL(table.len, 44);
		CHECK_EQUAL(table.revision, 5);
		CHECK_EQUAL(acpi_find(&acpi, "SRAT", &table), ACPI_NOT_FOUND);
	}
}

static enum acpi_error open_error(void)
{
	struct acpi acpi;

	return acpi_open(&acpi, memory_map, NULL, RSDP);
}

TEST(damaged_root_pointer_is_refused_by_cause)
{
	struct acpi acpi;

	new_memory(2);
	*memory_at(RSDP) = 'r';
	CHECK_EQUAL(open_error(), ACPI_BAD_SIGNATURE);
	new_memory(2);
	*memory_at(RSDP + 10) ^= 1;
	CHECK_EQUAL(open_error(), ACPI_BAD_CHECKSUM);
	new_memory(2);
	*memory_at(RSDP + 30) ^= 1; /* behind what the first checksum covers */
	CHECK_EQUAL(open_error(), ACPI_BAD_CHECKSUM);
	new_memory(2);
	memory_put(RSDP + 20, 20, 4);
	CHECK_EQUAL(open_error(), ACPI_BAD_LENGTH);
	CHECK_EQUAL(acpi_open(&acpi, memory_map, NULL, 0), ACPI_NOT_MAPPED);
	CHECK_EQUAL(acpi_open(&acpi, memory_map, NULL, ~0ul), ACPI_NOT_MAPPED);
	CHECK_EQUAL(acpi_open(&acpi, memory_map, NULL, 0x1000), ACPI_NOT_MAPPED);
}

TEST(damaged_root_table_is_refused_by_cause)
{
	new_memory(2);
	*memory_at(ROOT) = 'Y';
	CHECK_EQUAL(open_error(), ACPI_BAD_SIGNATURE);
	new_memory(2);
	*memory_at(ROOT + 20) ^= 1;
	CHECK_EQUAL(open_error(), ACPI_BAD_CHECKSUM);
	new_memory(2);
	memory_put(ROOT + 4, 35, 4);
	CHECK_EQUAL(open_error(), ACPI_BAD_LENGTH);
	new_memory(2);
	memory_put(ROOT + 4, 0xffffffff, 4);
	CHECK_EQUAL(open_error(), ACPI_BAD_LENGTH);
	new_memory(2);
	memory_put(ROOT + 4, MEMORY_BYTES, 4);
	CHECK_EQUAL(open_error(), ACPI_NOT_MAPPED);
}

TEST(damaged_table_is_reported_by_name_and_cause)
{
	struct acpi_table table;
	struct acpi acpi;
	u64 phys;

	new_memory(2);
	phys = memory_add_table("SRAT", 3, "123456789012", 12);
	acpi = open_memory();
	*memory_at(phys + 40) ^= 1;
	CHECK_EQUAL(acpi_find(&acpi, "SRAT", &table), ACPI_BAD_CHECKSUM);
	CHECK_STRING(table.signature, "SRAT");
	CHECK_EQUAL(table.phys, phys);
	memory_put(phys + 4, 0, 4);
	CHECK_EQUAL(acpi_find(&acpi, "SRAT", &table), ACPI_BAD_LENGTH);
	memory_put(phys + 4, 1 * MiB, 4);
	CHECK_EQUAL(acpi_find(&acpi, "SRAT", &table), ACPI_NOT_MAPPED);
}

TEST(sound_table_is_preferred_to_a_damaged_one)
{
	struct acpi_table table;
	struct acpi acpi;
	u64 bad, good;

	new_memory(2);
	bad = memory_add_table("HPET", 1, "bad", 3);
	good = memory_add_table("HPET", 1, "good", 4);
	*memory_at(bad + 36) ^= 1;
	acpi = open_memory();
	CHECK_EQUAL(acpi_find(&acpi, "HPET", &table), ACPI_OK);
	CHECK_EQUAL(table.phys, good);
}

TEST(root_entries_that_lead_nowhere_are_passed_over)
{
	struct acpi_table table;
	struct acpi acpi;

	new_memory(2);
	memory_add_table("AAAA", 1, "", 0);
	memory_add_table("BBBB", 1, "", 0);
	memory_add_table("HPET", 1, "", 0);
	memory_put(ROOT + 36, 0, 8);
	memory_put(ROOT + 44, ~0ul, 8);
	memory_fix_checksum(ROOT, 60, 9);
	acpi = open_memory();
	CHECK_EQUAL(acpi_find(&acpi, "HPET", &table), ACPI_OK);
}

/* clang-format off */
static const u8 madt[] = {
	0, 0, 0xe0, 0xfe, 1, 0, 0, 0,                     /* fixed part */
	0, 8, 3, 6, 1, 0, 0, 0,                           /* local APIC 6, enabled */
	0, 8, 4, 8, 2, 0, 0, 0,                           /* online capable */
	0x7f, 4, 0, 0,                                    /* of an unknown type */
	1, 12, 2, 0, 0, 0, 0xc0, 0xfe, 24, 0, 0, 0,       /* IOAPIC */
	2, 10, 0, 9, 20, 0, 0, 0, 0xd, 0,                 /* IRQ 9 is GSI 20 */
	4, 6, 0xff, 5, 0, 1,                              /* NMI at all */
	5, 12, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,              /* local APICs at 4 GiB */
	9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0,  /* x2APIC 256 */
	10, 12, 5, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, /* x2APIC NMI */
};
/* clang-format on */

TEST(madt_tells_processors_and_interrupt_controllers)
{
	struct acpi_table table = one_table(ACPI_MADT, 5, madt, sizeof(madt));
	struct acpi_entries it = acpi_entries(&table);
	struct acpi_madt_entry e;
	u64 base = 0;

	CHECK_EQUAL(acpi_madt_lapic(&table, &base), ACPI_OK);
	CHECK_EQUAL(base, 0xfee00000);
	REQUIRE(acpi_madt_next(&it, &e) && e.type == ACPI_MADT_CPU);
	CHECK_EQUAL(e.cpu.apic_id, 6);
	CHECK_EQUAL(e.cpu.uid, 3);
	CHECK(e.cpu.enabled && !e.cpu.online_capable);
	REQUIRE(acpi_madt_next(&it, &e) && e.type == ACPI_MADT_CPU);
	CHECK(!e.cpu.enabled && e.cpu.online_capable);
	REQUIRE(acpi_madt_next(&it, &e) && e.type == ACPI_MADT_IOAPIC);
	CHECK_EQUAL(e.ioapic.base, 0xfec00000);
	CHECK_EQUAL(e.ioapic.id, 2);
	CHECK_EQUAL(e.ioapic.gsi_base, 24);
	REQUIRE(acpi_madt_next(&it, &e) && e.type == ACPI_MADT_OVERRIDE);
	CHECK_EQUAL(e.override.irq, 9);
	CHECK_EQUAL(e.override.gsi, 20);
	CHECK_EQUAL(e.override.flags, 0xd);
	REQUIRE(acpi_madt_next(&it, &e) && e.type == ACPI_MADT_NMI);
	CHECK_EQUAL(e.nmi.uid, ACPI_CPU_ALL);
	CHECK_EQUAL(e.nmi.pin, 1);
	REQUIRE(acpi_madt_next(&it, &e) && e.type == ACPI_MADT_LAPIC);
	CHECK_EQUAL(e.lapic.base, 4 * GiB);
	REQUIRE(acpi_madt_next(&it, &e) && e.type == ACPI_MADT_CPU);
	CHECK_EQUAL(e.cpu.apic_id, 256);
	CHECK_EQUAL(e.cpu.uid, 512);
	CHECK(e.cpu.enabled);
	REQUIRE(acpi_madt_next(&it, &e) && e.type == ACPI_MADT_NMI);
	CHECK_EQUAL(e.nmi.flags, 5);
	CHECK(!acpi_madt_next(&it, &e));
	CHECK_EQUAL(it.error, ACPI_OK);
}

/* Read a MADT with @len bytes of @entries to its end; returns the iterator's error. */
static enum acpi_error madt_error(const void *entries, u32 len)
{
	u8 body[64] = {0};
	struct acpi_madt_entry e;
	struct acpi_entries it;
	struct acpi_table table;

	memcpy(body + 8, entries, len);
	table = one_table(ACPI_MADT, 5, body, 8 + len);
	it = acpi_entries(&table);
	while (acpi_madt_next(&it, &e))
		;
	CHECK(!acpi_madt_next(&it, &e));
	return it.error;
}

TEST(entry_of_length_zero_or_one_ends_the_reading)
{
	CHECK_EQUAL(madt_error("\0\0\0\0\0\0\0\0", 8), ACPI_BAD_ENTRY);
	CHECK_EQUAL(madt_error("\x7f\1\0\0", 4), ACPI_BAD_ENTRY);
}

TEST(entry_beyond_the_table_ends_the_reading)
{
	CHECK_EQUAL(madt_error("\0\xff\1\1\1\0\0\0", 8), ACPI_BAD_ENTRY);
	CHECK_EQUAL(madt_error("\0\x08\1\1\1\0\0", 7), ACPI_BAD_ENTRY);
	CHECK_EQUAL(madt_error("\0", 1), ACPI_BAD_ENTRY);
}

TEST(entry_shorter_than_its_type_ends_the_reading)
{
	CHECK_EQUAL(madt_error("\0\7\1\1\1\0\0", 7), ACPI_BAD_ENTRY);
	CHECK_EQUAL(madt_error("\1\x08\0\0\0\0\0\0", 8), ACPI_BAD_ENTRY);
	CHECK_EQUAL(madt_error("\x9\x08\0\0\0\0\0\0", 8), ACPI_BAD_ENTRY);
}

TEST(table_shorter_than_its_fixed_part_has_no_entries)
{
	static const char *const signatures[] = {ACPI_MADT, ACPI_SRAT, ACPI_MCFG};

	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
		struct acpi_table table = one_table(signatures[i], 1, "1234", 4);
		struct acpi_entries it = acpi_entries(&table);
		struct acpi_madt_entry m;
		struct acpi_srat_entry s;
		struct acpi_mcfg_entry c;
		u64 base;

		CHECK_EQUAL(it.error, ACPI_BAD_LENGTH);
		CHECK(!acpi_madt_next(&it, &m));
		CHECK(!acpi_srat_next(&it, &s));
		CHECK(!acpi_mcfg_next(&it, &c));
		CHECK_EQUAL(acpi_madt_lapic(&table, &base),
			    i == 0 ? ACPI_BAD_LENGTH : ACPI_BAD_SIGNATURE);
	}
}

TEST(table_without_entries_is_no_table_of_entries)
{
	struct acpi_table table = one_table("FACP", 1, "12345678", 8);

	CHECK_EQUAL(acpi_entries(&table).error, ACPI_BAD_SIGNATURE);
}

/* clang-format off */
static const u8 srat[] = {
	1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                          /* reserved */
	0, 16, 0x44, 7, 1, 0, 0, 0, 0, 0x33, 0x22, 0x11, 0, 0, 0, 0, /* APIC 7 */
	0, 16, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,             /* disabled */
	1, 40, 2, 1, 0, 0, 0, 0,                                     /* memory */
	0, 0, 0, 0, 1, 0, 0, 0,                                      /* ... at 4 GiB */
	0, 0, 0, 0x80, 0, 0, 0, 0,                                   /* ... of 2 GiB */
	0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	1, 40, 2, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 1, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0,                                      /* ... of nothing */
	0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	2, 24, 0, 0, 3, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0,             /* x2APIC 256 */
	0, 0, 0, 0, 0, 0, 0, 0,
};
/* clang-format on */

static void check_srat(u8 revision, u32 cpu_node, u32 memory_node)
{
	struct acpi_table table = one_table(ACPI_SRAT, revision, srat, sizeof(srat));
	struct acpi_entries it = acpi_entries(&table);
	struct acpi_srat_entry e;

	REQUIRE(acpi_srat_next(&it, &e) && e.type == ACPI_SRAT_CPU);
	CHECK_EQUAL(e.node, cpu_node);
	CHECK_EQUAL(e.cpu.apic_id, 7);
	REQUIRE(acpi_srat_next(&it, &e) && e.type == ACPI_SRAT_MEMORY);
	CHECK_EQUAL(e.node, memory_node);
	CHECK_EQUAL(e.memory.base, 4 * GiB);
	CHECK_EQUAL(e.memory.bytes, 2 * GiB);
	CHECK(e.memory.hot_pluggable && e.memory.non_volatile);
	REQUIRE(acpi_srat_next(&it, &e) && e.type == ACPI_SRAT_CPU);
	CHECK_EQUAL(e.node, 3);
	CHECK_EQUAL(e.cpu.apic_id, 256);
	CHECK(!acpi_srat_next(&it, &e));
	CHECK_EQUAL(it.error, ACPI_OK);
}

TEST(srat_tells_nodes_of_processors_and_memory)
{
	check_srat(3, 0x11223344, 0x102);
}

TEST(old_srat_has_nodes_of_8_bits)
{
	check_srat(1, 0x44, 0x02);
}

TEST(memory_that_wraps_around_is_refused)
{
	u8 body[12 + 40] = {0};
	struct acpi_srat_entry e;
	struct acpi_entries it;
	struct acpi_table table;

	memcpy(body + 12, srat + 12 + 32, 40);
	memset(body + 12 + 8, 0xff, 8);
	table = one_table(ACPI_SRAT, 3, body, sizeof(body));
	it = acpi_entries(&table);
	CHECK(!acpi_srat_next(&it, &e));
	CHECK_EQUAL(it.error, ACPI_BAD_VALUE);
}

TEST(slit_tells_distances)
{
	static const u8 body[] = {2, 0, 0, 0, 0, 0, 0, 0, 10, 21, 31, 10};
	struct acpi_table table = one_table(ACPI_SLIT, 1, body, sizeof(body));
	struct acpi_slit slit;

	REQUIRE(acpi_slit(&table, &slit) == ACPI_OK);
	CHECK_EQUAL(slit.nnodes, 2);
	CHECK_EQUAL(slit.distance[0 * 2 + 1], 21);
	CHECK_EQUAL(slit.distance[1 * 2 + 0], 31);
}

static enum acpi_error slit_error(u64 nnodes, const void *distances, u32 len)
{
	u8 body[32];
	struct acpi_table table;
	struct acpi_slit slit;

	memcpy(body, &nnodes, 8);
	memcpy(body + 8, distances, len);
	table = one_table(ACPI_SLIT, 1, body, 8 + len);
	return acpi_slit(&table, &slit);
}

TEST(impossible_slit_is_refused)
{
	CHECK_EQUAL(slit_error(2, "\x0a\x14\x14", 3), ACPI_BAD_LENGTH);
	CHECK_EQUAL(slit_error(0, "", 0), ACPI_BAD_VALUE);
	CHECK_EQUAL(slit_error(1ul << 32, "\x0a", 1), ACPI_BAD_VALUE); /* its square is 0 */
	CHECK_EQUAL(slit_error(~0ul, "\x0a", 1), ACPI_BAD_VALUE);
	CHECK_EQUAL(slit_error(1, "\x09", 1), ACPI_BAD_VALUE);
}

static const u8 mcfg[] = {
	0, 0, 0, 0,    0,    0, 0, 0, /* reserved */
	0, 0, 0, 0xb0, 0,    0, 0, 0, 0, 0, 0,    0xff, 0, 0, 0, 0,
	0, 0, 0, 0,    0x10, 0, 0, 0, 1, 0, 0x10, 0x1f, 0, 0, 0, 0,
};

TEST(mcfg_tells_pci_configuration_space)
{
	struct acpi_table table = one_table(ACPI_MCFG, 1, mcfg, sizeof(mcfg));
	struct acpi_entries it = acpi_entries(&table);
	struct acpi_mcfg_entry e;

	REQUIRE(acpi_mcfg_next(&it, &e));
	CHECK_EQUAL(e.base, 0xb0000000);
	CHECK_EQUAL(e.segment, 0);
	CHECK_EQUAL(e.last_bus, 255);
	REQUIRE(acpi_mcfg_next(&it, &e));
	CHECK_EQUAL(e.base, 64 * GiB);
	CHECK_EQUAL(e.segment, 1);
	CHECK_EQUAL(e.first_bus, 16);
	CHECK_EQUAL(e.last_bus, 31);
	CHECK(!acpi_mcfg_next(&it, &e));
	CHECK_EQUAL(it.error, ACPI_OK);
}

TEST(mcfg_with_half_an_entry_is_refused)
{
	struct acpi_table table = one_table(ACPI_MCFG, 1, mcfg, sizeof(mcfg) - 8);
	struct acpi_entries it = acpi_entries(&table);
	struct acpi_mcfg_entry e;

	CHECK(acpi_mcfg_next(&it, &e));
	CHECK(!acpi_mcfg_next(&it, &e));
	CHECK_EQUAL(it.error, ACPI_BAD_ENTRY);
}

TEST(hpet_is_where_the_table_says)
{
	u8 body[20] = {1,    0xa2, 0x86, 0x80, 0, 64, 0, 0,    0, 0,
		       0xd0, 0xfe, 0,    0,    0, 0,  2, 0x80, 0, 0};
	struct acpi_table table = one_table(ACPI_HPET, 1, body, sizeof(body));
	struct acpi_hpet hpet;

	REQUIRE(acpi_hpet(&table, &hpet) == ACPI_OK);
	CHECK_EQUAL(hpet.base, 0xfed00000);
	CHECK_EQUAL(hpet.number, 2);
	CHECK_EQUAL(hpet.min_ticks, 0x80);

	table = one_table(ACPI_HPET, 1, body, sizeof(body) - 1);
	CHECK_EQUAL(acpi_hpet(&table, &hpet), ACPI_BAD_LENGTH);
	body[4] = 1; /* in I/O ports */
	table = one_table(ACPI_HPET, 1, body, sizeof(body));
	CHECK_EQUAL(acpi_hpet(&table, &hpet), ACPI_BAD_VALUE);
}

/* The first MiB of a PC. */
static u8 low_memory[MiB];

static const void *map_low(void *arg, u64 phys, u64 len)
{
	(void)arg;
	return phys <= MiB && len <= MiB - phys ? low_memory + phys : NULL;
}

TEST(root_pointer_is_found_where_a_bios_puts_it)
{
	memset(low_memory, 0, sizeof(low_memory));
	CHECK_EQUAL(acpi_scan(map_low, NULL), 0);

	new_memory(2);
	memcpy(low_memory + 0xf5a40, memory_at(RSDP), 36);
	CHECK_EQUAL(acpi_scan(map_low, NULL), 0xf5a40);

	low_memory[0x40f] = 0x9f; /* the extended BIOS data area is at 0x9f000 */
	memcpy(low_memory + 0x9f3e0, memory_at(RSDP), 36);
	CHECK_EQUAL(acpi_scan(map_low, NULL), 0x9f3e0);
	low_memory[0x9f3e0 + 9] ^= 1; /* a wrong checksum: a coincidence */
	CHECK_EQUAL(acpi_scan(map_low, NULL), 0xf5a40);
}

TEST(every_error_has_words)
{
	for (int e = ACPI_OK; e <= ACPI_BAD_VALUE; e++)
		CHECK(strcmp(acpi_strerror((enum acpi_error)e), "has an unknown error") != 0);
}
