/*
 * A reader of ACPI's static tables: what processors, memory, distances, interrupt controllers,
 * PCI configuration space and timer the machine has.
 *
 * Tables are read through a callback that makes physical memory readable, and nothing in them is
 * believed: every table's length and checksum are checked before its contents, every entry's
 * length before its fields. A bad table or entry ends the reading of that table with an error
 * that tells the cause; the reader never runs beyond a table and every loop ends.
 *
 * Use: acpi_open() once, then acpi_find() for a table by signature, then the functions for that
 * table. Tables of entries (MADT, SRAT, MCFG) are read by an iterator: begin with
 * acpi_entries(), call acpi_*_next() until it returns false, then look at the iterator's error.
 *
 * Not here: AML, the language of the DSDT and SSDTs; that is for a domain that links ACPICA.
 * Runs in: the loader, native domains, the build host. Needs memcpy and memcmp.
 *
 * Source: ACPI specification 6.5 (section numbers at each function), PCI firmware specification
 * 3.3 (MCFG), IA-PC HPET specification 1.0a.
 */
#ifndef ACPI_ACPI_H
#define ACPI_ACPI_H

#include <skerry/types.h>

/* What is wrong with a table, in words by acpi_strerror(). */
enum acpi_error {
	ACPI_OK,
	ACPI_NOT_FOUND,     /* the machine has no such table */
	ACPI_NOT_MAPPED,    /* the table's memory cannot be read */
	ACPI_BAD_SIGNATURE, /* another table than the one expected */
	ACPI_BAD_CHECKSUM,
	ACPI_BAD_LENGTH, /* of the table: shorter than its fixed part, or impossibly long */
	ACPI_BAD_ENTRY,  /* an entry shorter than its type, or reaching beyond the table */
	ACPI_BAD_VALUE   /* a field that the specification does not allow */
};

/**
 * Make @len bytes of physical memory at @phys readable; NULL if that is impossible.
 *
 * What it returned must stay readable while the tables are in use. Called with the same range
 * more than once.
 */
typedef const void *acpi_map_fn(void *arg, u64 phys, u64 len);

/* An opened set of tables. Private but for the fields marked 'public'. */
struct acpi {
	acpi_map_fn *map;
	void *arg;
	u64 rsdp;     /* public: physical address of the root pointer */
	u8 revision;  /* public: of ACPI: 0 for 1.0, 2 and more for later ones */
	u8 width;     /* bytes of an address in the root table: 4 (RSDT) or 8 (XSDT) */
	u32 nentries; /* of the root table */
	const u8 *entries;
};

/* A table that was found: its header's length and checksum are right. */
struct acpi_table {
	char signature[5]; /* with a NUL behind it */
	u8 revision;
	u32 len;  /* bytes, header included */
	u64 phys; /* for messages */
	const u8 *data;
};

/**
 * Look for the root pointer where a PC's BIOS puts it (ACPI 6.5, 5.2.5.1): the first KiB of the
 * extended BIOS data area, then 0xe0000-0xfffff.
 *
 * For boot paths that do not hand over its address. Returns 0 if it is not there.
 */
u64 acpi_scan(acpi_map_fn *map, void *arg);

/**
 * Open the tables that the root pointer at physical address @rsdp leads to.
 *
 * The XSDT is used if there is one, else the RSDT. @acpi is filled on success only.
 * Returns ACPI_OK or what is wrong with the root pointer or root table.
 */
enum acpi_error acpi_open(struct acpi *acpi, acpi_map_fn *map, void *arg, u64 rsdp);

/**
 * Find the first sound table with @signature (4 characters, as "APIC").
 *
 * Returns ACPI_OK and fills @table; ACPI_NOT_FOUND; or what is wrong with the table that has the
 * signature, when there is no sound one: then @table's signature and address serve the message.
 */
enum acpi_error acpi_find(const struct acpi *acpi, const char *signature, struct acpi_table *table);

/* What to tell a person: "has a wrong checksum". Never NULL. */
const char *acpi_strerror(enum acpi_error error);

/* An iterator over the entries of a table. */
struct acpi_entries {
	const u8 *data;        /* of the table */
	u32 len;               /* of the table */
	u32 next;              /* offset of the next entry */
	u8 revision;           /* of the table */
	enum acpi_error error; /* public: why the entries ended; ACPI_OK: there are no more */
};

/* Begin to read the entries of @table, which must be a MADT, SRAT or MCFG. Otherwise, or if the
 * table ends before its first entry could begin, the iterator has an error and no entries. */
struct acpi_entries acpi_entries(const struct acpi_table *table);

/*
 * MADT, signature "APIC" (5.2.12): processors and interrupt controllers.
 */
#define ACPI_MADT "APIC"

/* Entries of other types are passed over. */
enum acpi_madt_type {
	ACPI_MADT_CPU,      /* 5.2.12.2 and 5.2.12.12: a local APIC or x2APIC */
	ACPI_MADT_IOAPIC,   /* 5.2.12.3 */
	ACPI_MADT_OVERRIDE, /* 5.2.12.5: an ISA interrupt with another number */
	ACPI_MADT_LAPIC,    /* 5.2.12.8: where the local APICs' registers are */
	ACPI_MADT_NMI       /* 5.2.12.7 and 5.2.12.13: a local APIC pin that is NMI */
};

#define ACPI_CPU_ALL 0xffffffffu /* acpi_madt_entry.nmi.uid */

struct acpi_madt_entry {
	enum acpi_madt_type type;
	union {
		struct {
			u32 apic_id;
			u32 uid;             /* names the processor in the other tables */
			bool enabled;        /* ready for use */
			bool online_capable; /* may be enabled later; not now */
		} cpu;
		struct {
			u64 base; /* physical */
			u32 id;
			u32 gsi_base;
		} ioapic;
		struct {
			u32 irq; /* of ISA */
			u32 gsi;
			u16 flags; /* MPS INTI flags: polarity bits 0-1, trigger mode bits 2-3 */
		} override;
		struct {
			u64 base; /* physical, instead of acpi_madt_lapic()'s */
		} lapic;
		struct {
			u32 uid; /* or ACPI_CPU_ALL */
			u16 flags;
			u8 pin; /* LINT0 or LINT1 */
		} nmi;
	};
};

/* The next entry of the MADT; false at the end or an error. */
bool acpi_madt_next(struct acpi_entries *it, struct acpi_madt_entry *entry);

/* The physical address of the local APICs, as the MADT's fixed part gives it. */
enum acpi_error acpi_madt_lapic(const struct acpi_table *madt, u64 *base);

/*
 * SRAT, signature "SRAT" (5.2.16): which node a processor or a range of memory is on. Nodes are
 * 'proximity domains': any 32-bit numbers, and the indices of the SLIT.
 */
#define ACPI_SRAT "SRAT"

enum acpi_srat_type {
	ACPI_SRAT_CPU,   /* 5.2.16.1 and 5.2.16.3 */
	ACPI_SRAT_MEMORY /* 5.2.16.2 */
};

struct acpi_srat_entry {
	enum acpi_srat_type type;
	u32 node;
	union {
		struct {
			u32 apic_id;
		} cpu;
		struct {
			u64 base; /* physical; base + bytes does not wrap */
			u64 bytes;
			bool hot_pluggable;
			bool non_volatile;
		} memory;
	};
};

/* The next enabled entry of the SRAT; false at the end or an error. */
bool acpi_srat_next(struct acpi_entries *it, struct acpi_srat_entry *entry);

/*
 * SLIT, signature "SLIT" (5.2.17): distances between nodes.
 */
#define ACPI_SLIT        "SLIT"
#define ACPI_LOCAL       10u  /* distance of a node to itself */
#define ACPI_UNREACHABLE 255u /* distance */

struct acpi_slit {
	u32 nnodes;
	const u8 *distance; /* [nnodes][nnodes], from row to column */
};

/* Decode the SLIT. ACPI_BAD_VALUE if a distance is below 10 (reserved, 5.2.17). */
enum acpi_error acpi_slit(const struct acpi_table *table, struct acpi_slit *slit);

/*
 * MCFG, signature "MCFG" (PCI firmware specification 3.3, 4.1.2): PCI configuration space.
 */
#define ACPI_MCFG "MCFG"

struct acpi_mcfg_entry {
	u64 base; /* physical address of bus 0, even if first_bus is another */
	u16 segment;
	u8 first_bus;
	u8 last_bus;
};

/* The next entry of the MCFG; false at the end or an error. */
bool acpi_mcfg_next(struct acpi_entries *it, struct acpi_mcfg_entry *entry);

/*
 * HPET, signature "HPET" (IA-PC HPET specification 1.0a, 3.2.4): the high precision event timer.
 */
#define ACPI_HPET "HPET"

struct acpi_hpet {
	u64 base;      /* physical; the registers are in memory */
	u16 min_ticks; /* between interrupts in periodic mode */
	u8 number;
};

/* Decode the HPET table. ACPI_BAD_VALUE if the timer is not in memory. */
enum acpi_error acpi_hpet(const struct acpi_table *table, struct acpi_hpet *hpet);

#endif
