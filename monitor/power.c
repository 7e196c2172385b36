/* See power.h. The port is QEMU's isa-debug-exit device, where hake puts it. */
#include "power.h"
#include "console.h"
#include "monitor.h"
#include "route.h"
#include <rt/slots.h>

#define DEBUG_EXIT_PORT 0xf4u

static s64 exit_status;
static bool going;

static void stop(void)
{
	cap_t port = slot_new();

	if (sys_ioport_mint(SLOT_CORE, DEBUG_EXIT_PORT, DEBUG_EXIT_PORT + 3, port) == 0)
		sys_io(port, DEBUG_EXIT_PORT, IO_OUT32, (u32)exit_status);
	/* Nobody listens there: a real machine, or an emulator that was started by hand. */
	sys_core_halt(SLOT_CORE, HALT_SILENT);
}

static void go(s64 status)
{
	if (going)
		return;
	going = true;
	exit_status = status;
	console_printf("@exit code=%ld\n", status);
	console_flush(stop);
}

static void poweroff_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_count *letter = data;

	(void)from;
	(void)bytes;
	go(letter->count);
}

void power_off(s64 status)
{
	struct letter_count letter = {.count = status};

	route_send(0, LETTER_POWEROFF, &letter, sizeof(letter));
}

void power_init(void)
{
	route_handle(LETTER_POWEROFF, poweroff_rx, sizeof(struct letter_count));
}
