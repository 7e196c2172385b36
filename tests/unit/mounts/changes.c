/* See changes.h. */
#include "changes.h"

#include <errno.h>
#include <stdlib.h>
#include <unit.h>

u32 run_pick(struct run *r, u32 n)
{
	return (u32)(unit_random(&r->random) >> 32) % n;
}

static struct mount *pick_mount(struct run *r)
{
	struct mount_ns *ns = r->ns[run_pick(r, RUN_NAMESPACES)];
	struct mount *m = ns->root;

	for (u32 n = run_pick(r, ns->nmounts); n; n--)
		m = mounts_next(m, ns->root);
	return m;
}

/* A directory that can be seen through @mnt. */
static struct dentry *pick_dir(struct run *r, const struct mount *mnt)
{
	for (;;) {
		struct dentry *dir = dir_at(mnt, run_pick(r, WORLD_DIRS));
		const struct dentry *up = dir;

		while (up && up != mnt->root)
			up = up->parent;
		if (up)
			return dir;
	}
}

void change_choose(struct run *r, struct change *c)
{
	c->what = run_pick(r, 16);
	c->a = pick_mount(r);
	c->b = pick_mount(r);
	c->a_dir = pick_dir(r, c->a);
	c->b_dir = pick_dir(r, c->b);
	c->x = run_pick(r, 1u << 16);
	c->ns = run_pick(r, RUN_NAMESPACES);
}

static int attach_new(struct mount *tree, const struct change *c)
{
	int err = mounts_attach(tree, c->b, c->b_dir, c->x & 7 ? 0 : ATTACH_BENEATH);

	if (err)
		mounts_drop(tree);
	return err;
}

static int mount_one(struct run *r, const struct change *c)
{
	struct superblock *sb = &r->w.fs[c->x / 8 % WORLD_FILESYSTEMS];
	struct mount *m = mounts_new(r->w.all, sb, &sb->dir[ROOT], NULL, 0);

	return m ? attach_new(m, c) : -ENOMEM;
}

static int bind_one(const struct change *c, bool anonymous)
{
	struct mount_ns *ns;
	struct mount *copy;
	int err = mounts_copy(c->a, c->a_dir, c->x & 8 ? COPY_RECURSIVE : 0, &copy);

	if (err)
		return err;
	if (!anonymous)
		return attach_new(copy, c);
	ns = mounts_ns_new(copy, c->a->ns->owner, true);
	if (!ns) {
		mounts_drop(copy);
		return -ENOMEM;
	}
	err = mounts_attach(copy, c->b, c->b_dir, 0);
	if (err)
		mounts_dissolve(ns);
	mounts_ns_put(ns);
	return err;
}

static int new_namespace(struct run *r, const struct change *c)
{
	struct mount_ns *from = r->ns[c->ns], **to = &r->ns[c->x % RUN_NAMESPACES], *new;
	void *owner = &r->w.owners[c->x / 8 % 3];
	struct mount *tree;
	int err;

	if (c->x & 4096) {
		err = mounts_copy(c->a, c->a_dir, COPY_RECURSIVE, &tree);
		if (!err) {
			err = mounts_ns_of_tree(from, owner, tree, &new);
			if (err)
				mounts_drop(tree);
		}
	} else {
		err = mounts_ns_copy(from, owner, &new);
	}
	if (err)
		return err;
	if (new->nmounts > RUN_MOUNTS_MAX) {
		mounts_ns_put(new);
		return -ENOSPC;
	}
	mounts_ns_put(*to);
	*to = new;
	if (r->w.ns == NULL || !mounts_ns_find(r->w.all, 1))
		r->w.ns = NULL;
	return 0;
}

int change_make(struct run *r, const struct change *c)
{
	switch (c->what) {
	case 0:
	case 1:
	case 2:
		return mount_one(r, c);
	case 3:
	case 4:
		return bind_one(c, c->x & 16);
	case 5:
		return mounts_attach(c->a, c->b, c->b_dir, 0);
	case 6:
	case 7:
	case 8:
		return mounts_umount(c->a, 0, 0);
	case 9:
		return mounts_umount(c->a, 0, c->x & 1 ? UMOUNT_LAZY : 0);
	case 10:
	case 11:
	case 12:
		return mounts_set_kind(c->a, c->x % 7 == 3 ? 3 : c->x % 3, c->x & 64);
	case 13:
		return mounts_set_group(c->a, c->b);
	case 14:
		return c->x % 4 ? mounts_pivot_root(c->a, c->b, c->a, c->a_dir)
				: new_namespace(r, c);
	default:
		if (c->x % 8 == 0)
			mounts_dir_removed(r->w.all, c->a_dir);
		return 0;
	}
}

void run_begin(struct run *r)
{
	const char *seed = getenv("SKERRY_SEED");

	world_begin(&r->w);
	r->random = seed ? strtoul(seed, NULL, 0) | 1 : 20261123;
	r->done = r->refused = 0;
	mounts_set_max(r->w.all, RUN_MOUNTS_MAX);
	for (u32 i = 0; i < RUN_NAMESPACES; i++)
		REQUIRE(!mounts_ns_copy(r->w.ns, &r->w.owners[0], &r->ns[i]));
	mounts_ns_put(r->w.ns);
	r->w.ns = NULL;
}

void run_end(struct run *r)
{
	for (u32 i = 0; i < RUN_NAMESPACES; i++)
		mounts_ns_put(r->ns[i]);
	world_end(&r->w);
}
