/*
 * /proc/PID/fd, whose names are links to open files, and /proc/PID/fdinfo.
 *
 * Source: proc_pid_fd(5), proc_pid_fdinfo(5).
 * Runs in: the personality, host tests.
 */
#include "procfs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The open file of an inode in fd or fdinfo, with a reference; NULL: closed, or no process. */
static struct file *file_of(const struct inode *inode)
{
	const struct pseudo_inode *pi = container_of(inode, struct pseudo_inode, inode);
	struct vfs_task *task = proc_task(inode);

	return task && task->files ? fd_get(task, pi->fd) : NULL;
}

/* Owner, and the link's mode, which tells how the file is open. */
static int refresh_item(struct vfs_task *t, struct inode *inode)
{
	struct file *file = file_of(inode);
	int err;

	if (!file)
		return -ENOENT;
	if (inode_is(inode, S_IFLNK))
		inode->mode = S_IFLNK | (file->mode & FILE_READ ? 0500 : 0) |
			      (file->mode & FILE_WRITE ? 0300 : 0);
	file_put(file);
	err = proc_refresh(t, inode);
	return err;
}

static bool revalidate_item(struct vfs_task *t, struct dentry *dentry)
{
	return !refresh_item(t, dentry->inode);
}

static int follow_item(struct vfs_task *t, struct inode *inode, struct path *out)
{
	struct file *file;
	int err = proc_may_read(t, inode);

	if (err)
		return err == -ESRCH ? -ENOENT : err;
	file = file_of(inode);
	if (!file)
		return -ENOENT;
	*out = file->path;
	path_get(out);
	file_put(file);
	return 0;
}

static const struct inode_ops link_ops = {.readlink = pseudo_magic_text,
					  .follow = follow_item,
					  .refresh = refresh_item,
					  .revalidate = revalidate_item};
static const struct inode_ops info_ops = {.refresh = refresh_item, .revalidate = revalidate_item};

/* --- fdinfo --- */

struct info_file {
	struct text text;
};

static int open_info(struct vfs_task *t, struct inode *inode, struct file *file)
{
	struct info_file *info;
	struct file *about;
	u32 cloexec = 0;
	int err = proc_may_read(t, inode);

	if (err)
		return err;
	about = file_of(inode);
	if (!about)
		return -ENOENT;
	if (fd_cloexec(proc_task(inode), pseudo_inode(inode)->fd))
		cloexec = O_CLOEXEC;
	info = calloc(1, sizeof(*info));
	if (info) {
		text_printf(&info->text, "pos:\t%ld\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n",
			    about->pos, about->flags | cloexec, about->path.mnt->id,
			    about->inode->ino);
		info->text.pid_ns = inode->sb->private;
		if (about->ops->show_info)
			about->ops->show_info(about, &info->text);
		file->private = info;
	}
	file_put(about);
	return info ? 0 : -ENOMEM;
}

static s64 read_info(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct info_file *info = file->private;
	size_t want, got;

	(void)t;
	if ((u64)*pos >= info->text.len)
		return text_error(&info->text);
	want = MIN(info->text.len - (u64)*pos, uio->left);
	got = uio_put(uio, info->text.at + *pos, want);
	*pos += (s64)got;
	return got || !want ? (s64)got : -EFAULT;
}

static void release_info(struct file *file)
{
	struct info_file *info = file->private;

	text_free(&info->text);
	free(info);
}

static const struct file_ops info_file_ops = {
	.open = open_info, .read = read_info, .seek = pseudo_seek, .release = release_info};

/* --- The folders --- */

static const struct pseudo_node link_node = {.mode = S_IFLNK | 0700, .ino = 1, .ops = &link_ops};
static const struct pseudo_node info_node = {
	.mode = S_IFREG | 0400, .ino = 2, .ops = &info_ops, .fops = &info_file_ops};

static bool is_info(const struct inode *dir)
{
	return container_of(dir, struct pseudo_inode, inode)->node->arg != NULL;
}

static int look_up_fd(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		      struct inode **out)
{
	const struct pseudo_node *node = is_info(dir) ? &info_node : &link_node;
	s64 fd = proc_parse_number(name, len);
	struct inode *inode;
	int err;

	if (fd < 0)
		return -ENOENT;
	err = proc_may_read(t, dir);
	if (err)
		return err == -ESRCH ? -ENOENT : err;
	err = pseudo_inode_new(dir->sb, node, pseudo_inode(dir)->pid, &inode);
	if (err)
		return err;
	pseudo_inode(inode)->fd = (int)fd;
	inode->ino |= (u64)fd;
	err = refresh_item(t, inode);
	if (err)
		inode_put(inode);
	else
		*out = inode;
	return err;
}

static int give_fds(struct vfs_task *t, struct file *file, struct dir_context *ctx)
{
	u64 base = (u64)pseudo_inode(file->inode)->pid << 40 |
		   (u64)(is_info(file->inode) ? info_node.ino : link_node.ino) << 24;
	u32 type = is_info(file->inode) ? DT_REG : DT_LNK;
	struct vfs_task *task = proc_task(file->inode);
	int err = proc_may_read(t, file->inode), fd;

	if (err)
		return err == -ESRCH ? -ENOENT : err;
	if (!pseudo_emit_children(file, ctx) || !task->files)
		return 0;
	while ((fd = fd_next(task->files, (int)(ctx->pos - 2))) >= 0) {
		char name[16];
		int len = snprintf(name, sizeof(name), "%d", fd);

		if (!dir_emit(ctx, name, (u32)len, base | (u32)fd, type, (u64)fd + 3))
			break;
	}
	return 0;
}

/* The process itself may always look, whatever its ids are now. */
static int folder_permission(struct vfs_task *t, struct inode *inode, u32 may)
{
	if (t->tgid == pseudo_inode(inode)->pid)
		return 0;
	return proc_permission(t, inode, may);
}

static const struct inode_ops folder_ops = {.lookup = look_up_fd,
					    .refresh = proc_refresh,
					    .revalidate = proc_revalidate,
					    .permission = folder_permission};
static const struct file_ops folder_file_ops = {
	.readdir = give_fds, .seek = pseudo_seek, .fsync = fsync_nothing};

int proc_fd_register(struct procfs *proc)
{
	struct pseudo_node *fd = pseudo_folder(proc->process, "fd", 2);
	struct pseudo_node *info = pseudo_folder(proc->process, "fdinfo", 6);

	if (!fd || !info)
		return -ENOMEM;
	fd->ops = info->ops = &folder_ops;
	fd->fops = info->fops = &folder_file_ops;
	fd->mode = info->mode = S_IFDIR | 0500;
	info->arg = info; /* see is_info() */
	return 0;
}
