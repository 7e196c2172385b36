/*
 * Which directories something is mounted on or below.
 *
 * Such directories are linked to a forest, children under their parents: a directory is in it if
 * something is mounted on it (here) or on one below (first). So the mounts below a directory
 * are found without looking at those beside it.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

static struct dentry *parent_of(const struct mounts *all, const struct dentry *dir)
{
	return all->env.parent(all->env.ctx, dir);
}

bool dir_is_below(const struct mounts *all, const struct dentry *dir, const struct dentry *above)
{
	while (dir && dir != above)
		dir = parent_of(all, dir);
	return dir != NULL;
}

static bool is_linked(const struct mount_dir *d)
{
	return d->here || d->first;
}

/* @dir has become part of the forest: link it to its parent, and that to its own if need be. */
static void link_up(struct mounts *all, struct dentry *dir)
{
	struct dentry *up;

	for (; (up = parent_of(all, dir)); dir = up) {
		struct mount_dir *d = dir_of(all, dir), *u = dir_of(all, up);
		bool was_linked = is_linked(u);

		d->next = u->first;
		d->prev = NULL;
		if (u->first)
			dir_of(all, u->first)->prev = dir;
		u->first = dir;
		if (was_linked)
			return;
	}
}

/* @dir leaves the forest, and so do those above that were in it for @dir only. */
static void unlink_up(struct mounts *all, struct dentry *dir)
{
	struct dentry *up;

	for (; (up = parent_of(all, dir)); dir = up) {
		struct mount_dir *d = dir_of(all, dir), *u = dir_of(all, up);

		if (d->next)
			dir_of(all, d->next)->prev = d->prev;
		if (d->prev)
			dir_of(all, d->prev)->next = d->next;
		else
			u->first = d->next;
		d->next = d->prev = NULL;
		if (is_linked(u))
			return;
	}
}

void point_add(struct mount *mnt)
{
	struct mounts *all = mnt->all;
	struct mount_dir *d = dir_of(all, mnt->point);
	bool was_linked = is_linked(d);

	all->env.dir_get(all->env.ctx, mnt->point);
	mnt->here_prev = NULL;
	mnt->here_next = d->here;
	if (d->here)
		d->here->here_prev = mnt;
	d->here = mnt;
	if (!was_linked)
		link_up(all, mnt->point);
}

void point_remove(struct mount *mnt)
{
	struct mounts *all = mnt->all;
	struct mount_dir *d = dir_of(all, mnt->point);

	if (mnt->here_next)
		mnt->here_next->here_prev = mnt->here_prev;
	if (mnt->here_prev)
		mnt->here_prev->here_next = mnt->here_next;
	else
		d->here = mnt->here_next;
	if (!is_linked(d))
		unlink_up(all, mnt->point);
	all->env.dir_put(all->env.ctx, mnt->point);
}

void mounts_dir_moves(struct mounts *all, struct dentry *dir, bool gone)
{
	if (!is_linked(dir_of(all, dir)))
		return;
	if (gone)
		unlink_up(all, dir);
	else
		link_up(all, dir);
}

bool mounts_is_point_of(const struct mount_ns *ns, struct dentry *dir)
{
	for (const struct mount *m = dir_of(ns->all, dir)->here; m; m = m->here_next) {
		if (m->ns == ns)
			return true;
	}
	return false;
}

/* The directory after @dir in the part of the forest at @top, parents first. */
static struct dentry *next_point(const struct mounts *all, struct dentry *dir, struct dentry *top)
{
	if (dir_of(all, dir)->first)
		return dir_of(all, dir)->first;
	while (dir != top) {
		if (dir_of(all, dir)->next)
			return dir_of(all, dir)->next;
		dir = parent_of(all, dir);
	}
	return NULL;
}

/* Are there fewer mounts on @mnt than directories to look at below @dir? Both are walked at once.
 */
static bool children_are_fewer(const struct mount *mnt, struct dentry *dir)
{
	struct dentry *at = dir;

	for (u32 left = mnt->nchildren; left && at; left--)
		at = next_point(mnt->all, at, dir);
	return at != NULL;
}

static struct mount *merge(struct mount *a, struct mount *b)
{
	struct mount *list = NULL, **last = &list;

	while (a && b) {
		struct mount **first = a->node.key < b->node.key ? &a : &b;

		*last = *first;
		last = &(*last)->link;
		*first = *last;
	}
	*last = a ? a : b;
	return list;
}

/* By identifier, so that the order does not depend on which way they were found. */
static struct mount *sorted(struct mount *list)
{
	struct mount *runs[32] = {NULL}; /* runs[i] has 2^i mounts, or none */
	struct mount *all = NULL;

	while (list) {
		struct mount *run = list;
		u32 i = 0;

		list = list->link;
		run->link = NULL;
		for (; runs[i]; i++) {
			run = merge(runs[i], run);
			runs[i] = NULL;
		}
		runs[i] = run;
	}
	for (u32 i = 0; i < ARRAY_SIZE(runs); i++)
		all = merge(runs[i], all);
	return all;
}

struct mount *children_below(struct mount *mnt, struct dentry *dir)
{
	struct mounts *all = mnt->all;
	struct mount *list = NULL, **last = &list;

	if (!is_linked(dir_of(all, dir)))
		return NULL;
	if (dir == mnt->root || children_are_fewer(mnt, dir)) {
		for (struct mount *c = mnt->children; c; c = c->next) {
			if (!dir_is_below(all, c->point, dir))
				continue;
			c->link = NULL;
			*last = c;
			last = &c->link;
		}
		return list;
	}
	for (struct dentry *at = dir; at; at = next_point(all, at, dir)) {
		struct mount *child = mounts_child(mnt, at);

		if (child) {
			child->link = list;
			list = child;
		}
	}
	return sorted(list);
}

bool mounts_has_below(struct mount *mnt, struct dentry *dir)
{
	return children_below(mnt, dir);
}

bool mounts_has_locked_below(struct mount *mnt, struct dentry *dir)
{
	for (const struct mount *m = children_below(mnt, dir); m; m = m->link) {
		if (m->flags & MOUNT_LOCKED)
			return true;
	}
	return false;
}
