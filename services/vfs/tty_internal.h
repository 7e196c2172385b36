/*
 * A terminal from inside: tty.c, tty_ioctl.c, tty_jobs.c, pty.c. Private to services/vfs.
 */
#ifndef VFS_TTY_INTERNAL_H
#define VFS_TTY_INTERNAL_H

#include "internal.h"
#include <vfs/tty.h>

#define TTY_QUEUE   8192u /* bytes of output on their way to the driver; a power of two */

#define CONSOLE_DEV VFS_DEV(5, 1)
#define TTY_DEV     VFS_DEV(5, 0)

/* Bytes in a ring; head and tail count for ever. */
struct byte_queue {
	u8 bytes[TTY_QUEUE];
	u64 head, tail;
};

struct tty {
	struct tty *next; /* of vfs->ttys: serial lines */
	struct vfs *vfs;
	struct n_tty ld;
	const struct tty_driver *driver;
	void *driver_arg;
	u32 dev;
	u32 pgrp, session; /* foreground process group, session that it controls; 0: none */
	u32 opens;
	u32 far; /* the core that has it, + 1: this one only stands for it here (far_tty.c) */
	bool hung_up, exclusive;
	struct winsize_abi size;
	struct byte_queue out;
	struct wait_queue readable, writable;
};

void tty_init(struct tty *tty, struct vfs *vfs, u32 dev, const struct tty_driver *driver,
	      void *arg);

/* The operations of a terminal's files; file->private is the tty. */
extern const struct file_ops tty_ops;
s64 tty_read(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos);
s64 tty_write(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos);
u32 tty_poll(struct file *file, struct poll_table *table);

/* Make @file one of @tty's: the controlling terminal too, unless @noctty. */
int tty_open_file(struct vfs_task *t, struct tty *tty, struct file *file, bool noctty);
void tty_close_file(struct tty *tty);

/* pty.c: the slave of device @dev; NULL: there is none. */
struct tty *pty_slave_of_dev(const struct vfs *vfs, u32 dev);

/* far_tty.c: of a terminal that another core has. */
u32 far_tty_pgrp(const struct tty *tty);
u32 far_tty_session(const struct tty *tty);
void far_tty_session_ended(const struct tty *tty, u32 sid);

/* Bytes into and out of a queue: how many there was room or were bytes for. */
size_t queue_put(struct byte_queue *q, const u8 *bytes, size_t len);
size_t queue_take(struct byte_queue *q, u8 *bytes, size_t len);
size_t queue_used(const struct byte_queue *q);

/* Tell the driver of something (TTY_EVENT_*). */
void tty_event(struct tty *tty, u8 events);
/* Send what waits, as far as the driver takes it. */
void tty_push(struct tty *tty);
/* Wait until all output has gone. */
int tty_drain(struct tty *tty);
/* Throw away what waits: of input, output (TCIFLUSH, TCOFLUSH, TCIOFLUSH). */
int tty_flush(struct tty *tty, u64 which);

/* tty_ioctl.c: those that a master knows of its slave too. -ENOIOCTLCMD: not one of them. */
#define ENOIOCTLCMD 515
int tty_ioctl(struct vfs_task *t, struct file *file, u32 cmd, u64 arg);
int tty_ioctl_modes(struct vfs_task *t, struct tty *tty, u32 cmd, u64 arg);
int user_get(struct vfs_task *t, void *to, u64 from, size_t len);
int user_put(struct vfs_task *t, u64 to, const void *from, size_t len);

/* tty_jobs.c: may @t, perhaps in the background, do what sends @sig (SIGTTIN, SIGTTOU)? */
int tty_check_job(struct vfs_task *t, struct tty *tty, int sig);
int tty_ioctl_jobs(struct vfs_task *t, struct tty *tty, bool master, u32 cmd, u64 arg);
void tty_take_session(struct vfs_task *t, struct tty *tty);

/* pty.c. Open @tty as what it is if it is a slave; -ENOIOCTLCMD: it is not. */
int pty_open_slave(struct vfs_task *t, struct tty *tty, struct file *file);
int pty_register(struct vfs *vfs);

#endif
