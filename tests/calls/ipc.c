/* Local calls: this program serves, victims call; and the other way round for the server's death.
 */
#include "calls.h"

/* What the server saw, and what it shall do. */
static struct {
	struct rt_call last;
	u32 calls;
	bool save;
	cap_t saved[2];
	u32 nsaved;
	cap_t received; /* a capability that came along */
	cap_t answer;   /* one to send back */
} seen;

static void serve(struct rt_call *call, void *arg)
{
	(void)arg;
	seen.last = *call;
	seen.calls++;
	if (seen.save) {
		rt_call_save(call, &seen.saved[seen.nsaved++]);
		return;
	}
	for (u32 i = 0; i < 5; i++)
		call->words.w[i] *= 3;
	seen.received = call->cap;
	call->cap = CAP_NONE;
	call->send = seen.answer;
}

/* Wait until @*number is at least @least, but not for ever. */
static bool wait_for(const volatile u32 *number, u32 least)
{
	u64 end = clock_now_ns() + 10 * NS_PER_S;

	while (*number < least && clock_now_ns() < end)
		rt_sleep_ns(1000000);
	return *number >= least;
}

static void begin(void)
{
	memset(&seen, 0, sizeof(seen));
	CHECK_EQUAL(rt_serve(serve, NULL), 0);
}

static void local_call_carries_words_both_ways(void)
{
	cap_t endpoint = rt_endpoint_new(0xbad9e);
	struct rt_task task;

	begin();
	REQUIRE_EQUAL(victim_run("call-with-words", endpoint, &task), 0);
	CHECK_EQUAL(task.death, DEATH_EXIT);
	CHECK_EQUAL(task.status, 0);
	CHECK_EQUAL(seen.calls, 1);
	CHECK_EQUAL(seen.last.badge, 0xbad9e);
	for (u64 i = 0; i < 5; i++)
		CHECK_EQUAL(seen.last.words.w[i], i + 1);
	slot_drop(endpoint);
}

static void local_call_carries_capabilities_both_ways(void)
{
	cap_t endpoint = rt_endpoint_new(1);
	struct rt_frame frame;
	volatile u64 *page = rt_frame_map_new(PAGE_SIZE, &frame);
	struct rt_task task;

	REQUIRE(page);
	*page = 0xdef;
	begin();
	seen.answer = frame.cap;
	REQUIRE_EQUAL(victim_start("call-with-cap", endpoint, 0, &task), 0);
	REQUIRE(wait_for(&seen.calls, 1));
	/* It is gone when its giver is, so look at once. */
	CHECK(seen.received != CAP_NONE);
	CHECK_EQUAL(rt_task_wait(&task, clock_now_ns() + 20 * NS_PER_S), 0);
	CHECK_EQUAL(task.death, DEATH_EXIT);
	CHECK_EQUAL(task.status, 0);
	slot_drop(endpoint);
}

static void saved_callers_are_answered_in_any_order(void)
{
	cap_t endpoint = rt_endpoint_new(1);
	struct rt_task first, second;

	begin();
	seen.save = true;
	REQUIRE_EQUAL(victim_start("call-once", endpoint, 0, &first), 0);
	REQUIRE_EQUAL(victim_start("call-once", endpoint, 0, &second), 0);
	REQUIRE(wait_for(&seen.nsaved, 2));
	CHECK_EQUAL(sys_reply_to(seen.saved[1], &(struct sys_words){.w = {22}}), 0);
	CHECK_EQUAL(sys_reply_to(seen.saved[0], &(struct sys_words){.w = {11}}), 0);
	CHECK_EQUAL(sys_reply_to(seen.saved[0], &(struct sys_words){0}), -EBADF);
	CHECK_EQUAL(rt_task_wait(&first, FIBER_FOREVER), 0);
	CHECK_EQUAL(rt_task_wait(&second, FIBER_FOREVER), 0);
	CHECK_EQUAL(first.status + second.status, 33);
	slot_put(seen.saved[0]);
	slot_put(seen.saved[1]);
	slot_drop(endpoint);
}

static void answer_to_a_dead_caller_is_epipe(void)
{
	cap_t endpoint = rt_endpoint_new(1);
	struct rt_task task;

	begin();
	seen.save = true;
	REQUIRE_EQUAL(victim_start("call-once", endpoint, 0, &task), 0);
	REQUIRE(wait_for(&seen.nsaved, 1));
	rt_task_stop(&task);
	CHECK_EQUAL(rt_task_wait(&task, FIBER_FOREVER), 0);
	CHECK_EQUAL(task.death, DEATH_STOP);
	CHECK_EQUAL(sys_reply_to(seen.saved[0], &(struct sys_words){0}), -EPIPE);
	slot_put(seen.saved[0]);
	slot_drop(endpoint);
}

static void dropped_reply_is_epipe_to_the_caller(void)
{
	cap_t endpoint = rt_endpoint_new(1);
	struct rt_task task;

	begin();
	seen.save = true;
	REQUIRE_EQUAL(victim_start("call-once", endpoint, 0, &task), 0);
	REQUIRE(wait_for(&seen.nsaved, 1));
	slot_drop(seen.saved[0]);
	CHECK_EQUAL(rt_task_wait(&task, FIBER_FOREVER), 0);
	CHECK_EQUAL(task.death, DEATH_EXIT);
	CHECK_EQUAL(task.status, 1); /* its call failed */
	slot_drop(endpoint);
}

static void death_of_the_server_is_epipe(void)
{
	cap_t endpoint = rt_endpoint_new(1);
	struct sys_words words = {0};
	struct rt_task task;

	begin();
	REQUIRE_EQUAL(victim_start("serve-and-die", endpoint, 0, &task), 0);
	REQUIRE(wait_for(&seen.received, 1));
	CHECK_EQUAL(sys_call(seen.received, &words), -EPIPE); /* it dies while it serves */
	CHECK_EQUAL(rt_task_wait(&task, FIBER_FOREVER), 0);
	CHECK_EQUAL(task.status, 7);
	CHECK_EQUAL(sys_call(seen.received, &words), -EBADF); /* revoked with its memory */
	slot_put(seen.received);
	slot_drop(endpoint);
}

const struct test ipc_tests[] = {
	TEST(local_call_carries_words_both_ways),
	TEST(local_call_carries_capabilities_both_ways),
	TEST(saved_callers_are_answered_in_any_order),
	TEST(answer_to_a_dead_caller_is_epipe),
	TEST(dropped_reply_is_epipe_to_the_caller),
	TEST(death_of_the_server_is_epipe),
};
const u32 ipc_count = ARRAY_SIZE(ipc_tests);
