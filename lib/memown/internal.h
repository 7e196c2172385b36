/*
 * What the files of lib/memown share.
 *
 *   memown.c   start and end, dispatch
 *   ledger.c   the object type that says who owns what
 *   borrow.c   borrowing and giving back
 *   mapping.c  mappings across cores, and revoking them
 */
#ifndef MEMOWN_INTERNAL_H
#define MEMOWN_INTERNAL_H

#include <errno.h>

#include <memown/memown.h>

#define LEDGER_ID(core) AGREE_ID(core, 2)

/* A change of a ledger: [base, base + bytes) moves. */
struct ledger_op {
	u64 base;
	u64 bytes;
	u32 from;
	u32 to;
};

/* memown.c */
void *memown_alloc(struct memown *m, size_t bytes);
void memown_free(struct memown *m, void *p, size_t bytes);
void memown_result(struct memown *m, u64 token, s64 status);
u32 memown_share_of(struct memown *m, u64 base);
u32 memown_distance(const struct memown *m, u32 from, u32 to);

/* ledger.c */
u32 ledger_owner(const void *state, u64 base, u64 bytes);
u32 ledger_read(const void *state, struct ledger_range *out, u32 max);

/* borrow.c */
void borrow_ask_rx(struct memown *m, u32 from, const struct msg_memown *msg);
void borrow_offer_rx(struct memown *m, u32 from, const struct msg_memown *msg);
void borrow_decline_rx(struct memown *m, u32 from, const struct msg_memown *msg);
void borrow_view(struct memown *m);
bool borrow_step(struct memown *m);
void borrow_member_died(struct memown *m, u32 share, u32 core);
void borrow_moved(struct memown *m, const struct ledger_op *op);
void borrow_owed(struct memown *m, struct core_set *owed);
void borrow_fini(struct memown *m);

/* mapping.c */
void map_rx(struct memown *m, u32 from, const struct msg_memown *msg);
void mapped_rx(struct memown *m, u32 from, const struct msg_memown *msg);
void drop_rx(struct memown *m, u32 from, const struct msg_memown *msg);
void unmap_rx(struct memown *m, u32 from, const struct msg_memown_unmap *msg,
	      const struct core_set *subset);
void unmapped_rx(struct memown *m, u32 from, const struct msg_memown *msg);
void mapping_closing(struct memown *m, u32 core);
void mapping_view(struct memown *m);
bool mapping_step(struct memown *m);
void mapping_owed(struct memown *m, struct core_set *owed);
void mapping_fini(struct memown *m);

#endif
