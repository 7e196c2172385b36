/*
 * Messages of the loader, on the first serial port (a 16550 at the PC's usual place).
 *
 * Runs in: the loader. Not here: console output of anything later.
 */
#include "loader.h"
#include "arch/x86_64/cpu.h"

#include <bare/bare.h>

#define PORT            0x3f8
#define PORT_DATA       (PORT + 0) /* divisor's low byte while DLAB is set */
#define PORT_IER        (PORT + 1) /* divisor's high byte */
#define PORT_FCR        (PORT + 2)
#define PORT_LCR        (PORT + 3)
#define PORT_MCR        (PORT + 4)
#define PORT_LSR        (PORT + 5)
#define PORT_SCR        (PORT + 7)
#define LCR_8N1         0x03
#define LCR_DLAB        0x80
#define LSR_EMPTY       0x20
#define WAIT_POLLS      100000 /* far more than a character takes at 115200 baud */

#define DEBUG_EXIT_PORT 0xf4 /* QEMU's isa-debug-exit */
#define DEBUG_EXIT_FAIL 1

static bool present;
static bool exit_on_failure;

static void put(char c)
{
	for (u32 i = 0; i < WAIT_POLLS && !(inb(PORT_LSR) & LSR_EMPTY); i++)
		;
	outb(PORT_DATA, (u8)c);
}

void console_init(void)
{
	outb(PORT_SCR, 0xa5);
	present = inb(PORT_SCR) == 0xa5;
	if (!present)
		return;
	outb(PORT_IER, 0);
	outb(PORT_LCR, LCR_DLAB);
	outb(PORT_DATA, 1); /* 115200 baud */
	outb(PORT_IER, 0);
	outb(PORT_LCR, LCR_8N1);
	outb(PORT_FCR, 0x07); /* FIFOs on, and empty */
	outb(PORT_MCR, 0x03);
	put('\r');
	put('\n'); /* a boot loader may have left the cursor in the middle of a line */
}

static void print(const char *text)
{
	for (; present && *text; text++)
		put(*text);
}

static void print_line(const char *prefix, const char *format, va_list args)
{
	char line[512];

	vsnprintf(line, sizeof(line), format, args);
	print(prefix);
	print(line);
	print("\r\n");
}

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("skerry: ", format, args);
	va_end(args);
}

void say_structured(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("", format, args);
	va_end(args);
}

void console_exit_on_failure(void)
{
	exit_on_failure = true;
}

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("skerry: ", format, args);
	va_end(args);
	if (exit_on_failure)
		outb(DEBUG_EXIT_PORT, DEBUG_EXIT_FAIL);
	cpu_stop();
}
