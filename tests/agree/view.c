/* Suspicion, fencing, views, re-homing (lib/agree/view.c, rehome.c). */
#include <unit.h>

#include "net.h"

static struct net n;

TEST(nobody_is_suspected_while_no_answer_is_owed)
{
	u64 id;

	net_start(&n, 4, 2, AGREE_TREE);
	id = net_map(&n, 1);
	net_share_all(&n, id, 4);
	net_kill(&n, 1);
	net_pass(&n, 60 * NET_SECOND);
	CHECK_EQUAL(n.fenced, 0);
	CHECK_EQUAL(net_sent(&n, NO_CORE, AGREE_PING), 0);
	net_end(&n);
}

TEST(a_watched_core_that_dies_is_noticed_though_nobody_waits_for_it)
{
	net_start(&n, 4, 2, AGREE_TREE);
	for (u32 core = 0; core < 4; core++)
		agree_watch(n.core[core].agree);
	net_pass(&n, 60 * NET_SECOND);
	CHECK_EQUAL(n.fenced, 0);
	net_kill(&n, 1);
	net_pass(&n, 15 * NET_SECOND);
	CHECK_EQUAL(n.fenced, 1);
	net_kill(&n, 2); /* it was the dead one's part to watch that */
	net_pass(&n, 15 * NET_SECOND);
	CHECK_EQUAL(n.fenced, 2);
	for (u32 core = 0; core < 4; core += 3)
		CHECK(!agree_is_live(n.core[core].agree, 1) &&
		      !agree_is_live(n.core[core].agree, 2));
	net_end(&n);
}

TEST(a_slow_core_that_answers_pings_is_not_suspected)
{
	u64 id;

	net_start(&n, 3, 3, AGREE_TREE);
	n.auto_recall = false;
	id = net_map(&n, 0);
	agree_lease(n.core[0].agree, id); /* and it is never given back */
	agree_share(n.core[2].agree, id, 0);
	net_pass(&n, 120 * NET_SECOND);
	CHECK_EQUAL(n.result[2][0], NET_WAITS);
	CHECK_EQUAL(n.fenced, 0);
	CHECK(net_sent(&n, 2, AGREE_PING) > 10);
	net_end(&n);
}

TEST(a_core_that_stalls_for_less_than_the_limit_lives)
{
	u64 id;

	net_start(&n, 3, 3, AGREE_TREE);
	id = net_map(&n, 1);
	net_share_all(&n, id, 3);
	n.core[1].stalled = true;
	net_set(&n, 2, id, 0, 5, 0);
	net_pass(&n, 9 * NET_SECOND);
	n.core[1].stalled = false;
	net_pass(&n, 20 * NET_SECOND);
	CHECK_EQUAL(n.result[2][0], 0);
	CHECK_EQUAL(n.fenced, 0);
	net_end(&n);
}

TEST(a_suspected_core_is_fenced_before_its_objects_move)
{
	u64 id;

	net_start(&n, 3, 3, AGREE_TREE);
	id = net_map(&n, 1);
	net_share_all(&n, id, 3);
	n.core[1].stalled = true; /* alive, but silent */
	net_set(&n, 2, id, 0, 5, 0);
	net_pass(&n, 40 * NET_SECOND);
	CHECK_EQUAL(n.fenced, 1);
	CHECK(n.core[1].dead);
	CHECK_EQUAL(n.result[2][0], 0);
	CHECK_EQUAL(net_get(&n, 0, id, 0), 5);
	net_end(&n);
}

TEST(the_lowest_live_replica_becomes_the_home)
{
	struct agree_info info;
	u64 id;

	net_start(&n, 6, 3, AGREE_TREE);
	id = net_map(&n, 4);
	for (u32 core = 2; core < 6; core++)
		agree_share(n.core[core].agree, id, 0);
	net_run(&n);
	net_set(&n, 5, id, 0, 5, 0);
	net_run(&n);
	net_kill(&n, 4);
	agree_fenced(n.core[5].agree, 4);
	net_run(&n);
	for (u32 core = 2; core < 6; core += core == 3 ? 2 : 1) {
		CHECK_EQUAL(agree_info(n.core[core].agree, id, &info), 0);
		CHECK_EQUAL(info.home, 2);
		CHECK_EQUAL(info.members, 3);
		CHECK_EQUAL(net_get(&n, core, id, 0), 5);
	}
	net_end(&n);
}

/*
 * Core 5 changes an object of core 0's that six cores share; @victim dies after @steps steps, and
 * @finder finds out.
 */
static u64 kill_in_change(u32 steps, u32 victim, u32 finder)
{
	u64 id;

	net_start(&n, 6, 2, AGREE_TREE);
	id = net_map(&n, 0);
	net_share_all(&n, id, 6);
	net_set(&n, 5, id, 0, 5, 0);
	for (u32 i = 0; i < steps; i++)
		net_step(&n);
	net_kill(&n, victim);
	agree_fenced(n.core[finder].agree, victim);
	net_pass(&n, NET_SECOND);
	return id;
}

TEST(a_change_is_whole_or_absent_when_the_home_dies_at_any_step)
{
	for (u32 steps = 0; steps < 60; steps++) {
		u64 id = kill_in_change(steps, 0, 3);

		CHECK_EQUAL(n.result[5][0], 0); /* the asker lives: asked again if need be */
		for (u32 core = 1; core < 6; core++)
			CHECK_EQUAL(net_get(&n, core, id, 0), 5);
		net_end(&n);
	}
}

TEST(a_change_of_a_core_that_dies_is_whole_or_absent)
{
	for (u32 steps = 0; steps < 60; steps++) {
		u64 id = kill_in_change(steps, 5, 1), value = net_get(&n, 0, id, 0);

		for (u32 core = 1; core < 5; core++)
			CHECK_EQUAL(net_get(&n, core, id, 0), value);
		net_end(&n);
	}
}

TEST(when_the_leader_dies_the_next_one_leads)
{
	u64 id;

	net_start(&n, 5, 5, AGREE_TREE);
	id = net_map(&n, 1);
	net_share_all(&n, id, 5);
	net_kill(&n, 0);
	net_kill(&n, 1);
	net_set(&n, 4, id, 0, 5, 0);
	net_pass(&n, 60 * NET_SECOND);
	CHECK_EQUAL(n.result[4][0], 0);
	CHECK_EQUAL(agree_leader(n.core[4].agree), 2);
	CHECK_EQUAL(agree_epoch(n.core[4].agree), agree_epoch(n.core[2].agree));
	net_end(&n);
}

TEST(an_object_that_died_with_its_only_replica_is_ehostdown)
{
	u64 id;

	net_start(&n, 3, 3, AGREE_TREE);
	id = net_map(&n, 1);
	net_kill(&n, 1);
	agree_share(n.core[2].agree, id, 0);
	net_pass(&n, 60 * NET_SECOND);
	CHECK_EQUAL(n.result[2][0], -EHOSTDOWN);
	net_end(&n);
}

TEST(a_core_without_a_replica_finds_the_new_home)
{
	u64 id;

	net_start(&n, 4, 4, AGREE_TREE);
	id = net_map(&n, 1);
	agree_share(n.core[2].agree, id, 0);
	net_run(&n);
	net_set(&n, 2, id, 0, 5, 0);
	net_run(&n);
	net_kill(&n, 1);
	agree_share(n.core[3].agree, id, 0);
	net_pass(&n, 60 * NET_SECOND);
	CHECK_EQUAL(n.result[3][0], 0);
	CHECK_EQUAL(net_get(&n, 3, id, 0), 5);
	net_end(&n);
}

TEST(a_leader_without_memory_for_claims_gathers_them_again)
{
	u64 id;

	net_start(&n, 4, 4, AGREE_TREE);
	id = net_map(&n, 1);
	net_share_all(&n, id, 4);
	net_kill(&n, 1);
	n.fail_after = 1;
	agree_fenced(n.core[0].agree, 1);
	net_pass(&n, 10 * NET_SECOND);
	net_set(&n, 3, id, 0, 5, 0);
	net_pass(&n, 10 * NET_SECOND);
	CHECK_EQUAL(n.result[3][0], 0);
	net_end(&n);
}
