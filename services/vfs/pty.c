/*
 * Pseudo-terminals: /dev/ptmx makes a pair; its master is the open file, its slave /dev/pts/N.
 *
 * The slave is a terminal whose driver is the master's reader. A pair lives until the master and
 * all slaves are closed; its name goes with the master.
 *
 * Source: pty(7), pts(4), ioctl_tty(2).
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"
#include "tty_internal.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <vfs/far_file.h>

#define MAX_PTYS  4096u /* kernel.pty.max */
#define PTS_MAJOR 136u
#define TTY_GROUP 5u
#define PIECE     256u

struct pty {
	struct tty slave; /* first */
	u32 index;
	bool master_open, locked, packet;
	u8 status;           /* in packet mode: what the master is to be told */
	bool slave_was_open; /* since the master was; and is not any more if opens is 0 */
	struct byte_queue to_master;
	struct wait_queue readable, writable; /* the master's */
};

struct pty_table {
	struct superblock *devpts;
	u32 mode, gid; /* of new slaves */
	struct pty *ptys[MAX_PTYS];
};

static struct pty *pty_of(struct tty *tty)
{
	return container_of(tty, struct pty, slave);
}

static void put_if_unused(struct pty *pty)
{
	struct pty_table *table = pty->slave.vfs->ptys;

	if (pty->master_open || pty->slave.opens)
		return;
	table->ptys[pty->index] = NULL;
	free(pty);
}

/* --- The slave's driver --- */

static size_t write_to_master(void *arg, const u8 *bytes, size_t len)
{
	struct pty *pty = arg;
	size_t n = pty->master_open ? queue_put(&pty->to_master, bytes, len) : len;

	if (n)
		wait_wake(&pty->readable, POLLIN | POLLRDNORM);
	return n;
}

static size_t room_to_master(void *arg)
{
	struct pty *pty = arg;

	return TTY_QUEUE - queue_used(&pty->to_master);
}

static size_t pending_to_master(void *arg)
{
	struct pty *pty = arg;

	return queue_used(&pty->to_master);
}

static void note_event(void *arg, u8 events)
{
	struct pty *pty = arg;

	if (!pty->packet)
		return;
	if (events & (TTY_EVENT_STOP | TTY_EVENT_START))
		pty->status &= (u8) ~(TTY_EVENT_STOP | TTY_EVENT_START);
	if (events & (TTY_EVENT_NO_STOP | TTY_EVENT_DO_STOP))
		pty->status &= (u8) ~(TTY_EVENT_NO_STOP | TTY_EVENT_DO_STOP);
	pty->status |= events;
	wait_wake(&pty->readable, POLLIN | POLLRDNORM | POLLPRI);
}

static const struct tty_driver slave_driver = {.name = "pts",
					       .write = write_to_master,
					       .room = room_to_master,
					       .pending = pending_to_master,
					       .event = note_event,
					       .unbuffered = true};

/* --- The slave's files: a terminal's, but for the end --- */

static void release_slave(struct file *file)
{
	struct pty *pty = pty_of(file->private);

	tty_close_file(&pty->slave);
	if (!pty->slave.opens)
		wait_wake(&pty->readable, POLLHUP);
	put_if_unused(pty);
}

static s64 read_slave(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct pty *pty = pty_of(file->private);
	s64 n = tty_read(t, file, uio, pos);

	if (n > 0)
		wait_wake(&pty->writable, POLLOUT | POLLWRNORM);
	return n;
}

static const struct file_ops slave_ops = {
	.read = read_slave,
	.write = tty_write,
	.poll = tty_poll,
	.ioctl = tty_ioctl,
	.release = release_slave,
};

static int join_slave(struct vfs_task *t, struct pty *pty, struct file *file, bool noctty)
{
	int err;

	if (pty->locked || !pty->master_open)
		return -EIO;
	err = tty_open_file(t, &pty->slave, file, noctty);
	if (err)
		return err;
	file->ops = &slave_ops;
	pty->slave_was_open = true;
	return 0;
}

int pty_open_slave(struct vfs_task *t, struct tty *tty, struct file *file)
{
	return tty->driver == &slave_driver ? join_slave(t, pty_of(tty), file, true) : -ENOIOCTLCMD;
}

struct tty *pty_slave_of_dev(const struct vfs *vfs, u32 dev)
{
	u32 index = VFS_MINOR(dev);

	if (VFS_MAJOR(dev) != PTS_MAJOR || index >= MAX_PTYS || !vfs->ptys->ptys[index])
		return NULL;
	return &vfs->ptys->ptys[index]->slave;
}

static int open_slave(struct vfs_task *t, struct inode *inode, struct file *file)
{
	u32 index = VFS_MINOR(inode->rdev);
	struct pty *pty = index < MAX_PTYS ? t->vfs->ptys->ptys[index] : NULL;

	return pty ? join_slave(t, pty, file, false) : -EIO;
}

static const struct file_ops slave_open_ops = {.open = open_slave};

/* --- The master --- */

static bool slave_gone(const struct pty *pty)
{
	return pty->slave_was_open && !pty->slave.opens;
}

static s64 read_master(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct pty *pty = file->private;
	struct byte_queue *q = &pty->to_master;
	size_t before = uio->done;
	s64 err = 0;

	(void)pos;
	if (!uio->left)
		return 0;
	while (!queue_used(q) && !pty->status && !err) {
		if (slave_gone(pty))
			return -EIO;
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_block(t->vfs->loop, &pty->readable, FIBER_FOREVER);
	}
	if (err)
		return err;
	if (pty->status) { /* comes alone */
		u8 status = pty->status;

		pty->status = 0;
		return uio_put(uio, &status, 1) == 1 ? 1 : -EFAULT;
	}
	if (pty->packet && uio_put(uio, "", 1) < 1) /* TIOCPKT_DATA */
		return -EFAULT;
	while (uio->left && queue_used(q)) {
		u8 piece[PIECE];
		size_t n = queue_take(q, piece, MIN(uio->left, sizeof(piece)));

		if (uio_put(uio, piece, n) < n)
			break;
	}
	tty_push(&pty->slave);
	return uio->done > before ? (s64)(uio->done - before) : -EFAULT;
}

static s64 write_master(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct pty *pty = file->private;
	size_t before = uio->done;
	s64 err = 0;

	(void)pos;
	while (uio->left && !err) {
		u8 piece[PIECE];
		size_t want = MIN(MIN(uio->left, sizeof(piece)), n_tty_room(&pty->slave.ld)), got;

		if (slave_gone(pty)) {
			err = -EIO;
		} else if (want) {
			got = uio_take(uio, piece, want);
			tty_input(&pty->slave, piece, got);
			err = got < want ? -EFAULT : 0;
		} else if (file->flags & O_NONBLOCK) {
			err = -EAGAIN;
		} else {
			err = wait_block(t->vfs->loop, &pty->writable, FIBER_FOREVER);
		}
	}
	return uio->done > before ? (s64)(uio->done - before) : err;
}

static u32 poll_master(struct file *file, struct poll_table *table)
{
	struct pty *pty = file->private;
	u32 events = 0;

	poll_wait(table, &pty->readable);
	poll_wait(table, &pty->writable);
	if (queue_used(&pty->to_master))
		events |= POLLIN | POLLRDNORM;
	if (pty->status)
		events |= POLLIN | POLLRDNORM | POLLPRI;
	if (slave_gone(pty))
		events |= POLLHUP;
	else if (n_tty_room(&pty->slave.ld))
		events |= POLLOUT | POLLWRNORM;
	return events;
}

/* Set one of a master's switches to the int at @arg. */
static int set_switch(struct vfs_task *t, u64 arg, bool *which)
{
	int on, err = user_get(t, &on, arg, sizeof(on));

	if (!err)
		*which = on;
	return err;
}

/* A descriptor of the slave: by the mount of devpts that the master is on, or else /dev/pts. */
static int open_peer(struct vfs_task *t, struct pty *pty, const struct file *master, int flags)
{
	struct superblock *devpts = t->vfs->ptys->devpts;
	struct path root = {master->path.mnt, NULL}, slave;
	char name[16];
	int len = snprintf(name, sizeof(name), "%u", pty->index), fd = 0;

	if (root.mnt->sb == devpts) {
		root.dentry = dentry_get(devpts->root);
		mount_get(root.mnt);
	} else {
		fd = vfs_walk(t, AT_FDCWD, "/dev/pts", WALK_FOLLOW, &root);
	}
	if (fd)
		return fd;
	slave.mnt = root.mnt;
	fd = root.mnt->sb == devpts ? dentry_lookup(t, devpts->root, name, (u32)len, &slave.dentry)
				    : -ENODEV;
	if (!fd) {
		fd = slave.dentry->inode ? vfs_open_place(t, &slave, flags) : -EIO;
		dentry_put(slave.dentry);
	}
	path_put(&root);
	return fd;
}

static int ioctl_master(struct vfs_task *t, struct file *file, u32 cmd, u64 arg)
{
	struct pty *pty = file->private;
	int n, err = tty_ioctl_modes(t, &pty->slave, cmd, arg);

	if (err == -ENOIOCTLCMD)
		err = tty_ioctl_jobs(t, &pty->slave, true, cmd, arg);
	if (err != -ENOIOCTLCMD)
		return err;
	switch (cmd) {
	case TIOCSPTLCK:
		return set_switch(t, arg, &pty->locked);
	case TIOCPKT:
		pty->status = 0;
		return set_switch(t, arg, &pty->packet);
	case TIOCGPTPEER:
		return open_peer(t, pty, file, (int)arg);
	case TCFLSH:
		return tty_flush(&pty->slave, arg);
	case TIOCSIG:
		if (arg < 1 || arg > 64)
			return -EINVAL;
		if (pty->slave.pgrp)
			t->vfs->env->signal_group(t->vfs->arg, pty->slave.pgrp, (int)arg);
		return 0;
	case TIOCGPTN:
		n = (int)pty->index;
		break;
	case TIOCGPTLCK:
		n = pty->locked;
		break;
	case TIOCGPKT:
		n = pty->packet;
		break;
	case FIONREAD:
		n = (int)queue_used(&pty->to_master);
		break;
	case TIOCOUTQ:
		n = 0;
		break;
	default:
		return -ENOTTY;
	}
	return user_put(t, arg, &n, sizeof(n));
}

static void release_master(struct file *file)
{
	struct pty *pty = file->private;
	char name[16];

	snprintf(name, sizeof(name), "%u", pty->index);
	tmpfs_remove_node(pty->slave.vfs->ptys->devpts, name);
	pty->master_open = false;
	tty_hangup(&pty->slave);
	put_if_unused(pty);
}

static void describe_master(struct file *file, struct file_desc *desc)
{
	const struct pty *pty = file->private;

	desc->traits |= FILE_IS_PTY_MASTER;
	desc->aux[0] = pty->index;
}

static const struct file_ops master_ops = {
	.read = read_master,
	.write = write_master,
	.poll = poll_master,
	.ioctl = ioctl_master,
	.describe = describe_master,
	.release = release_master,
};

static int open_master(struct vfs_task *t, struct inode *inode, struct file *file)
{
	struct pty_table *table = t->vfs->ptys;
	struct new_node node = {.mode = S_IFCHR | table->mode, .gid = table->gid};
	struct pty *pty;
	char name[16];
	u32 index = 0;
	int err;

	(void)inode;
	while (index < MAX_PTYS && table->ptys[index])
		index++;
	if (index == MAX_PTYS)
		return -ENOSPC;
	pty = calloc(1, sizeof(*pty));
	if (!pty)
		return -ENOMEM;
	node.uid = t->cred.fsuid;
	node.rdev = VFS_DEV(PTS_MAJOR, index);
	snprintf(name, sizeof(name), "%u", index);
	err = tmpfs_add_node(table->devpts, NULL, name, &node, NULL);
	if (err) {
		free(pty);
		return err;
	}
	tty_init(&pty->slave, t->vfs, node.rdev, &slave_driver, pty);
	pty->slave.ld.termios.cflag &= ~(u32)HUPCL;
	pty->index = index;
	pty->locked = pty->master_open = true;
	table->ptys[index] = pty;
	file->private = pty;
	file->ops = &master_ops;
	return 0;
}

static const struct file_ops ptmx_ops = {.open = open_master};

/* --- devpts: one instance, wherever it is mounted --- */

static bool parse_number(const char *s, size_t len, u32 base, u32 *out)
{
	u32 n = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || (u32)(s[i] - '0') >= base || n > UINT32_MAX / 16)
			return false;
		n = n * base + (u32)(s[i] - '0');
	}
	*out = n;
	return len > 0;
}

static int parse_options(const char *s, struct pty_table *table)
{
	u32 mode = table->mode, gid = table->gid, ignored;

	while (*s) {
		size_t len = strcspn(s, ",");
		bool good;

		if (!strncmp(s, "gid=", 4) && len > 4)
			good = parse_number(s + 4, len - 4, 10, &gid);
		else if (!strncmp(s, "mode=", 5) && len > 5)
			good = parse_number(s + 5, len - 5, 8, &mode);
		else if (!strncmp(s, "ptmxmode=", 9) && len > 9)
			good = parse_number(s + 9, len - 9, 8, &ignored);
		else
			good = !len || (len == 11 && !strncmp(s, "newinstance", len));
		if (!good)
			return -EINVAL;
		s += len + (s[len] == ',');
	}
	table->mode = mode & 0777;
	table->gid = gid;
	return 0;
}

static int mount_shared(struct vfs *vfs, void *arg, const char *source, const char *options,
			struct superblock **out)
{
	int err = parse_options(options, vfs->ptys);

	(void)arg;
	(void)source;
	*out = vfs->ptys->devpts;
	return err ? err : far_well_known(vfs, FAR_ID_DEVPTS, out);
}

int devpts_register(struct vfs *vfs)
{
	struct fs_type *type = calloc(1, sizeof(*type));
	struct new_node ptmx = {.mode = S_IFCHR | 0666, .rdev = VFS_DEV(5, 2)};
	int err;

	if (!type)
		return -ENOMEM;
	*type = (struct fs_type){
		.name = "devpts", .nodev = true, .anybody = true, .mount = mount_shared};
	vfs_register_fs(vfs, type);
	vfs->ptys = calloc(1, sizeof(*vfs->ptys));
	if (!vfs->ptys)
		return -ENOMEM;
	vfs->ptys->mode = 0620;
	vfs->ptys->gid = TTY_GROUP;
	err = tmpfs_new(vfs, "devpts", VFS_DEVPTS_MAGIC, "", &vfs->ptys->devpts);
	if (err)
		return err;
	vfs->ptys->devpts->stable_dir_cache = false; /* terminals come and go */
	vfs->ptys->devpts->refs++;
	return tmpfs_add_node(vfs->ptys->devpts, NULL, "ptmx", &ptmx, NULL);
}

struct superblock *devpts_of(struct vfs *vfs)
{
	return vfs->ptys->devpts;
}

void devpts_put(struct vfs *vfs)
{
	if (vfs->ptys && vfs->ptys->devpts)
		superblock_put(vfs->ptys->devpts);
	free(vfs->ptys);
}

int pty_register(struct vfs *vfs)
{
	int err = chrdev_register(vfs, PTS_MAJOR, 0, MAX_PTYS, NULL, 0, &slave_open_ops, NULL);

	return err ? err : chrdev_register(vfs, 5, 2, 1, "ptmx", 0666, &ptmx_ops, NULL);
}
