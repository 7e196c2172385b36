/*
 * Memory for processes: pages of 4 KiB, cut from large frames of the monitor.
 *
 * A chunk is one frame, mapped once into this domain with 2 MiB pages: so the personality touches
 * every page directly, and any page can be mapped into a process by its chunk's capability.
 *
 *   free --page_new--> used, one reference --page_put to none--> free
 *
 * A page is shared by counting: copy-on-write, page cache, shared mappings.
 * Chunks are taken as they are needed and kept.
 * Runs in: the personality's domain.
 */
#ifndef LINUX_RAM_H
#define LINUX_RAM_H

#include <skerry/calls.h>
#include <vfs/page.h>

struct chunk;

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

/** The frame that a page is part of, and where in it. */
cap_t ram_frame(const struct page *page, u64 *offset);

/** How many pages there are, and how many of them are free without asking for more. */
u64 ram_count(void);
u64 ram_free_count(void);

#endif
