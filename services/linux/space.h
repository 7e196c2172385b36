/*
 * What the processor sees of a process: an address space of the CPU driver (ASPACE_CONTEXT), and
 * contexts, one a thread.
 *
 * Both are kept when nobody uses them any more, and used again: their memory cannot come back to
 * the RAM that they were made of one by one. A space that has grown large is made anew.
 *
 * Changes of a space are collected in a batch and made by few calls.
 * Runs in: the personality's domain.
 */
#ifndef LINUX_SPACE_H
#define LINUX_SPACE_H

#include "ram.h"
#include <skerry/context.h>

struct table_block;

struct space {
	struct space *next; /* while nobody uses it */
	cap_t ram, aspace, table;
	struct table_block *extra; /* page tables beyond the first */
};

struct context {
	struct context *next; /* while nobody uses it */
	cap_t cap;
	struct page *page; /* holds the state */
	struct context_state *state;
};

/* Operations that have not been made yet. */
#define BATCH_OPS 64u

struct batch {
	struct space *space;
	u32 count;
	u32 mapped;          /* pages, by batch_map() */
	u32 next_flags;      /* batch_map() joins a page with these flags, */
	u64 next_va;         /* at this address, */
	const u8 *next_data; /* that follows in memory; NULL: none */
	struct aspace_op op[BATCH_OPS];
};

/** An empty batch. The operations are not cleared: that would cost more than most batches do. */
static inline void batch_init(struct batch *b, struct space *space)
{
	b->space = space;
	b->count = b->mapped = 0;
	b->next_data = NULL;
}

/** An empty space; NULL: no memory, or no slots for capabilities. */
struct space *space_new(void);

/** Give a space back; what is mapped in it need not be unmapped before. */
void space_put(struct space *space);

/** An operation of its own for the page: use batch_map(). */
int batch_map_more(struct batch *batch, u64 va, const struct page *page, u32 flags);

/**
 * Map one page; joins the operation before if it goes on from there. 0 or -ENOMEM. What follows in
 * memory is of the same chunk, whose own data lies before its pages (chunk.h).
 */
static inline int batch_map(struct batch *b, u64 va, const struct page *page, u32 flags)
{
	if (unlikely(page->data != b->next_data || va != b->next_va || flags != b->next_flags ||
		     b->op[b->count - 1].pages == OP_PAGES_MAX))
		return batch_map_more(b, va, page, flags);
	b->op[b->count - 1].pages++;
	b->mapped++;
	b->next_va += PAGE_SIZE;
	b->next_data += PAGE_SIZE;
	return 0;
}

/** Unmap @pages from @va on, or take their right to be written. */
int batch_change(struct batch *batch, u32 op, u64 va, u32 pages);

/** Unmap one 2 MiB page. */
int batch_unmap_large(struct batch *batch, u64 va);

/** Map 2 MiB at @va, whose small pages are all unmapped: @first and those behind it in its run. */
int space_map_large(struct space *space, u64 va, const struct page *first, u32 flags);

/** Make what is left of them. 0 or -ENOMEM: no page tables. */
int batch_flush(struct batch *batch);

/** A context with a state of zeros and initial extended state; NULL: no memory. */
struct context *context_new(void);
void context_put(struct context *context);

/** Let a context run in a space. 0 or a negative errno. */
int context_bind(struct context *context, const struct space *space);

/** Bytes of a context's extended state that the processor's enabled components need. */
u32 xstate_bytes(void);

/** Bring the extended state to what a new program finds. */
void context_reset_xstate(struct context_state *state);

#endif
