/* See calls.h. */
#include "calls.h"

int victim_start(const char *what, cap_t gift, u32 priority, struct rt_task *task)
{
	const char *argv[] = {"bin/calls", "victim", what};
	struct rt_spawn spawn = {
		.core = domain_start()->core,
		.priority = priority,
		.gift = gift,
		.argc = 3,
		.argv = argv,
	};

	return rt_spawn(&spawn, task);
}

int victim_run(const char *what, cap_t gift, struct rt_task *task)
{
	int err = victim_start(what, gift, 0, task);

	return err ? err : rt_task_wait(task, clock_now_ns() + 20 * NS_PER_S);
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc >= 3 && strcmp(argv[1], "victim") == 0)
		return victim_main(argc - 2, argv + 2);
	failed += tests_run(bad_tests, bad_count, argc, argv);
	failed += tests_run(cap_tests, cap_count, argc, argv);
	failed += tests_run(memory_tests, memory_count, argc, argv);
	failed += tests_run(ipc_tests, ipc_count, argc, argv);
	failed += tests_run(time_tests, time_count, argc, argv);
	failed += tests_run(context_tests, context_count, argc, argv);
	return failed;
}
