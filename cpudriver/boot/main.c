/*
 * The loader's steps, from a boot loader's hand-over to the first core's CPU driver.
 *
 * Runs in: the loader, first core, long mode on head.S's page tables, interrupts off.
 */
#include "loader.h"
#include "arch/x86_64/cpu.h"

#include <bare/bare.h>
#include <corestart/corestart.h>
#include <cpio/cpio.h>
#include <elf/elf.h>

#define PIC_MASTER_MASK 0x21
#define PIC_SLAVE_MASK  0xa1

extern u64 boot_pdpt[];

_Noreturn void enter_kernel(u64 boot_root, u64 kernel_entry, u64 handoff_va);
_Noreturn void main(u32 magic, u64 info);

static void check_program(const void *image, u64 bytes, const char *path, const char *remedy)
{
	struct cpio_entry file;
	struct elf elf;
	u64 where;
	enum elf_error err;

	if (cpio_find(image, bytes, path, &file, &where) != CPIO_OK)
		fail("image has no %s: %s", path, remedy);
	err = elf_open(&elf, file.data, file.size, ELF_NATIVE);
	if (err)
		fail("image's %s %s: %s", path, elf_strerror(err), remedy);
}

/* Ends the loader if the image is not one that core 0 could be built from. */
static void check_image(const struct bootinfo *b)
{
	static const char remedy[] = "build it with hake/test or hake/run";
	const void *image;
	enum cpio_error err;
	u64 where = 0;

	if (!b->image_bytes)
		fail("no boot image: pass it as the first module (GRUB: module2, QEMU: -initrd); "
		     "hake/run and hake/iso do");
	if (b->image_bytes > IMAGE_MAX)
		fail("the boot image has %lu MiB, more than %lu MiB", b->image_bytes / MiB,
		     IMAGE_MAX / MiB);
	image = boot_memory(b->image_phys, b->image_bytes, "boot image");
	err = cpio_check(image, b->image_bytes, &where);
	if (err)
		fail("boot image of %lu bytes %s, in the entry at byte %lu: %s", b->image_bytes,
		     cpio_strerror(err), where, remedy);
	check_program(image, b->image_bytes, CORE_KERNEL_PATH, remedy);
	check_program(image, b->image_bytes, CORE_MONITOR_PATH, remedy);
}

/* Makes the tables on which other cores will reach long mode. Returns where their root is. */
static u64 make_low_tables(const struct machine *m)
{
	u64 *table[LOW_TABLE_PAGES];
	u64 phys[LOW_TABLE_PAGES];

	for (u32 i = 0; i < LOW_TABLE_PAGES; i++) {
		phys[i] = core_low_page(m, i) * PAGE_SIZE;
		if (!phys[i])
			fail("there is no memory below 640 KiB, through which cores start");
		table[i] = (u64 *)phys[i];
		memset(table[i], 0, PAGE_SIZE);
	}
	core_fill_low_tables(table, phys);
	return phys[0];
}

_Noreturn static void start_core_0(struct core_plan *plan)
{
	const struct machine_core *c = machine_cores(plan->machine);
	struct core_window window = {.phys = c->mem_base};
	struct core_entry entry;
	int err = core_build_size(plan, &window.bytes);

	if (!err && window.bytes <= c->mem_bytes)
		window.base = phys_map(window.phys, window.bytes);
	if (window.base) {
		memset(window.base, 0, window.bytes);
		err = core_build(plan, &window, &entry);
	}
	if (err)
		fail("image's " CORE_KERNEL_PATH " or " CORE_MONITOR_PATH
		     " is not laid out as this loader wants: build all of it anew");
	if (!window.base)
		fail("core 0 needs %lu KiB, but has %lu KiB: give the machine more memory",
		     window.bytes / KiB, c->mem_bytes / KiB);
	enter_kernel(entry.boot_root, entry.kernel_entry, entry.handoff_va);
}

void main(u32 magic, u64 info)
{
	static struct bootinfo boot;
	static struct found found;
	struct core_plan plan = {.tsc_start = rdtsc(), .low_pdpt = (u64)boot_pdpt};
	struct clocks clocks = {0};
	struct machine *m;
	u64 wall_ns = rtc_ns();

	outb(PIC_MASTER_MASK, 0xff);
	outb(PIC_SLAVE_MASK, 0xff);
	console_init();
	trap_init();
	bootinfo_read(magic, info, &boot);
	check_image(&boot);
	discover(&boot, &found);
	plan.image_phys = image_place(&boot);
	plan.image_bytes = boot.image_bytes;
	plan.image = (const void *)plan.image_phys;

	m = machine_make(&found);
	machine_compare_built_in(m, plan.image, plan.image_bytes);
	m->ncores = bootinfo_cores(&boot, m->ncores);
	memory_share(m, bootinfo_first_core(&boot));
	if (machine_check(m, m->size_bytes))
		fail("this machine's ACPI tables contradict each other: no description of it is "
		     "sound");
	clock_measure(m->hpet_base, &clocks);
	say("%s, %u of %u cores, %u nodes, %lu KiB image", boot.protocol, m->ncores, found.ncores,
	    m->nnodes, boot.image_bytes / KiB);

	plan.machine = m;
	plan.tsc_hz = clocks.tsc_hz;
	plan.wall_start_ns = wall_ns;
	plan.apic_timer_hz = clocks.apic_timer_hz;
	plan.low_tables = make_low_tables(m);
	plan.cmdline = boot.cmdline;
	start_core_0(&plan);
}
