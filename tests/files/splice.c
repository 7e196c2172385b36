/* splice, tee, vmsplice, packets in pipes. */
#include "check.h"
#include "scratch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static char buf[200000];
static int p[2], q[2];

static void two_pipes(void)
{
	CHECK(pipe(p) == 0 && pipe(q) == 0);
}

CASE(splice_moves_a_file_into_a_pipe)
{
	loff_t pos = 2;
	int fd;

	scratch();
	two_pipes();
	make("f", "0123456789");
	fd = open("f", O_RDONLY);
	CHECK(splice(fd, &pos, p[1], NULL, 5, 0) == 5 && pos == 7);
	CHECK(lseek(fd, 0, SEEK_CUR) == 0);
	CHECK(read(p[0], buf, 100) == 5 && !memcmp(buf, "23456", 5));
	CHECK(splice(fd, NULL, p[1], NULL, 100, 0) == 10);
	CHECK(lseek(fd, 0, SEEK_CUR) == 10);
	CHECK(splice(fd, NULL, p[1], NULL, 100, 0) == 0);
}

CASE(splice_moves_a_pipe_into_a_file)
{
	loff_t pos = 3;
	int fd;

	scratch();
	two_pipes();
	make("f", "0123456789");
	fd = open("f", O_RDWR);
	write(p[1], "abcdef", 6);
	CHECK(splice(p[0], NULL, fd, &pos, 4, 0) == 4 && pos == 7);
	CHECK(!strcmp(text_of("f"), "012abcd789"));
	CHECK(splice(p[0], NULL, fd, NULL, 100, 0) == 2 && lseek(fd, 0, SEEK_CUR) == 2);
	close(p[1]);
	CHECK(splice(p[0], NULL, fd, NULL, 100, 0) == 0);
}

CASE(splice_moves_a_pipe_into_a_pipe)
{
	two_pipes();
	write(p[1], "abcdef", 6);
	CHECK(splice(p[0], NULL, q[1], NULL, 4, 0) == 4);
	CHECK(read(q[0], buf, 100) == 4 && !memcmp(buf, "abcd", 4));
	CHECK(read(p[0], buf, 100) == 2 && !memcmp(buf, "ef", 2));
}

CASE(splice_moves_as_much_as_a_pipe_holds)
{
	int fd;

	scratch();
	two_pipes();
	fd = open("f", O_RDWR | O_CREAT, 0600);
	CHECK(write(fd, buf, sizeof(buf)) == sizeof(buf) && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(splice(fd, NULL, p[1], NULL, sizeof(buf), 0) == 65536);
	CHECK_ERROR(splice(fd, NULL, p[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK(splice(p[0], NULL, q[1], NULL, sizeof(buf), 0) == 65536);
}

CASE(splice_errors)
{
	loff_t pos = 0;
	int fd, fd2;

	scratch();
	two_pipes();
	make("f", "0123456789");
	fd = open("f", O_RDWR);
	fd2 = open("f", O_RDWR | O_APPEND);
	CHECK_ERROR(splice(fd, NULL, fd2, NULL, 1, 0), EINVAL);
	CHECK_ERROR(splice(p[0], NULL, fd2, NULL, 1, 0), EINVAL);
	CHECK_ERROR(splice(p[0], NULL, p[1], NULL, 1, 0), EINVAL);
	CHECK_ERROR(splice(p[0], &pos, fd, NULL, 1, 0), ESPIPE);
	CHECK_ERROR(splice(fd, NULL, p[1], &pos, 1, 0), ESPIPE);
	CHECK_ERROR(splice(p[1], NULL, fd, NULL, 1, 0), EBADF);
	CHECK_ERROR(splice(99, NULL, fd, NULL, 1, 0), EBADF);
	CHECK_ERROR(splice(p[0], NULL, fd, NULL, 1, 0x100), EINVAL);
	CHECK_ERROR(splice(open(".", O_RDONLY), NULL, p[1], NULL, 1, 0), EINVAL);
	CHECK(splice(p[0], NULL, fd, NULL, 0, 0) == 0);
}

CASE(splice_from_an_empty_pipe_waits_or_is_eagain)
{
	int fd;

	scratch();
	two_pipes();
	fd = open("f", O_RDWR | O_CREAT, 0600);
	CHECK_ERROR(splice(p[0], NULL, fd, NULL, 10, SPLICE_F_NONBLOCK), EAGAIN);
	if (fork() == 0) {
		usleep(50000);
		_exit(write(p[1], "late", 4) != 4);
	}
	CHECK(splice(p[0], NULL, fd, NULL, 10, 0) == 4);
	CHECK(!strcmp(text_of("f"), "late"));
}

CASE(splice_into_a_pipe_without_readers_is_epipe)
{
	int fd;

	scratch();
	two_pipes();
	make("f", "0123456789");
	fd = open("f", O_RDONLY);
	signal(SIGPIPE, SIG_IGN);
	close(p[0]);
	CHECK_ERROR(splice(fd, NULL, p[1], NULL, 5, 0), EPIPE);
}

CASE(spliced_pages_are_the_files)
{
	int fd;

	scratch();
	two_pipes();
	make("f", "0123456789");
	fd = open("f", O_RDWR);
	CHECK(splice(fd, NULL, p[1], NULL, 10, 0) == 10);
	CHECK(write(p[1], "more", 4) == 4); /* never into the file's page */
	CHECK(!strcmp(text_of("f"), "0123456789"));
	CHECK(read(p[0], buf, 100) == 14 && !memcmp(buf, "0123456789more", 14));
}

CASE(tee_duplicates)
{
	two_pipes();
	write(p[1], "abcdef", 6);
	CHECK(tee(p[0], q[1], 4, 0) == 4);
	CHECK(read(q[0], buf, 100) == 4 && !memcmp(buf, "abcd", 4));
	CHECK(read(p[0], buf, 100) == 6 && !memcmp(buf, "abcdef", 6));
	CHECK_ERROR(tee(p[0], q[1], 4, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERROR(tee(p[0], p[1], 4, 0), EINVAL);
	CHECK_ERROR(tee(0, q[1], 4, 0x100), EINVAL);
	close(p[1]);
	CHECK(tee(p[0], q[1], 4, 0) == 0);
}

CASE(tee_and_splice_leave_each_pipe_its_own)
{
	two_pipes();
	write(p[1], "abc", 3);
	CHECK(tee(p[0], q[1], 3, 0) == 3);
	CHECK(write(q[1], "Q", 1) == 1 && write(p[1], "P", 1) == 1);
	CHECK(read(q[0], buf, 100) == 4 && !memcmp(buf, "abcQ", 4));
	CHECK(read(p[0], buf, 100) == 4 && !memcmp(buf, "abcP", 4));
}

CASE(vmsplice_gives_memory_to_a_pipe)
{
	struct iovec v[2] = {{"hello ", 6}, {"world", 5}};
	struct iovec in = {buf, 100};

	two_pipes();
	CHECK(vmsplice(p[1], v, 2, 0) == 11);
	CHECK(vmsplice(p[0], &in, 1, 0) == 11 && !memcmp(buf, "hello world", 11));
	CHECK(vmsplice(p[1], v, 0, 0) == 0);
	CHECK_ERROR(vmsplice(p[1], v, 1, 0x100), EINVAL);
	CHECK_ERROR(vmsplice(open("/dev/null", O_RDWR), v, 1, 0), EBADF);
}

CASE(packets_are_read_one_by_one)
{
	CHECK(pipe2(p, O_DIRECT | O_NONBLOCK) == 0);
	CHECK(write(p[1], "first", 5) == 5 && write(p[1], "second", 6) == 6);
	CHECK(read(p[0], buf, 100) == 5 && !memcmp(buf, "first", 5));
	CHECK(read(p[0], buf, 3) == 3 && !memcmp(buf, "sec", 3));
	CHECK_ERROR(read(p[0], buf, 3), EAGAIN); /* the rest of the packet is gone */
}

CASE(pipe_holds_as_many_packets_as_pages)
{
	struct pollfd poll_fd;
	int n = 0;

	CHECK(pipe2(p, O_DIRECT | O_NONBLOCK) == 0);
	while (write(p[1], "x", 1) == 1)
		n++;
	CHECK(n == 16);
	poll_fd = (struct pollfd){p[1], POLLOUT, 0};
	CHECK(poll(&poll_fd, 1, 0) == 0);
	CHECK(read(p[0], buf, 100) == 1 && poll(&poll_fd, 1, 0) == 1);
}

CASE(small_writes_share_a_page)
{
	int n = 0, bytes;

	CHECK(pipe2(p, O_NONBLOCK) == 0);
	while (write(p[1], buf, 100) == 100)
		n++;
	CHECK(n == 16 * (4096 / 100));
	CHECK(ioctl(p[0], FIONREAD, &bytes) == 0 && bytes == n * 100);
}

CASE(full_pipe_takes_no_byte_until_a_page_is_free)
{
	CHECK(pipe2(p, O_NONBLOCK) == 0);
	CHECK(write(p[1], buf, 100000) == 65536);
	CHECK(read(p[0], buf, 100) == 100);
	CHECK_ERROR(write(p[1], buf, 1), EAGAIN);
	CHECK(read(p[0], buf, 3996) == 3996 && write(p[1], buf, 1) == 1);
}

CASE(pipe_size_is_set_in_pages)
{
	CHECK(pipe2(p, O_NONBLOCK) == 0);
	CHECK(fcntl(p[1], F_SETPIPE_SZ, 1) == 4096 && fcntl(p[0], F_GETPIPE_SZ) == 4096);
	CHECK(fcntl(p[1], F_SETPIPE_SZ, 5000) == 8192);
	CHECK(write(p[1], buf, 100000) == 8192);
	CHECK_ERROR(fcntl(p[1], F_SETPIPE_SZ, 4096), EBUSY);
	CHECK(fcntl(p[1], F_SETPIPE_SZ, 1 << 20) == 1 << 20);
	CHECK(write(p[1], buf, 100000) == 100000);
	CHECK(read(p[0], buf, 200000) == 108192);
	CHECK_ERROR(fcntl(open("/dev/null", O_RDWR), F_GETPIPE_SZ), EBADF);
	CHECK(be_user(1000) == 0);
	CHECK_ERROR(fcntl(p[1], F_SETPIPE_SZ, 2 << 20), EPERM);
}
