/*
 * Making ACPI tables in a small fake physical memory: see acpi_memory.h.
 */
#include "acpi_memory.h"

#include <string.h>

/* Physical memory with tables in it. Nothing else can be mapped. */
static struct memory {
	u8 bytes[MEMORY_BYTES];
	u64 next;     /* physical address of the next table */
	u32 nentries; /* of the root table */
	u8 width;
} memory;

const void *memory_map(void *arg, u64 phys, u64 len)
{
	(void)arg;

	if (phys < MEMORY_BASE || len > sizeof(memory.bytes) ||
	    phys - MEMORY_BASE > sizeof(memory.bytes) - len)
		return NULL;
	return memory.bytes + (phys - MEMORY_BASE);
}

u8 *memory_at(u64 phys)
{
	return memory.bytes + (phys - MEMORY_BASE);
}

void memory_put(u64 phys, u64 value, u32 bytes)
{
	memcpy(memory_at(phys), &value, bytes);
}

void memory_fix_checksum(u64 phys, u32 len, u32 where)
{
	u8 sum = 0;

	*memory_at(phys + where) = 0;
	for (u32 i = 0; i < len; i++)
		sum = (u8)(sum + *memory_at(phys + i));
	*memory_at(phys + where) = (u8)-sum;
}

static void put_table(u64 phys, const char *signature, u8 revision, const void *body, u32 len)
{
	memcpy(memory_at(phys), signature, 4);
	memory_put(phys + 4, 36 + len, 4);
	*memory_at(phys + 8) = revision;
	memcpy(memory_at(phys + 36), body, len);
	memory_fix_checksum(phys, 36 + len, 9);
}

void new_memory(u8 revision)
{
	memset(&memory, 0, sizeof(memory));
	memory.next = TABLES;
	memory.width = revision >= 2 ? 8 : 4;
	memcpy(memory_at(RSDP), "RSD PTR ", 8);
	*memory_at(RSDP + 15) = revision;
	memory_put(RSDP + 16, revision >= 2 ? 0 : ROOT, 4);
	memory_fix_checksum(RSDP, 20, 8);
	if (revision >= 2) {
		memory_put(RSDP + 20, 36, 4);
		memory_put(RSDP + 24, ROOT, 8);
		memory_fix_checksum(RSDP, 36, 32);
	}
	put_table(ROOT, revision >= 2 ? "XSDT" : "RSDT", 1, "", 0);
}

u64 memory_add_table(const char *signature, u8 revision, const void *body, u32 len)
{
	u64 phys = memory.next;
	u32 root_len = 36 + ++memory.nentries * memory.width;

	put_table(phys, signature, revision, body, len);
	memory.next = ROUND_UP(phys + 36 + len, 16);
	memory_put(ROOT + root_len - memory.width, phys, memory.width);
	memory_put(ROOT + 4, root_len, 4);
	memory_fix_checksum(ROOT, root_len, 9);
	return phys;
}
