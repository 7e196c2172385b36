/*
 * The tables that map the entry trampoline, and nothing else, in a context's upper half. They are
 * the same for all contexts of the core.
 */
#include "arch/x86_64/pte.h"
#include "arch/x86_64/tramp.h"
#include "kernel.h"
#include "log.h"

static u64 pdpt[512] __attribute__((aligned(4096)));
static u64 directory[512] __attribute__((aligned(4096)));
static u64 table[512] __attribute__((aligned(4096)));

/* The entry that maps @va of the CPU driver. */
static u64 kernel_pte(const void *va)
{
	const u64 *t = phys_to_virt(boot.kernel_root);

	for (u32 level = 3; level > 0; level--)
		t = phys_to_virt(pte_phys(t[(u64)va >> (PAGE_SHIFT + 9 * level) & 511]));
	return t[(u64)va >> PAGE_SHIFT & 511];
}

static u64 table_entry(const u64 *t)
{
	return pte_phys(kernel_pte(t)) | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
}

void tramp_map_init(void)
{
	if ((u64)_end - KERNEL_BASE > 512 * PAGE_SIZE)
		panic("the CPU driver has outgrown one page table");
	for (char *p = tramp_text_start; p < tramp_text_end; p += PAGE_SIZE)
		table[(u64)p >> PAGE_SHIFT & 511] = kernel_pte(p);
	for (char *p = tramp_data_start; p < tramp_data_end; p += PAGE_SIZE)
		table[(u64)p >> PAGE_SHIFT & 511] = kernel_pte(p);
	directory[KERNEL_BASE >> 21 & 511] = table_entry(table);
	pdpt[KERNEL_BASE >> 30 & 511] = table_entry(directory);
}

u64 tramp_slot_entry(void)
{
	return table_entry(pdpt);
}
