/*
 * What is still to be written to the UART: a ring of bytes, filled with whole lines, emptied by a
 * fiber as fast as the transmitter takes it.
 */
#ifndef SERIAL_OUTPUT_H
#define SERIAL_OUTPUT_H

#include "uart.h"

/** Start the fiber that writes. 0 or -ENOMEM. */
int output_init(struct uart *uart);

/** Put text behind what is there, all of it at once; waits for room. @bytes <= OUTPUT_MAX. */
void output_put(const char *text, u32 bytes);

/** Wait until all has left. */
void output_drain(void);

/** An interrupt came: there may be space. */
void output_interrupt(void);

#define OUTPUT_MAX 2048u

#endif
