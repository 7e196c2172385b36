/*
 * Bulk data: blocks of the sender's area are lent by message, checked in place, and returned.
 */
#include "peer.h"
#include "testing.h"
#include <stdlib.h>
#include <ump/bulk.h>

#define BLOCK_BYTES PAGE_SIZE

/* Words that follow from the block's number, so that a wrong block or a stale one shows. */
static void fill(u64 *block, u64 number)
{
	for (u32 i = 0; i < BLOCK_BYTES / sizeof(u64); i++)
		block[i] = number << 32 | i;
}

static bool is_filled(const u64 *block, u64 number)
{
	u64 difference = 0;

	for (u32 i = 0; i < BLOCK_BYTES / sizeof(u64); i++)
		difference |= block[i] ^ (number << 32 | i);
	return difference == 0;
}

static int take_back(struct rt_channel *c, struct bulk_pool *pool)
{
	struct msg m;
	int err = rt_channel_receive(c, &m, FIBER_FOREVER);

	if (!err && m.type != MSG_BULK_RETURN)
		err = -EBADMSG;
	return err ? err : bulk_take_back(pool, (struct msg_bulk *)m.payload);
}

int bulk_send(struct rt_channel *c, u64 count)
{
	u32 nblocks = (u32)(c->bulk_bytes / BLOCK_BYTES);
	struct bulk_block *blocks = calloc(nblocks, sizeof(*blocks));
	struct bulk_pool pool;
	u64 out = 0;
	int err = blocks ? bulk_pool_init(&pool, 0, c->bulk_tx, c->bulk_bytes, BLOCK_BYTES, blocks,
					  nblocks)
			 : -ENOMEM;

	for (u64 n = 0; n < count && !err; n++) {
		u64 *block = bulk_alloc(&pool);
		struct msg_bulk desc;

		while (!block && !err) { /* all are lent: one must come back */
			err = take_back(c, &pool);
			out--;
			block = bulk_alloc(&pool);
		}
		if (err)
			break;
		fill(block, n);
		err = bulk_lend(&pool, block, BLOCK_BYTES, &desc);
		if (!err)
			err = rt_channel_send(c, MSG_BULK_LEND, &desc, sizeof(desc), FIBER_FOREVER);
		out++;
	}
	while (out-- > 0 && !err)
		err = take_back(c, &pool);
	free(blocks);
	return err;
}

int bulk_receive(struct rt_channel *c, u64 count)
{
	int err = 0;

	for (u64 n = 0; n < count && !err; n++) {
		const u64 *block;
		struct msg m;

		err = rt_channel_receive(c, &m, FIBER_FOREVER);
		if (err)
			break;
		block = bulk_view(c->bulk_rx, c->bulk_bytes, (struct msg_bulk *)m.payload);
		if (m.type != MSG_BULK_LEND || !block || !is_filled(block, n))
			return -EBADMSG;
		err = rt_channel_send(c, MSG_BULK_RETURN, m.payload, sizeof(struct msg_bulk),
				      FIBER_FOREVER);
	}
	return err;
}
