/*
 * Inodes: their lives, who may do what with them, and changes of their attributes.
 *
 * Source: path_resolution(7), chmod(2), chown(2), utimensat(2), capabilities(7), inode(7).
 * Runs in: the personality, host tests.
 */
#include "internal.h"
#include "xattr.h"

#include <stdlib.h>

#define DAY_SEC (24 * 60 * 60)

struct vfs_time vfs_now(struct vfs *vfs)
{
	u64 now_ns = vfs->env->now_ns(vfs->arg);

	return (struct vfs_time){(s64)(now_ns / 1000000000), (u32)(now_ns % 1000000000)};
}

struct inode *inode_new(struct superblock *sb, const struct inode_ops *ops, u32 mode, size_t bytes)
{
	struct inode *inode = calloc(1, bytes);

	if (!inode)
		return NULL;
	sb->vfs->caches.ninodes++;
	inode->sb = sb;
	inode->ops = ops;
	inode->mode = mode;
	inode->refs = 1;
	inode->nlink = 1;
	inode->atime = inode->mtime = inode->ctime = inode->btime = vfs_now(sb->vfs);
	return inode;
}

void inode_free(struct inode *inode)
{
	locks_free(inode);
	inode_xattrs_free(inode);
	inode->sb->vfs->caches.ninodes--;
	free(inode);
}

struct inode *inode_get(struct inode *inode)
{
	inode->refs++;
	return inode;
}

void inode_put(struct inode *inode)
{
	if (--inode->refs)
		return;
	if (inode->ops->evict)
		inode->ops->evict(inode);
	else
		inode_free(inode);
}

bool vfs_capable(const struct vfs_task *t, u32 cap)
{
	return task_user_ns(t) == &t->vfs->user_ns && t->cred.caps >> cap & 1;
}

bool vfs_in_group(const struct vfs_task *t, u32 gid)
{
	u32 low = 0, high = t->cred.ngroups;

	if (gid == t->cred.fsgid)
		return true;
	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (t->cred.groups[mid] == gid)
			return true;
		if (t->cred.groups[mid] < gid)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

bool inode_is_owner(const struct vfs_task *t, const struct inode *inode)
{
	return t->cred.fsuid == inode->uid || inode_capable(t, inode, VFS_CAP_FOWNER);
}

int inode_permission_generic(struct vfs_task *t, struct inode *inode, u32 may)
{
	u32 mode = inode->mode;

	if (t->cred.fsuid == inode->uid)
		mode >>= 6;
	else if (vfs_in_group(t, inode->gid))
		mode >>= 3;
	if ((may & ~mode) == 0)
		return 0;
	if (inode_is(inode, S_IFDIR)) {
		if (!(may & MAY_WRITE) && inode_capable(t, inode, VFS_CAP_DAC_READ_SEARCH))
			return 0;
		return inode_capable(t, inode, VFS_CAP_DAC_OVERRIDE) ? 0 : -EACCES;
	}
	if (may == MAY_READ && inode_capable(t, inode, VFS_CAP_DAC_READ_SEARCH))
		return 0;
	/* Whoever may do all may execute what somebody may execute. */
	if ((!(may & MAY_EXEC) || (inode->mode & 0111)) &&
	    inode_capable(t, inode, VFS_CAP_DAC_OVERRIDE))
		return 0;
	return -EACCES;
}

int inode_permission(struct vfs_task *t, struct inode *inode, u32 may)
{
	u32 type = inode->mode & S_IFMT;

	if ((may & MAY_WRITE) && inode->sb->readonly &&
	    (type == S_IFREG || type == S_IFDIR || type == S_IFLNK))
		return -EROFS;
	if ((may & MAY_WRITE) && (inode->flags & VFS_FL_IMMUTABLE))
		return -EPERM;
	if (inode->ops->permission)
		return inode->ops->permission(t, inode, may);
	return inode_permission_generic(t, inode, may);
}

int may_create(struct vfs_task *t, struct inode *dir)
{
	const struct user_ns *owner = dir->sb->owner;

	if (!dir->nlink)
		return -ENOENT;
	/* A file system of a user namespace has no numbers for owners from outside. */
	if (owner && (user_ns_up(owner, t->cred.fsuid, MAP_USERS) == NO_ID ||
		      user_ns_up(owner, t->cred.fsgid, MAP_GROUPS) == NO_ID))
		return -EOVERFLOW;
	return inode_permission(t, dir, MAY_WRITE | MAY_EXEC);
}

int may_delete(struct vfs_task *t, struct inode *dir, struct dentry *victim, bool directory)
{
	struct inode *inode = victim->inode;
	int err = inode_permission(t, dir, MAY_WRITE | MAY_EXEC);

	if (err)
		return err;
	if ((dir->flags & VFS_FL_APPEND) || (inode->flags & (VFS_FL_APPEND | VFS_FL_IMMUTABLE)))
		return -EPERM;
	if ((dir->mode & S_ISVTX) && t->cred.fsuid != inode->uid && t->cred.fsuid != dir->uid &&
	    !inode_capable(t, inode, VFS_CAP_FOWNER))
		return -EPERM;
	if (directory) {
		if (!inode_is(inode, S_IFDIR))
			return -ENOTDIR;
		if (victim->parent == victim)
			return -EBUSY;
	} else if (inode_is(inode, S_IFDIR)) {
		return -EISDIR;
	}
	return dir->nlink ? 0 : -ENOENT;
}

void new_node_fill(struct vfs_task *t, const struct inode *dir, u32 mode, struct new_node *node)
{
	*node = (struct new_node){.mode = mode, .uid = t->cred.fsuid, .gid = t->cred.fsgid};
	if (!(dir->mode & S_ISGID))
		return;
	node->gid = dir->gid;
	if ((mode & S_IFMT) == S_IFDIR)
		node->mode |= S_ISGID;
	else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
		 !vfs_in_group(t, dir->gid) && !inode_capable(t, dir, VFS_CAP_FSETID))
		node->mode &= ~(u32)S_ISGID;
}

/* --- Times --- */

void inode_touch(struct inode *inode, u32 attr)
{
	struct vfs_time now = vfs_now(inode->sb->vfs);

	if (attr & ATTR_ATIME)
		inode->atime = now;
	if (attr & ATTR_MTIME)
		inode->mtime = now;
	if (attr & ATTR_CTIME)
		inode->ctime = now;
}

static bool not_after(struct vfs_time a, struct vfs_time b)
{
	return a.sec < b.sec || (a.sec == b.sec && a.nsec <= b.nsec);
}

void inode_accessed(struct inode *inode, u32 flags)
{
	struct vfs_time now;

	if ((flags & (VFS_MNT_NOATIME | VFS_MNT_READONLY)) || inode->sb->readonly ||
	    (inode->flags & VFS_FL_NOATIME))
		return;
	if ((flags & VFS_MNT_NODIRATIME) && inode_is(inode, S_IFDIR))
		return;
	now = vfs_now(inode->sb->vfs);
	if ((flags & VFS_MNT_RELATIME) && !not_after(inode->atime, inode->mtime) &&
	    !not_after(inode->atime, inode->ctime) && now.sec - inode->atime.sec < DAY_SEC)
		return;
	inode->atime = now;
}

void path_accessed(const struct path *path)
{
	inode_accessed(path->dentry->inode, path->mnt->flags);
}

/* --- Attributes --- */

void inode_set_attr(struct inode *inode, const struct attr *attr)
{
	if (attr->valid & ATTR_UID)
		inode->uid = attr->uid;
	if (attr->valid & ATTR_GID)
		inode->gid = attr->gid;
	if (attr->valid & ATTR_MODE)
		inode->mode = (inode->mode & S_IFMT) | (attr->mode & 07777);
	if (attr->valid & ATTR_ATIME)
		inode->atime = attr->atime;
	if (attr->valid & ATTR_MTIME)
		inode->mtime = attr->mtime;
	if (attr->valid & ATTR_CTIME)
		inode->ctime = attr->ctime;
}

static bool may_keep_sgid(struct vfs_task *t, const struct inode *inode)
{
	return vfs_in_group(t, inode->gid) || inode_capable(t, inode, VFS_CAP_FSETID);
}

/* The set-id bits that a change of owner or contents takes away from @inode. */
static u32 set_id_bits(struct vfs_task *t, const struct inode *inode)
{
	u32 bits = inode->mode & S_ISUID;

	if ((inode->mode & S_ISGID) && ((inode->mode & S_IXGRP) || !may_keep_sgid(t, inode)))
		bits |= S_ISGID;
	return bits;
}

static void clear_set_id(struct vfs_task *t, struct inode *inode)
{
	u32 gone = inode->mode & set_id_bits(t, inode);

	inode->mode &= ~gone;
	if (gone && inode->shared)
		far_share_tell(inode);
}

void file_modified(struct vfs_task *t, struct file *file)
{
	struct inode *inode = file->inode;

	if ((inode->mode & (S_ISUID | S_ISGID)) && inode_is(inode, S_IFREG) &&
	    !inode_capable(t, inode, VFS_CAP_FSETID))
		clear_set_id(t, inode);
	inode_touch(inode, ATTR_MTIME | ATTR_CTIME);
}

static int check_owner_change(struct vfs_task *t, struct inode *inode, const struct attr *attr)
{
	bool owner = t->cred.fsuid == inode->uid, capable = inode_capable(t, inode, VFS_CAP_CHOWN);

	if ((attr->valid & ATTR_UID) && !capable && !(owner && attr->uid == inode->uid))
		return -EPERM;
	if ((attr->valid & ATTR_GID) && !capable &&
	    !(owner && (attr->gid == inode->gid || vfs_in_group(t, attr->gid))))
		return -EPERM;
	return 0;
}

int inode_change(struct vfs_task *t, struct inode *inode, struct attr *attr)
{
	int err;

	if (inode->flags & (VFS_FL_IMMUTABLE | VFS_FL_APPEND))
		return -EPERM;
	err = check_owner_change(t, inode, attr);

	if (err)
		return err;
	if (attr->valid & (ATTR_UID | ATTR_GID)) {
		u32 gone = inode_is(inode, S_IFDIR) ? 0 : set_id_bits(t, inode);

		if (gone) {
			attr->valid |= ATTR_MODE;
			attr->mode = inode->mode & 07777 & ~gone;
		}
	} else if (attr->valid & ATTR_MODE) {
		if (!inode_is_owner(t, inode))
			return -EPERM;
		if (!may_keep_sgid(t, inode))
			attr->mode &= ~(u32)S_ISGID;
	}
	attr->valid |= ATTR_CTIME;
	attr->ctime = vfs_now(inode->sb->vfs);
	if (inode->ops->set_attr)
		return inode->ops->set_attr(t, inode, attr);
	inode_set_attr(inode, attr);
	return 0;
}
