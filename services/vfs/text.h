/*
 * Text that grows: what /proc and /sys files are made of.
 *
 * Memory that runs out is remembered, not reported each time: text_error() at the end.
 *
 * Runs in: the personality, host tests.
 */
#ifndef VFS_TEXT_H
#define VFS_TEXT_H

#include <skerry/types.h>

struct ns;

#define TEXT_MAX (64 * MiB) /* bytes; more is an error like memory that runs out */

/* All zero is empty. */
struct text {
	char *at; /* NUL-terminated unless NULL */
	size_t len, room;
	bool broken;
	struct ns *pid_ns; /* of a file in /proc: whose numbers of processes it shows */
};

void text_put(struct text *text, const char *bytes, size_t len);
void text_puts(struct text *text, const char *string);
/*
 * As printf(3), of which it knows %d %u %x %o (with l or z), %c, %s, %%; widths, a string's
 * precision, * for either, flags - and 0. What it does not know makes the text broken.
 */
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A string with space, tab, newline, backslash and the bytes of @also as \ooo. */
void text_escape(struct text *text, const char *string, const char *also);
/* 0 or -ENOMEM */
int text_error(const struct text *text);
void text_free(struct text *text);

#endif
