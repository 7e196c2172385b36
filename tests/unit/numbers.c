/*
 * Numbers of processes over cores (services/linux/numbers.h): what is given to whom, leases,
 * where they lead, and the death of a core.
 */
#include "../../services/linux/numbers.h"

#include <errno.h>
#include <string.h>
#include <unit.h>

static u64 max = 4096;

static struct numbers begin(u32 core)
{
	struct numbers n;

	REQUIRE(numbers_init(&n, core, &max) == 0);
	return n;
}

static u32 take(struct numbers *n)
{
	u32 number = numbers_new(n);

	if (number)
		CHECK_EQUAL(numbers_get(n, number, NUMBER_TASK), 0);
	return number;
}

TEST(counts_up_and_begins_again_above_the_reserved)
{
	struct numbers n = begin(0);

	for (u32 i = 1; i < max; i++)
		CHECK_EQUAL(take(&n), i);
	CHECK_EQUAL(take(&n), 0);
	numbers_put(&n, 7, NUMBER_TASK);
	CHECK_EQUAL(take(&n), 0); /* below what is given again */
	numbers_put(&n, 301, NUMBER_TASK);
	CHECK_EQUAL(take(&n), 301);
	numbers_put(&n, 900, NUMBER_TASK);
	CHECK_EQUAL(take(&n), 900);
	numbers_fini(&n);
}

TEST(a_group_keeps_its_number)
{
	struct numbers n = begin(0);
	u32 pid = take(&n);

	CHECK_EQUAL(numbers_get(&n, pid, NUMBER_GROUP), 0);
	CHECK_EQUAL(numbers_get(&n, pid, NUMBER_GROUP), 0);
	CHECK(numbers_put(&n, pid, NUMBER_TASK));
	CHECK(!numbers_put(&n, pid, NUMBER_GROUP));
	CHECK(numbers_in_use(&n, pid));
	CHECK(numbers_put(&n, pid, NUMBER_GROUP));
	CHECK(!numbers_in_use(&n, pid));
	numbers_fini(&n);
}

TEST(leases_are_disjoint_and_not_given_here)
{
	struct numbers home = begin(0), one = begin(1), two = begin(2);
	static u8 seen[4096];
	u32 a = numbers_lease(&home, 1, 4), b = numbers_lease(&home, 2, 4), n = 0;

	memset(seen, 0, sizeof(seen));
	CHECK_EQUAL(take(&one), 0);
	CHECK_EQUAL(numbers_add(&one, a, 4), 0);
	CHECK_EQUAL(numbers_add(&two, b, 4), 0);
	CHECK_EQUAL(numbers_owner(&home, a * PID_BLOCK + 3), 1);
	CHECK(numbers_is_home(&two, b * PID_BLOCK));
	CHECK(!numbers_is_home(&home, b * PID_BLOCK));
	for (struct numbers *all[] = {&home, &one, &two}, **at = all; at < all + 3; at++) {
		for (u32 number = take(*at); number; number = take(*at)) {
			CHECK_EQUAL(seen[number]++, 0);
			n++;
		}
	}
	CHECK_EQUAL(n, max - 1);
	numbers_fini(&home);
	numbers_fini(&one);
	numbers_fini(&two);
}

TEST(a_lease_has_nothing_in_use)
{
	struct numbers home = begin(0);
	u32 first;

	for (u32 i = 0; i < 1200; i++)
		take(&home);
	first = numbers_lease(&home, 3, 2);
	CHECK(first * PID_BLOCK > 1200);
	for (u32 i = 0; i < 100; i++) {
		if (!numbers_lease(&home, 3, 2))
			break;
		CHECK(i != 99);
	}
	CHECK_EQUAL(numbers_lease(&home, 0, 1), 0);
	CHECK_EQUAL(numbers_lease(&home, 3, 0), 0);
	CHECK_EQUAL(numbers_lease(&home, 3, 1u << 30), 0);
	CHECK_EQUAL(numbers_lease(&home, 1u << 20, 1), 0);
	numbers_fini(&home);
}

TEST(a_number_leads_to_its_process)
{
	struct numbers n = begin(0);
	u32 pid = take(&n);

	CHECK_EQUAL(numbers_set_away(&n, pid, 5, 1), 0);
	numbers_put(&n, pid, NUMBER_TASK);
	CHECK_EQUAL(numbers_find(&n, pid)->away, 6);
	CHECK_EQUAL(numbers_set_away(&n, pid, 7, 3), 0);
	CHECK_EQUAL(numbers_set_away(&n, pid, 6, 2), 0); /* late news */
	CHECK_EQUAL(numbers_find(&n, pid)->away, 8);
	CHECK(take(&n) != pid);
	CHECK_EQUAL(numbers_get(&n, pid, NUMBER_TASK), 0);
	CHECK_EQUAL(numbers_set_away(&n, pid, 0, 4), 0);
	CHECK_EQUAL(numbers_find(&n, pid)->away, 0);
	CHECK(numbers_put(&n, pid, NUMBER_TASK));
	CHECK(numbers_find(&n, pid) == NULL);
	numbers_fini(&n);
}

TEST(home_knows_cores_with_members)
{
	struct numbers n = begin(0);

	CHECK_EQUAL(numbers_join(&n, 44, NUMBER_GROUP, 3), 0);
	CHECK_EQUAL(numbers_join(&n, 44, NUMBER_GROUP, 511), 0);
	CHECK_EQUAL(numbers_join(&n, 44, NUMBER_SESSION, 3), 0);
	CHECK(core_set_has(numbers_find(&n, 44)->others[NUMBER_GROUP], 511));
	CHECK(!core_set_has(numbers_find(&n, 44)->others[NUMBER_SESSION], 511));
	numbers_leave(&n, 44, NUMBER_GROUP, 3);
	numbers_leave(&n, 44, NUMBER_GROUP, 9);
	numbers_leave(&n, 45, NUMBER_GROUP, 9);
	numbers_leave(&n, 44, NUMBER_GROUP, 511);
	CHECK(numbers_find(&n, 44)->others[NUMBER_GROUP] == NULL);
	numbers_leave(&n, 44, NUMBER_SESSION, 3);
	CHECK(numbers_find(&n, 44) == NULL);
	numbers_fini(&n);
}

static void note(u32 number, void *arg)
{
	*(u32 *)arg += number;
}

TEST(a_dead_core_gives_everything_back)
{
	struct numbers n = begin(0);
	u32 first = numbers_lease(&n, 4, 4), gone = 0, pid = take(&n), other = take(&n);

	numbers_set_away(&n, pid, 4, 1);
	numbers_put(&n, pid, NUMBER_TASK);
	numbers_set_away(&n, other, 5, 1);
	numbers_put(&n, other, NUMBER_TASK);
	numbers_join(&n, 77, NUMBER_GROUP, 4);
	numbers_core_died(&n, 4, note, &gone);
	CHECK_EQUAL(gone, pid);
	CHECK(numbers_find(&n, pid) == NULL);
	CHECK(numbers_find(&n, 77) == NULL);
	CHECK_EQUAL(numbers_find(&n, other)->away, 6);
	CHECK(numbers_is_home(&n, first * PID_BLOCK));
	numbers_fini(&n);
}
