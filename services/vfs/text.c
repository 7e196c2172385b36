/*
 * Text that grows. See text.h.
 */
#include <vfs/text.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Make room for @len more bytes and a NUL. */
static bool make_room(struct text *text, size_t len)
{
	size_t room = MAX(text->room, 64ul);
	char *at;

	if (text->broken)
		return false;
	if (text->len + len < text->room)
		return true;
	while (room <= text->len + len)
		room *= 2;
	at = room <= TEXT_MAX ? realloc(text->at, room) : NULL;
	if (!at) {
		text->broken = true;
		return false;
	}
	text->at = at;
	text->room = room;
	return true;
}

void text_put(struct text *text, const char *bytes, size_t len)
{
	if (!make_room(text, len))
		return;
	memcpy(text->at + text->len, bytes, len);
	text->len += len;
	text->at[text->len] = 0;
}

void text_puts(struct text *text, const char *string)
{
	text_put(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0 || !make_room(text, (size_t)len))
		return;
	va_start(args, format);
	vsnprintf(text->at + text->len, (size_t)len + 1, format, args);
	va_end(args);
	text->len += (size_t)len;
}

void text_escape(struct text *text, const char *string, const char *also)
{
	for (; *string; string++) {
		if (strchr(" \t\n\\", *string) || strchr(also, *string))
			text_printf(text, "\\%03o", (u8)*string);
		else
			text_put(text, string, 1);
	}
}

int text_error(const struct text *text)
{
	return text->broken ? -ENOMEM : 0;
}

void text_free(struct text *text)
{
	free(text->at);
	*text = (struct text){0};
}
