/*
 * Tests of messages between domains.
 *
 *   bin/messages [count=N] [bells=N] [TEST...]
 *
 * count is how many messages a stream has each way, bells how many round trips wake both sides.
 */
#include "many.h"
#include "peer.h"
#include "testing.h"
#include <stdlib.h>
#include <string.h>

static u64 stream_count = 100000;
static u64 bell_count = 20000;

/* ---- where the peer is ---- */

/* A core of another node than this one (@other), or another one of it; 0 if there is none. */
static u32 find_core(bool other_node)
{
	for (u32 core = 1; core < domain_start()->ncores; core++) {
		struct sys_words words = {.w = {MON_CORE, core}};

		if (sys_call(DOMAIN_SLOT_MONITOR, &words) < 0 || (s64)words.w[0] < 0)
			continue;
		if ((words.w[2] != domain_start()->node) == other_node)
			return core;
	}
	return 0;
}

static void stream_to(u32 core, u64 count, bool stalls)
{
	struct peer peer;
	u64 begin;

	REQUIRE_EQUAL(peer_start(core, NULL, &peer), 0);
	begin = clock_now_ns();
	CHECK_EQUAL(peer_do(&peer, JOB_STREAM, count, stalls), 0);
	CHECK_EQUAL(stream_run(peer.channel, count, stalls, clock_tsc() | 1), 0);
	test_note("%lu messages in %lu ms", 2 * count, (clock_now_ns() - begin) / 1000000);
	CHECK_EQUAL(peer_end(&peer), 0);
}

static void messages_on_one_core_arrive_once_in_order_whole(void)
{
	/* Every full or empty ring is a switch of domains here: fewer messages do as much. */
	stream_to(domain_start()->core, stream_count, true);
}

static void messages_within_a_node_arrive_once_in_order_whole(void)
{
	u32 core = find_core(false);

	REQUIRE(core != 0);
	stream_to(core, stream_count, true);
}

static void messages_between_nodes_arrive_once_in_order_whole(void)
{
	u32 core = find_core(true);

	REQUIRE(core != 0);
	stream_to(core, stream_count, true);
}

/* Each side sleeps until the other rings: a doorbell that is lost ends it all. */
static void no_doorbell_is_lost(void)
{
	u32 core = find_core(false);
	struct peer peer;
	struct msg m;
	u64 rings;
	int err;

	REQUIRE(core != 0);
	REQUIRE_EQUAL(peer_start(core, NULL, &peer), 0);
	CHECK_EQUAL(peer_do(&peer, JOB_PING, bell_count, false), 0);
	err = 0;
	for (u64 n = 0; n < bell_count && !err; n++) {
		err = rt_channel_send(peer.channel, TEST_PING, &n, sizeof(n), FIBER_FOREVER);
		if (!err)
			err = rt_channel_receive(peer.channel, &m, FIBER_FOREVER);
		if (!err && m.word[0] != n)
			err = -EBADMSG;
	}
	CHECK_EQUAL(err, 0);
	rings = peer.channel->ump.counts.rings;
	test_note("%lu round trips, %lu doorbells rung from here", bell_count, rings);
	CHECK(rings > bell_count / 2);
	CHECK_EQUAL(peer_end(&peer), 0);
}

static void bulk_data_arrives_in_lent_blocks(void)
{
	struct rt_channel_size size = {.bulk_bytes = 64 * KiB};
	struct peer peer;
	u32 core = find_core(false);

	REQUIRE(core != 0);
	REQUIRE_EQUAL(peer_start(core, &size, &peer), 0);
	CHECK_EQUAL(peer.channel->bulk_bytes, size.bulk_bytes);
	CHECK_EQUAL(peer_do(&peer, JOB_BULK, 2000, false), 0);
	CHECK_EQUAL(bulk_send(peer.channel, 2000), 0);
	CHECK_EQUAL(peer_end(&peer), 0);
}

/* ---- the end of a peer ---- */

static void see_death(u32 core, enum job job, u32 death, s64 status)
{
	struct peer peer;
	struct msg m;

	REQUIRE_EQUAL(peer_start(core, NULL, &peer), 0);
	CHECK_EQUAL(peer_do(&peer, job, 0, false), 0);
	CHECK_EQUAL(rt_channel_receive(peer.channel, &m, clock_now_ns() + 20 * NS_PER_S), -EPIPE);
	REQUIRE_EQUAL(rt_task_wait(&peer.task, clock_now_ns() + 20 * NS_PER_S), 0);
	CHECK_EQUAL(peer.task.death, death);
	CHECK_EQUAL(peer.task.status, status);
	rt_channel_close(peer.channel);
}

static void exit_of_a_peer_ends_the_channel(void)
{
	see_death(find_core(false), JOB_EXIT, DEATH_EXIT, 3);
	see_death(domain_start()->core, JOB_EXIT, DEATH_EXIT, 3);
}

static void fault_of_a_peer_ends_the_channel(void)
{
	see_death(find_core(false), JOB_FAULT, DEATH_FAULT, 14);
	see_death(domain_start()->core, JOB_FAULT, DEATH_FAULT, 14);
}

static void channel_to_an_unknown_service_is_enoent(void)
{
	struct rt_channel *c;

	CHECK_EQUAL(rt_channel_open(0, "nobody", NULL, &c), -ENOENT);
	CHECK_EQUAL(rt_channel_open(find_core(false), "nobody", NULL, &c), -ENOENT);
	CHECK_EQUAL(rt_channel_open(domain_start()->ncores, "nobody", NULL, &c), -EINVAL);
}

/* As many as a busy program has; each carries a message, none gets another's. */
static void hundreds_of_channels_are_open_at_once(void)
{
	static struct rt_channel *channels[MANY_CHANNELS];
	const u32 core = find_core(false);
	struct rt_task task;
	u32 n = 0;
	int err = many_start(core, &task);

	REQUIRE_EQUAL(err, 0);
	for (; n < MANY_CHANNELS && !err; n++)
		err = rt_channel_open(core, MANY_SERVICE, NULL, &channels[n]);
	CHECK_EQUAL(err, 0);
	for (u32 i = 0; i < n && !err; i++) {
		struct msg m;

		err = rt_channel_receive(channels[i], &m, clock_now_ns() + 20 * NS_PER_S);
		CHECK_EQUAL(err, 0);
		CHECK_EQUAL(m.word[0], i);
	}
	test_note("%u channels", n);
	while (n > 0)
		rt_channel_close(channels[--n]);
	CHECK_EQUAL(rt_task_wait(&task, clock_now_ns() + 20 * NS_PER_S), 0);
	CHECK_EQUAL(task.status, 0);
}

static void channels_give_their_memory_back(void)
{
	struct sys_words before = {.w = {MON_MEMORY}}, after = {.w = {MON_MEMORY}};
	struct rt_channel_size size = {.bulk_bytes = 256 * KiB};
	u32 core = find_core(false);

	for (u32 n = 0; n < 20; n++) {
		struct peer peer;

		if (n == 4) /* heaps and page tables have grown by now */
			sys_call(DOMAIN_SLOT_MONITOR, &before);
		REQUIRE_EQUAL(peer_start(core, &size, &peer), 0);
		CHECK_EQUAL(peer_end(&peer), 0);
	}
	rt_sleep_ns(100000000); /* the peers' monitors let go after they are gone */
	sys_call(DOMAIN_SLOT_MONITOR, &after);
	CHECK(after.w[1] + 256 * KiB > before.w[1]);
}

static const struct test tests[] = {
	TEST(messages_on_one_core_arrive_once_in_order_whole),
	TEST(messages_within_a_node_arrive_once_in_order_whole),
	TEST(messages_between_nodes_arrive_once_in_order_whole),
	TEST(no_doorbell_is_lost),
	TEST(bulk_data_arrives_in_lent_blocks),
	TEST(exit_of_a_peer_ends_the_channel),
	TEST(fault_of_a_peer_ends_the_channel),
	TEST(channel_to_an_unknown_service_is_enoent),
	TEST(hundreds_of_channels_are_open_at_once),
	TEST(channels_give_their_memory_back),
};

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "peer") == 0)
		return peer_main();
	if (argc == 2 && strcmp(argv[1], "many") == 0)
		return many_main();
	while (test_take_number(&argc, &argv, "count", &stream_count) ||
	       test_take_number(&argc, &argv, "bells", &bell_count))
		;
	return tests_run(tests, ARRAY_SIZE(tests), argc, argv);
}
