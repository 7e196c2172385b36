/*
 * The tables of mount_namespaces(7) and of the kernel's document on shared subtrees: what becomes
 * of a mount of each kind when it is made another, bound, moved, or copied with its namespace.
 */
#include "place.h"

#include <linux/sched.h>

enum kind { SHARED, ALONE, SLAVE, BOTH, PRIVATE, UNBINDABLE };

/* A mount of a kind on a folder; what it has peers or a master in is on d. SHARED has a peer,
 * ALONE is shared with nobody. */
static int make(const char *where, enum kind k)
{
	bool bound = k == SHARED || k == SLAVE || k == BOTH;

	if (bound && (tmpfs("d") || mkdir("d/sub", 0755) || kind("d", MS_SHARED)))
		return -1;
	if (bound ? bind_("d", where, 0) : tmpfs(where))
		return -1;
	if (!bound && (chdir(where) || mkdir("sub", 0755) || chdir("/tmp")))
		return -1;
	if ((k == SLAVE || k == BOTH) && kind(where, MS_SLAVE))
		return -1;
	if ((k == ALONE || k == BOTH) && kind(where, MS_SHARED))
		return -1;
	return k == UNBINDABLE ? kind(where, MS_UNBINDABLE) : 0;
}

/* The kind of the topmost mount at a place, as mountinfo tells it: "shared master". */
static const char *kind_of(const char *where)
{
	const char *line = info_of(where);
	static char out[64];

	if (!*line)
		return "no mount";
	snprintf(out, sizeof(out), "%s%s%s%s", strstr(line, " shared:") ? "shared" : "",
		 strstr(line, " shared:") && strstr(line, " master:") ? " " : "",
		 strstr(line, " master:") ? "master" : "",
		 strstr(line, " unbindable") ? "unbindable" : "");
	return *out ? out : "private";
}

#define IS(where, what) CHECK(!strcmp(kind_of(where), what))

/* --- Made another --- */

#define MADE(name, from, to, what)                                                                 \
	CASE(name)                                                                                 \
	{                                                                                          \
		place();                                                                           \
		CHECK(make("a", from) == 0 && kind("a", to) == 0);                                 \
		IS("a", what);                                                                     \
	}

MADE(shared_made_shared_is_shared, SHARED, MS_SHARED, "shared")
MADE(shared_made_slave_is_slave_of_its_peers, SHARED, MS_SLAVE, "master")
MADE(shared_made_private_is_private, SHARED, MS_PRIVATE, "private")
MADE(shared_made_unbindable_is_unbindable, SHARED, MS_UNBINDABLE, "unbindable")
MADE(shared_with_nobody_made_shared_is_shared, ALONE, MS_SHARED, "shared")
MADE(shared_with_nobody_made_slave_is_private, ALONE, MS_SLAVE, "private")
MADE(shared_with_nobody_made_private_is_private, ALONE, MS_PRIVATE, "private")
MADE(shared_with_nobody_made_unbindable_is_unbindable, ALONE, MS_UNBINDABLE, "unbindable")
MADE(slave_made_shared_is_both, SLAVE, MS_SHARED, "shared master")
MADE(slave_made_slave_is_slave, SLAVE, MS_SLAVE, "master")
MADE(slave_made_private_is_private, SLAVE, MS_PRIVATE, "private")
MADE(slave_made_unbindable_is_unbindable, SLAVE, MS_UNBINDABLE, "unbindable")
MADE(both_made_shared_is_both, BOTH, MS_SHARED, "shared master")
MADE(both_made_slave_is_slave, BOTH, MS_SLAVE, "master")
MADE(both_made_private_is_private, BOTH, MS_PRIVATE, "private")
MADE(both_made_unbindable_is_unbindable, BOTH, MS_UNBINDABLE, "unbindable")
MADE(private_made_shared_is_shared, PRIVATE, MS_SHARED, "shared")
MADE(private_made_slave_is_private, PRIVATE, MS_SLAVE, "private")
MADE(private_made_private_is_private, PRIVATE, MS_PRIVATE, "private")
MADE(private_made_unbindable_is_unbindable, PRIVATE, MS_UNBINDABLE, "unbindable")
MADE(unbindable_made_shared_is_shared, UNBINDABLE, MS_SHARED, "shared")
MADE(unbindable_made_slave_is_unbindable, UNBINDABLE, MS_SLAVE, "unbindable")
MADE(unbindable_made_private_is_private, UNBINDABLE, MS_PRIVATE, "private")
MADE(unbindable_made_unbindable_is_unbindable, UNBINDABLE, MS_UNBINDABLE, "unbindable")

/* --- Bound, and moved --- */

/* b is a file system of its own with a folder s; c is its peer if it is shared. */
static int destination(bool shared)
{
	if (tmpfs("b") || mkdir("b/s", 0755))
		return -1;
	return shared ? kind("b", MS_SHARED) || bind_("b", "c", 0) : 0;
}

#define BOUND(name, from, shared, what, at_peer)                                                   \
	CASE(name)                                                                                 \
	{                                                                                          \
		place();                                                                           \
		CHECK(make("a", from) == 0 && destination(shared) == 0);                           \
		CHECK(bind_("a", "b/s", 0) == 0);                                                  \
		IS("b/s", what);                                                                   \
		IS("c/s", at_peer);                                                                \
		CHECK(there("b/s/sub") && there("c/s/sub") == (shared));                           \
	}

BOUND(shared_bound_on_shared_is_shared, SHARED, true, "shared", "shared")
BOUND(private_bound_on_shared_is_shared, PRIVATE, true, "shared", "shared")
BOUND(slave_bound_on_shared_is_both, SLAVE, true, "shared master", "shared master")
BOUND(both_bound_on_shared_is_both, BOTH, true, "shared master", "shared master")
BOUND(shared_bound_on_private_is_shared, SHARED, false, "shared", "no mount")
BOUND(private_bound_on_private_is_private, PRIVATE, false, "private", "no mount")
BOUND(slave_bound_on_private_is_slave, SLAVE, false, "master", "no mount")
BOUND(both_bound_on_private_is_both, BOTH, false, "shared master", "no mount")

#define MOVED(name, from, shared, what, at_peer)                                                   \
	CASE(name)                                                                                 \
	{                                                                                          \
		place();                                                                           \
		CHECK(make("a", from) == 0 && destination(shared) == 0);                           \
		CHECK(mount("a", "b/s", NULL, MS_MOVE, NULL) == 0);                                \
		IS("a", "no mount");                                                               \
		IS("b/s", what);                                                                   \
		IS("c/s", at_peer);                                                                \
		CHECK(there("b/s/sub") && there("c/s/sub") == (shared));                           \
	}

MOVED(shared_moved_to_shared_is_shared, SHARED, true, "shared", "shared")
MOVED(private_moved_to_shared_is_shared, PRIVATE, true, "shared", "shared")
MOVED(slave_moved_to_shared_is_both, SLAVE, true, "shared master", "shared master")
MOVED(both_moved_to_shared_is_both, BOTH, true, "shared master", "shared master")
MOVED(shared_moved_to_private_is_shared, SHARED, false, "shared", "no mount")
MOVED(private_moved_to_private_is_private, PRIVATE, false, "private", "no mount")
MOVED(slave_moved_to_private_is_slave, SLAVE, false, "master", "no mount")
MOVED(both_moved_to_private_is_both, BOTH, false, "shared master", "no mount")
MOVED(unbindable_moved_to_private_is_unbindable, UNBINDABLE, false, "unbindable", "no mount")

CASE(peers_of_what_was_bound_on_a_peer_are_one_group)
{
	int group;

	place();
	CHECK(make("a", PRIVATE) == 0 && destination(true) == 0 && bind_("a", "b/s", 0) == 0);
	group = number_after(info_of("b/s"), "shared:");
	CHECK(group && group == number_after(info_of("c/s"), "shared:"));
	IS("a", "private");
}

CASE(shared_bound_on_shared_stays_in_its_group)
{
	int group;

	place();
	CHECK(make("a", SHARED) == 0 && destination(true) == 0 && bind_("a", "b/s", 0) == 0);
	group = number_after(info_of("a"), "shared:");
	CHECK(group == number_after(info_of("b/s"), "shared:"));
	CHECK(group == number_after(info_of("c/s"), "shared:"));
}

CASE(slave_bound_twice_has_one_master)
{
	place();
	CHECK(make("a", SLAVE) == 0 && bind_("a", "b", 0) == 0);
	CHECK(number_after(info_of("a"), "master:") == number_after(info_of("b"), "master:"));
	CHECK(tmpfs("d/sub") == 0);
	IS("a/sub", "master");
	IS("b/sub", "master");
}

/* --- Bound recursively --- */

#define BELOW(name, k, what)                                                                       \
	CASE(name)                                                                                 \
	{                                                                                          \
		place();                                                                           \
		CHECK(make("a", PRIVATE) == 0 && make("a/sub", k) == 0);                           \
		CHECK(bind_("a", "b", MS_REC) == 0);                                               \
		IS("b", "private");                                                                \
		IS("b/sub", what);                                                                 \
		CHECK(there("b/sub/sub") == (k != UNBINDABLE));                                    \
	}

BELOW(shared_below_what_is_bound_recursively_is_shared, SHARED, "shared")
BELOW(slave_below_what_is_bound_recursively_is_slave, SLAVE, "master")
BELOW(private_below_what_is_bound_recursively_is_private, PRIVATE, "private")
BELOW(unbindable_below_what_is_bound_recursively_is_left_out, UNBINDABLE, "no mount")

CASE(what_is_below_an_unbindable_mount_is_left_out_too)
{
	place();
	CHECK(make("a", PRIVATE) == 0 && make("a/sub", UNBINDABLE) == 0 && tmpfs("a/sub/sub") == 0);
	CHECK(bind_("a", "b", MS_REC) == 0);
	IS("b/sub/sub", "no mount");
	CHECK(there("b/sub") && !there("b/sub/sub"));
}

CASE(unbindable_mount_inside_does_not_keep_a_tree_from_shared_places)
{
	place();
	CHECK(make("a", PRIVATE) == 0 && make("a/sub", UNBINDABLE) == 0 && destination(true) == 0);
	CHECK(bind_("a", "b/s", MS_REC) == 0);
	IS("c/s", "shared");
	IS("c/s/sub", "no mount");
}

CASE(tree_with_an_unbindable_mount_is_not_moved_to_a_shared_place)
{
	place();
	CHECK(make("a", PRIVATE) == 0 && make("a/sub", UNBINDABLE) == 0 && destination(true) == 0);
	CHECK_ERROR(mount("a", "b/s", NULL, MS_MOVE, NULL), EINVAL);
	IS("a/sub", "unbindable");
}

/* --- Copied with the namespace --- */

#define COPIED(name, k, what)                                                                      \
	CASE(name)                                                                                 \
	{                                                                                          \
		place();                                                                           \
		CHECK(make("a", k) == 0 && unshare(CLONE_NEWNS) == 0);                             \
		IS("a", what);                                                                     \
	}

COPIED(shared_is_shared_in_a_new_namespace, SHARED, "shared")
COPIED(slave_is_slave_in_a_new_namespace, SLAVE, "master")
COPIED(both_is_both_in_a_new_namespace, BOTH, "shared master")
COPIED(private_is_private_in_a_new_namespace, PRIVATE, "private")
COPIED(unbindable_is_unbindable_in_a_new_namespace, UNBINDABLE, "unbindable")

/* The namespace before goes on by its file, or there would be no master. */
#define GIVEN(name, k, what)                                                                       \
	CASE(name)                                                                                 \
	{                                                                                          \
		place();                                                                           \
		CHECK(make("a", k) == 0 && open("/proc/self/ns/mnt", O_RDONLY) >= 0);              \
		CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);                                  \
		IS("a", what);                                                                     \
	}

GIVEN(shared_is_slave_for_another_user_namespace, SHARED, "master")
GIVEN(slave_is_slave_for_another_user_namespace, SLAVE, "master")
GIVEN(both_is_slave_for_another_user_namespace, BOTH, "master")
GIVEN(private_is_private_for_another_user_namespace, PRIVATE, "private")
GIVEN(unbindable_is_unbindable_for_another_user_namespace, UNBINDABLE, "unbindable")

/* --- Mounted and unmounted below --- */

#define MOUNTED(name, k, what)                                                                     \
	CASE(name)                                                                                 \
	{                                                                                          \
		place();                                                                           \
		CHECK(make("a", k) == 0 && tmpfs("a/sub") == 0);                                   \
		IS("a/sub", what);                                                                 \
		IS("d/sub", k == SHARED ? "shared" : "no mount");                                  \
		CHECK(umount("a/sub") == 0);                                                       \
		IS("a/sub", "no mount");                                                           \
		IS("d/sub", "no mount");                                                           \
	}

MOUNTED(mount_below_shared_is_shared_and_spreads, SHARED, "shared")
MOUNTED(mount_below_slave_is_private_and_stays, SLAVE, "private")
MOUNTED(mount_below_both_is_shared_and_does_not_reach_the_master, BOTH, "shared")
MOUNTED(mount_below_private_is_private, PRIVATE, "private")
MOUNTED(mount_below_unbindable_is_private, UNBINDABLE, "private")

#define RECEIVED(name, k, what)                                                                    \
	CASE(name)                                                                                 \
	{                                                                                          \
		place();                                                                           \
		CHECK(make("a", k) == 0 && tmpfs("d/sub") == 0);                                   \
		IS("a/sub", what);                                                                 \
		CHECK(umount("d/sub") == 0);                                                       \
		IS("a/sub", "no mount");                                                           \
	}

RECEIVED(mount_below_a_peer_is_received_as_shared, SHARED, "shared")
RECEIVED(mount_below_a_master_is_received_as_slave, SLAVE, "master")
RECEIVED(mount_below_a_master_is_received_as_both, BOTH, "shared master")

CASE(unmounting_what_was_received_from_a_master_leaves_it_there)
{
	place();
	CHECK(make("a", SLAVE) == 0 && tmpfs("d/sub") == 0 && umount("a/sub") == 0);
	IS("a/sub", "no mount");
	IS("d/sub", "shared");
}

CASE(what_spreads_reaches_slaves_of_slaves)
{
	place();
	CHECK(make("a", BOTH) == 0 && bind_("a", "b", 0) == 0 && kind("b", MS_SLAVE) == 0);
	CHECK(tmpfs("d/sub") == 0);
	IS("a/sub", "shared master");
	IS("b/sub", "master");
	CHECK(number_after(info_of("b/sub"), "master:") ==
	      number_after(info_of("a/sub"), "shared:"));
	CHECK(umount("d/sub") == 0);
	IS("b/sub", "no mount");
}
