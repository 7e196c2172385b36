/*
 * Fuzzing the reader of ACPI tables.
 *
 * The input is either the bytes of a physical memory (first byte 'm'), or a row of tables (first
 * byte 't'), each a signature's number, a revision, a length (2 bytes) and a body; those get right
 * checksums and a root table, so that their contents are reached.
 *
 * Every mapping is a copy of just the bytes asked for, so that reading beyond one is seen.
 */
#include "fuzz.h"

#include <acpi/acpi.h>
#include <acpi_memory.h>
#include <stdlib.h>
#include <string.h>

static const char *const signatures[] = {"APIC", "SRAT", "SLIT", "MCFG", "HPET", "FACP"};

static void *copies[4096];
static u32 ncopies;

/* A copy of the @have bytes at @bytes, with zeros behind them up to @len. */
static const void *copy_of(const void *bytes, u64 have, u64 len)
{
	void *copy;

	if (!bytes || ncopies == ARRAY_SIZE(copies))
		return NULL;
	copy = calloc(1, len);
	if (!copy)
		return NULL;
	copies[ncopies++] = copy;
	return memcpy(copy, bytes, have);
}

static const void *map_copy(void *arg, u64 phys, u64 len)
{
	return copy_of(memory_map(arg, phys, len), len, len);
}

/* For acpi_scan(): the memory is where the BIOS's is, and nothing else is there. */
static const void *map_low(void *arg, u64 phys, u64 len)
{
	(void)arg;
	return phys == 0xe0000 ? copy_of(memory_at(MEMORY_BASE), MIN(len, MEMORY_BYTES), len)
			       : NULL;
}

static void use_entries(const struct acpi_table *table)
{
	struct acpi_entries it = acpi_entries(table);
	struct acpi_madt_entry m;
	struct acpi_srat_entry s;
	struct acpi_mcfg_entry c;
	u32 n = 0;

	if (strcmp(table->signature, ACPI_MADT) == 0)
		while (acpi_madt_next(&it, &m))
			n++;
	else if (strcmp(table->signature, ACPI_SRAT) == 0)
		while (acpi_srat_next(&it, &s)) {
			MUST(s.type != ACPI_SRAT_MEMORY || s.memory.base <= ~0ul - s.memory.bytes);
			n++;
		}
	else if (strcmp(table->signature, ACPI_MCFG) == 0)
		while (acpi_mcfg_next(&it, &c))
			n++;
	MUST(n <= table->len / 2);
	MUST(strcmp(acpi_strerror(it.error), "has an unknown error") != 0);
}

static void use_table(const struct acpi_table *table)
{
	struct acpi_slit slit;
	struct acpi_hpet hpet;
	u64 base;

	MUST(strlen(table->signature) == 4);
	fuzz_touch(table->data, table->len);
	use_entries(table);
	if (acpi_slit(table, &slit) == ACPI_OK)
		fuzz_touch(slit.distance, (u64)slit.nnodes * slit.nnodes);
	acpi_hpet(table, &hpet);
	acpi_madt_lapic(table, &base);
}

/* Make the memory that the input describes. */
static void make_memory(const u8 *data, size_t len)
{
	new_memory(2);
	if (len > 0 && data[0] == 'm') {
		memcpy(memory_at(RSDP), data + 1, MIN(len - 1, MEMORY_BYTES));
		return;
	}
	for (size_t at = 1, n = 0; at + 4 <= len && n < 8; n++) {
		const char *signature = signatures[data[at] % ARRAY_SIZE(signatures)];
		u8 revision = data[at + 1];
		size_t body = MIN((size_t)(data[at + 2] | data[at + 3] << 8), len - at - 4);

		memory_add_table(signature, revision, data + at + 4, (u32)MIN(body, 4 * KiB));
		at += 4 + body;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct acpi_table table;
	struct acpi acpi;

	make_memory(data, len);
	if (acpi_open(&acpi, map_copy, NULL, RSDP) == ACPI_OK) {
		for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
			if (acpi_find(&acpi, signatures[i], &table) == ACPI_OK)
				use_table(&table);
	}
	if (len > 0 && data[0] == 'm')
		acpi_scan(map_low, NULL);
	while (ncopies > 0)
		free(copies[--ncopies]);
	return 0;
}

/* One table of each kind. */
static const u8 tables[] =
	"t"
	"\0\5\x22\0" /* MADT */
	"\0\0\xe0\xfe\1\0\0\0"
	"\0\x08\3\6\1\0\0\0"
	"\1\x0c\2\0\0\0\xc0\xfe\0\0\0\0"
	"\x4\6\xff\5\0\1"
	"\1\3\x34\0" /* SRAT */
	"\1\0\0\0\0\0\0\0\0\0\0\0"
	"\1\x28\2\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0"
	"\2\1\x0c\0\2\0\0\0\0\0\0\0\x0a\x14\x14\x0a"                      /* SLIT */
	"\3\1\x18\0\0\0\0\0\0\0\0\0\0\0\0\xb0\0\0\0\0\0\0\0\xff\0\0\0\0"  /* MCFG */
	"\4\1\x14\0\1\xa2\x86\x80\0\x40\0\0\0\0\xd0\xfe\0\0\0\0\0\0\0\0"; /* HPET */

size_t fuzz_sample(u32 n, u8 *out)
{
	if (n == 0) {
		memcpy(out, tables, sizeof(tables) - 1);
		return sizeof(tables) - 1;
	}
	if (n > 2)
		return 0;
	make_memory(tables, sizeof(tables) - 1);
	if (n == 2)
		new_memory(0); /* an RSDT, and no table */
	out[0] = 'm';
	memcpy(out + 1, memory_at(RSDP), 2 * KiB);
	return 1 + 2 * KiB;
}
