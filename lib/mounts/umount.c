/*
 * Unmounting, and what it spreads to.
 *
 * The tree that is to go is marked (LEAVING). Where the parent of one of its mounts sends changes
 * to, the mount at the same place is a candidate. A candidate stays if something else that stays is
 * mounted on it elsewhere than on its root, because that would lose its place; or if it is
 * locked and its parent stays, because it hides something. What is on the root of a candidate that
 * goes comes to be where that was.
 *
 * Runs in: the personality, host tests. Source: umount(2), Linux's propagate_umount.txt.
 */
#include "internal.h"

#include <errno.h>

#define GOES (MOUNT_LEAVING | MOUNT_CANDIDATE)

static bool goes(const struct mount *mnt)
{
	return mnt && mnt->flags & GOES;
}

/* --- What goes --- */

static struct mount *mark_tree(struct mount *tree)
{
	struct mount *list = NULL;

	for (struct mount *m = tree; m; m = mounts_next(m, tree)) {
		m->flags |= MOUNT_LEAVING;
		m->link = list;
		list = m;
	}
	return list;
}

static struct mount *find_candidates(struct mount *leaving)
{
	struct mount *list = NULL, *target;

	for (struct mount *m = leaving; m; m = m->link) {
		struct spread s = {.origin = m->parent};

		while (m->parent && (target = spread_next(&s))) {
			struct mount *child = mounts_child(target, m->point);

			if (!child || goes(child) || !child->ns)
				continue;
			child->flags |= MOUNT_CANDIDATE;
			child->link = list;
			list = child;
		}
	}
	return list;
}

/* Something on the root of @mnt stays: so does every candidate below with that inside of it. */
static bool keep_ancestors(struct mount *mnt)
{
	bool kept = false;

	for (; mnt->parent && mnt->parent->flags & MOUNT_CANDIDATE; mnt = mnt->parent) {
		if (mnt->point == mnt->parent->root)
			continue;
		mnt->parent->flags &= ~MOUNT_CANDIDATE;
		kept = true;
	}
	return kept;
}

/* Look whether @mnt must stay, or others because of it. True if somebody must. */
static bool trim_one(struct mount *mnt)
{
	for (const struct mount *c = mnt->children; c; c = c->next) {
		if (goes(c))
			continue;
		if (c->point != mnt->root) {
			mnt->flags &= ~MOUNT_CANDIDATE;
			return true;
		}
		if (keep_ancestors(mnt))
			return true;
	}
	if (mnt->flags & MOUNT_LOCKED && !goes(mnt->parent)) {
		mnt->flags &= ~MOUNT_CANDIDATE;
		return true;
	}
	return false;
}

static struct mount *trim(struct mount *candidates)
{
	struct mount **at, *mnt;
	bool again = true;

	while (again) {
		again = false;
		for (at = &candidates; (mnt = *at);) {
			if (mnt->flags & MOUNT_CANDIDATE)
				again |= trim_one(mnt);
			if (mnt->flags & MOUNT_CANDIDATE)
				at = &mnt->link;
			else
				*at = mnt->link;
		}
	}
	return candidates;
}

/* What is on the root of a candidate and stays goes to where the lowest that goes is. */
static void save_covers(struct mount *candidates)
{
	for (struct mount *m = candidates; m; m = m->link) {
		struct mount *next;

		for (struct mount *c = m->children; c; c = next) {
			struct mount *lowest = m;

			next = c->next;
			if (goes(c))
				continue;
			while (goes(lowest->parent))
				lowest = lowest->parent;
			mount_displace(c);
			mount_place(c, lowest->parent, lowest->point);
		}
	}
}

/* --- Performing --- */

/* Does @mnt, which goes, stay on its parent, which goes too, so that it goes on hiding things? */
static bool stays_on(const struct mount *mnt, bool sync, bool connected)
{
	if (sync || !goes(mnt->parent))
		return false;
	return connected || mnt->flags & MOUNT_LOCKED;
}

static void take_out(struct mount *list, bool sync, bool connected)
{
	struct mount *alone = NULL, *next;

	for (struct mount *m = list; m; m = m->link) {
		if (m->parent && !stays_on(m, sync, connected))
			mount_displace(m);
	}
	for (struct mount *m = list; m; m = next) {
		next = m->link;
		m->flags &= ~GOES;
		mount_make_private(m);
		if (m->ns) {
			ns_changed(m->ns);
			mount_leave(m);
		}
		if (!m->parent) { /* those on others go with them */
			m->link = alone;
			alone = m;
		}
	}
	for (; alone; alone = next) {
		next = alone->link;
		mount_reap(alone);
	}
}

static struct mount *join_lists(struct mount *a, struct mount *b)
{
	struct mount **last = &a;

	while (*last)
		last = &(*last)->link;
	*last = b;
	return a;
}

void umount_all(struct mount *tree, bool connected)
{
	take_out(mark_tree(tree), false, connected);
}

void umount_list(struct mount *list)
{
	take_out(list, false, false);
}

/* The next of what would go with a mount whose parent spreads by @s, and is at @point. */
static struct mount *next_that_goes(struct spread *s, const struct dentry *point)
{
	struct mount *target;

	while ((target = spread_next(s))) {
		struct mount *child = mounts_child(target, point);
		const struct mount *on;

		if (!child)
			continue;
		on = mounts_child(child, child->root);
		if (!on && child->children)
			continue; /* it stays */
		return child;
	}
	return NULL;
}

u32 mounts_umount_asks(struct mount *mnt, struct mount **list, u32 room)
{
	struct spread s = {.origin = mnt->parent};
	struct mount *child;
	u32 n = 0;

	if (room)
		list[n] = mnt;
	n++;
	while (mnt->parent && (child = next_that_goes(&s, mnt->point))) {
		if (n < room)
			list[n] = child;
		n++;
	}
	return n;
}

bool mounts_reaches_others(struct mount *mnt)
{
	if (mnt->parent && mnt->parent->group)
		return true;
	for (struct mount *m = mnt; m; m = mounts_next(m, mnt)) {
		if (m->group || m->master)
			return true;
	}
	return false;
}

/* In use, or what would go with it is. */
static bool is_busy(struct mount *mnt, u32 users)
{
	struct spread s = {.origin = mnt->parent};
	bool busy = mnt->refs + mnt->far_refs > users || mnt->children;
	struct mount *child;

	mnt->far_refs = 0;
	while ((child = next_that_goes(&s, mnt->point))) {
		busy |= child->refs || child->far_refs;
		child->far_refs = 0;
	}
	return busy;
}

int mounts_umount(struct mount *mnt, u32 users, u32 how)
{
	bool lazy = how & UMOUNT_LAZY;
	struct mount *leaving, *candidates;

	if (!mnt->ns || !mnt->parent || mnt->flags & MOUNT_LOCKED)
		return -EINVAL;
	if (!lazy && is_busy(mnt, users))
		return -EBUSY;
	leaving = mark_tree(mnt);
	candidates = trim(find_candidates(leaving));
	save_covers(candidates);
	take_out(join_lists(leaving, candidates), !lazy, false);
	return 0;
}

void mounts_dir_removed(struct mounts *all, struct dentry *dir)
{
	struct mount *mnt = dir_of(all, dir)->here;

	while (mnt) {
		if (mnt->ns && mnt->ns->far) { /* its home will tell */
			mnt = mnt->here_next;
			continue;
		}
		if (mnt->ns) {
			umount_all(mnt, true);
		} else {
			mount_displace(mnt);
			mount_reap(mnt);
		}
		mnt = dir_of(all, dir)->here;
	}
}

void mounts_dissolve(struct mount_ns *ns)
{
	if (ns->root)
		umount_all(ns->root, true);
}
