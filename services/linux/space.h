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

/* Operations that have not been made yet. All zero but for @space is an empty batch. */
#define BATCH_OPS 64u

struct batch {
	struct space *space;
	u32 count;
	struct aspace_op op[BATCH_OPS];
};

/** An empty space; NULL: no memory, or no slots for capabilities. */
struct space *space_new(void);

/** Give a space back; what is mapped in it need not be unmapped before. */
void space_put(struct space *space);

/** Map one page; joins the operation before if it goes on from there. 0 or -ENOMEM. */
int batch_map(struct batch *batch, u64 va, const struct page *page, u32 flags);

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

/** Bring the extended state to what a new program finds. */
void context_reset_xstate(struct context_state *state);

#endif
