/*
 * Larger data between the two ends of a channel: by lending blocks of a shared frame.
 *
 * One end owns the frame and can write it; the other maps it read-only. The owner takes a block
 * from its pool, fills it, and lends it by a message that carries a struct msg_bulk. Until the
 * borrower sends the same descriptor back, the owner leaves the block alone. Nothing is copied.
 *
 *   free --bulk_alloc--> held --bulk_lend--> lent --bulk_take_back--> free
 *     \<-----bulk_free-----/
 *
 * Neither end trusts the other: the borrower checks that a descriptor lies in the frame, the
 * owner that a returned one is of a block that is lent. Which data is in a lent block is
 * untrusted, and the owner may change it at any time: a borrower copies what it must rely on.
 *
 * Not here: sharing the frame, sending the messages.
 * Runs in: monitors, native domains, host tests.
 */
#ifndef UMP_BULK_H
#define UMP_BULK_H

#include <skerry/msg.h>

/* What the owner knows of a block; never in shared memory. */
struct bulk_block {
	u32 next_free;
	u32 state;
};

/* The owner's side of a frame. Private but for @nfree. */
struct bulk_pool {
	u8 *base;
	u32 frame; /* its number in descriptors */
	u32 block_bytes;
	u32 nblocks;
	u32 nfree;
	u32 first_free;
	struct bulk_block *blocks;
};

/**
 * Prepare a pool of all blocks of a frame.
 *
 * @base         of the frame's mapping, @bytes long
 * @block_bytes  a multiple of 64
 * @blocks       storage for @nblocks, at least bytes / block_bytes of them
 * Returns 0 or -EINVAL.
 */
int bulk_pool_init(struct bulk_pool *pool, u32 frame, void *base, size_t bytes, u32 block_bytes,
		   struct bulk_block *blocks, u32 nblocks);

/* Take a free block of pool->block_bytes; NULL if all are in use. */
void *bulk_alloc(struct bulk_pool *pool);

/* Put back a block that is not lent. Returns 0 or -EINVAL (no block of this pool that is held). */
int bulk_free(struct bulk_pool *pool, void *block);

/**
 * Lend the first @len bytes of a held block: fills the descriptor that the caller then sends.
 *
 * Returns 0 or -EINVAL (no held block, or longer than a block).
 */
int bulk_lend(struct bulk_pool *pool, const void *block, u32 len, struct msg_bulk *desc);

/* The borrower has returned @desc: the block is free again. -EBADMSG if it was not lent. */
int bulk_take_back(struct bulk_pool *pool, const struct msg_bulk *desc);

/* The borrower is dead: all lent blocks are free again. */
void bulk_borrower_died(struct bulk_pool *pool);

/* The borrower's view of the bytes that @desc names in the frame at @base, @bytes long; NULL if
 * they are not inside it. The frame's number is the caller's to check. */
const void *bulk_view(const void *base, size_t bytes, const struct msg_bulk *desc);

#endif
