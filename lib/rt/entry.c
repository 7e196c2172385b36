/*
 * The beginning and the end of a native program: what _start (entry.S) calls, and exit().
 *
 * The stack that the monitor gives serves twice: the loop runs at its top, main's fiber below.
 */
#include <rt/rt.h>
#include <rt/thread.h>
#include <stdlib.h>
#include <string.h>

#define LOOP_STACK_BYTES (16 * KiB)
#define ARGS_MAX         64u

int main(int argc, char **argv);

static char *argv[ARGS_MAX + 1];
static int argc;
static struct fiber main_fiber;

_Noreturn void exit(int status)
{
	print_flush();
	channel_note_counts();
	sys_domain_exit(status);
}

/* The start page is read-only, and programs may write to their arguments: argv is a copy. */
static void copy_args(const struct domain_start *start)
{
	static char text[DOMAIN_ARGS_MAX];
	char *at = text;

	memcpy(text, start->args, start->args_bytes);
	while (argc < (int)MIN(start->argc, ARGS_MAX)) {
		argv[argc++] = at;
		at += strlen(at) + 1;
	}
}

static void run_main(void *arg)
{
	(void)arg;
	exit(main(argc, argv));
}

_Noreturn void rt_entry(void);

_Noreturn void rt_entry(void)
{
	const struct domain_start *start = domain_start();
	void *stack = (void *)(DOMAIN_STACK_TOP - DOMAIN_STACK_BYTES);

	thread_init();
	clock_init(start->tsc_hz, start->tsc_start);
	slots_init(DOMAIN_SLOT_FREE, start->slots);
	memory_init();
	loop_init();
	copy_args(start);
	if (fiber_start(&rt_loop, &main_fiber, stack, DOMAIN_STACK_BYTES - LOOP_STACK_BYTES,
			run_main, NULL, NULL))
		rt_panic("no stack for main");
	rt_panic("the loop ended: %d", fiber_loop_run(&rt_loop));
}
