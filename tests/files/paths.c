/* Ways through the tree: path_resolution(7), openat2(2), O_PATH, O_TMPFILE, magic links. */
#include "check.h"
#include "scratch.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char buf[PATH_MAX];

static long open_how(int dir, const char *name, unsigned long flags, unsigned long resolve)
{
	struct open_how how = {.flags = flags, .resolve = resolve};

	return syscall(SYS_openat2, dir, name, &how, sizeof(how));
}

/* A chain of n symbolic links: l1 to l2 ... to f. */
static void chain(int n)
{
	char name[16], target[16];

	for (int i = 1; i <= n; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), i == n ? "f" : "l%d", i + 1);
		CHECK(symlink(target, name) == 0);
	}
}

CASE(forty_links_are_followed_and_41_are_eloop)
{
	scratch();
	make("f", "end");
	chain(41);
	CHECK(!strcmp(text_of("l2"), "end"));
	CHECK_ERROR(open("l1", O_RDONLY), ELOOP);
}

CASE(links_in_the_middle_count_too)
{
	char path[300] = "";

	scratch();
	symlink(".", "s");
	make("f", "end");
	for (int i = 0; i < 40; i++)
		strcat(path, "s/");
	strcat(path, "f");
	CHECK(open(path, O_RDONLY) >= 0);
	memmove(path + 2, path, strlen(path) + 1);
	CHECK_ERROR(open(path, O_RDONLY), ELOOP);
}

CASE(slashes_are_as_good_as_one)
{
	scratch();
	mkdir("d", 0755);
	make("d/f", "x");
	CHECK(open("d////f", O_RDONLY) >= 0 && open(".//d/./f", O_RDONLY) >= 0);
	CHECK(open("d//", O_RDONLY) >= 0 && open("d/.", O_RDONLY) >= 0);
	CHECK(mkdir("e///", 0755) == 0 && rmdir("e//") == 0);
}

CASE(trailing_slash_wants_a_folder)
{
	struct stat st;

	scratch();
	make("f", "");
	mkdir("d", 0755);
	symlink("f", "lf");
	symlink("d", "ld");
	CHECK_ERROR(stat("f/", &st), ENOTDIR);
	CHECK_ERROR(lstat("lf/", &st), ENOTDIR);
	CHECK(lstat("ld/", &st) == 0 && S_ISDIR(st.st_mode));
	CHECK(lstat("ld", &st) == 0 && S_ISLNK(st.st_mode));
	CHECK_ERROR(readlink("ld/", buf, sizeof(buf)), EINVAL);
	CHECK_ERROR(unlink("lf/"), ENOTDIR);
	CHECK_ERROR(rename("f", "g/"), ENOTDIR);
	CHECK(rename("d", "e/") == 0);
}

CASE(trailing_slash_on_what_is_made)
{
	scratch();
	CHECK_ERROR(open("new/", O_CREAT | O_WRONLY, 0600), EISDIR);
	CHECK_ERROR(mknod("new/", S_IFIFO | 0600, 0), ENOENT);
	CHECK_ERROR(symlink("x", "new/"), ENOENT);
	make("f", "");
	CHECK_ERROR(link("f", "new/"), ENOENT);
	CHECK_ERROR(symlink("x", "f/"), EEXIST);
	symlink("nowhere", "dangling");
	CHECK_ERROR(mkdir("dangling", 0755), EEXIST);
	CHECK_ERROR(mkdir("dangling/", 0755), EEXIST);
}

CASE(dot_and_dotdot_as_last_names)
{
	scratch();
	mkdir("d", 0755);
	CHECK_ERROR(mkdir("d/.", 0755), EEXIST);
	CHECK_ERROR(mkdir("d/..", 0755), EEXIST);
	CHECK_ERROR(mkdir("/", 0755), EEXIST);
	CHECK_ERROR(open("d/.", O_CREAT | O_WRONLY, 0600), EISDIR);
	CHECK_ERROR(rename("d/.", "e"), EBUSY);
	CHECK_ERROR(rename("d", "d/.."), EBUSY);
	CHECK_ERROR(unlink("d/.."), EISDIR);
	CHECK_ERROR(rmdir("."), EINVAL);
	CHECK_ERROR(symlink("x", "."), EEXIST);
}

CASE(every_step_needs_search_permission)
{
	struct stat st;

	scratch();
	chmod(".", 0755);
	mkdir("a", 0755);
	mkdir("a/b", 0755);
	mkdir("a/b/c", 0755);
	make("a/b/c/f", "");
	chmod("a/b", 0766);
	CHECK(be_user(1000) == 0);
	CHECK_ERROR(stat("a/b/c/f", &st), EACCES);
	CHECK_ERROR(stat("a/b/none", &st), EACCES);
	CHECK_ERROR(chdir("a/b"), EACCES);
	CHECK(stat("a/b", &st) == 0);
	CHECK(open("a/b", O_RDONLY | O_DIRECTORY) >= 0);
	CHECK_ERROR(openat(open("a/b", O_RDONLY), "c", O_RDONLY), EACCES);
}

CASE(group_and_others_are_asked_in_order)
{
	scratch();
	chmod(".", 0755);
	make("f", "");
	CHECK(chown("f", 2000, 1000) == 0 && chmod("f", 0604) == 0);
	CHECK(be_user(1000) == 0);
	/* In the group, whose bits say no: what others may do is not asked. */
	CHECK_ERROR(open("f", O_RDONLY), EACCES);
}

CASE(path_as_long_as_path_max_and_no_longer)
{
	char *path = malloc(PATH_MAX + 10);

	scratch();
	make("f", "");
	for (int i = 0; i < PATH_MAX; i += 2)
		memcpy(path + i, "./", 2);
	strcpy(path + PATH_MAX - 3, "/f");
	CHECK(strlen(path) == PATH_MAX - 1 && access(path, F_OK) == 0);
	strcpy(path + PATH_MAX - 2, "/f");
	CHECK_ERROR(access(path, F_OK), ENAMETOOLONG);
	CHECK_ERROR(symlink(path, "l"), ENAMETOOLONG);
}

CASE(long_name_is_told_after_what_is_not_a_folder)
{
	char path[400] = "f/";

	scratch();
	make("f", "");
	memset(path + 2, 'n', 256);
	CHECK_ERROR(access(path, F_OK), ENOTDIR);
	memcpy(path, "./", 2);
	CHECK_ERROR(access(path, F_OK), ENAMETOOLONG);
	CHECK_ERROR(mkdir(path, 0755), ENAMETOOLONG);
}

CASE(resolve_no_xdev_stays_on_a_mount)
{
	int root = open("/", O_PATH);

	CHECK(open_how(root, "tmp", O_PATH, 0) >= 0);
	CHECK_ERROR(open_how(root, "proc/self", O_PATH, RESOLVE_NO_XDEV), EXDEV);
	CHECK_ERROR(open_how(open("/proc", O_PATH), "..", O_PATH, RESOLVE_NO_XDEV), EXDEV);
	CHECK(open_how(open("/proc", O_PATH), "version", O_RDONLY, RESOLVE_NO_XDEV) >= 0);
}

CASE(resolve_beneath_allows_dotdot_inside)
{
	int d;

	scratch();
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	make("d/f", "");
	symlink("../f", "d/e/up");
	symlink("../../f", "d/e/out");
	d = open("d", O_PATH);
	CHECK(open_how(d, "e/../f", O_RDONLY, RESOLVE_BENEATH) >= 0);
	CHECK(open_how(d, "e/up", O_RDONLY, RESOLVE_BENEATH) >= 0);
	CHECK_ERROR(open_how(d, "e/out", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK_ERROR(open_how(d, "..", O_PATH, RESOLVE_BENEATH), EXDEV);
	CHECK_ERROR(open_how(d, "e/../..", O_PATH, RESOLVE_BENEATH), EXDEV);
}

CASE(resolve_in_root_makes_the_folder_a_root)
{
	int d;

	scratch();
	mkdir("d", 0755);
	make("d/f", "");
	symlink("/../../f", "d/l");
	d = open("d", O_PATH);
	CHECK(open_how(d, "/f", O_RDONLY, RESOLVE_IN_ROOT) >= 0);
	CHECK(open_how(d, "l", O_RDONLY, RESOLVE_IN_ROOT) >= 0);
	CHECK(open_how(d, "../../../f", O_RDONLY, RESOLVE_IN_ROOT) >= 0);
	CHECK_ERROR(open_how(d, "/proc/self", O_RDONLY, RESOLVE_IN_ROOT), ENOENT);
	CHECK_ERROR(open_how(d, "f", O_RDONLY, RESOLVE_IN_ROOT | RESOLVE_BENEATH), EINVAL);
}

CASE(resolve_no_symlinks_refuses_every_link)
{
	scratch();
	mkdir("d", 0755);
	make("d/f", "");
	symlink("d", "l");
	symlink("d/f", "lf");
	CHECK_ERROR(open_how(AT_FDCWD, "l/f", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
	CHECK_ERROR(open_how(AT_FDCWD, "lf", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
	CHECK(open_how(AT_FDCWD, "lf", O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS) >= 0);
	CHECK(open_how(AT_FDCWD, "d/f", O_RDONLY, RESOLVE_NO_SYMLINKS) >= 0);
}

CASE(resolve_no_magiclinks_lets_plain_links_pass)
{
	scratch();
	make("f", "");
	symlink("f", "l");
	CHECK(open_how(AT_FDCWD, "l", O_RDONLY, RESOLVE_NO_MAGICLINKS) >= 0);
	CHECK_ERROR(open_how(AT_FDCWD, "/proc/self/exe", O_RDONLY, RESOLVE_NO_MAGICLINKS), ELOOP);
	CHECK(open_how(AT_FDCWD, "/proc/self/exe", O_PATH | O_NOFOLLOW, RESOLVE_NO_MAGICLINKS) >=
	      0);
}

CASE(resolve_cached_opens_what_is_known)
{
	scratch();
	make("f", "");
	CHECK(open_how(AT_FDCWD, "f", O_RDONLY, RESOLVE_CACHED) >= 0);
	CHECK_ERROR(open_how(AT_FDCWD, "f", O_RDWR | O_TRUNC, RESOLVE_CACHED), EAGAIN);
}

CASE(openat2_structure_may_grow)
{
	struct {
		struct open_how how;
		unsigned long more;
	} big = {.how = {.flags = O_RDONLY}};

	scratch();
	make("f", "");
	CHECK(syscall(SYS_openat2, AT_FDCWD, "f", &big, sizeof(big)) >= 0);
	big.more = 1;
	CHECK_ERROR(syscall(SYS_openat2, AT_FDCWD, "f", &big, sizeof(big)), E2BIG);
	CHECK_ERROR(syscall(SYS_openat2, AT_FDCWD, "f", &big, 16), EINVAL);
	CHECK_ERROR(syscall(SYS_openat2, AT_FDCWD, "f", &big, 1 << 20), E2BIG);
	big.how.mode = 0600;
	CHECK_ERROR(syscall(SYS_openat2, AT_FDCWD, "f", &big, sizeof(big.how)), EINVAL);
	big.how.mode = 0;
	big.how.flags = 1ul << 40;
	CHECK_ERROR(syscall(SYS_openat2, AT_FDCWD, "f", &big, sizeof(big.how)), EINVAL);
}

CASE(path_descriptors_are_places_only)
{
	struct stat st;
	char c;
	int fd;

	scratch();
	make("f", "x");
	chmod("f", 0);
	fd = open("f", O_PATH | O_RDWR);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 1);
	CHECK(fcntl(fd, F_GETFL) == O_PATH);
	CHECK_ERROR(read(fd, &c, 1), EBADF);
	CHECK_ERROR(fchmod(fd, 0600), EBADF);
	CHECK_ERROR(fchown(fd, 0, 0), EBADF);
	CHECK_ERROR(ftruncate(fd, 0), EBADF);
	CHECK_ERROR(fsync(fd), EBADF);
	CHECK_ERROR(lseek(fd, 0, SEEK_SET), EBADF);
	CHECK_ERROR(fcntl(fd, F_SETFL, 0), EBADF);
	CHECK(fcntl(dup(fd), F_SETFD, FD_CLOEXEC) == 0);
}

CASE(path_descriptor_of_a_link_is_the_link)
{
	struct stat st;
	int fd;

	scratch();
	symlink("target", "l");
	fd = open("l", O_PATH | O_NOFOLLOW);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(readlinkat(fd, "", buf, sizeof(buf)) == 6);
	CHECK_ERROR(open("l", O_PATH), ENOENT);
	CHECK_ERROR(openat(fd, "x", O_RDONLY), ENOTDIR);
	CHECK(fchownat(fd, "", 5, 5, AT_EMPTY_PATH) == 0);
}

CASE(empty_path_means_the_descriptor)
{
	struct stat st;
	int fd;

	scratch();
	make("f", "x");
	fd = open("f", O_RDONLY);
	CHECK(fstatat(fd, "", &st, AT_EMPTY_PATH) == 0 && st.st_size == 1);
	CHECK_ERROR(fstatat(fd, "", &st, 0), ENOENT);
	CHECK(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH) == 0 && S_ISDIR(st.st_mode));
	CHECK(faccessat(fd, "", R_OK, AT_EMPTY_PATH) == 0);
	CHECK_ERROR(fstatat(99, "", &st, AT_EMPTY_PATH), EBADF);
	CHECK_ERROR(fstatat(fd, "x", &st, 0), ENOTDIR);
}

CASE(file_is_opened_again_through_proc)
{
	char link[64];
	int fd, again;

	scratch();
	make("f", "text");
	fd = open("f", O_RDONLY);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	again = open(link, O_RDWR);
	CHECK(again >= 0 && write(again, "T", 1) == 1 && lseek(fd, 0, SEEK_CUR) == 0);
	CHECK(!strcmp(text_of("f"), "Text"));
	fd = open("f", O_PATH);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	CHECK(open(link, O_RDONLY) >= 0);
	CHECK_ERROR(open(link, O_RDONLY | O_NOFOLLOW), ELOOP);
}

CASE(pipe_is_opened_again_through_proc)
{
	char link[64], c;
	int p[2], w;

	CHECK(pipe(p) == 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", p[0]);
	CHECK(readlink(link, buf, sizeof(buf)) > 0 && !strncmp(buf, "pipe:[", 6));
	w = open(link, O_WRONLY);
	CHECK(w >= 0 && write(w, "x", 1) == 1 && read(p[0], &c, 1) == 1);
}

CASE(nameless_file_with_excl_never_gets_a_name)
{
	struct stat st;
	char link[64];
	int fd;

	scratch();
	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink == 0);
	CHECK_ERROR(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH), ENOENT);
	fd = open(".", O_TMPFILE | O_WRONLY, 0600);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	CHECK(linkat(AT_FDCWD, link, AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_nlink == 1);
	CHECK_ERROR(open("named", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
}

CASE(directory_descriptor_must_be_a_folder)
{
	scratch();
	make("f", "");
	CHECK_ERROR(openat(open("f", O_RDONLY), "x", O_RDONLY), ENOTDIR);
	CHECK_ERROR(openat(99, "x", O_RDONLY), EBADF);
	CHECK(openat(99, "/", O_RDONLY) >= 0); /* not looked at */
	CHECK_ERROR(fchdir(open("f", O_RDONLY)), ENOTDIR);
}

CASE(access_asks_as_the_real_user)
{
	scratch();
	chmod(".", 0755);
	make("f", "");
	chmod("f", 0600);
	CHECK(access("f", R_OK | W_OK) == 0);
	CHECK_ERROR(access("f", X_OK), EACCES);
	CHECK_ERROR(access("f", 8), EINVAL);
	CHECK(setresuid(1000, 0, 0) == 0);
	CHECK_ERROR(access("f", R_OK), EACCES);
	CHECK(faccessat(AT_FDCWD, "f", R_OK, AT_EACCESS) == 0);
}

CASE(readlink_cuts_and_does_not_end)
{
	char *volatile nowhere = (char *)8;

	scratch();
	symlink("0123456789", "l");
	memset(buf, '#', sizeof(buf));
	CHECK(readlink("l", buf, 4) == 4 && !memcmp(buf, "0123#", 5));
	CHECK(readlink("l", buf, sizeof(buf)) == 10 && buf[10] == '#');
	CHECK_ERROR(readlink("l", buf, 0), EINVAL);
	CHECK_ERROR(readlink(".", buf, 4), EINVAL);
	CHECK_ERROR(readlink("l", nowhere, 4), EFAULT);
}
