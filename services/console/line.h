/*
 * Editing one line that is typed on a serial console: echo, erase, kill, end. Pure: bytes in,
 * bytes to echo out.
 */
#ifndef INIT_LINE_H
#define INIT_LINE_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_MAX_BYTES 255u

struct line {
	char text[LINE_MAX_BYTES + 1]; /* NUL-terminated when whole */
	size_t bytes;
	bool after_return; /* a line feed that follows belongs to it */
};

#define LINE_ECHO_MAX (3 * LINE_MAX_BYTES + 4)

/**
 * Take one byte that was typed.
 *
 * @echo  LINE_ECHO_MAX bytes: what the terminal is to show, NUL-terminated
 * Returns true when the line is whole; line_begin() starts the next.
 */
bool line_type(struct line *line, char c, char *echo);

void line_begin(struct line *line);

/** Split @text at blanks, in place. Returns the number of words, at most @max. */
int line_split(char *text, char **words, int max);

#endif
