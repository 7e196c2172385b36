/*
 * N_TTY, the way in: editing of lines, signals, what can be read. See n_tty.h.
 *
 * Bytes lie in a ring between 'tail' and 'head'. In canonical mode those before 'line' can be read,
 * and a bit marks each that ends a line; the line being edited lies from 'line' to 'head'. An end
 * of file (^D) is a NUL with such a bit: it ends a line and is not read itself.
 *
 * Runs in: the personality, host tests, the fuzzer.
 */
#include <vfs/n_tty.h>

#include <ctype.h>
#include <signal.h>
#include <string.h>
#include <termios.h>

#define MASK (N_TTY_BUFFER - 1)

static bool on(const struct n_tty *tty, u32 lflag)
{
	return tty->termios.lflag & lflag;
}

/* Is @c the special character VINTR...? One that is 0 is switched off. */
static bool is_cc(const struct n_tty *tty, u8 c, u32 which)
{
	return c && tty->termios.cc[which] == c;
}

static u8 *at(struct n_tty *tty, u64 pos)
{
	return &tty->buffer[pos & MASK];
}

static bool ends_line(const struct n_tty *tty, u64 pos)
{
	return tty->ends[(pos & MASK) / 32] >> (pos & 31) & 1;
}

static void set_end(struct n_tty *tty, u64 pos, bool end)
{
	u32 *word = &tty->ends[(pos & MASK) / 32];

	*word = end ? *word | 1u << (pos & 31) : *word & ~(1u << (pos & 31));
}

void n_tty_init(struct n_tty *tty, const struct n_tty_ops *ops, void *arg)
{
	/* What Linux's tty_std_termios is: a line of 38400 8N1, edited, echoed. */
	static const u8 cc[N_TTY_NCCS] = {
		[VINTR] = 3,     [VQUIT] = 28,   [VERASE] = 127, [VKILL] = 21, [VEOF] = 4,
		[VMIN] = 1,      [VSTART] = 17,  [VSTOP] = 19,   [VSUSP] = 26, [VREPRINT] = 18,
		[VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22};

	*tty = (struct n_tty){.ops = ops, .arg = arg};
	tty->termios.iflag = ICRNL | IXON;
	tty->termios.oflag = OPOST | ONLCR;
	tty->termios.cflag = B38400 | CS8 | CREAD | HUPCL;
	tty->termios.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
	memcpy(tty->termios.cc, cc, sizeof(cc));
}

static size_t used(const struct n_tty *tty)
{
	return tty->head - tty->tail;
}

size_t n_tty_room(const struct n_tty *tty)
{
	size_t room = N_TTY_BUFFER - used(tty);

	/* The end of a line that is too long must get in. */
	return !room && on(tty, ICANON) && tty->line == tty->tail ? 1 : room;
}

void n_tty_flush_input(struct n_tty *tty)
{
	tty->head = tty->line = tty->tail = 0;
	tty->lnext = tty->erasing = false;
	memset(tty->ends, 0, sizeof(tty->ends));
}

void n_tty_stop(struct n_tty *tty, bool stopped)
{
	if (tty->stopped == stopped)
		return;
	tty->stopped = stopped;
	if (tty->ops->flow)
		tty->ops->flow(tty->arg, stopped);
}

/* --- Erasing --- */

static void finish_erasing(struct n_tty *tty)
{
	if (tty->erasing)
		n_tty_put(tty, '/');
	tty->erasing = false;
}

/* How many columns back a tab at @pos, of the line being edited, reached. */
static u32 tab_width(struct n_tty *tty, u64 pos)
{
	u32 columns = 0;
	bool after_tab = false;

	while (pos != tty->line && !after_tab) {
		u8 c = *at(tty, --pos);

		if (c == '\t')
			after_tab = true;
		else if (iscntrl(c))
			columns += on(tty, ECHOCTL) ? 2 : 0;
		else if (!n_tty_is_continuation(tty, c))
			columns++;
	}
	if (!after_tab)
		columns += tty->canon_column;
	return 8 - (columns & 7);
}

static void rub_out(struct n_tty *tty)
{
	tty->ops->output(tty->arg, (const u8 *)"\b \b", 3);
	if (tty->column > 0)
		tty->column--;
}

/* Show that the character at @pos, @bytes long, is gone. @one: it alone is erased. */
static void echo_erased(struct n_tty *tty, u64 pos, u64 bytes, bool one)
{
	u8 c = *at(tty, pos);

	if (on(tty, ECHOPRT)) {
		if (!tty->erasing)
			n_tty_put_raw(tty, '\\');
		tty->erasing = true;
		n_tty_echo(tty, c);
		while (--bytes > 0)
			n_tty_put_raw(tty, *at(tty, ++pos));
	} else if (one && !on(tty, ECHOE)) {
		n_tty_echo(tty, tty->termios.cc[VERASE]);
	} else if (c == '\t') {
		for (u32 n = tab_width(tty, pos); n > 0; n--)
			n_tty_put(tty, '\b');
	} else {
		if (iscntrl(c) && on(tty, ECHOCTL))
			rub_out(tty);
		if (!iscntrl(c) || on(tty, ECHOCTL))
			rub_out(tty);
	}
}

enum erase { ERASE_CHAR, ERASE_WORD, ERASE_LINE };

static void erase(struct n_tty *tty, enum erase what)
{
	bool in_word = false;

	while (tty->head != tty->line) {
		u64 pos = tty->head, before;
		u8 c;

		do /* all bytes of a character */
			c = *at(tty, --pos);
		while (n_tty_is_continuation(tty, c) && pos != tty->line);
		if (n_tty_is_continuation(tty, c))
			break;
		if (what == ERASE_WORD) {
			if (isalnum(c) || c == '_')
				in_word = true;
			else if (in_word)
				break;
		}
		before = tty->head;
		tty->head = pos;
		if (on(tty, ECHO))
			echo_erased(tty, pos, before - pos, what == ERASE_CHAR);
		if (what == ERASE_CHAR)
			break;
	}
	if (tty->head == tty->line && on(tty, ECHO))
		finish_erasing(tty);
}

static void kill_line(struct n_tty *tty)
{
	if (tty->head == tty->line)
		return;
	if (on(tty, ECHO) && on(tty, ECHOK) && on(tty, ECHOKE) && on(tty, ECHOE)) {
		erase(tty, ERASE_LINE);
		return;
	}
	tty->head = tty->line;
	if (!on(tty, ECHO))
		return;
	finish_erasing(tty);
	n_tty_echo(tty, tty->termios.cc[VKILL]);
	if (on(tty, ECHOK))
		n_tty_put(tty, '\n');
}

/* --- Input --- */

static void store(struct n_tty *tty, u8 c, bool end)
{
	*at(tty, tty->head) = c;
	set_end(tty, tty->head, end);
	tty->head++;
	if (end) {
		tty->line = tty->head;
		tty->ops->readable(tty->arg);
	}
}

static void echo_typed(struct n_tty *tty, u8 c)
{
	if (!on(tty, ECHO))
		return;
	finish_erasing(tty);
	if (c == '\n') {
		n_tty_put(tty, '\n');
		return;
	}
	if (tty->head == tty->line)
		tty->canon_column = tty->column;
	n_tty_echo(tty, c);
}

/* 0: not a character that makes a signal. */
static int signal_of(const struct n_tty *tty, u8 c)
{
	if (!on(tty, ISIG))
		return 0;
	if (is_cc(tty, c, VINTR))
		return SIGINT;
	if (is_cc(tty, c, VQUIT))
		return SIGQUIT;
	return is_cc(tty, c, VSUSP) ? SIGTSTP : 0;
}

static void make_signal(struct n_tty *tty, u8 c, int sig)
{
	if (!on(tty, NOFLSH))
		n_tty_flush_input(tty);
	tty->ops->signal(tty->arg, sig); /* drops output that has not left: the echo comes after */
	if (tty->termios.iflag & IXON)
		n_tty_stop(tty, false);
	if (on(tty, ECHO))
		n_tty_echo(tty, c);
}

static void reprint(struct n_tty *tty, u8 c)
{
	finish_erasing(tty);
	n_tty_echo(tty, c);
	n_tty_put(tty, '\n');
	for (u64 pos = tty->line; pos != tty->head; pos++)
		n_tty_echo(tty, *at(tty, pos));
}

static void quote_next(struct n_tty *tty)
{
	tty->lnext = true;
	if (!on(tty, ECHO))
		return;
	finish_erasing(tty);
	if (on(tty, ECHOCTL))
		tty->ops->output(tty->arg, (const u8 *)"^\b", 2);
}

/* What edits or ends a line. False: an ordinary character. */
static bool edit(struct n_tty *tty, u8 c)
{
	bool extended = on(tty, IEXTEN);

	if (is_cc(tty, c, VERASE)) {
		erase(tty, ERASE_CHAR);
	} else if (extended && is_cc(tty, c, VWERASE)) {
		erase(tty, ERASE_WORD);
	} else if (is_cc(tty, c, VKILL)) {
		kill_line(tty);
	} else if (extended && is_cc(tty, c, VLNEXT)) {
		quote_next(tty);
	} else if (extended && on(tty, ECHO) && is_cc(tty, c, VREPRINT)) {
		reprint(tty, c);
	} else if (c == '\n') {
		if (on(tty, ECHO | ECHONL))
			n_tty_put(tty, '\n');
		store(tty, c, true);
	} else if (is_cc(tty, c, VEOF)) {
		store(tty, 0, true);
	} else if (is_cc(tty, c, VEOL) || (extended && is_cc(tty, c, VEOL2))) {
		echo_typed(tty, c);
		store(tty, c, true);
	} else {
		return false;
	}
	return true;
}

/* ^S and ^Q. False: another character. */
static bool control_flow(struct n_tty *tty, u8 c)
{
	u32 iflag = tty->termios.iflag;

	if (!(iflag & IXON))
		return false;
	if (is_cc(tty, c, VSTOP) || is_cc(tty, c, VSTART)) {
		/* One character for both: it toggles. */
		bool both = tty->termios.cc[VSTOP] == tty->termios.cc[VSTART];

		n_tty_stop(tty, both ? !tty->stopped : is_cc(tty, c, VSTOP));
		return true;
	}
	if (iflag & IXANY)
		n_tty_stop(tty, false);
	return false;
}

/* Make room for one byte if the line being edited is too long: its last byte goes. */
static bool make_room(struct n_tty *tty)
{
	if (used(tty) < N_TTY_BUFFER)
		return true;
	if (!on(tty, ICANON) || tty->line != tty->tail)
		return false;
	tty->head--;
	return true;
}

static void input_byte(struct n_tty *tty, u8 c)
{
	u32 iflag = tty->termios.iflag;
	int sig;

	if (iflag & ISTRIP)
		c &= 0x7f;
	if ((iflag & IUCLC) && on(tty, IEXTEN))
		c = (u8)tolower(c);
	if (tty->lnext) {
		tty->lnext = false;
	} else {
		if (control_flow(tty, c))
			return;
		sig = signal_of(tty, c);
		if (sig) {
			make_signal(tty, c, sig);
			return;
		}
		if (c == '\r' && (iflag & IGNCR))
			return;
		if (c == '\r' && (iflag & ICRNL))
			c = '\n';
		else if (c == '\n' && (iflag & INLCR))
			c = '\r';
		if (!make_room(tty))
			return;
		if (on(tty, ICANON) && edit(tty, c))
			return;
	}
	if (!make_room(tty))
		return;
	echo_typed(tty, c);
	store(tty, c, false);
	if (c == 0xff && (iflag & PARMRK) && make_room(tty))
		store(tty, c, false);
}

void n_tty_input(struct n_tty *tty, const u8 *bytes, size_t len)
{
	u64 head = tty->head;

	for (size_t i = 0; i < len; i++)
		input_byte(tty, bytes[i]);
	if (!on(tty, ICANON) && tty->head != head)
		tty->ops->readable(tty->arg);
}

/* --- Reading --- */

size_t n_tty_pending(const struct n_tty *tty)
{
	size_t n;

	if (!on(tty, ICANON))
		return used(tty);
	n = tty->line - tty->tail;
	for (u64 pos = tty->tail; pos != tty->line; pos++)
		n -= ends_line(tty, pos) && !tty->buffer[pos & MASK];
	return n;
}

bool n_tty_readable(const struct n_tty *tty, bool poll)
{
	size_t need = 1;

	if (on(tty, ICANON))
		return tty->line != tty->tail;
	if (poll && !tty->termios.cc[VTIME] && tty->termios.cc[VMIN])
		need = tty->termios.cc[VMIN];
	return used(tty) >= need;
}

static size_t read_line(struct n_tty *tty, u8 *to, size_t len, bool *line_end)
{
	size_t n = 0;

	while (tty->tail != tty->line) {
		u8 c = *at(tty, tty->tail);
		bool end = ends_line(tty, tty->tail), is_eof = end && !c;

		/* An end of file right behind what fills the buffer is part of this read. */
		if (n == len && !is_eof)
			break;
		set_end(tty, tty->tail, false);
		tty->tail++;
		if (!is_eof)
			to[n++] = c;
		*line_end = end;
		if (end)
			break;
	}
	return n;
}

size_t n_tty_read(struct n_tty *tty, u8 *to, size_t len, bool *end)
{
	size_t n = 0;

	*end = false;
	if (!len)
		return 0;
	if (on(tty, ICANON))
		return read_line(tty, to, len, end);
	while (n < len && tty->tail != tty->head) {
		set_end(tty, tty->tail, false);
		to[n++] = *at(tty, tty->tail++);
	}
	tty->line = MAX(tty->line, tty->tail);
	return n;
}

void n_tty_set_termios(struct n_tty *tty, const struct ktermios *termios)
{
	bool was_canonical = on(tty, ICANON);

	tty->termios = *termios;
	if (was_canonical != on(tty, ICANON)) {
		/* What was typed raw can be read as a line; what was being edited, raw. */
		memset(tty->ends, 0, sizeof(tty->ends));
		tty->line = was_canonical ? tty->tail : tty->head;
		if (!was_canonical && used(tty))
			set_end(tty, tty->head - 1, true);
		tty->erasing = tty->lnext = false;
		if (used(tty))
			tty->ops->readable(tty->arg);
	}
	if (!(termios->iflag & IXON))
		n_tty_stop(tty, false);
}
