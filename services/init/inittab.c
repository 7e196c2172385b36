/*
 * /etc/inittab: what process 1 is to run.
 *
 *   TERMINAL:LEVELS:ACTION:PROGRAM [ARGUMENT...]
 *
 * TERMINAL is a name below /dev, or empty for the console; there are no levels. A line that cannot
 * be read is told and left out. Without the file there is a shell.
 */
#include "init.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INITTAB "/etc/inittab"

struct entry *entries;

static const char *const names[ACTIONS] = {
	[SYSINIT] = "sysinit",   [WAIT] = "wait",         [ONCE] = "once",
	[RESPAWN] = "respawn",   [ASKFIRST] = "askfirst", [CTRLALTDEL] = "ctrlaltdel",
	[SHUTDOWN] = "shutdown", [RESTART] = "restart",
};

/* What the file says already, and what is new goes to the end: the order is that of the file. */
static void add(enum action action, const char *terminal, const char *line)
{
	struct entry **at = &entries, *e;

	for (; *at; at = &(*at)->next) {
		e = *at;
		if (e->action == action && strcmp(e->line, line) == 0 &&
		    strcmp(e->terminal, terminal) == 0) {
			e->listed = true;
			return;
		}
	}
	e = calloc(1, sizeof(*e));
	if (!e) {
		fprintf(stderr, "init: no memory for \"%s\"\n", line);
		return;
	}
	e->action = action;
	e->listed = true;
	snprintf(e->terminal, sizeof(e->terminal), "%s", terminal);
	snprintf(e->line, sizeof(e->line), "%s", line);
	*at = e;
}

static bool read_line(char *text)
{
	char *rest = text, *id = strsep(&rest, ":"), terminal[40];
	const char *action;
	int i = 0;

	strsep(&rest, ":"); /* levels */
	action = strsep(&rest, ":");
	if (!rest || !*rest)
		return false;
	while (i < ACTIONS && strcmp(action, names[i]) != 0)
		i++;
	if (i == ACTIONS)
		return false;
	if (strncmp(id, "/dev/", 5) == 0)
		id += 5;
	snprintf(terminal, sizeof(terminal), "/dev/%s", *id ? id : "console");
	add((enum action)i, terminal, rest);
	return true;
}

/* Lines that are no longer there and of which nothing runs. */
static void drop_unlisted(void)
{
	for (struct entry **at = &entries; *at;) {
		struct entry *e = *at;

		if (e->listed || e->pid) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		free(e);
	}
}

void inittab_read(void)
{
	FILE *f = fopen(INITTAB, "re");
	char text[400];

	for (struct entry *e = entries; e; e = e->next)
		e->listed = false;
	if (!f) {
		add(RESPAWN, "/dev/console", "-/bin/sh");
		add(CTRLALTDEL, "/dev/console", "/sbin/reboot");
	}
	for (int number = 1; f && fgets(text, sizeof(text), f); number++) {
		text[strcspn(text, "\n")] = 0;
		if (text[strspn(text, " \t")] && text[0] != '#' && !read_line(text))
			fprintf(stderr, "init: %s, line %d: what is that?\n", INITTAB, number);
	}
	if (f)
		fclose(f);
	drop_unlisted();
}
