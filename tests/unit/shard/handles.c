/* Handles: given once and never again. */
#include <shard/handles.h>
#include <unit.h>

#define MANY 1000

static int object[MANY];

TEST(a_handle_names_its_object_until_it_is_dropped)
{
	struct shard_handles table = {0};
	u64 id[MANY], at = 0, first;

	CHECK(!shard_handle_get(&table, 1));
	CHECK(!shard_handle_drop(&table, 1));
	CHECK(!shard_handle_next(&table, 0, &at));
	for (u32 i = 0; i < MANY; i++) {
		id[i] = shard_handle_new(&table, &object[i]);
		CHECK(id[i] > (i ? id[i - 1] : 0));
	}
	for (u32 i = 0; i < MANY; i += 2)
		CHECK(shard_handle_drop(&table, id[i]) == &object[i]);
	for (u32 i = 0; i < MANY; i++)
		CHECK(shard_handle_get(&table, id[i]) == (i % 2 ? &object[i] : NULL));
	CHECK(!shard_handle_drop(&table, id[0]));
	for (u32 i = 1; i < MANY; i += 2) {
		CHECK(shard_handle_next(&table, at, &at) == &object[i]);
		CHECK_EQUAL(at, id[i]);
	}
	CHECK(!shard_handle_next(&table, at, &at));
	CHECK(!shard_handle_get(&table, 0) && !shard_handle_get(&table, ~0ul));
	shard_handles_fini(&table);
	first = shard_handle_new(&table, &object[0]);
	CHECK(first > id[MANY - 1]);
	shard_handles_fini(&table);
}
