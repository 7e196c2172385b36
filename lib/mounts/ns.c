/*
 * Mount namespaces: making, copying, finding, ending.
 *
 * A namespace has a reference of each who is in it or has its file; the last one takes its mounts
 * apart at once. Anonymous ones (detached trees) are in no list.
 *
 * Runs in: the personality, host tests. Source: mount_namespaces(7), pivot_root(2).
 */
#include "internal.h"

#include <errno.h>

void ns_changed(struct mount_ns *ns)
{
	const struct mounts_env *env = &ns->all->env;

	ns->event++;
	ns_touch(ns);
	if (env->changed)
		env->changed(env->ctx, ns->arg);
}

struct mount_ns *mounts_ns_new(struct mount *root, void *owner, bool anonymous)
{
	struct mounts *all = root->all;
	const struct mounts_env *env = &all->env;
	struct mount_ns *ns = env->alloc(env->ctx, sizeof(*ns));

	if (!ns)
		return NULL;
	ns->all = all;
	ns->owner = owner;
	env->owner_get(env->ctx, owner);
	ns->refs = 1;
	ns->anonymous = anonymous;
	if (!anonymous) {
		ns->node.key = env->new_ns_id(env->ctx);
		order_insert(&all->namespaces, &ns->node);
	}
	mount_enter(root, ns);
	ns->root = root;
	root->refs--;
	return ns;
}

struct mount_ns *mounts_ns_get(struct mount_ns *ns)
{
	ns->refs++;
	return ns;
}

void mounts_ns_put(struct mount_ns *ns)
{
	struct mounts *all = ns->all;
	const struct mounts_env *env = &all->env;

	if (--ns->refs)
		return;
	ns->refs++; /* nobody finds it again while it ends */
	mounts_ns_watch(ns, false);
	if (!ns->anonymous)
		order_remove(&all->namespaces, &ns->node);
	if (ns->root)
		umount_all(ns->root, ns->anonymous);
	if (ns->shared && env->ended)
		env->ended(env->ctx, ns);
	env->owner_put(env->ctx, ns->owner);
	env->free(env->ctx, ns, sizeof(*ns));
}

int mounts_ns_copy(struct mount_ns *ns, void *owner, struct mount_ns **out)
{
	u32 how = COPY_RECURSIVE | COPY_UNBINDABLE | COPY_REMEMBER;
	struct mount *tree;
	int err;

	if (owner != ns->owner)
		how |= COPY_SHARED_TO_SLAVE;
	err = copy_tree(ns->root, ns->root->root, how, &tree);
	if (err)
		return err;
	if (owner != ns->owner)
		mounts_lock_tree(tree);
	*out = mounts_ns_new(tree, owner, false);
	if (!*out)
		mounts_drop(tree);
	return *out ? 0 : -ENOMEM;
}

struct mount *mounts_copy_of(const struct mount *mnt, const struct mount_ns *copy)
{
	return mnt->link && mnt->link->ns == copy ? mnt->link : NULL;
}

int mounts_ns_empty(struct mount_ns *ns, void *owner, bool top, struct mount_ns **out)
{
	struct mount *from = top ? mounts_topmost(ns->root) : ns->root, *root;

	root = mounts_new(ns->all, from->sb, from->root, from->source,
			  from->flags & (MOUNT_SETTABLE | MOUNT_NS_FILE));
	if (!root)
		return -ENOMEM;
	*out = mounts_ns_new(root, owner, false);
	if (!*out)
		mount_put(root);
	return *out ? 0 : -ENOMEM;
}

int mounts_ns_of_tree(struct mount_ns *ns, void *owner, struct mount *tree, struct mount_ns **out)
{
	bool locked = owner != ns->owner;
	int err = mounts_ns_empty(ns, owner, false, out);

	if (err)
		return err;
	for (struct mount *m = mounts_child(ns->root, ns->root->root); m;
	     m = mounts_child(m, m->root))
		locked |= (m->flags & MOUNT_LOCKED) != 0;
	if (locked) {
		mounts_lock_tree(tree);
		tree->flags |= MOUNT_LOCKED;
	}
	mount_place(tree, (*out)->root, (*out)->root->root);
	tree->refs--;
	mount_enter(tree, *out);
	return 0;
}

/* --- Watching --- */

struct mount_ns *mounts_next_dirty(struct mounts *all)
{
	struct mount_ns *ns = all->dirty;

	if (ns) {
		all->dirty = ns->dirty_next;
		ns->dirty = false;
	}
	return ns;
}

void mounts_ns_watch(struct mount_ns *ns, bool watch)
{
	struct mount_ns **at = &ns->all->dirty;

	ns->watched = watch;
	if (watch || !ns->dirty)
		return;
	while (*at != ns)
		at = &(*at)->dirty_next;
	*at = ns->dirty_next;
	ns->dirty = false;
}

/* --- Finding --- */

struct mount_ns *mounts_ns_after(const struct mounts *all, u64 id)
{
	return (struct mount_ns *)order_after(all->namespaces, id);
}

struct mount_ns *mounts_ns_before(const struct mounts *all, u64 id)
{
	return (struct mount_ns *)order_before(all->namespaces, id);
}

struct mount_ns *mounts_ns_find(const struct mounts *all, u64 id)
{
	return (struct mount_ns *)order_find(all->namespaces, id);
}

struct mount *mounts_after(const struct mount_ns *ns, u64 id)
{
	return mount_of(order_after(ns->mounts, id));
}

struct mount *mounts_before(const struct mount_ns *ns, u64 id)
{
	return mount_of(order_before(ns->mounts, id));
}

struct mount *mounts_find(const struct mount_ns *ns, u64 id)
{
	return mount_of(order_find(ns->mounts, id));
}

/* --- pivot_root --- */

int mounts_pivot_root(struct mount *new, struct mount *root, struct mount *old,
		      struct dentry *old_dir)
{
	const struct mounts_env *env = &new->all->env;
	struct mount *parent = root->parent;
	struct dentry *point = root->point;
	struct mount *above;

	while ((above = mounts_child(old, old_dir))) {
		old = above;
		old_dir = above->root;
	}
	/* Linux: what has no parent is its own. */
	if (old->group || (new->parent ? new->parent : new)->group ||
	    (parent ? parent : root)->group)
		return -EINVAL;
	if (!new->ns || new->ns != root->ns || old->ns != root->ns || new->flags & MOUNT_LOCKED)
		return -EINVAL;
	if (new == root || old == root)
		return -EBUSY;
	if (!parent || !new->parent)
		return -EINVAL;
	if (!mounts_is_below(old, old_dir, new, new->root) ||
	    !mounts_is_below(new, new->root, root, root->root))
		return -EINVAL;
	env->dir_get(env->ctx, point); /* while nothing is on it */
	mount_displace(new);
	mount_displace(root);
	if (root->flags & MOUNT_LOCKED) {
		new->flags |= MOUNT_LOCKED;
		root->flags &= ~MOUNT_LOCKED;
	}
	mount_place(root, old, old_dir);
	mount_place(new, parent, point);
	env->dir_put(env->ctx, point);
	ns_changed(new->ns);
	return 0;
}
