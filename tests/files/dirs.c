/* Reading folders: getdents(2), and what renames and links do to them. */
#include "check.h"
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct linux_dirent64 {
	unsigned long d_ino;
	long d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

static char buf[4096];

static void fill(int n)
{
	char name[32];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		make(name, "");
	}
}

static int count(DIR *dir)
{
	int n = 0;

	while (readdir(dir))
		n++;
	return n;
}

static ino_t inode_of(const char *name)
{
	struct stat st = {0};

	lstat(name, &st);
	return st.st_ino;
}

static nlink_t links_of(const char *name)
{
	struct stat st = {0};

	lstat(name, &st);
	return st.st_nlink;
}

CASE(types_and_inodes_of_names)
{
	struct dirent *e;
	DIR *dir;
	int seen = 0;

	scratch();
	make("f", "");
	mkdir("d", 0755);
	symlink("x", "l");
	mkfifo("p", 0600);
	mknod("c", S_IFCHR | 0600, 0x103);
	dir = opendir(".");
	while ((e = readdir(dir))) {
		unsigned char want = e->d_name[1]        ? DT_DIR
				     : *e->d_name == 'f' ? DT_REG
				     : *e->d_name == 'l' ? DT_LNK
				     : *e->d_name == 'p' ? DT_FIFO
				     : *e->d_name == 'c' ? DT_CHR
							 : DT_DIR;
		CHECK(e->d_type == want);
		CHECK(e->d_ino == inode_of(e->d_name));
		seen++;
	}
	CHECK(seen == 7);
}

CASE(buffer_too_small_for_a_name_is_einval)
{
	int fd;

	scratch();
	make("a-rather-long-name-that-does-not-fit", "");
	fd = open(".", O_RDONLY);
	CHECK(syscall(SYS_getdents64, fd, buf, 48) == 48); /* "." and ".." */
	CHECK_ERROR(syscall(SYS_getdents64, fd, buf, 24), EINVAL);
	CHECK(syscall(SYS_getdents64, fd, buf, sizeof(buf)) > 0);
	CHECK(syscall(SYS_getdents64, fd, buf, sizeof(buf)) == 0);
}

CASE(records_are_aligned_and_say_where_to_go_on)
{
	long n, at, where = 0;
	int fd;

	scratch();
	fill(20);
	fd = open(".", O_RDONLY);
	n = syscall(SYS_getdents64, fd, buf, sizeof(buf));
	for (at = 0; at < n;) {
		struct linux_dirent64 *e = (void *)(buf + at);

		CHECK(e->d_reclen % 8 == 0 && strlen(e->d_name) + 20 <= e->d_reclen);
		if (!strcmp(e->d_name, "file7"))
			where = e->d_off;
		at += e->d_reclen;
	}
	CHECK(at == n && where);
	CHECK(lseek(fd, where, SEEK_SET) == where);
	CHECK(syscall(SYS_getdents64, fd, buf, sizeof(buf)) > 0);
	CHECK(strcmp(((struct linux_dirent64 *)buf)->d_name, "file7"));
}

CASE(seekdir_goes_back_to_telldir)
{
	char name[300];
	struct dirent *e;
	long where;
	DIR *dir;

	scratch();
	fill(50);
	dir = opendir(".");
	for (int i = 0; i < 20; i++)
		readdir(dir);
	where = telldir(dir);
	e = readdir(dir);
	CHECK(e != NULL);
	strcpy(name, e->d_name);
	count(dir);
	seekdir(dir, where);
	e = readdir(dir);
	CHECK(e && !strcmp(e->d_name, name));
	rewinddir(dir);
	CHECK(count(dir) == 52);
}

CASE(names_made_while_reading_do_not_repeat_others)
{
	static int seen[300];
	char name[32];
	struct dirent *e;
	int i = 0;
	DIR *dir;

	scratch();
	fill(200);
	dir = opendir(".");
	while ((e = readdir(dir))) {
		int n;

		if (sscanf(e->d_name, "file%d", &n) == 1 && n < 200)
			CHECK(seen[n]++ == 0);
		if (i++ < 50) {
			snprintf(name, sizeof(name), "more%d", i);
			make(name, "");
		}
	}
	for (int n = 0; n < 200; n++)
		CHECK(seen[n] == 1);
}

CASE(descriptor_of_a_removed_folder_reads_as_empty)
{
	int fd;

	scratch();
	mkdir("d", 0755);
	fd = open("d", O_RDONLY);
	rmdir("d");
	CHECK_ERROR(syscall(SYS_getdents64, fd, buf, sizeof(buf)), ENOENT);
	CHECK_ERROR(openat(fd, "x", O_CREAT | O_WRONLY, 0600), ENOENT);
	CHECK_ERROR(mkdirat(fd, "x", 0700), ENOENT);
	CHECK(openat(fd, "..", O_RDONLY) >= 0);
}

CASE(getdents_wants_a_folder_open_for_reading)
{
	scratch();
	make("f", "");
	CHECK_ERROR(syscall(SYS_getdents64, open("f", O_RDONLY), buf, 100), ENOTDIR);
	CHECK_ERROR(syscall(SYS_getdents64, open(".", O_PATH), buf, 100), EBADF);
	CHECK_ERROR(syscall(SYS_getdents64, open(".", O_RDONLY), 8, 100), EFAULT);
}

CASE(links_of_a_folder_count_its_folders)
{
	scratch();
	mkdir("d", 0755);
	CHECK(links_of("d") == 2);
	mkdir("d/a", 0755);
	mkdir("d/b", 0755);
	make("d/f", "");
	CHECK(links_of("d") == 4);
	mkdir("e", 0755);
	CHECK(rename("d/a", "e/a") == 0 && links_of("d") == 3 && links_of("e") == 3);
	rmdir("d/b");
	CHECK(links_of("d") == 2);
}

CASE(rename_over_a_hard_link_of_itself_does_nothing)
{
	scratch();
	make("f", "x");
	link("f", "g");
	CHECK(rename("f", "g") == 0);
	CHECK(links_of("f") == 2 && links_of("g") == 2);
}

CASE(rename_of_folders)
{
	scratch();
	mkdir("d", 0755);
	mkdir("e", 0755);
	mkdir("full", 0755);
	make("full/f", "");
	make("f", "");
	CHECK(rename("d", "e") == 0);
	CHECK_ERROR(rename("e", "full"), ENOTEMPTY);
	CHECK_ERROR(rename("e", "f"), ENOTDIR);
	CHECK_ERROR(rename("f", "e"), EISDIR);
	CHECK_ERROR(rename("full", "full/x"), EINVAL);
	CHECK_ERROR(rename("full/f", "full"), ENOTEMPTY);
	CHECK_ERROR(rename("none", "x"), ENOENT);
	CHECK_ERROR(rename("f", "none/x"), ENOENT);
}

static int rename2(const char *from, const char *to, unsigned flags)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

CASE(rename_exchange_swaps_anything)
{
	scratch();
	make("f", "file");
	mkdir("d", 0755);
	make("d/x", "");
	CHECK(rename2("f", "d", RENAME_EXCHANGE) == 0);
	CHECK(!strcmp(text_of("d"), "file") && access("f/x", F_OK) == 0);
	CHECK_ERROR(rename2("f", "none", RENAME_EXCHANGE), ENOENT);
	CHECK_ERROR(rename2("f", "f/x", RENAME_EXCHANGE), EINVAL);
	CHECK_ERROR(rename2("f", "d", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
	CHECK_ERROR(rename2("f", "d", 8), EINVAL);
	CHECK_ERROR(rename2("d", "f", RENAME_NOREPLACE), EEXIST);
	CHECK(rename2("d", "new", RENAME_NOREPLACE) == 0);
}

CASE(rename_whiteout_leaves_a_device_of_number_0)
{
	struct stat st;

	scratch();
	make("f", "x");
	make("g", "");
	CHECK(rename2("f", "g", RENAME_WHITEOUT) == 0);
	CHECK(lstat("f", &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0);
	CHECK((st.st_mode & 07777) == 0 && !strcmp(text_of("g"), "x"));
	CHECK_ERROR(open("f", O_RDONLY), ENXIO);
	CHECK(rename2("g", "h", RENAME_WHITEOUT | RENAME_NOREPLACE) == 0);
	CHECK(lstat("g", &st) == 0 && S_ISCHR(st.st_mode));
	CHECK_ERROR(rename2("h", "g", RENAME_WHITEOUT | RENAME_EXCHANGE), EINVAL);
}

CASE(rename_keeps_descriptors_and_working_folders)
{
	char cwd[300];
	int fd;

	scratch();
	mkdir("a", 0755);
	mkdir("a/b", 0755);
	fd = open("a/b", O_RDONLY);
	CHECK(rename("a", "z") == 0);
	CHECK(openat(fd, "../../z", O_RDONLY) >= 0);
	CHECK(fchdir(fd) == 0 && getcwd(cwd, sizeof(cwd)) && strstr(cwd, "/z/b"));
}

CASE(rename_across_mounts_is_exdev)
{
	CHECK(mount_tmpfs("") == 0);
	make("f", "");
	CHECK_ERROR(rename("f", "../f"), EXDEV);
	CHECK_ERROR(link("f", "../f"), EXDEV);
	CHECK_ERROR(rename("../mnt", "../other"), EBUSY);
	CHECK_ERROR(rmdir("../mnt"), EBUSY);
}

CASE(size_of_a_folder_follows_its_names)
{
	struct stat st;

	scratch();
	mkdir("d", 0755);
	CHECK(stat("d", &st) == 0 && st.st_size == 40);
	make("d/f", "");
	CHECK(stat("d", &st) == 0 && st.st_size == 60);
	unlink("d/f");
	CHECK(stat("d", &st) == 0 && st.st_size == 40 && st.st_blocks == 0);
}
