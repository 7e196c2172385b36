/* See line.h. Bytes of UTF-8 sequences are kept together when one character is erased. */
#include "line.h"
#include <string.h>

#define CONTROL(letter) ((letter)&0x1f)
#define ERASE           0x7f

static bool is_continuation(char c)
{
	return (c & 0xc0) == 0x80;
}

/* Forget the last character; its echo is gone from the terminal when @echo is shown. */
static void erase(struct line *line, char *echo)
{
	if (line->bytes == 0)
		return;
	do
		line->bytes--;
	while (line->bytes > 0 && is_continuation(line->text[line->bytes]));
	strcat(echo, "\b \b");
}

void line_begin(struct line *line)
{
	line->bytes = 0;
}

bool line_type(struct line *line, char c, char *echo)
{
	bool after_return = line->after_return;

	echo[0] = 0;
	line->after_return = c == '\r';
	if (c == '\n' && after_return)
		return false;
	if (c == '\r' || c == '\n') {
		line->text[line->bytes] = 0;
		strcpy(echo, "\r\n");
		return true;
	}
	if (c == ERASE || c == '\b') {
		erase(line, echo);
	} else if (c == CONTROL('U')) {
		while (line->bytes > 0)
			erase(line, echo);
	} else if (c == CONTROL('C')) {
		line->bytes = 0;
		line->text[0] = 0;
		strcpy(echo, "^C\r\n");
		return true;
	} else if ((c & 0xe0) != 0 && line->bytes < LINE_MAX_BYTES) {
		line->text[line->bytes++] = c;
		echo[0] = c;
		echo[1] = 0;
	}
	return false;
}

int line_split(char *text, char **words, int max)
{
	int n = 0;
	char *at = text;

	while (n < max) {
		at += strspn(at, " \t");
		if (!*at)
			break;
		words[n++] = at;
		at += strcspn(at, " \t");
		if (*at)
			*at++ = 0;
	}
	return n;
}
