/* Names: path walk, making, removing, linking, renaming. */
#include "check.h"
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static nlink_t links(const char *name)
{
	struct stat st = {0};

	lstat(name, &st);
	return st.st_nlink;
}

static mode_t mode(const char *name)
{
	struct stat st = {0};

	lstat(name, &st);
	return st.st_mode;
}

static long open_within(int dir, const char *name, unsigned long resolve)
{
	struct open_how how = {.flags = O_RDONLY, .resolve = resolve};

	return syscall(SYS_openat2, dir, name, &how, sizeof(how));
}

static int become_user(void)
{
	return setgid(1000) || setuid(1000);
}

CASE(empty_path_is_enoent)
{
	CHECK_ERROR(open("", O_RDONLY), ENOENT);
	CHECK_ERROR(mkdir("", 0755), ENOENT);
	CHECK_ERROR(symlink("", "x"), ENOENT);
}

CASE(file_as_folder_is_enotdir)
{
	scratch();
	make("f", "");
	CHECK_ERROR(open("f/x", O_RDONLY), ENOTDIR);
	CHECK_ERROR(open("f/", O_RDONLY), ENOTDIR);
	CHECK_ERROR(open("f/.", O_RDONLY), ENOTDIR);
	CHECK_ERROR(open("f/..", O_RDONLY), ENOTDIR);
}

CASE(names_of_256_and_paths_of_4096_bytes_are_too_long)
{
	static char name[PATH_MAX + 2];

	scratch();
	memset(name, 'a', 255);
	CHECK(make(name, "") == 0);
	name[255] = 'a';
	CHECK_ERROR(open(name, O_RDONLY), ENAMETOOLONG);
	memset(name, '/', PATH_MAX);
	CHECK_ERROR(open(name, O_RDONLY), ENAMETOOLONG);
	name[PATH_MAX - 1] = 0;
	CHECK(open(name, O_RDONLY) >= 0);
}

CASE(links_are_followed_and_circles_are_eloop)
{
	scratch();
	mkdir("d", 0755);
	make("d/f", "text");
	CHECK(symlink("d", "l") == 0 && symlink("l/f", "m") == 0 && symlink("c", "c") == 0);
	CHECK(!strcmp(text_of("m"), "text"));
	CHECK(!strcmp(text_of("l/../m"), "text"));
	CHECK_ERROR(open("c", O_RDONLY), ELOOP);
	CHECK_ERROR(open("m", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_ERROR(open("m/", O_RDONLY), ENOTDIR);
	CHECK_ERROR(open("c/x", O_RDONLY), ELOOP);
}

CASE(open_creates_through_a_dangling_link_but_not_exclusively)
{
	scratch();
	symlink("target", "l");
	CHECK_ERROR(open("l", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
	CHECK(open("l", O_CREAT | O_WRONLY, 0600) >= 0);
	CHECK(mode("target") == (S_IFREG | 0600));
}

CASE(open_flags_that_do_not_go_together)
{
	scratch();
	mkdir("d", 0755);
	make("f", "");
	CHECK_ERROR(open("d", O_WRONLY), EISDIR);
	CHECK_ERROR(open("d", O_RDONLY | O_CREAT, 0600), EISDIR);
	CHECK_ERROR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERROR(open("new/", O_RDONLY | O_CREAT, 0600), EISDIR);
	CHECK_ERROR(open("f", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);
}

CASE(resolve_beneath_and_in_root)
{
	int d;

	scratch();
	mkdir("d", 0755);
	make("d/f", "");
	make("f", "");
	symlink("/f", "d/abs");
	d = open("d", O_PATH);
	CHECK(open_within(d, "f", RESOLVE_BENEATH) >= 0);
	CHECK_ERROR(open_within(d, "../f", RESOLVE_BENEATH), EXDEV);
	CHECK_ERROR(open_within(d, "/f", RESOLVE_BENEATH), EXDEV);
	CHECK_ERROR(open_within(d, "abs", RESOLVE_BENEATH), EXDEV);
	CHECK(open_within(d, "abs", RESOLVE_IN_ROOT) >= 0);
	CHECK(open_within(d, "../../f", RESOLVE_IN_ROOT) >= 0);
	CHECK_ERROR(open_within(d, "abs", RESOLVE_NO_SYMLINKS), ELOOP);
	CHECK_ERROR(open_within(d, "f", 0x4000), EINVAL);
}

CASE(magic_links_can_be_refused)
{
	CHECK_ERROR(open_within(AT_FDCWD, "/proc/self/root/tmp", RESOLVE_NO_MAGICLINKS), ELOOP);
	CHECK(open_within(AT_FDCWD, "/proc/self/status", RESOLVE_NO_MAGICLINKS) >= 0);
}

CASE(mkdir_obeys_umask_and_setgid)
{
	struct stat st;

	scratch();
	umask(027);
	CHECK(mkdir("d", 0777) == 0);
	CHECK(mode("d") == (S_IFDIR | 0750));
	CHECK(chown("d", 0, 50) == 0 && chmod("d", 02770) == 0);
	CHECK(mkdir("d/e", 0777) == 0);
	CHECK(mode("d/e") == (S_IFDIR | 02750));
	CHECK(stat("d/e", &st) == 0 && st.st_gid == 50);
	CHECK_ERROR(mkdir("d", 0755), EEXIST);
	CHECK_ERROR(mkdir("no/d", 0755), ENOENT);
}

CASE(mknod_makes_fifos_devices_and_files)
{
	struct stat st;

	scratch();
	CHECK(mknod("p", S_IFIFO | 0600, 0) == 0 && mode("p") == (S_IFIFO | 0600));
	CHECK(mknod("n", S_IFCHR | 0600, makedev(1, 3)) == 0);
	CHECK(stat("n", &st) == 0 && st.st_rdev == makedev(1, 3));
	CHECK(mknod("f", 0600, 0) == 0 && mode("f") == (S_IFREG | 0600));
	CHECK_ERROR(mknod("d", S_IFDIR | 0700, 0), EPERM);
	CHECK_ERROR(mknod("x", 0170000, 0), EINVAL);
}

CASE(unlink_and_rmdir_mind_the_type)
{
	scratch();
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	make("f", "");
	CHECK_ERROR(unlink("d"), EISDIR);
	CHECK_ERROR(unlink("f/"), ENOTDIR);
	CHECK_ERROR(rmdir("f"), ENOTDIR);
	CHECK_ERROR(rmdir("d"), ENOTEMPTY);
	CHECK_ERROR(rmdir("d/."), EINVAL);
	CHECK_ERROR(rmdir("d/.."), ENOTEMPTY);
	CHECK_ERROR(rmdir("/"), EBUSY);
	CHECK_ERROR(unlink("nothing"), ENOENT);
	CHECK(rmdir("d/e/") == 0 && rmdir("d") == 0 && unlink("f") == 0);
}

CASE(links_are_counted)
{
	scratch();
	make("f", "x");
	CHECK(link("f", "g") == 0 && links("f") == 2);
	CHECK_ERROR(link("f", "g"), EEXIST);
	CHECK(unlink("f") == 0 && links("g") == 1);
	mkdir("d", 0755);
	CHECK_ERROR(link("d", "e"), EPERM);
	CHECK_ERROR(link("nothing", "e"), ENOENT);
}

CASE(rename_replaces_and_minds_types)
{
	scratch();
	mkdir("d", 0755);
	mkdir("e", 0755);
	make("e/x", "");
	make("f", "f");
	make("g", "g");
	CHECK(rename("f", "g") == 0 && !strcmp(text_of("g"), "f"));
	CHECK_ERROR(rename("g", "d"), EISDIR);
	CHECK_ERROR(rename("d", "g"), ENOTDIR);
	CHECK_ERROR(rename("d", "e"), ENOTEMPTY);
	CHECK_ERROR(rename("e", "e/y/z"), ENOENT);
	CHECK_ERROR(rename("e", "e/y"), EINVAL);
	CHECK_ERROR(rename("g", "h/"), ENOTDIR);
	CHECK_ERROR(rename("d/.", "h"), EBUSY);
	CHECK(rename("e", "d") == 0 && access("d/x", F_OK) == 0);
}

CASE(rename_exchanges_or_does_not_replace)
{
	scratch();
	make("f", "f");
	mkdir("d", 0755);
	CHECK_ERROR(renameat2(AT_FDCWD, "f", AT_FDCWD, "d", RENAME_NOREPLACE), EEXIST);
	CHECK(renameat2(AT_FDCWD, "f", AT_FDCWD, "d", RENAME_EXCHANGE) == 0);
	CHECK(S_ISDIR(mode("f")) && S_ISREG(mode("d")));
	CHECK_ERROR(renameat2(AT_FDCWD, "f", AT_FDCWD, "no", RENAME_EXCHANGE), ENOENT);
	CHECK_ERROR(renameat2(AT_FDCWD, "f", AT_FDCWD, "d", RENAME_EXCHANGE | RENAME_NOREPLACE),
		    EINVAL);
}

CASE(sticky_folder_protects_others_files)
{
	scratch();
	chmod(".", 01777);
	make("roots", "");
	CHECK(become_user() == 0);
	CHECK_ERROR(unlink("roots"), EPERM);
	CHECK_ERROR(rename("roots", "mine"), EPERM);
	CHECK(make("mine", "") == 0 && unlink("mine") == 0);
}

CASE(users_need_permission)
{
	scratch();
	chmod(".", 0755);
	make("secret", "");
	chmod("secret", 0600);
	mkdir("closed", 0700);
	make("closed/f", "");
	CHECK(become_user() == 0);
	CHECK_ERROR(open("secret", O_RDONLY), EACCES);
	CHECK_ERROR(open("closed/f", O_RDONLY), EACCES);
	CHECK_ERROR(open("new", O_CREAT | O_WRONLY, 0600), EACCES);
	CHECK_ERROR(mkdir("new", 0700), EACCES);
	CHECK_ERROR(chmod("secret", 0666), EPERM);
	CHECK_ERROR(chown("secret", 1000, -1), EPERM);
	CHECK_ERROR(access("secret", R_OK), EACCES);
}

CASE(getcwd_follows_renames_and_removal)
{
	char buf[PATH_MAX], want[PATH_MAX + 8];

	scratch();
	CHECK(getcwd(buf, sizeof(buf)) != NULL);
	snprintf(want, sizeof(want), "%s/moved", buf);
	mkdir("d", 0755);
	chdir("d");
	CHECK(rename("../d", "../moved") == 0);
	CHECK(getcwd(buf, sizeof(buf)) && !strcmp(buf, want));
	CHECK_ERROR(syscall(SYS_getcwd, buf, 5), ERANGE);
	CHECK(rmdir("../moved") == 0);
	CHECK_ERROR(syscall(SYS_getcwd, buf, sizeof(buf)), ENOENT);
	CHECK(make("x", "") == -1 && errno == ENOENT);
}

CASE(chroot_bounds_dotdot)
{
	scratch();
	mkdir("jail", 0755);
	make("jail/in", "in");
	CHECK(chroot("jail") == 0 && chdir("/") == 0);
	CHECK(!strcmp(text_of("/../../in"), "in"));
	CHECK_ERROR(open("../../etc/passwd", O_RDONLY), ENOENT);
}

CASE(readdir_gives_every_name_once)
{
	char name[32];
	struct dirent *e;
	int seen = 0;
	DIR *dir;

	scratch();
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		make(name, "");
	}
	dir = opendir(".");
	while ((e = readdir(dir))) {
		seen += !strncmp(e->d_name, "file", 4);
		if (e->d_name[0] == 'f')
			unlink(e->d_name);
	}
	CHECK(seen == 500);
	rewinddir(dir);
	seen = 0;
	while ((e = readdir(dir)))
		seen++;
	CHECK(seen == 2);
}

CASE(removed_file_stays_for_those_who_have_it)
{
	char buf[128] = "", link[64];
	int fd;

	scratch();
	make("f", "text");
	fd = open("f", O_RDWR);
	unlink("f");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	CHECK(readlink(link, buf, sizeof(buf) - 1) > 0);
	CHECK(strstr(buf, "/f (deleted)") != NULL);
	CHECK(!strcmp(text_of(link), "text"));
}

CASE(nameless_file_gets_a_name)
{
	int fd;

	scratch();
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	CHECK(fd >= 0 && write(fd, "tmp", 3) == 3);
	CHECK(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH) == 0);
	CHECK(!strcmp(text_of("named"), "tmp"));
	CHECK_ERROR(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
}
