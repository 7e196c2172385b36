/* Calls on descriptors: fcntl(2), ioctl(2), preadv2(2), copy_file_range(2) and their relatives. */
#include "check.h"
#include "scratch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/close_range.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char buf[65536];
static void *volatile nowhere = (void *)8;

static int open_file(const char *text)
{
	scratch();
	make("f", text);
	return open("f", O_RDWR);
}

CASE(preadv2_flags)
{
	struct iovec v = {buf, 4};
	int fd = open_file("0123456789"), p[2];

	CHECK(preadv2(fd, &v, 1, 2, 0) == 4 && !memcmp(buf, "2345", 4));
	CHECK(preadv2(fd, &v, 1, -1, 0) == 4 && lseek(fd, 0, SEEK_CUR) == 4);
	CHECK(preadv2(fd, &v, 1, 0, RWF_HIPRI) == 4);
	CHECK_ERROR(preadv2(fd, &v, 1, 0, 0x10000000), EOPNOTSUPP);
	CHECK_ERROR(preadv2(fd, &v, 1, -2, 0), EINVAL);
	CHECK(pipe(p) == 0);
	CHECK_ERROR(preadv2(p[0], &v, 1, 0, 0), ESPIPE);
	CHECK_ERROR(preadv2(p[0], &v, 1, -1, RWF_NOWAIT), EAGAIN);
}

CASE(pwritev2_flags)
{
	struct iovec v = {"ab", 2};
	int fd = open_file("0123456789");

	CHECK(pwritev2(fd, &v, 1, 0, RWF_APPEND) == 2 && lseek(fd, 0, SEEK_CUR) == 0);
	CHECK(!strcmp(text_of("f"), "0123456789ab"));
	CHECK(pwritev2(fd, &v, 1, 0, RWF_SYNC | RWF_DSYNC) == 2);
	CHECK(!strcmp(text_of("f"), "ab23456789ab"));
	CHECK(pwritev2(fd, &v, 1, -1, 0) == 2 && lseek(fd, 0, SEEK_CUR) == 2);
	CHECK_ERROR(pwritev2(open("f", O_RDONLY), &v, 1, 0, 0), EBADF);
}

CASE(vectors_are_checked)
{
	struct iovec v[2] = {{buf, 4}, {buf, (size_t)-1}};
	static struct iovec many[1100];
	volatile int minus = -1;
	int fd = open_file("0123456789");

	CHECK_ERROR(readv(fd, v, 2), EINVAL);
	CHECK_ERROR(readv(fd, v, minus), EINVAL);
	CHECK_ERROR(readv(fd, many, 1025), EINVAL);
	CHECK(readv(fd, many, 1024) == 0 && readv(fd, v, 0) == 0);
	CHECK_ERROR(readv(fd, nowhere, 1), EFAULT);
	v[1] = (struct iovec){nowhere, 4};
	CHECK(readv(fd, v, 2) == 4); /* what came before the bad address counts */
}

CASE(copy_file_range_copies_and_moves_positions)
{
	loff_t in = 2, out = 20;
	int fd = open_file("0123456789"), to;

	to = open("g", O_RDWR | O_CREAT, 0644);
	CHECK(copy_file_range(fd, &in, to, NULL, 5, 0) == 5 && in == 7);
	CHECK(lseek(fd, 0, SEEK_CUR) == 0 && lseek(to, 0, SEEK_CUR) == 5);
	CHECK(copy_file_range(fd, NULL, to, &out, 100, 0) == 10 && out == 30);
	CHECK(copy_file_range(fd, NULL, to, NULL, 100, 0) == 0);
	CHECK(!memcmp(text_of("g"), "23456", 5));
}

CASE(copy_file_range_errors)
{
	loff_t in = 0, out = 5;
	int fd = open_file("0123456789"), p[2];

	CHECK(pipe(p) == 0);
	CHECK_ERROR(copy_file_range(fd, &in, fd, &out, 6, 0), EINVAL); /* they overlap */
	CHECK(copy_file_range(fd, &in, fd, &out, 5, 0) == 5);
	in = out = 0;
	CHECK_ERROR(copy_file_range(fd, &in, open(".", O_RDONLY), &out, 1, 0), EISDIR);
	CHECK_ERROR(copy_file_range(fd, &in, p[1], NULL, 1, 0), EINVAL);
	CHECK_ERROR(copy_file_range(fd, &in, open("f", O_RDONLY), &out, 1, 0), EBADF);
	CHECK_ERROR(copy_file_range(fd, &in, open("f", O_WRONLY | O_APPEND), &out, 1, 0), EBADF);
	CHECK_ERROR(copy_file_range(fd, &in, fd, &out, 1, 1), EINVAL);
	CHECK_ERROR(copy_file_range(99, &in, fd, &out, 1, 0), EBADF);
}

CASE(sendfile_into_files_pipes_and_itself)
{
	off_t from = 8;
	int fd = open_file("0123456789"), p[2];

	CHECK(pipe(p) == 0);
	CHECK(sendfile(p[1], fd, &from, 100) == 2 && from == 10);
	CHECK(read(p[0], buf, 100) == 2 && !memcmp(buf, "89", 2));
	CHECK_ERROR(sendfile(p[1], p[0], NULL, 1), EINVAL);
	CHECK_ERROR(sendfile(fd, open("f", O_WRONLY), NULL, 1), EBADF);
	CHECK_ERROR(sendfile(open("f", O_WRONLY | O_APPEND), fd, NULL, 1), EINVAL);
	from = -1;
	CHECK_ERROR(sendfile(p[1], fd, &from, 1), EINVAL);
	CHECK_ERROR(sendfile(p[1], fd, nowhere, 1), EFAULT);
}

CASE(close_range_closes_or_marks)
{
	int fd = open_file("");

	dup2(fd, 100);
	dup2(fd, 101);
	dup2(fd, 105);
	CHECK(close_range(101, 104, 0) == 0);
	CHECK_ERROR(fcntl(101, F_GETFD), EBADF);
	CHECK(fcntl(100, F_GETFD) == 0 && fcntl(105, F_GETFD) == 0);
	CHECK(close_range(100, ~0u, CLOSE_RANGE_CLOEXEC) == 0 && fcntl(105, F_GETFD) == FD_CLOEXEC);
	CHECK_ERROR(close_range(5, 4, 0), EINVAL);
	CHECK_ERROR(close_range(5, 6, 1), EINVAL);
	CHECK(close_range(100, 200, CLOSE_RANGE_UNSHARE) == 0);
	CHECK_ERROR(fcntl(105, F_GETFD), EBADF);
}

CASE(status_flags_are_kept_and_set)
{
	int fd = open_file("x");

	CHECK((fcntl(fd, F_GETFL) & ~0100000) == O_RDWR);
	CHECK(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK | O_RDONLY | O_CREAT) == 0);
	CHECK((fcntl(fd, F_GETFL) & ~0100000) == (O_RDWR | O_APPEND | O_NONBLOCK));
	CHECK(fcntl(dup(fd), F_GETFL) & O_APPEND);
	CHECK((fcntl(open("f", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_SYNC, 0600), F_GETFL) &
	       ~0100000) == (O_WRONLY | O_SYNC));
	CHECK_ERROR(fcntl(fd, 9999), EINVAL);
	CHECK_ERROR(fcntl(99, F_GETFL), EBADF);
}

#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY (1024 + 3)
#endif
#ifndef F_CREATED_QUERY
#define F_CREATED_QUERY (1024 + 4)
#endif

CASE(descriptors_tell_whether_they_are_one)
{
	int fd = open_file("x"), other = open("f", O_RDWR);

	CHECK(fcntl(fd, F_DUPFD_QUERY, dup(fd)) == 1 && fcntl(fd, F_DUPFD_QUERY, fd) == 1);
	CHECK(fcntl(fd, F_DUPFD_QUERY, other) == 0);
	CHECK_ERROR(fcntl(fd, F_DUPFD_QUERY, 99), EBADF);
	CHECK(fcntl(fd, F_CREATED_QUERY) == 0);
	CHECK(fcntl(open("new", O_RDWR | O_CREAT, 0600), F_CREATED_QUERY) == 1);
	CHECK(fcntl(open("new", O_RDWR | O_CREAT, 0600), F_CREATED_QUERY) == 0);
}

CASE(ioctls_of_all_files)
{
	int fd = open_file("0123456789"), n = 1;

	CHECK(ioctl(fd, FIOCLEX) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(ioctl(fd, FIONCLEX) == 0 && fcntl(fd, F_GETFD) == 0);
	CHECK(ioctl(fd, FIONBIO, &n) == 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK));
	lseek(fd, 4, SEEK_SET);
	CHECK(ioctl(fd, FIONREAD, &n) == 0 && n == 6);
	CHECK(ioctl(fd, FIGETBSZ, &n) == 0 && n == 4096);
	CHECK_ERROR(ioctl(fd, TIOCGWINSZ, buf), ENOTTY);
	CHECK_ERROR(ioctl(99, FIOCLEX), EBADF);
	CHECK_ERROR(ioctl(open("f", O_PATH), FIOCLEX), EBADF);
	CHECK_ERROR(ioctl(fd, FIONBIO, nowhere), EFAULT);
}

CASE(clones_and_deduplication_are_not_supported)
{
	struct file_clone_range range = {.src_fd = 0};
	int fd = open_file("0123456789"), to = open("g", O_RDWR | O_CREAT, 0644);

	CHECK_ERROR(ioctl(to, FICLONE, fd), EOPNOTSUPP);
	range.src_fd = fd;
	CHECK_ERROR(ioctl(to, FICLONERANGE, &range), EOPNOTSUPP);
	CHECK_ERROR(ioctl(to, FICLONE, 99), EBADF);
}

CASE(immutable_and_append_only_files)
{
	int fd = open_file("0123456789"), flags = 0;

	CHECK(ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && flags == 0);
	flags = FS_IMMUTABLE_FL;
	CHECK(ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0);
	CHECK_ERROR(open("f", O_WRONLY), EPERM);
	CHECK_ERROR(unlink("f"), EPERM);
	CHECK_ERROR(rename("f", "g"), EPERM);
	CHECK_ERROR(link("f", "g"), EPERM);
	CHECK_ERROR(chmod("f", 0600), EPERM);
	CHECK_ERROR(truncate("f", 0), EPERM);
	flags = FS_APPEND_FL;
	CHECK(ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0);
	CHECK_ERROR(open("f", O_WRONLY), EPERM);
	CHECK(open("f", O_WRONLY | O_APPEND) >= 0);
	CHECK_ERROR(open("f", O_WRONLY | O_APPEND | O_TRUNC), EPERM);
	CHECK_ERROR(unlink("f"), EPERM);
	flags = 0;
	CHECK(ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0 && unlink("f") == 0);
}

CASE(advice_and_readahead_are_checked)
{
	int fd = open_file("0123456789"), p[2];

	CHECK(pipe(p) == 0);
	CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL) == 0);
	CHECK(posix_fadvise(fd, 0, 0, 77) == EINVAL);
	CHECK(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL) == EINVAL);
	CHECK(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL) == ESPIPE);
	CHECK(posix_fadvise(99, 0, 0, POSIX_FADV_NORMAL) == EBADF);
	CHECK(readahead(fd, 0, 4096) == 0);
	CHECK_ERROR(readahead(p[0], 0, 1), EINVAL);
	CHECK_ERROR(readahead(open("f", O_WRONLY), 0, 1), EBADF);
}

CASE(synchronization_calls)
{
	int fd = open_file("0123456789"), p[2];

	CHECK(pipe(p) == 0);
	CHECK(fsync(fd) == 0 && fdatasync(fd) == 0 && syncfs(fd) == 0);
	CHECK(fsync(open(".", O_RDONLY)) == 0 && syncfs(open(".", O_RDONLY)) == 0);
	CHECK_ERROR(fsync(p[0]), EINVAL);
	CHECK(syncfs(p[0]) == 0);
	CHECK(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE) == 0);
	CHECK_ERROR(sync_file_range(fd, -1, 0, SYNC_FILE_RANGE_WRITE), EINVAL);
	CHECK_ERROR(sync_file_range(fd, 0, 0, 8), EINVAL);
	CHECK_ERROR(sync_file_range(p[0], 0, 0, SYNC_FILE_RANGE_WRITE), ESPIPE);
	CHECK_ERROR(sync_file_range(99, 0, 0, 0), EBADF);
}

CASE(fallocate_modes)
{
	int fd = open_file("0123456789"), p[2];
	struct stat st;

	CHECK(pipe(p) == 0);
	CHECK_ERROR(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096), EOPNOTSUPP);
	CHECK_ERROR(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, 4096), EOPNOTSUPP);
	CHECK_ERROR(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096), EOPNOTSUPP);
	CHECK_ERROR(fallocate(fd, 0x1000, 0, 1), EOPNOTSUPP);
	CHECK_ERROR(fallocate(fd, 0, -1, 1), EINVAL);
	CHECK_ERROR(fallocate(fd, 0, 0x7ffffffffffffff0, 100), EFBIG);
	CHECK_ERROR(fallocate(p[1], 0, 0, 1), ESPIPE);
	CHECK_ERROR(fallocate(open("f", O_RDONLY), 0, 0, 1), EBADF);
	CHECK(fallocate(fd, 0, 4096, 1) == 0 && fstat(fd, &st) == 0 && st.st_size == 4097);
	CHECK(!memcmp(text_of("f"), "0123456789", 10));
}

CASE(seek_to_ends)
{
	int fd = open_file("0123456789"), p[2];

	CHECK(pipe(p) == 0);
	CHECK(lseek(fd, 5, SEEK_END) == 15 && read(fd, buf, 10) == 0);
	CHECK(write(fd, "x", 1) == 1 && pread(fd, buf, 20, 0) == 16 && buf[12] == 0);
	CHECK(lseek(fd, 0, SEEK_HOLE) == 16 && lseek(fd, 3, SEEK_DATA) == 3);
	CHECK_ERROR(lseek(fd, 16, SEEK_DATA), ENXIO);
	CHECK_ERROR(lseek(fd, 16, SEEK_HOLE), ENXIO);
	CHECK_ERROR(lseek(p[0], 0, SEEK_CUR), ESPIPE);
	CHECK_ERROR(lseek(fd, 0x7fffffffffffffff, SEEK_CUR), EINVAL);
}

static volatile int signals, signal_fd, signal_band;

static void on_io(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	signals++;
	signal_fd = info->si_fd;
	signal_band = (int)info->si_band;
}

CASE(data_in_a_pipe_are_signalled)
{
	struct sigaction sa = {.sa_sigaction = on_io, .sa_flags = SA_SIGINFO};
	int p[2];

	CHECK(pipe(p) == 0);
	sigaction(SIGIO, &sa, NULL);
	sigaction(SIGRTMIN, &sa, NULL);
	CHECK(fcntl(p[0], F_SETOWN, getpid()) == 0 && fcntl(p[0], F_GETOWN) == getpid());
	CHECK(fcntl(p[0], F_SETFL, O_ASYNC) == 0);
	CHECK(write(p[1], "x", 1) == 1 && signals == 1);
	CHECK(read(p[0], buf, 10) == 1 && fcntl(p[0], F_SETSIG, SIGRTMIN) == 0);
	CHECK(fcntl(p[0], F_GETSIG) == SIGRTMIN);
	CHECK(write(p[1], "x", 1) == 1 && signals == 2);
	CHECK(signal_fd == p[0] && (signal_band & POLLIN));
	CHECK(fcntl(p[0], F_SETFL, 0) == 0 && write(p[1], "x", 1) == 1 && signals == 2);
	CHECK_ERROR(fcntl(p[0], F_SETSIG, 65), EINVAL);
}

CASE(owner_of_signals_may_be_a_group_or_a_thread)
{
	struct f_owner_ex owner = {F_OWNER_TID, gettid()};
	int p[2];

	CHECK(pipe(p) == 0);
	CHECK(fcntl(p[0], F_GETOWN) == 0);
	CHECK(fcntl(p[0], F_SETOWN_EX, &owner) == 0);
	owner.pid = owner.type = 0;
	CHECK(fcntl(p[0], F_GETOWN_EX, &owner) == 0 && owner.type == F_OWNER_TID);
	CHECK(owner.pid == gettid());
	owner.type = 9;
	CHECK_ERROR(fcntl(p[0], F_SETOWN_EX, &owner), EINVAL);
	owner = (struct f_owner_ex){F_OWNER_PID, 99999};
	CHECK_ERROR(fcntl(p[0], F_SETOWN_EX, &owner), ESRCH);
	CHECK(fcntl(p[0], F_SETOWN, -getpgrp()) == 0 || getpgrp() == 0);
}

CASE(file_handles_open_what_they_name)
{
	struct {
		struct file_handle h;
		char bytes[128];
	} handle = {.h.handle_bytes = 0}, folder;
	int fd = open_file("handle"), mount_id, mount_fd, got;

	(void)fd;
	CHECK_ERROR(name_to_handle_at(AT_FDCWD, "f", &handle.h, &mount_id, 0), EOVERFLOW);
	CHECK(handle.h.handle_bytes > 0 && handle.h.handle_bytes <= 128);
	CHECK(name_to_handle_at(AT_FDCWD, "f", &handle.h, &mount_id, 0) == 0);
	mount_fd = open(".", O_RDONLY);
	got = open_by_handle_at(mount_fd, &handle.h, O_RDONLY);
	CHECK(got >= 0 && read(got, buf, 10) == 6 && !memcmp(buf, "handle", 6));
	CHECK(rename("f", "moved") == 0);
	CHECK(open_by_handle_at(mount_fd, &handle.h, O_RDONLY) >= 0);
	close(got);
	unlink("moved");
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	make("d/e/f", "");
	folder.h.handle_bytes = 128;
	CHECK(name_to_handle_at(AT_FDCWD, "d/e", &folder.h, &mount_id, 0) == 0);
	CHECK(rename("d", "z") == 0);
	got = open_by_handle_at(mount_fd, &folder.h, O_RDONLY);
	CHECK(openat(got, "f", O_RDONLY) >= 0 && openat(got, "../../z", O_RDONLY) >= 0);
	handle.h.handle_bytes = 4;
	CHECK_ERROR(open_by_handle_at(mount_fd, &handle.h, O_RDONLY), ESTALE);
	handle.h.handle_bytes = 0;
	CHECK_ERROR(open_by_handle_at(mount_fd, &handle.h, O_RDONLY), EINVAL);
	CHECK(be_user(1000) == 0);
	handle.h.handle_bytes = 4;
	CHECK_ERROR(open_by_handle_at(mount_fd, &handle.h, O_RDONLY), EPERM);
}

CASE(statfs_tells_the_kind)
{
	struct statfs s;

	CHECK(statfs("/proc", &s) == 0 && s.f_type == 0x9fa0);
	CHECK(statfs("/sys", &s) == 0 && s.f_type == 0x62656572);
	CHECK(statfs("/dev/pts", &s) == 0 && s.f_type == 0x1cd1);
	CHECK(fstatfs(open("/", O_PATH), &s) == 0 && s.f_namelen == 255);
	CHECK_ERROR(statfs("/nowhere", &s), ENOENT);
	CHECK_ERROR(statfs("/", nowhere), EFAULT);
	CHECK_ERROR(fstatfs(99, &s), EBADF);
}

CASE(cachestat_counts_pages)
{
	struct {
		unsigned long off, len;
	} range = {0, 0};
	unsigned long counts[5] = {0};
	int fd = open_file("");

	CHECK(ftruncate(fd, 40960) == 0 && pwrite(fd, buf, 8192, 4096) == 8192);
	CHECK(syscall(451, fd, &range, counts, 0) == 0 && counts[0] == 2);
	range.off = 8192;
	range.len = 4096;
	CHECK(syscall(451, fd, &range, counts, 0) == 0 && counts[0] == 1);
	CHECK_ERROR(syscall(451, fd, &range, counts, 1), EINVAL);
	CHECK_ERROR(syscall(451, 99, &range, counts, 0), EBADF);
	CHECK_ERROR(syscall(451, fd, 8, counts, 0), EFAULT);
}
