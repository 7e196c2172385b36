/*
 * Faults that are made on purpose: a core whose CPU driver stops, with a report or without, leaves
 * the others working. Needs four cores and "faults=1" on the command line.
 */
#include "testing.h"
#include <rt/rt.h>

#define ANSWER_NS (10 * NS_PER_S) /* an emulated core may be slow */
#define SILENT_NS (2 * NS_PER_S)

/* Whether a program can be started on @core and ends well. */
static bool answers(u32 core)
{
	static const char *const argv[] = {"bin/hello"};
	struct rt_spawn spawn = {.core = core, .argc = 1, .argv = argv};
	struct rt_task task;

	return rt_spawn(&spawn, &task) == 0 &&
	       rt_task_wait(&task, clock_now_ns() + ANSWER_NS) == 0 && task.death == DEATH_EXIT &&
	       task.status == 0;
}

/* A fiber for asking a core that will not answer: it stays behind. */
struct question {
	u32 core;
	bool asked, answered;
};

static void ask(void *arg)
{
	struct question *q = arg;

	q->asked = true;
	q->answered = answers(q->core);
}

static s64 halt(u32 core, u32 how)
{
	struct sys_words words = {.w = {MON_HALT_CORE, core, how}};
	s64 err = sys_call(DOMAIN_SLOT_MONITOR, &words);

	return err ? err : (s64)words.w[0];
}

static void stops_alone(u32 core, u32 how, struct question *q)
{
	CHECK(answers(core));
	CHECK_EQUAL(halt(core, how), 0);
	q->core = core;
	CHECK_EQUAL(rt_fiber_start(ask, q), 0);
	rt_sleep_ns(SILENT_NS);
	CHECK(q->asked);
	CHECK(!q->answered);
}

static void panic_of_a_core_stops_that_core_alone(void)
{
	static struct question q;

	stops_alone(2, HALT_PANIC, &q);
	CHECK(answers(0));
	CHECK(answers(1));
	CHECK(answers(3));
}

static void core_that_falls_silent_stops_alone(void)
{
	static struct question q;

	stops_alone(3, HALT_SILENT, &q);
	CHECK(answers(0));
	CHECK(answers(1));
}

static void halting_a_core_that_does_not_exist_is_einval(void)
{
	CHECK_EQUAL(halt(domain_start()->ncores, HALT_SILENT), -EINVAL);
	CHECK_EQUAL(halt(1, HALT_PANIC + 1), -EINVAL);
	CHECK(answers(1));
}

static const struct test tests[] = {
	TEST(halting_a_core_that_does_not_exist_is_einval),
	TEST(panic_of_a_core_stops_that_core_alone),
	TEST(core_that_falls_silent_stops_alone),
};

int main(int argc, char **argv)
{
	return tests_run(tests, ARRAY_SIZE(tests), argc, argv);
}
