/*
 * What a core is given when it starts: one page, filled by whoever builds the core's image (the
 * loader for core 0, the parent's monitor for the others; lib/corestart), read by the new core's
 * CPU driver and then, read-only, by its monitor at MONITOR_BOOT_VA. Nobody else keeps it.
 *
 * Also here: where things lie in the address spaces of a CPU driver and of a monitor.
 */
#ifndef SKERRY_HANDOFF_H
#define SKERRY_HANDOFF_H

#include <skerry/calls.h>

#define HANDOFF_MAGIC   0x464f444e4148ul
#define HANDOFF_VERSION 1u
#define CMDLINE_MAX     2048u

/*
 * The upper half. Slot 511 of the root table holds the CPU driver (and, in a context's address
 * space, its entry trampoline alone); slot 510 maps this core's own memory, never executable:
 * physical address p of it is at PHYSMAP_BASE + p - mem_base.
 */
#define KERNEL_SLOT  511u
#define PHYSMAP_SLOT 510u
#define PHYSMAP_BASE 0xffffff0000000000ul
#define KIMAGE_BASE  0xffffff8000000000ul /* the boot image, read-only, 2 MiB pages */
#define APIC_BASE_VA 0xffffffffc0000000ul /* registers of an xAPIC */
#define KERNEL_BASE  0xffffffff80000000ul /* text, read-only data, data */
#define IMAGE_MAX    (1ul * GiB)
#define PHYSMAP_MAX  (512ul * GiB)
#define USER_END     0x0000800000000000ul

/* A monitor's address space. Its program is linked below MONITOR_FIXED_VA. */
#define MONITOR_FIXED_VA    0x0000600000000000ul
#define MONITOR_BOOT_VA     MONITOR_FIXED_VA /* struct handoff */
#define MONITOR_MACHINE_VA  (MONITOR_FIXED_VA + 1 * GiB)
#define MONITOR_IMAGE_VA    (MONITOR_FIXED_VA + 2 * GiB)
#define MONITOR_STACK_TOP   (MONITOR_FIXED_VA + 5 * GiB)
#define MONITOR_STACK_BYTES (64 * KiB)

/* What the CPU driver puts in its monitor's table of capabilities. */
#define MONITOR_SLOTS   2048u
#define SLOT_DOMAIN     1u /* the monitor itself; RIGHT_CALL, no RIGHT_OWN */
#define SLOT_ASPACE     2u /* its address space */
#define SLOT_RAM        3u /* all memory of this core that is still free */
#define SLOT_PHYS       4u /* authority over all other memory */
#define SLOT_CORE       5u
#define SLOT_IMAGE      6u /* frame: the boot image, readable and executable */
#define SLOT_MACHINE    7u /* frame: the machine description, readable */
#define SLOT_FIRST_FREE 8u

/*
 * Where the code that a node's cores share lies: physical addresses, page aligned. The first
 * core of a node to start holds them in its memory, outside its physmap; nobody writes them.
 */
struct node_text {
	u64 kernel_phys;  /* text and read-only data of the CPU driver, as one run of pages */
	u64 monitor_phys; /* the same of the monitor */
	u64 machine_phys; /* the node's copy of the machine description */
};

struct handoff {
	u64 magic;
	u32 version;
	u32 core;
	u32 apic_id;
	u32 node;
	u64 tsc_hz;
	u64 apic_timer_hz; /* counts a second at divide by 1 */
	u64 tsc_start;     /* the loader's first reading: time zero of the machine */
	u64 wall_start_ns; /* what time it was then, since 1970 UTC; 0: not known */
	u64 mem_base;      /* this core's memory */
	u64 mem_bytes;
	u64 physmap_start; /* first byte of it in the physmap: below lie shared texts */
	u64 free_base;     /* all of it from here on is free */
	u64 image_phys;    /* the boot image, 2 MiB aligned */
	u64 image_bytes;
	u64 machine_bytes;
	struct node_text text;
	u64 kernel_root;   /* physical: root table with the upper half only */
	u64 boot_root;     /* physical: the root that the core starts on, part of the free memory */
	u64 monitor_root;  /* physical */
	u64 monitor_entry; /* user address */
	u64 monitor_image_offset; /* of its ELF file in the image */
	u64 kernel_image_offset;
	u64 low_tables; /* physical: root table that identity-maps low memory, for starting cores */
	u64 link_phys;  /* the ring from this core's monitor to its parent's (monitor/link.h), 0 on
			   core 0 */
	u64 reserved[7];
	char cmdline[CMDLINE_MAX]; /* NUL-terminated */
};

static_assert(sizeof(struct handoff) <= PAGE_SIZE, "the hand-off is one page");

static inline const struct handoff *monitor_handoff(void)
{
	return (const struct handoff *)MONITOR_BOOT_VA;
}

#endif
