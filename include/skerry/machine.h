/*
 * The machine description: cores, nodes, distances, memory, and the monitors' multicast tree.
 *
 * One format serves twice. hake writes one at build time from a topology (MACHINE_EXPECTED);
 * the loader makes one at boot from the firmware's tables (MACHINE_DISCOVERED), compares the
 * two, and the discovered one wins. Every core's monitor gets a read-only copy.
 *
 * The whole description is one block of bytes without pointers: a header, then arrays at the
 * offsets that the header gives (from its own first byte, all 8-byte aligned). It is untrusted
 * when it comes from an image: machine_check() (lib/machine) accepts or refuses it, and after
 * that the accessors below are safe.
 *
 * Core numbers are indices into the array of cores. Core 0 is the one that boots. Cores are
 * numbered socket by socket, so that neighbours in number are neighbours in the machine.
 */
#ifndef SKERRY_MACHINE_H
#define SKERRY_MACHINE_H

#include <skerry/types.h>

#define MACHINE_MAGIC      0x4843414d59524b53ul /* "SKRYMACH", little endian */
#define MACHINE_VERSION    1u
#define MACHINE_MAX_CORES  4096u
#define MACHINE_MAX_NODES  256u
#define MACHINE_NO_CORE    0xffffu /* the parent of core 0 */

#define MACHINE_EXPECTED   1u /* flags: made by hake; memory ranges and devices are absent */
#define MACHINE_DISCOVERED 2u /* flags: made by the loader from ACPI */

struct machine {
	u64 magic;
	u32 version;
	u32 size_bytes; /* of the whole block */
	u32 flags;      /* MACHINE_EXPECTED or MACHINE_DISCOVERED */
	u32 ncores;
	u32 nnodes;
	u32 nmem;
	u32 nioapics;
	u32 noverrides;
	u32 cores_off;    /* struct machine_core[ncores] */
	u32 distance_off; /* u8[nnodes][nnodes], ACPI SLIT units: 10 is local */
	u32 mem_off;      /* struct machine_mem[nmem], ascending, disjoint */
	u32 ioapics_off;  /* struct machine_ioapic[nioapics] */
	u32 overrides_off;
	u32 reserved;       /* keeps the addresses below aligned */
	u32 fanout;         /* of the tree below a socket's first core */
	u64 hpet_base;      /* physical address, 0 if there is none */
	u64 mcfg_base;      /* of PCI segment 0's configuration space, 0 if none */
	u32 mcfg_first_bus; /* covered by mcfg_base */
	u32 mcfg_last_bus;
	u64 rsdp; /* physical address of ACPI's root pointer, 0 if none */
};

struct machine_core {
	u32 apic_id;
	u16 node;   /* NUMA node */
	u16 socket; /* package */
	u16 die;    /* within the package */
	u16 parent; /* in the tree; MACHINE_NO_CORE for core 0 */
	u32 reserved;
	u64 mem_base; /* physical: this core's share of its node's memory, 2 MiB aligned */
	u64 mem_bytes;
};

#define MACHINE_MEM_RAM      1u
#define MACHINE_MEM_RESERVED 2u
#define MACHINE_MEM_ACPI     3u

struct machine_mem {
	u64 base;
	u64 bytes;
	u32 node;
	u32 type; /* MACHINE_MEM_* */
};

struct machine_ioapic {
	u64 base; /* physical */
	u32 id;
	u32 gsi_base;
};

/* An ISA interrupt that is not its own number (ACPI 6.5, 5.2.12.5). */
struct machine_override {
	u32 irq;
	u32 gsi;
	u32 flags; /* MPS INTI flags: polarity in bits 0-1, trigger mode in bits 2-3 */
	u32 reserved;
};

static_assert(sizeof(struct machine) == 104, "machine header layout");
static_assert(sizeof(struct machine_core) == 32, "machine core layout");
static_assert(sizeof(struct machine_mem) == 24, "machine memory layout");
static_assert(sizeof(struct machine_ioapic) == 16, "machine IOAPIC layout");
static_assert(sizeof(struct machine_override) == 16, "machine override layout");

static inline struct machine_core *machine_cores(const struct machine *m)
{
	return (struct machine_core *)((char *)m + m->cores_off);
}

static inline struct machine_mem *machine_mem(const struct machine *m)
{
	return (struct machine_mem *)((char *)m + m->mem_off);
}

static inline struct machine_ioapic *machine_ioapics(const struct machine *m)
{
	return (struct machine_ioapic *)((char *)m + m->ioapics_off);
}

static inline struct machine_override *machine_overrides(const struct machine *m)
{
	return (struct machine_override *)((char *)m + m->overrides_off);
}

/* SLIT distance from node @from to node @to. */
static inline u8 machine_distance(const struct machine *m, u32 from, u32 to)
{
	return ((const u8 *)m + m->distance_off)[from * m->nnodes + to];
}

#endif
