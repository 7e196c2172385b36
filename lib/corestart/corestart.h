/*
 * Building the memory image of a core before it starts.
 *
 * A core's memory (machine_core.mem_base on) is laid out from the bottom:
 *
 *   shared    text of the CPU driver, text of the monitor, machine description: only if the
 *             core is the first of its node; outside the core's physmap, read-only for all
 *   private   data of the CPU driver; data and stack of the monitor; page tables; hand-off
 *   free      from handoff.free_base on: the monitor's SLOT_RAM (begins with the boot root)
 *
 * The loader does this for core 0 and a parent's monitor for each of its children; the bytes
 * reach the core's memory through struct core_window, so that the same code runs over any mapping,
 * and on the host over an array. All page tables hold physical addresses, all private.
 *
 * Not here: sending INIT and STARTUP (monitor/start.c), the trampoline's code
 * (cpudriver/arch/x86_64/trampoline.S, found in the CPU driver's ELF file by its symbols).
 */
#ifndef CORESTART_H
#define CORESTART_H

#include <corestart/startup.h>
#include <skerry/handoff.h>
#include <skerry/machine.h>

/* Programs of the boot image that make a core. */
#define CORE_KERNEL_PATH  "boot/cpudriver"
#define CORE_MONITOR_PATH "sbin/monitor"

/* Memory of the new core that the builder can write: @base is where physical @phys appears. */
struct core_window {
	u8 *base;
	u64 phys;
	u64 bytes;
};

/* What the builder knows, in; filled by the caller. */
struct core_plan {
	const struct machine *machine;
	const void *image; /* the boot image, mapped */
	u64 image_phys;
	u64 image_bytes;
	u32 core;                     /* which one to build */
	const struct node_text *text; /* of its node, or NULL if it is the node's first core */
	u64 tsc_hz, apic_timer_hz, tsc_start, wall_start_ns;
	u64 low_tables; /* as in struct handoff */
	u64 low_pdpt;   /* physical: table for slot 0 of the boot root */
	u64 link_phys;  /* as in struct handoff */
	const char *cmdline;
};

/* What a starting core needs to be told, out. */
struct core_entry {
	u64 boot_root;    /* physical, for CR3 */
	u64 kernel_entry; /* upper-half address */
	u64 handoff_va;   /* for rdi */
	struct node_text text;
};

/** Bytes of window that core_build() needs for @plan: whole pages. Returns 0, -ENOEXEC, -EINVAL. */
int core_build_size(const struct core_plan *plan, u64 *bytes);

/**
 * Build the image of a core in its memory.
 *
 * @window  the first core_build_size() bytes of the core's memory, zeroed by the caller
 * Returns 0; -ENOEXEC (the image lacks boot/cpudriver or sbin/monitor, or they are malformed),
 * -ENOMEM (window too small), -EINVAL (no such core, or the plan contradicts itself). Runs in:
 * loader, monitor, host tests.
 */
int core_build(const struct core_plan *plan, struct core_window *window, struct core_entry *entry);

/** Whether @core is the first of its node to start: its parent lies in another node. */
bool core_is_first_of_node(const struct machine *m, u32 core);

#define LOW_TABLE_PAGES 3u

/**
 * The @n-th usable page below 640 KiB, as a page number, or 0 if there is none. Pages 0 to
 * LOW_TABLE_PAGES - 1 hold the low identity tables (root, PDPT, PD); the k-th core with children
 * starts them through the page after those and k more.
 */
u32 core_low_page(const struct machine *m, u32 n);

/**
 * Fill the tables on which starting cores reach long mode: the first 2 MiB, identity-mapped, read
 * and execute. @table are the three pages, zeroed, in the order above; @phys where they lie.
 */
void core_fill_low_tables(u64 *const table[LOW_TABLE_PAGES], const u64 phys[LOW_TABLE_PAGES]);

/**
 * The page through which @core starts its children (see core_low_page), or 0: it has none, or low
 * memory has no page for it.
 */
u32 core_startup_page(const struct machine *m, u32 core);

/**
 * Fill a trampoline page (PAGE_SIZE bytes at @page, which will be at physical @phys): copy the
 * code out of the CPU driver in @plan's image and relocate it, and list @count <= STARTUP_CHILDREN
 * children. Returns 0 or -ENOEXEC, -EINVAL.
 */
int core_fill_startup(const struct core_plan *plan, void *page, u64 phys,
		      const struct startup_child *children, u32 count);

#endif
