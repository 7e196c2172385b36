/*
 * What the CPU driver says: a ring of text that the monitor reads; and, before the serial driver
 * runs and in a panic, the serial port.
 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <skerry/types.h>

/** Formatted output of up to 255 bytes; for the formats see bare/bare.h. */
void log_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_vprintf(const char *format, va_list args);
void log_write(const char *text, u64 bytes);

/** Send everything to the serial port as well, or not. */
void log_direct(bool on);

/** Report and stop this core alone. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct regs;
/** The same with the registers at the fault, and where it was. */
_Noreturn void panic_regs(const struct regs *regs, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Print where @address of the CPU driver lies: "name+0x12". */
void symbol_print(u64 address);

/** Print a return-address chain of the current domain from @rip and @rbp, named by its ELF file. */
void domain_backtrace(u64 image_offset, u64 rip, u64 rbp);

s64 call_log_read(u64 core, u64 to, u64 bytes);
s64 call_log_write(u64 from, u64 bytes);
s64 call_log_direct(u64 core, u64 on);

#endif
