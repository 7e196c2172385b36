/*
 * A small machine whose cores are built in an array, for tests of lib/corestart; and a reader of
 * the page tables in it that does as a processor would.
 */
#ifndef CORESTART_WORLD_H
#define CORESTART_WORLD_H

#include "corestart_image.h"

#include <corestart/corestart.h>
#include <corestart/pte.h>
#include <machine/machine.h>

#define CORES      6u
#define NODES      2u
#define SHARE      (4 * MiB)
#define RAM_BASE   (16 * MiB)
#define IMAGE_PHYS (RAM_BASE + CORES * SHARE)
#define LOW_TABLES 0x1000ul
#define LOW_PDPT   0x2000ul
#define LARGE      (2 * MiB)

/* A machine whose cores were all built. */
struct world {
	struct machine *m;
	u8 *ram; /* of all cores, from RAM_BASE on */
	u8 *image;
	u64 image_bytes;
	struct core_plan plan;
	struct core_entry entry[CORES];
	u64 size[CORES]; /* that core_build_size() told */
};

/** A plan for core 0 with an image of @kernel and @monitor; nothing is built, @w has no memory. */
void plan_world(struct world *w, const struct test_program *kernel,
		const struct test_program *monitor);

/** Two nodes of three cores, all built from the usual programs. */
void new_world(struct world *w);
void put_world(struct world *w);

/** Where physical memory of a core is in the array. */
void *at_phys(const struct world *w, u64 phys);

const struct handoff *handoff_of(const struct world *w, u32 core);

/* One mapped page, as a walk over page tables finds it. */
struct page {
	u64 va;
	u64 phys;
	u64 bytes;
	bool write, user, exec;
};

typedef void page_fn(const struct page *p, void *arg);

/** Calls @fn for each page that is mapped below @root; not for the low tables. */
void walk(const struct world *w, u64 root, page_fn *fn, void *arg);

/** The page that @va is in, bytes 0 if it is not mapped. */
struct page page_at(const struct world *w, u64 root, u64 va);

/** "rwxu", with "-" for what is not allowed; "none" if @va is not mapped. */
const char *rights_at(const struct world *w, u64 root, u64 va);

u8 byte_at(const struct world *w, u64 root, u64 va);

#endif
