/*
 * The loader's parts and what they tell each other. It runs once, on the first core, before any
 * CPU driver:
 *
 *   head.S      protected mode to long mode, page tables
 *   main.c      the sequence of steps; building and entering core 0
 *   bootinfo.c  what the boot loader handed over, in one form (multiboot2.c, pvh.c)
 *   memmap.c    what physical memory is used for, from several sources
 *   discover.c  ACPI's tables: cores, nodes, devices; topology.c: where cores sit, their order
 *   machine.c   all of that as a struct machine
 *   memory.c    the place of the boot image, and every core's share of memory
 *   clock.c     how fast the clocks run
 *   console.c   messages on the serial port
 *   paging.c    memory above 4 GiB
 *   trap.c      exceptions, which should not happen
 *
 * Nothing of it survives but what is in core 0's memory, and a copy of ACPI's root pointer. What is
 * found wrong ends in fail(), with a line that tells what to do about it.
 */
#ifndef BOOT_LOADER_H
#define BOOT_LOADER_H

#include <machine/machine.h>
#include <skerry/handoff.h>

/* Memory below belongs to the firmware, the loader and starting cores; it is no core's share. */
#define CORES_MEMORY_START (16 * MiB)
#define LARGE_PAGE         (2 * MiB)

/* console.c */

/** Finds the serial port; until then, and if there is none, nothing is printed. */
void console_init(void);

/** Prints a line: "skerry: " and the text. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Prints a line that programs read: "@name key=value ...", as it is. */
void say_structured(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** From now on fail() ends QEMU, by its isa-debug-exit device. */
void console_exit_on_failure(void);

/** Prints a line, and halts. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* trap.c */

/** From now on exceptions are reported. */
void trap_init(void);

/* paging.c */

/**
 * Makes @bytes of physical memory at @phys readable and writable at their own address.
 * Returns the address, or NULL: page tables or the processor's address bits are exhausted.
 */
void *phys_map(u64 phys, u64 bytes);

/* bootinfo.c */

struct bootinfo {
	const char *protocol; /* for messages */
	char cmdline[CMDLINE_MAX];
	u64 image_phys; /* where the boot loader put the boot image */
	u64 image_bytes;
	u64 rsdp; /* ACPI's root pointer, 0 if the boot loader did not tell */
};

/** Reads what the boot loader left; the memory map goes to memmap_add(). Fails if it makes no
 * sense. */
void bootinfo_read(u32 magic, u64 info, struct bootinfo *b);

void multiboot2_read(u64 info, struct bootinfo *b);
void pvh_read(u64 info, struct bootinfo *b);

/** phys_map() for something that must be there; @what is for the message. */
const void *boot_memory(u64 phys, u64 bytes, const char *what);

/** Takes over a command line of at most @max bytes, ended by a NUL or by @max. */
void bootinfo_set_cmdline(struct bootinfo *b, const char *text, u64 max);

/** The value of option "name=value" of the command line, ended by space or NUL; NULL if not there.
 */
const char *bootinfo_option(const struct bootinfo *b, const char *name);

/** What "cores=N" says, or @most. Fails if it is no number from 1 on. */
u32 bootinfo_cores(const struct bootinfo *b, u32 most);

/** What "first_core=PERCENT" says (memory_share()), or 0. Fails if it is no number from 1 to 90. */
u32 bootinfo_first_core(const struct bootinfo *b);

/* memmap.c */

#define MEMMAP_MAX 1024u

/** Adds a range with a use, MACHINE_MEM_*. Where ranges overlap, the higher use counts. */
void memmap_add(u64 base, u64 bytes, u32 type);

/** The use that an E820 type of memory (ACPI 6.5, 15.1) means. */
u32 memmap_type_of_e820(u32 type);

/** The memory in this range is on @node; the range itself need not be all memory. */
void memmap_add_node(u64 base, u64 bytes, u32 node);

/** All that was added, as ascending, disjoint, whole pages. Returns how many ranges. */
u32 memmap_resolve(struct machine_mem out[MEMMAP_MAX]);

/* discover.c, topology.c */

#define IOAPICS_MAX   64u
#define OVERRIDES_MAX 64u

/* What the firmware's tables tell. */
struct found {
	struct machine_core core[MACHINE_MAX_CORES];
	struct machine_ioapic ioapic[IOAPICS_MAX];
	struct machine_override override[OVERRIDES_MAX];
	u8 distance[MACHINE_MAX_NODES * MACHINE_MAX_NODES];
	u32 domain[MACHINE_MAX_NODES]; /* ACPI's number of each node, ascending */
	u32 ncores, nnodes, nioapics, noverrides;
	bool has_distances;
	u64 hpet_base;
	u64 mcfg_base;
	u32 mcfg_first_bus, mcfg_last_bus;
	u64 rsdp;
};

/** Reads ACPI's tables; without them the machine has the one core that runs. @f is zero before. */
void discover(const struct bootinfo *b, struct found *f);

/** Tells socket and die of each core from its APIC id, and puts the cores into their order. */
void topology_order(struct found *f);

/** The APIC id of the core that runs. */
u32 topology_own_id(void);

/* machine.c */

/** Makes the machine description. It stays where it is until core 0 has its copy. */
struct machine *machine_make(const struct found *f);

/** Compares with the description in the image, if there is one, and prints the result. */
void machine_compare_built_in(const struct machine *m, const void *image, u64 image_bytes);

/* memory.c */

/** Moves the boot image to memory of node 0, in 2 MiB pages of its own. Returns where. */
u64 image_place(const struct bootinfo *b);

/**
 * Gives each core of @m its share: machine_core.mem_base and mem_bytes. Core 0, on which Linux
 * programs run, gets about @first_percent of its node's memory, if that leaves the others enough;
 * 0: as much as any other.
 */
void memory_share(struct machine *m, u32 first_percent);

/* clock.c */

struct clocks {
	u64 tsc_hz;
	u64 apic_timer_hz;
};

/** Finds how fast the clocks run. @hpet_base is 0 if there is none. */
void clock_measure(u64 hpet_base, struct clocks *c);

/** What time it is, in ns since 1970 UTC, to the second; 0 if the machine has no sound clock. */
u64 rtc_ns(void);

#endif
