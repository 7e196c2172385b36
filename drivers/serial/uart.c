/* See uart.h. */
#include "uart.h"
#include <errno.h>

/* Registers. */
#define DATA             0u
#define IER              1u /* interrupt enable */
#define IIR              2u /* read: interrupt identification */
#define FCR              2u /* write: FIFO control */
#define LCR              3u /* line control */
#define MCR              4u /* modem control */
#define LSR              5u /* line status */
#define SCRATCH          7u
#define DLL              0u /* divisor, while LCR_DLAB */
#define DLM              1u

#define IER_RECEIVED     0x01u
#define IER_SPACE        0x02u
#define IIR_NONE         0x01u
#define FCR_ENABLE_CLEAR 0x07u
#define FCR_TRIGGER_8    0x80u
#define LCR_8N1          0x03u
#define LCR_DLAB         0x80u
#define MCR_READY        0x0bu /* DTR, RTS, and OUT2, which lets interrupts through */
#define LSR_RECEIVED     0x01u
#define LSR_SPACE        0x20u
#define LSR_IDLE         0x40u
#define DIVISOR_115200   1u

static u8 get(const struct uart *uart, u32 reg)
{
	return (u8)sys_io(uart->ports, (u16)(uart->base + reg), IO_IN8, 0);
}

static void set(const struct uart *uart, u32 reg, u8 value)
{
	sys_io(uart->ports, (u16)(uart->base + reg), IO_OUT8, value);
}

int uart_init(struct uart *uart, cap_t ports)
{
	struct cap_info info;

	if (sys_cap_info(ports, &info))
		return -ENODEV;
	*uart = (struct uart){.ports = ports, .base = (u16)info.base};
	set(uart, SCRATCH, 0x5a);
	if (get(uart, SCRATCH) != 0x5a) /* nothing answers there */
		return -ENODEV;
	set(uart, IER, 0);
	set(uart, LCR, LCR_DLAB);
	set(uart, DLL, DIVISOR_115200);
	set(uart, DLM, 0);
	set(uart, LCR, LCR_8N1);
	set(uart, FCR, FCR_ENABLE_CLEAR | FCR_TRIGGER_8);
	set(uart, MCR, MCR_READY);
	set(uart, IER, IER_RECEIVED);
	return 0;
}

bool uart_can_write(const struct uart *uart)
{
	return get(uart, LSR) & LSR_SPACE;
}

bool uart_is_idle(const struct uart *uart)
{
	return get(uart, LSR) & LSR_IDLE;
}

void uart_write(const struct uart *uart, const char *text, u32 bytes)
{
	sys_io_write(uart->ports, uart->base + DATA, text, MIN(bytes, UART_FIFO));
}

void uart_want_space(struct uart *uart, bool wants)
{
	if (uart->wants_space == wants)
		return;
	uart->wants_space = wants;
	set(uart, IER, IER_RECEIVED | (wants ? IER_SPACE : 0));
}

u32 uart_read(const struct uart *uart, char *text, u32 bytes)
{
	u32 n = 0;

	while (n < bytes && get(uart, LSR) & LSR_RECEIVED)
		text[n++] = (char)get(uart, DATA);
	return n;
}

bool uart_interrupts(const struct uart *uart)
{
	return !(get(uart, IIR) & IIR_NONE);
}
