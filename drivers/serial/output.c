/* See output.h. */
#include "output.h"
#include <rt/rt.h>

#define RING_BYTES 16384u
#define RECHECK_NS 10000000ul /* in case an interrupt is lost: hardware errs */
#define DRAIN_NS   100000ul

static struct uart *uart;
static char ring[RING_BYTES];
static u32 first, used;
static struct fiber_queue writer; /* waits for text */
static struct fiber_queue space;  /* wait for room in the ring */
static struct fiber_queue interrupt;

void output_put(const char *text, u32 bytes)
{
	while (RING_BYTES - used < bytes)
		fiber_wait(&rt_loop, &space, FIBER_FOREVER);
	for (u32 i = 0; i < bytes; i++)
		ring[(first + used + i) % RING_BYTES] = text[i];
	used += bytes;
	fiber_wake_all(&writer);
}

void output_drain(void)
{
	while (used || !uart_is_idle(uart))
		rt_sleep_ns(DRAIN_NS);
}

void output_interrupt(void)
{
	fiber_wake_all(&interrupt);
}

static void wait_for_transmitter(void)
{
	while (!uart_can_write(uart)) {
		uart_want_space(uart, true);
		fiber_wait(&rt_loop, &interrupt, clock_now_ns() + RECHECK_NS);
	}
	uart_want_space(uart, false);
}

static void write_fiber(void *arg)
{
	(void)arg;
	for (;;) {
		u32 n;

		while (!used)
			fiber_wait(&rt_loop, &writer, FIBER_FOREVER);
		wait_for_transmitter();
		n = MIN(MIN(used, UART_FIFO), RING_BYTES - first);
		uart_write(uart, ring + first, n);
		first = (first + n) % RING_BYTES;
		used -= n;
		fiber_wake_all(&space);
	}
}

int output_init(struct uart *u)
{
	uart = u;
	return rt_fiber_start(write_fiber, NULL);
}
