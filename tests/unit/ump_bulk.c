/*
 * Lending of blocks between the ends of a channel (lib/ump/bulk.h).
 */
#include <errno.h>
#include <string.h>
#include <ump/bulk.h>
#include <unit.h>

#define BLOCK   4096u
#define NBLOCKS 8u

static _Alignas(4096) u8 frame[BLOCK * NBLOCKS];
static struct bulk_block blocks[NBLOCKS];

static struct bulk_pool new_pool(void)
{
	struct bulk_pool pool;

	REQUIRE(bulk_pool_init(&pool, 3, frame, sizeof(frame), BLOCK, blocks, NBLOCKS) == 0);
	return pool;
}

TEST(every_block_is_given_out_once)
{
	struct bulk_pool pool = new_pool();
	u32 seen = 0;

	for (u32 i = 0; i < NBLOCKS; i++) {
		u8 *block = bulk_alloc(&pool);

		REQUIRE(block != NULL);
		CHECK_EQUAL((block - frame) % BLOCK, 0);
		seen |= 1u << (block - frame) / BLOCK;
	}
	CHECK_EQUAL(seen, (1u << NBLOCKS) - 1);
	CHECK(bulk_alloc(&pool) == NULL);
	CHECK_EQUAL(pool.nfree, 0);
}

TEST(lent_block_is_seen_by_the_borrower_without_copying)
{
	struct bulk_pool pool = new_pool();
	char *block = bulk_alloc(&pool);
	struct msg_bulk desc;

	strcpy(block, "data");
	CHECK_EQUAL(bulk_lend(&pool, block, 5, &desc), 0);
	CHECK_EQUAL(desc.frame, 3);
	CHECK_EQUAL(desc.len, 5);
	CHECK(bulk_view(frame, sizeof(frame), &desc) == block);
}

TEST(lent_block_is_free_when_it_comes_back)
{
	struct bulk_pool pool = new_pool();
	void *block = bulk_alloc(&pool);
	struct msg_bulk desc;

	CHECK_EQUAL(bulk_lend(&pool, block, BLOCK, &desc), 0);
	CHECK_EQUAL(bulk_free(&pool, block), -EINVAL); /* not while it is lent */
	CHECK_EQUAL(bulk_lend(&pool, block, 1, &desc), -EINVAL);
	CHECK_EQUAL(bulk_take_back(&pool, &desc), 0);
	CHECK_EQUAL(pool.nfree, NBLOCKS);
	CHECK_EQUAL(bulk_take_back(&pool, &desc), -EBADMSG);
	CHECK_EQUAL(pool.nfree, NBLOCKS);
}

TEST(returned_descriptor_must_be_of_a_lent_block)
{
	struct bulk_pool pool = new_pool();
	struct msg_bulk desc, bad;

	CHECK_EQUAL(bulk_lend(&pool, bulk_alloc(&pool), 10, &desc), 0);
	bad = desc;
	bad.offset++;
	CHECK_EQUAL(bulk_take_back(&pool, &bad), -EBADMSG);
	bad.offset = desc.offset + BLOCK;
	CHECK_EQUAL(bulk_take_back(&pool, &bad), -EBADMSG);
	bad.offset = ~0ul - BLOCK + 1;
	CHECK_EQUAL(bulk_take_back(&pool, &bad), -EBADMSG);
	bad = desc;
	bad.frame++;
	CHECK_EQUAL(bulk_take_back(&pool, &bad), -EBADMSG);
	CHECK_EQUAL(bulk_take_back(&pool, &desc), 0);
}

TEST(only_held_blocks_can_be_lent_or_freed)
{
	struct bulk_pool pool = new_pool();
	u8 *block = bulk_alloc(&pool);
	struct msg_bulk desc;

	CHECK_EQUAL(bulk_lend(&pool, block + 1, 10, &desc), -EINVAL);
	CHECK_EQUAL(bulk_lend(&pool, block, BLOCK + 1, &desc), -EINVAL);
	CHECK_EQUAL(bulk_lend(&pool, &pool, 10, &desc), -EINVAL);
	CHECK_EQUAL(bulk_free(&pool, block), 0);
	CHECK_EQUAL(bulk_free(&pool, block), -EINVAL);
	CHECK_EQUAL(bulk_free(&pool, frame - BLOCK), -EINVAL);
}

TEST(descriptor_beyond_the_frame_is_no_view)
{
	struct msg_bulk desc = {.offset = 0, .len = sizeof(frame)};

	CHECK(bulk_view(frame, sizeof(frame), &desc) == frame);
	desc.len++;
	CHECK(bulk_view(frame, sizeof(frame), &desc) == NULL);
	desc = (struct msg_bulk){.offset = sizeof(frame), .len = 1};
	CHECK(bulk_view(frame, sizeof(frame), &desc) == NULL);
	desc = (struct msg_bulk){.offset = ~0ul, .len = 2};
	CHECK(bulk_view(frame, sizeof(frame), &desc) == NULL);
}

TEST(blocks_lent_to_the_dead_come_back)
{
	struct bulk_pool pool = new_pool();
	struct msg_bulk desc;
	void *held = bulk_alloc(&pool);

	CHECK_EQUAL(bulk_lend(&pool, bulk_alloc(&pool), 10, &desc), 0);
	CHECK_EQUAL(bulk_lend(&pool, bulk_alloc(&pool), 10, &desc), 0);
	bulk_borrower_died(&pool);
	CHECK_EQUAL(pool.nfree, NBLOCKS - 1);
	CHECK_EQUAL(bulk_free(&pool, held), 0);
}

TEST(impossible_pool_is_refused)
{
	struct bulk_pool pool;

	CHECK_EQUAL(bulk_pool_init(&pool, 0, NULL, BLOCK, BLOCK, blocks, 1), -EINVAL);
	CHECK_EQUAL(bulk_pool_init(&pool, 0, frame, BLOCK, 0, blocks, 1), -EINVAL);
	CHECK_EQUAL(bulk_pool_init(&pool, 0, frame, BLOCK, 100, blocks, 99), -EINVAL);
	CHECK_EQUAL(bulk_pool_init(&pool, 0, frame, BLOCK, 2 * BLOCK, blocks, 1), -EINVAL);
	CHECK_EQUAL(bulk_pool_init(&pool, 0, frame, 2 * BLOCK, BLOCK, blocks, 1), -EINVAL);
}
