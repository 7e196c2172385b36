/*
 * Cores die without warning in the middle of changes of what they agree on.
 *
 *   bin/faults [seed=N] [kills=N] [TEST...]
 *
 * This program, the witness, runs on core 0. Workers on all other cores change shared objects,
 * whose homes are on several cores, and tell it of each acknowledged change before they begin the
 * next. It stops CPU drivers at random moments, one or a few at a time, and after each such round
 * compares what the survivors hold with what was acknowledged:
 *
 *   - a live worker's last acknowledged value is there, exactly
 *   - so is a dead one's, or that of the one change it may have had under way, which, if it spans
 *     two objects, is in both or in neither
 *   - all live replicas are equal
 *
 * Workers that do not set a key of their own (a map has few) hold replicas all the same.
 */
#include "faults.h"
#include "testing.h"
#include <rt/monitor.h>
#include <stdlib.h>
#include <string.h>

#define NOTICE_BOUND_NS (60 * NS_PER_S) /* beyond that a death counts as not noticed */
#define ANSWER_BOUND_NS (60 * NS_PER_S)
#define BURST           3u /* cores that die together, at most */

struct worker {
	struct rt_task task;
	struct rt_channel *channel;
	bool dead; /* by our hand */
	bool writes;
	u32 key;
	u64 told;                  /* the last change it has told of */
	u64 acknowledged[OBJECTS]; /* the last of those for each object */
	u64 answer;
	bool answered;
};

static struct worker *workers; /* by core; 0 is not used */
static u32 ncores;
static u64 objects[OBJECTS];
static u64 seed = 1, kills = 6;
static struct fiber_queue news;

/* What went wrong, by kind. */
static struct {
	u32 unanswered, refused, lost, torn, unequal, unnoticed, undead;
	u64 slowest_ms, changes, killed;
} found;

/* ---- hearing workers ---- */

static void acknowledged(struct worker *w, u64 n, s64 result)
{
	u32 mask = faults_objects(n);

	found.changes++;
	found.refused += result != 0;
	w->told = n;
	for (u32 o = 0; o < OBJECTS; o++)
		if (mask >> o & 1)
			w->acknowledged[o] = n;
}

static void listen_to(void *arg)
{
	struct worker *w = arg;
	struct msg m;

	while (rt_channel_receive(w->channel, &m, FIBER_FOREVER) == 0) {
		if (m.type == FAULTS_ACKNOWLEDGED) {
			acknowledged(w, m.word[0], (s64)m.word[1]);
			continue;
		}
		w->answer = m.word[0];
		w->answered = true;
		fiber_wake_all(&news);
	}
}

static void say(struct worker *w, u16 type, const void *data, size_t bytes)
{
	w->answered = false;
	rt_channel_send(w->channel, type, data, bytes, clock_now_ns() + ANSWER_BOUND_NS);
}

static void say_to_all(u16 type, const void *data, size_t bytes)
{
	for (u32 core = 1; core < ncores; core++)
		if (!workers[core].dead)
			say(&workers[core], type, data, bytes);
}

/* Whether @w, if it lives, has answered in time. */
static bool hear(struct worker *w)
{
	u64 until = clock_now_ns() + ANSWER_BOUND_NS;

	while (!w->dead && !w->answered)
		if (fiber_wait(&rt_loop, &news, until))
			return false;
	return true;
}

static bool hear_all(void)
{
	bool all = true;

	for (u32 core = 1; core < ncores; core++) {
		if (!hear(&workers[core])) {
			printf("core %u does not answer\n", core);
			all = false;
		}
	}
	return all;
}

/* ---- beginning ---- */

/* One after the other: a listener's backlog is short. */
static bool start_worker(u32 core, struct rt_listener *service)
{
	static const char *const argv[] = {"bin/faults", "worker"};
	struct rt_spawn spawn = {.core = core, .argc = 2, .argv = argv};
	u64 until = clock_now_ns() + ANSWER_BOUND_NS;
	struct worker *w = &workers[core];
	struct msg m;

	return rt_spawn(&spawn, &w->task) == 0 && rt_accept(service, until, &w->channel) == 0 &&
	       rt_channel_receive(w->channel, &m, until) == 0 && m.word[0] == core &&
	       rt_fiber_start(listen_to, w) == 0;
}

static bool start_workers(struct rt_listener *service)
{
	for (u32 core = 1; core < ncores; core++)
		if (!start_worker(core, service))
			return false;
	return true;
}

/* One object of each of several cores; identifiers ascend with the cores. */
static bool make_objects(void)
{
	for (u32 o = 0; o < OBJECTS; o++) {
		struct worker *w = &workers[1 + o * (ncores - 1) / OBJECTS];

		say(w, FAULTS_CREATE, NULL, 0);
		if (!hear(w) || !w->answer)
			return false;
		objects[o] = w->answer;
	}
	for (u32 o = 0; o < OBJECTS; o++)
		if (rt_object_do(OBJECT_SHARE, objects[o], 0, 0))
			return false;
	say_to_all(FAULTS_SHARE, objects, sizeof(objects));
	if (!hear_all())
		return false;
	for (u32 core = 1; core < ncores; core++)
		if (workers[core].answer)
			return false;
	return true;
}

static bool begin(void)
{
	static struct rt_listener service;
	u32 step;

	ncores = domain_start()->ncores;
	workers = calloc(ncores, sizeof(*workers));
	step = (ncores + MAP_SLOTS - 1) / MAP_SLOTS;
	for (u32 core = 1; workers && core < ncores; core++) {
		workers[core].writes = core % step == 0;
		workers[core].key = core / step;
	}
	return workers && ncores > OBJECTS && rt_listen(FAULTS_SERVICE, &service) == 0 &&
	       start_workers(&service) && make_objects();
}

/* ---- one round ---- */

static u32 live_workers(void)
{
	u32 n = 0;

	for (u32 core = 1; core < ncores; core++)
		n += !workers[core].dead;
	return n;
}

static void kill_one(void)
{
	u32 core;

	do
		core = 1 + (u32)(test_random(&seed) % (ncores - 1));
	while (workers[core].dead);
	printf("core %u is stopped after %lu changes\n", core, found.changes);
	workers[core].dead = true;
	found.killed++;
	if (monitor_ask_simple(MON_HALT_CORE, core, HALT_SILENT, 0, 0))
		found.undead++;
}

/* Until the cores agree on all the dead, or too long. */
static void await_notice(void)
{
	u64 begin = clock_now_ns();

	for (u32 core = 1; core < ncores; core++) {
		while (workers[core].dead && rt_core_lives(core)) {
			if (clock_now_ns() - begin > NOTICE_BOUND_NS) {
				found.unnoticed++;
				return;
			}
			rt_sleep_ns(10000000);
		}
	}
	found.slowest_ms = MAX(found.slowest_ms, (clock_now_ns() - begin) / 1000000);
}

/* What @w wrote, in this core's replicas. */
static void check_worker(const struct worker *w)
{
	u64 next = w->told + 1; /* it may have begun this one */
	u32 mask = 0;

	for (u32 o = 0; o < OBJECTS; o++) {
		u64 value;

		if (rt_object_read(objects[o], w->key, &value))
			found.lost++;
		else if (w->dead && value == next)
			mask |= 1u << o;
		else if (value != w->acknowledged[o])
			found.lost++;
	}
	if (mask && mask != faults_objects(next))
		found.torn++;
}

/* Changes that the dead had under way may take a moment to be finished or dropped. */
static bool replicas_become_equal(void)
{
	u64 until = clock_now_ns() + ANSWER_BOUND_NS;
	u32 unequal;

	do {
		u64 sum;

		rt_sleep_ns(20000000);
		say_to_all(FAULTS_READ, NULL, 0);
		if (!hear_all())
			return false;
		sum = faults_sum(objects);
		unequal = 0;
		for (u32 core = 1; core < ncores; core++)
			unequal += !workers[core].dead && workers[core].answer != sum;
	} while (unequal && clock_now_ns() < until);
	return !unequal;
}

static void play_round(u32 burst)
{
	for (u32 core = 1; core < ncores; core++) {
		u64 key = workers[core].key;

		if (!workers[core].dead && workers[core].writes)
			say(&workers[core], FAULTS_RUN, &key, sizeof(key));
	}
	for (u32 n = 0; n < burst; n++) {
		rt_sleep_ns(test_random(&seed) % 300000000);
		kill_one();
	}
	await_notice();
	rt_sleep_ns(50000000); /* those who live go on */
	say_to_all(FAULTS_STOP, NULL, 0);
	if (!hear_all())
		found.unanswered++;
	if (!replicas_become_equal())
		found.unequal++;
	for (u32 core = 1; core < ncores; core++)
		if (workers[core].writes)
			check_worker(&workers[core]);
}

static void play(void)
{
	while (kills && live_workers() > 2 && !found.unanswered) {
		u32 burst = (u32)MIN(1 + test_random(&seed) % BURST, kills);

		burst = MIN(burst, live_workers() - 2);
		kills -= burst;
		play_round(burst);
	}
	play_round(0); /* without a death: all that are left can change what they share */
	printf("@faults kills=%lu changes=%lu slowest_ms=%lu lost=%u torn=%u\n", found.killed,
	       found.changes, found.slowest_ms, found.lost, found.torn);
}

/* ---- the verdict ---- */

static void dead_cores_are_noticed(void)
{
	test_note("%lu cores, the slowest in %lu ms", found.killed, found.slowest_ms);
	CHECK(found.killed > 0);
	CHECK_EQUAL(found.undead, 0);
	CHECK_EQUAL(found.unnoticed, 0);
	for (u32 core = 1; core < ncores; core++)
		CHECK_EQUAL(rt_core_lives(core), !workers[core].dead);
}

static void survivors_go_on(void)
{
	test_note("%lu changes", found.changes);
	CHECK(found.changes > 0);
	CHECK_EQUAL(found.unanswered, 0);
	CHECK_EQUAL(found.refused, 0);
}

static void nothing_acknowledged_is_lost(void)
{
	CHECK_EQUAL(found.lost, 0);
}

static void transactions_are_whole_or_absent(void)
{
	CHECK_EQUAL(found.torn, 0);
}

static void live_replicas_are_equal(void)
{
	CHECK_EQUAL(found.unequal, 0);
}

static const struct test tests[] = {
	TEST(dead_cores_are_noticed),           TEST(survivors_go_on),
	TEST(nothing_acknowledged_is_lost),     TEST(live_replicas_are_equal),
	TEST(transactions_are_whole_or_absent),
};

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "worker") == 0)
		return worker_main();
	while (test_take_number(&argc, &argv, "seed", &seed) ||
	       test_take_number(&argc, &argv, "kills", &kills))
		;
	seed |= 1ul << 32; /* never 0, and different from the start */
	if (!begin()) {
		printf("the workers cannot be started\n");
		return 1;
	}
	play();
	return tests_run(tests, ARRAY_SIZE(tests), argc, argv);
}
