/*
 * Mapping frames into an address space: whole ranges at a time, with page tables found as they
 * are needed, and addresses chosen for those who do not care.
 *
 * Addresses are given out in powers of two, aligned to their size, and kept by size when they come
 * back: an address space that maps and unmaps for ever uses a bounded range and bounded tables.
 *
 * Runs in: native domains (their own space) and the monitor (its own and those it builds).
 */
#ifndef RT_VSPACE_H
#define RT_VSPACE_H

#include <rt/calls.h>

#define VSPACE_ORDERS 36u /* of sizes: PAGE_SIZE << order */

struct va_hole;

struct vspace {
	cap_t aspace;
	/* Donate more page tables. Returns 0 or -ENOMEM. */
	int (*more_tables)(struct vspace *vs);
	void *arg;     /* the callback's */
	u64 next, end; /* addresses that were never given out */
	struct va_hole *holes[VSPACE_ORDERS];
};

/** @low, @high  the addresses that vspace_attach() may choose from */
void vspace_init(struct vspace *vs, cap_t aspace, u64 low, u64 high,
		 int (*more_tables)(struct vspace *vs), void *arg);

/**
 * Map @bytes of @frame from @offset on at @va, all page aligned.
 *
 * @flags  MAP_*; with MAP_LARGE all are multiples of 2 MiB
 * Returns 0 or a negative errno of ASPACE_UPDATE; then nothing is mapped.
 */
int vspace_map(struct vspace *vs, u64 va, cap_t frame, u64 offset, u64 bytes, u32 flags);

void vspace_unmap(struct vspace *vs, u64 va, u64 bytes);

/** The same at an address that is chosen; NULL if that failed. */
void *vspace_attach(struct vspace *vs, cap_t frame, u64 offset, u64 bytes, u32 flags);

/** The same with as many bytes below it that nothing is mapped at: for stacks. */
void *vspace_attach_guarded(struct vspace *vs, cap_t frame, u64 bytes, u32 flags);
void vspace_detach_guarded(struct vspace *vs, void *va, u64 bytes);

/** @va, @bytes  as from, and as given to, vspace_attach() */
void vspace_detach(struct vspace *vs, void *va, u64 bytes);

/** Make a page-table object of @pages out of @ram and donate it. 0 or a negative errno. */
int vspace_donate(struct vspace *vs, cap_t ram, u32 pages);

#endif
