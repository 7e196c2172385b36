/*
 * Low memory: the pages through which cores start, and what a starting core finds there.
 *
 * Runs in: the loader, monitors, host tests.
 */
#include "layout.h"

#include <errno.h>
#include <string.h>

#define LOW_MEMORY_END (640 * KiB)

bool core_is_first_of_node(const struct machine *m, u32 core)
{
	const struct machine_core *c = machine_cores(m);

	return c[core].parent == MACHINE_NO_CORE || c[c[core].parent].node != c[core].node;
}

u32 core_low_page(const struct machine *m, u32 n)
{
	for (u32 i = 0; i < m->nmem; i++) {
		const struct machine_mem *r = &machine_mem(m)[i];
		u64 end = MIN(r->base + r->bytes, LOW_MEMORY_END) / PAGE_SIZE;
		/* Never page 0: there the firmware keeps its interrupt table, and 0 says none. */
		u64 first = MAX(ROUND_UP(r->base, PAGE_SIZE) / PAGE_SIZE, 1ul);

		if (r->type != MACHINE_MEM_RAM || first >= end)
			continue;
		if (n < end - first)
			return (u32)first + n;
		n -= (u32)(end - first);
	}
	return 0;
}

u32 core_startup_page(const struct machine *m, u32 core)
{
	const struct machine_core *c = machine_cores(m);
	u8 is_parent[MACHINE_MAX_CORES / 8] = {0};
	u32 before = 0;

	for (u32 i = 1; i < m->ncores; i++)
		is_parent[c[i].parent / 8] |= (u8)(1u << c[i].parent % 8);
	if (core >= m->ncores || !(is_parent[core / 8] & 1u << core % 8))
		return 0;
	for (u32 i = 0; i < core; i++)
		before += is_parent[i / 8] >> i % 8 & 1;
	return core_low_page(m, LOW_TABLE_PAGES + before);
}

/* The trampoline's code in the image, with its header. NULL if it is not there or malformed. */
static const void *find_code(const struct core_plan *plan, u64 *bytes)
{
	struct elf_segment s;
	struct elf elf;
	u64 begin, end, offset;
	u32 cursor = 0;

	if (program_open(plan->image, plan->image_bytes, CORE_KERNEL_PATH, &elf, &offset) ||
	    !elf_symbol_named(&elf, "startup_begin", &begin) ||
	    !elf_symbol_named(&elf, "startup_end", &end))
		return NULL;
	*bytes = end - begin;
	if (end < begin || *bytes < sizeof(struct startup_head) || *bytes > STARTUP_CODE_BYTES)
		return NULL;
	while (elf_next_segment(&elf, &cursor, ELF_PT_LOAD, &s)) {
		if (begin >= s.vaddr && begin - s.vaddr <= s.filesz &&
		    *bytes <= s.filesz - (begin - s.vaddr))
			return (const u8 *)elf_segment_data(&elf, &s) + (begin - s.vaddr);
	}
	return NULL;
}

int core_fill_startup(const struct core_plan *plan, void *page, u64 phys,
		      const struct startup_child *children, u32 count)
{
	struct startup_head *head = page;
	const void *code;
	u64 bytes;
	u32 gdt;

	/* A STARTUP interrupt names one of the 256 pages below 1 MiB; root tables are 32 bits. */
	if (count > STARTUP_CHILDREN || phys % PAGE_SIZE || phys >= MiB ||
	    plan->low_tables > UINT32_MAX)
		return -EINVAL;
	code = find_code(plan, &bytes);
	if (!code)
		return -ENOEXEC;

	memset(page, 0, PAGE_SIZE);
	memcpy(page, code, bytes);
	gdt = (u32)phys + head->gdt_low;
	head->gdt_low = (u16)gdt;
	head->gdt_high = (u16)(gdt >> 16);
	head->code32 += (u32)phys;
	head->code64 += (u32)phys;
	head->low_tables = (u32)plan->low_tables;
	head->count = count;
	memcpy((u8 *)page + STARTUP_CODE_BYTES, children, count * sizeof(*children));
	return 0;
}

void core_fill_low_tables(u64 *const table[LOW_TABLE_PAGES], const u64 phys[LOW_TABLE_PAGES])
{
	for (u32 i = 0; i + 1 < LOW_TABLE_PAGES; i++)
		table[i][0] = phys[i + 1] | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
	table[LOW_TABLE_PAGES - 1][0] = MAPPED_RX | PTE_LARGE;
}
