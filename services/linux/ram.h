/*
 * Memory for processes: pages of 4 KiB, cut from large frames of the monitor.
 *
 * A chunk is one frame, mapped once into this domain with 2 MiB pages: so the personality touches
 * every page directly, and any page can be mapped into a process by its chunk's capability.
 *
 *   free --ram_new--> used, one reference --ram_put to none--> free
 *
 * A page is shared by counting: copy-on-write, page cache, shared mappings.
 *
 * Chunks are taken as they are needed, and given back when they are empty. Free pages are kept in
 * runs of powers of two, joined with their buddies: so that a chunk empties, and for those who need
 * several pages in a row. What is kept of a chunk's pages lies at its own beginning.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_RAM_H
#define LINUX_RAM_H

#include <skerry/calls.h>
#include <vfs/page.h>

#define RAM_ORDERS 15u /* of runs: a page << order, up to the largest chunk */

/** The page that is all zeros; never written, never freed. */
extern struct page *ram_zero;

/** Take the first chunk. 0 or -ENOMEM. */
int ram_init(void);

/** A page with undefined content and one reference; NULL if there is no memory. */
struct page *ram_new(void);

/** The same, filled with zeros. */
struct page *ram_new_zeroed(void);

/** Give a reference back (page_get() of vfs/page.h takes one). */
void ram_put(struct page *page);

/** A page whose last reference is gone. */
void ram_free(struct page *page);

/**
 * 2^@order pages in a row, aligned to their size, each with one reference; returns the first. They
 * may be given back one by one. NULL if there are none.
 */
struct page *ram_new_run(u32 order);

/** The page @n behind @page in its run. */
struct page *ram_run_page(struct page *page, u32 n);

/** @bytes of memory in a row for the personality itself, not zeroed; NULL if there are none. */
void *ram_block_new(u64 bytes);
void ram_block_put(void *block, u64 bytes);

/** The frame that a page is part of, and where in it. */
cap_t ram_frame(const struct page *page, u64 *offset);

/** Pages of all chunks together, and those of them that are free. */
u64 ram_count(void);
u64 ram_free_count(void);

/** All memory that processes can have, and what is free of it, chunks and the monitor's; bytes. */
u64 ram_total_bytes(void);
u64 ram_free_bytes(void);

#endif
