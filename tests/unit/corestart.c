/*
 * Building the memory of a core before it starts (lib/corestart): what is mapped where, and that
 * no memory is shared that must not be.
 */
#include "corestart_world.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unit.h>

/* Whether the file's bytes of segment @i are mapped where @program wants them, and zeros behind. */
static bool segment_is_loaded(const struct world *w, u64 root, const struct test_program *program,
			      u32 i, u64 from)
{
	u64 va = program->segment[i].va, filesz = program->segment[i].filesz;

	for (u64 b = from; b < program->segment[i].memsz; b += 97) {
		u8 wanted = b < filesz ? test_byte(program->tag, i, b) : 0;

		if (byte_at(w, root, va + b) != wanted)
			return false;
	}
	return true;
}

TEST(cpu_driver_is_mapped_at_its_addresses_with_its_rights)
{
	struct test_program kernel = test_kernel();
	struct world w;

	new_world(&w);
	for (u32 core = 0; core < CORES; core++) {
		u64 root = handoff_of(&w, core)->kernel_root;

		CHECK_STRING(rights_at(&w, root, KERNEL_BASE), "r-x-");
		CHECK_STRING(rights_at(&w, root, KERNEL_BASE + 0x1000), "r-x-");
		CHECK_STRING(rights_at(&w, root, KERNEL_BASE + 0x2000), "r---");
		CHECK_STRING(rights_at(&w, root, KERNEL_BASE + 0x3000), "rw--");
		CHECK_STRING(rights_at(&w, root, KERNEL_BASE + 0x5000), "rw--");
		CHECK_STRING(rights_at(&w, root, KERNEL_BASE + 0x6000), "none");
		CHECK(segment_is_loaded(&w, root, &kernel, 0, 0));
		CHECK(segment_is_loaded(&w, root, &kernel, 1, 300)); /* behind the trampoline */
		CHECK(segment_is_loaded(&w, root, &kernel, 2, 0));
		CHECK_EQUAL(w.entry[core].kernel_entry, kernel.entry);
	}
	put_world(&w);
}

TEST(monitor_is_mapped_at_its_addresses_with_its_rights)
{
	struct test_program monitor = test_monitor();
	struct world w;

	new_world(&w);
	for (u32 core = 0; core < CORES; core++) {
		u64 root = handoff_of(&w, core)->monitor_root;

		CHECK_STRING(rights_at(&w, root, 0x400000), "r--u");
		CHECK_STRING(rights_at(&w, root, 0x402000), "r-xu");
		CHECK_STRING(rights_at(&w, root, 0x403000), "r--u");
		CHECK_STRING(rights_at(&w, root, 0x404000), "rw-u");
		CHECK_STRING(rights_at(&w, root, 0x406000), "none");
		for (u32 i = 0; i < monitor.nsegments; i++)
			CHECK(segment_is_loaded(&w, root, &monitor, i, 0));
		CHECK_EQUAL(handoff_of(&w, core)->monitor_entry, monitor.entry);
	}
	put_world(&w);
}

TEST(monitor_sees_its_stack_handoff_machine_and_image)
{
	struct world w;

	new_world(&w);
	for (u32 core = 0; core < CORES; core++) {
		u64 root = handoff_of(&w, core)->monitor_root;
		u64 stack = MONITOR_STACK_TOP - MONITOR_STACK_BYTES;
		struct page machine = page_at(&w, root, MONITOR_MACHINE_VA);

		CHECK_STRING(rights_at(&w, root, stack - 1), "none");
		CHECK_STRING(rights_at(&w, root, stack), "rw-u");
		CHECK_STRING(rights_at(&w, root, MONITOR_STACK_TOP - 1), "rw-u");
		CHECK_STRING(rights_at(&w, root, MONITOR_STACK_TOP), "none");
		CHECK_STRING(rights_at(&w, root, MONITOR_BOOT_VA), "r--u");
		CHECK(at_phys(&w, page_at(&w, root, MONITOR_BOOT_VA).phys) == handoff_of(&w, core));
		CHECK_STRING(rights_at(&w, root, MONITOR_MACHINE_VA), "r--u");
		CHECK(memcmp(at_phys(&w, machine.phys), w.m, w.m->size_bytes) == 0);
		CHECK_STRING(rights_at(&w, root, MONITOR_IMAGE_VA), "r--u");
		CHECK_EQUAL(page_at(&w, root, MONITOR_IMAGE_VA).phys, IMAGE_PHYS);
		CHECK_EQUAL(page_at(&w, root, MONITOR_IMAGE_VA).bytes, LARGE);
	}
	put_world(&w);
}

static void check_supervisor(const struct page *p, void *arg)
{
	(void)arg;
	CHECK(p->user == (p->va < USER_END));
}

TEST(user_mode_reaches_the_lower_half_only)
{
	struct world w;

	new_world(&w);
	for (u32 core = 0; core < CORES; core++) {
		walk(&w, handoff_of(&w, core)->kernel_root, check_supervisor, NULL);
		walk(&w, handoff_of(&w, core)->monitor_root, check_supervisor, NULL);
	}
	put_world(&w);
}

TEST(physmap_is_the_cores_own_memory_behind_the_shared_texts)
{
	struct world w;

	new_world(&w);
	for (u32 core = 0; core < CORES; core++) {
		const struct handoff *h = handoff_of(&w, core);

		for (u64 phys = h->mem_base; phys < h->mem_base + h->mem_bytes; phys += PAGE_SIZE) {
			u64 va = PHYSMAP_BASE + (phys - h->mem_base);
			struct page p = page_at(&w, h->kernel_root, va);

			if (phys < h->physmap_start) {
				CHECK_EQUAL(p.bytes, 0);
				continue;
			}
			CHECK_EQUAL(p.phys + (va - p.va), phys);
			CHECK_STRING(rights_at(&w, h->kernel_root, va), "rw--");
		}
		CHECK_STRING(rights_at(&w, h->kernel_root, PHYSMAP_BASE + SHARE), "none");
	}
	put_world(&w);
}

TEST(xapic_has_page_tables_but_no_page)
{
	struct world w;
	u64 table;

	new_world(&w);
	table = handoff_of(&w, 0)->kernel_root;
	CHECK_STRING(rights_at(&w, table, APIC_BASE_VA), "none");
	for (u32 shift = 39; shift > 12; shift -= 9) {
		u64 entry = ((u64 *)at_phys(&w, table))[APIC_BASE_VA >> shift & 511];

		REQUIRE(entry & PTE_PRESENT);
		table = pte_phys(entry);
	}
	put_world(&w);
}

TEST(boot_root_maps_the_upper_half_and_the_callers_low_table)
{
	struct world w;

	new_world(&w);
	for (u32 core = 0; core < CORES; core++) {
		const struct handoff *h = handoff_of(&w, core);
		const u64 *boot = at_phys(&w, w.entry[core].boot_root);

		CHECK_EQUAL(pte_phys(boot[0]), LOW_PDPT);
		CHECK(boot[0] & PTE_PRESENT);
		CHECK(memcmp(boot + 256, (u64 *)at_phys(&w, h->kernel_root) + 256, 2048) == 0);
		CHECK_EQUAL(h->boot_root, w.entry[core].boot_root);
		CHECK_EQUAL(h->boot_root, h->free_base);
	}
	put_world(&w);
}

/* What is known of each page of all cores' memory: who may write it, and whether any may run it. */
struct uses {
	u8 writers[CORES * SHARE / PAGE_SIZE]; /* a bit for each core */
	bool executed[CORES * SHARE / PAGE_SIZE];
	u32 core;
};

static void note_use(const struct page *p, void *arg)
{
	struct uses *u = arg;

	for (u64 phys = p->phys; phys < p->phys + p->bytes; phys += PAGE_SIZE) {
		u64 n = (phys - RAM_BASE) / PAGE_SIZE;

		if (phys >= IMAGE_PHYS) {
			CHECK(!p->write && !p->exec);
			continue;
		}
		REQUIRE(n < ARRAY_SIZE(u->writers));
		if (p->write)
			u->writers[n] |= (u8)(1u << u->core);
		u->executed[n] |= p->exec;
	}
}

TEST(no_page_is_writable_from_two_cores_nor_writable_and_executable)
{
	static struct uses u;
	struct world w;

	new_world(&w);
	for (u.core = 0; u.core < CORES; u.core++) {
		walk(&w, handoff_of(&w, u.core)->kernel_root, note_use, &u);
		walk(&w, handoff_of(&w, u.core)->monitor_root, note_use, &u);
		walk(&w, handoff_of(&w, u.core)->boot_root, note_use, &u);
	}
	for (u64 n = 0; n < ARRAY_SIZE(u.writers); n++) {
		u64 owner = n * PAGE_SIZE / SHARE;

		CHECK(u.writers[n] == 0 || u.writers[n] == 1u << owner);
		CHECK(!(u.writers[n] && u.executed[n]));
	}
	put_world(&w);
}

/* All tables below @table are in [start, end), and written once. */
static void check_tables(const struct world *w, u64 table, u32 shift, u64 start, u64 end)
{
	const u64 *entries = at_phys(w, table);

	CHECK(table >= start && table < end);
	for (u64 i = 0; i < 512 && shift > 12; i++) {
		u64 entry = entries[i];

		if ((entry & PTE_PRESENT) && !(entry & PTE_LARGE) && pte_phys(entry) != LOW_PDPT)
			check_tables(w, pte_phys(entry), shift - 9, start, end);
	}
}

TEST(page_tables_are_private)
{
	struct world w;

	new_world(&w);
	for (u32 core = 0; core < CORES; core++) {
		const struct handoff *h = handoff_of(&w, core);
		u64 end = h->mem_base + w.size[core];

		check_tables(&w, h->kernel_root, 39, h->physmap_start, h->free_base);
		check_tables(&w, h->monitor_root, 39, h->physmap_start, h->free_base);
		check_tables(&w, h->boot_root, 39, h->physmap_start, end);
	}
	put_world(&w);
}

TEST(text_is_there_once_a_node)
{
	struct world w;

	new_world(&w);
	for (u32 core = 0; core < CORES; core++) {
		const struct handoff *h = handoff_of(&w, core);
		u64 first = core / 3 * 3;
		u64 base = machine_cores(w.m)[first].mem_base;

		CHECK_EQUAL(core_is_first_of_node(w.m, core), core == first);
		CHECK_EQUAL(h->text.kernel_phys, base);
		CHECK(h->text.monitor_phys > base && h->text.machine_phys > base);
		CHECK_EQUAL(h->physmap_start == h->mem_base, core != first);
		CHECK_EQUAL(page_at(&w, h->kernel_root, KERNEL_BASE + 0x1000).phys, base + 0x1000);
	}
	put_world(&w);
}

TEST(handoff_says_what_the_plan_said)
{
	struct world w;

	new_world(&w);
	for (u32 core = 0; core < CORES; core++) {
		const struct handoff *h = handoff_of(&w, core);

		CHECK_EQUAL(h->magic, HANDOFF_MAGIC);
		CHECK_EQUAL(h->version, HANDOFF_VERSION);
		CHECK_EQUAL(h->core, core);
		CHECK_EQUAL(h->apic_id, core * 2);
		CHECK_EQUAL(h->node, core / 3);
		CHECK_EQUAL(h->mem_bytes, SHARE);
		CHECK_EQUAL(h->tsc_hz, 1000);
		CHECK_EQUAL(h->apic_timer_hz, 2000);
		CHECK_EQUAL(h->tsc_start, 3000);
		CHECK_EQUAL(h->wall_start_ns, 4000);
		CHECK_EQUAL(h->image_phys, IMAGE_PHYS);
		CHECK_EQUAL(h->image_bytes, w.image_bytes);
		CHECK_EQUAL(h->machine_bytes, w.m->size_bytes);
		CHECK_EQUAL(h->low_tables, LOW_TABLES);
		CHECK_EQUAL(h->link_phys, 0x123000);
		CHECK_STRING(h->cmdline, "panic=exit cores=6");
		CHECK(memcmp(w.image + h->kernel_image_offset, ELFMAG, SELFMAG) == 0);
		CHECK(memcmp(w.image + h->monitor_image_offset, ELFMAG, SELFMAG) == 0);
	}
	put_world(&w);
}

TEST(command_line_of_any_length_ends)
{
	char *text = malloc(2 * CMDLINE_MAX);
	struct core_window window;
	struct core_entry entry;
	struct world w;

	new_world(&w);
	memset(text, 'x', 2 * CMDLINE_MAX);
	text[2 * CMDLINE_MAX - 1] = 0;
	w.plan.cmdline = text;
	w.plan.core = 0;
	w.plan.text = NULL;
	memset(w.ram, 0, SHARE);
	window = (struct core_window){w.ram, RAM_BASE, SHARE};
	REQUIRE(core_build(&w.plan, &window, &entry) == 0);
	CHECK_EQUAL(strlen(handoff_of(&w, 0)->cmdline), CMDLINE_MAX - 1);
	free(text);
	put_world(&w);
}

static bool is_zero(const u8 *at, u64 bytes)
{
	while (bytes && !*at)
		at++, bytes--;
	return bytes == 0;
}

TEST(size_is_exact)
{
	struct core_window window;
	struct core_entry entry;
	struct world w;

	new_world(&w);
	for (u32 core = 0; core < CORES; core++) {
		u64 base = machine_cores(w.m)[core].mem_base;
		u64 boot_root = w.entry[core].boot_root;

		/* The last page of the window is the boot root, the one before it a table in use.
		 */
		CHECK_EQUAL(boot_root, base + w.size[core] - PAGE_SIZE);
		CHECK(!is_zero(at_phys(&w, boot_root - PAGE_SIZE), PAGE_SIZE));
		CHECK(is_zero(at_phys(&w, base + w.size[core]), SHARE - w.size[core]));
	}
	w.plan.core = 0;
	w.plan.text = NULL;
	memset(w.ram, 0, SHARE);
	window = (struct core_window){w.ram, RAM_BASE, w.size[0] - PAGE_SIZE};
	CHECK_EQUAL(core_build(&w.plan, &window, &entry), -ENOMEM);
	CHECK(is_zero(w.ram, SHARE));
	put_world(&w);
}

TEST(physmap_of_much_memory_reaches_its_end)
{
	struct core_window window;
	struct core_entry entry;
	struct world w;
	u64 root;

	new_world(&w);
	machine_cores(w.m)[0].mem_bytes = 5 * GiB + LARGE;
	w.plan.core = 0;
	w.plan.text = NULL;
	memset(w.ram, 0, SHARE);
	window = (struct core_window){w.ram, RAM_BASE, SHARE};
	REQUIRE(core_build(&w.plan, &window, &entry) == 0);
	root = handoff_of(&w, 0)->kernel_root;
	CHECK_STRING(rights_at(&w, root, PHYSMAP_BASE + 5 * GiB), "rw--");
	CHECK_EQUAL(page_at(&w, root, PHYSMAP_BASE + 5 * GiB).phys, RAM_BASE + 5 * GiB);
	CHECK_STRING(rights_at(&w, root, PHYSMAP_BASE + 5 * GiB + LARGE), "none");
	put_world(&w);
}
