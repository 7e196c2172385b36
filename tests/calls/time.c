/* Timers, and who runs when. */
#include "calls.h"

#define BIT_A (DOMAIN_BIT_USER + 1)
#define BIT_B (DOMAIN_BIT_USER + 2)
#define MS    1000000ul

static void timer_fires_at_its_time_and_not_before(void)
{
	cap_t timer = rt_object_new(CAP_TIMER, TIMER_BYTES);
	u64 begin = clock_now_ns(), events = 0;

	REQUIRE(timer != CAP_NONE);
	REQUIRE_EQUAL(sys_timer_set(timer, BIT_A, clock_to_tsc(begin + 20 * MS)), 0);
	CHECK_EQUAL(fiber_wait_events(&rt_loop, 1ul << BIT_A, begin + NS_PER_S, &events), 0);
	CHECK(clock_now_ns() - begin >= 20 * MS);
	test_note("%lu us late", (clock_now_ns() - begin - 20 * MS) / 1000);
	slot_drop(timer);
}

static void timers_fire_in_order(void)
{
	cap_t late = rt_object_new(CAP_TIMER, TIMER_BYTES);
	cap_t early = rt_object_new(CAP_TIMER, TIMER_BYTES);
	u64 begin = clock_now_ns(), events = 0;
	u64 both = 1ul << BIT_A | 1ul << BIT_B;

	sys_timer_set(late, BIT_A, clock_to_tsc(begin + 200 * MS));
	sys_timer_set(early, BIT_B, clock_to_tsc(begin + 10 * MS));
	CHECK_EQUAL(fiber_wait_events(&rt_loop, both, FIBER_FOREVER, &events), 0);
	CHECK_EQUAL(events, 1ul << BIT_B);
	CHECK_EQUAL(fiber_wait_events(&rt_loop, both, FIBER_FOREVER, &events), 0);
	CHECK_EQUAL(events, 1ul << BIT_A);
	slot_drop(late);
	slot_drop(early);
}

static void disarmed_timer_does_not_fire(void)
{
	cap_t timer = rt_object_new(CAP_TIMER, TIMER_BYTES);
	u64 begin = clock_now_ns(), events = 0;

	sys_timer_set(timer, BIT_A, clock_to_tsc(begin + 20 * MS));
	sys_timer_set(timer, BIT_A, 0);
	CHECK_EQUAL(fiber_wait_events(&rt_loop, 1ul << BIT_A, begin + 60 * MS, &events),
		    -ETIMEDOUT);
	slot_drop(timer);
}

static void deadline_that_has_passed_fires_at_once(void)
{
	cap_t timer = rt_object_new(CAP_TIMER, TIMER_BYTES);
	u64 events = 0;

	sys_timer_set(timer, BIT_A, 1);
	CHECK_EQUAL(fiber_wait_events(&rt_loop, 1ul << BIT_A, clock_now_ns() + NS_PER_S, &events),
		    0);
	slot_drop(timer);
}

/* How far a counting victim gets while this program spins. */
static u64 counted_meanwhile(u32 priority)
{
	struct rt_frame frame;
	volatile u64 *page = rt_frame_map_new(PAGE_SIZE, &frame);
	struct rt_task task;
	u64 before, after, end;

	if (!page || victim_start("count", frame.cap, priority, &task))
		return UINT64_MAX;
	while (*page == 0)
		rt_sleep_ns(MS);
	before = *page;
	end = clock_now_ns() + 100 * MS;
	while (clock_now_ns() < end)
		__builtin_ia32_pause();
	after = *page;
	rt_task_stop(&task);
	rt_task_wait(&task, FIBER_FOREVER);
	vspace_detach(&rt_space, (void *)page, frame.bytes);
	rt_frame_put(&frame);
	return after - before;
}

static void lower_priority_runs_only_when_nobody_else_does(void)
{
	CHECK_EQUAL(counted_meanwhile(PRIORITY_DEFAULT - 1), 0);
}

static void equal_priorities_take_turns(void)
{
	u64 counted = counted_meanwhile(PRIORITY_DEFAULT);

	CHECK(counted > 0 && counted != UINT64_MAX);
}

const struct test time_tests[] = {
	TEST(timer_fires_at_its_time_and_not_before),
	TEST(timers_fire_in_order),
	TEST(disarmed_timer_does_not_fire),
	TEST(deadline_that_has_passed_fires_at_once),
	TEST(lower_priority_runs_only_when_nobody_else_does),
	TEST(equal_priorities_take_turns),
};
const u32 time_count = ARRAY_SIZE(time_tests);
