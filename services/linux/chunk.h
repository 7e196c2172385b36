/*
 * Chunks: frames of the monitor, mapped, with what is kept of each of their pages. See ram.h.
 *
 * A chunk of another core, of which this one has borrowed pages, is one with pages of its own kind:
 * they are made one by one, and never free (farpage.c).
 *
 * Private to ram.c, chunk.c and farpage.c.
 */
#ifndef LINUX_CHUNK_H
#define LINUX_CHUNK_H

#include "ram.h"

#include <rt/memory.h>

struct ram_page {
	struct page page; /* first: the rest of the personality knows this only */
	struct chunk *chunk;
	struct ram_page *next, *prev; /* while free */
	u8 order;                     /* of the free run that it begins */
	bool is_run;
} __attribute__((aligned(16))); /* the low bits are the page map's: pagemap.h */

struct far_chunk;
struct loans;

/* At the beginning of its own memory; another core's is in a struct far_chunk. */
struct chunk {
	struct chunk *next, *prev;
	u8 *base; /* where it is mapped */
	struct rt_frame frame;
	struct far_chunk *far; /* it is another core's; NULL: ours */
	u64 address;           /* by which other cores import it; 0: it is not exported */
	struct loans *loans;   /* of its pages */
	u64 npages, nusable;   /* usable: behind what is kept of them */
	u64 nfree;             /* pages in runs */
	u32 orders;            /* bit o: there are runs of 2^o pages */
	struct ram_page *runs[RAM_ORDERS];
	struct ram_page pages[];
};

/** All of them, by address. */
extern struct chunk *chunks;

/** Get a chunk in which a run of @pages fits. 0 or -ENOMEM. */
int chunk_new(u64 pages);

/** All of a chunk is free; so are @others pages of other chunks. It may be gone afterwards. */
void chunk_empty(struct chunk *chunk, u64 others);

/** Give back all chunks that are empty; false if there are none. */
bool chunk_trim(void);

/** Map another core's frame of @bytes where a chunk can be. The address; NULL: no room. */
u8 *chunk_map(cap_t frame, u64 bytes);

/** Take that back. */
void chunk_unmap(u8 *base, u64 bytes);

/** The page at an address of this domain that lies in a chunk. */
struct ram_page *chunk_page(const void *at);

/** Pages of all chunks together. */
u64 chunk_pages(void);

/** Add a run of a chunk to the free ones, or remove all of it (ram.c). */
void ram_add_run(struct ram_page *p, u32 order);
void ram_remove_runs(struct chunk *chunk);

#endif
