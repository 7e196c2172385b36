/*
 * The small parts: maps of pages, queues of waiting, growing text.
 */
#include "world.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/text.h>

/* --- Maps of pages, beside an array --- */

#define SLOTS 300u

TEST(page_map_matches_an_array)
{
	/* Numbers near each other, and near each power of 64. */
	static u64 numbers[SLOTS];
	static struct page pages[SLOTS];
	static bool present[SLOTS];
	struct page_map map = {0};
	u64 seed = 11, n = 0;

	memset(present, 0, sizeof(present));
	for (u32 i = 0; i < SLOTS; i++)
		numbers[i] = i < 100 ? i : (1ul << (i % 52)) + i / 52 * 1000003;
	for (u32 step = 0; step < 200000; step++) {
		u32 i = (u32)(unit_random(&seed) >> 33) % SLOTS;
		bool twin = false;

		for (u32 k = 0; k < i && !twin; k++)
			twin = numbers[k] == numbers[i];
		if (twin || numbers[i] >= PAGE_MAP_MAX)
			continue;
		REQUIRE((page_map_find(&map, numbers[i]) != NULL) == present[i]);
		if (present[i]) {
			REQUIRE(page_map_take(&map, numbers[i]) == &pages[i]);
			n--;
		} else {
			REQUIRE(page_map_add(&map, numbers[i], &pages[i]) == 0);
			n++;
		}
		present[i] = !present[i];
		REQUIRE(map.npages == n);
	}
	for (u32 i = 0; i < SLOTS; i++) {
		if (present[i])
			page_map_take(&map, numbers[i]);
	}
	CHECK(map.root == NULL); /* empty means no memory */
}

TEST(page_map_next_and_hole_walk_in_order)
{
	static const u64 at[] = {0, 1, 63, 64, 65, 4096, 1ul << 40};
	struct page_map map = {0};
	struct page page;
	u64 index = 0;

	for (u32 i = 0; i < ARRAY_SIZE(at); i++)
		REQUIRE(page_map_add(&map, at[i], &page) == 0);
	for (u32 i = 0; i < ARRAY_SIZE(at); i++, index++) {
		CHECK(page_map_next(&map, &index) != NULL);
		CHECK_EQUAL(index, at[i]);
	}
	CHECK(page_map_next(&map, &index) == NULL);
	CHECK_EQUAL(page_map_hole(&map, 0), 2);
	CHECK_EQUAL(page_map_hole(&map, 63), 66);
	CHECK_EQUAL(page_map_hole(&map, 100), 100);
	for (u32 i = 0; i < ARRAY_SIZE(at); i++)
		page_map_take(&map, at[i]);
}

/* --- Waiting --- */

static struct wait_queue queue;
static struct wait_entry entries[3];
static u32 woken[3];

static void wake(struct wait_entry *entry, u32 events)
{
	woken[entry - entries] += events;
}

/* Removes its neighbours and adds itself again, as a poll that ends and begins does. */
static void wake_rudely(struct wait_entry *entry, u32 events)
{
	wake(entry, events);
	wait_remove(&entries[2]);
	wait_remove(entry);
	wait_add(&queue, entry);
}

TEST(queue_wakes_each_once_whatever_the_callbacks_do)
{
	queue = (struct wait_queue){0};
	memset(woken, 0, sizeof(woken));
	for (u32 i = 0; i < 3; i++) {
		entries[i] = (struct wait_entry){.wake = i == 1 ? wake_rudely : wake};
		wait_add(&queue, &entries[i]);
	}
	wait_wake(&queue, 1);
	CHECK_EQUAL(woken[0], 1);
	CHECK_EQUAL(woken[1], 1);
	CHECK_EQUAL(woken[2], 0);
	wait_wake(&queue, 1);
	CHECK_EQUAL(woken[0], 2);
	CHECK_EQUAL(woken[1], 2);
	wait_remove(&entries[0]);
	wait_remove(&entries[0]);
	wait_remove(&entries[1]);
	CHECK(queue.first == NULL && queue.last == NULL);
}

TEST(wait_outside_of_a_fiber_is_einval)
{
	static struct world w;

	world_begin(&w);
	queue = (struct wait_queue){0};
	CHECK_EQUAL(wait_block(&w.loop, &queue, FIBER_FOREVER), -EINVAL);
	world_end(&w);
}

/* --- Text --- */

TEST(text_grows_and_escapes)
{
	struct text text = {0};

	for (int i = 0; i < 1000; i++)
		text_printf(&text, "%d,", i % 10);
	CHECK_EQUAL(text.len, 2000);
	CHECK_EQUAL(text_error(&text), 0);
	text_free(&text);
	text_escape(&text, "a b\tc\\d#e", "#");
	CHECK_STRING(text.at, "a\\040b\\011c\\134d\\043e");
	text_free(&text);
}

#define SAME_FORMAT(...)                                                                           \
	do {                                                                                       \
		struct text text_ = {0};                                                           \
		char wanted_[256];                                                                 \
		snprintf(wanted_, sizeof(wanted_), __VA_ARGS__);                                   \
		text_printf(&text_, __VA_ARGS__);                                                  \
		CHECK_EQUAL(text_error(&text_), 0);                                                \
		CHECK_STRING(text_.at, wanted_);                                                   \
		text_free(&text_);                                                                 \
	} while (0)

TEST(text_reads_formats_as_printf_does)
{
	SAME_FORMAT("%u (%s) %c %d 0 100%% %lu\n", 17u, "a name", 'R', -1, ULONG_MAX);
	SAME_FORMAT("%d %d %d %ld %ld", 0, INT_MAX, INT_MIN, LONG_MAX, LONG_MIN);
	SAME_FORMAT("%8lu|%-8lu|%08lu|%2lu|%016lx|%02x", 42ul, 42ul, 42ul, 1234ul, 0xfedcba98ul,
		    7u);
	SAME_FORMAT("%6d|%-6d|%06d|%03o|%04o|%o|%x", -42, -42, -42, 9u, 022u, 0u, 0u);
	SAME_FORMAT("%-10s|%10s|%.3s|%5.2s|%s", "left", "right", "cut off", "both", "");
	SAME_FORMAT("%*lu|%-*d|%*d|%0*x|%.*s|%.*s", 8, 42ul, 6, 7, -6, 7, 8, 0xbeefu, 2, "cut", -1,
		    "whole");
	SAME_FORMAT("%zu%%", (size_t)12345678901ul);
}

TEST(text_refuses_a_format_it_does_not_know)
{
	struct text text = {0};

	text_printf(&text, "%f", 1.0);
	CHECK_EQUAL(text_error(&text), -ENOMEM);
	text_free(&text);
}

TEST(text_beyond_its_limit_is_an_error_not_a_crash)
{
	static char big[MiB];
	struct text text = {0};

	memset(big, 'x', sizeof(big));
	for (u32 i = 0; i < 70; i++)
		text_put(&text, big, sizeof(big));
	CHECK_EQUAL(text_error(&text), -ENOMEM);
	CHECK(text.len <= TEXT_MAX);
	text_free(&text);
}
