/* The multicast tree (lib/agree/tree.c). */
#include <unit.h>

#include "net.h"

static struct net n;

struct walk {
	u32 reached[NET_CORES];
	u32 crossings; /* between sockets */
	u32 depth;
	u32 widest;
};

static void walk(struct walk *w, enum agree_strategy strategy, u32 self,
		 const struct core_set *targets, u32 depth)
{
	struct agree_tree t = {n.machine, strategy, 4, self};
	struct agree_cast c;
	struct core_set subset;
	u32 child, children = 0;

	agree_cast_begin(&t, &c, targets);
	while (!agree_cast_done(&c)) {
		child = agree_cast_next(&t, &c, &subset);
		REQUIRE(child != NO_CORE);
		children++;
		w->reached[child]++;
		w->crossings += machine_cores(n.machine)[child].socket !=
				machine_cores(n.machine)[self].socket;
		walk(w, strategy, child, &subset, depth + 1);
		CHECK(agree_cast_answered(&c, child));
		CHECK(!agree_cast_answered(&c, child));
	}
	w->depth = MAX(w->depth, depth);
	w->widest = MAX(w->widest, children);
}

static void reach_all(enum agree_strategy strategy, struct walk *w, u32 self, u64 seed)
{
	struct core_set targets = {0};

	memset(w, 0, sizeof(*w));
	for (u32 core = 0; core < n.ncores; core++)
		if (core != self && (!seed || unit_random(&seed) % 3))
			core_set_add(&targets, core);
	walk(w, strategy, self, &targets, 0);
	for (u32 core = 0; core < n.ncores; core++)
		CHECK_EQUAL(w->reached[core], core_set_has(&targets, core));
}

TEST(every_target_is_reached_once_by_any_strategy)
{
	struct walk w;

	net_start(&n, 60, 8, AGREE_TREE);
	for (u64 seed = 0; seed < 40; seed++) {
		reach_all(AGREE_TREE, &w, (u32)seed, seed);
		reach_all(AGREE_FLAT, &w, (u32)seed, seed);
		reach_all(AGREE_UNICAST, &w, (u32)seed, seed);
	}
	net_end(&n);
}

TEST(tree_enters_each_socket_once)
{
	struct walk w;

	net_start(&n, 64, 16, AGREE_TREE);
	reach_all(AGREE_TREE, &w, 21, 0);
	CHECK_EQUAL(w.crossings, 3);
	CHECK(w.widest <= 8); /* 4 far and 4 near */
	CHECK(w.depth <= 4);
	net_end(&n);
}

TEST(tree_begins_with_the_farthest_socket)
{
	struct agree_tree t;
	struct agree_cast c;
	struct core_set targets = {0}, subset;

	net_start(&n, 12, 4, AGREE_TREE);
	t = (struct agree_tree){n.machine, AGREE_TREE, 8, 0};
	((u8 *)n.machine + n.machine->distance_off)[2] = 40; /* node 0 to node 2 */
	for (u32 core = 1; core < 12; core++)
		core_set_add(&targets, core);
	agree_cast_begin(&t, &c, &targets);
	CHECK_EQUAL(agree_cast_next(&t, &c, &subset), 8);
	CHECK_EQUAL(agree_cast_next(&t, &c, &subset), 4);
	CHECK_EQUAL(agree_cast_next(&t, &c, &subset), 1);
	net_end(&n);
}

TEST(unicast_waits_for_each_answer)
{
	struct agree_tree t;
	struct agree_cast c;
	struct core_set targets = {{0x6}}, subset;

	net_start(&n, 4, 4, AGREE_TREE);
	t = (struct agree_tree){n.machine, AGREE_UNICAST, 8, 0};
	agree_cast_begin(&t, &c, &targets);
	CHECK_EQUAL(agree_cast_next(&t, &c, &subset), 1);
	CHECK_EQUAL(agree_cast_next(&t, &c, &subset), NO_CORE);
	CHECK(agree_cast_answered(&c, 1));
	CHECK_EQUAL(agree_cast_next(&t, &c, &subset), 2);
	net_end(&n);
}

TEST(sets_travel_in_few_bytes)
{
	struct core_set s = {0}, got;
	u8 bytes[CORE_SET_BYTES], at;

	core_set_add(&s, 500);
	core_set_add(&s, 511);
	CHECK_EQUAL(core_set_pack(&s, &at, bytes), 2);
	CHECK(core_set_unpack(&got, at, bytes, 2, 512));
	CHECK_EQUAL(memcmp(&got, &s, sizeof(s)), 0);
	CHECK(!core_set_unpack(&got, at, bytes, 2, 511)); /* no such core */
	CHECK(!core_set_unpack(&got, 64, bytes, 1, 512));
}
