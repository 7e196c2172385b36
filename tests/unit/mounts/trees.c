/*
 * Placing and taking away, without propagation; and what is found where.
 */
#include "world.h"

#include <errno.h>
#include <unit.h>

TEST(mount_is_found_where_it_was_put)
{
	struct world w;
	struct mount *m;

	world_begin(&w);
	m = world_mount(&w, 1, w.ns->root, A);
	CHECK(on(w.ns->root, A) == m);
	CHECK(!on(w.ns->root, B));
	CHECK_EQUAL(w.ns->nmounts, 2);
	world_check(&w);
	world_end(&w);
}

TEST(second_mount_on_a_place_is_on_top_of_the_first)
{
	struct world w;
	struct mount *first, *second;

	world_begin(&w);
	first = world_mount(&w, 1, w.ns->root, A);
	second = world_mount(&w, 2, w.ns->root, A);
	CHECK(second->parent == first && second->point == first->root);
	CHECK(mounts_topmost(first) == second);
	CHECK_EQUAL(mounts_umount(second, 0, 0), 0);
	CHECK(mounts_topmost(first) == first);
	world_check(&w);
	world_end(&w);
}

TEST(umount_of_busy_mount_is_ebusy)
{
	struct world w;
	struct mount *m, *inner;

	world_begin(&w);
	m = world_mount(&w, 1, w.ns->root, A);
	inner = world_mount(&w, 2, m, B);
	CHECK_EQUAL(mounts_umount(m, 0, 0), -EBUSY);
	CHECK_EQUAL(mounts_umount(inner, 0, 0), 0);
	mount_get(m);
	CHECK_EQUAL(mounts_umount(m, 0, 0), -EBUSY);
	CHECK_EQUAL(mounts_umount(m, 1, 0), 0);
	CHECK(!m->ns && !m->parent);
	mount_put(m);
	CHECK_EQUAL(mounts_umount(w.ns->root, 0, 0), -EINVAL);
	world_check(&w);
	world_end(&w);
}

TEST(lazy_umount_takes_all_apart_at_once)
{
	struct world w;
	struct mount *m, *inner;

	world_begin(&w);
	m = mount_get(world_mount(&w, 1, w.ns->root, A));
	inner = mount_get(world_mount(&w, 2, m, B));
	CHECK_EQUAL(mounts_umount(m, 1, UMOUNT_LAZY), 0);
	CHECK(!on(w.ns->root, A));
	CHECK(!inner->parent && !m->children);
	mount_put(m);
	mount_put(inner);
	CHECK_EQUAL(w.fs[1].mounts + w.fs[2].mounts, 0);
	world_end(&w);
}

TEST(locked_mount_stays_on_its_parent_when_that_is_taken_away)
{
	struct world w;
	struct mount *m, *inner;

	world_begin(&w);
	m = mount_get(world_mount(&w, 1, w.ns->root, A));
	inner = world_mount(&w, 2, m, B);
	mounts_lock_tree(m);
	CHECK_EQUAL(mounts_umount(inner, 0, 0), -EINVAL);
	CHECK_EQUAL(mounts_umount(m, 1, UMOUNT_LAZY), 0);
	CHECK(on(m, B) == inner && !inner->ns);
	mount_put(m);
	CHECK_EQUAL(w.fs[2].mounts, 0);
	world_end(&w);
}

TEST(bind_copies_what_is_below_the_directory_only)
{
	struct world w;
	struct mount *copy;

	world_begin(&w);
	world_mount(&w, 1, w.ns->root, A_C);
	world_mount(&w, 2, w.ns->root, B_E);
	copy = world_bind(w.ns->root, A, w.ns->root, B);
	CHECK(copy->root == dir_at(copy, A));
	CHECK(on(copy, A_C) && on(copy, A_C)->sb == &w.fs[1]);
	CHECK(!on(copy, B_E));
	CHECK_EQUAL(copy->nchildren, 1);
	world_check(&w);
	world_end(&w);
}

TEST(bind_without_recursion_copies_one_mount)
{
	struct world w;
	struct mount *copy;

	world_begin(&w);
	world_mount(&w, 1, w.ns->root, A_C);
	CHECK_EQUAL(mounts_copy(w.ns->root, dir_at(w.ns->root, A), 0, &copy), 0);
	CHECK_EQUAL(copy->nchildren, 0);
	mounts_drop(copy);
	world_end(&w);
}

TEST(unbindable_mount_is_not_bound_and_left_out_of_copies)
{
	struct world w;
	struct mount *m, *copy;

	world_begin(&w);
	m = world_mount(&w, 1, w.ns->root, A);
	world_mount(&w, 2, m, B);
	CHECK_EQUAL(mounts_set_kind(m, MOUNT_KIND_UNBINDABLE, false), 0);
	CHECK_EQUAL(mounts_copy(m, m->root, COPY_RECURSIVE, &copy), -EINVAL);
	CHECK_EQUAL(mounts_copy(w.ns->root, w.ns->root->root, COPY_RECURSIVE, &copy), 0);
	CHECK_EQUAL(copy->nchildren, 0);
	mounts_drop(copy);
	m->flags |= MOUNT_LOCKED;
	CHECK_EQUAL(mounts_copy(w.ns->root, w.ns->root->root, COPY_RECURSIVE, &copy), -EPERM);
	CHECK_EQUAL(mounts_copy(w.ns->root, w.ns->root->root, 0, &copy), -EINVAL);
	world_end(&w);
}

TEST(move_takes_the_tree_along)
{
	struct world w;
	struct mount *m, *inner;

	world_begin(&w);
	m = world_mount(&w, 1, w.ns->root, A);
	inner = world_mount(&w, 2, m, B);
	CHECK_EQUAL(mounts_attach(m, w.ns->root, dir_at(w.ns->root, B), 0), 0);
	CHECK(!on(w.ns->root, A) && on(w.ns->root, B) == m && on(m, B) == inner);
	CHECK_EQUAL(mounts_attach(m, inner, inner->root, 0), -ELOOP);
	CHECK_EQUAL(mounts_attach(w.ns->root, m, m->root, 0), -EINVAL);
	world_check(&w);
	world_end(&w);
}

TEST(mount_beneath_lifts_what_is_there)
{
	struct world w;
	struct mount *top, *m;

	world_begin(&w);
	top = world_mount(&w, 1, w.ns->root, A);
	m = mounts_new(w.all, &w.fs[2], &w.fs[2].dir[ROOT], NULL, 0);
	CHECK_EQUAL(mounts_attach(m, w.ns->root, dir_at(w.ns->root, B), ATTACH_BENEATH), -EINVAL);
	CHECK_EQUAL(mounts_attach(m, w.ns->root, dir_at(w.ns->root, A), ATTACH_BENEATH), 0);
	CHECK(on(w.ns->root, A) == m && top->parent == m && top->point == m->root);
	world_check(&w);
	CHECK_EQUAL(mounts_umount(top, 0, 0), 0);
	CHECK(on(w.ns->root, A) == m);
	world_end(&w);
}

TEST(limit_of_mounts_is_enospc)
{
	struct world w;

	world_begin(&w);
	mounts_set_max(w.all, 3);
	CHECK(world_mount(&w, 1, w.ns->root, A) != NULL);
	CHECK(world_mount(&w, 2, w.ns->root, B) != NULL);
	CHECK(!world_mount(&w, 3, w.ns->root, A_C));
	CHECK_EQUAL(w.ns->nmounts, 3);
	world_check(&w);
	world_end(&w);
}

TEST(limit_counts_what_spreads)
{
	struct world w;

	world_begin(&w);
	mounts_set_kind(w.ns->root, MOUNT_SHARED, false);
	CHECK(world_bind(w.ns->root, ROOT, w.ns->root, B) != NULL);
	mounts_set_max(w.all, w.ns->nmounts + 1);
	CHECK(!world_mount(&w, 1, w.ns->root, A));
	world_check(&w);
	mounts_set_max(w.all, w.ns->nmounts + 2);
	CHECK(world_mount(&w, 1, w.ns->root, A) != NULL);
	world_check(&w);
	world_end(&w);
}

TEST(small_numbers_are_used_again_and_large_ones_never)
{
	struct world w;
	struct mount *m;
	u32 id;
	u64 unique;

	world_begin(&w);
	m = world_mount(&w, 1, w.ns->root, A);
	id = m->id;
	unique = m->node.key;
	mounts_umount(m, 0, 0);
	m = world_mount(&w, 1, w.ns->root, A);
	CHECK_EQUAL(m->id, id);
	CHECK(m->node.key > unique);
	world_end(&w);
}

TEST(directory_that_goes_takes_its_mounts_along)
{
	struct world w;
	struct mount *m;

	world_begin(&w);
	m = world_mount(&w, 1, w.ns->root, A_C);
	world_mount(&w, 2, m, A);
	mounts_dir_removed(w.all, dir_at(w.ns->root, A_C));
	CHECK_EQUAL(w.ns->nmounts, 1);
	world_check(&w);
	world_end(&w);
}

TEST(directory_that_moves_keeps_its_mounts)
{
	struct world w;
	struct mount *copy;
	struct dentry *c;

	world_begin(&w);
	world_mount(&w, 1, w.ns->root, A_C_F);
	c = dir_at(w.ns->root, A_C);
	mounts_dir_moves(w.all, c, true);
	c->parent = dir_at(w.ns->root, B);
	mounts_dir_moves(w.all, c, false);
	world_check(&w);
	CHECK_EQUAL(mounts_copy(w.ns->root, dir_at(w.ns->root, B), COPY_RECURSIVE, &copy), 0);
	CHECK_EQUAL(copy->nchildren, 1);
	mounts_drop(copy);
	CHECK_EQUAL(mounts_copy(w.ns->root, dir_at(w.ns->root, A), COPY_RECURSIVE, &copy), 0);
	CHECK_EQUAL(copy->nchildren, 0);
	mounts_drop(copy);
	world_end(&w);
}
