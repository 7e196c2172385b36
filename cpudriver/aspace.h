/*
 * Address spaces: page tables for domains and for contexts.
 *
 * The root's upper half is fixed at creation: the CPU driver's (domain) or the trampoline's
 * (context). Tables below come from pages that were donated; a page taken for a table stays in the
 * tree until the space is cleared or dies, or a large page takes its place. All tables lie in this
 * core's memory.
 */
#ifndef ASPACE_H
#define ASPACE_H

#include "arch/x86_64/cpu.h"
#include "cap.h"

struct context;

struct aspace {
	u64 root_phys;
	u64 cr3;  /* root and PCID */
	u64 pool; /* physical address of the first page that is a table no more; linked by first
		     words */
	u64 pool_pages; /* that tables can be made of: these, and fresh ones */
	u64 serial;     /* ascending in order of creation, for sweeps */
	bool for_contexts;
	bool dead;                /* it lost its page tables */
	bool flush;               /* its translations must be dropped before it is entered */
	u16 pcid;                 /* 0: none of its own */
	struct context *contexts; /* bound to it */
	u32 context_count;
	struct cap *tables;         /* donated, in order */
	struct cap *fresh;          /* of these, the first with pages that never were a table */
	u64 fresh_at;               /* the first such page */
	struct aspace *next, *prev; /* all, by serial */
};

static_assert(sizeof(struct aspace) <= PAGE_SIZE, "the object; its root table is the page behind");

extern struct aspace *aspaces;

/** Make an address space in two zeroed pages, the second of which is the root table. */
void aspace_init(struct aspace *as, bool for_contexts);

/** Make the object for the monitor's space, whose tables the builder made. */
void aspace_init_boot(struct aspace *as, u64 root_phys);

/** Its tables or itself are going away: domains on it die, contexts lose it. */
void aspace_kill(struct aspace *as);
void aspace_destroy(struct aspace *as);

/** The value for CR3 to enter it now: with a PCID of its own, what is cached stays. */
static inline u64 aspace_enter_cr3(struct aspace *as)
{
	u64 keep = as->pcid && !as->flush ? CR3_NOFLUSH : 0;

	as->flush = false;
	return as->cr3 | keep;
}

/**
 * Take [@base, @base + @bytes) of physical memory out of all address spaces.
 * *@serial and *@va say where to begin, and where to go on when it returns -EAGAIN.
 */
int aspace_sweep(u64 base, u64 bytes, u64 *serial, u64 *va);

s64 call_aspace_donate(u64 aspace, u64 table);
s64 call_aspace_update(u64 aspace, u64 ops, u64 count);

#endif
