/*
 * N_TTY, the way out: output processing (OPOST), and how what is typed is echoed.
 *
 * The column of the cursor is followed, for tabs and for erasing.
 *
 * Source: termios(3).
 * Runs in: the personality, host tests, the fuzzer.
 */
#include <vfs/n_tty.h>

#include <ctype.h>
#include <string.h>
#include <termios.h>

/* A byte of a UTF-8 character but the first: takes no column. */
bool n_tty_is_continuation(const struct n_tty *tty, u8 c)
{
	return (tty->termios.iflag & IUTF8) && (c & 0xc0) == 0x80;
}

void n_tty_put_raw(struct n_tty *tty, u8 c)
{
	tty->ops->output(tty->arg, &c, 1);
}

static void put_newline(struct n_tty *tty)
{
	if (tty->termios.oflag & ONLRET)
		tty->column = 0;
	if (tty->termios.oflag & ONLCR) {
		tty->canon_column = tty->column = 0;
		tty->ops->output(tty->arg, (const u8 *)"\r\n", 2);
		return;
	}
	tty->canon_column = tty->column;
	n_tty_put_raw(tty, '\n');
}

static void put_return(struct n_tty *tty)
{
	u32 oflag = tty->termios.oflag;

	if ((oflag & ONOCR) && tty->column == 0)
		return;
	if (oflag & OCRNL) {
		if (oflag & ONLRET)
			tty->canon_column = tty->column = 0;
		n_tty_put_raw(tty, '\n');
		return;
	}
	tty->canon_column = tty->column = 0;
	n_tty_put_raw(tty, '\r');
}

static void put_tab(struct n_tty *tty)
{
	u32 spaces = 8 - (tty->column & 7);

	tty->column += spaces;
	if ((tty->termios.oflag & TABDLY) == XTABS)
		tty->ops->output(tty->arg, (const u8 *)"        ", spaces);
	else
		n_tty_put_raw(tty, '\t');
}

void n_tty_put(struct n_tty *tty, u8 c)
{
	if (!(tty->termios.oflag & OPOST)) {
		n_tty_put_raw(tty, c);
		return;
	}
	switch (c) {
	case '\n':
		put_newline(tty);
		return;
	case '\r':
		put_return(tty);
		return;
	case '\t':
		put_tab(tty);
		return;
	case '\b':
		if (tty->column > 0)
			tty->column--;
		break;
	default:
		if (iscntrl(c))
			break;
		if (tty->termios.oflag & OLCUC)
			c = (u8)toupper(c);
		if (!n_tty_is_continuation(tty, c))
			tty->column++;
	}
	n_tty_put_raw(tty, c);
}

void n_tty_echo(struct n_tty *tty, u8 c)
{
	if ((tty->termios.lflag & ECHOCTL) && iscntrl(c) && c != '\t') {
		const u8 shown[2] = {'^', c ^ 0100};

		tty->ops->output(tty->arg, shown, 2);
		tty->column += 2;
		return;
	}
	n_tty_put(tty, c);
}

/* Bytes that OPOST does not change go out in one piece. */
static size_t plain_run(const struct n_tty *tty, const u8 *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && bytes[n] >= ' ' && bytes[n] < 0x7f)
		n++;
	return tty->termios.oflag & OLCUC ? 0 : n;
}

void n_tty_output(struct n_tty *tty, const u8 *bytes, size_t len)
{
	if (!(tty->termios.oflag & OPOST)) {
		tty->ops->output(tty->arg, bytes, len);
		return;
	}
	while (len) {
		size_t n = plain_run(tty, bytes, len);

		if (n) {
			tty->ops->output(tty->arg, bytes, n);
			tty->column += (u32)n;
		} else {
			n_tty_put(tty, *bytes);
			n = 1;
		}
		bytes += n;
		len -= n;
	}
}
