/*
 * The heap (lib/heap): what blocks are, how memory is used again, damage; and random use against
 * a model that remembers every block's contents.
 */
#include <heap/chunk.h>
#include <heap/heap.h>
#include <stdlib.h>
#include <string.h>
#include <unit.h>

/* Where the heap's memory comes from: one area, given out in pieces in order. */
#define AREA (16 * MiB)

static _Alignas(64) u8 area[AREA];
static struct heap heap;
static size_t given, limit, piece, gap;
static u32 npieces;
static const char *complaint;

static void *more(void *arg, size_t bytes, size_t *got)
{
	u8 *memory = area + given + gap;

	(void)arg;
	bytes = ROUND_UP(MAX(bytes, piece), PAGE_SIZE);
	if (given + gap + bytes > limit)
		return NULL;
	given += gap + bytes;
	npieces++;
	*got = bytes;
	return memory;
}

static void broken(void *arg, const char *what, const void *block)
{
	(void)arg;
	(void)block;
	complaint = what;
}

/* A new heap that gets its memory in pieces of @piece_bytes or more, @gap_bytes apart. */
static void new_heap(size_t piece_bytes, size_t gap_bytes)
{
	const struct heap_source source = {.more = more, .broken = broken};

	memset(area, 0xa5, sizeof(area));
	given = 0;
	npieces = 0;
	limit = AREA;
	piece = piece_bytes;
	gap = gap_bytes;
	complaint = NULL;
	heap_init(&heap, &source);
}

static void check_heap(void)
{
	const char *wrong = heap_check(&heap);

	CHECK_STRING(wrong ? wrong : "", "");
	CHECK_STRING(complaint ? complaint : "", "");
}

/* The heap is sound, and all of it is free and in one chunk for each of @nregions. */
static void check_empty(u32 nregions)
{
	u32 nfree = 0;

	check_heap();
	heap_trim(&heap);
	check_heap();
	CHECK_EQUAL(heap.nblocks, 0);
	CHECK_EQUAL(heap.used_bytes, 0);
	for (u32 p = 0; p < HEAP_POWERS; p++)
		for (u32 s = 0; s < HEAP_STEPS; s++)
			for (struct heap_chunk *c = heap.free[p][s]; c; c = c->next_free)
				nfree++;
	CHECK_EQUAL(nfree, nregions);
}

TEST(blocks_are_aligned_and_apart)
{
	u8 *block[100];

	new_heap(64 * KiB, 0);
	for (u32 i = 0; i < 100; i++) {
		block[i] = heap_alloc(&heap, i);
		REQUIRE(block[i] != NULL);
		CHECK_EQUAL((uintptr_t)block[i] % HEAP_ALIGN, 0);
		CHECK(heap_usable_bytes(block[i]) >= i);
		memset(block[i], (int)i, heap_usable_bytes(block[i]));
	}
	check_heap();
	for (u32 i = 0; i < 100; i++) {
		for (u32 n = 0; n < heap_usable_bytes(block[i]); n++)
			CHECK_EQUAL(block[i][n], i);
		heap_free(&heap, block[i]);
	}
	check_empty(1);
}

TEST(block_of_nothing_is_a_block)
{
	void *a, *b;

	new_heap(PAGE_SIZE, 0);
	a = heap_alloc(&heap, 0);
	b = heap_alloc(&heap, 0);
	CHECK(a && b && a != b);
	heap_free(&heap, a);
	heap_free(&heap, b);
	heap_free(&heap, NULL);
	check_empty(1);
}

TEST(zeroed_block_is_zero)
{
	u8 *block;

	new_heap(PAGE_SIZE, 0);
	block = heap_calloc(&heap, 10, 30);
	REQUIRE(block != NULL);
	for (u32 i = 0; i < 300; i++)
		CHECK_EQUAL(block[i], 0);
	heap_free(&heap, block);
	check_empty(1);
}

TEST(impossible_sizes_give_null)
{
	new_heap(PAGE_SIZE, 0);
	CHECK(heap_alloc(&heap, SIZE_MAX) == NULL);
	CHECK(heap_alloc(&heap, HEAP_MAX_BYTES + 1) == NULL);
	CHECK(heap_alloc(&heap, HEAP_MAX_BYTES) == NULL);
	CHECK(heap_calloc(&heap, SIZE_MAX / 2, 3) == NULL);
	CHECK(heap_calloc(&heap, 1ul << 33, 1ul << 33) == NULL);
	CHECK(heap_aligned_alloc(&heap, 0, 10) == NULL);
	CHECK(heap_aligned_alloc(&heap, 24, 10) == NULL);
	CHECK(heap_aligned_alloc(&heap, 1ul << 63, 10) == NULL);
	CHECK(heap_aligned_alloc(&heap, 64, SIZE_MAX - 10) == NULL);
	check_heap();
	CHECK_EQUAL(heap.nblocks, 0);
}

TEST(heap_without_memory_says_null_and_stays_sound)
{
	void *block[1000], *last;
	u32 n = 0;

	new_heap(64 * KiB, 0);
	limit = 256 * KiB;
	while (n < 1000 && (block[n] = heap_alloc(&heap, 1000)))
		n++;
	CHECK(n > 250 && n < 262);
	CHECK(heap_calloc(&heap, 1, 1000) == NULL);
	CHECK(heap_aligned_alloc(&heap, 4096, 1000) == NULL);
	memset(block[0], 7, 1000);
	CHECK(heap_realloc(&heap, block[0], 5000) == NULL);
	CHECK_EQUAL(((u8 *)block[0])[999], 7);
	check_heap();
	heap_free(&heap, block[500 % n]);
	last = heap_alloc(&heap, 1000);
	CHECK(last == block[500 % n]);
	while (n-- > 0)
		heap_free(&heap, block[n]);
	check_empty(1);
}

TEST(freed_memory_is_used_again)
{
	new_heap(64 * KiB, 0);
	for (u32 i = 0; i < 10000; i++) {
		void *a = heap_alloc(&heap, 5000), *b = heap_alloc(&heap, 7000);

		heap_free(&heap, i & 1 ? a : b);
		heap_free(&heap, i & 1 ? b : a);
	}
	CHECK_EQUAL(npieces, 1);
	check_empty(1);
}

TEST(neighbours_that_are_free_become_one)
{
	void *block[8], *all;
	static const u8 order[8] = {1, 3, 2, 0, 7, 5, 6, 4};

	new_heap(64 * KiB, 0);
	for (u32 i = 0; i < 8; i++)
		block[i] = heap_alloc(&heap, 8000);
	for (u32 i = 0; i < 8; i++) {
		heap_free(&heap, block[order[i]]);
		check_heap();
	}
	check_empty(1);
	all = heap_alloc(&heap, 60000);
	CHECK_EQUAL(npieces, 1);
	heap_free(&heap, all);
}

TEST(pieces_side_by_side_become_one)
{
	void *small, *large;

	new_heap(PAGE_SIZE, 0);
	small = heap_alloc(&heap, 3000);
	large = heap_alloc(&heap, 3000); /* needs a second piece */
	CHECK_EQUAL(npieces, 2);
	heap_free(&heap, small);
	heap_free(&heap, large);
	check_empty(1);
	CHECK_EQUAL(heap.total_bytes, given);
}

TEST(pieces_apart_stay_apart)
{
	void *a, *b;

	new_heap(PAGE_SIZE, 64);
	a = heap_alloc(&heap, 3000);
	b = heap_alloc(&heap, 3000);
	heap_free(&heap, a);
	heap_free(&heap, b);
	check_empty(2);
}

TEST(aligned_blocks_are_aligned)
{
	void *block[16];

	new_heap(64 * KiB, 0);
	for (u32 i = 0; i < 16; i++) {
		block[i] = heap_aligned_alloc(&heap, 1ul << i, 10 + i);
		REQUIRE(block[i] != NULL);
		CHECK_EQUAL((uintptr_t)block[i] % (1ul << i), 0);
		CHECK(heap_usable_bytes(block[i]) >= 10 + i);
		memset(block[i], 0xff, heap_usable_bytes(block[i]));
		check_heap();
	}
	for (u32 i = 0; i < 16; i++)
		heap_free(&heap, block[i]);
	check_empty(1);
}

TEST(aligning_wastes_nothing_for_long)
{
	void *block;

	new_heap(64 * KiB, 0);
	block = heap_aligned_alloc(&heap, 4096, 100);
	CHECK(heap.used_bytes <= 128);
	heap_free(&heap, block);
	check_empty(1);
}

TEST(block_grows_in_place_into_a_free_neighbour)
{
	u8 *block, *grown;

	new_heap(64 * KiB, 0);
	block = heap_alloc(&heap, 100);
	memset(block, 5, 100);
	grown = heap_realloc(&heap, block, 30000);
	CHECK(grown == block);
	CHECK_EQUAL(grown[99], 5);
	CHECK(heap.used_bytes < 30100);
	check_heap();
	heap_free(&heap, grown);
	check_empty(1);
}

TEST(block_that_cannot_grow_moves_with_its_contents)
{
	u8 *block, *moved;
	void *wall;

	new_heap(64 * KiB, 0);
	block = heap_alloc(&heap, 100);
	wall = heap_alloc(&heap, 100);
	for (u32 i = 0; i < 100; i++)
		block[i] = (u8)i;
	moved = heap_realloc(&heap, block, 200);
	REQUIRE(moved != NULL && moved != block);
	for (u32 i = 0; i < 100; i++)
		CHECK_EQUAL(moved[i], i);
	heap_free(&heap, wall);
	heap_free(&heap, moved);
	check_empty(1);
}

TEST(block_shrinks_in_place)
{
	u8 *block;
	u64 before;

	new_heap(64 * KiB, 0);
	block = heap_alloc(&heap, 10000);
	before = heap.used_bytes;
	CHECK(heap_realloc(&heap, block, 100) == block);
	CHECK(heap.used_bytes < before - 9800);
	CHECK(heap_realloc(&heap, block, 0) == block);
	CHECK(heap_realloc(&heap, block, SIZE_MAX) == NULL);
	check_heap();
	heap_free(&heap, block);
	check_empty(1);
}

TEST(reallocating_nothing_allocates)
{
	void *block;

	new_heap(PAGE_SIZE, 0);
	block = heap_realloc(&heap, NULL, 10);
	CHECK(block != NULL);
	heap_free(&heap, block);
	check_empty(1);
}

TEST(small_block_that_was_freed_is_the_next_of_its_size)
{
	void *a, *b, *block[3 * HEAP_KEPT_MOST];

	new_heap(64 * KiB, 0);
	a = heap_alloc(&heap, 100);
	b = heap_alloc(&heap, 40);
	heap_free(&heap, a);
	heap_free(&heap, b);
	check_heap();
	CHECK_EQUAL(heap.nblocks, 0);
	CHECK(heap_alloc(&heap, 104) == a);
	CHECK(heap_alloc(&heap, 33) == b);
	check_heap();
	for (u32 i = 0; i < ARRAY_SIZE(block); i++)
		block[i] = heap_alloc(&heap, 64);
	for (u32 i = 0; i < ARRAY_SIZE(block); i++)
		heap_free(&heap, block[i]);
	CHECK(heap.kept[80 / HEAP_ALIGN].n == HEAP_KEPT_MOST);
	heap_free(&heap, a);
	heap_free(&heap, b);
	check_empty(1);
}

TEST(kept_blocks_are_there_for_large_ones_before_memory_is_asked_for)
{
	void *block[16], *large;

	new_heap(8 * KiB, 0);
	for (u32 i = 0; i < ARRAY_SIZE(block); i++)
		block[i] = heap_alloc(&heap, 480);
	for (u32 i = 0; i < ARRAY_SIZE(block); i++)
		heap_free(&heap, block[i]);
	large = heap_alloc(&heap, 7000);
	CHECK(large != NULL);
	CHECK_EQUAL(npieces, 1);
	heap_free(&heap, large);
	check_empty(1);
}

TEST(freeing_twice_is_noticed_and_harmless)
{
	void *a, *b;

	new_heap(PAGE_SIZE, 0);
	a = heap_alloc(&heap, 100);
	b = heap_alloc(&heap, 100);
	heap_free(&heap, a);
	heap_free(&heap, a);
	CHECK_STRING(complaint, "block freed twice");
	complaint = NULL;
	heap_free(&heap, (u8 *)b + 8);
	CHECK_STRING(complaint, "no block of the heap");
	complaint = NULL;
	heap_free(&heap, b);
	check_empty(1);
}

TEST(overwritten_sizes_are_noticed)
{
	u8 *a, *b;

	new_heap(PAGE_SIZE, 0);
	a = heap_alloc(&heap, 104);
	b = heap_alloc(&heap, 104);
	memset(a, 0xff, 112); /* 8 bytes too many, into b's size */
	heap_free(&heap, b);
	CHECK_STRING(complaint, "size before the block overwritten");
	CHECK(heap_check(&heap) != NULL);
	CHECK(heap_realloc(&heap, b, 10) == NULL);
	new_heap(PAGE_SIZE, 0);
	a = heap_alloc(&heap, 104);
	memset(a, 0, 112);
	heap_free(&heap, a);
	CHECK_STRING(complaint, "memory behind the block overwritten");
	CHECK(heap_check(&heap) != NULL);
}

/* --- Random use --- */

#define MAX_BLOCKS 300

/* A block and what must be in it: @bytes times the number @fill. */
static struct model_block {
	u8 *at;
	size_t bytes;
	u8 fill;
} model[MAX_BLOCKS];

static void check_contents(const struct model_block *b, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (b->at[i] != b->fill) {
			CHECK_EQUAL(b->at[i], b->fill);
			return;
		}
	}
}

static size_t random_size(u64 r)
{
	u32 power = r % 16;

	return (r >> 8) & ((1ul << power) - 1);
}

static void set_block(struct model_block *b, u8 *at, size_t bytes, u8 fill)
{
	*b = (struct model_block){.at = at, .bytes = bytes, .fill = fill};
	memset(at, fill, bytes);
}

static void change_block(struct model_block *b, u64 r)
{
	size_t bytes = random_size(r >> 16);
	u8 *at;

	if (!b->at) {
		u64 align = 1ul << (r >> 8) % 13;

		at = r & 1 ? heap_alloc(&heap, bytes) : heap_aligned_alloc(&heap, align, bytes);
		if (!at)
			return;
		CHECK_EQUAL((uintptr_t)at % (r & 1 ? HEAP_ALIGN : align), 0);
		set_block(b, at, bytes, (u8)(r >> 40));
		return;
	}
	check_contents(b, b->bytes);
	if (r & 1) {
		heap_free(&heap, b->at);
		b->at = NULL;
		return;
	}
	at = heap_realloc(&heap, b->at, bytes);
	if (!at)
		return;
	b->at = at;
	check_contents(b, MIN(bytes, b->bytes));
	set_block(b, at, bytes, (u8)(r >> 40));
}

static void use_at_random(size_t piece_bytes, size_t gap_bytes, size_t most, u64 seed)
{
	new_heap(piece_bytes, gap_bytes);
	limit = most;
	memset(model, 0, sizeof(model));
	for (u32 i = 0; i < 100000; i++) {
		u64 r = unit_random(&seed);

		change_block(&model[(r >> 50) % MAX_BLOCKS], r);
		if (i % 500 == 0)
			check_heap();
	}
	for (u32 i = 0; i < MAX_BLOCKS; i++) {
		if (model[i].at)
			check_contents(&model[i], model[i].bytes);
		heap_free(&heap, model[i].at);
	}
	check_empty(gap_bytes ? npieces : 1);
}

TEST(random_use_keeps_every_blocks_contents)
{
	use_at_random(64 * KiB, 0, AREA, 1);
	CHECK(given < 3 * MiB); /* about 1 MiB is in blocks at a time */
}

TEST(random_use_with_scattered_pieces)
{
	use_at_random(16 * KiB, 48, AREA, 2);
}

TEST(random_use_with_too_little_memory)
{
	use_at_random(64 * KiB, 0, 512 * KiB, 3);
}
