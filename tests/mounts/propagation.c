/*
 * Shared, slave, private and unbindable mounts: mount_namespaces(7), and the examples of Linux's
 * document about shared subtrees.
 */
#include "place.h"

/* a is a shared tmpfs with a/s, b is its peer. */
static void peers(void)
{
	place();
	if (tmpfs("a") || mkdir("a/s", 0755) || kind("a", MS_SHARED) || bind_("a", "b", 0))
		_exit(97);
}

CASE(new_mount_is_private)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK(!strstr(info_of("a"), "shared:") && !strstr(info_of("a"), "master:"));
}

CASE(bind_of_a_shared_mount_is_a_peer)
{
	peers();
	CHECK(number_after(info_of("a"), "shared:") > 0);
	CHECK(number_after(info_of("a"), "shared:") == number_after(info_of("b"), "shared:"));
}

CASE(mount_below_a_shared_parent_is_shared)
{
	peers();
	CHECK(tmpfs("a/s") == 0);
	CHECK(number_after(info_of("a/s"), "shared:") > 0);
	CHECK(number_after(info_of("a/s"), "shared:") == number_after(info_of("b/s"), "shared:"));
}

CASE(mount_spreads_to_peers_both_ways)
{
	peers();
	CHECK(tmpfs("a/s") == 0 && touch("a/s/f") == 0);
	CHECK(there("b/s/f"));
	CHECK(umount("b/s") == 0);
	CHECK(!there("a/s/f"));
	CHECK(tmpfs("b/s") == 0 && touch("b/s/g") == 0);
	CHECK(there("a/s/g"));
}

CASE(slave_receives_but_does_not_send)
{
	peers();
	CHECK(kind("b", MS_SLAVE) == 0);
	CHECK(number_after(info_of("b"), "master:") == number_after(info_of("a"), "shared:"));
	CHECK(tmpfs("a/s") == 0 && touch("a/s/f") == 0);
	CHECK(there("b/s/f"));
	CHECK(umount("a/s") == 0);
	CHECK(!there("b/s/f"));
	CHECK(tmpfs("b/s") == 0 && touch("b/s/g") == 0);
	CHECK(!there("a/s/g"));
}

CASE(slave_can_be_shared_too)
{
	peers();
	CHECK(kind("b", MS_SLAVE) == 0 && kind("b", MS_SHARED) == 0);
	CHECK(bind_("b", "c", 0) == 0);
	CHECK(number_after(info_of("c"), "shared:") == number_after(info_of("b"), "shared:"));
	CHECK(number_after(info_of("c"), "master:") == number_after(info_of("a"), "shared:"));
	CHECK(tmpfs("a/s") == 0 && touch("a/s/f") == 0);
	CHECK(there("b/s/f") && there("c/s/f"));
	CHECK(umount("a/s") == 0 && tmpfs("c/s") == 0 && touch("c/s/g") == 0);
	CHECK(there("b/s/g") && !there("a/s/g"));
}

CASE(private_mount_neither_sends_nor_receives)
{
	peers();
	CHECK(kind("b", MS_PRIVATE) == 0);
	CHECK(tmpfs("a/s") == 0 && touch("a/s/f") == 0);
	CHECK(!there("b/s/f"));
}

CASE(unbindable_mount_is_not_bound)
{
	place();
	CHECK(tmpfs("a") == 0 && kind("a", MS_UNBINDABLE) == 0);
	CHECK(strstr(info_of("a"), " unbindable - "));
	CHECK_ERROR(bind_("a", "b", 0), EINVAL);
	CHECK(bind_(".", "c", MS_REC) == 0);
	CHECK(!*info_of("c/a"));
	CHECK(mount("a", "d", NULL, MS_MOVE, NULL) == 0);
}

CASE(unbindable_mount_is_not_moved_to_a_shared_one)
{
	peers();
	CHECK(tmpfs("c") == 0 && kind("c", MS_UNBINDABLE) == 0);
	CHECK_ERROR(mount("c", "a/s", NULL, MS_MOVE, NULL), EINVAL);
}

CASE(move_from_a_shared_parent_is_einval)
{
	peers();
	CHECK(tmpfs("a/s") == 0);
	CHECK_ERROR(mount("a/s", "c", NULL, MS_MOVE, NULL), EINVAL);
}

CASE(move_to_a_shared_parent_spreads)
{
	peers();
	CHECK(tmpfs("c") == 0 && touch("c/f") == 0);
	CHECK(mount("c", "a/s", NULL, MS_MOVE, NULL) == 0);
	CHECK(there("b/s/f"));
	CHECK(number_after(info_of("a/s"), "shared:") == number_after(info_of("b/s"), "shared:"));
}

CASE(recursive_bind_on_a_shared_mount_spreads_whole)
{
	peers();
	CHECK(tmpfs("c") == 0 && mkdir("c/t", 0755) == 0 && tmpfs("c/t") == 0);
	CHECK(touch("c/t/f") == 0);
	CHECK(bind_("c", "a/s", MS_REC) == 0);
	CHECK(there("b/s/t/f"));
}

CASE(kinds_are_set_recursively)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0);
	CHECK(kind("a", MS_SHARED) == 0);
	CHECK(!strstr(info_of("a/s"), "shared:"));
	CHECK(kind("a", MS_SHARED | MS_REC) == 0);
	CHECK(strstr(info_of("a/s"), "shared:"));
	CHECK(number_after(info_of("a/s"), "shared:") != number_after(info_of("a"), "shared:"));
	CHECK(kind("a", MS_PRIVATE | MS_REC) == 0);
	CHECK(!strstr(info_of("a/s"), "shared:") && !strstr(info_of("a"), "shared:"));
}

CASE(two_kinds_at_once_are_einval)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK_ERROR(kind("a", MS_SHARED | MS_PRIVATE), EINVAL);
	CHECK_ERROR(kind("a", MS_SHARED | MS_NOSUID), EINVAL);
	CHECK(kind("a", MS_SHARED | MS_SILENT) == 0);
}

CASE(kind_of_what_is_no_mount_is_einval)
{
	place();
	CHECK_ERROR(kind("a", MS_SHARED), EINVAL);
}

CASE(slave_of_nobody_is_private)
{
	place();
	CHECK(tmpfs("a") == 0 && kind("a", MS_SLAVE) == 0);
	CHECK(!strstr(info_of("a"), "master:"));
	CHECK(kind("a", MS_SHARED) == 0 && kind("a", MS_SLAVE) == 0);
	CHECK(!strstr(info_of("a"), "master:") && !strstr(info_of("a"), "shared:"));
}

CASE(slaves_go_to_the_master_of_their_master)
{
	peers();
	CHECK(kind("b", MS_SLAVE) == 0 && kind("b", MS_SHARED) == 0);
	CHECK(bind_("b", "c", 0) == 0 && kind("c", MS_SLAVE) == 0);
	CHECK(number_after(info_of("c"), "master:") == number_after(info_of("b"), "shared:"));
	CHECK(kind("b", MS_PRIVATE) == 0);
	CHECK(number_after(info_of("c"), "master:") == number_after(info_of("a"), "shared:"));
}

CASE(umount_of_a_master_leaves_slaves_without_one)
{
	peers();
	CHECK(kind("b", MS_SLAVE) == 0);
	CHECK(umount("a") == 0);
	CHECK(!strstr(info_of("b"), "master:"));
}

CASE(what_spreads_goes_beneath_what_is_there)
{
	peers();
	CHECK(kind("b", MS_SLAVE) == 0);
	CHECK(tmpfs("b/s") == 0 && touch("b/s/own") == 0);
	CHECK(tmpfs("a/s") == 0 && touch("a/s/f") == 0);
	CHECK(there("b/s/own") && !there("b/s/f"));
	CHECK(umount("b/s") == 0);
	CHECK(there("b/s/f"));
}

CASE(umount_beneath_leaves_what_is_on_top)
{
	peers();
	CHECK(kind("b", MS_SLAVE) == 0);
	CHECK(tmpfs("b/s") == 0 && touch("b/s/own") == 0);
	CHECK(tmpfs("a/s") == 0 && umount("a/s") == 0);
	CHECK(there("b/s/own"));
	CHECK(umount("b/s") == 0);
	CHECK_ERROR(umount("b/s"), EINVAL);
}

CASE(umount_does_not_spread_to_what_is_in_use)
{
	int fd;

	peers();
	CHECK(tmpfs("a/s") == 0);
	fd = open("b/s", O_RDONLY);
	CHECK_ERROR(umount("a/s"), EBUSY);
	close(fd);
	CHECK(umount("a/s") == 0);
}

CASE(umount_does_not_spread_to_what_has_mounts)
{
	peers();
	CHECK(kind("b", MS_SLAVE) == 0);
	CHECK(tmpfs("a/s") == 0 && mkdir("a/s/t", 0755) == 0);
	CHECK(tmpfs("b/s/t") == 0);
	CHECK(umount("a/s") == 0);
	CHECK(there("b/s/t"));
	CHECK(umount("b/s/t") == 0 && umount("b/s") == 0);
}

CASE(part_of_a_file_system_receives_what_it_has)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && mkdir("a/s/t", 0755) == 0 &&
	      mkdir("a/u", 0755) == 0);
	CHECK(kind("a", MS_SHARED) == 0 && bind_("a/s", "b", 0) == 0);
	CHECK(tmpfs("a/s/t") == 0 && touch("a/s/t/f") == 0);
	CHECK(there("b/t/f"));
	CHECK(tmpfs("a/u") == 0);
	CHECK(umount("b/t") == 0);
	CHECK(!there("a/s/t/f"));
	CHECK(umount("b") == 0);
}

CASE(tree_bound_into_itself_ends)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && kind("a", MS_SHARED) == 0);
	CHECK(bind_("a", "a/s", MS_REC) == 0);
	CHECK(there("a/s/s") && !there("a/s/s/s"));
}

CASE(propagate_from_names_the_nearest_that_is_seen)
{
	int top;

	peers(); /* b: master of c, receives from a; c is looked at from a root that sees a only */
	top = number_after(info_of("a"), "shared:");
	CHECK(kind("b", MS_SLAVE) == 0 && kind("b", MS_SHARED) == 0);
	CHECK(mkdir("d/in", 0755) == 0 && tmpfs("d") == 0);
	CHECK(mkdir("d/a", 0755) == 0 && mkdir("d/c", 0755) == 0 && mkdir("d/proc", 0755) == 0 &&
	      mkdir("d/tmp", 0755) == 0);
	CHECK(bind_("a", "d/a", 0) == 0 && bind_("b", "d/c", 0) == 0 && kind("d/c", MS_SLAVE) == 0);
	CHECK(mount("proc", "d/proc", "proc", 0, NULL) == 0);
	CHECK(chroot("d") == 0 && symlink("/c", "/tmp/c") == 0);
	FILE *f = fopen("/proc/self/mountinfo", "r");
	char line[1024];
	int from = 0;
	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, " /c "))
			from = number_after(line, "propagate_from:");
	}
	CHECK(from == top);
}

CASE(slave_of_nobody_stays_unbindable)
{
	place();
	CHECK(tmpfs("a") == 0 && kind("a", MS_UNBINDABLE) == 0 && kind("a", MS_SLAVE) == 0);
	CHECK_ERROR(bind_("a", "b", 0), EINVAL);
	CHECK(kind("a", MS_PRIVATE) == 0 && bind_("a", "b", 0) == 0);
}

CASE(unbindable_mount_gets_no_group)
{
	peers();
	CHECK(bind_("a", "c", 0) == 0 && kind("c", MS_UNBINDABLE) == 0);
	CHECK_ERROR(move_mount_(AT_FDCWD, "a", AT_FDCWD, "c", MOVE_SET_GROUP), EINVAL);
	CHECK(kind("c", MS_PRIVATE) == 0);
	CHECK(move_mount_(AT_FDCWD, "a", AT_FDCWD, "c", MOVE_SET_GROUP) == 0);
	CHECK(number_after(info_of("c"), "shared:") == number_after(info_of("a"), "shared:"));
}

CASE(mount_moved_to_its_own_place_is_eloop)
{
	int dir;

	place();
	dir = open("a", O_PATH | O_DIRECTORY);
	CHECK(dir >= 0 && tmpfs("a") == 0);
	CHECK_ERROR(move_mount_(AT_FDCWD, "a", dir, "", MOVE_T_EMPTY), ELOOP);
	CHECK(umount("a") == 0);
}
