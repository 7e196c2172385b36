/* See print.h. */
#include <rt/print.h>
#include <rt/clock.h>
#include <rt/loop.h>
#include <rt/monitor.h>
#include <stdarg.h>
#include <string.h>

static char line[PRINT_MAX];
static u32 line_bytes;
static bool sending; /* a fiber waits with the line: nobody else touches it */

/* Let some time pass, in whatever surroundings. */
static void pause_a_little(void)
{
	if (fiber_self(&rt_loop))
		fiber_sleep_until(&rt_loop, clock_now_ns() + DOMAIN_PRINT_RETRY_NS);
	else
		sys_yield();
}

static void send_line(void)
{
	sending = true;
	for (;;) {
		memcpy(monitor_page(), line, line_bytes);
		if (monitor_ask_simple(MON_PRINT, line_bytes, 0, 0, 0) != -EAGAIN)
			break;
		pause_a_little();
	}
	line_bytes = 0;
	sending = false;
}

static void put(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		while (sending)
			pause_a_little();
		line[line_bytes++] = text[i];
		if (text[i] == '\n' || line_bytes == sizeof(line))
			send_line();
	}
}

void print_flush(void)
{
	while (sending)
		pause_a_little();
	if (line_bytes)
		put("\n", 1);
}

int vprintf(const char *format, va_list args)
{
	char text[PRINT_MAX];
	int n = vsnprintf(text, sizeof(text), format, args);

	if (n > 0)
		put(text, MIN((size_t)n, sizeof(text) - 1));
	return n;
}

int printf(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vprintf(format, args);
	va_end(args);
	return n;
}

int puts(const char *text)
{
	put(text, strlen(text));
	put("\n", 1);
	return 0;
}

int putchar(int c)
{
	char byte = (char)c;

	put(&byte, 1);
	return c;
}
