/*
 * ioctls of terminals: modes, sizes, queues.
 *
 * Source: ioctl_tty(2), termios(3). The structures are those of the kernel's ABI, which differ
 * from the C library's.
 * Runs in: the personality, host tests.
 */
#include "tty_internal.h"

#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

/* struct termios2: ktermios with speeds as numbers. */
struct ktermios2 {
	struct ktermios base;
	u32 ispeed, ospeed;
};

static_assert(sizeof(struct ktermios) == 36 && sizeof(struct ktermios2) == 44, "TCGETS, TCGETS2");

#define TCGETS2_  0x802c542au
#define TCSETS2_  0x402c542bu
#define TCSETSW2_ 0x402c542cu
#define TCSETSF2_ 0x402c542du
#define TIOCSTI_  0x5412u

int user_get(struct vfs_task *t, void *to, u64 from, size_t len)
{
	return t->vfs->env->user_read(t->vfs->arg, t, to, from, len);
}

int user_put(struct vfs_task *t, u64 to, const void *from, size_t len)
{
	return t->vfs->env->user_write(t->vfs->arg, t, to, from, len);
}

/* Do the usual keys stop and start output? */
static bool has_usual_flow(const struct ktermios *t)
{
	return (t->iflag & IXON) && t->cc[VSTOP] == 023 && t->cc[VSTART] == 021;
}

static void change_modes(struct tty *tty, const struct ktermios *termios)
{
	bool before = has_usual_flow(&tty->ld.termios), after = has_usual_flow(termios);

	if (before != after)
		tty_event(tty, after ? TTY_EVENT_DO_STOP : TTY_EVENT_NO_STOP);
	n_tty_set_termios(&tty->ld, termios);
	if (tty->driver->set_termios)
		tty->driver->set_termios(tty->driver_arg, termios);
	tty_push(tty);
}

/* TCSETS and its relatives, @len bytes of the structure. */
static int set_modes(struct vfs_task *t, struct tty *tty, u64 arg, size_t len, bool drain,
		     bool flush)
{
	struct ktermios2 termios = {0};
	int err = tty_check_job(t, tty, SIGTTOU);

	if (!err)
		err = user_get(t, &termios, arg, len);
	if (!err && drain)
		err = tty_drain(tty);
	if (err)
		return err;
	if (flush)
		n_tty_flush_input(&tty->ld);
	change_modes(tty, &termios.base);
	return 0;
}

/* B38400 and its like as bits a second; termios(3). */
static u32 speed_of(u32 cflag)
{
	static const u32 low[] = {0,   50,   75,   110,  134,  150,  200,   300,
				  600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
	static const u32 high[] = {0,      57600,  115200, 230400, 460800,
				   500000, 576000, 921600, 1000000};
	u32 code = cflag & CBAUD;

	if (!(code & CBAUDEX))
		return low[code & 15];
	code &= ~(u32)CBAUDEX;
	return code < ARRAY_SIZE(high) ? high[code] : 0;
}

static int get_modes(struct vfs_task *t, struct tty *tty, u64 arg, size_t len)
{
	struct ktermios2 termios = {.base = tty->ld.termios};

	termios.ispeed = termios.ospeed = speed_of(termios.base.cflag);
	return user_put(t, arg, &termios, len);
}

static int set_size(struct vfs_task *t, struct tty *tty, u64 arg)
{
	struct winsize_abi size;
	int err = user_get(t, &size, arg, sizeof(size));

	if (err || memcmp(&size, &tty->size, sizeof(size)) == 0)
		return err;
	tty->size = size;
	if (tty->pgrp)
		t->vfs->env->signal_group(t->vfs->arg, tty->pgrp, SIGWINCH);
	return 0;
}

int tty_ioctl_modes(struct vfs_task *t, struct tty *tty, u32 cmd, u64 arg)
{
	switch (cmd) {
	case TCGETS:
		return get_modes(t, tty, arg, sizeof(struct ktermios));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_modes(t, tty, arg, sizeof(struct ktermios), cmd != TCSETS,
				 cmd == TCSETSF);
	case TCGETS2_:
		return get_modes(t, tty, arg, sizeof(struct ktermios2));
	case TCSETS2_:
	case TCSETSW2_:
	case TCSETSF2_:
		return set_modes(t, tty, arg, sizeof(struct ktermios2), cmd != TCSETS2_,
				 cmd == TCSETSF2_);
	case TIOCGWINSZ:
		return user_put(t, arg, &tty->size, sizeof(tty->size));
	case TIOCSWINSZ:
		return set_size(t, tty, arg);
	case TIOCEXCL:
		tty->exclusive = true;
		return 0;
	case TIOCNXCL:
		tty->exclusive = false;
		return 0;
	default:
		return -ENOIOCTLCMD;
	}
}

/* TCXONC: tcflow(3) */
static int flow(struct tty *tty, u64 action)
{
	u8 c;

	switch (action) {
	case TCOOFF:
	case TCOON:
		n_tty_stop(&tty->ld, action == TCOOFF);
		return 0;
	case TCIOFF:
	case TCION:
		c = tty->ld.termios.cc[action == TCIOFF ? VSTOP : VSTART];
		if (c)
			queue_put(&tty->out, &c, 1);
		tty_push(tty);
		return 0;
	default:
		return -EINVAL;
	}
}

/* Of the queues of bytes, and which terminal it is. */
static int queue_ioctl(struct vfs_task *t, struct tty *tty, u32 cmd, u64 arg)
{
	int n, err;

	switch (cmd) {
	case FIONREAD:
		n = (int)n_tty_pending(&tty->ld);
		return user_put(t, arg, &n, sizeof(n));
	case TIOCOUTQ:
		n = (int)queue_used(&tty->out);
		n += tty->driver->pending ? (int)tty->driver->pending(tty->driver_arg) : 0;
		return user_put(t, arg, &n, sizeof(n));
	case TIOCGDEV: /* of the terminal behind a console */
		return user_put(t, arg, &tty->dev, sizeof(tty->dev));
	case TCFLSH:
		err = tty_check_job(t, tty, SIGTTOU);
		return err ? err : tty_flush(tty, arg);
	case TCXONC:
		err = tty_check_job(t, tty, SIGTTOU);
		return err ? err : flow(tty, arg);
	case TCSBRK:
	case TCSBRKP:
		err = tty_check_job(t, tty, SIGTTOU);
		return err ? err : tty_drain(tty);
	default:
		return -ENOIOCTLCMD;
	}
}

int tty_ioctl(struct vfs_task *t, struct file *file, u32 cmd, u64 arg)
{
	struct tty *tty = file->private;
	int discipline = 0, err;

	if (tty->hung_up)
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	err = tty_ioctl_modes(t, tty, cmd, arg);
	if (err == -ENOIOCTLCMD)
		err = tty_ioctl_jobs(t, tty, false, cmd, arg);
	if (err == -ENOIOCTLCMD)
		err = queue_ioctl(t, tty, cmd, arg);
	if (err != -ENOIOCTLCMD)
		return err;
	switch (cmd) {
	case TIOCGETD:
		return user_put(t, arg, &discipline, sizeof(discipline));
	case TIOCSETD:
		err = user_get(t, &discipline, arg, sizeof(discipline));
		if (err)
			return err;
		return discipline ? -EINVAL : 0; /* N_TTY is the only one */
	case TIOCSTI_:
		return -EIO; /* as dev.tty.legacy_tiocsti = 0 has it */
	default:
		return -ENOTTY;
	}
}
