/* Times and modes: inode(7), utimensat(2), chmod(2), chown(2). */
#include "check.h"
#include "scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

static struct stat st;

/* All times to 1000 s but the change time. */
static void age(const char *name)
{
	struct timespec t[2] = {{1000, 0}, {1000, 0}};

	CHECK(utimensat(AT_FDCWD, name, t, AT_SYMLINK_NOFOLLOW) == 0);
}

#define ACCESSED 1
#define MODIFIED 2

/* Which times of @name are not 1000 s any more? */
static int moved(const char *name)
{
	CHECK(lstat(name, &st) == 0);
	return (st.st_atim.tv_sec != 1000 ? ACCESSED : 0) |
	       (st.st_mtim.tv_sec != 1000 ? MODIFIED : 0);
}

CASE(writing_modifies_and_reading_accesses)
{
	char c;
	int fd;

	scratch();
	make("f", "x");
	fd = open("f", O_RDWR);
	age("f");
	CHECK(moved("f") == 0);
	CHECK(read(fd, &c, 1) == 1 && moved("f") == ACCESSED);
	age("f");
	CHECK(write(fd, "y", 1) == 1 && moved("f") == MODIFIED);
	age("f");
	CHECK(pwrite(fd, "", 0, 0) == 0 && moved("f") == 0);
}

CASE(atime_is_relative)
{
	struct timespec t[2] = {{2000, 0}, {1000, 0}};
	char c;
	int fd;

	scratch();
	make("f", "x");
	fd = open("f", O_RDONLY);
	CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0); /* older than a day */
	CHECK(read(fd, &c, 1) == 1 && lstat("f", &st) == 0 && st.st_atim.tv_sec != 2000);
	t[0].tv_sec = st.st_atim.tv_sec + 5;
	CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0); /* newer than both other times */
	CHECK(pread(fd, &c, 1, 0) == 1 && lstat("f", &st) == 0);
	CHECK(st.st_atim.tv_sec == t[0].tv_sec);
}

CASE(opening_with_noatime_does_not_access)
{
	char c;
	int fd;

	scratch();
	chmod(".", 0755);
	make("f", "x");
	fd = open("f", O_RDONLY | O_NOATIME);
	age("f");
	CHECK(read(fd, &c, 1) == 1 && moved("f") == 0);
	CHECK(be_user(1000) == 0);
	CHECK_ERROR(open("f", O_RDONLY | O_NOATIME), EPERM);
}

CASE(names_modify_their_folder)
{
	scratch();
	mkdir("d", 0755);
	make("d/f", "");
	age("d");
	make("d/f", "x");
	CHECK(moved("d") == 0); /* what is in a file is not in its folder */
	CHECK(link("d/f", "d/g") == 0 && moved("d") == MODIFIED);
	age("d");
	CHECK(rename("d/g", "d/h") == 0 && moved("d") == MODIFIED);
	age("d");
	CHECK(unlink("d/h") == 0 && moved("d") == MODIFIED);
	age("d");
	CHECK(symlink("x", "d/l") == 0 && moved("d") == MODIFIED);
	age("d");
	CHECK(chmod("d/f", 0600) == 0 && moved("d") == 0);
}

CASE(reading_a_folder_or_a_link_accesses_it)
{
	char buf[100];
	int fd;

	scratch();
	mkdir("d", 0755);
	symlink("d", "l");
	age("d");
	age("l");
	fd = open("d", O_RDONLY);
	CHECK(moved("d") == 0 && syscall(SYS_getdents64, fd, buf, 100) > 0);
	CHECK(moved("d") == ACCESSED);
	CHECK(readlink("l", buf, 100) == 1 && moved("l") == ACCESSED);
}

CASE(truncation_modifies_only_if_asked_for)
{
	scratch();
	make("f", "x");
	age("f");
	CHECK(truncate("f", 5) == 0 && moved("f") == MODIFIED);
	age("f");
	CHECK(truncate("f", 5) == 0 && moved("f") == MODIFIED);
	age("f");
	close(open("f", O_RDWR));
	CHECK(moved("f") == 0);
	close(open("f", O_WRONLY | O_TRUNC));
	CHECK(moved("f") == MODIFIED);
}

CASE(time_calls_of_all_ages)
{
	struct utimbuf u = {100, 200};
	struct timeval v[2] = {{300, 400000}, {500, 600000}};

	scratch();
	make("f", "");
	symlink("f", "l");
	CHECK(utime("f", &u) == 0 && stat("f", &st) == 0);
	CHECK(st.st_atim.tv_sec == 100 && st.st_mtim.tv_sec == 200);
	CHECK(utimes("l", v) == 0 && stat("f", &st) == 0);
	CHECK(st.st_atim.tv_sec == 300 && st.st_atim.tv_nsec == 400000000);
	CHECK(lutimes("l", v) == 0 && lstat("l", &st) == 0 && st.st_mtim.tv_sec == 500);
	v[0].tv_usec = 1000000;
	CHECK_ERROR(utimes("f", v), EINVAL);
	CHECK(futimens(open("f", O_RDONLY), NULL) == 0);
}

CASE(times_may_be_before_1970_and_far_away)
{
	struct timespec t[2] = {{-5, 999999999}, {1l << 33, 1}};

	scratch();
	make("f", "");
	CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0 && stat("f", &st) == 0);
	CHECK(st.st_atim.tv_sec == -5 && st.st_atim.tv_nsec == 999999999);
	CHECK(st.st_mtim.tv_sec == 1l << 33);
}

CASE(setting_times_needs_the_owner_setting_now_needs_writing)
{
	struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
	struct timespec one[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
	struct timespec none[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};

	scratch();
	chmod(".", 0755);
	make("f", "");
	chmod("f", 0666);
	make("g", "");
	CHECK(be_user(1000) == 0);
	CHECK(utimensat(AT_FDCWD, "f", NULL, 0) == 0 && utimensat(AT_FDCWD, "f", now, 0) == 0);
	CHECK_ERROR(utimensat(AT_FDCWD, "f", one, 0), EPERM);
	CHECK_ERROR(utimensat(AT_FDCWD, "g", NULL, 0), EACCES);
	CHECK(utimensat(AT_FDCWD, "g", none, 0) == 0);
	CHECK(utimensat(AT_FDCWD, "nowhere", none, 0) == 0); /* nothing to do, nothing looked at */
}

CASE(mode_is_changed_by_the_owner)
{
	scratch();
	chmod(".", 0755);
	make("f", "");
	make("g", "");
	CHECK(chown("f", 1000, 1000) == 0);
	CHECK(be_user(1000) == 0);
	CHECK(chmod("f", 0) == 0 && fchmod(open("f", O_PATH), 0) == -1);
	CHECK(chmod("f", 04755) == 0 && stat("f", &st) == 0 && (st.st_mode & 07777) == 04755);
	CHECK_ERROR(chmod("g", 0777), EPERM);
	CHECK_ERROR(chown("f", 1001, -1), EPERM);
	CHECK(chown("f", 1000, 1000) == 0 && stat("f", &st) == 0);
	CHECK((st.st_mode & 07777) == 0755); /* any chown drops the set-id bits */
}

CASE(setgid_is_dropped_for_a_group_one_is_not_in)
{
	scratch();
	chmod(".", 0755);
	make("f", "");
	CHECK(chown("f", 1000, 2000) == 0);
	CHECK(be_user(1000) == 0);
	CHECK(chmod("f", 02755) == 0 && stat("f", &st) == 0 && (st.st_mode & 07777) == 0755);
}

CASE(chmod_of_a_link_is_not_supported)
{
	scratch();
	make("f", "");
	symlink("f", "l");
	CHECK_ERROR(syscall(452 /* fchmodat2 */, AT_FDCWD, "l", 0600, AT_SYMLINK_NOFOLLOW),
		    EOPNOTSUPP);
	CHECK(syscall(452, AT_FDCWD, "f", 0600, AT_SYMLINK_NOFOLLOW) == 0);
	CHECK(syscall(452, open("f", O_PATH), "", 0640, AT_EMPTY_PATH) == 0);
	CHECK(stat("f", &st) == 0 && (st.st_mode & 07777) == 0640);
	CHECK_ERROR(syscall(452, AT_FDCWD, "f", 0600, 0x10), EINVAL);
}

CASE(read_only_mount_refuses_changes)
{
	CHECK(mount_tmpfs("") == 0);
	make("f", "x");
	CHECK(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK_ERROR(open("f", O_WRONLY), EROFS);
	CHECK_ERROR(open("new", O_WRONLY | O_CREAT, 0600), EROFS);
	CHECK(open("f", O_RDONLY | O_CREAT, 0600) >= 0);
	CHECK_ERROR(mkdir("f", 0700), EEXIST);
	CHECK_ERROR(mkdir("d", 0700), EROFS);
	CHECK_ERROR(unlink("f"), EROFS);
	CHECK_ERROR(rename("f", "g"), EROFS);
	CHECK_ERROR(chmod("f", 0600), EROFS);
	CHECK_ERROR(truncate("f", 0), EROFS);
	CHECK_ERROR(utimensat(AT_FDCWD, "f", NULL, 0), EROFS);
	CHECK_ERROR(access("f", W_OK), EROFS);
	CHECK(access("f", R_OK) == 0);
}

CASE(statx_tells_what_is_asked)
{
	struct statx x;

	scratch();
	make("f", "12345");
	CHECK(statx(AT_FDCWD, "f", 0, STATX_ALL | STATX_MNT_ID, &x) == 0);
	CHECK((x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS && x.stx_size == 5);
	CHECK((x.stx_mask & STATX_BTIME) && x.stx_btime.tv_sec > 0);
	CHECK((x.stx_mask & STATX_MNT_ID) && x.stx_mnt_id > 0);
	CHECK(x.stx_nlink == 1 && S_ISREG(x.stx_mode) && x.stx_blksize == 4096);
	CHECK(stat("f", &st) == 0 && x.stx_ino == st.st_ino);
	CHECK_ERROR(statx(AT_FDCWD, "f", 0, STATX__RESERVED, &x), EINVAL);
	CHECK_ERROR(statx(AT_FDCWD, "f", AT_STATX_SYNC_TYPE, STATX_ALL, &x), EINVAL);
	CHECK_ERROR(statx(AT_FDCWD, "f", 0x10, STATX_ALL, &x), EINVAL);
	CHECK(statx(AT_FDCWD, "/proc", 0, STATX_ALL, &x) == 0);
	CHECK(x.stx_attributes & x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT);
}
