/*
 * Text that grows. See text.h.
 *
 * Formats are read here and not by vsnprintf(3), which reads them twice to know how long a text
 * will be: programs that show processes read thousands of these files.
 */
#include <vfs/text.h>

#include <errno.h>
#include <stdarg.h>
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

/* --- Formats --- */

/* One conversion of a format: "%-8lu". */
struct conversion {
	char type;
	bool left, zero, wide; /* flags - and 0; an argument of 64 bits */
	u32 width;
	size_t precision; /* of a string: bytes at most */
};

/* Digits, or '*': an argument says it. */
static const char *read_number(const char *f, va_list *args, s64 *n)
{
	if (*f == '*') {
		*n = va_arg(*args, int);
		return f + 1;
	}
	for (*n = 0; *f >= '0' && *f <= '9'; f++)
		*n = *n * 10 + (*f - '0');
	return f;
}

/* Read what is behind a '%'. Returns what is behind it. */
static const char *read_conversion(const char *f, va_list *args, struct conversion *c)
{
	s64 n;

	*c = (struct conversion){.precision = SIZE_MAX};
	for (; *f == '-' || *f == '0'; f++) {
		c->left |= *f == '-';
		c->zero |= *f == '0';
	}
	f = read_number(f, args, &n);
	c->left |= n < 0;
	c->width = (u32)(n < 0 ? -n : n);
	if (*f == '.') {
		f = read_number(f + 1, args, &n);
		c->precision = n < 0 ? SIZE_MAX : (size_t)n;
	}
	for (; *f == 'l' || *f == 'z'; f++)
		c->wide = true;
	c->type = *f;
	return *f ? f + 1 : f;
}

static void put_times(struct text *text, char byte, size_t n)
{
	if (!make_room(text, n))
		return;
	memset(text->at + text->len, byte, n);
	text->len += n;
	text->at[text->len] = 0;
}

static void put_padded(struct text *text, const struct conversion *c, const char *bytes, size_t len)
{
	size_t pad = c->width > len ? c->width - len : 0;

	if (pad && !c->left)
		put_times(text, ' ', pad);
	text_put(text, bytes, len);
	if (pad && c->left)
		put_times(text, ' ', pad);
}

static void put_number(struct text *text, const struct conversion *c, u64 value, bool negative)
{
	char digits[sizeof(value) * 8 / 3 + 2], *end = digits + sizeof(digits), *at = end;
	u32 bits = c->type == 'x' ? 4 : 3;

	if (c->type == 'x' || c->type == 'o') {
		for (; value || at == end; value >>= bits)
			*--at = "0123456789abcdef"[value & ((1u << bits) - 1)];
	} else {
		for (; value || at == end; value /= 10)
			*--at = (char)('0' + value % 10);
	}
	if (c->zero && !c->left && c->width > (size_t)(end - at) + negative) {
		if (negative)
			text_put(text, "-", 1);
		put_times(text, '0', c->width - (size_t)(end - at) - negative);
		text_put(text, at, (size_t)(end - at));
		return;
	}
	if (negative)
		*--at = '-';
	put_padded(text, c, at, (size_t)(end - at));
}

static void put_argument(struct text *text, const struct conversion *c, va_list *args)
{
	const char *string;
	char byte;
	s64 value;

	switch (c->type) {
	case 'd':
		value = c->wide ? va_arg(*args, s64) : va_arg(*args, s32);
		put_number(text, c, value < 0 ? -(u64)value : (u64)value, value < 0);
		break;
	case 'u':
	case 'x':
	case 'o':
		put_number(text, c, c->wide ? va_arg(*args, u64) : va_arg(*args, u32), false);
		break;
	case 'c':
		byte = (char)va_arg(*args, int);
		put_padded(text, c, &byte, 1);
		break;
	case 's':
		string = va_arg(*args, const char *);
		put_padded(text, c, string, strnlen(string, c->precision));
		break;
	case '%':
		text_put(text, "%", 1);
		break;
	default: /* what it does not know shows as an error */
		text->broken = true;
	}
}

void text_printf(struct text *text, const char *format, ...)
{
	struct conversion c;
	va_list args;

	va_start(args, format);
	while (*format) {
		const char *plain = format;

		while (*format && *format != '%')
			format++;
		if (format > plain)
			text_put(text, plain, (size_t)(format - plain));
		if (*format) {
			format = read_conversion(format + 1, &args, &c);
			put_argument(text, &c, &args);
		}
	}
	va_end(args);
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
