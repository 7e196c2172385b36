/*
 * Mounting and moving, and what they spread to.
 *
 *   check -> share what will be on a shared mount -> copy for each place it spreads to -> perform
 *
 * The copies are made, and counted against their namespaces' limits, before anything is placed; if
 * one of them cannot be, all are dropped and what was shared is not any more.
 *
 * What a copy receives from: on a mount of the same group as the parent, it is a peer of the
 * tree. In a group of slaves the first copy receives from the nearest group above that has one,
 * and the others are its peers; on a slave that is not shared the copy is not shared either.
 *
 * Runs in: the personality, host tests. Source: Linux's sharedsubtree.rst, move_mount(2).
 */
#include "internal.h"

#include <errno.h>

struct attach {
	struct mount *tree, *parent;
	struct dentry *point;
	u32 count;            /* of mounts in @tree */
	bool moved;           /* within its namespace */
	struct mount *copies; /* by link; @parent is where each will be */
};

/* --- Checking --- */

static bool has_unbindable(struct mount *tree)
{
	for (struct mount *m = tree; m; m = mounts_next(m, tree)) {
		if (m->flags & MOUNT_UNBINDABLE)
			return true;
	}
	return false;
}

static bool is_in(const struct mount *mnt, const struct mount *tree)
{
	while (mnt && mnt != tree)
		mnt = mnt->parent;
	return mnt != NULL;
}

/* Would what is put on (@parent, @point) spread to the root of @mnt and so cover it? */
static bool would_cover(const struct mount *parent, const struct dentry *point,
			const struct mount *mnt)
{
	if (!parent->group || mnt->root != point)
		return false;
	for (const struct mount_group *g = mnt->group ? mnt->group : mnt->master; g;
	     g = g->master) {
		if (g == parent->group)
			return true;
	}
	return false;
}

static int check_beneath(const struct attach *a)
{
	const struct mount *above = mounts_child(a->parent, a->point);

	/* A namespace's file, which a copied namespace does not have, would not keep the lock. */
	if (!above || (above->flags & MOUNT_LOCKED && a->tree->flags & MOUNT_NS_FILE))
		return -EINVAL;
	if (is_in(a->tree, above) || would_cover(a->parent, a->point, above))
		return -EINVAL;
	if (a->moved && would_cover(a->parent, a->point, a->tree))
		return -EINVAL;
	return 0;
}

static int check_source(const struct attach *a)
{
	const struct mount *tree = a->tree;

	if (!tree->ns)
		return tree->parent ? -EINVAL : 0;
	if (tree->ns->anonymous && tree == tree->ns->root)
		return tree->ns == a->parent->ns ? -EINVAL : 0;
	/* Of a detached tree the whole is moved, or nothing. */
	if (tree->ns != a->parent->ns || tree->ns->anonymous || !tree->parent ||
	    tree->flags & MOUNT_LOCKED)
		return -EINVAL;
	return tree->parent->group ? -EINVAL : 0;
}

static int check(struct attach *a, u32 how)
{
	int err;

	if (!a->parent->ns)
		return -EINVAL;
	err = check_source(a);
	if (err)
		return err;
	a->moved = a->tree->ns == a->parent->ns;
	if (how & ATTACH_BENEATH) {
		err = check_beneath(a);
	} else {
		struct mount *above;

		while ((above = mounts_child(a->parent, a->point))) {
			a->parent = above;
			a->point = above->root;
		}
	}
	if (err)
		return err;
	if (a->parent->group && has_unbindable(a->tree))
		return -EINVAL;
	return is_in(a->parent, a->tree) ? -ELOOP : 0;
}

/* --- Preparing --- */

/* A mount that @a made shared is marked, so that this can be undone. */
static void unshare_tree(struct attach *a, bool undo)
{
	for (struct mount *m = a->tree; m; m = mounts_next(m, a->tree)) {
		if (undo && m->flags & MOUNT_CANDIDATE)
			mount_make_slave(m); /* of what it was before: it is alone */
		m->flags &= ~MOUNT_CANDIDATE;
	}
}

static int share_tree(struct attach *a)
{
	for (struct mount *m = a->tree; m; m = mounts_next(m, a->tree)) {
		struct mount_group *group;

		if (m->group)
			continue;
		group = group_new(a->tree->all);
		if (!group)
			return -ENOMEM;
		mount_make_shared(m, group);
		m->flags |= MOUNT_CANDIDATE;
	}
	return 0;
}

static int count_in(struct mount_ns *ns, u32 count)
{
	u32 max = ns->all->max, there = ns->nmounts + ns->pending;

	if (there > max || count > max - there)
		return -ENOSPC;
	ns->pending += count;
	return 0;
}

/* A copy of the tree for @target, which the change spreads to: see the head of this file. */
static int copy_for(struct attach *a, struct mount *target, struct mount_group *group, bool slave)
{
	struct mount_group *from = group;
	u32 how = COPY_RECURSIVE;
	struct mount *copy;
	int err;

	/* A mount namespace's file does not spread: it is left out, or nothing spreads. */
	if (a->tree->flags & MOUNT_NS_FILE)
		return -EINVAL;

	while (!from->copy)
		from = from->master;
	if (slave || from != group)
		how |= COPY_SLAVE;
	if (!slave && from != group)
		how |= COPY_SHARED;
	err = copy_tree(from->copy, from->copy->root, how, &copy);
	if (err)
		return err;
	copy->flags &= ~MOUNT_LOCKED;
	copy->link = a->copies;
	a->copies = copy;
	copy->parent = target; /* not placed yet */
	copy->point = a->point;
	if (!slave && !group->copy)
		group->copy = copy;
	return count_in(target->ns, count_tree(copy));
}

static int spread(struct attach *a)
{
	struct spread s = {.origin = a->parent};
	struct mount_group *entered = a->parent->group;
	struct mount *target;
	int err = 0;

	if (entered)
		entered->copy = a->tree;
	while (!err && (target = spread_next(&s))) {
		if (s.group != entered) {
			entered = s.group;
			entered->copy = NULL;
		}
		/* Not to what is being made or put somewhere itself. */
		if (!target->ns || target->ns->anonymous)
			continue;
		if (dir_is_below(target->all, a->point, target->root))
			err = copy_for(a, target, s.group, s.slaves);
	}
	return err;
}

static void no_more_pending(struct attach *a)
{
	a->parent->ns->pending = 0;
	for (struct mount *copy = a->copies; copy; copy = copy->link)
		copy->parent->ns->pending = 0;
}

static void undo(struct attach *a)
{
	no_more_pending(a);
	while (a->copies) {
		struct mount *copy = a->copies;

		a->copies = copy->link;
		copy->parent = NULL;
		copy->point = NULL;
		mounts_drop(copy);
	}
	unshare_tree(a, true);
}

static int prepare(struct attach *a)
{
	int err = a->moved ? 0 : count_in(a->parent->ns, count_tree(a->tree));

	if (!err && a->parent->group)
		err = share_tree(a);
	if (!err)
		err = spread(a);
	if (err)
		undo(a);
	return err;
}

/* --- Performing --- */

/* Put @mnt there, with what is there already on top of it. */
static void place(struct mount *mnt, struct mount *parent, struct dentry *point)
{
	struct mount *above = mounts_child(parent, point), *top;

	if (above)
		mount_displace(above);
	mount_place(mnt, parent, point);
	if (above) {
		top = mounts_topmost(mnt);
		mount_place(above, top, top->root);
	}
}

static void place_copy(struct mount *copy, const void *owner)
{
	struct mount *parent = copy->parent;
	struct dentry *point = copy->point;

	copy->parent = NULL;
	copy->refs = 0; /* it was this operation's */
	if (parent->ns->owner != owner)
		mounts_lock_tree(copy); /* and not what will be on top of it */
	place(copy, parent, point);
	/* What is on top of it now is in the namespace already. */
	for (struct mount *m = copy; m; m = mounts_next(m, copy)) {
		if (!m->ns) {
			m->ns = parent->ns;
			m->ns->nmounts++;
			order_insert(&m->ns->mounts, &m->node);
		}
	}
	ns_changed(parent->ns);
}

/* Of a locked mount that is lifted, what goes beneath it hides now what is below. */
static void pass_lock(struct mount *above, struct mount *tree)
{
	if (above && above->flags & MOUNT_LOCKED) {
		above->flags &= ~MOUNT_LOCKED;
		tree->flags |= MOUNT_LOCKED;
	}
}

static void perform(struct attach *a)
{
	struct mount *tree = a->tree, *copies = a->copies;
	struct mount_ns *ns = a->parent->ns;

	no_more_pending(a);
	unshare_tree(a, false);
	if (a->moved) {
		mount_displace(tree);
	} else {
		if (!tree->ns)
			tree->refs--; /* the caller's, which the place has now */
		mount_enter(tree, ns);
	}
	pass_lock(mounts_child(a->parent, a->point), tree);
	place(tree, a->parent, a->point);
	while (copies) {
		struct mount *copy = copies;

		copies = copy->link;
		place_copy(copy, ns->owner);
	}
	ns_changed(ns);
}

int mounts_attach(struct mount *tree, struct mount *parent, struct dentry *dir, u32 how)
{
	struct attach a = {.tree = tree, .parent = parent, .point = dir};
	int err = check(&a, how);

	if (!err)
		err = prepare(&a);
	if (!err)
		perform(&a);
	return err;
}
