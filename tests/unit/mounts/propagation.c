/*
 * Peer groups, slaves, and what spreads: each test is a statement of mount_namespaces(7) or of
 * Linux's sharedsubtree document.
 */
#include "world.h"

#include <errno.h>
#include <unit.h>

/* The root is shared, and bound to its own /b: *@peer is that. */
static void begin_shared(struct world *w, struct mount **peer)
{
	world_begin(w);
	mounts_set_kind(w->ns->root, MOUNT_SHARED, false);
	*peer = world_bind(w->ns->root, ROOT, w->ns->root, B);
	REQUIRE(*peer != NULL);
}

TEST(bind_of_a_shared_mount_is_its_peer)
{
	struct world w;
	struct mount *peer;

	begin_shared(&w, &peer);
	CHECK(peer->group && peer->group == w.ns->root->group);
	world_end(&w);
}

TEST(mount_spreads_to_peers)
{
	struct world w;
	struct mount *peer, *m;

	begin_shared(&w, &peer);
	m = world_mount(&w, 1, w.ns->root, A);
	CHECK(on(peer, A) && on(peer, A)->sb == &w.fs[1]);
	CHECK(m->group && on(peer, A)->group == m->group);
	world_check(&w);
	CHECK_EQUAL(mounts_umount(on(peer, A), 0, 0), 0);
	CHECK(!on(w.ns->root, A));
	world_check(&w);
	world_end(&w);
}

TEST(slave_receives_and_does_not_send)
{
	struct world w;
	struct mount *peer;

	begin_shared(&w, &peer);
	mounts_set_kind(peer, MOUNT_SLAVE, false);
	CHECK(!peer->group && peer->master == w.ns->root->group);
	world_mount(&w, 1, w.ns->root, A);
	CHECK(on(peer, A) != NULL);
	CHECK(!on(peer, A)->group && on(peer, A)->master == on(w.ns->root, A)->group);
	world_mount(&w, 2, peer, A_C);
	CHECK(!on(w.ns->root, A_C));
	CHECK_EQUAL(mounts_umount(on(w.ns->root, A), 0, 0), 0);
	CHECK(!on(peer, A));
	world_check(&w);
	world_end(&w);
}

TEST(slave_and_shared_passes_on)
{
	struct world w;
	struct mount *middle, *last;

	begin_shared(&w, &middle);
	mounts_set_kind(middle, MOUNT_SLAVE, false);
	mounts_set_kind(middle, MOUNT_SHARED, false);
	CHECK(middle->group && middle->group->master == w.ns->root->group);
	last = world_bind(middle, ROOT, w.ns->root, A_D);
	CHECK(last->group == middle->group);
	world_mount(&w, 1, w.ns->root, A);
	CHECK(on(middle, A) && on(last, A));
	CHECK(on(middle, A)->group == on(last, A)->group);
	CHECK(on(middle, A)->group->master == on(w.ns->root, A)->group);
	world_mount(&w, 2, last, B_E);
	CHECK(on(middle, B_E) && !on(w.ns->root, B_E));
	world_check(&w);
	world_end(&w);
}

TEST(private_mount_neither_sends_nor_receives)
{
	struct world w;
	struct mount *peer;

	begin_shared(&w, &peer);
	mounts_set_kind(peer, MOUNT_PRIVATE, false);
	world_mount(&w, 1, w.ns->root, A);
	CHECK(!on(peer, A));
	world_mount(&w, 1, peer, A_C);
	CHECK(!on(w.ns->root, A_C));
	CHECK_EQUAL(w.ns->root->group->nmembers, 1);
	world_end(&w);
}

TEST(last_member_that_becomes_a_slave_is_private)
{
	struct world w;

	world_begin(&w);
	mounts_set_kind(w.ns->root, MOUNT_SHARED, false);
	mounts_set_kind(w.ns->root, MOUNT_SLAVE, false);
	CHECK(!w.ns->root->group && !w.ns->root->master);
	world_end(&w);
}

TEST(slaves_go_to_the_master_of_their_master)
{
	struct world w;
	struct mount *middle, *last;

	begin_shared(&w, &middle);
	mounts_set_kind(middle, MOUNT_SLAVE, false);
	mounts_set_kind(middle, MOUNT_SHARED, false);
	last = world_bind(middle, ROOT, w.ns->root, A);
	mounts_set_kind(last, MOUNT_SLAVE, false);
	CHECK(last->master == middle->group);
	mounts_set_kind(middle, MOUNT_PRIVATE, false);
	CHECK(last->master == w.ns->root->group);
	world_check(&w);
	world_end(&w);
}

TEST(mount_outside_of_a_peers_root_does_not_spread_to_it)
{
	struct world w;
	struct mount *part;

	world_begin(&w);
	mounts_set_kind(w.ns->root, MOUNT_SHARED, false);
	part = world_bind(w.ns->root, A, w.ns->root, B);
	world_mount(&w, 1, w.ns->root, B_E);
	CHECK_EQUAL(part->nchildren, 0);
	world_mount(&w, 1, w.ns->root, A_D);
	CHECK(on(part, A_D) != NULL);
	world_check(&w);
	world_end(&w);
}

TEST(what_spreads_goes_beneath_what_is_there)
{
	struct world w;
	struct mount *peer, *own, *m;

	begin_shared(&w, &peer);
	mounts_set_kind(peer, MOUNT_SLAVE, false);
	own = world_mount(&w, 2, peer, A);
	m = world_mount(&w, 1, w.ns->root, A);
	CHECK(on(peer, A)->sb == &w.fs[1]);
	CHECK(own->parent == on(peer, A) && own->point == own->parent->root);
	world_check(&w);
	/* And when it goes, what was there is there again. */
	CHECK_EQUAL(mounts_umount(m, 0, 0), 0);
	CHECK(on(peer, A) == own);
	world_check(&w);
	world_end(&w);
}

TEST(umount_does_not_spread_to_what_holds_others)
{
	struct world w;
	struct mount *peer, *copy;

	begin_shared(&w, &peer);
	mounts_set_kind(peer, MOUNT_SLAVE, false);
	world_mount(&w, 1, w.ns->root, A);
	copy = on(peer, A);
	mounts_set_kind(copy, MOUNT_PRIVATE, false);
	world_mount(&w, 2, copy, A_C);
	CHECK_EQUAL(mounts_umount(on(w.ns->root, A), 0, UMOUNT_LAZY), 0);
	CHECK(on(peer, A) == copy);
	world_check(&w);
	world_end(&w);
}

TEST(umount_is_busy_if_a_copy_is)
{
	struct world w;
	struct mount *peer, *m;

	begin_shared(&w, &peer);
	m = world_mount(&w, 1, w.ns->root, A);
	mount_get(on(peer, A));
	CHECK_EQUAL(mounts_umount(m, 0, 0), -EBUSY);
	mount_put(on(peer, A));
	CHECK_EQUAL(mounts_umount(m, 0, 0), 0);
	world_end(&w);
}

TEST(move_from_a_shared_parent_is_einval)
{
	struct world w;
	struct mount *m;

	world_begin(&w);
	mounts_set_kind(w.ns->root, MOUNT_SHARED, false);
	m = world_mount(&w, 1, w.ns->root, A);
	CHECK_EQUAL(mounts_attach(m, w.ns->root, dir_at(w.ns->root, B), 0), -EINVAL);
	world_end(&w);
}

TEST(move_to_a_shared_parent_shares_the_tree)
{
	struct world w;
	struct mount *m, *inner, *to, *peer;

	world_begin(&w);
	to = world_mount(&w, 1, w.ns->root, A);
	mounts_set_kind(to, MOUNT_SHARED, false);
	peer = world_bind(to, ROOT, w.ns->root, B);
	m = world_mount(&w, 2, w.ns->root, A_D);
	inner = world_mount(&w, 3, m, A);
	CHECK_EQUAL(mounts_attach(m, to, dir_at(to, A), 0), 0);
	CHECK(m->group && inner->group);
	CHECK(on(peer, A) && on(on(peer, A), A)->group == inner->group);
	world_check(&w);
	world_end(&w);
}

TEST(unbindable_tree_is_not_moved_to_a_shared_mount)
{
	struct world w;
	struct mount *m, *to;

	world_begin(&w);
	to = world_mount(&w, 1, w.ns->root, A);
	mounts_set_kind(to, MOUNT_SHARED, false);
	m = world_mount(&w, 2, w.ns->root, B);
	mounts_set_kind(m, MOUNT_KIND_UNBINDABLE, false);
	CHECK_EQUAL(mounts_attach(m, to, dir_at(to, A), 0), -EINVAL);
	CHECK(m->flags & MOUNT_UNBINDABLE);
	world_end(&w);
}

TEST(bind_of_a_peer_into_itself_ends)
{
	struct world w;
	struct mount *peer;

	begin_shared(&w, &peer);
	CHECK(world_bind(w.ns->root, ROOT, peer, A) != NULL);
	CHECK(on(w.ns->root, A) != NULL);
	world_check(&w);
	world_end(&w);
}

TEST(set_group_gives_a_private_mount_what_another_has)
{
	struct world w;
	struct mount *peer, *copy;

	begin_shared(&w, &peer);
	mounts_set_kind(peer, MOUNT_SLAVE, false);
	copy = world_bind(w.ns->root, A, w.ns->root, A_D);
	mounts_set_kind(copy, MOUNT_PRIVATE, false);
	CHECK_EQUAL(mounts_set_group(w.ns->root, copy), 0);
	CHECK(copy->group == w.ns->root->group);
	CHECK_EQUAL(mounts_set_group(w.ns->root, copy), -EINVAL);
	mounts_set_kind(copy, MOUNT_PRIVATE, false);
	CHECK_EQUAL(mounts_set_group(peer, copy), 0);
	CHECK(copy->master == w.ns->root->group && !copy->group);
	mounts_set_kind(copy, MOUNT_PRIVATE, false);
	CHECK_EQUAL(mounts_set_group(copy, peer), -EINVAL);
	world_check(&w);
	world_end(&w);
}

TEST(beneath_is_einval_where_it_would_spread_over_itself)
{
	struct world w;
	struct mount *part, *m;

	world_begin(&w);
	mounts_set_kind(w.ns->root, MOUNT_SHARED, false);
	part = world_bind(w.ns->root, A, w.ns->root, A);
	m = mounts_new(w.all, &w.fs[2], &w.fs[2].dir[ROOT], NULL, 0);
	CHECK(part->root == part->point);
	CHECK_EQUAL(mounts_attach(m, w.ns->root, dir_at(w.ns->root, A), ATTACH_BENEATH), -EINVAL);
	mounts_drop(m);
	world_end(&w);
}
