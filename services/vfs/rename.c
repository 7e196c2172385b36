/*
 * rename(2), renameat2(2).
 *
 * Source: rename(2); the order of checks is that of Linux's do_renameat2() and vfs_rename(), as
 * its errors show it.
 * Runs in: the personality, host tests.
 */
#include "internal.h"

/* Both names, walked to. */
struct renaming {
	struct vfs_task *t;
	struct walk from, to;
	struct dentry *old, *new; /* new may be negative */
	u32 flags;
};

static int check_parents(const struct renaming *r)
{
	if (r->from.path.mnt != r->to.path.mnt)
		return -EXDEV;
	if (r->from.type != LAST_NORM)
		return -EBUSY;
	if (r->to.type != LAST_NORM)
		return r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	return mount_is_readonly(r->from.path.mnt) ? -EROFS : 0;
}

static bool is_dir(const struct dentry *dentry)
{
	return inode_is(dentry->inode, S_IFDIR);
}

static int check_names(const struct renaming *r)
{
	bool exchange = r->flags & RENAME_EXCHANGE;

	if (!r->old->inode)
		return -ENOENT;
	if ((r->flags & RENAME_NOREPLACE) && r->new->inode)
		return -EEXIST;
	if (exchange && !r->new->inode)
		return -ENOENT;
	if (exchange && !is_dir(r->new) && walk_trailing_slash(&r->to))
		return -ENOTDIR;
	if (!is_dir(r->old)) {
		if (walk_trailing_slash(&r->from))
			return -ENOTDIR;
		if (!exchange && walk_trailing_slash(&r->to))
			return -ENOTDIR;
	}
	if (dentry_is_below(r->to.path.dentry, r->old))
		return -EINVAL;
	if (r->new->inode && dentry_is_below(r->from.path.dentry, r->new))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int check_rights(const struct renaming *r)
{
	struct inode *olddir = r->from.path.dentry->inode, *newdir = r->to.path.dentry->inode;
	bool exchange = r->flags & RENAME_EXCHANGE;
	int err = may_delete(r->t, olddir, r->old, is_dir(r->old));

	if (err)
		return err;
	if (!r->new->inode)
		err = may_create(r->t, newdir);
	else
		err = may_delete(r->t, newdir, r->new, is_dir(exchange ? r->new : r->old));
	if (err)
		return err;
	if (!olddir->ops->rename)
		return -EPERM;
	/* A directory's ".." changes. */
	if (is_dir(r->old) && olddir != newdir)
		err = inode_permission(r->t, r->old->inode, MAY_WRITE);
	if (!err && exchange && is_dir(r->new) && olddir != newdir)
		err = inode_permission(r->t, r->new->inode, MAY_WRITE);
	if (err)
		return err;
	if (mounts_is_point_of(r->t->fs->mnt->mounts, r->old) ||
	    mounts_is_point_of(r->t->fs->mnt->mounts, r->new))
		return -EBUSY;
	return 0;
}

static int rename_looked_up(struct renaming *r)
{
	struct new_node whiteout = {0};
	struct rename_args args = {
		.olddir = r->from.path.dentry->inode,
		.newdir = r->to.path.dentry->inode,
		.old = r->old->inode,
		.replaced = r->new->inode,
		.oldname = r->from.last,
		.newname = r->to.last,
		.oldlen = r->from.last_len,
		.newlen = r->to.last_len,
		.exchange = r->flags &RENAME_EXCHANGE,
		.whiteout = r->flags &RENAME_WHITEOUT ? &whiteout : NULL,
	};
	int err = check_names(r);
	bool sure;

	if (err)
		return err;
	if (r->old->inode == r->new->inode)
		return 0;
	new_node_fill(r->t, args.olddir, S_IFCHR, &whiteout);
	err = check_rights(r);
	if (!err)
		err = args.olddir->ops->rename(r->t, &args);
	if (err)
		return err;
	sure = r->old->hashed && r->new->hashed;
	if (walk_is_at(&r->from, r->old) && walk_is_at(&r->to, r->new) &&
	    !dentry_is_below(r->new->parent, r->old) &&
	    !(args.exchange && dentry_is_below(r->old->parent, r->new))) {
		/* What others have looked up at the names meanwhile. */
		if (!r->old->hashed)
			dentry_forget(r->old->parent, args.oldname, args.oldlen);
		if (!r->new->hashed)
			dentry_forget(r->new->parent, args.newname, args.newlen);
		dentry_move(r->old, r->new, args.exchange);
	} else {
		sure = false;
	}
	/* What another core said of a name meanwhile did not reach a dentry that is not found. */
	if (!sure) {
		dentry_recall(r->from.path.dentry, args.oldname, args.oldlen);
		dentry_recall(r->to.path.dentry, args.newname, args.newlen);
	}
	return 0;
}

static int rename_walked(struct renaming *r)
{
	int err = walk_to_parent(&r->from);

	if (!err)
		err = walk_to_parent(&r->to);
	if (!err)
		err = check_parents(r);
	if (!err)
		err = walk_look_up(&r->from, &r->old);
	if (err)
		return err;
	err = walk_look_up(&r->to, &r->new);
	if (!err) {
		err = rename_looked_up(r);
		dentry_put(r->new);
	}
	dentry_put(r->old);
	return err;
}

int vfs_renameat2(struct vfs_task *t, int olddir, const char *oldpath, int newdir,
		  const char *newpath, u32 flags)
{
	struct renaming r = {.t = t, .flags = flags};
	int err;

	if (flags & ~(u32)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if ((flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) && (flags & RENAME_EXCHANGE))
		return -EINVAL;
	err = walk_begin(&r.from, t, olddir, oldpath, 0, 0);
	if (err)
		return err;
	err = walk_begin(&r.to, t, newdir, newpath, 0, 0);
	if (!err) {
		err = rename_walked(&r);
		walk_end(&r.to);
	}
	walk_end(&r.from);
	return err;
}
