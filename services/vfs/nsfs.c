/*
 * nsfs: files that stand for namespaces. Each lookup makes a new inode, of the namespace's number;
 * all are of one superblock that is mounted nowhere.
 *
 * Runs in: the personality, host tests. Source: namespaces(7), ioctl_nsfs(2).
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

static void evict(struct inode *inode)
{
	ns_put(inode->private);
	inode_free(inode);
}

static int open_ns(struct vfs_task *t, struct inode *inode, struct file *file)
{
	(void)t;
	(void)inode;
	return file->mode & FILE_WRITE ? -EPERM : 0;
}

static int ns_ioctl(struct vfs_task *t, struct file *file, u32 cmd, u64 arg)
{
	return nsfs_ioctl(t, ns_of_inode(file->inode), cmd, arg);
}

static const struct inode_ops inode_ops = {.evict = evict};
static const struct file_ops file_ops = {.open = open_ns, .ioctl = ns_ioctl};

int ns_path(struct ns *ns, struct path *out)
{
	struct mount *mnt = ns->vfs->nsfs;
	struct inode *inode = inode_new(mnt->sb, &inode_ops, S_IFREG | 0444, sizeof(*inode));
	char name[32];

	if (!inode)
		return -ENOMEM;
	inode->ino = ns->inum;
	inode->fops = &file_ops;
	inode->private = ns_get(ns);
	snprintf(name, sizeof(name), "%s:[%u]", ns_name(ns->type), ns->inum);
	out->dentry = dentry_new_anon(mnt->sb, inode, name);
	if (!out->dentry) {
		inode_put(inode);
		return -ENOMEM;
	}
	out->mnt = mount_get(mnt);
	return 0;
}

int ns_open(struct ns *ns, u32 flags, struct file **out)
{
	struct file *file = NULL;
	struct path path;
	int err = ns_path(ns, &path);

	if (err)
		return err;
	err = file_alloc(ns->vfs, &file);
	if (err) {
		path_put(&path);
		return err;
	}
	file->path = path;
	file->inode = path.dentry->inode;
	file->ops = &file_ops;
	file->mode = FILE_READ;
	file->flags = flags & (u32)O_NONBLOCK;
	*out = file;
	return 0;
}

struct ns *ns_of_inode(const struct inode *inode)
{
	return inode->ops == &inode_ops ? inode->private : NULL;
}

struct ns *ns_of_file(const struct file *file)
{
	return file->inode ? ns_of_inode(file->inode) : NULL;
}

int nsfs_ioctl(struct vfs_task *t, struct ns *ns, u32 cmd, u64 arg)
{
	(void)t;
	(void)ns;
	(void)cmd;
	(void)arg;
	return -ENOTTY;
}
