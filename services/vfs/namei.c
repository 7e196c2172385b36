/*
 * Making and removing names: mkdir, mknod, symlink, link, unlink, rmdir; and readlink.
 *
 * Source: the manual pages of these, section 2.
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <string.h>
#include <vfs/text.h>

/* Make @node at the negative @dentry below the walk's place, and end the walk. */
static int make_node(struct walk *w, struct dentry *dentry, const struct new_node *node)
{
	struct inode *dir = w->path.dentry->inode, *inode;
	u32 type = node->mode & S_IFMT;
	int err = may_create(w->t, dir);

	if (!err && (type == S_IFCHR || type == S_IFBLK) && !vfs_capable(w->t, VFS_CAP_MKNOD))
		err = -EPERM;
	if (!err && !dir->ops->make)
		err = -EPERM;
	if (!err)
		err = dir->ops->make(w->t, dir, w->last, w->last_len, node, &inode);
	if (!err)
		dentry_instantiate(dentry, inode);
	dentry_put(dentry);
	walk_end(w);
	return err;
}

int vfs_mkdirat(struct vfs_task *t, int dirfd, const char *path, u32 mode)
{
	struct walk w;
	struct dentry *dentry;
	struct new_node node;
	int err = walk_create(&w, t, dirfd, path, true, &dentry);

	if (err)
		return err;
	mode &= (0777 | S_ISVTX) & ~t->fs->umask;
	new_node_fill(t, w.path.dentry->inode, S_IFDIR | mode, &node);
	return make_node(&w, dentry, &node);
}

int vfs_mknodat(struct vfs_task *t, int dirfd, const char *path, u32 mode, u32 dev)
{
	u32 type = mode & S_IFMT ? mode & S_IFMT : S_IFREG;
	struct walk w;
	struct dentry *dentry;
	struct new_node node;
	int err;

	if (type == S_IFDIR)
		return -EPERM;
	if (type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO &&
	    type != S_IFSOCK)
		return -EINVAL;
	err = walk_create(&w, t, dirfd, path, false, &dentry);
	if (err)
		return err;
	new_node_fill(t, w.path.dentry->inode, type | (mode & 07777 & ~t->fs->umask), &node);
	node.rdev = type == S_IFCHR || type == S_IFBLK ? dev : 0;
	return make_node(&w, dentry, &node);
}

int vfs_symlinkat(struct vfs_task *t, const char *target, int dirfd, const char *path)
{
	struct walk w;
	struct dentry *dentry;
	struct new_node node;
	int err;

	if (!*target)
		return -ENOENT;
	if (strlen(target) >= VFS_PATH_MAX)
		return -ENAMETOOLONG;
	err = walk_create(&w, t, dirfd, path, false, &dentry);
	if (err)
		return err;
	new_node_fill(t, w.path.dentry->inode, S_IFLNK | 0777, &node);
	node.target = target;
	return make_node(&w, dentry, &node);
}

/* --- link(2) --- */

static int check_link(struct walk *w, const struct path *old)
{
	struct inode *dir = w->path.dentry->inode, *inode = old->dentry->inode;
	int err;

	if (old->mnt != w->path.mnt)
		return -EXDEV;
	err = may_create(w->t, dir);
	if (err)
		return err;
	if (inode->sb != dir->sb)
		return -EXDEV;
	if (inode->flags & (VFS_FL_APPEND | VFS_FL_IMMUTABLE))
		return -EPERM;
	if (!dir->ops->link || inode_is(inode, S_IFDIR))
		return -EPERM;
	return inode->nlink || inode->linkable ? 0 : -ENOENT;
}

static int link_to(struct walk *w, const struct path *old, struct dentry *dentry)
{
	struct inode *dir = w->path.dentry->inode, *inode = old->dentry->inode;
	int err = check_link(w, old);

	if (!err)
		err = dir->ops->link(w->t, dir, w->last, w->last_len, inode);
	if (!err) {
		inode->linkable = false;
		dentry_instantiate(dentry, inode_get(inode));
	}
	return err;
}

int vfs_linkat(struct vfs_task *t, int olddir, const char *oldpath, int newdir, const char *newpath,
	       u32 flags)
{
	struct path old;
	struct walk w;
	struct dentry *dentry;
	u32 walk = flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0;
	int err;

	if (flags & ~(u32)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH) {
		if (!*oldpath && !vfs_capable(t, VFS_CAP_DAC_READ_SEARCH))
			return -ENOENT;
		walk |= WALK_EMPTY_PATH;
	}
	err = vfs_walk(t, olddir, oldpath, walk, &old);
	if (err)
		return err;
	err = walk_create(&w, t, newdir, newpath, false, &dentry);
	if (!err) {
		err = link_to(&w, &old, dentry);
		dentry_put(dentry);
		walk_end(&w);
	}
	path_put(&old);
	return err;
}

/* --- unlink(2), rmdir(2) --- */

static int check_last_of_removal(const struct walk *w, bool directory)
{
	switch (w->type) {
	case LAST_NORM:
		return mount_is_readonly(w->path.mnt) ? -EROFS : 0;
	case LAST_DOT:
		return directory ? -EINVAL : -EISDIR;
	case LAST_DOTDOT:
		return directory ? -ENOTEMPTY : -EISDIR;
	default:
		return directory ? -EBUSY : -EISDIR;
	}
}

static int check_removal(struct walk *w, struct dentry *victim, bool directory)
{
	struct inode *dir = w->path.dentry->inode, *inode = victim->inode;
	int err;

	if (!inode)
		return -ENOENT;
	if (!directory && walk_trailing_slash(w))
		return inode_is(inode, S_IFDIR) ? -EISDIR : -ENOTDIR;
	err = may_delete(w->t, dir, victim, directory);
	if (err)
		return err;
	if (directory ? !dir->ops->rmdir : !dir->ops->unlink)
		return -EPERM;
	return mounts_is_point_of(w->t->fs->mnt->mounts, victim) ? -EBUSY : 0;
}

static int remove_victim(struct walk *w, struct dentry *victim, bool directory)
{
	struct inode *dir = w->path.dentry->inode;
	int err = check_removal(w, victim, directory);

	if (err)
		return err;
	err = (directory ? dir->ops->rmdir : dir->ops->unlink)(w->t, dir, w->last, w->last_len,
							       victim->inode);
	if (!err && walk_is_at(w, victim))
		dentry_unlink(victim);
	else if (!err)
		dentry_recall(w->path.dentry, w->last, w->last_len);
	return err;
}

int vfs_unlinkat(struct vfs_task *t, int dirfd, const char *path, u32 flags)
{
	bool directory = flags & AT_REMOVEDIR;
	struct dentry *victim;
	struct walk w;
	int err;

	if (flags & ~(u32)AT_REMOVEDIR)
		return -EINVAL;
	err = walk_begin(&w, t, dirfd, path, 0, 0);
	if (err)
		return err;
	err = walk_to_parent(&w);
	if (!err)
		err = check_last_of_removal(&w, directory);
	if (!err)
		err = walk_look_up(&w, &victim);
	if (!err) {
		err = remove_victim(&w, victim, directory);
		dentry_put(victim);
	}
	walk_end(&w);
	return err;
}

/* --- readlink(2) --- */

s64 vfs_readlinkat(struct vfs_task *t, int dirfd, const char *path, struct uio *uio)
{
	struct text text = {0};
	struct inode *inode;
	struct path at;
	s64 n;

	if (!uio->left)
		return -EINVAL;
	n = vfs_walk(t, dirfd, path, WALK_EMPTY_PATH, &at);
	if (n)
		return n;
	inode = at.dentry->inode;
	if (!inode_is(inode, S_IFLNK) || !inode->ops->readlink) {
		n = *path ? -EINVAL : -ENOENT;
	} else {
		path_accessed(&at);
		n = inode->ops->readlink(t, inode, &text);
	}
	if (!n)
		n = text_error(&text);
	if (!n) {
		size_t want = MIN(text.len, uio->left);

		n = uio_put(uio, text.at, want) == want ? (s64)want : -EFAULT;
	}
	text_free(&text);
	path_put(&at);
	return n;
}
