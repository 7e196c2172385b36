/*
 * Reaching physical memory above the 4 GiB that head.S maps: page tables are added as needed,
 * in the same way (2 MiB pages, writable, never executable).
 *
 * Runs in: the loader. Source: Intel SDM vol. 3A, 4.5.
 */
#include "loader.h"
#include "arch/x86_64/cpu.h"

#include <corestart/pte.h>

#define ENTRIES 512u

/* One for each GiB that is touched: with ACPI's tables, the boot image, core 0's memory. */
#define TABLES_SPARE 32u

extern u64 boot_root[ENTRIES];

static u64 spare[TABLES_SPARE][ENTRIES] __attribute__((aligned(PAGE_SIZE)));
static u32 spare_used;

/* The table below @entry, made if it is not there; NULL if there is none to spare. */
static u64 *table_below(u64 *entry)
{
	if (!(*entry & PTE_PRESENT)) {
		if (spare_used == TABLES_SPARE)
			return NULL;
		*entry = (u64)spare[spare_used++] | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
	}
	return (u64 *)pte_phys(*entry);
}

static bool map_gib(u64 phys)
{
	u64 *pdpt = table_below(&boot_root[phys >> 39 & (ENTRIES - 1)]);
	u64 *directory = pdpt ? table_below(&pdpt[phys >> 30 & (ENTRIES - 1)]) : NULL;

	if (!directory)
		return false;
	if (directory[0])
		return true; /* whole directories are filled, in one go */
	for (u32 i = 0; i < ENTRIES; i++)
		directory[i] = (phys + i * LARGE_PAGE) | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED |
			       PTE_DIRTY | PTE_LARGE | PTE_NX;
	return true;
}

/* How far physical addresses reach (SDM vol. 2A, CPUID leaf 80000008H), but no further than the
 * lower half, where they are mapped at their own address. */
static u64 address_end(void)
{
	u32 bits = 36;

	if (cpuid(0x80000000, 0).eax >= 0x80000008)
		bits = cpuid(0x80000008, 0).eax & 0xff;
	return 1ul << MIN(bits, 47u);
}

void *phys_map(u64 phys, u64 bytes)
{
	if (bytes == 0 || phys >= address_end() || bytes > address_end() - phys)
		return NULL;
	for (u64 at = ROUND_DOWN(phys, GiB); at < phys + bytes; at += GiB) {
		if (!map_gib(at))
			return NULL;
	}
	return (void *)phys;
}
