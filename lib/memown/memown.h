/*
 * Who owns which memory, and who maps it: ownership of physical memory among cores.
 *
 * Each core is born with its share of its node's memory (struct machine_core). For every share
 * there is a ledger: a replicated object that says which range of the share which core owns. A
 * ledger begins exclusive to its core; moving memory to another core is a change of it, so a
 * frame has one owner at any time, and a core that owns part of a share has a replica of its
 * ledger. When an owner dies, the nearest core that has a replica inherits; when all who had one
 * are dead, the lowest live core of the node (or of the nearest node) makes the ledger anew and
 * owns the whole share.
 *
 * A core that maps another's frames is recorded by the owner, which can have them unmapped
 * everywhere before it reuses them. Who maps frames of an owner that dies keeps them: the record of
 * that died with the owner, so its heir reuses none of its memory (retire()).
 *
 * One struct memown is one core's part; it is a client of lib/agree and does no I/O either.
 * Not here: which free range is lent, and page tables: struct memown_ops and AGREE_OUT_UNMAP.
 */
#ifndef MEMOWN_MEMOWN_H
#define MEMOWN_MEMOWN_H

#include <agree/agree.h>
#include <agree/tree.h>

#define MEMOWN_GRAIN  (2 * MiB) /* memory moves between cores in multiples of this */
#define LEDGER_RANGES 64u       /* of one share */

/* The monitor's allocator of the memory that this core owns. */
struct memown_ops {
	/* Set a free range of @bytes (a multiple of MEMOWN_GRAIN, and aligned to it) aside: false
	 * if there is none. */
	bool (*take)(void *ctx, u64 bytes, u64 *base);
	/* [base, base + bytes) is free, and this core's. Called inside other calls of memown_* and
	 * agree_*: it must not make any itself. */
	void (*give)(void *ctx, u64 base, u64 bytes);
	/* [base, base + bytes) is this core's because its owner died. Others may map parts of it,
	 * and keep them: it must never be handed out. Called as give(). */
	void (*retire)(void *ctx, u64 base, u64 bytes);
	/* May @core map [base, base + bytes), which is this core's? Not if it is free. */
	bool (*may_map)(void *ctx, u32 core, u64 base, u64 bytes);
	void *ctx;
};

extern const struct agree_type ledger_type; /* type_ctx: struct memown */

/* What a ledger says. */
struct ledger_range {
	u64 base;
	u64 bytes;
	u32 owner;
};

struct memown_offer;
struct memown_borrow;
struct memown_export;
struct memown_import;
struct memown_unmap;

struct memown {
	struct agree_client client;
	struct agree *agree;
	struct agree_memory memory;
	struct memown_ops ops;
	struct agree_tree tree;
	u32 next_req;
	u64 stamp;                       /* revocations begun */
	struct agree_wellknown *ledgers; /* one for each core */
	struct memown_offer *offers;
	struct memown_borrow *borrows;
	struct memown_export *exports;
	struct memown_import *imports;
	struct memown_unmap *revokes; /* the first is under way */
	struct memown_unmap *relays;  /* for other owners */
};

/**
 * Begin. Call after agree_init() and before any event.
 *
 * @m     zeroed
 * @type  the number of ledger_type in the configuration; its type_ctx is @m
 * Returns 0, -EINVAL, -ENOMEM.
 */
int memown_init(struct memown *m, struct agree *a, const struct agree_config *cfg, u32 type,
		const struct memown_ops *ops);

/* Free what is left; after agree_fini(). */
void memown_fini(struct memown *m);

/* Requests: as agree.h says of its own. */

/**
 * Borrow @bytes, rounded up to the grain, from the nearest core that can spare them.
 *
 * Result: 0 (give() was called with the range), -ENOMEM (no live core can spare them).
 */
int memown_borrow(struct memown *m, u64 bytes, u64 token);

/**
 * Give a range back to the core that was born with it.
 *
 * The range is this core's and not in its allocator any more.
 * Result: 0, or why it stays here (give() was called for it): -ENOSPC (the ledger is full),
 * -EHOSTDOWN (the core that was born with it is dead).
 * Refused: -EINVAL (no range of one share, or not this core's, or born here), -ENOMEM, -EAGAIN.
 */
int memown_return(struct memown *m, u64 base, u64 bytes, u64 token);

/**
 * Have the owner record that this core maps a range of its frames.
 *
 * Result: 0 (this core may map it now), -EPERM (it is not @owner's, or may_map() says no), -EAGAIN
 * (it is being revoked), -ENOMEM, -EHOSTDOWN (the owner died).
 */
int memown_map(struct memown *m, u32 owner, u64 base, u64 bytes, u64 token);

/* This core no longer maps what it asked for with the same arguments. 0 or -ENOENT. */
int memown_drop(struct memown *m, u32 owner, u64 base, u64 bytes);

/**
 * Have [base, base + bytes), which is this core's, unmapped on every core that maps part of it.
 *
 * Result: 0, when no core maps it or has it in a TLB any more. Refused: -ENOMEM, -EAGAIN.
 */
int memown_revoke(struct memown *m, u64 base, u64 bytes, u64 token);

/* What AGREE_OUT_UNMAP with @token asked for has been done, TLBs included. */
int memown_unmapped(struct memown *m, u64 token);

/* Who owns @base, as far as this core's replica of its ledger says; NO_CORE: no replica here. */
u32 memown_owner(struct memown *m, u64 base);

/* The ranges of the share of @core, for looking at. Returns how many, 0 without a replica. */
u32 memown_ledger(struct memown *m, u32 core, struct ledger_range *out, u32 max);

#endif
