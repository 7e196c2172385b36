/*
 * The native console: what runs when there is no Linux world to boot, or native=1 says so.
 *
 * It reads commands from the serial console and starts native programs on any core. What it knows
 * of the system it asks like any other program.
 */
#include "line.h"
#include <errno.h>
#include <rt/monitor.h>
#include <rt/rt.h>
#include <skerry/msg/console.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 32

static struct rt_channel *console;

struct command {
	const char *name;
	const char *arguments;
	const char *what;
	void (*run)(int argc, char **argv);
};

/* Text that need not be a whole line: what is typed, and the prompt. */
static void show(const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		struct msg_text chunk = {.bytes = (u8)MIN(left, CONSOLE_CHUNK)};

		memcpy(chunk.text, text, chunk.bytes);
		if (rt_channel_send(console, CONSOLE_RAW, &chunk, sizeof(chunk), FIBER_FOREVER))
			return;
		text += chunk.bytes;
		left -= chunk.bytes;
	}
}

/* A number between 0 and @below - 1; complains and returns false otherwise. */
static bool parse_number(const char *text, u32 below, const char *what, u32 *value)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (end == text || *end || v >= below) {
		printf("%s: expected a number below %u, not \"%s\"\n", what, below, text);
		return false;
	}
	*value = (u32)v;
	return true;
}

static void print_core(u32 core)
{
	struct sys_words words = {.w = {[1] = core}};

	if (monitor_ask(MON_CORE, &words, CAP_NONE) == 0)
		printf("core %3u  APIC id %3lu  node %lu  socket %lu\n", core, words.w[1],
		       words.w[2], words.w[3]);
}

static void run_cores(int argc, char **argv)
{
	u32 core;

	if (argc > 1) {
		if (parse_number(argv[1], domain_start()->ncores, "cores", &core))
			print_core(core);
		return;
	}
	for (core = 0; core < domain_start()->ncores; core++)
		print_core(core);
}

static void run_memory(int argc, char **argv)
{
	struct sys_words words = {0};

	(void)argc;
	(void)argv;
	if (monitor_ask(MON_MEMORY, &words, CAP_NONE) == 0)
		printf("core %u has %lu KiB free\n", domain_start()->core, words.w[1] / KiB);
}

static void run_messages(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (u64 line = 0;; line++) {
		struct sys_words words = {.w = {[1] = line}};

		if (monitor_ask(MON_COUNTS, &words, CAP_NONE) != 0)
			break;
		if (words.w[2] || words.w[3])
			printf("core %5lu  class %lu  %8lu sent  %8lu received\n",
			       words.w[1] & 0xffff, words.w[1] >> 16, words.w[2], words.w[3]);
	}
}

static void run_program(int argc, char **argv)
{
	struct rt_spawn spawn = {.core = domain_start()->core};
	struct rt_task task;
	int first = 1, err;

	if (argc > first && argv[first][0] == '@') {
		if (!parse_number(argv[first] + 1, domain_start()->ncores, "run", &spawn.core))
			return;
		first++;
	}
	if (argc <= first) {
		printf("run: expected a program, such as bin/hello\n");
		return;
	}
	spawn.argc = argc - first;
	spawn.argv = (const char *const *)argv + first;
	err = rt_spawn(&spawn, &task);
	if (err) {
		printf("run: %s: %s\n", argv[first], strerror(-err));
		return;
	}
	rt_task_wait(&task, FIBER_FOREVER);
	if (task.death == DEATH_FAULT)
		printf("run: %s was stopped by exception %ld\n", argv[first], task.status);
	else if (task.status)
		printf("run: %s ended with status %ld\n", argv[first], task.status);
}

static void run_poweroff(int argc, char **argv)
{
	u32 status = 0;
	s64 err;

	if (argc > 1 && !parse_number(argv[1], 256, "poweroff", &status))
		return;
	err = monitor_ask_simple(MON_POWEROFF, status, 0, 0, 0);
	if (err < 0)
		printf("poweroff: %s\n", strerror((int)-err));
}

static void run_help(int argc, char **argv);

static const struct command commands[] = {
	{"help", "", "this list", run_help},
	{"cores", "[CORE]", "the cores, and where they are", run_cores},
	{"memory", "", "free memory of this core", run_memory},
	{"messages", "", "what this core's monitor sent and received", run_messages},
	{"run", "[@CORE] PROGRAM [ARGUMENTS]", "run a program and wait for it", run_program},
	{"poweroff", "[STATUS]", "end the machine", run_poweroff},
};

static void run_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-9s %-28s %s\n", commands[i].name, commands[i].arguments,
		       commands[i].what);
}

static void run_line(char *text)
{
	char *words[WORDS_MAX];
	int n = line_split(text, words, WORDS_MAX);

	if (n == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(words[0], commands[i].name) == 0) {
			commands[i].run(n, words);
			return;
		}
	}
	printf("%s: no such command; \"help\" lists them\n", words[0]);
}

static void prompt(struct line *line)
{
	line_begin(line);
	show("skerry> ");
}

/* Commands arrive in pieces of any size; each is run when its line ends. */
static int serve(void)
{
	static char echo[LINE_ECHO_MAX];
	struct line line = {0};
	struct msg m;
	int err;

	prompt(&line);
	while ((err = rt_channel_receive(console, &m, FIBER_FOREVER)) == 0) {
		const struct msg_text *typed = (const struct msg_text *)m.payload;

		if (m.type != CONSOLE_TYPED)
			continue;
		for (u32 i = 0; i < MIN(typed->bytes, CONSOLE_CHUNK); i++) {
			bool whole = line_type(&line, typed->text[i], echo);

			show(echo);
			if (whole) {
				run_line(line.text);
				prompt(&line);
			}
		}
	}
	return err;
}

int main(void)
{
	int err = rt_channel_open(0, CONSOLE_SERVICE, NULL, &console);

	if (!err)
		err = rt_channel_send(console, CONSOLE_LISTEN, NULL, 0, FIBER_FOREVER);
	if (!err) {
		printf("Skerry on %u cores. \"help\" lists the commands.\n",
		       domain_start()->ncores);
		err = serve();
	}
	printf("console: the serial line is gone: %s\n", strerror(-err));
	return 1;
}
