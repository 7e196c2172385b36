/*
 * Tests of what programs of several cores agree on: names, and what it costs in messages.
 *
 *   bin/agreed [TEST...]
 *   bin/agreed bench
 *
 * Messages are those that this core's monitor has sent to and received from other cores, as it
 * counts them. A second instance of this program ("helper COMMAND") runs on another core.
 */
#include "agreed.h"
#include "testing.h"
#include <rt/monitor.h>
#include <rt/rt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME       "test/service"
#define OTHER_CORE 1u
#define QUIET_NS   200000000ul /* for what is still under way between monitors */

/* Lines on the wire, each MSG_PAYLOAD bytes of payload. */
#define CHANGE_LINES 2u /* a change of one key: msg_agree_change, the set of cores, map_op */
#define ACK_LINES    1u

u64 messages(void)
{
	u64 total = 0;

	for (u64 line = 0;; line++) {
		struct sys_words words = {.w = {0, line}};

		if (monitor_ask(MON_COUNTS, &words, CAP_NONE) < 0)
			return total;
		total += words.w[2] + words.w[3];
	}
}

int help_begin(u32 core, const char *command, const char *arg, struct rt_task *task)
{
	const char *argv[] = {"bin/agreed", "helper", command, arg};
	struct rt_spawn spawn = {.core = core, .argc = 4, .argv = argv};

	return rt_spawn(&spawn, task);
}

s64 help(u32 core, const char *command, const char *arg)
{
	struct rt_task task;
	int err = help_begin(core, command, arg, &task);

	if (!err)
		err = rt_task_wait(&task, clock_now_ns() + 60 * NS_PER_S);
	return err ? err : task.status;
}

/* ---- names ---- */

static void a_name_is_found_from_every_core(void)
{
	REQUIRE_EQUAL(rt_name_register(NAME, 5, 6), 0);
	for (u32 core = 0; core < domain_start()->ncores; core++)
		CHECK_EQUAL(help(core, "find", NAME), 0);
	CHECK_EQUAL(rt_name_unregister(NAME), 0);
}

static void a_name_of_another_core_is_found_here(void)
{
	struct rt_task task;
	struct rt_name name;
	int err;

	REQUIRE_EQUAL(help_begin(OTHER_CORE, "keep", NAME, &task), 0);
	do {
		rt_sleep_ns(1000000);
		err = rt_name_lookup(NAME, &name);
	} while (err == -ENOENT);
	CHECK_EQUAL(err, 0);
	CHECK_EQUAL(name.core, OTHER_CORE);
	CHECK_EQUAL(name.word[0], 5);
	CHECK_EQUAL(rt_name_register(NAME, 1, 1), -EEXIST);
	CHECK_EQUAL(rt_name_unregister(NAME), -ENOENT);
	rt_task_stop(&task);
	CHECK_EQUAL(rt_task_wait(&task, FIBER_FOREVER), 0);
}

static void a_name_goes_with_its_program(void)
{
	struct rt_name name;
	u64 until = clock_now_ns() + 20 * NS_PER_S;
	int err;

	CHECK_EQUAL(help(OTHER_CORE, "register", NAME), 0);
	do {
		rt_sleep_ns(1000000);
		err = rt_name_lookup(NAME, &name);
	} while (!err && clock_now_ns() < until);
	CHECK_EQUAL(err, -ENOENT);
}

static void lookup_of_a_known_name_sends_no_message(void)
{
	struct rt_name name;
	u64 before;

	REQUIRE_EQUAL(rt_name_register(NAME, 1, 2), 0);
	rt_sleep_ns(QUIET_NS);
	before = messages();
	for (u32 n = 0; n < 100; n++)
		CHECK_EQUAL(rt_name_lookup(NAME, &name), 0);
	CHECK_EQUAL(rt_name_lookup("test/nobody", &name), -ENOENT);
	CHECK_EQUAL(messages() - before, 0);
	CHECK_EQUAL(name.core, domain_start()->core);
	CHECK_EQUAL(rt_name_unregister(NAME), 0);
}

static void bad_names_are_refused(void)
{
	char longest[NAME_BYTES_MAX + 1];
	struct rt_name name;

	memset(longest, 'x', sizeof(longest));
	longest[NAME_BYTES_MAX] = 0;
	CHECK_EQUAL(rt_name_register("", 0, 0), -EINVAL);
	CHECK_EQUAL(rt_name_register(longest, 0, 0), -EINVAL);
	CHECK_EQUAL(rt_name_lookup(longest, &name), -EINVAL);
	CHECK_EQUAL(monitor_ask_simple(MON_LIVE, domain_start()->ncores, 0, 0, 0), -EINVAL);
}

/* ---- what changes cost ---- */

static void an_exclusive_object_costs_no_message(void)
{
	u64 object, before, value;

	rt_sleep_ns(QUIET_NS);
	before = messages();
	for (u32 n = 0; n < 100; n++) {
		REQUIRE_EQUAL(rt_object_create(&object), 0);
		CHECK_EQUAL(rt_object_do(OBJECT_CHANGE, object, 1, n), 0);
		CHECK_EQUAL(rt_object_read(object, 1, &value), 0);
		CHECK_EQUAL(value, n);
		CHECK_EQUAL(rt_object_do(OBJECT_DESTROY, object, 0, 0), 0);
	}
	CHECK_EQUAL(messages() - before, 0);
}

/* The home of an object that @cores others share sends each change to each and hears from each. */
static void a_shared_change_costs_one_message_and_answer_a_replica(void)
{
	u32 others = domain_start()->ncores - 1;
	char arg[24];
	u64 object, before;

	REQUIRE_EQUAL(rt_object_create(&object), 0);
	snprintf(arg, sizeof(arg), "%lu", object);
	for (u32 core = 1; core <= others; core++)
		CHECK_EQUAL(help(core, "share", arg), 0);
	rt_sleep_ns(QUIET_NS);
	before = messages();
	for (u32 n = 0; n < 10; n++)
		CHECK_EQUAL(rt_object_do(OBJECT_CHANGE, object, 1, n), 0);
	CHECK_EQUAL(messages() - before, 10ul * others * (CHANGE_LINES + ACK_LINES));
	CHECK_EQUAL(rt_object_do(OBJECT_DESTROY, object, 0, 0), 0);
}

/* ---- memory ---- */

#define FRAME_BYTES (1 * MiB)
#define FRAMES      256u

static struct rt_frame frames[FRAMES];

/* Fill and check a frame; false if it does not hold what is written. */
static bool holds(struct rt_frame *frame, u64 seed)
{
	u64 *at = vspace_attach(&rt_space, frame->cap, 0, FRAME_BYTES, MAP_READ | MAP_WRITE);
	bool good = at != NULL;

	for (u64 i = 0; at && i < FRAME_BYTES / sizeof(u64); i += 64)
		at[i] = seed + i;
	for (u64 i = 0; at && i < FRAME_BYTES / sizeof(u64); i += 64)
		good = good && at[i] == seed + i;
	if (at)
		vspace_detach(&rt_space, at, FRAME_BYTES);
	return good;
}

/* Take frames until no core has any to spare; returns how many. */
static u32 take_all(void)
{
	u32 n = 0;

	while (n < FRAMES) {
		if (rt_frame_new(FRAME_BYTES, &frames[n]) == 0)
			n++;
		else if (rt_memory_borrow(FRAME_BYTES))
			break;
	}
	return n;
}

static u64 free_here(void)
{
	struct sys_words words = {.w = {MON_MEMORY}};

	sys_call(DOMAIN_SLOT_MONITOR, &words);
	return words.w[1];
}

static void memory_is_borrowed_when_a_core_has_none_left(void)
{
	u64 own = free_here();
	u32 first = take_all(), again;

	test_note("%u MiB, of which %lu its own", first, own / MiB);
	CHECK(first < FRAMES); /* then it ends with -ENOMEM, and nothing dies of that */
	CHECK(first > own / FRAME_BYTES + 4);
	for (u32 n = 0; n < first; n++)
		CHECK(holds(&frames[n], n));
	for (u32 n = 0; n < first; n++)
		rt_frame_put(&frames[n]);
	rt_sleep_ns(QUIET_NS);
	CHECK_EQUAL(free_here() / (4 * MiB), own / (4 * MiB));
	again = take_all();
	CHECK_EQUAL(again, first);
	for (u32 n = 0; n < again; n++)
		rt_frame_put(&frames[n]);
}

/*
 * Every other core writes to a frame of this one without end. Once the frame is revoked none does:
 * their next access is a page fault.
 */
static void a_revoked_frame_is_unmapped_on_every_core(void)
{
	u32 ncores = domain_start()->ncores;
	struct rt_task tasks[8];
	struct rt_frame frame;
	u64 seen[8], address;
	volatile u64 *words = rt_frame_map_new(PAGE_SIZE, &frame);
	char arg[24];

	REQUIRE(words != NULL && ncores <= 8);
	REQUIRE_EQUAL(rt_frame_export(&frame, &address), 0);
	snprintf(arg, sizeof(arg), "%lu", address);
	for (u32 core = 1; core < ncores; core++) {
		REQUIRE_EQUAL(help_begin(core, "scribble", arg, &tasks[core]), 0);
		while (words[core] == 0)
			rt_sleep_ns(1000000);
	}
	CHECK_EQUAL(monitor_ask_simple(MON_FREE, frame.handle, 0, 0, 0), -EBUSY);
	CHECK_EQUAL(rt_frame_revoke(&frame), 0);
	for (u32 core = 1; core < ncores; core++)
		seen[core] = words[core];
	rt_sleep_ns(QUIET_NS);
	for (u32 core = 1; core < ncores; core++) {
		CHECK_EQUAL(words[core], seen[core]);
		REQUIRE_EQUAL(rt_task_wait(&tasks[core], clock_now_ns() + 20 * NS_PER_S), 0);
		CHECK_EQUAL(tasks[core].death, DEATH_FAULT);
		CHECK_EQUAL(tasks[core].status, 14);
	}
	CHECK_EQUAL(help(OTHER_CORE, "import", arg), EPERM);
	rt_frame_put(&frame);
}

static void a_frame_that_is_not_exported_is_eperm(void)
{
	char arg[24];
	struct rt_frame frame;
	struct cap_info info;

	REQUIRE_EQUAL(rt_frame_new(PAGE_SIZE, &frame), 0);
	REQUIRE_EQUAL(sys_cap_info(frame.cap, &info), 0);
	snprintf(arg, sizeof(arg), "%lu", info.base);
	CHECK_EQUAL(help(OTHER_CORE, "import", arg), EPERM);
	rt_frame_put(&frame);
}

static void more_memory_than_any_core_has_is_enomem(void)
{
	CHECK_EQUAL(rt_memory_borrow(1ul << 40), -ENOMEM);
	CHECK_EQUAL(rt_memory_borrow(0), -EINVAL);
}

/* ---- the helper ---- */

/* Count in a word of a frame of core 0, until it is taken away; or @once, and keep it mapped. */
static int scribble(u64 address, bool once)
{
	volatile u64 *words;
	cap_t frame;
	int err = rt_frame_import(0, address, PAGE_SIZE, &frame);

	if (err)
		return err;
	words = vspace_attach(&rt_space, frame, 0, PAGE_SIZE, MAP_READ | MAP_WRITE);
	if (!words)
		return -ENOMEM;
	do
		words[domain_start()->core]++;
	while (!once);
	rt_sleep_forever();
}

static int helper(const char *command, const char *arg)
{
	struct rt_name name;
	int err = -EINVAL;

	if (strcmp(command, "find") == 0) {
		err = rt_name_lookup(arg, &name);
		if (!err && (name.core != 0 || name.word[0] != 5 || name.word[1] != 6))
			err = -EBADMSG;
	} else if (strcmp(command, "register") == 0) {
		err = rt_name_register(arg, 5, 6);
	} else if (strcmp(command, "keep") == 0) {
		err = rt_name_register(arg, 5, 6);
		if (!err)
			rt_sleep_forever();
	} else if (strcmp(command, "share") == 0) {
		err = (int)rt_object_do(OBJECT_SHARE, strtoul(arg, NULL, 10), 0, 0);
	} else if (strcmp(command, "scribble") == 0) {
		err = scribble(strtoul(arg, NULL, 10), false);
	} else if (strcmp(command, "touch") == 0) {
		err = scribble(strtoul(arg, NULL, 10), true);
	} else if (strcmp(command, "import") == 0) {
		cap_t frame;

		err = rt_frame_import(0, strtoul(arg, NULL, 10), PAGE_SIZE, &frame);
	}
	return -err;
}

static const struct test tests[] = {
	TEST(a_name_is_found_from_every_core),
	TEST(a_name_of_another_core_is_found_here),
	TEST(a_name_goes_with_its_program),
	TEST(lookup_of_a_known_name_sends_no_message),
	TEST(bad_names_are_refused),
	TEST(an_exclusive_object_costs_no_message),
	TEST(a_shared_change_costs_one_message_and_answer_a_replica),
	TEST(memory_is_borrowed_when_a_core_has_none_left),
	TEST(a_revoked_frame_is_unmapped_on_every_core),
	TEST(a_frame_that_is_not_exported_is_eperm),
	TEST(more_memory_than_any_core_has_is_enomem),
};

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "helper") == 0)
		return helper(argv[2], argv[3]);
	if (argc == 2 && strcmp(argv[1], "bench") == 0)
		return bench_main();
	return tests_run(tests, ARRAY_SIZE(tests), argc, argv);
}
