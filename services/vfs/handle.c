/*
 * File handles: a file by its number in its file system, as servers of files keep it
 * (name_to_handle_at, open_by_handle_at).
 *
 * A file that is found so has no name that one knows of, so its dentry has none; but a folder's
 * names are cached below its one dentry, which is found by the way up to the root.
 *
 * Source: open_by_handle_at(2).
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define HANDLE_TYPE  1
#define HANDLE_BYTES 12u /* as Linux's tmpfs has them: a generation and the number */

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif
#define AT_HANDLE_CONNECTABLE_   2u
#define AT_HANDLE_MNT_ID_UNIQUE_ 1u

static int fill_handle(struct inode *inode, struct vfs_handle *handle)
{
	const struct superblock_ops *ops = inode->sb->ops;
	bool fits = handle->bytes >= HANDLE_BYTES;
	int err;

	handle->bytes = HANDLE_BYTES;
	handle->type = HANDLE_TYPE;
	if (!fits)
		return -EOVERFLOW;
	err = ops->number(inode);
	if (err)
		return err;
	memset(handle->data, 0, HANDLE_BYTES);
	memcpy(handle->data + 4, &inode->ino, sizeof(inode->ino));
	return 0;
}

int vfs_name_to_handle(struct vfs_task *t, int dirfd, const char *path, u32 flags,
		       struct vfs_handle *handle, u64 *mnt_id)
{
	u32 walk = flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0;
	struct path at;
	int err;

	if (flags & ~(u32)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH | AT_HANDLE_FID |
			   AT_HANDLE_CONNECTABLE_ | AT_HANDLE_MNT_ID_UNIQUE_))
		return -EINVAL;
	if (handle->bytes > VFS_HANDLE_MAX)
		return -EINVAL;
	walk |= flags & AT_EMPTY_PATH ? WALK_EMPTY_PATH : 0;
	err = vfs_walk(t, dirfd, path, walk, &at);
	if (err)
		return err;
	*mnt_id = at.mnt->id;
	err = at.mnt->sb->ops->number ? fill_handle(at.dentry->inode, handle) : -EOPNOTSUPP;
	path_put(&at);
	return err;
}

/* --- Back --- */

#define DEPTH_MAX 1024u /* of a folder that is found by its handle */

/* The folders from @dir up to the root, without it: their number, or -ESTALE. */
static int way_up(struct inode *dir, struct inode **way)
{
	const struct superblock *sb = dir->sb;
	char name[VFS_NAME_MAX + 1];
	u32 n = 0, len;

	while (dir != sb->root->inode) {
		if (n == DEPTH_MAX)
			return -ESTALE;
		way[n++] = dir;
		if (sb->ops->name_of_folder(dir, &dir, name, &len))
			return -ESTALE;
	}
	return (int)n;
}

/* The dentry of @dir below that of its parent, whose reference goes. */
static int step_down(struct vfs_task *t, struct inode *dir, struct dentry **at)
{
	char name[VFS_NAME_MAX + 1];
	struct dentry *found = NULL;
	struct inode *parent;
	u32 len;
	int err = dir->sb->ops->name_of_folder(dir, &parent, name, &len);

	if (!err)
		err = dentry_lookup(t, *at, name, len, &found);
	dentry_put(*at);
	*at = found;
	if (!err && found->inode != dir) {
		dentry_put(found);
		err = -ESTALE;
	}
	return err;
}

/* The dentry of a folder: down from the root by the names on the way. */
static int folder_dentry(struct vfs_task *t, struct inode *dir, struct dentry **out)
{
	struct inode **way = malloc(DEPTH_MAX * sizeof(struct inode *));
	int n, err = 0;

	if (!way)
		return -ENOMEM;
	n = way_up(dir, way);
	if (n >= 0)
		*out = dentry_get(dir->sb->root);
	while (n > 0 && !err)
		err = step_down(t, way[--n], out);
	free(way);
	return n < 0 ? n : err;
}

static int place_of(struct vfs_task *t, struct inode *inode, struct dentry **out)
{
	if (inode_is(inode, S_IFDIR))
		return folder_dentry(t, inode, out);
	*out = dentry_new_anon(inode->sb, inode_get(inode), "/");
	if (*out)
		return 0;
	inode_put(inode);
	return -ENOMEM;
}

static int open_number(struct vfs_task *t, struct mount *mnt, u64 ino, int flags)
{
	struct path path = {.mnt = mnt};
	struct inode *inode = mnt->sb->ops->by_number(mnt->sb, ino);
	int fd;

	if (!inode)
		return -ESTALE;
	fd = place_of(t, inode, &path.dentry);
	if (!fd) {
		fd = vfs_open_place(t, &path, flags);
		dentry_put(path.dentry);
	}
	inode_put(inode);
	return fd;
}

int vfs_open_by_handle(struct vfs_task *t, int mount_fd, const struct vfs_handle *handle, int flags)
{
	struct path where;
	u64 ino;
	int err;

	if (!handle->bytes || handle->bytes > VFS_HANDLE_MAX)
		return -EINVAL;
	err = vfs_walk(t, mount_fd, "", WALK_EMPTY_PATH, &where);
	if (err)
		return err;
	memcpy(&ino, handle->data + 4, sizeof(ino));
	if (!vfs_capable(t, VFS_CAP_DAC_READ_SEARCH))
		err = -EPERM;
	else if (!where.mnt->sb->ops->by_number || handle->bytes < HANDLE_BYTES ||
		 handle->type != HANDLE_TYPE)
		err = -ESTALE;
	else
		err = open_number(t, where.mnt, ino, flags);
	path_put(&where);
	return err;
}
