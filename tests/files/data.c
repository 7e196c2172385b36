/* Data: reading and writing, sizes, positions, descriptors, pipes, locks, attributes. */
#include "check.h"
#include "scratch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int op(const char *name, int flags)
{
	return open(name, flags, 0644);
}

CASE(access_mode_bounds_reading_and_writing)
{
	char c, *volatile nowhere = (char *)8;

	scratch();
	make("f", "x");
	CHECK_ERROR(read(op("f", O_WRONLY), &c, 1), EBADF);
	CHECK_ERROR(write(op("f", O_RDONLY), "x", 1), EBADF);
	CHECK_ERROR(read(op(".", O_RDONLY), &c, 1), EISDIR);
	CHECK_ERROR(read(op("f", O_PATH), &c, 1), EBADF);
	CHECK_ERROR(read(99, &c, 1), EBADF);
	CHECK_ERROR(read(op("f", O_RDONLY), nowhere, 1), EFAULT);
}

CASE(append_writes_at_the_end)
{
	int fd;

	scratch();
	make("f", "0123");
	fd = op("f", O_WRONLY | O_APPEND);
	lseek(fd, 0, SEEK_SET);
	CHECK(write(fd, "ab", 2) == 2 && lseek(fd, 0, SEEK_CUR) == 6);
	CHECK(pwrite(fd, "c", 1, 0) == 1);
	CHECK(!strcmp(text_of("f"), "0123abc"));
}

CASE(positions_and_vectors)
{
	char a[3] = "", b[4] = "";
	struct iovec v[2] = {{a, 2}, {b, 3}};
	int fd;

	scratch();
	make("f", "0123456789");
	fd = op("f", O_RDWR);
	CHECK(preadv(fd, v, 2, 1) == 5 && !strcmp(a, "12") && !strcmp(b, "345"));
	CHECK(lseek(fd, 0, SEEK_CUR) == 0);
	CHECK(lseek(fd, -1, SEEK_END) == 9 && read(fd, a, 2) == 1 && read(fd, a, 2) == 0);
	CHECK_ERROR(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERROR(lseek(fd, 0, 99), EINVAL);
	CHECK_ERROR(pread(fd, a, 1, -1), EINVAL);
}

CASE(holes_are_zeros_and_are_found)
{
	struct stat st;
	char buf[4096];
	int fd;

	scratch();
	fd = op("f", O_RDWR | O_CREAT);
	CHECK(pwrite(fd, "x", 1, 1 << 20) == 1);
	CHECK(lseek(fd, 0, SEEK_DATA) == 1 << 20);
	CHECK(lseek(fd, 0, SEEK_HOLE) == 0);
	CHECK(lseek(fd, 1 << 20, SEEK_HOLE) == (1 << 20) + 1);
	CHECK_ERROR(lseek(fd, (1 << 20) + 1, SEEK_DATA), ENXIO);
	CHECK(pread(fd, buf, sizeof(buf), 8192) == sizeof(buf) && buf[0] == 0 && buf[4095] == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_size == (1 << 20) + 1 && st.st_blocks < 64);
}

CASE(truncate_cuts_and_grows_with_zeros)
{
	int fd;

	scratch();
	make("f", "abcdef");
	CHECK(truncate("f", 2) == 0 && truncate("f", 4) == 0);
	fd = op("f", O_RDONLY);
	CHECK(!memcmp(text_of("f"), "ab\0\0", 4));
	CHECK_ERROR(ftruncate(fd, 0), EINVAL);
	CHECK_ERROR(truncate("f", -1), EINVAL);
	CHECK_ERROR(truncate(".", 0), EISDIR);
}

CASE(fallocate_gives_keeps_and_punches)
{
	struct stat st;
	char c = 1;
	int fd;

	scratch();
	fd = op("f", O_RDWR | O_CREAT);
	CHECK(fallocate(fd, 0, 0, 10000) == 0 && fstat(fd, &st) == 0 && st.st_size == 10000);
	CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 20000) == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_size == 10000);
	CHECK(pwrite(fd, "x", 1, 5000) == 1);
	CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096) == 0);
	CHECK(pread(fd, &c, 1, 5000) == 1 && c == 0);
	CHECK_ERROR(fallocate(fd, 0, 0, 0), EINVAL);
	CHECK_ERROR(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
}

CASE(file_size_limit_signals)
{
	struct rlimit limit = {3, 3};

	scratch();
	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	int fd = op("f", O_WRONLY | O_CREAT);
	CHECK(write(fd, "abcdef", 6) == 3);
	CHECK_ERROR(write(fd, "x", 1), EFBIG);
}

CASE(mapping_and_file_are_one)
{
	char *map;
	int fd;

	scratch();
	make("f", "0123456789");
	fd = op("f", O_RDWR);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	memcpy(map, "mapped", 6);
	CHECK(!strcmp(text_of("f"), "mapped6789"));
	CHECK(pwrite(fd, "W", 1, 9) == 1 && map[9] == 'W');
	CHECK(write(fd, map, 10) == 10);
}

CASE(descriptors_are_the_lowest_free)
{
	int a, b;

	scratch();
	make("f", "");
	a = op("f", O_RDONLY);
	b = op("f", O_RDONLY);
	CHECK(b > a);
	close(a);
	CHECK(dup(b) == a);
	CHECK(fcntl(b, F_DUPFD, 100) == 100);
	CHECK(dup2(b, 200) == 200 && dup2(b, b) == b);
	CHECK_ERROR(dup2(99, 99), EBADF);
	CHECK_ERROR(dup3(b, b, 0), EINVAL);
	CHECK(fcntl(dup3(b, 201, O_CLOEXEC), F_GETFD) == FD_CLOEXEC);
	CHECK(close_range(200, 300, 0) == 0);
	CHECK_ERROR(close(200), EBADF);
}

CASE(duplicates_share_the_position)
{
	char c;
	int fd, copy;

	scratch();
	make("f", "abc");
	fd = op("f", O_RDONLY);
	copy = dup(fd);
	CHECK(read(fd, &c, 1) == 1 && read(copy, &c, 1) == 1 && c == 'b');
	if (fork() == 0) {
		_exit(read(fd, &c, 1) != 1);
	}
	wait(NULL);
	CHECK(read(fd, &c, 1) == 0);
}

CASE(sendfile_and_copy_file_range)
{
	off_t from = 2;
	loff_t in = 0, out = 4;
	int a, b;

	scratch();
	make("a", "0123456789");
	a = op("a", O_RDONLY);
	b = op("b", O_RDWR | O_CREAT);
	CHECK(sendfile(b, a, &from, 5) == 5 && from == 7);
	CHECK(sendfile(b, a, NULL, 100) == 10);
	CHECK(!strcmp(text_of("b"), "234560123456789"));
	CHECK(copy_file_range(a, &in, b, &out, 3, 0) == 3);
	CHECK(!strcmp(text_of("b"), "234501223456789"));
	CHECK_ERROR(copy_file_range(a, &in, b, &out, 3, 1), EINVAL);
}

CASE(pipe_is_full_at_64_kib)
{
	static char big[100000];
	int p[2], n;

	CHECK(pipe2(p, O_NONBLOCK) == 0);
	CHECK(write(p[1], big, sizeof(big)) == 65536);
	CHECK_ERROR(write(p[1], big, 1), EAGAIN);
	CHECK(ioctl(p[0], FIONREAD, &n) == 0 && n == 65536);
	CHECK(read(p[0], big, 4096) == 4096 && write(p[1], big, 4096) == 4096);
	CHECK(fcntl(p[0], F_GETPIPE_SZ) == 65536);
	CHECK(fcntl(p[0], F_SETPIPE_SZ, 5000) == -1 && errno == EBUSY);
	close(p[1]);
	CHECK_ERROR(lseek(p[0], 0, SEEK_SET), ESPIPE);
}

CASE(pipe_without_readers_is_epipe)
{
	struct pollfd poll_fd;
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	CHECK(pipe(p) == 0);
	close(p[0]);
	CHECK_ERROR(write(p[1], "x", 1), EPIPE);
	poll_fd = (struct pollfd){p[1], POLLOUT, 0};
	CHECK(poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLERR));
}

CASE(fifo_joins_two_processes)
{
	char buf[8] = "";
	int fd;

	scratch();
	CHECK(mkfifo("p", 0600) == 0);
	CHECK_ERROR(op("p", O_WRONLY | O_NONBLOCK), ENXIO);
	if (fork() == 0) {
		fd = op("p", O_WRONLY);
		_exit(write(fd, "hello", 5) != 5);
	}
	fd = op("p", O_RDONLY);
	CHECK(read(fd, buf, 5) == 5 && !strcmp(buf, "hello"));
	wait(NULL);
	CHECK(read(fd, buf, 5) == 0);
}

CASE(record_locks_are_of_the_process)
{
	struct flock lock = {.l_type = F_WRLCK, .l_start = 10, .l_len = 10};
	int fd, status;

	scratch();
	fd = op("f", O_RDWR | O_CREAT);
	CHECK(fcntl(fd, F_SETLK, &lock) == 0);
	if (fork() == 0) {
		lock.l_type = F_RDLCK;
		lock.l_start = 19;
		if (fcntl(fd, F_SETLK, &lock) != -1 || errno != EAGAIN)
			_exit(1);
		if (fcntl(fd, F_GETLK, &lock) || lock.l_pid != getppid() || lock.l_start != 10)
			_exit(2);
		lock = (struct flock){.l_type = F_WRLCK, .l_start = 20};
		_exit(fcntl(fd, F_SETLK, &lock) ? 3 : 0);
	}
	wait(&status);
	CHECK(WEXITSTATUS(status) == 0);
	close(op("f", O_RDONLY)); /* closing any descriptor gives the locks up */
	lock = (struct flock){.l_type = F_WRLCK, .l_start = 0, .l_len = 0};
	CHECK(fcntl(fd, F_OFD_SETLK, &lock) == 0);
}

CASE(flock_is_of_the_open_file)
{
	int a, b;

	scratch();
	a = op("f", O_RDWR | O_CREAT);
	b = op("f", O_RDWR);
	CHECK(flock(a, LOCK_EX) == 0);
	CHECK_ERROR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	CHECK(flock(a, LOCK_SH) == 0 && flock(b, LOCK_SH | LOCK_NB) == 0);
	close(a);
	CHECK(flock(b, LOCK_EX | LOCK_NB) == 0);
}

CASE(times_are_set_and_omitted)
{
	struct timespec times[2] = {{5, 6}, {0, UTIME_OMIT}};
	struct stat was, st;

	scratch();
	make("f", "");
	stat("f", &was);
	CHECK(utimensat(AT_FDCWD, "f", times, 0) == 0 && stat("f", &st) == 0);
	CHECK(st.st_atim.tv_sec == 5 && st.st_atim.tv_nsec == 6);
	CHECK(st.st_mtim.tv_sec == was.st_mtim.tv_sec);
	times[0].tv_nsec = 1000000000;
	CHECK_ERROR(utimensat(AT_FDCWD, "f", times, 0), EINVAL);
}

CASE(set_id_bits_go_with_owner_and_contents)
{
	struct stat st;

	scratch();
	chmod(".", 0777);
	make("f", "");
	chmod("f", 06777);
	CHECK(chown("f", 1000, 1000) == 0 && stat("f", &st) == 0 && (st.st_mode & 07777) == 0777);
	chmod("f", 06777);
	CHECK(setgid(2000) == 0 && setuid(2000) == 0);
	CHECK(write(op("f", O_WRONLY), "x", 1) == 1);
	CHECK(stat("f", &st) == 0 && (st.st_mode & 07777) == 0777);
}

CASE(devices_without_hardware)
{
	char buf[16];
	int fd = op("/dev/zero", O_RDWR);

	memset(buf, 1, sizeof(buf));
	CHECK(read(fd, buf, 16) == 16 && buf[15] == 0);
	fd = op("/dev/full", O_RDWR);
	CHECK_ERROR(write(fd, "x", 1), ENOSPC);
	fd = op("/dev/null", O_RDWR);
	CHECK(write(fd, "x", 1) == 1 && read(fd, buf, 1) == 0);
	CHECK(read(op("/dev/urandom", O_RDONLY), buf, 16) == 16);
}
