/*
 * The serial driver, as the monitor of core 0 sees it: starting it with its capabilities, and the
 * channel on which it takes lines. While there is none, the CPU driver prints.
 *
 *   direct --LISTEN by the driver--> opening --channel--> channel --its death--> direct
 *
 * Private to console.c and to who starts things (main.c, server.c).
 */
#ifndef MONITOR_SERIAL_H
#define MONITOR_SERIAL_H

#include "program.h"

/** Start the driver, if the image has one. */
void serial_start(void);

/** A program has registered a service: if it is the driver's, open the channel. */
void serial_service_listens(const struct program *p, const char *name);

/** Whether the CPU driver's log goes to the serial port by itself. */
bool serial_prints_log(void);

/** Print a line. False: there is no room now; call again with the same line. */
bool serial_write(const char *text, u32 bytes);

bool serial_poll(void);
bool serial_arm(bool wants_to_write);

/** Call @then when all that was written has left, or after FLUSH_TIMEOUT_NS. */
void serial_flush(void (*then)(void));

#endif
