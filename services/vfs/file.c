/*
 * Open files: their lives, what has no place in the tree, mapping, polling.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <vfs/epoll.h>
#include <vfs/far_file.h>

const struct file_ops no_ops = {0};

int file_alloc(struct vfs *vfs, struct file **out)
{
	struct file *file;

	if (vfs->nfiles >= vfs->max_files)
		return -ENFILE;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->refs = 1;
	file->ops = &no_ops;
	vfs->nfiles++;
	*out = file;
	return 0;
}

void file_end(struct file *file)
{
	struct vfs *vfs = file->path.dentry->sb->vfs;
	struct inode *inode = file->inode;

	locks_file_ends(file);
	if (file->watchers)
		epoll_forget(file);
	if (file->exported)
		export_gone(file);
	if (file->async)
		async_free(file);
	if (file->ops->release)
		file->ops->release(file);
	if (file->mode & FILE_COUNTED) {
		inode_drop_writer(inode);
		file->path.mnt->writers--;
		file->path.mnt->sb->writers--;
	}
	path_put(&file->path);
	free(file);
	vfs->nfiles--;
}

static const struct inode_ops anon_inode_ops = {0};

static int open_no_device(struct vfs_task *t, struct inode *inode, struct file *file)
{
	(void)t;
	(void)inode;
	(void)file;
	return -ENXIO;
}

/* A file without a place cannot be opened again through /proc/PID/fd. */
static const struct file_ops anon_open_ops = {.open = open_no_device};

int file_new_anon(struct vfs *vfs, const char *name, const struct file_ops *ops, void *private,
		  u32 flags, struct file **out)
{
	struct superblock *sb = vfs->anon->sb;
	struct inode *inode = inode_new(sb, &anon_inode_ops, S_IRUSR | S_IWUSR, sizeof(*inode));
	struct file *file = NULL;
	struct dentry *dentry;
	int err = -ENOMEM;

	if (!inode)
		return -ENOMEM;
	inode->ino = ++vfs->next_ino;
	inode->fops = &anon_open_ops;
	dentry = dentry_new_anon(sb, inode, name);
	if (!dentry) {
		inode_put(inode);
		return -ENOMEM;
	}
	err = file_alloc(vfs, &file);
	if (err) {
		dentry_put(dentry);
		return err;
	}
	file->path = (struct path){mount_get(vfs->anon), dentry};
	file->inode = inode;
	file->ops = ops;
	file->private = private;
	file->flags = flags & ~(u32)(O_CLOEXEC | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
	file->mode = ((flags & O_ACCMODE) != O_WRONLY ? FILE_READ : 0) |
		     ((flags & O_ACCMODE) != O_RDONLY ? FILE_WRITE : 0);
	*out = file;
	return 0;
}

s64 file_seek_nothing(struct vfs_task *t, struct file *file, s64 offset, u32 whence)
{
	(void)t;
	(void)offset;
	(void)whence;
	return file->pos;
}

u32 file_poll(struct file *file, struct poll_table *table)
{
	if (file->mode & FILE_PATH)
		return POLLNVAL;
	if (!file->ops->poll)
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	return file->ops->poll(file, table);
}

static bool is_behind(const struct inode *inode, u64 index)
{
	return index >= ROUND_UP(inode->size, PAGE_SIZE) / PAGE_SIZE;
}

int file_page(struct file *file, u64 index, bool write, struct page **out)
{
	struct inode *inode = file->inode;

	if (!inode->ops->page)
		return -ENODEV;
	if (file_is_far(file) && inode->ops->refresh)
		inode->ops->refresh(NULL, inode);
	if (is_behind(inode, index) &&
	    (!inode->far || inode->ops->refresh(NULL, inode) || is_behind(inode, index)))
		return -ERANGE;
	return inode->ops->page(inode, index, write, out);
}

u32 file_pages(struct file *file, u64 index, u32 count, struct page **out)
{
	struct inode *inode = file->inode;
	u64 end = ROUND_UP(inode->size, PAGE_SIZE) / PAGE_SIZE;
	u32 n = index < end ? (u32)MIN(count, end - index) : 0;

	for (u32 i = n; i < count; i++)
		out[i] = NULL;
	return n && inode->ops->pages ? inode->ops->pages(inode, index, n, out) : 0;
}

int file_check_mmap(struct vfs_task *t, struct file *file, bool shared, u32 prot)
{
	bool noexec = file->path.mnt->flags & VFS_MNT_NOEXEC;

	if (file->mode & FILE_PATH)
		return -EBADF;
	if (shared && (prot & PROT_WRITE) && !(file->mode & FILE_WRITE))
		return -EACCES;
	if (!(file->mode & FILE_READ))
		return -EACCES;
	if ((prot & PROT_EXEC) && noexec)
		return -EPERM;
	if (shared && (prot & PROT_WRITE) && file->inode->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE))
		return -EPERM;
	if (file->ops->mmap)
		return file->ops->mmap(t, file, shared);
	if (!inode_is(file->inode, S_IFREG) || !file->inode->ops->page)
		return -ENODEV;
	path_accessed(&file->path);
	return 0;
}

s64 file_read_kernel(struct vfs_task *t, struct file *file, void *to, size_t len, s64 pos)
{
	struct uio uio;

	uio_kernel(&uio, to, len);
	if (!file->ops->read)
		return -EINVAL;
	return file->ops->read(t, file, &uio, &pos);
}
