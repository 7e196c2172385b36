/*
 * What lib/corestart refuses; and low memory, through which cores start.
 */
#include "corestart_world.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unit.h>

/* What building core 0 of @kernel and @monitor gives. */
static int build(const struct test_program *kernel, const struct test_program *monitor)
{
	struct world w;
	u64 bytes;
	int err;

	plan_world(&w, kernel, monitor);
	err = core_build_size(&w.plan, &bytes);
	put_world(&w);
	return err;
}

/* Each of these changes must make good programs bad ones. */
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		struct test_program kernel = test_kernel(), monitor = test_monitor();              \
		CHECK_EQUAL(build(&kernel, &monitor), 0);                                          \
		change;                                                                            \
		CHECK_EQUAL(build(&kernel, &monitor), -ENOEXEC);                                   \
	} while (0)

TEST(image_without_a_program_is_enoexec)
{
	REFUSED(kernel.path = "boot/other");
	REFUSED(monitor.path = "sbin/monitors");
}

TEST(cpu_driver_that_is_not_one_run_of_pages_is_enoexec)
{
	REFUSED(kernel.segment[0].va += PAGE_SIZE);
	REFUSED(kernel.segment[1].va += PAGE_SIZE);
	REFUSED((kernel.segment[0].flags = PF_R | PF_W, kernel.segment[2].flags = PF_R | PF_X,
		 kernel.entry = kernel.segment[2].va));
	REFUSED(kernel.segment[2].memsz = GiB);
	REFUSED(kernel.segment[2].memsz = GiB + 1);
}

TEST(monitor_outside_its_addresses_is_enoexec)
{
	REFUSED(monitor.segment[3].va = MONITOR_FIXED_VA);
	REFUSED(monitor.segment[3].va = MONITOR_FIXED_VA - PAGE_SIZE);
	REFUSED(monitor.segment[0].va = 0x1000);
}

TEST(writable_code_is_enoexec)
{
	REFUSED(kernel.segment[0].flags |= PF_W);
	REFUSED(monitor.segment[1].flags |= PF_W);
}

TEST(plan_that_contradicts_itself_is_einval)
{
	struct test_program kernel = test_kernel(), monitor = test_monitor();
	struct core_plan plan;
	struct world w;
	u64 bytes;

	plan_world(&w, &kernel, &monitor);
	plan = w.plan;
	CHECK_EQUAL(core_build_size(&plan, &bytes), 0);
	plan.core = CORES;
	CHECK_EQUAL(core_build_size(&plan, &bytes), -EINVAL);
	plan = w.plan;
	plan.image_phys += PAGE_SIZE;
	CHECK_EQUAL(core_build_size(&plan, &bytes), -EINVAL);
	plan = w.plan;
	plan.image_bytes = IMAGE_MAX + 1;
	CHECK_EQUAL(core_build_size(&plan, &bytes), -EINVAL);
	machine_cores(w.m)[0].mem_bytes = 0;
	CHECK_EQUAL(core_build_size(&w.plan, &bytes), -EINVAL);
	put_world(&w);
}

TEST(image_cut_anywhere_is_enoexec)
{
	struct test_program kernel = test_kernel(), monitor = test_monitor();
	struct world w;
	u64 bytes, whole;

	plan_world(&w, &kernel, &monitor);
	whole = w.image_bytes;
	/* Of the entry that ends the archive, nothing is missed. */
	for (u64 len = 1; len < whole - 124; len += 61) {
		u8 *part = malloc(len);

		memcpy(part, w.image, len);
		w.plan.image = part;
		w.plan.image_bytes = len;
		CHECK_EQUAL(core_build_size(&w.plan, &bytes), -ENOEXEC);
		free(part);
	}
	put_world(&w);
}

TEST(random_damage_is_refused_or_does_no_harm)
{
	struct test_program kernel = test_kernel(), monitor = test_monitor();
	u8 *ram = malloc(SHARE), *good;
	u64 seed = 7;
	struct world w;

	plan_world(&w, &kernel, &monitor);
	good = malloc(w.image_bytes);
	memcpy(good, w.image, w.image_bytes);
	for (int i = 0; i < 3000; i++) {
		struct core_window window = {ram, RAM_BASE, SHARE};
		struct core_entry entry;
		int err;

		memcpy(w.image, good, w.image_bytes);
		/* Most of the damage in headers, which are at the beginning of either file. */
		for (u64 n = unit_random(&seed) % 4 + 1; n; n--)
			w.image[unit_random(&seed) % (n & 1 ? 600 : w.image_bytes)] =
				(u8)unit_random(&seed);
		memset(ram, 0, SHARE);
		err = core_build(&w.plan, &window, &entry);
		CHECK(err == 0 || err == -ENOEXEC || err == -ENOMEM);
	}
	free(good);
	free(ram);
	put_world(&w);
}

TEST(low_pages_are_ram_and_never_page_0)
{
	struct machine *m;
	struct world w;

	new_world(&w);
	m = w.m;
	CHECK_EQUAL(core_low_page(m, 0), 1);
	CHECK_EQUAL(core_low_page(m, 157), 158);
	CHECK_EQUAL(core_low_page(m, 158), 0);
	machine_mem(m)[0].base = 0x1800;
	machine_mem(m)[0].bytes = 0x3000; /* to 0x4800: pages 2 and 3 are whole */
	machine_mem(m)[1].base = 0x9e000;
	CHECK_EQUAL(core_low_page(m, 0), 2);
	CHECK_EQUAL(core_low_page(m, 1), 3);
	CHECK_EQUAL(core_low_page(m, 2), 0x9e);
	CHECK_EQUAL(core_low_page(m, 3), 0x9f);
	CHECK_EQUAL(core_low_page(m, 4), 0);
	machine_mem(m)[1].type = MACHINE_MEM_RESERVED;
	CHECK_EQUAL(core_low_page(m, 2), 0);
	put_world(&w);
}

TEST(each_parent_has_a_startup_page_of_its_own)
{
	struct machine_counts counts = {.cores = 512, .nodes = 8, .mem = 1};
	struct machine *m =
		machine_init(malloc(machine_size(&counts)), machine_size(&counts), &counts);
	bool taken[256] = {false};

	REQUIRE(m != NULL);
	for (u32 i = 0; i < 512; i++)
		machine_cores(m)[i].node = machine_cores(m)[i].socket = (u16)(i / 64);
	machine_mem(m)[0] = (struct machine_mem){0, 0x9f000, 0, MACHINE_MEM_RAM};
	machine_build_tree(m, MACHINE_FANOUT);
	for (u32 i = 0; i < LOW_TABLE_PAGES; i++)
		taken[core_low_page(m, i)] = true;
	for (u32 i = 0; i < 512; i++) {
		u32 page = core_startup_page(m, i);
		bool is_parent = machine_child_first(m, i) != MACHINE_NO_CORE;

		CHECK(is_parent == (page != 0));
		CHECK(!page || !taken[page]);
		taken[page] = true;
	}
	CHECK_EQUAL(core_startup_page(m, 512), 0);
	free(m);
}

TEST(low_tables_map_two_mib_to_read_and_execute)
{
	u64 pages[LOW_TABLE_PAGES][512] = {0};
	u64 *const table[LOW_TABLE_PAGES] = {pages[0], pages[1], pages[2]};
	const u64 phys[LOW_TABLE_PAGES] = {0x1000, 0x2000, 0x3000};

	core_fill_low_tables(table, phys);
	CHECK_EQUAL(pte_phys(pages[0][0]), 0x2000);
	CHECK_EQUAL(pte_phys(pages[1][0]), 0x3000);
	CHECK_EQUAL(pages[2][0], 0xa1); /* present, accessed, large; at 0; no write, no NX */
	for (u32 i = 1; i < 512; i++)
		CHECK((pages[0][i] | pages[1][i] | pages[2][i]) == 0);
}

TEST(startup_page_has_relocated_code_and_all_children)
{
	struct startup_child children[STARTUP_CHILDREN];
	struct test_program kernel = test_kernel();
	const struct startup_head *head;
	u8 page[PAGE_SIZE];
	struct world w;

	new_world(&w);
	for (u32 i = 0; i < STARTUP_CHILDREN; i++)
		children[i] = (struct startup_child){i + 500, 0, i, i + 1, i + 2};
	REQUIRE(core_fill_startup(&w.plan, page, 0x9e000, children, STARTUP_CHILDREN) == 0);
	head = (const void *)page;
	CHECK_EQUAL(head->gdt_low | head->gdt_high << 16, 0x9e000 + 40);
	CHECK_EQUAL(head->code32, 0x9e000 + 100);
	CHECK_EQUAL(head->selector32, 8);
	CHECK_EQUAL(head->code64, 0x9e000 + 150);
	CHECK_EQUAL(head->selector64, 16);
	CHECK_EQUAL(head->low_tables, LOW_TABLES);
	CHECK_EQUAL(head->count, STARTUP_CHILDREN);
	CHECK_EQUAL(page[sizeof(*head)],
		    test_byte(kernel.tag, 1, TEST_STARTUP_OFFSET + sizeof(*head)));
	CHECK(memcmp(page + STARTUP_CODE_BYTES, children, sizeof(children)) == 0);
	put_world(&w);
}

TEST(startup_page_that_cannot_work_is_einval)
{
	struct startup_child child = {0};
	u8 page[PAGE_SIZE] = {0};
	struct world w;

	new_world(&w);
	CHECK_EQUAL(core_fill_startup(&w.plan, page, 0x8000, &child, STARTUP_CHILDREN + 1),
		    -EINVAL);
	CHECK_EQUAL(core_fill_startup(&w.plan, page, MiB, &child, 1), -EINVAL);
	CHECK_EQUAL(core_fill_startup(&w.plan, page, 0x8800, &child, 1), -EINVAL);
	w.plan.low_tables = 1ul << 32;
	CHECK_EQUAL(core_fill_startup(&w.plan, page, 0x8000, &child, 1), -EINVAL);
	put_world(&w);
}

TEST(trampoline_that_is_missing_or_too_long_is_enoexec)
{
	struct test_program kernel = test_kernel(), monitor = test_monitor();
	struct startup_child child = {0};
	u8 page[PAGE_SIZE] = {0};
	static const u64 lengths[] = {0, 8, STARTUP_CODE_BYTES + 1, 2990};
	struct world w;

	for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
		kernel.startup_bytes = lengths[i];
		plan_world(&w, &kernel, &monitor);
		CHECK_EQUAL(core_fill_startup(&w.plan, page, 0x8000, &child, 1), -ENOEXEC);
		put_world(&w);
	}
}
