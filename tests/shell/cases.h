/*
 * Cases of a person at a shell: a name, and what must be seen.
 */
#ifndef SHELL_CASES_H
#define SHELL_CASES_H

#include <stdbool.h>
#include <stddef.h>

struct shell_case {
	const char *name; /* the behaviour */
	bool (*passes)(void);
};

/* Tables end with a name of NULL. What both shells do; busybox's shell; bash with readline. */
extern const struct shell_case common_cases[], busybox_cases[], bash_cases[];

#endif
