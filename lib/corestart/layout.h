/*
 * Where everything of a starting core goes: decided and checked here, before a byte is written.
 *
 * Private to lib/corestart: layout.c decides, build.c performs, tables.c writes page tables.
 */
#ifndef CORESTART_LAYOUT_H
#define CORESTART_LAYOUT_H

#include <corestart/corestart.h>
#include <corestart/pte.h>
#include <elf/elf.h>

#define LARGE_PAGE (2 * MiB)

/* What a range is mapped for. Accessed and dirty are set, so that no table is written later. */
#define MAPPED_RX        (PTE_PRESENT | PTE_ACCESSED)
#define MAPPED_R         (PTE_PRESENT | PTE_ACCESSED | PTE_NX)
#define MAPPED_RW        (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_WRITE | PTE_NX)

#define PROGRAM_SEGMENTS 8u
#define MAPPINGS_MAX     16u

/* A loadable segment, widened to whole pages. */
struct segment {
	u64 va;
	u64 bytes;
	u64 bits; /* MAPPED_* */
	u64 skip; /* from @va to the first byte of the file's */
	const u8 *data;
	u64 filesz;
};

/* A program in the boot image. Segments are in ascending order. */
struct program {
	u64 entry;
	u64 image_offset; /* of its ELF file */
	u32 nsegments;
	struct segment segment[PROGRAM_SEGMENTS];
	u64 shared_bytes;  /* of all segments that nobody writes: one run of pages */
	u64 private_bytes; /* of all others */
};

/* A run of pages to be mapped. With bits 0 its page tables are made, and it stays unmapped. */
struct mapping {
	u64 va;
	u64 phys;
	u64 bytes;
	u64 bits; /* with PTE_LARGE: 2 MiB pages */
};

/* In ascending order of addresses. */
struct mappings {
	struct mapping v[MAPPINGS_MAX];
	u32 n;
};

/* Physical addresses, but for sizes. */
struct layout {
	struct program kernel;
	struct program monitor;
	bool first; /* of its node: holds the shared parts */
	struct node_text text;
	u64 physmap_start;
	u64 kernel_data;
	u64 monitor_data;
	u64 monitor_stack;
	u64 handoff;
	u64 tables; /* root of the CPU driver, of the monitor, then all others */
	u64 tables_end;
	u64 free_base; /* the boot root */
	u64 end;       /* of what the builder writes */
	struct mappings upper;
	struct mappings lower; /* the monitor's */
};

/** Decides all of @l. Returns 0, -EINVAL or -ENOEXEC, as core_build(). */
int layout_decide(const struct core_plan *plan, struct layout *l);

/** Finds the program at @path, whose file begins at *@offset of the image. Returns 0 or -ENOEXEC.
 */
int program_open(const void *image, u64 image_bytes, const char *path, struct elf *elf,
		 u64 *offset);

/** Reads the program at @path of the image. Returns 0 or -ENOEXEC. */
int program_read(const void *image, u64 image_bytes, const char *path, struct program *p);

/** How many page tables below the root @m needs. */
u64 tables_count(const struct mappings *m);

/* Page tables that are being made: @next is the physical address of the next free one. */
struct tables {
	struct core_window *window;
	u64 next;
};

/** Maps all of @m below the table @root, whose entries below take @user (PTE_USER or 0). */
void tables_map(struct tables *t, u64 root, const struct mappings *m, u64 user);

/** Where physical @phys appears in the window. */
static inline void *window_at(const struct core_window *w, u64 phys)
{
	return w->base + (phys - w->phys);
}

#endif
