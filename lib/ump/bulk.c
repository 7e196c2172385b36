/*
 * Pools of blocks that are lent to the other end of a channel. See bulk.h.
 *
 * Runs in: monitors, native domains, host tests.
 */
#include <ump/bulk.h>

#include <errno.h>

#define NONE 0xffffffffu

enum block_state { FREE, HELD, LENT };

static void put_free(struct bulk_pool *pool, u32 index)
{
	pool->blocks[index] = (struct bulk_block){.next_free = pool->first_free, .state = FREE};
	pool->first_free = index;
	pool->nfree++;
}

int bulk_pool_init(struct bulk_pool *pool, u32 frame, void *base, size_t bytes, u32 block_bytes,
		   struct bulk_block *blocks, u32 nblocks)
{
	if (!base || block_bytes == 0 || block_bytes % MSG_LINE != 0)
		return -EINVAL;
	if (bytes / block_bytes == 0 || bytes / block_bytes > nblocks)
		return -EINVAL;
	*pool = (struct bulk_pool){
		.base = base,
		.frame = frame,
		.block_bytes = block_bytes,
		.nblocks = (u32)(bytes / block_bytes),
		.first_free = NONE,
		.blocks = blocks,
	};
	for (u32 i = pool->nblocks; i-- > 0;)
		put_free(pool, i);
	return 0;
}

void *bulk_alloc(struct bulk_pool *pool)
{
	u32 index = pool->first_free;

	if (index == NONE)
		return NULL;
	pool->first_free = pool->blocks[index].next_free;
	pool->blocks[index].state = HELD;
	pool->nfree--;
	return pool->base + (u64)index * pool->block_bytes;
}

/* The number of the block that begins @offset bytes into the frame, if it is in @state. */
static u32 block_at(const struct bulk_pool *pool, u64 offset, enum block_state state)
{
	u64 index = offset / pool->block_bytes;

	if (offset % pool->block_bytes != 0 || index >= pool->nblocks)
		return NONE;
	return pool->blocks[index].state == state ? (u32)index : NONE;
}

static u64 offset_of(const struct bulk_pool *pool, const void *block)
{
	return (u64)((uintptr_t)block - (uintptr_t)pool->base);
}

int bulk_free(struct bulk_pool *pool, void *block)
{
	u32 index = block_at(pool, offset_of(pool, block), HELD);

	if (index == NONE)
		return -EINVAL;
	put_free(pool, index);
	return 0;
}

int bulk_lend(struct bulk_pool *pool, const void *block, u32 len, struct msg_bulk *desc)
{
	u64 offset = offset_of(pool, block);
	u32 index = block_at(pool, offset, HELD);

	if (index == NONE || len > pool->block_bytes)
		return -EINVAL;
	pool->blocks[index].state = LENT;
	*desc = (struct msg_bulk){.offset = offset, .len = len, .frame = pool->frame};
	return 0;
}

int bulk_take_back(struct bulk_pool *pool, const struct msg_bulk *desc)
{
	u32 index = block_at(pool, desc->offset, LENT);

	if (desc->frame != pool->frame || index == NONE)
		return -EBADMSG;
	put_free(pool, index);
	return 0;
}

void bulk_borrower_died(struct bulk_pool *pool)
{
	for (u32 i = 0; i < pool->nblocks; i++) {
		if (pool->blocks[i].state == LENT)
			put_free(pool, i);
	}
}

const void *bulk_view(const void *base, size_t bytes, const struct msg_bulk *desc)
{
	if (desc->offset > bytes || desc->len > bytes - desc->offset)
		return NULL;
	return (const u8 *)base + desc->offset;
}
