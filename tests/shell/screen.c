/* See screen.h. */
#include "screen.h"

#include <string.h>
#include <stdio.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

static void clear(struct screen *s, int row, int from, int to)
{
	for (int col = from; col < to; col++)
		s->cell[row][col] = ' ';
}

static void clear_rows(struct screen *s, int from, int to)
{
	for (int row = from; row < to; row++)
		clear(s, row, 0, COLS);
}

void screen_init(struct screen *s)
{
	*s = (struct screen){.bottom = ROWS};
	clear_rows(s, 0, ROWS);
}

/* Lines from @row to the bottom move by @n: up if positive. */
static void scroll(struct screen *s, int row, int n)
{
	int lines = s->bottom - row;

	n = MAX(MIN(n, lines), -lines);
	if (n > 0) {
		memmove(s->cell[row], s->cell[row + n], (size_t)(lines - n) * sizeof(s->cell[0]));
		clear_rows(s, s->bottom - n, s->bottom);
	} else {
		memmove(s->cell[row - n], s->cell[row], (size_t)(lines + n) * sizeof(s->cell[0]));
		clear_rows(s, row, row - n);
	}
}

static void line_feed(struct screen *s)
{
	if (s->row == s->bottom - 1)
		scroll(s, s->top, 1);
	else if (s->row < ROWS - 1)
		s->row++;
}

static void put(struct screen *s, uint32_t c)
{
	if (s->wrap) {
		s->col = 0;
		line_feed(s);
		s->wrap = false;
	}
	s->cell[s->row][s->col] = c;
	if (s->col == COLS - 1)
		s->wrap = true;
	else
		s->col++;
}

static void move_to(struct screen *s, int row, int col)
{
	s->row = MAX(0, MIN(row, ROWS - 1));
	s->col = MAX(0, MIN(col, COLS - 1));
	s->wrap = false;
}

/* Characters of the line from the cursor on move by @n: to the right if positive. */
static void shift(struct screen *s, int n)
{
	uint32_t *at = &s->cell[s->row][s->col];
	int len = COLS - s->col;

	n = MAX(MIN(n, len), -len);
	if (n > 0) {
		memmove(at + n, at, (size_t)(len - n) * sizeof(*at));
		clear(s, s->row, s->col, s->col + n);
	} else {
		memmove(at, at - n, (size_t)(len + n) * sizeof(*at));
		clear(s, s->row, COLS + n, COLS);
	}
}

static void erase_screen(struct screen *s, int what)
{
	if (what == 0) {
		clear(s, s->row, s->col, COLS);
		clear_rows(s, s->row + 1, ROWS);
	} else if (what == 1) {
		clear_rows(s, 0, s->row);
		clear(s, s->row, 0, s->col + 1);
	} else {
		clear_rows(s, 0, ROWS);
	}
}

static void erase_line(struct screen *s, int what)
{
	clear(s, s->row, what == 0 ? s->col : 0, what == 1 ? s->col + 1 : COLS);
}

/* Where is the cursor? Whoever asks reads the answer as if it were typed. */
static void tell_place(struct screen *s)
{
	int n = snprintf(s->answer + s->answer_len, sizeof(s->answer) - s->answer_len,
			 "\033[%d;%dR", s->row + 1, s->col + 1);

	s->answer_len = MIN(s->answer_len + (size_t)n, sizeof(s->answer) - 1);
}

/* Another screen (xterm's ?1049): there is but one, which is empty then. */
static void set_mode(struct screen *s, bool on)
{
	if (!s->private || (s->params[0] != 1049 && s->params[0] != 47))
		return;
	if (on) {
		s->saved_row = s->row;
		s->saved_col = s->col;
	}
	clear_rows(s, 0, ROWS);
	move_to(s, on ? 0 : s->saved_row, on ? 0 : s->saved_col);
}

static void set_region(struct screen *s)
{
	int top = s->params[0] ? s->params[0] - 1 : 0;
	int bottom = s->nparams > 1 && s->params[1] ? MIN(s->params[1], ROWS) : ROWS;

	if (top >= bottom)
		return;
	s->top = top;
	s->bottom = bottom;
	move_to(s, 0, 0);
}

static void move_by_control(struct screen *s, char c, int n)
{
	switch (c) {
	case 'A':
		move_to(s, s->row - n, s->col);
		break;
	case 'B':
	case 'e':
		move_to(s, s->row + n, s->col);
		break;
	case 'C':
		move_to(s, s->row, s->col + n);
		break;
	case 'D':
		move_to(s, s->row, s->col - n);
		break;
	case 'G':
		move_to(s, s->row, n - 1);
		break;
	case 'd':
		move_to(s, n - 1, s->col);
		break;
	default:
		move_to(s, n - 1, s->nparams > 1 ? MAX(s->params[1], 1) - 1 : 0);
	}
}

static void control(struct screen *s, char c)
{
	int n = MAX(s->params[0], 1);

	if (strchr("ABCDGHdef", c)) {
		move_by_control(s, c, n);
		return;
	}
	switch (c) {
	case 'J':
		erase_screen(s, s->params[0]);
		break;
	case 'K':
		erase_line(s, s->params[0]);
		break;
	case 'L':
	case 'M':
		if (s->row >= s->top && s->row < s->bottom)
			scroll(s, s->row, c == 'M' ? n : -n);
		break;
	case 'P':
	case '@':
		shift(s, c == '@' ? n : -n);
		break;
	case 'S':
	case 'T':
		scroll(s, s->top, c == 'S' ? n : -n);
		break;
	case 'X':
		clear(s, s->row, s->col, MIN(s->col + n, COLS));
		break;
	case 'h':
	case 'l':
		set_mode(s, c == 'h');
		break;
	case 'n':
		if (s->params[0] == 6)
			tell_place(s);
		break;
	case 'r':
		set_region(s);
		break;
	default:
		break;
	}
}

static void take_control(struct screen *s, char c)
{
	if (c >= '0' && c <= '9') {
		s->params[s->nparams - 1] = MIN(s->params[s->nparams - 1] * 10 + c - '0', 9999);
	} else if (c == ';') {
		if (s->nparams < PARAMS)
			s->params[s->nparams++] = 0;
	} else if (c == '?') {
		s->private = true;
	} else if (c >= '@' && c <= '~') {
		s->state = TEXT;
		control(s, c);
	}
}

static void take_escape(struct screen *s, char c)
{
	s->state = TEXT;
	if (c == '[') {
		s->state = CONTROL;
		memset(s->params, 0, sizeof(s->params));
		s->nparams = 1;
		s->private = false;
	} else if (c == ']') {
		s->state = STRING;
	} else if (c == '(' || c == ')') {
		s->state = CHARSET;
	} else if (c == '7') {
		s->saved_row = s->row;
		s->saved_col = s->col;
	} else if (c == '8') {
		move_to(s, s->saved_row, s->saved_col);
	} else if (c == 'M') {
		if (s->row == s->top)
			scroll(s, s->top, -1);
		else
			move_to(s, s->row - 1, s->col);
	} else if (c == 'c') {
		screen_init(s);
	}
}

static void take_utf8(struct screen *s, unsigned char c)
{
	if (s->more && (c & 0xc0) == 0x80) {
		s->code = s->code << 6 | (c & 0x3f);
		if (--s->more == 0)
			put(s, s->code);
		return;
	}
	s->more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
	s->code = c & (0x3fu >> s->more);
	if (!s->more)
		put(s, c < 0x80 ? c : '?');
}

static void take_text(struct screen *s, char c)
{
	switch (c) {
	case '\033':
		s->state = ESCAPE;
		break;
	case '\r':
		move_to(s, s->row, 0);
		break;
	case '\n':
		s->wrap = false;
		line_feed(s);
		break;
	case '\b':
		move_to(s, s->row, s->col - 1);
		break;
	case '\t':
		move_to(s, s->row, (s->col | 7) + 1);
		break;
	default:
		if ((unsigned char)c >= ' ' && c != 0x7f)
			take_utf8(s, (unsigned char)c);
	}
}

void screen_take(struct screen *s, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		switch (s->state) {
		case TEXT:
			take_text(s, bytes[i]);
			break;
		case ESCAPE:
			take_escape(s, bytes[i]);
			break;
		case CONTROL:
			take_control(s, bytes[i]);
			break;
		case CHARSET:
			s->state = TEXT;
			break;
		case STRING: /* the window's title; BEL ends it, or ESC \ */
			if (bytes[i] == '\a' || bytes[i] == '\\')
				s->state = TEXT;
		}
	}
}

static size_t encode(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	to[0] = (char)(0xe0 | (c >> 12 & 0xf));
	to[1] = (char)(0x80 | (c >> 6 & 0x3f));
	to[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

const char *screen_row(const struct screen *s, int row)
{
	static char text[4][COLS * 3 + 1];
	static int turn;
	char *to = text[turn++ % 4];
	size_t n = 0;
	int end = COLS;

	while (end && s->cell[row][end - 1] == ' ')
		end--;
	for (int col = 0; col < end; col++)
		n += encode(to + n, s->cell[row][col]);
	to[n] = 0;
	return to;
}

bool screen_shows(const struct screen *s, const char *text)
{
	for (int row = 0; row < ROWS; row++) {
		if (strstr(screen_row(s, row), text))
			return true;
	}
	return false;
}
