/*
 * Extended attributes: user., trusted. and security. See xattr.h.
 *
 * Not here: system.posix_acl_* (-EOPNOTSUPP, as file systems without ACLs say).
 * Source: xattr(7), setxattr(2), getxattr(2), listxattr(2), capabilities(7) for what
 * security.capability must look like.
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"
#include "xattr.h"

#include <stdlib.h>
#include <string.h>

#define XATTR_CREATE   1u
#define XATTR_REPLACE  2u

#define CAP_NAME       "security.capability"
#define CAPS_VERSION_2 0x02000000u /* the first word, but for its lowest bit ("effective") */
#define CAPS_VERSION_3 0x03000000u
#define CAPS_SIZE_2    20u
#define CAPS_SIZE_3    24u

struct xattr {
	struct xattr *next; /* by name */
	u32 size;
	u32 name_len;
	char name[]; /* with its NUL; then the value */
};

static bool has_prefix(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool is_user(const char *name)
{
	return has_prefix(name, "user.");
}

static char *value_of(struct xattr *x)
{
	return x->name + x->name_len + 1;
}

/* What an attribute counts against its file system's limit. */
static u64 cost(size_t name_len, size_t size)
{
	return sizeof(struct xattr) + name_len + 1 + size;
}

/* The place of @name in the list: of the attribute, or of the next one. */
static struct xattr **place_of(struct inode *inode, const char *name)
{
	struct xattr **at = &inode->xattrs;

	while (*at && strcmp((*at)->name, name) < 0)
		at = &(*at)->next;
	return at;
}

static bool is_at(struct xattr *const *at, const char *name)
{
	return *at && strcmp((*at)->name, name) == 0;
}

void inode_xattrs_free(struct inode *inode)
{
	while (inode->xattrs) {
		struct xattr *x = inode->xattrs;

		inode->xattrs = x->next;
		if (inode->sb->ops->charge_xattr && is_user(x->name))
			inode->sb->ops->charge_xattr(inode->sb, -(s64)cost(x->name_len, x->size));
		free(x);
	}
}

s64 inode_xattr(const struct inode *inode, const char *name, void *value, size_t size)
{
	struct xattr *x = inode->xattrs;

	if (inode->far)
		return far_xattr(inode, FAR_XATTR_GET, 0, name, value, size);
	while (x && strcmp(x->name, name))
		x = x->next;
	if (!x)
		return -ENODATA;
	if (size && size < x->size)
		return -ERANGE;
	if (size)
		memcpy(value, value_of(x), x->size);
	return x->size;
}

/* --- Who may --- */

static int user_permission(struct vfs_task *t, struct inode *inode, u32 may)
{
	if (!inode_is(inode, S_IFREG) && !inode_is(inode, S_IFDIR))
		return may & MAY_WRITE ? -EPERM : -ENODATA;
	if (inode_is(inode, S_IFDIR) && (inode->mode & S_ISVTX) && (may & MAY_WRITE) &&
	    !inode_is_owner(t, inode))
		return -EPERM;
	return inode_permission(t, inode, may);
}

/* May @t read (MAY_READ) or change (MAY_WRITE) @name? */
static int check_permission(struct vfs_task *t, struct inode *inode, const char *name, u32 may)
{
	bool write = may & MAY_WRITE;

	if (write && (inode->flags & (VFS_FL_IMMUTABLE | VFS_FL_APPEND)))
		return -EPERM;
	if (has_prefix(name, "security.")) {
		u32 cap = strcmp(name, CAP_NAME) ? VFS_CAP_SYS_ADMIN : VFS_CAP_SETFCAP;

		return write && !vfs_capable(t, cap) ? -EPERM : 0;
	}
	if (has_prefix(name, "system."))
		return 0;
	if (has_prefix(name, "trusted.")) {
		if (vfs_capable(t, VFS_CAP_SYS_ADMIN))
			return 0;
		return write ? -EPERM : -ENODATA;
	}
	if (is_user(name))
		return user_permission(t, inode, may);
	return inode_permission(t, inode, may);
}

/* Does the file system know such names? */
static int check_name(const struct inode *inode, const char *name)
{
	static const char *const prefixes[] = {"user.", "trusted.", "security."};

	if (!inode->sb->xattrs)
		return -EOPNOTSUPP;
	for (u32 i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (has_prefix(name, prefixes[i]))
			return name[strlen(prefixes[i])] ? 0 : -EINVAL;
	}
	return -EOPNOTSUPP;
}

/* The capabilities of a file must be of a known layout: exec believes them. */
static int check_value(const char *name, const void *value, size_t size)
{
	u32 magic;

	if (strcmp(name, CAP_NAME) || !size)
		return 0;
	if (size != CAPS_SIZE_2 && size != CAPS_SIZE_3)
		return -EINVAL;
	memcpy(&magic, value, sizeof(magic));
	return (magic & ~1u) == (size == CAPS_SIZE_2 ? CAPS_VERSION_2 : CAPS_VERSION_3) ? 0
											: -EINVAL;
}

/* --- Which file --- */

struct target {
	struct path path;
	struct file *file; /* NULL: got by walking */
};

static int target_get(struct vfs_task *t, int dirfd, const char *path, u32 flags,
		      struct target *target)
{
	u32 walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	int err;

	target->file = NULL;
	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!path || (!*path && (flags & AT_EMPTY_PATH) && dirfd != AT_FDCWD)) {
		err = fd_need(t, dirfd, 0, &target->file);
		if (!err)
			target->path = target->file->path;
		return err;
	}
	walk |= flags & AT_EMPTY_PATH ? WALK_EMPTY_PATH : 0;
	return vfs_walk(t, dirfd, path, walk, &target->path);
}

static void target_put(struct target *target)
{
	if (target->file)
		file_put(target->file);
	else
		path_put(&target->path);
}

/* --- Changing --- */

/* Charge @sb for a change of @bytes of an attribute called @name. 0 or -ENOSPC. */
static int charge(struct superblock *sb, const char *name, s64 bytes)
{
	return sb->ops->charge_xattr && is_user(name) ? sb->ops->charge_xattr(sb, bytes) : 0;
}

int inode_xattr_set(struct inode *inode, const char *name, const void *value, size_t size,
		    u32 flags)
{
	struct xattr **at = place_of(inode, name), *old = is_at(at, name) ? *at : NULL, *x;
	size_t len = strlen(name);
	int err;

	if (inode->far)
		return (int)far_xattr(inode, FAR_XATTR_SET, flags, name, (void *)value, size);
	if (old && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!old && (flags & XATTR_REPLACE))
		return -ENODATA;
	x = malloc(cost(len, size));
	if (!x)
		return -ENOMEM;
	err = charge(inode->sb, name, (s64)cost(len, size) - (old ? (s64)cost(len, old->size) : 0));
	if (err) {
		free(x);
		return err;
	}
	x->size = (u32)size;
	x->name_len = (u32)len;
	memcpy(x->name, name, len + 1);
	if (size)
		memcpy(value_of(x), value, size);
	x->next = old ? old->next : *at;
	*at = x;
	free(old);
	inode_touch(inode, ATTR_CTIME);
	if (inode->shared)
		far_share_tell(inode);
	return 0;
}

int vfs_xattr_set(struct vfs_task *t, int dirfd, const char *path, u32 flags, const char *name,
		  const void *value, size_t size, u32 flags_set)
{
	struct target target;
	struct inode *inode;
	int err;

	if (flags_set & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	err = target_get(t, dirfd, path, flags, &target);
	if (err)
		return err;
	inode = target.path.dentry->inode;
	if (mount_is_readonly(target.path.mnt))
		err = -EROFS;
	if (!err)
		err = check_value(name, value, size);
	if (!err)
		err = check_permission(t, inode, name, MAY_WRITE);
	if (!err)
		err = check_name(inode, name);
	if (!err)
		err = inode_xattr_set(inode, name, value, size, flags_set);
	target_put(&target);
	return err;
}

int inode_xattr_remove(struct inode *inode, const char *name)
{
	struct xattr **at = place_of(inode, name), *x = *at;

	if (inode->far)
		return (int)far_xattr(inode, FAR_XATTR_REMOVE, 0, name, NULL, 0);
	if (!is_at(at, name))
		return -ENODATA;
	*at = x->next;
	charge(inode->sb, name, -(s64)cost(x->name_len, x->size));
	free(x);
	inode_touch(inode, ATTR_CTIME);
	if (inode->shared)
		far_share_tell(inode);
	return 0;
}

int vfs_xattr_remove(struct vfs_task *t, int dirfd, const char *path, u32 flags, const char *name)
{
	struct target target;
	struct inode *inode;
	int err = target_get(t, dirfd, path, flags, &target);

	if (err)
		return err;
	inode = target.path.dentry->inode;
	if (mount_is_readonly(target.path.mnt))
		err = -EROFS;
	if (!err)
		err = check_permission(t, inode, name, MAY_WRITE);
	if (!err)
		err = check_name(inode, name);
	if (!err)
		err = inode_xattr_remove(inode, name);
	target_put(&target);
	return err;
}

/* --- Looking --- */

s64 vfs_xattr_get(struct vfs_task *t, int dirfd, const char *path, u32 flags, const char *name,
		  void *value, size_t size)
{
	struct target target;
	struct inode *inode;
	s64 n = target_get(t, dirfd, path, flags, &target);

	if (n)
		return n;
	inode = target.path.dentry->inode;
	n = check_permission(t, inode, name, MAY_READ);
	if (!n)
		n = check_name(inode, name);
	if (!n)
		n = inode_xattr(inode, name, value, size);
	target_put(&target);
	return n;
}

s64 inode_xattr_list(const struct inode *inode, bool all, char *list, size_t size)
{
	size_t used = 0;

	if (inode->far)
		return far_xattr(inode, FAR_XATTR_LIST, all, "", list, size);
	for (struct xattr *x = inode->xattrs; x; x = x->next) {
		if (!all && has_prefix(x->name, "trusted."))
			continue;
		if (size && size - used < x->name_len + 1)
			return -ERANGE;
		if (size)
			memcpy(list + used, x->name, x->name_len + 1);
		used += x->name_len + 1;
	}
	return (s64)used;
}

s64 vfs_xattr_list(struct vfs_task *t, int dirfd, const char *path, u32 flags, char *list,
		   size_t size)
{
	struct target target;
	s64 n = target_get(t, dirfd, path, flags, &target);

	if (n)
		return n;
	n = inode_xattr_list(target.path.dentry->inode, vfs_capable(t, VFS_CAP_SYS_ADMIN), list,
			     size);
	target_put(&target);
	return n;
}
