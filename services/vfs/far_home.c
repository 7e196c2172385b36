/*
 * Changes of directories that others know, where the directories live: for this core's processes
 * and for other cores that ask.
 *
 *   lock the directory -> check -> recall what others have cached -> change -> count links
 *     -> tell those who have the name in use what became of it -> unlock
 *
 * The change itself is one step of tmpfs, which cannot be seen half done. Links are counted at the
 * inode's home: one more before a name is made, one less after it is gone; a directory is declared
 * removed (if it is empty) before its name goes, so that nothing can be made in it meanwhile.
 *
 * Deadlock: a lock is held while other cores are asked, but what those do then (count links, forget
 * names) takes no such lock. Renames between directories of two homes lock a second one at the
 * second home; so they take turns in the whole file system (FAR_RENAME_LOCK).
 *
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"

#include <string.h>

/* --- Links --- */

static int check_remove(const struct inode *dir)
{
	if (!inode_is(dir, S_IFDIR))
		return -ENOTDIR;
	if (!dir->nlink)
		return -ENOENT;
	return tmpfs_dir_is_empty(dir) ? 0 : -ENOTEMPTY;
}

static int count_one_more(struct inode *inode)
{
	int err;

	if (inode_is(inode, S_IFDIR))
		return -EPERM;
	if (!inode->nlink && !inode->linkable)
		return -ENOENT;
	err = inode->nlink ? tmpfs_charge_inode(tmpfs_of(inode)) : 0;
	if (err)
		return err;
	inode->linkable = false;
	inode->nlink++;
	return 0;
}

static void count_one_less(struct inode *inode)
{
	if (inode->nlink > 1)
		tmpfs_uncharge_inode(tmpfs_of(inode));
	if (inode->nlink)
		inode->nlink--;
}

int far_count_own_link(struct inode *inode, s32 delta, u32 flags, u64 parent)
{
	int err = 0;

	if (flags & FAR_REMOVE) {
		err = check_remove(inode);
		if (!err)
			inode->nlink = 0;
	} else if (flags & FAR_REVIVE) {
		inode->nlink = inode_is(inode, S_IFDIR) ? 2 : inode->nlink;
	} else if (flags & FAR_ADOPT) {
		if (inode_is(inode, S_IFDIR))
			tmpfs_dir_set_far_parent(inode, parent);
	} else if (delta > 0) {
		err = count_one_more(inode);
	} else if (!inode_is(inode, S_IFDIR)) {
		count_one_less(inode);
	}
	if (!err)
		inode_touch(inode, ATTR_CTIME);
	return err;
}

int far_count_link(struct inode *inode, s32 delta, u32 flags, const struct inode *parent)
{
	struct far_nlink args = {.file = far_node_of(inode),
				 .parent = parent ? parent->ino : 0,
				 .delta = delta,
				 .flags = flags};

	if (!inode->far)
		return far_count_own_link(inode, delta, flags, args.parent);
	return far_error(far_node_ask(inode, FAR_NLINK, &args, sizeof(args), NULL, 0, NULL));
}

/* --- What this core has cached --- */

void far_dentry_gone(struct inode *dir, const char *name, u32 len, bool authoritative)
{
	struct dentry *dentry = dir->folder ? dentry_find(dir->folder, name, len) : NULL;

	if (!dentry)
		return;
	if (dentry->inode)
		dentry_unlink(dentry);
	if (!authoritative)
		dentry->check |= DENTRY_ASK_DIR;
	dentry_put(dentry);
}

void far_dentry_moved(const struct far_moved *m, struct inode *olddir, struct inode *newdir,
		      const char *names)
{
	struct dentry *dentry =
		olddir->folder ? dentry_find(olddir->folder, names, m->oldlen) : NULL;

	if (!dentry)
		return;
	if (dentry->inode && newdir && newdir->folder)
		dentry_place(dentry, newdir->folder, names + m->oldlen, m->newlen);
	dentry->check |= DENTRY_ASK_DIR;
	dentry_put(dentry);
}

/* A name of @dir was changed for another core: ask tmpfs when it is next looked up. */
void far_dentry_recall(struct inode *dir, const char *name, u32 len)
{
	if (dir->folder)
		dentry_recall(dir->folder, name, len);
}

static bool recheck(struct vfs_task *t, struct inode *dir, struct dentry *dentry)
{
	(void)t;
	dentry->check &= (u8)~DENTRY_ASK_DIR;
	return tmpfs_dir_find(dir, dentry->name, dentry->len) == dentry->inode;
}

/* --- Making --- */

int far_home_make(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		  const struct new_node *node, struct inode **out)
{
	u64 kept[FAR_CORES / 64] = {0};
	int err;

	far_dir_lock(dir);
	err = far_recall(dir, name, len, dir->sb->vfs->far->core, kept);
	if (!err)
		err = tmpfs_make(t, dir, name, len, node, out);
	far_dir_unlock(dir);
	return err;
}

int far_home_enter(struct inode *dir, const char *name, u32 len, struct inode *inode, u32 asker)
{
	u64 kept[FAR_CORES / 64] = {0};
	int err = far_share_of(dir) ? 0 : -ENOMEM;

	if (err)
		return err;
	far_dir_lock(dir);
	if (tmpfs_dir_find(dir, name, len))
		err = -EEXIST;
	else
		err = far_recall(dir, name, len, asker, kept);
	if (!err)
		err = dir->nlink ? tmpfs_dir_enter(dir, name, len, inode) : -ENOENT;
	if (!err && asker != dir->sb->vfs->far->core)
		far_dentry_recall(dir, name, len);
	far_dir_unlock(dir);
	return err;
}

int far_home_link(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		  struct inode *inode)
{
	int err = far_count_link(inode, 1, 0, NULL);

	(void)t;
	if (err)
		return err;
	err = far_home_enter(dir, name, len, inode, dir->sb->vfs->far->core);
	if (err)
		far_count_link(inode, -1, 0, NULL);
	return err;
}

/* --- Taking away --- */

static int check_unlink(const struct inode *dir, const char *name, u32 len, u64 ino, u32 flags)
{
	const struct inode *inode = tmpfs_dir_find(dir, name, len);

	if (!inode || inode->ino != ino)
		return -ENOENT;
	if (flags & FAR_DIRECTORY)
		return inode_is(inode, S_IFDIR) ? 0 : -ENOTDIR;
	return inode_is(inode, S_IFDIR) ? -EISDIR : 0;
}

int far_home_unlink(struct inode *dir, const char *name, u32 len, u64 ino, u32 asker, u32 flags)
{
	bool here = asker == dir->sb->vfs->far->core, folder = flags & FAR_DIRECTORY;
	u64 kept[FAR_CORES / 64] = {0};
	struct inode *inode = NULL;
	int err;

	far_dir_lock(dir);
	err = check_unlink(dir, name, len, ino, flags);
	if (!err) {
		inode = inode_get(tmpfs_dir_find(dir, name, len));
		if (folder && !(flags & FAR_DONE))
			err = far_count_link(inode, 0, FAR_REMOVE, NULL);
	}
	if (!err) {
		err = far_recall(dir, name, len, asker, kept);
		if (err && folder && !(flags & FAR_DONE))
			far_count_link(inode, 0, FAR_REVIVE, NULL);
	}
	if (!err) {
		tmpfs_dir_take(dir, name, len);
		if (!here)
			far_dentry_gone(dir, name, len, true);
		if (!folder && !(flags & FAR_DONE))
			far_count_link(inode, -1, 0, NULL);
		far_tell_gone(dir, name, len, kept);
	}
	far_dir_unlock(dir);
	if (inode)
		inode_put(inode);
	return err;
}

static int unlink_name(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		       struct inode *inode)
{
	(void)t;
	return far_home_unlink(dir, name, len, inode->ino, dir->sb->vfs->far->core, 0);
}

static int remove_dir(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		      struct inode *inode)
{
	(void)t;
	return far_home_unlink(dir, name, len, inode->ino, dir->sb->vfs->far->core, FAR_DIRECTORY);
}

const struct inode_ops far_share_dir_ops = {
	.lookup = tmpfs_lookup,
	.recheck = recheck,
	.make = far_home_make,
	.link = far_home_link,
	.unlink = unlink_name,
	.rmdir = remove_dir,
	.rename = far_rename,
	.tmpfile = tmpfs_make_nameless,
	.set_attr = far_share_set_attr,
	.evict = far_share_evict,
};
