/*
 * A small terminal: what a person would see on a screen of 24 lines of 80 characters.
 *
 * Takes the bytes that a program sends and keeps the characters; colours are dropped. Knows what
 * the terminal types linux, vt100 and xterm have in common and the programs here use (ECMA-48;
 * ctlseqs of xterm). A character is one code point and one cell wide.
 */
#ifndef SHELL_SCREEN_H
#define SHELL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROWS   24
#define COLS   80
#define PARAMS 8

struct screen {
	uint32_t cell[ROWS][COLS];
	int row, col;
	bool wrap; /* the last column is written: the next character begins a line */
	int saved_row, saved_col;
	int top, bottom; /* of the part that scrolls */

	/* the sequence that is coming in */
	enum { TEXT, ESCAPE, CONTROL, CHARSET, STRING } state;
	int params[PARAMS], nparams;
	bool private;  /* "?" */
	uint32_t code; /* of a character in UTF-8 */
	int more;      /* bytes of it to come */

	/* answers to questions, which the terminal types */
	char answer[64];
	size_t answer_len;
};

void screen_init(struct screen *s);

/** Take bytes of output. */
void screen_take(struct screen *s, const char *bytes, size_t n);

/** Line @row without the blanks at its end, in UTF-8; valid until the fourth next call. */
const char *screen_row(const struct screen *s, int row);

/** Whether @text is in some line. */
bool screen_shows(const struct screen *s, const char *text);

#endif
