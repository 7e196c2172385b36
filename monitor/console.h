/*
 * The console: lines from the programs and the CPU driver of this core, and from the monitor
 * itself, on their way to the serial driver of core 0.
 *
 *   every core   lines queue; to core 0 as letters, WINDOW of them unanswered at a time
 *   core 0       lines of all cores queue; to the serial driver by a channel, or, as long as it
 *                does not run, by the CPU driver's log, which then prints by itself
 *
 * A program that prints faster than that gets -EAGAIN; nothing of a monitor waits.
 */
#ifndef MONITOR_CONSOLE_H
#define MONITOR_CONSOLE_H

#include <skerry/types.h>

void console_init(void);

/** Print one line, newline included, of the monitor's own. */
void console_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * Print a program's text: each line of it whole, an unfinished last one with a newline added.
 * Returns 0, or -EAGAIN: the queue is full, and nothing was taken; -ENOMEM.
 */
int console_print(const char *text, u32 bytes);

/** Take what the CPU driver of this core has said. */
void console_read_log(void);

/**
 * Send all that is queued on its way, whatever the window says: what is told to another core
 * afterwards arrives behind it. At the end of a program, whose last lines must not be lost.
 */
void console_push(void);

/** Send what can be sent, receive answers. True if anything was done. */
bool console_poll(void);

/** Ask the serial driver for doorbells. True: the monitor may sleep. */
bool console_arm(void);

/** A core is dead: lines on their way to core 0 may have been lost, so none is waited for. */
void console_core_died(void);

/** Call @then once all that was printed on core 0 so far has left the machine. Core 0 only. */
void console_flush(void (*then)(void));

#endif
