/*
 * mount(2), umount2(2), pivot_root(2), chroot(2): flag by flag, error by error; and the formats of
 * mountinfo, mounts, mountstats.
 */
#include "place.h"

#include <sys/statfs.h>
#include <sys/statvfs.h>

/* --- One flag each --- */

#define FLAG(name, flags, shown)                                                                   \
	CASE(name)                                                                                 \
	{                                                                                          \
		place();                                                                           \
		CHECK(mount("none", "a", "tmpfs", flags, NULL) == 0);                              \
		CHECK(strstr(info_of("a"), shown));                                                \
	}

FLAG(nosuid_is_shown, MS_NOSUID, " /tmp/a rw,nosuid,relatime - ")
FLAG(nodev_is_shown, MS_NODEV, " /tmp/a rw,nodev,relatime - ")
FLAG(noexec_is_shown, MS_NOEXEC, " /tmp/a rw,noexec,relatime - ")
FLAG(noatime_is_shown, MS_NOATIME, " /tmp/a rw,noatime - ")
FLAG(nodiratime_is_shown, MS_NODIRATIME, " /tmp/a rw,nodiratime,relatime - ")
FLAG(relatime_is_what_is_not_said, MS_RELATIME, " /tmp/a rw,relatime - ")
FLAG(strictatime_wins_over_noatime, MS_STRICTATIME | MS_NOATIME, " /tmp/a rw - ")
FLAG(noatime_wins_over_relatime, MS_NOATIME | MS_RELATIME, " /tmp/a rw,noatime - ")
FLAG(readonly_is_of_the_mount_and_of_the_file_system, MS_RDONLY, " ro,relatime - tmpfs none ro")
FLAG(synchronous_is_of_the_file_system, MS_SYNCHRONOUS, " rw,relatime - tmpfs none rw,sync")
FLAG(dirsync_is_of_the_file_system, MS_DIRSYNC, " rw,relatime - tmpfs none rw,dirsync")
FLAG(lazytime_is_of_the_file_system, MS_LAZYTIME, " rw,relatime - tmpfs none rw,lazytime")
FLAG(silent_says_nothing, MS_SILENT, " rw,relatime - tmpfs none rw")

CASE(noexec_mount_runs_no_programs)
{
	place();
	CHECK(mount("none", "a", "tmpfs", MS_NOEXEC, NULL) == 0);
	CHECK(touch("a/prog") == 0 && chmod("a/prog", 0755) == 0 && put("a/prog", "#!/x\n") == 0);
	CHECK_ERROR(execl("a/prog", "prog", NULL), EACCES);
	CHECK_ERROR(access("a/prog", X_OK), EACCES);
}

CASE(noatime_mount_keeps_the_time_of_access)
{
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
	struct stat st;

	place();
	CHECK(mount("none", "a", "tmpfs", MS_NOATIME, NULL) == 0 && touch("a/f") == 0);
	CHECK(put("a/f", "x") == 0 && utimensat(AT_FDCWD, "a/f", old, 0) == 0);
	CHECK(!strcmp(text_of("a/f"), "x"));
	CHECK(stat("a/f", &st) == 0 && st.st_atime == 1000);
}

CASE(relatime_mount_sets_a_time_of_access_before_the_change)
{
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
	struct stat st;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/f") == 0 && put("a/f", "x") == 0);
	CHECK(utimensat(AT_FDCWD, "a/f", old, 0) == 0 && !strcmp(text_of("a/f"), "x"));
	CHECK(stat("a/f", &st) == 0 && st.st_atime > 2000);
}

CASE(nodiratime_mount_keeps_that_of_folders_only)
{
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
	char buf[256];
	struct stat st;
	int fd;

	place();
	CHECK(mount("none", "a", "tmpfs", MS_NODIRATIME | MS_STRICTATIME, NULL) == 0);
	CHECK(mkdir("a/in", 0755) == 0 && utimensat(AT_FDCWD, "a/in", old, 0) == 0);
	fd = open("a/in", O_RDONLY | O_DIRECTORY);
	CHECK(syscall(SYS_getdents64, fd, buf, sizeof(buf)) > 0);
	CHECK(fstat(fd, &st) == 0 && st.st_atime == 1000);
}

CASE(nosuid_mount_is_told_by_statvfs)
{
	struct statvfs st;

	place();
	CHECK(mount("none", "a", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0);
	CHECK(statvfs("a", &st) == 0);
	CHECK((st.f_flag & (2 | 4 | 8 | 0x1000)) == (2 | 4 | 8 | 0x1000)); /* and relatime */
}

CASE(type_with_a_subtype_that_it_has_not_is_enodev)
{
	place();
	CHECK_ERROR(mount("none", "a", "tmpfs.sub", 0, NULL), ENODEV);
}

CASE(path_that_is_too_long_is_enametoolong)
{
	char path[5000];

	place();
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	CHECK_ERROR(tmpfs(path), ENAMETOOLONG);
	path[300] = 0;
	CHECK_ERROR(tmpfs(path), ENAMETOOLONG);
	CHECK_ERROR(umount(path), ENAMETOOLONG);
}

CASE(mount_below_a_file_is_enotdir)
{
	place();
	CHECK(touch("f") == 0);
	CHECK_ERROR(tmpfs("f/x"), ENOTDIR);
	CHECK_ERROR(umount("f/x"), ENOTDIR);
}

CASE(mount_through_a_loop_of_links_is_eloop)
{
	place();
	CHECK(symlink("l", "l") == 0);
	CHECK_ERROR(tmpfs("l"), ELOOP);
	CHECK_ERROR(umount("l"), ELOOP);
	CHECK_ERROR(bind_("l", "a", 0), ELOOP);
}

CASE(mount_follows_a_link_to_its_place)
{
	place();
	CHECK(symlink("a", "l") == 0 && tmpfs("l") == 0);
	CHECK(*info_of("a") && umount("l") == 0 && !*info_of("a"));
}

CASE(mount_on_an_empty_name_is_enoent)
{
	place();
	CHECK_ERROR(tmpfs(""), ENOENT);
	CHECK_ERROR(umount(""), ENOENT);
}

CASE(mount_in_a_folder_that_may_not_be_searched_is_eacces)
{
	place();
	CHECK(mkdir("a/in", 0755) == 0 && chmod("a", 0700) == 0 && setresuid(-1, 1000, -1) == 0);
	CHECK_ERROR(tmpfs("a/in"), EACCES);
	CHECK_ERROR(umount("a/in"), EACCES);
}

CASE(source_may_be_null)
{
	place();
	CHECK(mount(NULL, "a", "tmpfs", 0, NULL) == 0);
	CHECK(strstr(info_of("a"), " - tmpfs none rw"));
}

CASE(mount_max_holds)
{
	char max[32], text[32];
	int n;

	place();
	snprintf(max, sizeof(max), "%s", text_of("/proc/sys/fs/mount-max"));
	n = count_mounts();
	snprintf(text, sizeof(text), "%d", n + 4);
	CHECK(put("/proc/sys/fs/mount-max", text) == 0);
	for (n = 0; n < 8 && tmpfs("a") == 0; n++)
		;
	CHECK(put("/proc/sys/fs/mount-max", max) == 0);
	CHECK(n >= 3 && n <= 4);
}

CASE(mount_over_mount_max_is_enospc)
{
	char max[32];
	long got;
	int error;

	place();
	snprintf(max, sizeof(max), "%s", text_of("/proc/sys/fs/mount-max"));
	CHECK(put("/proc/sys/fs/mount-max", "1") == 0);
	got = tmpfs("a");
	error = errno;
	CHECK(put("/proc/sys/fs/mount-max", max) == 0);
	CHECK(got == -1 && error == ENOSPC);
}

/* --- Remounting --- */

CASE(remount_without_privilege_is_eperm)
{
	place();
	CHECK(tmpfs("a") == 0 && setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(mount(NULL, "a", NULL, MS_REMOUNT, NULL), EPERM);
}

CASE(remount_with_a_bad_option_changes_nothing)
{
	place();
	CHECK(mount("none", "a", "tmpfs", 0, "size=64k") == 0);
	CHECK_ERROR(mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, "nosuch=1"), EINVAL);
	CHECK(strstr(info_of("a"), " rw,relatime - tmpfs none rw,size=64k"));
}

CASE(remount_below_what_is_used_is_einval)
{
	char data[8192] = {1};
	int fd;

	place();
	CHECK(mount("none", "a", "tmpfs", 0, "size=64k") == 0);
	fd = open("a/f", O_RDWR | O_CREAT, 0644);
	CHECK(write(fd, data, sizeof(data)) == sizeof(data));
	CHECK_ERROR(mount(NULL, "a", NULL, MS_REMOUNT, "size=4k"), EINVAL);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT, "size=8k") == 0);
}

CASE(remount_of_a_file_system_takes_the_flags_of_the_mount_away)
{
	place();
	CHECK(mount("none", "a", "tmpfs", MS_NOSUID | MS_NODEV, NULL) == 0);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_NOEXEC, NULL) == 0);
	CHECK(strstr(info_of("a"), " /tmp/a rw,noexec,relatime - "));
}

CASE(remount_readonly_of_the_file_system_is_seen_at_all_its_mounts)
{
	place();
	CHECK(tmpfs("a") == 0 && bind_("a", "b", 0) == 0);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
	CHECK(strstr(info_of("b"), " /tmp/b rw,relatime - tmpfs none ro"));
	CHECK_ERROR(touch("b/f"), EROFS);
	CHECK(mount(NULL, "b", NULL, MS_REMOUNT, NULL) == 0);
	CHECK_ERROR(touch("a/f"), EROFS); /* the mount's own flag stays */
	CHECK(touch("b/f") == 0);
}

CASE(bind_remount_takes_no_options)
{
	place();
	CHECK(mount("none", "a", "tmpfs", 0, "size=64k") == 0);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, "nosuch=1") == 0);
	CHECK(strstr(info_of("a"), " /tmp/a ro,relatime - tmpfs none rw,size=64k"));
}

CASE(bind_remount_is_not_recursive)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_REC | MS_RDONLY, NULL) == 0);
	CHECK(touch("a/s/f") == 0);
	CHECK_ERROR(touch("a/f"), EROFS);
}

CASE(file_that_is_a_mount_is_remounted)
{
	place();
	CHECK(touch("f") == 0 && touch("g") == 0 && bind_("f", "g", 0) == 0);
	CHECK(mount(NULL, "g", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK_ERROR(open("g", O_WRONLY), EROFS);
	CHECK(put("f", "x") == 0);
}

/* --- Moving and binding --- */

CASE(bind_of_a_folder_on_a_file_is_enotdir)
{
	place();
	CHECK(touch("f") == 0);
	CHECK_ERROR(bind_("a", "f", 0), ENOTDIR);
	CHECK_ERROR(bind_("f", "a", 0), ENOTDIR);
}

CASE(bind_on_itself_makes_a_mount)
{
	place();
	CHECK(bind_("a", "a", 0) == 0 && strstr(info_of("a"), " /a /tmp/a "));
	CHECK(umount("a") == 0);
}

CASE(bind_ignores_the_other_flags)
{
	place();
	CHECK(bind_("a", "b", MS_RDONLY | MS_NOSUID) == 0);
	CHECK(strstr(info_of("b"), " /tmp/b rw,relatime - "));
}

CASE(bind_of_an_unlinked_folder_is_enoent)
{
	place();
	CHECK(chdir("a") == 0 && rmdir("/tmp/a") == 0);
	CHECK_ERROR(bind_("/tmp/b", ".", 0), ENOENT);
	CHECK_ERROR(tmpfs("."), ENOENT);
}

CASE(move_without_a_source_is_einval)
{
	place();
	CHECK_ERROR(mount(NULL, "a", NULL, MS_MOVE, NULL), EINVAL);
	CHECK_ERROR(mount("", "a", NULL, MS_MOVE, NULL), EINVAL);
	CHECK_ERROR(mount("nothing", "a", NULL, MS_MOVE, NULL), ENOENT);
}

CASE(move_of_the_root_into_itself_is_eloop)
{
	place();
	CHECK_ERROR(mount("/", "a", NULL, MS_MOVE, NULL), ELOOP);
}

CASE(move_keeps_the_number_of_the_mount)
{
	int before, after;

	place();
	CHECK(tmpfs("a") == 0 && sscanf(info_of("a"), "%d", &before) == 1);
	CHECK(mount("a", "b", NULL, MS_MOVE, NULL) == 0 && !*info_of("a"));
	CHECK(sscanf(info_of("b"), "%d", &after) == 1 && before == after);
}

/* --- Unmounting --- */

CASE(umount_of_unknown_flags_is_einval)
{
	place();
	CHECK_ERROR(umount2("a", 16), EINVAL);
	CHECK_ERROR(umount2("nothing", 0x80000000), EINVAL);
	CHECK_ERROR(umount2("nothing", 0), ENOENT);
	CHECK_ERROR(umount2((char *)8, 0), EFAULT);
}

CASE(expiry_with_force_or_detach_is_einval)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK_ERROR(umount2("a", MNT_EXPIRE | MNT_FORCE), EINVAL);
	CHECK_ERROR(umount2("a", MNT_EXPIRE | MNT_DETACH), EINVAL);
}

CASE(expiry_of_a_mount_in_use_is_ebusy)
{
	place();
	CHECK(tmpfs("a") == 0 && open("a", O_RDONLY) >= 0);
	CHECK_ERROR(umount2("a", MNT_EXPIRE), EBUSY);
}

CASE(use_between_takes_the_mark_of_expiry_away)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK_ERROR(umount2("a", MNT_EXPIRE), EAGAIN);
	CHECK(touch("a/f") == 0);
	CHECK_ERROR(umount2("a", MNT_EXPIRE), EAGAIN);
	CHECK(umount2("a", MNT_EXPIRE) == 0);
}

CASE(force_unmounts_what_is_not_in_use)
{
	place();
	CHECK(tmpfs("a") == 0);
	CHECK(umount2("a", MNT_FORCE) == 0 && !*info_of("a"));
}

CASE(umount_of_a_mount_with_mounts_below_is_ebusy)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0);
	CHECK_ERROR(umount("a"), EBUSY);
	CHECK(umount2("a", MNT_DETACH) == 0 && !*info_of("a/s"));
}

CASE(umount_nofollow_of_a_mount_is_umount)
{
	place();
	CHECK(tmpfs("a") == 0 && symlink("a", "l") == 0);
	CHECK_ERROR(umount2("l", UMOUNT_NOFOLLOW), EINVAL);
	CHECK(umount2("a", UMOUNT_NOFOLLOW) == 0);
}

CASE(umount_of_a_folder_in_a_mount_is_einval)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/in", 0755) == 0);
	CHECK_ERROR(umount("a/in"), EINVAL);
	CHECK_ERROR(umount2("a/in", MNT_DETACH), EINVAL);
}

CASE(umount_of_a_mount_with_an_open_file_is_ebusy)
{
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && touch("a/f") == 0);
	fd = open("a/f", O_PATH);
	CHECK_ERROR(umount("a"), EBUSY);
	close(fd);
	CHECK(umount("a") == 0);
}

/* --- Roots --- */

CASE(pivot_root_of_bad_names)
{
	place();
	CHECK(touch("f") == 0);
	CHECK_ERROR(syscall(SYS_pivot_root, "nothing", "a"), ENOENT);
	CHECK_ERROR(syscall(SYS_pivot_root, "f", "a"), ENOTDIR);
	CHECK_ERROR(syscall(SYS_pivot_root, "a", (char *)8), EFAULT);
}

CASE(pivot_root_to_the_current_root_is_ebusy)
{
	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/old", 0755) == 0);
	CHECK_ERROR(syscall(SYS_pivot_root, "/", "/"), EBUSY);
	CHECK_ERROR(syscall(SYS_pivot_root, "/", "/tmp/a/old"), EBUSY);
	CHECK_ERROR(syscall(SYS_pivot_root, "a", "/"), EBUSY);
}

CASE(chroot_of_bad_names)
{
	place();
	CHECK(touch("f") == 0);
	CHECK_ERROR(chroot("f"), ENOTDIR);
	CHECK_ERROR(chroot("nothing"), ENOENT);
	CHECK_ERROR(chroot((char *)8), EFAULT);
}

CASE(chroot_without_privilege_is_eperm)
{
	place();
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(chroot("a"), EPERM);
}

CASE(chroot_leaves_the_working_directory)
{
	char cwd[256] = "";

	place();
	CHECK(touch("f") == 0 && chroot("a") == 0 && there("f"));
	CHECK(syscall(SYS_getcwd, cwd, sizeof(cwd)) > 0 && !strcmp(cwd, "(unreachable)/tmp"));
	CHECK(there("../tmp/f"));
}

/* --- Texts --- */

CASE(mountinfo_escapes_the_source)
{
	place();
	CHECK(mount("#a b\t\\", "a", "tmpfs", 0, NULL) == 0);
	CHECK(strstr(info_of("a"), " - tmpfs \\043a\\040b\\011\\134 rw"));
}

static bool has_line(const char *path, const char *line)
{
	char got[1024];
	bool found = false;
	FILE *f = fopen(path, "r");

	while (f && fgets(got, sizeof(got), f))
		found |= !strncmp(got, line, strlen(line));
	if (f)
		fclose(f);
	return found;
}

CASE(mounts_has_six_fields)
{
	place();
	CHECK(mount("my src", "a", "tmpfs", MS_NOSUID, "size=64k,mode=700") == 0);
	CHECK(has_line("/proc/self/mounts",
		       "my\\040src /tmp/a tmpfs rw,nosuid,relatime,size=64k,mode=700"));
}

CASE(mounts_escapes_what_begins_a_comment)
{
	place();
	CHECK(mount("#src", "a", "tmpfs", 0, NULL) == 0);
	CHECK(has_line("/proc/self/mounts", "\\043src /tmp/a tmpfs rw,relatime"));
}

CASE(mounts_tells_what_holds_for_both)
{
	place();
	CHECK(mount("none", "a", "tmpfs", MS_RDONLY, NULL) == 0);
	CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND, NULL) == 0);
	CHECK(strstr(info_of("a"), " /tmp/a rw,relatime - tmpfs none ro"));
	CHECK(has_line("/proc/self/mounts", "none /tmp/a tmpfs ro,relatime"));
}

CASE(mountstats_tells_device_place_and_type)
{
	place();
	CHECK(mount("src", "a", "tmpfs", 0, NULL) == 0);
	CHECK(has_line("/proc/self/mountstats", "device src mounted on /tmp/a with fstype tmpfs"));
}

CASE(mountinfo_of_a_removed_root_is_marked)
{
	place();
	CHECK(mkdir("a/in", 0755) == 0 && bind_("a/in", "b", 0) == 0 && rmdir("a/in") == 0);
	CHECK(strstr(info_of("b"), " /a/in//deleted /tmp/b "));
}

CASE(mountinfo_tells_the_device)
{
	unsigned major, minor;
	struct stat st;

	place();
	CHECK(tmpfs("a") == 0 && stat("a", &st) == 0);
	CHECK(sscanf(info_of("a"), "%*d %*d %u:%u", &major, &minor) == 2);
	CHECK(st.st_dev == (dev_t)(major << 8 | (minor & 0xff) | (minor >> 8) << 20));
}

CASE(mounts_is_that_of_the_thread)
{
	char name[64];

	CHECK(readlink("/proc/mounts", name, sizeof(name)) == 11);
	CHECK(!memcmp(name, "self/mounts", 11));
}

CASE(mountinfo_of_a_process_without_mounts_is_einval)
{
	char path[64];
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK_ERROR(open(path, O_RDONLY), EINVAL);
}

CASE(file_systems_are_told_by_type)
{
	CHECK(has_line("/proc/filesystems", "nodev\ttmpfs"));
	CHECK(has_line("/proc/filesystems", "nodev\tproc"));
	CHECK(has_line("/proc/filesystems", "nodev\tramfs"));
}
