/* Changes of shared objects (lib/agree/change.c, object.c). */
#include <unit.h>

#include "net.h"

static struct net n;

TEST(a_change_is_answered_when_every_replica_has_it)
{
	u64 id;

	net_start(&n, 12, 4, AGREE_TREE);
	id = net_map(&n, 0);
	net_share_all(&n, id, 12);
	n.core[7].stalled = true;
	CHECK_EQUAL(net_set(&n, 5, id, 3, 77, 0), 0);
	net_run(&n);
	CHECK_EQUAL(n.result[5][0], NET_WAITS);
	n.core[7].stalled = false;
	net_run(&n);
	CHECK_EQUAL(n.result[5][0], 0);
	for (u32 core = 0; core < 12; core++)
		CHECK_EQUAL(net_get(&n, core, id, 3), 77);
	net_end(&n);
}

TEST(a_change_goes_to_replicas_only)
{
	u64 id;

	net_start(&n, 12, 4, AGREE_TREE);
	id = net_map(&n, 0);
	agree_share(n.core[9].agree, id, 0);
	net_run(&n);
	net_set(&n, 0, id, 3, 77, 0);
	net_run(&n);
	CHECK_EQUAL(net_sent(&n, NO_CORE, AGREE_CHANGE), 1);
	for (u32 core = 1; core < 12; core++)
		CHECK(core == 9 ||
		      agree_counts(n.core[core].agree)->received[AGREE_CHANGE - AGREE_MORE] == 0);
	net_end(&n);
}

TEST(changes_from_all_sides_are_applied_in_one_order)
{
	u64 id, last;

	net_start(&n, 8, 4, AGREE_TREE);
	id = net_map(&n, 0);
	net_share_all(&n, id, 8);
	for (u32 core = 0; core < 8; core++)
		net_set(&n, core, id, 0, core + 1, 0);
	net_run(&n);
	last = net_get(&n, 0, id, 0);
	for (u32 core = 0; core < 8; core++) {
		CHECK_EQUAL(n.result[core][0], 0);
		CHECK_EQUAL(net_get(&n, core, id, 0), last);
	}
	net_end(&n);
}

TEST(what_the_type_refuses_is_refused_and_changes_nothing)
{
	struct map_op op = {.key = 0, .flags = MAP_IF_EQUAL, .expect = 5, .value = 6};
	u64 id, changes;

	net_start(&n, 3, 3, AGREE_TREE);
	id = net_map(&n, 0);
	net_share_all(&n, id, 3);
	changes = net_sent(&n, NO_CORE, AGREE_CHANGE);
	agree_change(n.core[1].agree, id, &op, sizeof(op), 0);
	agree_change(n.core[2].agree, id, "x", 1, 0);
	net_run(&n);
	CHECK_EQUAL(n.result[1][0], -EDOM);
	CHECK_EQUAL(n.result[2][0], -EINVAL);
	CHECK_EQUAL(net_sent(&n, NO_CORE, AGREE_CHANGE), changes);
	net_end(&n);
}

TEST(changing_without_a_replica_is_enoent)
{
	u64 id;

	net_start(&n, 2, 2, AGREE_TREE);
	id = net_map(&n, 0);
	CHECK_EQUAL(net_set(&n, 1, id, 0, 1, 0), -ENOENT);
	net_end(&n);
}

TEST(too_long_a_change_is_emsgsize)
{
	static const u8 data[4096];
	u64 id;

	net_start(&n, 2, 2, AGREE_TREE);
	id = net_map(&n, 0);
	CHECK_EQUAL(agree_change(n.core[0].agree, id, data, agree_change_max(n.core[0].agree) + 1,
				 0),
		    -EMSGSIZE);
	net_end(&n);
}

TEST(a_destroyed_object_is_gone_everywhere)
{
	u64 id;

	net_start(&n, 6, 3, AGREE_TREE);
	id = net_map(&n, 0);
	net_share_all(&n, id, 5);
	agree_destroy(n.core[4].agree, id, 0);
	agree_share(n.core[5].agree, id, 1); /* asked at the same time */
	net_run(&n);
	CHECK_EQUAL(n.result[4][0], 0);
	for (u32 core = 0; core < 5; core++)
		CHECK(agree_state(n.core[core].agree, id) == NULL);
	agree_share(n.core[5].agree, id, 2);
	net_run(&n);
	CHECK_EQUAL(n.result[5][2], -ENOENT);
	net_end(&n);
}

TEST(a_home_without_memory_refuses_and_all_go_on)
{
	u64 id;

	net_start(&n, 3, 3, AGREE_TREE);
	id = net_map(&n, 0);
	net_share_all(&n, id, 3);
	net_set(&n, 1, id, 0, 1, 0);
	net_run(&n);
	net_set(&n, 1, id, 0, 2, 1);
	n.fail_after = 1; /* when the home queues the ask */
	net_run(&n);
	CHECK_EQUAL(n.result[1][1], -ENOMEM);
	CHECK_EQUAL(net_get(&n, 2, id, 0), 1);
	net_end(&n);
}
