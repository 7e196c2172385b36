/*
 * The serial driver: offers the service "console" (skerry/msg/console.h) on a 16550.
 *
 * Given by the monitor of core 0: its I/O ports (DOMAIN_SLOT_GIFTS) and its interrupt (the slot
 * behind). One fiber a client, one that writes (output.c), one for interrupts.
 *
 * Not here: the hardware (uart.c). Runs in: a domain of core 0.
 */
#include "output.h"
#include "uart.h"
#include <rt/rt.h>
#include <skerry/msg/console.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_PORTS DOMAIN_SLOT_GIFTS
#define SLOT_IRQ   (DOMAIN_SLOT_GIFTS + 1)
#define BIT_IRQ    DOMAIN_BIT_USER
#define TYPED_MAX  1024u

struct client {
	struct rt_channel *channel;
	u32 bytes; /* of a line that has not ended */
	char line[OUTPUT_MAX];
};

static struct uart uart;
static struct client *listener; /* gets what is typed */
static char typed[TYPED_MAX];   /* what nobody has taken */
static u32 typed_bytes;

/* ---- what is typed ---- */

/* Give it to the listener; without one, or while its channel is full, it stays here. */
static void hand_over(void)
{
	struct msg_text chunk;

	while (listener && typed_bytes) {
		chunk.bytes = (u8)MIN(typed_bytes, CONSOLE_CHUNK);
		memcpy(chunk.text, typed, chunk.bytes);
		if (ump_send(&listener->channel->ump, CONSOLE_TYPED, &chunk, sizeof(chunk)))
			return;
		typed_bytes -= chunk.bytes;
		memmove(typed, typed + chunk.bytes, typed_bytes);
	}
}

static void take_typed(void)
{
	char lost[UART_FIFO];
	u32 n;

	do {
		n = uart_read(&uart, typed + typed_bytes, TYPED_MAX - typed_bytes);
		typed_bytes += n;
		hand_over();
	} while (n && typed_bytes < TYPED_MAX);
	while (typed_bytes == TYPED_MAX && uart_read(&uart, lost, sizeof(lost)))
		; /* nobody reads: what comes now is dropped, as a full FIFO would */
}

/* The interrupt is an edge: serve it until the UART asks for nothing more. */
static void interrupt_fiber(void *arg)
{
	u64 events;

	(void)arg;
	for (;;) {
		do {
			take_typed();
			output_interrupt();
		} while (uart_interrupts(&uart));
		fiber_wait_events(&rt_loop, 1ul << BIT_IRQ, FIBER_FOREVER, &events);
	}
}

/* ---- clients ---- */

static void put_line(struct client *c)
{
	output_put(c->line, c->bytes);
	c->bytes = 0;
}

static void write_rx(struct client *c, const struct msg *m)
{
	const struct msg_text *text = (const struct msg_text *)m->payload;
	u32 bytes = MIN(text->bytes, CONSOLE_CHUNK);

	for (u32 i = 0; i < bytes; i++) {
		if (text->text[i] == '\n')
			c->line[c->bytes++] = '\r';
		c->line[c->bytes++] = text->text[i];
		if (text->text[i] == '\n' || c->bytes >= sizeof(c->line) - 2)
			put_line(c);
	}
}

/* A terminal's output: whoever sends it has lines and line ends of its own. */
static void raw_rx(struct client *c, const struct msg *m)
{
	const struct msg_text *text = (const struct msg_text *)m->payload;

	put_line(c);
	output_put(text->text, MIN(text->bytes, CONSOLE_CHUNK));
}

static void flush_rx(struct client *c, const struct msg *m)
{
	put_line(c);
	output_drain();
	rt_channel_send(c->channel, CONSOLE_FLUSHED, m->payload, sizeof(struct msg_flush),
			FIBER_FOREVER);
}

static void client_fiber(void *arg)
{
	struct client *c = arg;
	struct msg m;

	while (rt_channel_receive(c->channel, &m, FIBER_FOREVER) == 0) {
		if (m.type == CONSOLE_WRITE) {
			write_rx(c, &m);
		} else if (m.type == CONSOLE_RAW) {
			raw_rx(c, &m);
		} else if (m.type == CONSOLE_FLUSH) {
			flush_rx(c, &m);
		} else if (m.type == CONSOLE_LISTEN) {
			listener = c;
			hand_over();
		}
	}
	put_line(c);
	if (listener == c)
		listener = NULL;
	rt_channel_close(c->channel);
	free(c);
}

int main(void)
{
	struct rt_listener service;
	int err = uart_init(&uart, SLOT_PORTS);

	if (!err)
		err = output_init(&uart);
	if (!err)
		err = (int)sys_irq_bind(SLOT_IRQ, BIT_IRQ);
	if (!err)
		err = rt_fiber_start(interrupt_fiber, NULL);
	if (!err)
		err = rt_listen(CONSOLE_SERVICE, &service);
	if (err)
		return -err;
	for (;;) {
		struct client *c = calloc(1, sizeof(*c));

		if (!c || rt_accept(&service, FIBER_FOREVER, &c->channel)) {
			free(c);
			rt_sleep_ns(DOMAIN_PRINT_RETRY_NS); /* no memory: let others go first */
			continue;
		}
		if (rt_fiber_start(client_fiber, c)) {
			rt_channel_close(c->channel);
			free(c);
		}
	}
}
