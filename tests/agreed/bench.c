/*
 * What agreement costs on this machine, by the number of cores that take part: messages that the
 * first core's monitor sends and receives, and time. Under --icount all cores together run one
 * instruction a nanosecond, so the time is also the instructions of all of them.
 */
#include "agreed.h"
#include <errno.h>
#include <stdio.h>

#define CORES_MAX 64u
#define ROUNDS    10u
#define QUIET_NS  100000000ul /* for what is still under way between monitors */

struct cost {
	u64 messages, begin_ns;
};

static void begin(struct cost *cost)
{
	rt_sleep_ns(QUIET_NS);
	cost->messages = messages();
	cost->begin_ns = clock_now_ns();
}

static void end(const struct cost *cost, const char *what, u32 cores, u32 rounds)
{
	u64 ns = (clock_now_ns() - cost->begin_ns) / rounds;
	u64 sent = (messages() - cost->messages) / rounds;

	printf("@bench name=%s_%u_cores_messages value=%lu unit=messages\n", what, cores, sent);
	printf("@bench name=%s_%u_cores_time value=%lu unit=ns\n", what, cores, ns);
}

/* Changes of an object that the first @cores cores share; those up to @have do already. */
static bool bench_change(u64 object, u32 have, u32 cores)
{
	struct cost cost;
	char arg[24];
	s64 err = 0;

	snprintf(arg, sizeof(arg), "%lu", object);
	for (u32 core = have; core < cores && !err; core++)
		err = help(core, "share", arg);
	begin(&cost);
	for (u32 n = 0; n < ROUNDS && !err; n++)
		err = rt_object_do(OBJECT_CHANGE, object, 1, n);
	end(&cost, "change", cores, ROUNDS);
	return !err;
}

/* Taking a frame from the first @cores cores, this one left out, which all write to it. */
static bool bench_revoke(u32 cores)
{
	static struct rt_task tasks[CORES_MAX];
	struct rt_frame frame;
	volatile u64 *words = rt_frame_map_new(PAGE_SIZE, &frame);
	struct cost cost;
	u64 address;
	char arg[24];
	int err = words ? rt_frame_export(&frame, &address) : -ENOMEM;

	if (err)
		return false;
	snprintf(arg, sizeof(arg), "%lu", address);
	for (u32 core = 1; core < cores && !err; core++) {
		err = help_begin(core, "touch", arg, &tasks[core]);
		while (!err && words[core] == 0)
			rt_sleep_ns(1000000);
	}
	if (!err) {
		begin(&cost);
		err = rt_frame_revoke(&frame);
		end(&cost, "unmap", cores, 1);
	}
	for (u32 core = 1; core < cores && !err; core++) {
		rt_task_stop(&tasks[core]);
		err = rt_task_wait(&tasks[core], FIBER_FOREVER);
	}
	rt_frame_put(&frame);
	return !err;
}

int bench_main(void)
{
	u32 ncores = domain_start()->ncores, have = 1;
	u64 object;
	bool good = rt_object_create(&object) == 0;

	for (u32 cores = 2; cores <= MIN(ncores, CORES_MAX) && good; cores *= 2) {
		good = bench_change(object, have, cores) && bench_revoke(cores);
		have = cores;
	}
	return !good;
}
