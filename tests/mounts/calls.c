/*
 * mount(2), umount2(2), pivot_root(2), chroot(2).
 */
#include "place.h"

#include <sys/statfs.h>

CASE(mount_covers_what_is_below)
{
	place();
	CHECK(touch("a/below") == 0);
	CHECK(tmpfs("a") == 0);
	CHECK(!there("a/below"));
	CHECK(umount("a") == 0);
	CHECK(there("a/below"));
}

CASE(mount_of_unknown_type_is_enodev)
{
	place();
	CHECK_ERROR(mount("none", "a", "nosuchfs", 0, NULL), ENODEV);
}

CASE(mount_without_a_type_is_einval)
{
	place();
	CHECK_ERROR(mount("none", "a", NULL, 0, NULL), EINVAL);
}

CASE(mount_on_nothing_is_enoent)
{
	place();
	CHECK_ERROR(tmpfs("nothing"), ENOENT);
}

CASE(mount_of_a_file_system_on_a_file_is_enotdir)
{
	place();
	CHECK(touch("f") == 0);
	CHECK_ERROR(tmpfs("f"), ENOTDIR);
}

CASE(mount_without_privilege_is_eperm)
{
	place();
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(tmpfs("a"), EPERM);
	CHECK_ERROR(umount("a"), EPERM);
	CHECK_ERROR(syscall(SYS_pivot_root, "a", "a"), EPERM);
}

CASE(mount_of_bad_pointers_is_efault)
{
	place();
	CHECK_ERROR(mount("none", (char *)8, "tmpfs", 0, NULL), EFAULT);
	CHECK_ERROR(mount("none", "a", (char *)8, 0, NULL), EFAULT);
}

CASE(mount_with_bad_options_is_einval)
{
	place();
	CHECK_ERROR(mount("none", "a", "tmpfs", 0, "size=nonsense"), EINVAL);
	CHECK_ERROR(mount("none", "a", "tmpfs", 0, "nosuchoption"), EINVAL);
}

CASE(magic_number_in_the_flags_is_ignored)
{
	place();
	CHECK(mount("none", "a", "tmpfs", 0xC0ED0000ul, NULL) == 0);
}

CASE(same_file_system_twice_on_a_place_is_ebusy)
{
	place();
	CHECK(mount("sysfs", "a", "sysfs", 0, NULL) == 0);
	CHECK_ERROR(mount("sysfs", "a", "sysfs", 0, NULL), EBUSY);
}

CASE(flags_are_shown_in_mountinfo)
{
	place();
	CHECK(mount("src", "a", "tmpfs",
		    MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME, "size=1m") == 0);
	CHECK(strstr(info_of("a"), " rw,nosuid,nodev,noexec,noatime,nodiratime - tmpfs src rw,"));
	CHECK(mount("src", "b", "tmpfs", MS_RDONLY | MS_STRICTATIME, NULL) == 0);
	CHECK(strstr(info_of("b"), " ro - tmpfs src ro"));
	CHECK(mount("src", "c", "tmpfs", 0, NULL) == 0);
	CHECK(strstr(info_of("c"), " rw,relatime - tmpfs src rw"));
	CHECK(mount("src", "d", "tmpfs", MOUNT_NOSYMFOLLOW_FLAG, NULL) == 0);
	CHECK(strstr(info_of("d"), " rw,relatime,nosymfollow - "));
}

CASE(nosymfollow_mount_gives_eloop)
{
	place();
	CHECK(mount("none", "a", "tmpfs", MOUNT_NOSYMFOLLOW_FLAG, NULL) == 0);
	CHECK(symlink("/", "a/link") == 0);
	CHECK_ERROR(open("a/link", O_RDONLY), ELOOP);
}

CASE(nodev_mount_opens_no_devices)
{
	place();
	CHECK(mount("none", "a", "tmpfs", MS_NODEV, NULL) == 0);
	CHECK(mknod("a/null", S_IFCHR | 0666, 0x103) == 0);
	CHECK_ERROR(open("a/null", O_RDONLY), EACCES);
}

CASE(readonly_mount_is_erofs)
{
	place();
	CHECK(mount("none", "a", "tmpfs", MS_RDONLY, NULL) == 0);
	CHECK_ERROR(mkdir("a/x", 0755), EROFS);
}

CASE(remount_changes_the_file_system)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK(bind_("a", "b", 0) == 0);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
	CHECK_ERROR(mkdir("b/x", 0755), EROFS);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT, NULL) == 0);
	CHECK(mkdir("b/x", 0755) == 0);
}

CASE(bind_remount_changes_one_mount)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK(bind_("a", "b", 0) == 0);
	CHECK(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK_ERROR(mkdir("b/x", 0755), EROFS);
	CHECK(mkdir("a/x", 0755) == 0);
	CHECK(strstr(info_of("b"), " ro,relatime - tmpfs none rw"));
}

CASE(remount_keeps_how_times_are_kept)
{
	place();
	CHECK(mount("none", "a", "tmpfs", MS_NOATIME, NULL) == 0);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL) == 0);
	CHECK(strstr(info_of("a"), " rw,nosuid,noatime - "));
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_STRICTATIME, NULL) == 0);
	CHECK(strstr(info_of("a"), " rw - "));
}

CASE(remount_of_what_is_no_mount_is_einval)
{
	place();
	CHECK_ERROR(mount(NULL, "a", NULL, MS_REMOUNT, NULL), EINVAL);
	CHECK_ERROR(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND, NULL), EINVAL);
}

CASE(bind_shows_a_folder_elsewhere)
{
	place();
	CHECK(mkdir("a/in", 0755) == 0);
	CHECK(bind_("a", "b", 0) == 0);
	CHECK(there("b/in"));
	CHECK(touch("b/new") == 0);
	CHECK(there("a/new"));
	CHECK(strstr(info_of("b"), " /a /tmp/b "));
}

CASE(bind_of_a_file_on_a_file)
{
	place();
	CHECK(touch("f") == 0 && touch("g") == 0);
	CHECK(bind_("f", "g", 0) == 0);
	CHECK_ERROR(bind_("f", "a", 0), ENOTDIR);
	CHECK_ERROR(bind_("a", "f", 0), ENOTDIR);
	CHECK_ERROR(unlink("g"), EBUSY);
}

CASE(bind_without_a_source_is_an_error)
{
	place();
	CHECK_ERROR(mount(NULL, "a", NULL, MS_BIND, NULL), EINVAL);
	CHECK_ERROR(bind_("", "a", 0), EINVAL);
	CHECK_ERROR(bind_("nothing", "a", 0), ENOENT);
}

CASE(bind_leaves_submounts_out_unless_recursive)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0);
	CHECK(touch("a/s/f") == 0);
	CHECK(bind_("a", "b", 0) == 0);
	CHECK(!there("b/s/f"));
	CHECK(bind_("a", "c", MS_REC) == 0);
	CHECK(there("c/s/f"));
}

CASE(bind_takes_submounts_below_the_folder_only)
{
	int before;

	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && mkdir("a/t", 0755) == 0);
	CHECK(mkdir("a/s/u", 0755) == 0 && tmpfs("a/s/u") == 0 && tmpfs("a/t") == 0);
	before = count_mounts();
	CHECK(bind_("a/s", "b", MS_REC) == 0);
	CHECK(count_mounts() == before + 2);
}

CASE(bind_keeps_the_flags_of_its_source)
{
	place();
	CHECK(mount("none", "a", "tmpfs", MS_NOSUID | MS_NOEXEC, NULL) == 0);
	CHECK(bind_("a", "b", MS_RDONLY) == 0);
	CHECK(strstr(info_of("b"), " rw,nosuid,noexec,relatime - "));
}

CASE(move_takes_the_tree_along)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0);
	CHECK(touch("a/s/f") == 0);
	CHECK(mount("a", "b", NULL, MS_MOVE, NULL) == 0);
	CHECK(there("b/s/f") && !there("a/s"));
}

CASE(move_into_itself_is_eloop)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0);
	CHECK_ERROR(mount("a", "a/s", NULL, MS_MOVE, NULL), ELOOP);
}

CASE(move_of_what_is_no_mount_is_einval)
{
	place();
	CHECK_ERROR(mount("a", "b", NULL, MS_MOVE, NULL), EINVAL);
	CHECK_ERROR(mount(NULL, "b", NULL, MS_MOVE, NULL), EINVAL);
}

CASE(move_of_a_file_on_a_folder_is_einval)
{
	place();
	CHECK(touch("f") == 0 && touch("g") == 0 && bind_("f", "g", 0) == 0);
	CHECK_ERROR(mount("g", "a", NULL, MS_MOVE, NULL), EINVAL);
}

CASE(umount_of_busy_mount_is_ebusy)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0);
	fd = open("a", O_RDONLY);
	CHECK_ERROR(umount("a"), EBUSY);
	close(fd);
	CHECK(mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0);
	CHECK_ERROR(umount("a"), EBUSY);
	CHECK(umount("a/s") == 0);
	CHECK(umount("a") == 0);
}

CASE(umount_of_a_working_directory_is_ebusy)
{
	place();
	CHECK(tmpfs("a") == 0 && chdir("a") == 0);
	CHECK_ERROR(umount("/tmp/a"), EBUSY);
}

CASE(umount_of_what_is_no_mount_is_einval)
{
	place();
	CHECK_ERROR(umount("a"), EINVAL);
	CHECK_ERROR(umount("nothing"), ENOENT);
	CHECK_ERROR(umount2("a", 0x100), EINVAL);
}

CASE(umount_takes_the_topmost)
{
	place();
	CHECK(tmpfs("a") == 0 && touch("a/first") == 0);
	CHECK(tmpfs("a") == 0 && touch("a/second") == 0);
	CHECK(umount("a") == 0);
	CHECK(there("a/first"));
}

CASE(lazy_umount_leaves_it_to_those_who_have_it)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0);
	CHECK(touch("a/f") == 0 && touch("a/s/g") == 0);
	fd = open("a", O_RDONLY | O_DIRECTORY);
	CHECK(umount2("a", MNT_DETACH) == 0);
	CHECK(!there("a/f"));
	CHECK(faccessat(fd, "f", F_OK, 0) == 0);
	CHECK(faccessat(fd, "s", F_OK, 0) == 0);
	CHECK(faccessat(fd, "s/g", F_OK, 0) == -1);
}

CASE(mounting_on_what_was_unmounted_is_enoent)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && chdir("a") == 0);
	CHECK(umount2("/tmp/a", MNT_DETACH) == 0);
	CHECK_ERROR(tmpfs("s"), ENOENT);
	CHECK_ERROR(bind_("s", "/tmp/b", 0), EINVAL);
	CHECK_ERROR(umount2(".", MNT_DETACH), EINVAL);
}

CASE(expiry_takes_two_calls_without_use)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK_ERROR(umount2("a", MNT_EXPIRE), EAGAIN);
	CHECK(there("a/."));
	CHECK_ERROR(umount2("a", MNT_EXPIRE), EAGAIN);
	CHECK(umount2("a", MNT_EXPIRE) == 0);
	CHECK(tmpfs("a") == 0);
	CHECK_ERROR(umount2("a", MNT_EXPIRE | MNT_DETACH), EINVAL);
	CHECK_ERROR(umount2("a", MNT_EXPIRE | MNT_FORCE), EINVAL);
	CHECK(chdir("a") == 0);
	CHECK_ERROR(umount2("/tmp/a", MNT_EXPIRE), EBUSY);
}

CASE(umount_nofollow_does_not_follow_a_link)
{
	place();
	CHECK(tmpfs("a") == 0 && symlink("a", "link") == 0);
	CHECK_ERROR(umount2("link", UMOUNT_NOFOLLOW), EINVAL);
	CHECK(umount("link") == 0);
}

CASE(mountpoint_can_be_neither_removed_nor_renamed)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK_ERROR(rmdir("a"), EBUSY);
	CHECK_ERROR(rename("a", "x"), EBUSY);
	CHECK_ERROR(rename("b", "a"), EBUSY);
}

CASE(folder_above_a_mountpoint_can_be_renamed)
{
	place();
	CHECK(mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0 && touch("a/s/f") == 0);
	CHECK(rename("a", "x") == 0);
	CHECK(there("x/s/f"));
	CHECK(bind_("x", "b", MS_REC) == 0);
	CHECK(there("b/s/f"));
}

CASE(rename_between_mounts_is_exdev)
{
	place();
	CHECK(bind_("a", "b", 0) == 0 && touch("a/f") == 0);
	CHECK_ERROR(rename("a/f", "b/g"), EXDEV);
	CHECK_ERROR(link("a/f", "b/g"), EXDEV);
}

CASE(dot_dot_leaves_a_mount_where_it_is_mounted)
{
	struct stat up, there_;

	place();
	CHECK(mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0);
	CHECK(stat("a/s/..", &up) == 0 && stat("a", &there_) == 0);
	CHECK(up.st_ino == there_.st_ino && up.st_dev == there_.st_dev);
}

CASE(statfs_tells_the_flags)
{
	struct statfs st;

	place();
	CHECK(mount("none", "a", "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, NULL) == 0);
	CHECK(statfs("a", &st) == 0);
	CHECK((st.f_flags & 7) == 7);
}

CASE(pivot_root_exchanges_roots)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/old", 0755) == 0 && touch("a/here") == 0);
	CHECK(syscall(SYS_pivot_root, "a", "a/old") == 0);
	CHECK(there("/here") && there("/old/tmp"));
	CHECK(chdir("/") == 0 && umount2("/old", MNT_DETACH) == 0);
	CHECK(!there("/old/tmp"));
	CHECK(there("/here"));
}

CASE(pivot_root_on_itself)
{
	place();
	CHECK(tmpfs("a") == 0 && touch("a/here") == 0 && chdir("a") == 0);
	CHECK(syscall(SYS_pivot_root, ".", ".") == 0);
	CHECK(umount2(".", MNT_DETACH) == 0);
	CHECK(there("/here") && !there("/tmp"));
}

CASE(pivot_root_of_what_is_no_mount_is_an_error)
{
	place();
	CHECK(mkdir("a/old", 0755) == 0);
	CHECK_ERROR(syscall(SYS_pivot_root, "a", "a/old"), EINVAL);
	CHECK_ERROR(syscall(SYS_pivot_root, "/", "/"), EBUSY);
	CHECK_ERROR(syscall(SYS_pivot_root, "nothing", "a"), ENOENT);
	CHECK(touch("f") == 0);
	CHECK_ERROR(syscall(SYS_pivot_root, "f", "a"), ENOTDIR);
}

CASE(pivot_root_to_outside_of_the_new_root_is_einval)
{
	place();
	CHECK(tmpfs("a") == 0 && tmpfs("b") == 0);
	CHECK_ERROR(syscall(SYS_pivot_root, "a", "b"), EINVAL);
}

CASE(pivot_root_below_a_shared_mount_is_einval)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/old", 0755) == 0);
	CHECK(kind("/tmp", MS_SHARED) == 0);
	CHECK_ERROR(syscall(SYS_pivot_root, "a", "a/old"), EINVAL);
}

CASE(pivot_root_moves_those_who_were_at_the_root)
{
	int pipes[2];
	char c = 0;
	pid_t pid;

	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/old", 0755) == 0 && touch("a/here") == 0);
	CHECK(pipe(pipes) == 0);
	pid = fork();
	if (pid == 0) {
		if (chdir("/") || read(pipes[0], &c, 1) != 1)
			_exit(2);
		_exit(there("/here") && there("here") ? 0 : 1);
	}
	CHECK(syscall(SYS_pivot_root, "a", "a/old") == 0);
	CHECK(write(pipes[1], &c, 1) == 1);
	int status;
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

CASE(chroot_hides_mounts_outside)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/proc", 0755) == 0);
	CHECK(mount("proc", "a/proc", "proc", 0, NULL) == 0);
	CHECK(chroot("a") == 0 && chdir("/") == 0);
	CHECK(count_mounts() == 2);
}

CASE(mountinfo_escapes_names)
{
	place();
	CHECK(mkdir("with space", 0755) == 0);
	CHECK(mount("a b\\", "with space", "tmpfs", 0, NULL) == 0);
	CHECK(strstr(info_of("with\\040space"), " - tmpfs a\\040b\\134 rw"));
}

CASE(mountinfo_names_the_parent)
{
	int id, parent = -1, child = -1, child_parent = -2;

	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0);
	CHECK(sscanf(info_of("a"), "%d %d", &id, &parent) == 2);
	CHECK(sscanf(info_of("a/s"), "%d %d", &child, &child_parent) == 2);
	CHECK(child_parent == id && parent != id);
}
