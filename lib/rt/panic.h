/*
 * Giving up: a line in the CPU driver's log, then a fault, whose symbolised report the CPU driver
 * prints. assert() comes here.
 *
 * Runs in: native domains and the monitor.
 */
#ifndef RT_PANIC_H
#define RT_PANIC_H

/** Print one line (without newline) by way of the CPU driver's log, and die. */
_Noreturn void rt_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
