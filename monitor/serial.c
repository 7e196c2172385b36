/* See serial.h. */
#include "serial.h"
#include "channel.h"
#include "console.h"
#include "irq.h"
#include "monitor.h"
#include "timer.h"
#include <rt/clock.h>
#include <rt/slots.h>
#include <skerry/msg/console.h>
#include <string.h>
#include <ump/ump.h>

#define UART_FIRST_PORT  0x3f8u
#define UART_LAST_PORT   0x3ffu
#define UART_IRQ         4u
#define CHANNEL_EPOCH    1u
#define FLUSH_TIMEOUT_NS (2 * NS_PER_S)

static struct program *driver;
static u32 channel; /* its number; 0: none */
static bool open;   /* the channel is in use */
static cap_t bell;
static struct ump ump;
static u32 written; /* bytes of the present line */
static u64 flush_cookie;
static void (*flush_then)(void);
static struct timer flush_timer;

/* ---- starting ---- */

static int make_gifts(struct program_plan *plan)
{
	cap_t ports = slot_new(), irq = slot_new();
	int err = -ENOMEM;

	if (ports != CAP_NONE && irq != CAP_NONE)
		err = (int)sys_ioport_mint(SLOT_CORE, UART_FIRST_PORT, UART_LAST_PORT, ports);
	if (!err)
		err = irq_route_isa(UART_IRQ, irq);
	if (err)
		return err;
	plan->ngifts = 2;
	plan->gifts[0] = ports;
	plan->gifts[1] = irq;
	return 0;
}

void serial_start(void)
{
	struct mon_spawn what = {
		.argc = 1,
		.args_bytes = sizeof("serial"),
		.priority = PRIORITY_DRIVER,
		.path = "sbin/serial",
		.args = "serial",
	};
	struct program_plan plan = {.what = &what, .task_core = self.core};
	int err = make_gifts(&plan);

	if (!err)
		err = program_new(&plan, &driver);
	if (err)
		console_printf("monitor: the serial driver cannot be started: error %d\n", -err);
}

/* ---- the channel ---- */

static void ring(void *arg)
{
	(void)arg;
	sys_doorbell_ring(bell);
}

/* Back to the CPU driver's own printing. */
static void fall_back(void)
{
	void (*then)(void) = flush_then;

	open = false;
	channel_close(NULL, channel);
	channel = 0;
	written = 0;
	flush_then = NULL;
	sys_log_direct(SLOT_CORE, true);
	if (then)
		then();
}

static void opened(u32 number, s32 status)
{
	struct channel_view view;
	cap_t tx, rx;
	void *out, *in;

	if (status == 0 && channel_attach_own(number, &tx, &rx, &bell, &view) == 0) {
		out = vspace_attach(&mem_space, tx, 0, view.region_bytes, MAP_READ | MAP_WRITE);
		in = vspace_attach(&mem_space, rx, 0, view.region_bytes, MAP_READ);
		if (out && in &&
		    !ump_init(&ump, out, in, view.ring_bytes, CHANNEL_EPOCH, ring, NULL)) {
			open = true;
			console_read_log();
			sys_log_direct(SLOT_CORE, false);
			return;
		}
	}
	fall_back();
}

void serial_service_listens(const struct program *p, const char *name)
{
	struct mon_open what = {.name = CONSOLE_SERVICE};
	s64 number;

	if (p != driver || strcmp(name, CONSOLE_SERVICE) != 0 || channel)
		return;
	number = channel_open(NULL, self.core, &what, opened);
	if (number > 0)
		channel = (u32)number;
}

bool serial_prints_log(void)
{
	return self.core == 0 && !open;
}

/* ---- writing ---- */

static bool write_directly(const char *text, u32 bytes)
{
	while (bytes) {
		u32 n = MIN(bytes, LOG_WRITE_MAX);

		sys_log_write(text, n);
		text += n;
		bytes -= n;
	}
	return true;
}

bool serial_write(const char *text, u32 bytes)
{
	struct msg_text chunk;
	int err = 0;

	if (!open)
		return write_directly(text, bytes);
	while (written < bytes && !err) {
		chunk.bytes = (u8)MIN(bytes - written, CONSOLE_CHUNK);
		memcpy(chunk.text, text + written, chunk.bytes);
		err = ump_send(&ump, CONSOLE_WRITE, &chunk, sizeof(chunk));
		if (!err)
			written += chunk.bytes;
	}
	if (err == -EAGAIN)
		return false;
	if (err) {
		fall_back();
		return write_directly(text, bytes);
	}
	written = 0;
	return true;
}

/* ---- flushing, and the loop ---- */

static void flush_done(void)
{
	void (*then)(void) = flush_then;

	flush_then = NULL;
	timer_stop(&flush_timer);
	if (then)
		then();
}

static void flush_late(struct timer *timer)
{
	(void)timer;
	flush_done();
}

static void try_flush(void)
{
	struct msg_flush flush = {.cookie = flush_cookie + 1};

	if (ump_send(&ump, CONSOLE_FLUSH, &flush, sizeof(flush)) == 0)
		flush_cookie++;
}

void serial_flush(void (*then)(void))
{
	if (!open) {
		then();
		return;
	}
	flush_then = then;
	flush_cookie = 0;
	timer_start(&flush_timer, FLUSH_TIMEOUT_NS, flush_late);
	try_flush();
}

bool serial_poll(void)
{
	struct msg m;
	bool any = false;
	int got = 0;

	while (open && (got = ump_recv(&ump, &m)) > 0) {
		any = true;
		if (m.type == CONSOLE_FLUSHED && flush_then)
			flush_done();
	}
	if (got < 0)
		fall_back();
	if (open && flush_then && !flush_cookie)
		try_flush();
	return any;
}

bool serial_arm(bool wants_to_write)
{
	if (!open)
		return true;
	if (!ump_arm(&ump))
		return false;
	return !(wants_to_write || (flush_then && !flush_cookie)) || ump_arm_send(&ump);
}
