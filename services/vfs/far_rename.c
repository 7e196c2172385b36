/*
 * Renames in which other cores have a part: the file, its directories or those who know them live
 * in several places.
 *
 * One home for both directories: that does it. Two homes: the old directory's home
 *
 *   locks its directory, recalls the name
 *     -- FAR_ENTER -->  the new directory's home makes the new name (what had it goes)
 *   takes the old name away
 *
 * Renames with two homes, and those by which a directory gets another parent, take turns in the
 * whole file system: who has the turn asks upwards, from home to home, whether a directory would
 * come to be below itself.
 *
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"

#include <string.h>

static u32 home_of(const struct inode *inode)
{
	return inode->far ? far_home_of(inode->ino) : inode->sb->vfs->far->core;
}

/* --- Turns --- */

static int rename_lock(struct superblock *sb)
{
	const struct far_part *part = sb->part;

	return far_error(shard_call(sb->vfs->far->net, part->home, FAR_RENAME_LOCK, &part->id,
				    sizeof(part->id), NULL, 0, NULL));
}

static void rename_unlock(struct superblock *sb)
{
	const struct far_part *part = sb->part;

	shard_tell(sb->vfs->far->net, part->home, FAR_RENAME_END, &part->id, sizeof(part->id));
}

/* --- Circles --- */

int far_climb(const struct inode *dir, u64 above, u64 *next)
{
	*next = 0;
	while (dir->ino != above && dir->nlink) {
		const struct tmpfs_dir *d = &container_of(dir, struct tmpfs_inode, inode)->dir;

		if (!d->parent)
			*next = d->parent_ino;
		if (!d->parent || &d->parent->inode == dir)
			return 0;
		dir = &d->parent->inode;
	}
	return dir->ino == above;
}

s64 far_serve_below(struct shard_request *r)
{
	const struct far_below *a = shard_args(r, sizeof(*a));
	struct inode *dir = a ? vfs_own_inode(r->arg, a->dir.sb, a->dir.ino) : NULL;
	u64 *next = dir ? shard_answer(r, sizeof(*next)) : NULL;
	s64 err = -ENOMEM;

	if (!dir)
		return a ? -ESTALE : -EBADMSG;
	if (next)
		err = inode_is(dir, S_IFDIR) ? far_climb(dir, a->above, next) : -ENOTDIR;
	inode_put(dir);
	return err;
}

/* Is @dir below @above, or the same? 1, 0, or an error. */
static int is_below(const struct inode *dir, const struct inode *above)
{
	const struct far_vfs *far = dir->sb->vfs->far;
	struct far_below ask = {.dir = far_node_of(dir), .above = above->ino};
	u64 next = ask.dir.ino;
	u32 got = sizeof(next);
	s64 err = 0;

	if (!dir->far)
		err = far_climb(dir, ask.above, &next);
	while (!err && next && next != ask.above && got == sizeof(next)) {
		ask.dir.ino = next;
		err = shard_call(far->net, far_home_of(next), FAR_BELOW, &ask, sizeof(ask), &next,
				 sizeof(next), &got);
	}
	return next == ask.above && !err ? 1 : far_error(err);
}

/* Would a directory come to be below itself? */
static int check_circle(const struct rename_args *a)
{
	int err = inode_is(a->old, S_IFDIR) ? is_below(a->newdir, a->old) : 0;

	if (!err && a->exchange && inode_is(a->replaced, S_IFDIR))
		err = is_below(a->olddir, a->replaced);
	return err > 0 ? -EINVAL : err;
}

/* --- Checks --- */

static bool has(const struct inode *dir, const char *name, u32 len, const struct inode *inode)
{
	return tmpfs_dir_find(dir, name, len) == inode;
}

/* A folder must be empty to be replaced. Only far ones: tmpfs looks at its own. */
static int remove_replaced(const struct rename_args *a)
{
	if (!a->replaced || a->exchange || !a->replaced->far || !inode_is(a->replaced, S_IFDIR))
		return 0;
	return far_count_link(a->replaced, 0, FAR_REMOVE, NULL);
}

static void revive_replaced(const struct rename_args *a)
{
	if (a->replaced && !a->exchange && a->replaced->far && inode_is(a->replaced, S_IFDIR))
		far_count_link(a->replaced, 0, FAR_REVIVE, NULL);
}

/* --- After it --- */

/* A far folder in another directory is told; a far file that was replaced has a link less. */
static void count_far(const struct rename_args *a)
{
	if (a->old->far && inode_is(a->old, S_IFDIR) && a->olddir != a->newdir)
		far_count_link(a->old, 0, FAR_ADOPT, a->newdir);
	if (!a->replaced || !a->replaced->far)
		return;
	if (!a->exchange && !inode_is(a->replaced, S_IFDIR))
		far_count_link(a->replaced, -1, 0, NULL);
	else if (a->exchange && inode_is(a->replaced, S_IFDIR) && a->olddir != a->newdir)
		far_count_link(a->replaced, 0, FAR_ADOPT, a->olddir);
}

/* Tell the cores of @kept, which have the old name in use, and this one if another asked. */
static void tell_moved(const struct rename_args *a, const u64 *kept, bool here)
{
	struct far_moved args = {.olddir = far_node_of(a->olddir),
				 .newdir = a->newdir->ino,
				 .oldlen = a->oldlen,
				 .newlen = a->newlen};
	char names[2 * VFS_NAME_MAX];
	const struct shard_in in[] = {{&args, sizeof(args)}, {names, a->oldlen + a->newlen}};
	struct shard_parts parts = {.in = in, .nin = 2};

	memcpy(names, a->oldname, a->oldlen);
	memcpy(names + a->oldlen, a->newname, a->newlen);
	if (here)
		far_dentry_moved(&args, a->olddir, a->newdir, names);
	for (u32 c = bit_next(kept, 0); c < FAR_CORES; c = bit_next(kept, c + 1))
		shard_call_parts(far_net(a->olddir), c, FAR_MOVED, &parts);
}

/* --- Both directories live here --- */

static void lock_both(struct inode *a, struct inode *b)
{
	if (a->ino > b->ino) {
		lock_both(b, a);
		return;
	}
	far_dir_lock(a);
	if (a != b)
		far_dir_lock(b);
}

static void unlock_both(struct inode *a, struct inode *b)
{
	far_dir_unlock(a);
	if (a != b)
		far_dir_unlock(b);
}

static int rename_here(const struct rename_args *a, u32 asker)
{
	u64 kept_old[FAR_CORES / 64] = {0}, kept_new[FAR_CORES / 64] = {0};
	bool here = asker == a->olddir->sb->vfs->far->core;
	int err = 0;

	if (!far_share_of(a->olddir) || !far_share_of(a->newdir))
		return -ENOMEM;
	lock_both(a->olddir, a->newdir);
	if (!has(a->olddir, a->oldname, a->oldlen, a->old) ||
	    !has(a->newdir, a->newname, a->newlen, a->replaced))
		err = -ENOENT;
	if (!err)
		err = remove_replaced(a);
	if (err)
		goto out;
	err = far_recall(a->olddir, a->oldname, a->oldlen, asker, kept_old);
	if (!err)
		err = far_recall(a->newdir, a->newname, a->newlen, asker, kept_new);
	if (!err)
		err = a->newdir->nlink ? tmpfs_rename(NULL, a) : -ENOENT;
	if (err) {
		revive_replaced(a);
		goto out;
	}
	if (!here && a->replaced && !a->exchange)
		far_dentry_gone(a->newdir, a->newname, a->newlen, true);
	if (!a->exchange) {
		far_tell_gone(a->newdir, a->newname, a->newlen, kept_new);
		tell_moved(a, kept_old, !here);
	}
	if (!here) {
		far_dentry_recall(a->olddir, a->oldname, a->oldlen);
		far_dentry_recall(a->newdir, a->newname, a->newlen);
	}
	count_far(a);
out:
	unlock_both(a->olddir, a->newdir);
	return err;
}

/* --- The new directory lives elsewhere --- */

static int ask_enter(const struct rename_args *a)
{
	struct far_enter args = {.dir = far_node_of(a->newdir),
				 .olddir = a->olddir->ino,
				 .ino = a->old->ino,
				 .replaced = a->replaced ? a->replaced->ino : 0,
				 .len = a->newlen,
				 .flags = a->exchange ? FAR_EXCHANGE : 0};
	const struct shard_in in[] = {{&args, sizeof(args)}, {a->newname, a->newlen}};
	struct shard_parts parts = {.in = in, .nin = 2};

	return far_error(
		shard_call_parts(far_net(a->newdir), home_of(a->newdir), FAR_ENTER, &parts));
}

int far_home_rename_in(const struct rename_args *a)
{
	struct inode *dir = a->newdir;
	u64 kept[FAR_CORES / 64] = {0};
	bool folder = a->replaced && inode_is(a->replaced, S_IFDIR) && !a->exchange;
	int err = far_share_of(dir) ? 0 : -ENOMEM;

	if (err)
		return err;
	far_dir_lock(dir);
	if (!has(dir, a->newname, a->newlen, a->replaced))
		err = -ENOENT;
	if (!err && folder)
		err = far_count_link(a->replaced, 0, FAR_REMOVE, NULL);
	if (err)
		goto out;
	err = far_recall(dir, a->newname, a->newlen, dir->sb->vfs->far->core, kept);
	if (!err && !dir->nlink)
		err = -ENOENT;
	if (!err && !a->replaced)
		err = tmpfs_dir_enter(dir, a->newname, a->newlen, a->old);
	if (err) {
		if (folder)
			far_count_link(a->replaced, 0, FAR_REVIVE, NULL);
		goto out;
	}
	if (a->replaced)
		tmpfs_dir_replace(dir, a->newname, a->newlen, a->old);
	if (a->replaced && !a->exchange)
		far_dentry_gone(dir, a->newname, a->newlen, true);
	far_dentry_recall(dir, a->newname, a->newlen);
	if (inode_is(a->old, S_IFDIR))
		far_count_link(a->old, 0, FAR_ADOPT, dir);
	if (a->replaced && !a->exchange && !folder)
		far_count_link(a->replaced, -1, 0, NULL);
	if (!a->exchange)
		far_tell_gone(dir, a->newname, a->newlen, kept);
out:
	far_dir_unlock(dir);
	return err;
}

/* What is left at the old name. */
static void leave(const struct rename_args *a, struct inode *whiteout)
{
	if (a->exchange)
		tmpfs_dir_replace(a->olddir, a->oldname, a->oldlen, a->replaced);
	else if (whiteout)
		tmpfs_dir_replace(a->olddir, a->oldname, a->oldlen, whiteout);
	else
		tmpfs_dir_take(a->olddir, a->oldname, a->oldlen);
}

static int rename_out(const struct rename_args *a, u32 asker)
{
	u32 core = a->olddir->sb->vfs->far->core;
	u64 kept[FAR_CORES / 64] = {0};
	struct inode *whiteout = NULL;
	int err = far_share_of(a->olddir) ? 0 : -ENOMEM;

	if (!err && a->whiteout)
		err = tmpfs_make_inode(a->olddir->sb, a->whiteout, &whiteout);
	if (err)
		return err;
	far_dir_lock(a->olddir);
	if (!has(a->olddir, a->oldname, a->oldlen, a->old))
		err = -ENOENT;
	if (!err)
		err = far_recall(a->olddir, a->oldname, a->oldlen, core, kept);
	if (!err)
		err = ask_enter(a);
	if (!err) {
		leave(a, whiteout);
		if (a->exchange && inode_is(a->replaced, S_IFDIR))
			far_count_link(a->replaced, 0, FAR_ADOPT, a->olddir);
		if (!a->exchange)
			tell_moved(a, kept, asker != core);
		if (asker != core)
			far_dentry_recall(a->olddir, a->oldname, a->oldlen);
	}
	far_dir_unlock(a->olddir);
	if (whiteout)
		inode_put(whiteout);
	return err;
}

int far_home_rename(const struct rename_args *a, u32 asker)
{
	return a->newdir->far ? rename_out(a, asker) : rename_here(a, asker);
}

/* --- Who asks --- */

static int ask_rename(const struct rename_args *a)
{
	struct far_rename args = {
		.olddir = far_node_of(a->olddir),
		.newdir = a->newdir->ino,
		.old = a->old->ino,
		.replaced = a->replaced ? a->replaced->ino : 0,
		.oldlen = a->oldlen,
		.newlen = a->newlen,
		.flags = (a->exchange ? FAR_EXCHANGE : 0) | (a->whiteout ? FAR_WHITEOUT : 0),
	};
	const struct shard_in in[] = {
		{&args, sizeof(args)}, {a->oldname, a->oldlen}, {a->newname, a->newlen}};
	struct shard_parts parts = {.in = in, .nin = 3};
	int err;

	if (a->whiteout) {
		args.uid = a->whiteout->uid;
		args.gid = a->whiteout->gid;
	}
	err = far_error(
		shard_call_parts(far_net(a->olddir), home_of(a->olddir), FAR_RENAME, &parts));
	far_names_changed(a->olddir);
	far_names_changed(a->newdir);
	return err;
}

/* Others will ask about @inode by its number. */
static bool can_be_known(struct inode *inode)
{
	return !inode || inode->far || far_share_of(inode);
}

static bool is_known(const struct inode *dir)
{
	return dir->far || dir->shared;
}

/* Both directories are this core's, and no other knows them. */
static int rename_alone(const struct rename_args *a)
{
	if (!has(a->olddir, a->oldname, a->oldlen, a->old) ||
	    !has(a->newdir, a->newname, a->newlen, a->replaced) || !a->newdir->nlink)
		return -ENOENT; /* it has changed while we waited */
	return tmpfs_rename(NULL, a);
}

static int rename_known(const struct rename_args *a)
{
	if (!can_be_known(a->olddir) || !can_be_known(a->newdir) || !can_be_known(a->old) ||
	    !can_be_known(a->replaced))
		return -ENOMEM;
	return a->olddir->far ? ask_rename(a) : far_home_rename(a, a->olddir->sb->vfs->far->core);
}

int far_rename(struct vfs_task *t, const struct rename_args *a)
{
	struct superblock *sb = a->olddir->sb;
	bool moves_dir = rename_moves_dir(a);
	bool turns = moves_dir || home_of(a->olddir) != home_of(a->newdir);
	int err = turns ? rename_lock(sb) : 0;

	(void)t;
	if (err)
		return err;
	if (moves_dir)
		err = check_circle(a);
	if (!err)
		err = is_known(a->olddir) || is_known(a->newdir) ? rename_known(a)
								 : rename_alone(a);
	if (turns)
		rename_unlock(sb);
	return err;
}
