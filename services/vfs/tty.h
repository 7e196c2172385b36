/*
 * Terminals: a line discipline with a driver below and jobs above; the serial console and
 * pseudo-terminals are such.
 *
 * Runs in: the personality, host tests.
 */
#ifndef VFS_TTY_H
#define VFS_TTY_H

#include <vfs/file.h>
#include <vfs/n_tty.h>

struct winsize_abi {
	u16 rows, cols, xpixel, ypixel;
};

/* What is below. */
struct tty_driver {
	const char *name;
	/* Send bytes. Takes all, or as many as room() says. Must not block. */
	size_t (*write)(void *arg, const u8 *bytes, size_t len);
	/* Bytes that write() takes now; when it grows from 0, call tty_writable(). NULL: no limit.
	 */
	size_t (*room)(void *arg);
	/* Speed and format changed. May be NULL. */
	void (*set_termios)(void *arg, const struct ktermios *termios);
	/* Bytes not sent yet (TIOCOUTQ, tcdrain). NULL: none. */
	size_t (*pending)(void *arg);
	/* Something a pseudo-terminal's master is told of: TTY_EVENT_*. May be NULL. */
	void (*event)(void *arg, u8 events);
	bool unbuffered; /* a writer waits as soon as output is stopped */
};

/* As the status byte of packet mode has them (ioctl_tty(2), TIOCPKT). */
#define TTY_EVENT_FLUSH_READ  0x01u
#define TTY_EVENT_FLUSH_WRITE 0x02u
#define TTY_EVENT_STOP        0x04u
#define TTY_EVENT_START       0x08u
#define TTY_EVENT_NO_STOP     0x10u /* ^S and ^Q are keys like others now */
#define TTY_EVENT_DO_STOP     0x20u /* ... and stop output again */

/**
 * Make the serial console: /dev/console, /dev/ttyS0 and, with tty_set_console(), where
 * /dev/console leads.
 *
 * @line  the n of ttySn
 * Returns the terminal, to be given input by tty_input(); NULL: no memory.
 */
struct tty *tty_new_serial(struct vfs *vfs, u32 line, const struct tty_driver *driver, void *arg);
void tty_set_console(struct vfs *vfs, struct tty *tty);
/** The size that a terminal begins with; later the ioctl changes it, and tells its jobs. */
void tty_set_size(struct tty *tty, const struct winsize_abi *size);

/* The driver received bytes. */
void tty_input(struct tty *tty, const u8 *bytes, size_t len);
/* The driver has room again. */
void tty_writable(struct tty *tty);
/* The line is gone: readers get end of file, the session SIGHUP and SIGCONT. */
void tty_hangup(struct tty *tty);

/**
 * The terminal of device @dev, as the controlling one of a task; NULL: 0, there is none, no memory.
 * On another core than that of the terminals it is something that stands for it.
 */
struct tty *tty_of_dev(struct vfs *vfs, u32 dev);

/* The device number (tty_nr of /proc/PID/stat), foreground group, and session; 0: none. */
u32 tty_dev(const struct tty *tty);
u32 tty_pgrp(const struct tty *tty);
u32 tty_session(const struct tty *tty);
/* A session leader ended: its terminal is let go, the foreground group gets SIGHUP, SIGCONT. */
void tty_session_ended(struct tty *tty, u32 sid);

#endif
