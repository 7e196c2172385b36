/*
 * Building and reading a small machine. See corestart_world.h.
 */
#include "corestart_world.h"

#include <stdlib.h>
#include <string.h>
#include <unit.h>

/* Two nodes of three cores, each with SHARE bytes. */
static struct machine *new_machine(void)
{
	struct machine_counts counts = {.cores = CORES, .nodes = NODES, .mem = 2};
	struct machine *m =
		machine_init(malloc(machine_size(&counts)), machine_size(&counts), &counts);

	REQUIRE(m != NULL);
	m->flags = MACHINE_DISCOVERED;
	for (u32 i = 0; i < CORES; i++) {
		machine_cores(m)[i].apic_id = i * 2;
		machine_cores(m)[i].node = (u16)(i / 3);
		machine_cores(m)[i].socket = (u16)(i / 3);
		machine_cores(m)[i].mem_base = RAM_BASE + i * SHARE;
		machine_cores(m)[i].mem_bytes = SHARE;
	}
	machine_mem(m)[0] = (struct machine_mem){0, 0x9fc00 & ~0xffful, 0, MACHINE_MEM_RAM};
	machine_mem(m)[1] = (struct machine_mem){MiB, GiB, 0, MACHINE_MEM_RAM};
	machine_build_tree(m, MACHINE_FANOUT);
	return m;
}

void plan_world(struct world *w, const struct test_program *kernel,
		const struct test_program *monitor)
{
	struct test_program programs[2] = {*kernel, *monitor};

	memset(w, 0, sizeof(*w));
	w->m = new_machine();
	w->image = test_image(programs, 2, &w->image_bytes);
	w->plan = (struct core_plan){
		.machine = w->m,
		.image = w->image,
		.image_phys = IMAGE_PHYS,
		.image_bytes = w->image_bytes,
		.tsc_hz = 1000,
		.apic_timer_hz = 2000,
		.tsc_start = 3000,
		.wall_start_ns = 4000,
		.low_tables = LOW_TABLES,
		.low_pdpt = LOW_PDPT,
		.link_phys = 0x123000,
		.cmdline = "panic=exit cores=6",
	};
}

void put_world(struct world *w)
{
	free(w->m);
	free(w->ram);
	free(w->image);
}

void *at_phys(const struct world *w, u64 phys)
{
	REQUIRE(phys >= RAM_BASE && phys < RAM_BASE + CORES * SHARE);
	return w->ram + (phys - RAM_BASE);
}

void new_world(struct world *w)
{
	struct test_program kernel = test_kernel(), monitor = test_monitor();
	struct node_text text[NODES];

	plan_world(w, &kernel, &monitor);
	w->ram = calloc(CORES, SHARE);
	for (u32 i = 0; i < CORES; i++) {
		const struct machine_core *c = &machine_cores(w->m)[i];
		struct core_window window = {at_phys(w, c->mem_base), c->mem_base, SHARE};
		bool first = core_is_first_of_node(w->m, i);

		w->plan.core = i;
		w->plan.text = first ? NULL : &text[c->node];
		CHECK_EQUAL(core_build_size(&w->plan, &w->size[i]), 0);
		window.bytes = w->size[i];
		REQUIRE(core_build(&w->plan, &window, &w->entry[i]) == 0);
		if (first)
			text[c->node] = w->entry[i].text;
	}
}

const struct handoff *handoff_of(const struct world *w, u32 core)
{
	return at_phys(w, w->entry[core].handoff_va - PHYSMAP_BASE +
				  machine_cores(w->m)[core].mem_base);
}

static void walk_table(const struct world *w, u64 table, u32 shift, struct page above, page_fn *fn,
		       void *arg)
{
	const u64 *entries = at_phys(w, table);

	for (u64 i = 0; i < 512; i++) {
		u64 entry = entries[i];
		struct page p = {
			.va = above.va | i << shift,
			.phys = pte_phys(entry),
			.bytes = 1ul << shift,
			.write = above.write && (entry & PTE_WRITE),
			.user = above.user && (entry & PTE_USER),
			.exec = above.exec && !(entry & PTE_NX),
		};

		if (!(entry & PTE_PRESENT) || p.phys == LOW_PDPT)
			continue;
		if (shift == 39 && i >= 256)
			p.va |= 0xffff000000000000ul;
		if (shift == 12 || (entry & PTE_LARGE))
			fn(&p, arg);
		else
			walk_table(w, p.phys, shift - 9, p, fn, arg);
	}
}

void walk(const struct world *w, u64 root, page_fn *fn, void *arg)
{
	walk_table(w, root, 39, (struct page){.write = true, .user = true, .exec = true}, fn, arg);
}

static void find_page(const struct page *p, void *arg)
{
	struct page *wanted = arg;

	if (wanted->va - p->va < p->bytes && !wanted->bytes)
		*wanted = *p;
}

struct page page_at(const struct world *w, u64 root, u64 va)
{
	struct page p = {.va = va};

	walk(w, root, find_page, &p);
	return p;
}

const char *rights_at(const struct world *w, u64 root, u64 va)
{
	static char text[5];
	struct page p = page_at(w, root, va);

	if (!p.bytes)
		return "none";
	text[0] = 'r';
	text[1] = p.write ? 'w' : '-';
	text[2] = p.exec ? 'x' : '-';
	text[3] = p.user ? 'u' : '-';
	return text;
}

u8 byte_at(const struct world *w, u64 root, u64 va)
{
	struct page p = page_at(w, root, va);

	return p.bytes ? *(u8 *)at_phys(w, p.phys + (va - p.va)) : 0;
}
