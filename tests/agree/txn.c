/* Two-phase commit (lib/agree/txn.c, resolve.c). */
#include <unit.h>

#include "net.h"

static struct net n;
static u64 id[4];

static struct map_op ops[4];

/* A transaction by @core that sets key 0 of the first @count objects to @value. */
static int set_all(u32 core, u32 count, u64 value, u64 token)
{
	struct agree_part parts[4];

	for (u32 i = 0; i < count; i++) {
		ops[i].key = 0;
		ops[i].value = value;
		parts[i] = (struct agree_part){id[i], &ops[i], sizeof(ops[i])};
	}
	n.result[core][token] = NET_WAITS;
	return agree_txn(n.core[core].agree, parts, count, token);
}

/* Object i is homed at core i and has replicas on all of @shared cores. */
static void start(u32 shared)
{
	memset(ops, 0, sizeof(ops));
	net_start(&n, 6, 3, AGREE_TREE);
	for (u32 i = 0; i < 4; i++) {
		id[i] = net_map(&n, i);
		net_share_all(&n, id[i], shared);
	}
}

static void check_unlocked(u32 count)
{
	struct agree_info info;

	for (u32 i = 0; i < count; i++)
		for (u32 core = 0; core < 6; core++)
			if (!n.core[core].dead && !agree_info(n.core[core].agree, id[i], &info) &&
			    info.home == core)
				CHECK(!info.locked);
}

TEST(a_transaction_changes_all)
{
	start(3);
	CHECK_EQUAL(set_all(5, 4, 8, 0), 0);
	net_run(&n);
	CHECK_EQUAL(n.result[5][0], 0);
	for (u32 i = 0; i < 4; i++)
		CHECK_EQUAL(net_get(&n, i, id[i], 0), 8);
	check_unlocked(4);
	net_end(&n);
}

TEST(one_refusal_and_nothing_changes)
{
	start(3);
	ops[3] = (struct map_op){.flags = MAP_IF_EQUAL, .expect = 1};
	CHECK_EQUAL(set_all(5, 4, 8, 0), 0);
	net_run(&n);
	CHECK_EQUAL(n.result[5][0], -EDOM);
	for (u32 i = 0; i < 4; i++)
		CHECK_EQUAL(net_get(&n, i, id[i], 0), 0);
	check_unlocked(4);
	net_end(&n);
}

TEST(transactions_that_cross_do_not_deadlock)
{
	start(3);
	for (u32 core = 0; core < 6; core++)
		set_all(core, 4, core + 1, 0);
	net_run(&n);
	for (u32 core = 0; core < 6; core++)
		CHECK_EQUAL(n.result[core][0], 0);
	for (u32 i = 1; i < 4; i++)
		CHECK_EQUAL(net_get(&n, i, id[i], 0), net_get(&n, 0, id[0], 0));
	check_unlocked(4);
	net_end(&n);
}

TEST(parts_out_of_order_are_refused)
{
	struct agree_part parts[2];

	start(0);
	parts[0] = (struct agree_part){id[1], NULL, 0};
	parts[1] = (struct agree_part){id[0], NULL, 0};
	CHECK_EQUAL(agree_txn(n.core[0].agree, parts, 2, 0), -EINVAL);
	CHECK_EQUAL(agree_txn(n.core[0].agree, parts, 0, 0), -EINVAL);
	CHECK_EQUAL(agree_txn(n.core[0].agree, parts, AGREE_TXN_MAX + 1, 0), -EINVAL);
	net_end(&n);
}

/* Kill @victim after each number of steps of a transaction by @coordinator in turn. */
static void kill_at_every_step(u32 coordinator, u32 victim)
{
	for (u32 steps = 0; steps < 80; steps++) {
		u64 value = 0;

		start(5);
		set_all(coordinator, 3, 8, 0);
		for (u32 i = 0; i < steps; i++)
			net_step(&n);
		net_kill(&n, victim);
		agree_fenced(n.core[victim == 4 ? 3 : 4].agree, victim);
		net_pass(&n, NET_SECOND);
		for (u32 i = 0; i < 3; i++) {
			u64 got = net_get(&n, 4 - (victim == 4), id[i], 0);

			if (i == 0)
				value = got;
			CHECK_EQUAL(got, value);
		}
		CHECK(value == 0 || value == 8);
		if (coordinator != victim)
			CHECK_EQUAL(n.result[coordinator][0], value == 8 ? 0 : -EHOSTDOWN);
		check_unlocked(3);
		net_end(&n);
	}
}

TEST(all_or_none_when_the_coordinator_dies_at_any_step)
{
	kill_at_every_step(5, 5);
}

TEST(all_when_a_home_dies_at_any_step)
{
	kill_at_every_step(5, 1);
}

TEST(all_or_none_when_one_core_is_home_and_coordinator_and_dies)
{
	kill_at_every_step(0, 0);
}
