/*
 * The page through which cores start: its layout, known to core_fill_startup(), which fills it,
 * and to cpudriver/arch/x86_64/trampoline.S, which runs in it. C and assembly.
 *
 *   0                   the trampoline's code, beginning with struct startup_head
 *   STARTUP_CODE_BYTES  struct startup_child[count]
 */
#ifndef CORESTART_STARTUP_H
#define CORESTART_STARTUP_H

#define STARTUP_CODE_BYTES 1024
#define STARTUP_CHILDREN   96

/* Offsets in struct startup_head. */
#define STARTUP_GDT        10
#define STARTUP_CODE32     16
#define STARTUP_CODE64     24
#define STARTUP_LOW_TABLES 32
#define STARTUP_COUNT      36

/* Offsets in struct startup_child. */
#define CHILD_APIC_ID      0
#define CHILD_BOOT_ROOT    8
#define CHILD_KERNEL_ENTRY 16
#define CHILD_HANDOFF_VA   24
#define CHILD_BYTES        32

#ifndef __ASSEMBLER__

#include <skerry/types.h>

/* How the code begins. Addresses are offsets into the page until core_fill_startup(). */
struct startup_head {
	u8 jump[8]; /* over the head */
	u16 gdt_limit;
	u16 gdt_low; /* the address of the GDT, as LGDT wants it: not aligned */
	u16 gdt_high;
	u16 pad;
	u32 code32; /* a far pointer: offset, selector */
	u32 selector32;
	u32 code64;
	u32 selector64;
	u32 low_tables; /* physical address of the root of the low identity tables */
	u32 count;      /* of children */
};

/* One child: a starting core looks for its own APIC id. */
struct startup_child {
	u32 apic_id;
	u32 reserved;
	u64 boot_root;
	u64 kernel_entry;
	u64 handoff_va;
};

static_assert(offsetof(struct startup_head, gdt_low) == STARTUP_GDT, "above");
static_assert(offsetof(struct startup_head, code32) == STARTUP_CODE32, "above");
static_assert(offsetof(struct startup_head, code64) == STARTUP_CODE64, "above");
static_assert(offsetof(struct startup_head, low_tables) == STARTUP_LOW_TABLES, "above");
static_assert(offsetof(struct startup_head, count) == STARTUP_COUNT, "above");
static_assert(offsetof(struct startup_child, boot_root) == CHILD_BOOT_ROOT, "above");
static_assert(offsetof(struct startup_child, kernel_entry) == CHILD_KERNEL_ENTRY, "above");
static_assert(offsetof(struct startup_child, handoff_va) == CHILD_HANDOFF_VA, "above");
static_assert(sizeof(struct startup_child) == CHILD_BYTES, "above");
static_assert(STARTUP_CODE_BYTES + STARTUP_CHILDREN * CHILD_BYTES <= PAGE_SIZE, "one page");

#endif
#endif
