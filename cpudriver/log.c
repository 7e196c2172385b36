/*
 * The log of this core: a ring of text, and the serial port while nobody else drives it.
 */
#include "log.h"
#include "arch/x86_64/cpu.h"
#include "domain.h"
#include "kernel.h"

#define LOG_BYTES      8192u
#define COM1           0x3f8
#define LINE_STATUS    (COM1 + 5)
#define TRANSMIT_EMPTY 0x20

static char ring[LOG_BYTES];
static u64 written, taken; /* bytes since boot; what is overwritten unread is lost */
static bool direct;

void log_direct(bool on)
{
	direct = on;
}

static void serial_put(char c)
{
	/* A missing port reads as all ones; a stuck one must not hold the core. */
	for (u32 i = 0; i < 100000 && !(inb(LINE_STATUS) & TRANSMIT_EMPTY); i++)
		__asm__ volatile("pause");
	outb(COM1, (u8)c);
}

void log_write(const char *text, u64 bytes)
{
	for (u64 i = 0; i < bytes; i++) {
		ring[written++ % LOG_BYTES] = text[i];
		if (direct)
			serial_put(text[i]);
	}
}

void log_vprintf(const char *format, va_list args)
{
	char line[256];
	int n = vsnprintf(line, sizeof(line), format, args);

	log_write(line, MIN((u64)n, sizeof(line) - 1));
}

void log_printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vprintf(format, args);
	va_end(args);
}

/* ---- calls ---- */

s64 call_log_read(u64 core, u64 to, u64 bytes)
{
	struct cap *authority;
	s64 done = 0;
	int err = cap_find((cap_t)core, CAP_CORE, RIGHT_READ, &authority);

	if (err)
		return err;
	if (written - taken > LOG_BYTES)
		taken = written - LOG_BYTES;
	while (bytes > 0 && taken < written) {
		u64 at = taken % LOG_BYTES;
		u64 n = MIN(MIN(bytes, written - taken), LOG_BYTES - at);

		if (user_write(to, ring + at, n))
			return done ? done : -EFAULT;
		taken += n;
		to += n;
		bytes -= n;
		done += (s64)n;
	}
	return done;
}

s64 call_log_write(u64 from, u64 bytes)
{
	char text[LOG_WRITE_MAX];
	int err = bytes > sizeof(text) ? -EINVAL : user_read(text, from, bytes);

	if (err)
		return err;
	log_write(text, bytes);
	return (s64)bytes;
}

s64 call_log_direct(u64 core, u64 on)
{
	struct cap *authority;
	int err = cap_find((cap_t)core, CAP_CORE, RIGHT_WRITE, &authority);

	if (err)
		return err;
	log_direct(on);
	return 0;
}
