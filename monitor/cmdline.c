/* See cmdline.h. */
#include "cmdline.h"
#include "monitor.h"
#include <stdlib.h>
#include <string.h>

/* What follows " -- " (or "-- " at the beginning), or the end of the line. */
static const char *find_program(void)
{
	const char *line = self.boot->cmdline;
	const char *dashes = strstr(line, " -- ");

	if (strncmp(line, "-- ", 3) == 0)
		return line + 3;
	return dashes ? dashes + 4 : line + strlen(line);
}

u64 cmdline_number(const char *key, u64 otherwise)
{
	const char *at = self.boot->cmdline, *end = find_program();
	size_t len = strlen(key);

	while (at < end) {
		if (strncmp(at, key, len) == 0 && at[len] == '=')
			return strtoul(at + len + 1, NULL, 0);
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	return otherwise;
}

u32 cmdline_linux_cores(void)
{
	u64 n = cmdline_number("linux.cores", 0);

	return n ? (u32)MIN(n, self.ncores) : self.ncores;
}

static void add_arg(struct mon_spawn *what, const char *arg, size_t len)
{
	memcpy(what->args + what->args_bytes, arg, len);
	what->args[what->args_bytes + len] = 0;
	what->args_bytes += (u32)len + 1;
	what->argc++;
}

/* The personality, with the kernel's words: all of them, or those before the program. @option may
 * be NULL. */
static void run_by_linux(struct mon_spawn *what, const char *option, bool all)
{
	const char *line = self.boot->cmdline, *end = find_program();
	size_t len = (size_t)(end - line), dashes = *end ? 4 : 0; /* " -- " before a program */

	strcpy(what->path, LINUX_PATH);
	what->slots = DOMAIN_SLOTS_LINUX;
	add_arg(what, "linux", 5);
	if (option)
		add_arg(what, option, strlen(option));
	add_arg(what, "-c", 2);
	add_arg(what, line, all ? strlen(line) : len - MIN(len, dashes));
}

void cmdline_linux(struct mon_spawn *what)
{
	*what = (struct mon_spawn){0};
	run_by_linux(what, NULL, true);
}

void cmdline_linux_shard(struct mon_spawn *what)
{
	*what = (struct mon_spawn){0};
	run_by_linux(what, "-s", false);
}

bool cmdline_program(struct mon_spawn *what)
{
	const char *at = find_program();

	*what = (struct mon_spawn){0};
	at += strspn(at, " ");
	if (*at == '/')
		run_by_linux(what, NULL, false);
	for (at += strspn(at, " "); *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		if (len >= sizeof(what->path) && what->argc == 0)
			return false;
		if (what->argc == 0)
			memcpy(what->path, at, len);
		add_arg(what, at, len); /* the whole line is shorter than the room for arguments */
		at += len;
	}
	return what->argc > 0;
}

static_assert(CMDLINE_MAX + 32 < DOMAIN_ARGS_MAX, "any command line's program fits");
