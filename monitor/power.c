/* See power.h. The port is QEMU's isa-debug-exit device, where hake puts it. */
#include "power.h"
#include "cmdline.h"
#include "console.h"
#include "monitor.h"
#include "route.h"
#include <rt/slots.h>
#include <stdio.h>

#define DEBUG_EXIT_PORT 0xf4u

#define RESET_PORT      0xcf9u /* of the chipset: bits 1 and 2 are a full reset */
#define RESET_FULL      0x06u

/* What a core asks of core 0. */
struct letter_power {
	s64 status;
	u64 restart;
};

static s64 exit_status;
static bool going;

static void out(u32 port, u32 size, u32 value)
{
	cap_t slot = slot_new();

	if (sys_ioport_mint(SLOT_CORE, port, port + (size == IO_OUT32 ? 3 : 0), slot) == 0)
		sys_io(slot, (u16)port, size, value);
}

static void stop(void)
{
	out(DEBUG_EXIT_PORT, IO_OUT32, (u32)exit_status);
	/* Nobody listens there: a real machine, or an emulator that was started by hand. */
	sys_core_halt(SLOT_CORE, HALT_SILENT);
}

static void restart(void)
{
	out(RESET_PORT, IO_OUT8, RESET_FULL);
	sys_core_halt(SLOT_CORE, HALT_SILENT);
}

/* The last line; with a key it is not to be mistaken for what a program has printed. */
static void say_end(bool restarts)
{
	u64 key = cmdline_number("exit_key", 0);
	char with_key[40] = "";

	if (key)
		snprintf(with_key, sizeof(with_key), " key=%lu", key);
	if (restarts)
		console_printf("@restart%s\n", with_key);
	else
		console_printf("@exit code=%ld%s\n", exit_status, with_key);
}

static void poweroff_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_power *letter = data;

	(void)from;
	(void)bytes;
	if (going)
		return;
	going = true;
	exit_status = letter->status;
	say_end(letter->restart);
	console_flush(letter->restart ? restart : stop);
}

void power_off(s64 status)
{
	struct letter_power letter = {.status = status};

	route_send(0, LETTER_POWEROFF, &letter, sizeof(letter));
}

void power_restart(void)
{
	struct letter_power letter = {.restart = 1};

	route_send(0, LETTER_POWEROFF, &letter, sizeof(letter));
}

void power_init(void)
{
	route_handle(LETTER_POWEROFF, poweroff_rx, sizeof(struct letter_power));
}
