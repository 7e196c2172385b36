/*
 * Terminals: open files above, a line discipline, a queue of output, a driver below.
 *
 * A program's output is processed by the line discipline into the queue, from which the driver
 * takes as it can; a writer waits while the queue is long. Echoes go the same way, so that all
 * stays in order; those for which there is no room are lost.
 *
 * Source: tty(4), console(4), termios(3).
 * Not here: ioctls (tty_ioctl.c), jobs (tty_jobs.c), pseudo-terminals (pty.c).
 * Runs in: the personality, host tests.
 */
#include "tty_internal.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>

/* A writer goes on when the queue is this short; its pieces grow eightfold at most (tabs). */
#define WRITE_PIECE   256u
#define QUEUE_SHORT   (TTY_QUEUE - 8 * WRITE_PIECE)
#define DECISECOND_NS 100000000ul

size_t queue_used(const struct byte_queue *q)
{
	return q->head - q->tail;
}

size_t queue_put(struct byte_queue *q, const u8 *bytes, size_t len)
{
	len = MIN(len, TTY_QUEUE - queue_used(q));
	for (size_t i = 0; i < len; i++)
		q->bytes[q->head++ & (TTY_QUEUE - 1)] = bytes[i];
	return len;
}

size_t queue_take(struct byte_queue *q, u8 *bytes, size_t len)
{
	len = MIN(len, queue_used(q));
	for (size_t i = 0; i < len; i++)
		bytes[i] = q->bytes[q->tail++ & (TTY_QUEUE - 1)];
	return len;
}

void tty_event(struct tty *tty, u8 events)
{
	if (tty->driver->event)
		tty->driver->event(tty->driver_arg, events);
}

/* --- Callbacks of the line discipline --- */

static void ld_output(void *arg, const u8 *bytes, size_t len)
{
	struct tty *tty = arg;

	queue_put(&tty->out, bytes, len);
}

static void ld_signal(void *arg, int sig)
{
	struct tty *tty = arg;

	tty->out.tail = tty->ld.termios.lflag & NOFLSH ? tty->out.tail : tty->out.head;
	if (tty->pgrp)
		tty->vfs->env->signal_group(tty->vfs->arg, tty->pgrp, sig);
}

static void ld_readable(void *arg)
{
	struct tty *tty = arg;

	wait_wake(&tty->readable, POLLIN | POLLRDNORM);
}

static void ld_flow(void *arg, bool stopped)
{
	struct tty *tty = arg;

	tty_event(tty, stopped ? TTY_EVENT_STOP : TTY_EVENT_START);
	if (!stopped)
		tty_push(tty);
}

static const struct n_tty_ops ld_ops = {
	.output = ld_output, .signal = ld_signal, .readable = ld_readable, .flow = ld_flow};

void tty_init(struct tty *tty, struct vfs *vfs, u32 dev, const struct tty_driver *driver, void *arg)
{
	tty->vfs = vfs;
	tty->dev = dev;
	tty->driver = driver;
	tty->driver_arg = arg;
	n_tty_init(&tty->ld, &ld_ops, tty);
}

/* --- Output --- */

/* May a writer go on? */
static bool has_room(const struct tty *tty)
{
	return queue_used(&tty->out) <= QUEUE_SHORT &&
	       !(tty->driver->unbuffered && tty->ld.stopped);
}

void tty_push(struct tty *tty)
{
	struct byte_queue *q = &tty->out;

	while (!tty->ld.stopped && queue_used(q)) {
		size_t at = q->tail & (TTY_QUEUE - 1);
		size_t want = MIN(queue_used(q), TTY_QUEUE - at), sent;

		if (tty->driver->room)
			want = MIN(want, tty->driver->room(tty->driver_arg));
		sent = want ? tty->driver->write(tty->driver_arg, q->bytes + at, want) : 0;
		if (!sent)
			break;
		q->tail += sent;
	}
	if (has_room(tty))
		wait_wake(&tty->writable, POLLOUT | POLLWRNORM);
}

void tty_writable(struct tty *tty)
{
	tty_push(tty);
}

int tty_drain(struct tty *tty)
{
	int err = 0;

	while (!err && !tty->hung_up && queue_used(&tty->out))
		err = wait_block(tty->vfs->loop, &tty->writable, FIBER_FOREVER);
	return err;
}

static s64 wait_for_room(struct tty *tty, const struct file *file)
{
	s64 err = 0;

	while (!tty->hung_up && !has_room(tty) && !err) {
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_block(tty->vfs->loop, &tty->writable, FIBER_FOREVER);
	}
	return tty->hung_up ? -EIO : err;
}

s64 tty_write(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct tty *tty = file->private;
	size_t before = uio->done;
	s64 err = 0;

	(void)pos;
	if (tty->ld.termios.lflag & TOSTOP)
		err = tty_check_job(t, tty, SIGTTOU);
	while (uio->left && !err) {
		u8 piece[WRITE_PIECE];
		size_t want = MIN(uio->left, sizeof(piece)), got;

		err = wait_for_room(tty, file);
		if (err)
			break;
		got = uio_take(uio, piece, want);
		n_tty_output(&tty->ld, piece, got);
		tty_push(tty);
		if (got < want)
			err = -EFAULT;
	}
	return uio->done > before ? (s64)(uio->done - before) : err;
}

/* --- Input --- */

void tty_input(struct tty *tty, const u8 *bytes, size_t len)
{
	n_tty_input(&tty->ld, bytes, len);
	tty_push(tty);
}

/* Move what can be read to @uio, a line at most. Sets *@end: this read is complete. */
static s64 read_some(struct tty *tty, struct uio *uio, bool *end)
{
	s64 done = 0;

	while (uio->left && !*end) {
		u8 piece[WRITE_PIECE];
		size_t n = n_tty_read(&tty->ld, piece, MIN(uio->left, sizeof(piece)), end);

		if (uio_put(uio, piece, n) < n)
			return done ? done : -EFAULT;
		if (!n)
			break;
		done += (s64)n;
	}
	return done;
}

/* How long a read waits for its first, or (@some) its next byte; VMIN and VTIME of termios(3). */
static u64 read_deadline(struct tty *tty, bool some)
{
	const struct fiber_loop *loop = tty->vfs->loop;
	u8 min = tty->ld.termios.cc[VMIN], time = tty->ld.termios.cc[VTIME];

	if ((tty->ld.termios.lflag & ICANON) || !time || (min && !some))
		return FIBER_FOREVER;
	return loop->io->now_ns(loop->io_arg) + time * DECISECOND_NS;
}

/* Does a read that has @got bytes need no more? */
static bool read_enough(const struct tty *tty, size_t got)
{
	u8 min = tty->ld.termios.cc[VMIN];

	if (tty->ld.termios.lflag & ICANON)
		return got > 0;
	if (!min)
		return got > 0 || !tty->ld.termios.cc[VTIME];
	return got >= min;
}

static bool is_console(const struct file *file)
{
	return file->inode->rdev == CONSOLE_DEV;
}

s64 tty_read(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct tty *tty = file->private;
	size_t got = 0;
	s64 err = 0;

	(void)pos;
	if (!is_console(file)) /* which knows no jobs */
		err = tty_check_job(t, tty, SIGTTIN);
	while (!err && uio->left) {
		bool end = false;
		s64 n = read_some(tty, uio, &end);

		if (n < 0) {
			err = n;
			break;
		}
		got += (size_t)n;
		if (end || read_enough(tty, got) || !uio->left || tty->hung_up)
			break;
		if (file->flags & O_NONBLOCK)
			err = -EAGAIN;
		else
			err = wait_block(tty->vfs->loop, &tty->readable,
					 read_deadline(tty, got > 0));
	}
	if (err == -ETIMEDOUT)
		err = 0;
	return got ? (s64)got : err;
}

u32 tty_poll(struct file *file, struct poll_table *table)
{
	struct tty *tty = file->private;
	u32 events = 0;

	poll_wait(table, &tty->readable);
	poll_wait(table, &tty->writable);
	if (tty->hung_up)
		return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLERR | POLLHUP;
	if (n_tty_readable(&tty->ld, true))
		events |= POLLIN | POLLRDNORM;
	if (has_room(tty))
		events |= POLLOUT | POLLWRNORM;
	return events;
}

int tty_flush(struct tty *tty, u64 which)
{
	if (which != TCIFLUSH && which != TCOFLUSH && which != TCIOFLUSH)
		return -EINVAL;
	if (which != TCOFLUSH) {
		n_tty_flush_input(&tty->ld);
		tty_event(tty, TTY_EVENT_FLUSH_READ);
	}
	if (which != TCIFLUSH) {
		tty_event(tty, TTY_EVENT_FLUSH_WRITE);
		tty->out.tail = tty->out.head;
		tty_push(tty);
	}
	return 0;
}

void tty_hangup(struct tty *tty)
{
	struct vfs *vfs = tty->vfs;
	u32 sid = tty->session;

	tty->hung_up = true;
	tty_session_ended(tty, sid);
	if (sid)
		vfs->env->session_set_tty(vfs->arg, sid, NULL);
	n_tty_flush_input(&tty->ld);
	wait_wake(&tty->readable, POLLIN | POLLHUP);
	wait_wake(&tty->writable, POLLOUT | POLLHUP);
}

/* --- Opening and closing --- */

int tty_open_file(struct vfs_task *t, struct tty *tty, struct file *file, bool noctty)
{
	if (tty->exclusive && !vfs_capable(t, VFS_CAP_SYS_ADMIN))
		return -EBUSY;
	file->private = tty;
	file->ops = &tty_ops;
	tty->opens++;
	noctty |= (file->flags & O_NOCTTY) || !(file->mode & FILE_READ);
	if (!noctty && t->tgid == t->sid && !t->ctty && !tty->session)
		tty_take_session(t, tty);
	return 0;
}

void tty_close_file(struct tty *tty)
{
	tty->opens--;
}

static void release_serial(struct file *file)
{
	tty_close_file(file->private);
}

const struct file_ops tty_ops = {
	.read = tty_read,
	.write = tty_write,
	.poll = tty_poll,
	.ioctl = tty_ioctl,
	.release = release_serial,
};

static int open_serial(struct vfs_task *t, struct inode *inode, struct file *file)
{
	(void)inode;
	return tty_open_file(t, file->private, file, false);
}

static const struct file_ops serial_open_ops = {.open = open_serial};

/* /dev/tty: the controlling terminal, through that terminal's own device. */
static int open_controlling(struct vfs_task *t, struct inode *inode, struct file *file)
{
	int err;

	(void)inode;
	if (!t->ctty)
		return -ENXIO;
	err = pty_open_slave(t, t->ctty, file);
	return err == -ENOIOCTLCMD ? tty_open_file(t, t->ctty, file, true) : err;
}

static int open_console(struct vfs_task *t, struct inode *inode, struct file *file)
{
	(void)inode;
	return t->vfs->console ? tty_open_file(t, t->vfs->console, file, true) : -ENODEV;
}

static const struct file_ops controlling_ops = {.open = open_controlling};
static const struct file_ops console_ops = {.open = open_console};

/* --- The serial lines --- */

struct tty *tty_new_serial(struct vfs *vfs, u32 line, const struct tty_driver *driver, void *arg)
{
	static const char *const names[] = {"ttyS0", "ttyS1", "ttyS2", "ttyS3"};
	struct tty *tty;

	if (line >= ARRAY_SIZE(names))
		return NULL;
	tty = calloc(1, sizeof(*tty));
	if (!tty)
		return NULL;
	tty_init(tty, vfs, VFS_DEV(4, 64 + line), driver, arg);
	tty->ld.termios.cflag |= CLOCAL;
	if (chrdev_register(vfs, 4, 64 + line, 1, names[line], 0620, &serial_open_ops, tty)) {
		free(tty);
		return NULL;
	}
	tty->next = vfs->ttys;
	vfs->ttys = tty;
	return tty;
}

void tty_set_console(struct vfs *vfs, struct tty *tty)
{
	vfs->console = tty;
}

void tty_set_size(struct tty *tty, const struct winsize_abi *size)
{
	tty->size = *size;
}

void tty_put_all(struct vfs *vfs)
{
	while (vfs->ttys) {
		struct tty *tty = vfs->ttys;

		vfs->ttys = tty->next;
		free(tty);
	}
}

u32 tty_dev(const struct tty *tty)
{
	return tty->dev;
}

int tty_register(struct vfs *vfs)
{
	int err = chrdev_register(vfs, 5, 0, 1, "tty", 0666, &controlling_ops, NULL);

	if (!err)
		err = chrdev_register(vfs, 5, 1, 1, "console", 0600, &console_ops, NULL);
	return err ? err : pty_register(vfs);
}
