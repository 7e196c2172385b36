/* See world.h. */
#include <stdlib.h>

#include "world.h"

#define STACK_BYTES (128 * KiB)
#define SETTLED     64 /* turns */

struct shard_loopback *world;
struct fiber_loop world_loop;

static u64 clock_ns;

static u64 now_ns(void *arg)
{
	(void)arg;
	return clock_ns++;
}

static u64 wait_events(void *arg, u64 mask, u64 deadline_ns)
{
	(void)arg;
	(void)mask;
	if (deadline_ns != FIBER_FOREVER && deadline_ns > clock_ns)
		clock_ns = deadline_ns;
	return 0;
}

static const struct fiber_io io = {.now_ns = now_ns, .wait_events = wait_events};

struct started {
	struct fiber fiber;
	_Alignas(16) u8 stack[STACK_BYTES];
};

static void ended(struct fiber *fiber)
{
	free(container_of(fiber, struct started, fiber));
}

void world_start(void (*entry)(void *arg), void *arg)
{
	struct started *s = malloc(sizeof(*s));

	REQUIRE(s != NULL);
	CHECK_EQUAL(fiber_start(&world_loop, &s->fiber, s->stack, STACK_BYTES, entry, arg, ended),
		    0);
}

static void run_test(void *arg)
{
	void (**test)(void) = arg;

	(*test)();
	world_settle();
	shard_loopback_free(world);
}

void world_run(u32 cores, void (*test)(void))
{
	fiber_loop_init(&world_loop, &io, NULL);
	world = shard_loopback_new(&world_loop, cores);
	REQUIRE(world != NULL);
	world_start(run_test, &test);
	CHECK_EQUAL(fiber_loop_run(&world_loop), 0);
}

void world_settle(void)
{
	for (u32 i = 0; i < SETTLED; i++)
		fiber_yield(&world_loop);
}

struct shard_net *net_of(u32 core)
{
	return shard_loopback_net(world, core);
}
