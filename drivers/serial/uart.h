/*
 * A 16550 UART, by the CPU driver's I/O ports: what the driver does to the hardware.
 *
 * Source: National Semiconductor PC16550D data sheet (June 1995), section 8.
 */
#ifndef SERIAL_UART_H
#define SERIAL_UART_H

#include <rt/calls.h>

#define UART_FIFO 16u /* bytes that can be written when the transmitter is empty */

struct uart {
	cap_t ports; /* eight of them */
	u16 base;
	bool wants_space; /* the transmitter's interrupt is on */
};

/** Set the line to 115200 baud, 8N1, FIFOs on, interrupts for what comes in. 0 or -ENODEV. */
int uart_init(struct uart *uart, cap_t ports);

/** Whether UART_FIFO bytes can be written now. */
bool uart_can_write(const struct uart *uart);

/** Whether all that was written has left. */
bool uart_is_idle(const struct uart *uart);

/** Write up to UART_FIFO bytes; uart_can_write() must have said so. */
void uart_write(const struct uart *uart, const char *text, u32 bytes);

/** Interrupt when UART_FIFO bytes can be written, or no longer. */
void uart_want_space(struct uart *uart, bool wants);

/** Read what has come, at most @bytes; returns how many. */
u32 uart_read(const struct uart *uart, char *text, u32 bytes);

/** Whether it asks for an interrupt; asking takes the transmitter's request back. */
bool uart_interrupts(const struct uart *uart);

#endif
