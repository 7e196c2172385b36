/*
 * Peer groups and slaves.
 *
 * A group is what shared mounts have in common; slaves hang at the group they receive from, not at
 * one of its members, so nothing is to be mended when members come and go. All members of a group
 * receive from the same master. When the last member leaves, the group's slaves become slaves of
 * its master, or private.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <errno.h>

struct mount_group *group_new(struct mounts *all)
{
	const struct mounts_env *env = &all->env;
	u32 id = small_take(all, &all->group_ids);
	struct mount_group *group = id ? env->alloc(env->ctx, sizeof(*group)) : NULL;

	if (group)
		group->id = id;
	else if (id)
		small_give(all, &all->group_ids, id);
	return group;
}

void group_free(struct mounts *all, struct mount_group *group)
{
	small_give(all, &all->group_ids, group->id);
	all->env.free(all->env.ctx, group, sizeof(*group));
}

static void slave_in(struct mount *mnt, struct mount_group *master)
{
	mnt->master = master;
	mnt->slave_prev = NULL;
	mnt->slave_next = master->slaves;
	if (master->slaves)
		master->slaves->slave_prev = mnt;
	master->slaves = mnt;
}

static void slave_out(struct mount *mnt)
{
	if (mnt->slave_next)
		mnt->slave_next->slave_prev = mnt->slave_prev;
	if (mnt->slave_prev)
		mnt->slave_prev->slave_next = mnt->slave_next;
	else
		mnt->master->slaves = mnt->slave_next;
	mnt->slave_next = mnt->slave_prev = NULL;
	mnt->master = NULL;
}

static void group_slave_in(struct mount_group *group, struct mount_group *master)
{
	group->master = master;
	group->slave_prev = NULL;
	group->slave_next = master->slave_groups;
	if (master->slave_groups)
		master->slave_groups->slave_prev = group;
	master->slave_groups = group;
}

static void group_slave_out(struct mount_group *group)
{
	if (group->slave_next)
		group->slave_next->slave_prev = group->slave_prev;
	if (group->slave_prev)
		group->slave_prev->slave_next = group->slave_next;
	else
		group->master->slave_groups = group->slave_next;
	group->master = NULL;
	group->slave_next = group->slave_prev = NULL;
}

static void member_in(struct mount *mnt, struct mount_group *group)
{
	struct mount *first = group->members;

	mnt->group = group;
	group->nmembers++;
	if (!first) {
		group->members = mnt->peer_next = mnt->peer_prev = mnt;
		return;
	}
	mnt->peer_next = first;
	mnt->peer_prev = first->peer_prev;
	mnt->peer_prev->peer_next = mnt;
	first->peer_prev = mnt;
}

/*
 * A far group without members here may have some elsewhere: only what is here ends, with the last
 * that has to do with it, and so do the groups above that are here because of it.
 */
static void far_unused(struct mounts *all, struct mount_group *group)
{
	while (group && group->far && !group->nmembers && !group->users && !group->slaves &&
	       !group->slave_groups) {
		struct mount_group *master = group->master;

		if (master)
			group_slave_out(group);
		order_remove(&all->far_groups, &group->node);
		all->env.free(all->env.ctx, group, sizeof(*group));
		group = master;
	}
}

struct mount_group *group_far_get(struct mounts *all, u32 id)
{
	struct mount_group *group = (struct mount_group *)order_find(all->far_groups, id);

	if (!group) {
		group = all->env.alloc(all->env.ctx, sizeof(*group));
		if (!group)
			return NULL;
		group->id = id;
		group->far = true;
		group->node.key = id;
		order_insert(&all->far_groups, &group->node);
	}
	group->users++;
	return group;
}

void group_far_put(struct mounts *all, struct mount_group *group)
{
	group->users--;
	far_unused(all, group);
}

void group_set_master(struct mounts *all, struct mount_group *group, struct mount_group *master)
{
	struct mount_group *old = group->master;

	if (old == master)
		return;
	if (old) {
		group_slave_out(group);
		far_unused(all, old);
	}
	if (master)
		group_slave_in(group, master);
}

/* What the members of @group receive from is another. */
static void touch_members(const struct mount_group *group)
{
	const struct mount *m = group->members;

	if (!m)
		return;
	do {
		if (m->ns)
			ns_touch(m->ns);
		m = m->peer_next;
	} while (m != group->members);
}

/* The last member is gone. */
static void dissolve(struct mounts *all, struct mount_group *group)
{
	struct mount_group *master = group->master;

	while (group->slaves) {
		struct mount *slave = group->slaves;

		slave_out(slave);
		if (master)
			slave_in(slave, master);
		if (slave->ns)
			ns_touch(slave->ns);
	}
	while (group->slave_groups) {
		struct mount_group *slave = group->slave_groups;

		group_slave_out(slave);
		if (master)
			group_slave_in(slave, master);
		touch_members(slave);
	}
	if (master)
		group_slave_out(group);
	group_free(all, group);
}

static void member_out(struct mount *mnt)
{
	struct mount_group *group = mnt->group;

	mnt->group = NULL;
	mnt->peer_next->peer_prev = mnt->peer_prev;
	mnt->peer_prev->peer_next = mnt->peer_next;
	if (group->members == mnt)
		group->members = mnt->peer_next;
	mnt->peer_next = mnt->peer_prev = NULL;
	if (--group->nmembers)
		return;
	if (group->far) {
		group->members = NULL;
		far_unused(mnt->all, group);
	} else {
		dissolve(mnt->all, group);
	}
}

void mount_set_groups(struct mount *mnt, struct mount_group *group, struct mount_group *master)
{
	if (group)
		member_in(mnt, group);
	else if (master)
		slave_in(mnt, master);
}

void mount_make_private(struct mount *mnt)
{
	if (mnt->group)
		member_out(mnt);
	if (mnt->master) {
		struct mount_group *master = mnt->master;

		slave_out(mnt);
		far_unused(mnt->all, master);
	}
	mnt->flags &= ~MOUNT_UNBINDABLE;
}

void mount_make_slave(struct mount *mnt)
{
	struct mount_group *group = mnt->group, *master;

	if (!group)
		return; /* and what is unbindable stays so */
	master = group->nmembers > 1 ? group : group->master;
	member_out(mnt);
	if (master)
		slave_in(mnt, master);
}

void mount_make_shared(struct mount *mnt, struct mount_group *group)
{
	struct mount_group *master = mnt->master;

	mnt->flags &= ~MOUNT_UNBINDABLE;
	if (master) {
		slave_out(mnt);
		group_slave_in(group, master);
	}
	member_in(mnt, group);
}

void mount_join(struct mount *mnt, const struct mount *other, bool slave)
{
	if (other->group && slave)
		slave_in(mnt, other->group);
	else if (other->group)
		member_in(mnt, other->group);
	else if (other->master)
		slave_in(mnt, other->master);
}

/* --- What the user changes --- */

static u32 groups_needed(struct mount *mnt, bool recursive)
{
	u32 n = 0;

	for (struct mount *m = mnt; m; m = recursive ? mounts_next(m, mnt) : NULL)
		n += !m->group;
	return n;
}

static void put_groups(struct mounts *all, struct mount_group *list)
{
	while (list) {
		struct mount_group *group = list;

		list = group->slave_next;
		group_free(all, group);
	}
}

static int get_groups(struct mounts *all, u32 n, struct mount_group **list)
{
	for (*list = NULL; n; n--) {
		struct mount_group *group = group_new(all);

		if (!group) {
			put_groups(all, *list);
			return -ENOMEM;
		}
		group->slave_next = *list;
		*list = group;
	}
	return 0;
}

static void set_kind(struct mount *mnt, enum mount_kind kind, struct mount_group **spare)
{
	if (kind == MOUNT_SHARED) {
		struct mount_group *group = *spare;

		if (mnt->group)
			return;
		*spare = group->slave_next;
		group->slave_next = NULL;
		mount_make_shared(mnt, group);
	} else if (kind == MOUNT_SLAVE) {
		mount_make_slave(mnt);
	} else {
		mount_make_private(mnt);
		if (kind == MOUNT_KIND_UNBINDABLE)
			mnt->flags |= MOUNT_UNBINDABLE;
	}
}

int mounts_set_kind(struct mount *mnt, enum mount_kind kind, bool recursive)
{
	struct mount_group *spare = NULL;
	int err = 0;

	if (kind == MOUNT_SHARED)
		err = get_groups(mnt->all, groups_needed(mnt, recursive), &spare);
	if (err)
		return err;
	for (struct mount *m = mnt; m; m = recursive ? mounts_next(m, mnt) : NULL)
		set_kind(m, kind, &spare);
	if (mnt->ns)
		ns_changed(mnt->ns);
	return 0;
}

int mounts_set_group(struct mount *from, struct mount *to)
{
	if (!from->ns || !to->ns || from->sb != to->sb)
		return -EINVAL;
	if (to->group || to->master || to->flags & MOUNT_UNBINDABLE)
		return -EINVAL;
	if (!from->group && !from->master)
		return -EINVAL;
	if (!dir_is_below(to->all, to->root, from->root))
		return -EINVAL;
	if (mounts_has_locked_below(from, to->root))
		return -EINVAL;
	mount_join(to, from, false);
	ns_changed(to->ns);
	return 0;
}

/* --- Spreading --- */

/* The group after @group in the forest of slaves below the origin's group. */
static struct mount_group *next_group(const struct mount_group *top, struct mount_group *group)
{
	if (group->slave_groups)
		return group->slave_groups;
	while (group != top) {
		if (group->slave_next)
			return group->slave_next;
		group = group->master;
	}
	return NULL;
}

struct mount *spread_next(struct spread *s)
{
	if (!s->begun) {
		s->begun = true;
		s->group = s->origin->group;
		s->at = s->group ? s->group->members : NULL;
		if (s->at && s->at != s->origin)
			return s->at;
	}
	while (s->group) {
		if (!s->slaves) {
			s->at = s->at->peer_next;
			if (s->at == s->group->members) {
				s->slaves = true;
				s->at = s->group->slaves;
			}
		} else {
			s->at = s->at->slave_next;
		}
		if (s->slaves && !s->at) {
			s->group = next_group(s->origin->group, s->group);
			s->slaves = false;
			s->at = s->group ? s->group->members : NULL;
		}
		if (s->at && s->at != s->origin)
			return s->at;
	}
	return NULL;
}
