/*
 * Arguments and environments on their way to a program: strings one after the other.
 *
 * Runs in: the personality's domain, host tests.
 */
#ifndef LINUX_ARGS_H
#define LINUX_ARGS_H

#include <skerry/types.h>

/* Strings one after the other, each with its NUL. All zero: none. */
struct strings {
	char *at;
	u64 len, room;
	u32 count;
};

/** Add @len bytes at @string and a NUL. 0 or -ENOMEM. */
int strings_add(struct strings *s, const char *string, u64 len);

/** Take out string @index, counted from 0. */
void strings_remove(struct strings *s, u32 index);

/** String @index; it must be there. */
const char *strings_get(const struct strings *s, u32 index);

void strings_free(struct strings *s);

#endif
