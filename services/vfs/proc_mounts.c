/*
 * /proc/PID/mounts, mountinfo, mountstats.
 *
 * An open file is of the namespace and the root that the process had when it was opened. The first
 * two can be polled: after a change of that namespace the file has an error condition, once.
 *
 * Runs in: the personality, host tests. Source: proc_pid_mounts(5), proc_pid_mountinfo(5).
 */
#include "procfs.h"

#include <poll.h>
#include <stdlib.h>
#include <vfs/mount.h>
#include <vfs/text.h>

struct mounts_file {
	struct mnt_namespace *ns; /* NULL: of a process that lives elsewhere, where it is read */
	struct path root;
	u64 event; /* the last change that poll() told of */
	struct text text;
	bool made;
};

static enum mounts_text kind_of(const void *arg)
{
	return (enum mounts_text)(uintptr_t)arg;
}

/* The place in the tree that process @pid's files are of; -EINVAL: it has none, as a zombie. */
static int find_place(struct vfs_task *reader, u32 pid, struct vfs_task **out)
{
	int err = proc_find_task(reader, pid, out);

	return err == -ESRCH ? -EINVAL : err;
}

static int open_mounts(struct vfs_task *t, struct inode *inode, struct file *file)
{
	const struct pseudo_inode *pi = pseudo_inode(inode);
	struct mounts_file *mf;
	struct vfs_task *task = NULL;
	int err = pseudo_is_far(pi) ? 0 : find_place(t, pi->pid, &task);

	if (err)
		return err;
	mf = calloc(1, sizeof(*mf));
	if (!mf)
		return -ENOMEM;
	file->private = mf;
	if (!task)
		return 0;
	mf->ns = task->fs->mnt;
	mf->root = task->fs->root;
	mf->event = mf->ns->mounts->event;
	ns_get(&mf->ns->ns);
	path_get(&mf->root);
	return 0;
}

static int make_text(struct vfs_task *t, struct file *file)
{
	const struct pseudo_inode *pi = pseudo_inode(file->inode);
	struct mounts_file *mf = file->private;
	struct text text = {0};
	int err = 0;

	if (mf->ns)
		vfs_show_mounts(mf->ns->mounts, &mf->root, &text, kind_of(pi->node->arg));
	else
		err = pseudo_show(pi, t, &text);
	err = err ? err : text_error(&text);
	if (err) {
		text_free(&text);
		return err;
	}
	text_free(&mf->text);
	mf->text = text;
	mf->made = true;
	return 0;
}

static s64 read_mounts(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct mounts_file *mf = file->private;
	int err = *pos == 0 || !mf->made ? make_text(t, file) : 0;

	return err ? err : pseudo_give(&mf->text, uio, pos);
}

static u32 poll_mounts(struct file *file, struct poll_table *table)
{
	struct mounts_file *mf = file->private;
	u64 event;

	if (!mf->ns)
		return POLLIN | POLLRDNORM;
	event = mf->ns->mounts->event;
	poll_wait(table, &mf->ns->changed);
	if (event == mf->event)
		return POLLIN | POLLRDNORM;
	mf->event = event;
	return POLLIN | POLLRDNORM | POLLERR | POLLPRI;
}

static void release_mounts(struct file *file)
{
	struct mounts_file *mf = file->private;

	text_free(&mf->text);
	if (mf->ns) {
		path_put(&mf->root);
		ns_put(&mf->ns->ns);
	}
	free(mf);
}

/* mountstats cannot be waited for, on Linux either. */
static const struct file_ops stats_ops = {
	.open = open_mounts,
	.read = read_mounts,
	.seek = pseudo_seek,
	.release = release_mounts,
};

static const struct file_ops mounts_ops = {
	.open = open_mounts,
	.read = read_mounts,
	.poll = poll_mounts,
	.seek = pseudo_seek,
	.release = release_mounts,
};

/* For who asks from another core. */
static int show(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	struct vfs_task *task;
	int err = find_place(reader, pid, &task);

	if (!err)
		vfs_show_mounts(task->fs->mnt->mounts, &task->fs->root, out, kind_of(arg));
	return err;
}

#define MOUNTS(file, bits, ops, kind)                                                              \
	{                                                                                          \
		.name = file, .mode = bits, .show = show, .fops = &(ops),                          \
		.arg = (void *)(uintptr_t)(kind)                                                   \
	}

static const struct proc_entry entries[] = {
	MOUNTS("mounts", 0444, mounts_ops, MOUNTS_PLAIN),
	MOUNTS("mountinfo", 0444, mounts_ops, MOUNTS_INFO),
	MOUNTS("mountstats", 0400, stats_ops, MOUNTS_STATS),
};

int proc_mounts_register(struct vfs *vfs)
{
	return procfs_add_to_processes(vfs, entries, ARRAY_SIZE(entries));
}
