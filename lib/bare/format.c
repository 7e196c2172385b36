/*
 * snprintf() without a C library. See bare.h for the formats it knows.
 */
#include <bare/bare.h>

#include <stdbool.h>
#include <stdint.h>

struct out {
	char *to;
	size_t len;
	size_t n; /* characters so far, whether there was room for them or not */
};

/* One conversion. */
struct spec {
	bool left;
	bool zero;
	int width;
	int precision; /* -1: none */
	bool is_long;
};

static void put(struct out *o, char c)
{
	if (o->n + 1 < o->len)
		o->to[o->n] = c;
	o->n++;
}

static void put_times(struct out *o, char c, int times)
{
	for (; times > 0; times--)
		put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text)
{
	int len = (int)strnlen(text, s->precision < 0 ? INT32_MAX : (size_t)s->precision);

	if (!s->left)
		put_times(o, ' ', s->width - len);
	for (int i = 0; i < len; i++)
		put(o, text[i]);
	if (s->left)
		put_times(o, ' ', s->width - len);
}

/* @prefix ("-", "0x", "") comes before the zeros, if there are any. */
static void put_number(struct out *o, const struct spec *s, uint64_t v, unsigned base,
		       const char *prefix)
{
	char digits[24];
	int n = 0, total;

	do
		digits[n++] = "0123456789abcdef"[v % base];
	while (v /= base);
	total = n + (int)strlen(prefix);
	if (!s->left && !s->zero)
		put_times(o, ' ', s->width - total);
	while (*prefix)
		put(o, *prefix++);
	if (!s->left && s->zero)
		put_times(o, '0', s->width - total);
	while (n)
		put(o, digits[--n]);
	if (s->left)
		put_times(o, ' ', s->width - total);
}

/* A number in the format, or "*": the next argument. */
static int read_number(const char **format, va_list *args)
{
	int n = 0;

	if (**format == '*') {
		++*format;
		return va_arg(*args, int);
	}
	while (**format >= '0' && **format <= '9')
		n = n * 10 + *(*format)++ - '0';
	return n;
}

static void read_spec(struct spec *s, const char **format, va_list *args)
{
	*s = (struct spec){.precision = -1};
	for (;; ++*format) {
		if (**format == '-')
			s->left = true;
		else if (**format == '0')
			s->zero = true;
		else
			break;
	}
	s->width = read_number(format, args);
	if (s->width < 0) {
		s->left = true;
		s->width = -s->width;
	}
	if (**format == '.') {
		++*format;
		s->precision = read_number(format, args);
	}
	for (; **format == 'l' || **format == 'z'; ++*format)
		s->is_long = true;
}

static void convert(struct out *o, const struct spec *s, char type, va_list *args)
{
	char text[2] = {0};
	int64_t d;

	switch (type) {
	case 'c':
		text[0] = (char)va_arg(*args, int);
		put_text(o, s, text);
		break;
	case 's':
		put_text(o, s, va_arg(*args, const char *));
		break;
	case 'd':
	case 'i':
		d = s->is_long ? va_arg(*args, long) : va_arg(*args, int);
		put_number(o, s, d < 0 ? -(uint64_t)d : (uint64_t)d, 10, d < 0 ? "-" : "");
		break;
	case 'u':
	case 'x':
		put_number(o, s,
			   s->is_long ? va_arg(*args, unsigned long) : va_arg(*args, unsigned int),
			   type == 'x' ? 16 : 10, "");
		break;
	case 'p':
		put_number(o, s, (uintptr_t)va_arg(*args, void *), 16, "0x");
		break;
	default:
		put(o, type);
	}
}

int vsnprintf(char *restrict to, size_t len, const char *restrict format, va_list args)
{
	struct out o = {.to = to, .len = len};
	const char *at = format;
	struct spec spec;
	va_list rest;

	va_copy(rest, args); /* of a type that can be pointed to */
	while (*at) {
		if (*at != '%') {
			put(&o, *at++);
			continue;
		}
		at++;
		read_spec(&spec, &at, &rest);
		if (!*at)
			break;
		convert(&o, &spec, *at++, &rest);
	}
	va_end(rest);
	if (len)
		to[o.n < len ? o.n : len - 1] = 0;
	return (int)o.n;
}

int snprintf(char *restrict to, size_t len, const char *restrict format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(to, len, format, args);
	va_end(args);
	return n;
}
