/* Replicas: creating, getting, giving up, leases (lib/agree/share.c, agree.c). */
#include <unit.h>

#include "net.h"

static struct net n;

TEST(creating_an_exclusive_object_takes_no_message)
{
	u64 id;

	net_start(&n, 4, 2, AGREE_TREE);
	id = net_map(&n, 2);
	CHECK_EQUAL(agree_id_birth(id), 2);
	CHECK_EQUAL(net_set(&n, 2, id, 1, 5, 0), 0);
	net_run(&n);
	CHECK_EQUAL(n.result[2][0], 0);
	CHECK_EQUAL(n.lines, 0);
	for (u32 type = AGREE_MORE; type < AGREE_MSG_END; type++)
		CHECK_EQUAL(net_sent(&n, NO_CORE, type), 0);
	net_end(&n);
}

TEST(a_replica_has_what_was_changed_before)
{
	u64 id;

	net_start(&n, 4, 2, AGREE_TREE);
	id = net_map(&n, 0);
	for (u32 key = 0; key < MAP_SLOTS; key++)
		net_set(&n, 0, id, key, key + 100, 0);
	CHECK_EQUAL(agree_share(n.core[3].agree, id, 1), 0);
	CHECK_EQUAL(n.result[3][1], NET_WAITS);
	net_run(&n);
	CHECK_EQUAL(n.result[3][1], 0);
	for (u32 key = 0; key < MAP_SLOTS; key++)
		CHECK_EQUAL(net_get(&n, 3, id, key), key + 100);
	net_end(&n);
}

TEST(sharing_again_is_eexist)
{
	u64 id;

	net_start(&n, 2, 2, AGREE_TREE);
	id = net_map(&n, 0);
	net_share_all(&n, id, 2);
	CHECK_EQUAL(agree_share(n.core[1].agree, id, 2), 0);
	net_run(&n);
	CHECK_EQUAL(n.result[1][2], -EEXIST);
	net_end(&n);
}

TEST(two_who_want_the_same_replica_both_get_it)
{
	u64 id;

	net_start(&n, 2, 2, AGREE_TREE);
	id = net_map(&n, 0);
	CHECK_EQUAL(agree_share(n.core[1].agree, id, 1), 0);
	CHECK_EQUAL(agree_share(n.core[1].agree, id, 2), 0);
	net_run(&n);
	CHECK_EQUAL(n.result[1][1], 0);
	CHECK_EQUAL(n.result[1][2], 0);
	CHECK_EQUAL(net_sent(&n, 1, AGREE_SHARE_ASK), 1);
	net_end(&n);
}

TEST(sharing_what_never_was_is_enoent)
{
	net_start(&n, 2, 2, AGREE_TREE);
	CHECK_EQUAL(agree_share(n.core[1].agree, AGREE_ID(0, 99), 0), 0);
	net_run(&n);
	CHECK_EQUAL(n.result[1][0], -ENOENT);
	CHECK_EQUAL(agree_share(n.core[1].agree, AGREE_ID(7, 99), 0), -ENOENT);
	net_end(&n);
}

TEST(a_lease_is_recalled_before_the_object_is_shared)
{
	u64 id;

	net_start(&n, 2, 2, AGREE_TREE);
	n.auto_recall = false;
	id = net_map(&n, 0);
	CHECK_EQUAL(agree_lease(n.core[0].agree, id), 0);
	CHECK_EQUAL(agree_lease(n.core[0].agree, id), -EBUSY);
	agree_share(n.core[1].agree, id, 0);
	net_run(&n);
	CHECK_EQUAL(n.recalled, 1);
	CHECK_EQUAL(n.result[1][0], NET_WAITS);
	CHECK_EQUAL(agree_recalled(n.core[0].agree, id), 0);
	net_run(&n);
	CHECK_EQUAL(n.result[1][0], 0);
	CHECK_EQUAL(agree_lease(n.core[0].agree, id), -EBUSY); /* it is shared now */
	net_end(&n);
}

TEST(a_replica_without_memory_for_a_snapshot_is_enomem_and_nothing_else)
{
	u64 id;

	for (u32 fail = 1; fail < 8; fail++) {
		net_start(&n, 3, 3, AGREE_TREE);
		id = net_map(&n, 0);
		net_share_all(&n, id, 2);
		n.fail_after = fail;
		if (!agree_share(n.core[2].agree, id, 0))
			net_run(&n);
		n.fail_after = 0;
		CHECK(n.result[2][0] == 0 || n.result[2][0] == -ENOMEM ||
		      n.result[2][0] == NET_WAITS);
		net_set(&n, 1, id, 0, 9, 1); /* the others go on */
		net_run(&n);
		CHECK_EQUAL(n.result[1][1], 0);
		CHECK_EQUAL(net_get(&n, 0, id, 0), 9);
		net_end(&n);
	}
}

TEST(who_left_is_not_told_of_changes)
{
	u64 id, before;

	net_start(&n, 3, 3, AGREE_TREE);
	id = net_map(&n, 0);
	net_share_all(&n, id, 3);
	CHECK_EQUAL(agree_leave(n.core[2].agree, id, 0), 0);
	CHECK(agree_state(n.core[2].agree, id) == NULL);
	net_run(&n);
	CHECK_EQUAL(n.result[2][0], 0);
	before = net_sent(&n, 0, AGREE_CHANGE);
	net_set(&n, 0, id, 0, 1, 0);
	net_run(&n);
	CHECK_EQUAL(net_sent(&n, 0, AGREE_CHANGE), before + 1);
	CHECK_EQUAL(agree_leave(n.core[2].agree, id, 0), -ENOENT);
	net_end(&n);
}

TEST(the_home_cannot_leave)
{
	u64 id;

	net_start(&n, 2, 2, AGREE_TREE);
	id = net_map(&n, 0);
	net_share_all(&n, id, 2);
	CHECK_EQUAL(agree_leave(n.core[0].agree, id, 0), -EBUSY);
	net_end(&n);
}

TEST(an_object_that_all_others_left_is_exclusive_again)
{
	struct agree_info info;
	u64 id, lines;

	net_start(&n, 2, 2, AGREE_TREE);
	id = net_map(&n, 0);
	net_share_all(&n, id, 2);
	agree_leave(n.core[1].agree, id, 0);
	net_run(&n);
	lines = n.lines;
	net_set(&n, 0, id, 0, 1, 0);
	net_run(&n);
	CHECK_EQUAL(n.lines, lines);
	CHECK_EQUAL(agree_info(n.core[0].agree, id, &info), 0);
	CHECK(info.exclusive);
	CHECK_EQUAL(agree_lease(n.core[0].agree, id), 0);
	net_end(&n);
}
