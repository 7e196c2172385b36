/*
 * One mount: making it, finding it, putting it somewhere, taking it away, destroying it.
 *
 * A mount belongs to its place by @parent, and to its namespace by @ns; references (@refs) are
 * those of users alone. When it has none of the three it is destroyed. A mount that was unmounted
 * but is locked stays on its parent, so that what it hides stays hidden, and ends with that.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <errno.h>

#define FIRST_BUCKETS 64u
#define USUAL_MAX     100000u /* Linux's default of fs.mount-max */

static struct mount **bucket(const struct mounts *all, const struct mount *parent,
			     const struct dentry *dir)
{
	u64 h = ((u64)(uintptr_t)parent ^ (u64)(uintptr_t)dir * 0x9e3779b97f4a7c15ul) *
		0xd6e8feb86659fd93ul;

	return &all->hash[(h >> 32) & (all->buckets - 1)];
}

struct mount *mounts_child(const struct mount *parent, const struct dentry *dir)
{
	struct mount *m = *bucket(parent->all, parent, dir);

	while (m && (m->parent != parent || m->point != dir))
		m = m->hash_next;
	return m;
}

struct mount *mounts_topmost(struct mount *mnt)
{
	struct mount *above;

	while ((above = mounts_child(mnt, mnt->root)))
		mnt = above;
	return mnt;
}

static void hash_in(struct mount *mnt)
{
	struct mount **b = bucket(mnt->all, mnt->parent, mnt->point);

	mnt->hash_next = *b;
	*b = mnt;
}

static void hash_out(struct mount *mnt)
{
	struct mount **at = bucket(mnt->all, mnt->parent, mnt->point);

	while (*at != mnt)
		at = &(*at)->hash_next;
	*at = mnt->hash_next;
}

/* Twice the buckets. Without memory for that, chains grow instead. */
static void grow(struct mounts *all)
{
	const struct mounts_env *env = &all->env;
	struct mount **old = all->hash;
	u32 buckets = all->buckets;
	struct mount **new = env->alloc(env->ctx, 2 * buckets * sizeof(struct mount *));

	if (!new)
		return;
	all->hash = new;
	all->buckets = 2 * buckets;
	for (u32 i = 0; i < buckets; i++) {
		while (old[i]) {
			struct mount *m = old[i];

			old[i] = m->hash_next;
			hash_in(m);
		}
	}
	env->free(env->ctx, old, buckets * sizeof(struct mount *));
}

struct mounts *mounts_create(const struct mounts_env *env, u64 first_id)
{
	struct mounts *all = env->alloc(env->ctx, sizeof(*all));

	if (!all)
		return NULL;
	all->env = *env;
	all->next_mount = first_id;
	all->max = USUAL_MAX;
	all->buckets = FIRST_BUCKETS;
	all->hash = env->alloc(env->ctx, FIRST_BUCKETS * sizeof(struct mount *));
	if (!all->hash) {
		env->free(env->ctx, all, sizeof(*all));
		return NULL;
	}
	return all;
}

void mounts_destroy(struct mounts *all)
{
	struct mounts_env env = all->env;

	id_fini(&all->ids, &env);
	id_fini(&all->group_ids, &env);
	env.free(env.ctx, all->hash, all->buckets * sizeof(struct mount *));
	env.free(env.ctx, all, sizeof(*all));
}

void mounts_set_core(struct mounts *all, u32 core)
{
	all->core = core;
	all->next_mount += (u64)core << MOUNTS_CORE_SHIFT;
}

u32 small_take(struct mounts *all, struct id_set *ids)
{
	u32 id = id_take(ids, &all->env);

	if (id >> SMALL_BITS) {
		id_give(ids, id);
		return 0;
	}
	return id ? all->core << SMALL_BITS | id : 0;
}

void small_give(struct mounts *all, struct id_set *ids, u32 id)
{
	if (is_own_small(all, id))
		id_give(ids, id & ((1u << SMALL_BITS) - 1));
}

u32 mounts_max(const struct mounts *all)
{
	return all->max;
}

void mounts_set_max(struct mounts *all, u32 max)
{
	all->max = max;
}

/* --- Lives --- */

struct mount *mount_new_as(struct mounts *all, u64 key, u32 id, struct superblock *sb,
			   struct dentry *root, void *source)
{
	const struct mounts_env *env = &all->env;
	struct mount *mnt = env->alloc(env->ctx, sizeof(*mnt));

	if (!mnt)
		return NULL;
	mnt->node.key = key;
	mnt->all = all;
	mnt->sb = sb;
	mnt->root = root;
	mnt->source = source;
	mnt->id = id;
	env->mount_get(env->ctx, sb, root, source);
	if (++all->nmounts > all->buckets)
		grow(all);
	return mnt;
}

struct mount *mounts_new(struct mounts *all, struct superblock *sb, struct dentry *root,
			 void *source, u32 flags)
{
	u32 id = small_take(all, &all->ids);
	struct mount *mnt =
		id ? mount_new_as(all, all->next_mount + 1, id, sb, root, source) : NULL;

	if (!mnt) {
		if (id)
			small_give(all, &all->ids, id);
		return NULL;
	}
	all->next_mount++;
	mnt->flags = flags;
	mnt->refs = 1;
	return mnt;
}

void mount_unmake(struct mount *mnt)
{
	struct mounts *all = mnt->all;
	const struct mounts_env *env = &all->env;

	all->nmounts--;
	env->mount_put(env->ctx, mnt->sb, mnt->root, mnt->source);
	env->free(env->ctx, mnt, sizeof(*mnt));
}

static void destroy(struct mount *mnt)
{
	mount_make_private(mnt);
	small_give(mnt->all, &mnt->all->ids, mnt->id);
	mount_unmake(mnt);
}

void mount_reap(struct mount *mnt)
{
	struct mount *list = mnt;

	if (mnt->refs || mnt->ns || mnt->parent)
		return;
	mnt->link = NULL;
	while (list) {
		struct mount *m = list;

		list = m->link;
		while (m->children) {
			struct mount *child = m->children;

			mount_displace(child);
			if (!child->refs) {
				child->link = list;
				list = child;
			}
		}
		destroy(m);
	}
}

struct mount *mount_get(struct mount *mnt)
{
	mnt->refs++;
	return mnt;
}

void mount_put(struct mount *mnt)
{
	mnt->flags &= ~MOUNT_MARKED;
	if (--mnt->refs == 0 && !mnt->ns && !mnt->parent)
		mount_reap(mnt);
}

void mounts_drop(struct mount *tree)
{
	mount_put(tree);
}

/* --- Places --- */

void mount_place(struct mount *mnt, struct mount *parent, struct dentry *point)
{
	mnt->parent = parent;
	mnt->point = point;
	mnt->next = NULL;
	mnt->prev = parent->last_child;
	if (parent->last_child)
		parent->last_child->next = mnt;
	else
		parent->children = mnt;
	parent->last_child = mnt;
	parent->nchildren++;
	hash_in(mnt);
	point_add(mnt);
}

void mount_displace(struct mount *mnt)
{
	struct mount *parent = mnt->parent;

	point_remove(mnt);
	hash_out(mnt);
	if (mnt->next)
		mnt->next->prev = mnt->prev;
	else
		parent->last_child = mnt->prev;
	if (mnt->prev)
		mnt->prev->next = mnt->next;
	else
		parent->children = mnt->next;
	mnt->next = mnt->prev = NULL;
	parent->nchildren--;
	mnt->parent = NULL;
	mnt->point = NULL;
}

struct mount *mounts_next(struct mount *mnt, const struct mount *top)
{
	if (mnt->children)
		return mnt->children;
	while (mnt != top) {
		if (mnt->next)
			return mnt->next;
		mnt = mnt->parent;
	}
	return NULL;
}

u32 count_tree(const struct mount *tree)
{
	u32 n = 0;

	for (struct mount *m = (struct mount *)tree; m; m = mounts_next(m, tree))
		n++;
	return n;
}

bool mounts_is_below(const struct mount *mnt, const struct dentry *dir, const struct mount *above,
		     const struct dentry *above_dir)
{
	while (mnt != above && mnt->parent) {
		dir = mnt->point;
		mnt = mnt->parent;
	}
	return mnt == above && dir_is_below(mnt->all, dir, above_dir);
}

void mount_enter(struct mount *tree, struct mount_ns *ns)
{
	for (struct mount *m = tree; m; m = mounts_next(m, tree)) {
		if (m->ns)
			mount_leave(m);
		m->ns = ns;
		ns->nmounts++;
		order_insert(&ns->mounts, &m->node);
	}
}

void mount_leave(struct mount *mnt)
{
	struct mount_ns *ns = mnt->ns;

	order_remove(&ns->mounts, &mnt->node);
	ns_touch(ns);
	ns->nmounts--;
	if (ns->root == mnt)
		ns->root = NULL;
	mnt->ns = NULL;
}

void mounts_lock_tree(struct mount *top)
{
	for (struct mount *m = top; m; m = mounts_next(m, top)) {
		m->flags |= MOUNT_LOCK_ATIME;
		m->flags |=
			(m->flags & (MOUNT_READONLY | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC))
			<< 8;
		if (m != top)
			m->flags |= MOUNT_LOCKED;
	}
}

/* --- Flags --- */

static_assert(MOUNT_LOCK_READONLY == MOUNT_READONLY << 8, "a flag and its lock");
static_assert(MOUNT_LOCK_NOEXEC == MOUNT_NOEXEC << 8, "a flag and its lock");

int mounts_check_flags(const struct mount *mnt, u32 flags)
{
	u32 locks = mnt->flags >> 8 & (MOUNT_READONLY | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC);

	if (locks & ~flags)
		return -EPERM;
	if ((mnt->flags & MOUNT_LOCK_ATIME) && ((mnt->flags ^ flags) & MOUNT_ATIME))
		return -EPERM;
	return 0;
}

void mounts_set_flags(struct mount *mnt, u32 flags)
{
	mnt->flags = (mnt->flags & ~MOUNT_SETTABLE) | (flags & MOUNT_SETTABLE);
	if (mnt->ns)
		ns_changed(mnt->ns);
}
