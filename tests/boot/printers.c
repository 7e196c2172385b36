/*
 * Programs on all cores that print at the same time: each line must arrive, and whole.
 *
 *   bin/printers           starts one on every core and waits for them
 *   bin/printers print     prints LINES lines `@line core=C number=N text=... end`
 */
#include <rt/rt.h>
#include <stdlib.h>
#include <string.h>

#define LINES    200u
#define TEXT_MAX 800u

static int print_lines(void)
{
	static char text[TEXT_MAX + 1];

	for (u32 n = 0; n < LINES; n++) {
		u32 bytes = n * 37 % TEXT_MAX;

		memset(text, 'a' + (int)(domain_start()->core % 26), bytes);
		text[bytes] = 0;
		printf("@line core=%u number=%u text=%s end\n", domain_start()->core, n, text);
	}
	return 0;
}

static int start_printers(void)
{
	static const char *const args[] = {"bin/printers", "print"};
	u32 cores = domain_start()->ncores;
	struct rt_task *tasks = calloc(cores, sizeof(*tasks));
	int failed = 0;

	if (!tasks)
		return 1;
	for (u32 core = 0; core < cores; core++) {
		struct rt_spawn spawn = {.core = core, .argc = 2, .argv = args};

		failed += rt_spawn(&spawn, &tasks[core]) != 0;
	}
	for (u32 core = 0; core < cores && !failed; core++) {
		rt_task_wait(&tasks[core], FIBER_FOREVER);
		failed += tasks[core].death != DEATH_EXIT || tasks[core].status != 0;
	}
	free(tasks);
	return failed;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "print") == 0)
		return print_lines();
	return start_printers();
}
