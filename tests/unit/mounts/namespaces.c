/*
 * Namespaces: copies, empty ones, those of a tree, anonymous ones, pivot_root.
 */
#include "world.h"

#include <errno.h>
#include <unit.h>

TEST(copy_of_a_namespace_has_its_mounts)
{
	struct world w;
	struct mount_ns *copy;
	struct mount *m;

	world_begin(&w);
	m = world_mount(&w, 1, w.ns->root, A);
	world_mount(&w, 2, m, B);
	mounts_set_kind(m, MOUNT_KIND_UNBINDABLE, false);
	CHECK_EQUAL(mounts_ns_copy(w.ns, &w.owners[0], &copy), 0);
	CHECK_EQUAL(copy->nmounts, 3);
	CHECK(mounts_copy_of(m, copy) == on(copy->root, A));
	CHECK(on(copy->root, A)->flags & MOUNT_UNBINDABLE);
	CHECK(copy->node.key > w.ns->node.key);
	world_mount(&w, 3, w.ns->root, B);
	CHECK(!on(copy->root, B));
	world_check(&w);
	mounts_ns_put(copy);
	world_check(&w);
	world_end(&w);
}

TEST(mounts_spread_between_namespaces)
{
	struct world w;
	struct mount_ns *copy;

	world_begin(&w);
	mounts_set_kind(w.ns->root, MOUNT_SHARED, false);
	CHECK_EQUAL(mounts_ns_copy(w.ns, &w.owners[0], &copy), 0);
	world_mount(&w, 1, copy->root, A);
	CHECK(on(w.ns->root, A) != NULL);
	world_check(&w);
	mounts_ns_put(copy);
	CHECK(on(w.ns->root, A) != NULL);
	world_end(&w);
}

TEST(copy_for_less_privilege_receives_only_and_is_locked)
{
	struct world w;
	struct mount_ns *copy;
	struct mount *m, *c;

	world_begin(&w);
	mounts_set_kind(w.ns->root, MOUNT_SHARED, false);
	m = world_mount(&w, 1, w.ns->root, A);
	mounts_set_flags(m, MOUNT_READONLY | MOUNT_RELATIME);
	CHECK_EQUAL(mounts_ns_copy(w.ns, &w.owners[1], &copy), 0);
	c = on(copy->root, A);
	CHECK(!c->group && c->master == m->group);
	CHECK_EQUAL(mounts_umount(c, 0, 0), -EINVAL);
	CHECK_EQUAL(mounts_check_flags(c, MOUNT_RELATIME), -EPERM);
	CHECK_EQUAL(mounts_check_flags(c, MOUNT_READONLY), -EPERM);
	CHECK_EQUAL(mounts_check_flags(c, MOUNT_READONLY | MOUNT_RELATIME | MOUNT_NODEV), 0);
	world_mount(&w, 2, copy->root, B);
	CHECK(!on(w.ns->root, B));
	/* What arrives as a whole can be taken away as a whole. */
	world_mount(&w, 3, w.ns->root, A_D);
	CHECK_EQUAL(mounts_umount(on(copy->root, A_D), 0, 0), 0);
	world_check(&w);
	mounts_ns_put(copy);
	world_end(&w);
}

TEST(umount_does_not_reveal_what_a_locked_mount_hides)
{
	struct world w;
	struct mount_ns *copy;
	struct mount *m;

	world_begin(&w);
	mounts_set_kind(w.ns->root, MOUNT_SHARED, false);
	m = world_mount(&w, 1, w.ns->root, A);
	CHECK_EQUAL(mounts_ns_copy(w.ns, &w.owners[1], &copy), 0);
	CHECK_EQUAL(mounts_umount(m, 0, 0), 0);
	CHECK(on(copy->root, A) != NULL);
	world_check(&w);
	mounts_ns_put(copy);
	world_end(&w);
}

TEST(namespace_of_a_tree_has_a_root_below_it)
{
	struct world w;
	struct mount_ns *ns;
	struct mount *m, *tree;

	world_begin(&w);
	m = world_mount(&w, 1, w.ns->root, A);
	world_mount(&w, 2, m, B);
	CHECK_EQUAL(mounts_copy(m, m->root, COPY_RECURSIVE, &tree), 0);
	CHECK_EQUAL(mounts_ns_of_tree(w.ns, &w.owners[0], tree, &ns), 0);
	CHECK_EQUAL(ns->nmounts, 3);
	CHECK(mounts_topmost(ns->root) == tree && tree->parent == ns->root);
	CHECK(ns->root->sb == w.ns->root->sb);
	CHECK_EQUAL(mounts_umount(tree, 0, UMOUNT_LAZY), 0);
	world_check(&w);
	mounts_ns_put(ns);
	world_end(&w);
}

TEST(namespace_of_a_tree_for_less_privilege_is_locked)
{
	struct world w;
	struct mount_ns *ns;
	struct mount *tree;

	world_begin(&w);
	CHECK_EQUAL(mounts_copy(w.ns->root, w.ns->root->root, COPY_RECURSIVE, &tree), 0);
	CHECK_EQUAL(mounts_ns_of_tree(w.ns, &w.owners[1], tree, &ns), 0);
	CHECK_EQUAL(mounts_umount(tree, 0, UMOUNT_LAZY), -EINVAL);
	mounts_ns_put(ns);
	world_end(&w);
}

TEST(empty_namespace_has_one_mount_and_costs_under_2_kib)
{
	struct world w;
	struct mount_ns *ns;
	u64 before;

	world_begin(&w);
	world_mount(&w, 1, w.ns->root, A);
	before = w.allocated;
	CHECK_EQUAL(mounts_ns_empty(w.ns, &w.owners[0], false, &ns), 0);
	CHECK_EQUAL(ns->nmounts, 1);
	CHECK(w.allocated - before <= 2 * KiB);
	mounts_ns_put(ns);
	CHECK_EQUAL(w.allocated, before);
	world_end(&w);
}

TEST(anonymous_tree_is_attached_or_dissolved)
{
	struct world w;
	struct mount_ns *anonymous;
	struct mount *tree;

	world_begin(&w);
	CHECK_EQUAL(mounts_copy(w.ns->root, w.ns->root->root, COPY_RECURSIVE, &tree), 0);
	anonymous = mounts_ns_new(tree, &w.owners[0], true);
	CHECK(!mounts_ns_find(w.all, anonymous->node.key));
	CHECK_EQUAL(mounts_attach(tree, w.ns->root, dir_at(w.ns->root, A), 0), 0);
	CHECK(tree->ns == w.ns && !anonymous->root && !anonymous->nmounts);
	mounts_dissolve(anonymous);
	mounts_ns_put(anonymous);
	CHECK(on(w.ns->root, A) == tree);
	CHECK_EQUAL(mounts_copy(w.ns->root, w.ns->root->root, COPY_RECURSIVE, &tree), 0);
	anonymous = mounts_ns_new(tree, &w.owners[0], true);
	mounts_dissolve(anonymous);
	CHECK(!anonymous->root);
	mounts_ns_put(anonymous);
	world_check(&w);
	world_end(&w);
}

TEST(what_spreads_does_not_reach_a_detached_tree)
{
	struct world w;
	struct mount_ns *anonymous;
	struct mount *tree;

	world_begin(&w);
	mounts_set_kind(w.ns->root, MOUNT_SHARED, false);
	CHECK_EQUAL(mounts_copy(w.ns->root, w.ns->root->root, COPY_RECURSIVE, &tree), 0);
	anonymous = mounts_ns_new(tree, &w.owners[0], true);
	world_mount(&w, 1, w.ns->root, A);
	CHECK(!on(tree, A));
	/* Nor does it go to itself while it is being attached. */
	CHECK_EQUAL(mounts_attach(tree, w.ns->root, dir_at(w.ns->root, B), 0), 0);
	CHECK(!on(tree, B));
	world_check(&w);
	mounts_ns_put(anonymous);
	world_end(&w);
}

TEST(pivot_root_exchanges_roots)
{
	struct world w;
	struct mount *root, *new;

	world_begin(&w);
	root = world_mount(&w, 1, w.ns->root, ROOT);
	new = world_mount(&w, 2, root, A);
	CHECK_EQUAL(mounts_pivot_root(new, root, root, dir_at(root, B)), -EBUSY);
	CHECK_EQUAL(mounts_pivot_root(new, w.ns->root, new, dir_at(new, B)), -EINVAL);
	CHECK_EQUAL(mounts_pivot_root(new, root, new, dir_at(new, B)), 0);
	CHECK(mounts_topmost(w.ns->root) == new);
	CHECK(on(new, B) == root);
	world_check(&w);
	world_end(&w);
}

TEST(pivot_root_on_itself)
{
	struct world w;
	struct mount *root, *new;

	world_begin(&w);
	root = world_mount(&w, 1, w.ns->root, ROOT);
	new = world_mount(&w, 2, root, A);
	CHECK_EQUAL(mounts_pivot_root(new, root, new, new->root), 0);
	CHECK(new->parent == w.ns->root && root->parent == new && root->point == new->root);
	CHECK_EQUAL(mounts_umount(root, 0, UMOUNT_LAZY), 0);
	CHECK(mounts_topmost(w.ns->root) == new);
	world_check(&w);
	world_end(&w);
}

TEST(pivot_root_of_a_shared_tree_is_einval)
{
	struct world w;
	struct mount *root, *new;

	world_begin(&w);
	root = world_mount(&w, 1, w.ns->root, ROOT);
	mounts_set_kind(root, MOUNT_SHARED, false);
	new = world_mount(&w, 2, root, A);
	CHECK_EQUAL(mounts_pivot_root(new, root, new, new->root), -EINVAL);
	world_end(&w);
}

TEST(file_of_a_namespace_is_not_in_a_copied_namespace)
{
	struct world w;
	struct mount_ns *copy;
	struct mount *m;

	world_begin(&w);
	m = world_mount(&w, 1, w.ns->root, A);
	m->flags |= MOUNT_NS_FILE;
	CHECK_EQUAL(mounts_ns_copy(w.ns, &w.owners[0], &copy), 0);
	CHECK_EQUAL(copy->nmounts, 1);
	CHECK(!mounts_copy_of(m, copy));
	mounts_ns_put(copy);
	world_end(&w);
}
