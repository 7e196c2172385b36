/* Limits: of a tmpfs, of the size of files, of descriptors. */
#include "check.h"
#include "scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char buf[65536];

static int new_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0644);

	CHECK(fd >= 0);
	return fd;
}

CASE(full_tmpfs_is_enospc)
{
	int fd;

	CHECK(mount_tmpfs("size=64k") == 0);
	fd = new_file("f");
	CHECK(write(fd, buf, 60000) == 60000);
	CHECK(write(fd, buf, 60000) == 65536 - 60000);
	CHECK_ERROR(write(fd, buf, 1), ENOSPC);
	CHECK(pwrite(fd, "x", 1, 0) == 1);
	CHECK(make("g", "") == 0); /* a name needs no page */
	CHECK_ERROR(write(new_file("g"), "x", 1), ENOSPC);
	CHECK(ftruncate(fd, 4096) == 0 && make("g", "x") == 0);
}

CASE(removed_files_give_their_pages_back)
{
	struct statfs s;
	int fd;

	CHECK(mount_tmpfs("size=64k") == 0);
	fd = new_file("f");
	CHECK(write(fd, buf, 65536) == 65536 && statfs(".", &s) == 0 && s.f_bfree == 0);
	CHECK(unlink("f") == 0 && statfs(".", &s) == 0 && s.f_bfree == 0);
	close(fd);
	CHECK(statfs(".", &s) == 0 && s.f_bfree == 16 && s.f_blocks == 16);
}

CASE(inodes_of_a_tmpfs_are_limited)
{
	struct statfs s;

	CHECK(mount_tmpfs("nr_inodes=4") == 0);
	CHECK(make("a", "") == 0 && mkdir("b", 0755) == 0 && symlink("x", "c") == 0);
	CHECK_ERROR(open("d", O_CREAT | O_WRONLY, 0600), ENOSPC);
	CHECK_ERROR(mkdir("d", 0755), ENOSPC);
	CHECK_ERROR(link("a", "d"), ENOSPC);
	CHECK(statfs(".", &s) == 0 && s.f_files == 4 && s.f_ffree == 0);
	CHECK(unlink("c") == 0 && link("a", "d") == 0 && unlink("d") == 0);
	CHECK(rename("a", "e") == 0);
}

CASE(tmpfs_options_are_obeyed)
{
	struct stat st;
	struct statfs s;

	CHECK(mount_tmpfs("mode=0751,uid=7,gid=8,size=1m") == 0);
	CHECK(stat(".", &st) == 0 && st.st_uid == 7 && st.st_gid == 8);
	CHECK((st.st_mode & 07777) == 0751);
	CHECK(statfs(".", &s) == 0 && s.f_blocks == 256 && s.f_type == 0x01021994);
	CHECK(s.f_bsize == 4096 && s.f_namelen == 255);
	mkdir("m", 0755);
	CHECK_ERROR(mount("tmpfs", "m", "tmpfs", 0, "size=abc"), EINVAL);
	CHECK_ERROR(mount("tmpfs", "m", "tmpfs", 0, "nonsense=1"), EINVAL);
	CHECK_ERROR(mount("tmpfs", "m", "nofs", 0, ""), ENODEV);
}

CASE(tmpfs_is_resized_by_remount)
{
	struct statfs s;
	int fd;

	CHECK(mount_tmpfs("size=64k") == 0);
	fd = new_file("f");
	CHECK(write(fd, buf, 65536) == 65536);
	CHECK(mount(NULL, ".", NULL, MS_REMOUNT, "size=128k") == 0);
	CHECK(statfs(".", &s) == 0 && s.f_blocks == 32 && s.f_bfree == 16);
	CHECK(write(fd, buf, 65536) == 65536);
	CHECK_ERROR(mount(NULL, ".", NULL, MS_REMOUNT, "size=64k"), EINVAL);
}

CASE(fallocate_on_a_full_tmpfs_changes_nothing)
{
	struct stat st;
	int fd;

	CHECK(mount_tmpfs("size=64k") == 0);
	fd = new_file("f");
	CHECK(write(fd, buf, 4096) == 4096);
	CHECK_ERROR(fallocate(fd, 0, 0, 128 << 10), ENOSPC);
	CHECK(fstat(fd, &st) == 0 && st.st_size == 4096 && st.st_blocks == 8);
	CHECK(fallocate(fd, 0, 0, 64 << 10) == 0 && fstat(fd, &st) == 0);
	CHECK(st.st_size == 65536 && st.st_blocks == 128);
}

static void touch_full(void)
{
	int fd = open("f", O_RDWR | O_CREAT, 0644);
	char *map;

	ftruncate(fd, 128 << 10);
	map = mmap(NULL, 128 << 10, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset(map, 'x', 128 << 10);
}

CASE(mapping_of_a_full_tmpfs_is_sigbus)
{
	CHECK(mount_tmpfs("size=64k") == 0);
	CHECK(status_of_child(touch_full) == 128 + SIGBUS);
}

CASE(user_attributes_count_as_inodes)
{
	int n = 0;
	char name[32];

	CHECK(mount_tmpfs("nr_inodes=10") == 0);
	make("f", "");
	do
		snprintf(name, sizeof(name), "user.%d", n++);
	while (n < 100 && setxattr("f", name, buf, 1000, 0) == 0);
	CHECK(n > 2 && n < 12);
	CHECK_ERROR(setxattr("f", name, buf, 1000, 0), ENOSPC);
	CHECK(removexattr("f", "user.0") == 0 && setxattr("f", "user.x", "", 0, 0) == 0);
}

CASE(size_limit_is_sigxfsz)
{
	struct rlimit limit = {10000, 20000};
	int fd;

	scratch();
	fd = new_file("f");
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(write(fd, buf, 20000) == 10000);
	signal(SIGXFSZ, SIG_IGN);
	CHECK_ERROR(write(fd, buf, 1), EFBIG);
	CHECK_ERROR(ftruncate(fd, 10001), EFBIG);
	CHECK_ERROR(fallocate(fd, 0, 0, 10001), EFBIG);
	CHECK(ftruncate(fd, 10000) == 0 && pwrite(fd, buf, 5000, 0) == 5000);
}

static void over_limit(void)
{
	struct rlimit limit = {0, 0};

	setrlimit(RLIMIT_FSIZE, &limit);
	write(open("f", O_WRONLY | O_CREAT, 0644), "x", 1);
}

CASE(size_limit_kills)
{
	scratch();
	CHECK(status_of_child(over_limit) == 128 + SIGXFSZ);
}

CASE(files_are_as_large_as_63_bits)
{
	off_t most = 0x7ffffffffffff000;
	struct stat st;
	char c;
	int fd;

	scratch();
	fd = new_file("f");
	CHECK(pwrite(fd, "x", 1, 1l << 40) == 1 && fstat(fd, &st) == 0);
	CHECK(st.st_size == (1l << 40) + 1 && st.st_blocks == 8);
	CHECK(lseek(fd, 0, SEEK_DATA) == 1l << 40);
	CHECK(pread(fd, &c, 1, (1l << 40) - 1) == 1 && c == 0);
	CHECK_ERROR(lseek(fd, most, SEEK_DATA), ENXIO);
	CHECK_ERROR(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERROR(pwrite(fd, "x", 1, 0x7fffffffffffffff), EINVAL);
	CHECK_ERROR(pread(fd, &c, 1, 0x7fffffffffffffff), EINVAL);
	CHECK(ftruncate(fd, 0) == 0);
}

CASE(descriptors_are_limited)
{
	struct rlimit limit = {20, 30};
	int fd, last = -1;

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		last = fd;
	CHECK(last == 19);
	CHECK_ERROR(open("/dev/null", O_RDONLY), EMFILE);
	CHECK_ERROR(dup(0), EMFILE);
	CHECK_ERROR(dup2(0, 20), EBADF);
	CHECK_ERROR(fcntl(0, F_DUPFD, 20), EINVAL);
	CHECK_ERROR(fcntl(0, F_DUPFD, 10), EMFILE);
	int p[2];
	close(last);
	CHECK_ERROR(pipe(p), EMFILE);
	CHECK(open("/dev/null", O_RDONLY) == last); /* the pipe left nothing */
}

CASE(appends_of_two_processes_do_not_overwrite)
{
	struct stat st;
	int fd;

	scratch();
	new_file("f");
	for (int i = 0; i < 2; i++) {
		if (fork() == 0) {
			fd = open("f", O_WRONLY | O_APPEND);
			for (int k = 0; k < 200; k++)
				if (write(fd, "0123456789", 10) != 10)
					_exit(1);
			_exit(0);
		}
	}
	int status;
	while (wait(&status) > 0)
		CHECK(status == 0);
	CHECK(stat("f", &st) == 0 && st.st_size == 4000);
}
