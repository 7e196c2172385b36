/*
 * Copies of mounts and of trees. A copy is detached: in no namespace, and its root has a reference
 * of whoever asked for it. What it shares, it shares from the moment it is made; but nothing
 * spreads to a mount that is in no namespace.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <errno.h>

static int clone_mount(const struct mount *mnt, struct dentry *root, u32 how, struct mount **out)
{
	const u32 passing = MOUNT_MARKED | MOUNT_LEAVING | MOUNT_CANDIDATE;
	struct mount *copy =
		mounts_new(mnt->all, mnt->sb, root, mnt->source, mnt->flags & ~passing);
	struct mount_group *group;

	if (!copy)
		return -ENOMEM;
	mount_join(copy, mnt, how & COPY_SLAVE || (how & COPY_SHARED_TO_SLAVE && mnt->group));
	if (how & COPY_SHARED && !copy->group) {
		group = group_new(mnt->all);
		if (!group) {
			mount_put(copy);
			return -ENOMEM;
		}
		mount_make_shared(copy, group);
	}
	*out = copy;
	return 0;
}

/* Is @mnt left out of a copy? -EPERM: it may not be. */
static int is_left_out(struct mount *mnt, u32 how)
{
	if (mnt->flags & MOUNT_UNBINDABLE && !(how & COPY_UNBINDABLE))
		return mnt->flags & MOUNT_LOCKED ? -EPERM : 1;
	return mnt->flags & MOUNT_NS_FILE && !(how & COPY_NS_FILES);
}

static void forget_copies(struct mount *tree)
{
	for (struct mount *m = tree; m; m = mounts_next(m, tree))
		m->link = NULL;
}

/* Copy @mnt, if it is not left out, to where @parent, a copy, has the same place. */
static int copy_one(struct mount *mnt, struct mount *parent, u32 how, struct mount **out)
{
	int err = is_left_out(mnt, how);

	*out = NULL;
	if (err) {
		if (how & COPY_REMEMBER)
			forget_copies(mnt);
		return err < 0 ? err : 0;
	}
	err = clone_mount(mnt, mnt->root, how, out);
	if (err)
		return err;
	(*out)->refs = 0;
	mount_place(*out, parent, mnt->point);
	if (how & COPY_REMEMBER)
		mnt->link = *out;
	return 0;
}

/* Copy what is mounted on @from, and on that, to @to, a copy of @from. */
static int copy_below(struct mount *from, struct mount *to, u32 how)
{
	struct mount *m = from->children, *at = to, *copy; /* at: the copy of m's parent */

	while (m) {
		int err = copy_one(m, at, how, &copy);

		if (err)
			return err;
		if (copy && m->children) {
			at = copy;
			m = m->children;
			continue;
		}
		while (!m->next) {
			m = m->parent;
			if (m == from)
				return 0;
			at = at->parent;
		}
		m = m->next;
	}
	return 0;
}

int copy_tree(struct mount *mnt, struct dentry *dir, u32 how, struct mount **out)
{
	struct mount *root, *copy, *next;
	int err = clone_mount(mnt, dir, how, &root);

	if (err)
		return err;
	if (how & COPY_REMEMBER)
		mnt->link = root;
	if (how & COPY_RECURSIVE && dir == mnt->root) {
		err = copy_below(mnt, root, how);
	} else if (how & COPY_RECURSIVE) {
		for (struct mount *m = children_below(mnt, dir); m && !err; m = next) {
			next = m->link;
			err = copy_one(m, root, how, &copy);
			if (!err && copy)
				err = copy_below(m, copy, how);
		}
	}
	if (err)
		mounts_drop(root);
	else
		*out = root;
	return err;
}

int mounts_copy(struct mount *mnt, struct dentry *dir, u32 how, struct mount **out)
{
	int err;

	if (mnt->flags & MOUNT_UNBINDABLE)
		return -EINVAL;
	if (!(how & COPY_RECURSIVE) && mounts_has_locked_below(mnt, dir))
		return -EINVAL;
	err = copy_tree(mnt, dir, how, out);
	if (!err)
		(*out)->flags &= ~MOUNT_LOCKED;
	return err;
}
