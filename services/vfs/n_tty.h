/*
 * The line discipline N_TTY: what stands between a terminal's keys and a program's read.
 *
 * A state machine without I/O: bytes in (n_tty_input), bytes to a program (n_tty_read), bytes of
 * a program out (n_tty_output); echo, signals and wake-ups leave through callbacks.
 *
 * Source: termios(3), ioctl_tty(2); POSIX.1-2017, 11 (General Terminal Interface).
 * Not here: jobs and sessions (tty.c), drivers.
 * Runs in: the personality, host tests, the fuzzer.
 */
#ifndef VFS_N_TTY_H
#define VFS_N_TTY_H

#include <skerry/types.h>

#define N_TTY_BUFFER 4096u /* bytes typed and not read yet; the longest canonical line */
#define N_TTY_NCCS   19u

/* struct termios of the kernel's ABI (TCGETS), 36 bytes. */
struct ktermios {
	u32 iflag, oflag, cflag, lflag;
	u8 line;
	u8 cc[N_TTY_NCCS];
};

struct n_tty;

struct n_tty_ops {
	/* Send @len bytes to the terminal; all are taken (the driver's queue is the driver's). */
	void (*output)(void *arg, const u8 *bytes, size_t len);
	/* SIGINT, SIGQUIT or SIGTSTP for the foreground process group. */
	void (*signal)(void *arg, int sig);
	/* Something can be read. */
	void (*readable)(void *arg);
	/* Output was stopped or goes on (^S, ^Q). May be NULL. */
	void (*flow)(void *arg, bool stopped);
};

/* Private but for @termios. */
struct n_tty {
	struct ktermios termios;
	const struct n_tty_ops *ops;
	void *arg;
	u8 buffer[N_TTY_BUFFER];     /* ring: indices count up for ever */
	u32 ends[N_TTY_BUFFER / 32]; /* bit: this byte ends a line */
	u64 head;                    /* next byte goes here */
	u64 line;                    /* bytes before it can be read (canonical) */
	u64 tail;                    /* next byte to read */
	u32 column;                  /* of the output, for tabs and erasing */
	u32 canon_column;            /* where the line being typed began */
	bool lnext;                  /* the next byte is literal (^V) */
	bool erasing;                /* between \ and / of ECHOPRT */
	bool stopped;                /* by ^S */
};

void n_tty_init(struct n_tty *tty, const struct n_tty_ops *ops, void *arg);

/* Bytes arrived from the terminal. */
void n_tty_input(struct n_tty *tty, const u8 *bytes, size_t len);
/* Room for input: what a pseudo-terminal's master may write before it must wait. */
size_t n_tty_room(const struct n_tty *tty);

/* Output of a program, processed as OPOST says; to ops->output. */
void n_tty_output(struct n_tty *tty, const u8 *bytes, size_t len);

/* Is there something to read: a line, or VMIN bytes? @poll: as poll(2) asks (VMIN with VTIME 0). */
bool n_tty_readable(const struct n_tty *tty, bool poll);
/*
 * Take what a read(2) of @len gives: at most a line when canonical. *@end: the read is complete,
 * because a line ended; if there are no bytes, at an end of file. Returns bytes.
 */
size_t n_tty_read(struct n_tty *tty, u8 *to, size_t len, bool *end);
/* Bytes that can be read now: FIONREAD. */
size_t n_tty_pending(const struct n_tty *tty);

/* TCSETS: what is typed changes its nature with ICANON. */
void n_tty_set_termios(struct n_tty *tty, const struct ktermios *termios);
void n_tty_flush_input(struct n_tty *tty);
/* ^S, ^Q, and tcflow(3): hold output back, or no longer. */
void n_tty_stop(struct n_tty *tty, bool stopped);

/* n_tty_output.c: a byte of output, processed as OPOST says; and as an echo shows it (^C). */
void n_tty_put(struct n_tty *tty, u8 c);
void n_tty_put_raw(struct n_tty *tty, u8 c);
void n_tty_echo(struct n_tty *tty, u8 c);
bool n_tty_is_continuation(const struct n_tty *tty, u8 c);

#endif
