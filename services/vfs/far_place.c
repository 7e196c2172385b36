/*
 * Places on their way from core to core: a file system, names from its root, and an inode.
 *
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"

#include <string.h>

/* A file that has no name (any more), or whose file system has no names that others know. */
static bool is_nameless(const struct dentry *dentry)
{
	for (; dentry->parent != dentry; dentry = dentry->parent) {
		if (!dentry->hashed)
			return true;
	}
	return dentry != dentry->sb->root;
}

/* The names above and of @dentry to the end of @names; returns where they begin, or NULL. */
static char *put_names(const struct dentry *dentry, char *names, size_t size)
{
	char *at = names + size;

	for (; dentry->parent != dentry; dentry = dentry->parent) {
		if ((size_t)(at - names) < dentry->len + 1ul)
			return NULL;
		if (at != names + size)
			*--at = '/';
		at -= dentry->len;
		memcpy(at, dentry->name, dentry->len);
	}
	return at;
}

int vfs_place_export(struct dentry *dentry, struct far_place *place, char *names, size_t size)
{
	struct superblock *sb = dentry->sb;
	struct inode *inode = dentry->inode;
	bool nameless = is_nameless(dentry);
	char *at;

	*place = (struct far_place){.sb = vfs_sb_id(sb)};
	if (!place->sb || !inode)
		return -ENOMEM;
	if (!sb->part->local && !inode->far && !far_share_of(inode))
		return -ENOMEM;
	place->ino = inode->ino;
	if (nameless) {
		place->flags = FAR_NAMELESS;
		place->len = dentry->len;
		if (dentry->len > size)
			return -ENAMETOOLONG;
		memcpy(names, dentry->name, dentry->len);
		return 0;
	}
	at = put_names(dentry, names, size);
	if (!at)
		return -ENAMETOOLONG;
	place->len = (u32)(names + size - at);
	memmove(names, at, place->len);
	return 0;
}

/* --- There --- */

/* Walk from the root of @sb over @names. -ENOENT: they lead nowhere. */
static int walk_names(struct vfs_task *t, struct superblock *sb, const char *names, u32 len,
		      struct dentry **out)
{
	struct dentry *at = dentry_get(sb->root), *next;
	int err = 0;

	while (len && !err) {
		const char *slash = memchr(names, '/', len);
		u32 name = slash ? (u32)(slash - names) : len;

		if (!at->inode || !inode_is(at->inode, S_IFDIR))
			err = -ENOENT;
		else
			err = name && name <= VFS_NAME_MAX
				      ? dentry_lookup(t, at, names, name, &next)
				      : -EBADMSG;
		if (err)
			break;
		dentry_put(at);
		at = next;
		len -= slash ? name + 1 : name;
		names += slash ? name + 1 : name;
	}
	if (!err && !at->inode)
		err = -ENOENT;
	if (err)
		dentry_put(at);
	else
		*out = at;
	return err;
}

/* The dentry of an inode that the names do not lead to: a folder's own one, or a new one. */
static int place_by_number(struct superblock *sb, const struct far_place *place, const char *names,
			   struct dentry **out)
{
	char name[VFS_NAME_MAX + 1];
	u32 len = MIN(place->len, VFS_NAME_MAX);
	struct inode *inode;
	int err;

	if (!sb->part || sb->part->local)
		return -ESTALE;
	err = far_inode_by_number(sb->part, place->ino, &inode);
	if (err)
		return err;
	if (inode_is(inode, S_IFDIR) && inode->folder) {
		*out = dentry_get(inode->folder);
		inode_put(inode);
		return 0;
	}
	memcpy(name, names + place->len - len, len);
	name[len] = 0;
	*out = dentry_new_anon(sb, inode, name);
	if (*out)
		return 0;
	inode_put(inode);
	return -ENOMEM;
}

int vfs_place_import(struct vfs_task *t, const struct far_place *place, const char *names,
		     struct dentry **out)
{
	struct superblock *sb;
	struct dentry *found = NULL;
	int err = vfs_sb_attach(t->vfs, place->sb, &sb);

	if (err)
		return err;
	if (place->flags & FAR_NAMELESS) {
		err = -ENOENT;
	} else {
		err = walk_names(t, sb, names, place->len, &found);
		if (!err && !sb->part->local && found->inode->ino != place->ino) {
			dentry_put(found);
			err = -ENOENT;
		}
	}
	if (err == -ENOENT || err == -ENOTDIR)
		err = place_by_number(sb, place, names, &found);
	if (!err)
		*out = found;
	superblock_put(sb);
	return err;
}
