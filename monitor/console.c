/* See console.h. Not here: talking to the serial driver (serial.c). */
#include "console.h"
#include "monitor.h"
#include "route.h"
#include "serial.h"
#include <skerry/monitor.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX 65536u /* bytes; then programs wait */
#define WINDOW    4u     /* lines on their way to core 0 */

struct line {
	struct line *next;
	u32 from; /* the core to be told when it has been taken */
	u32 bytes;
	char text[];
};

static struct line *queue, **queue_last = &queue;
static u32 queue_bytes;
static u32 in_flight;

/* ---- the queue ---- */

static int put_line(u32 from, const char *text, u32 bytes)
{
	bool newline = bytes && text[bytes - 1] == '\n';
	struct line *line = malloc(sizeof(*line) + bytes + 1);

	if (!line)
		return -ENOMEM;
	line->next = NULL;
	line->from = from;
	memcpy(line->text, text, bytes);
	if (!newline)
		line->text[bytes] = '\n';
	line->bytes = bytes + !newline;
	queue_bytes += line->bytes;
	*queue_last = line;
	queue_last = &line->next;
	return 0;
}

static void drop_first(void)
{
	struct line *line = queue;

	queue = line->next;
	if (!queue)
		queue_last = &queue;
	queue_bytes -= line->bytes;
	free(line);
}

/* ---- printing ---- */

void console_printf(const char *format, ...)
{
	char text[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_line(self.core, text, MIN((u32)n, sizeof(text) - 1));
}

int console_print(const char *text, u32 bytes)
{
	if (queue_bytes > QUEUE_MAX)
		return -EAGAIN;
	while (bytes) {
		const char *newline = memchr(text, '\n', bytes);
		u32 n = newline ? (u32)(newline - text) + 1 : bytes;
		int err = put_line(self.core, text, n);

		if (err)
			return err;
		text += n;
		bytes -= n;
	}
	return 0;
}

/* How much of the text is whole lines; all of it if it is one that fills the buffer. */
static u32 whole_lines(const char *text, u32 bytes, u32 room)
{
	for (u32 n = bytes; n > 0; n--)
		if (text[n - 1] == '\n')
			return n;
	return bytes == room ? bytes : 0;
}

void console_read_log(void)
{
	static char text[512];
	static u32 kept; /* of a line whose end has not come */
	s64 got;

	while ((got = sys_log_read(SLOT_CORE, text + kept, sizeof(text) - kept)) > 0) {
		u32 n;

		kept += (u32)got;
		if (serial_prints_log())
			kept = 0; /* the CPU driver has printed it already */
		n = whole_lines(text, kept, sizeof(text));
		console_print(text, n);
		kept -= n;
		memmove(text, text + n, kept);
	}
}

/* ---- to core 0 ---- */

/* As many as may be on their way; @window: that many. */
static bool send_to_first(u32 window)
{
	bool any = false;

	while (queue && in_flight < window &&
	       route_send(0, LETTER_TEXT, queue->text, MIN(queue->bytes, PRINT_MAX)) == 0) {
		in_flight++;
		drop_first();
		any = true;
	}
	return any;
}

void console_push(void)
{
	if (self.core != 0)
		send_to_first(UINT32_MAX);
}

static void text_rx(u32 from, const void *data, u32 bytes)
{
	put_line(from, data, bytes);
}

static void taken_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_count *letter = data;

	(void)from;
	(void)bytes;
	in_flight -= MIN(in_flight, (u32)letter->count);
}

static bool send_to_serial(void)
{
	struct letter_count taken = {.count = 1};
	bool any = false;

	while (queue && serial_write(queue->text, queue->bytes)) {
		if (queue->from != self.core)
			route_send(queue->from, LETTER_TEXT_TAKEN, &taken, sizeof(taken));
		drop_first();
		any = true;
	}
	return any;
}

/* ---- the loop ---- */

bool console_poll(void)
{
	bool any;

	console_read_log();
	if (self.core != 0)
		return send_to_first(WINDOW);
	any = serial_poll();
	return send_to_serial() || any;
}

bool console_arm(void)
{
	return self.core != 0 || serial_arm(queue != NULL);
}

void console_core_died(void)
{
	in_flight = 0;
}

void console_flush(void (*then)(void))
{
	console_poll();
	serial_flush(then);
}

void console_init(void)
{
	route_handle(LETTER_TEXT, text_rx, 1);
	route_handle(LETTER_TEXT_TAKEN, taken_rx, sizeof(struct letter_count));
	if (self.core != 0)
		sys_log_direct(SLOT_CORE, false);
}
