/* Pipes, counters and readiness between processes on different cores. */
#include "check.h"
#include "cores.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUCH (1u << 20)

static int p[2], q[2];
static char byte;

static void make_pipes(void)
{
	CHECK(pipe(p) == 0 && pipe(q) == 0);
}

/* A byte of a long row that no two places share by chance. */
static unsigned char row(size_t i)
{
	return (unsigned char)(i * 131 + (i >> 8) * 17 + (i >> 16));
}

/* --- Bytes --- */

static int say_hello(void *arg)
{
	(void)arg;
	MUST(write(p[1], "hello", 5) == 5);
	return 0;
}

CASE(pipe_carries_bytes_from_another_core)
{
	char buf[8] = "";
	pid_t child;

	make_pipes();
	child = on_core(1, say_hello, NULL);
	CHECK(read(p[0], buf, sizeof(buf)) == 5 && strcmp(buf, "hello") == 0);
	CHECK(end_of(child) == 0);
}

static int hear_hello(void *arg)
{
	char buf[8] = "";

	(void)arg;
	MUST(read(p[0], buf, sizeof(buf)) == 5);
	MUST(strcmp(buf, "hello") == 0);
	return 0;
}

CASE(pipe_carries_bytes_to_another_core)
{
	pid_t child;

	make_pipes();
	child = on_core(2, hear_hello, NULL);
	CHECK(write(p[1], "hello", 5) == 5);
	CHECK(end_of(child) == 0);
}

CASE(pipe_between_two_other_cores)
{
	pid_t a, b;

	make_pipes();
	a = on_core(1, say_hello, NULL);
	b = on_core(2, hear_hello, NULL);
	CHECK(end_of(a) == 0 && end_of(b) == 0);
}

static int echo(void *arg)
{
	(void)arg;
	close(p[1]);
	close(q[0]);
	while (read(p[0], &byte, 1) == 1)
		MUST(write(q[1], &byte, 1) == 1);
	return 0;
}

CASE(pipe_ping_pong)
{
	pid_t child;

	make_pipes();
	child = on_core(1, echo, NULL);
	for (int i = 0; i < 200; i++) {
		char c = (char)i;

		CHECK(write(p[1], &c, 1) == 1);
		CHECK(read(q[0], &byte, 1) == 1 && byte == c);
	}
	close(p[1]);
	CHECK(end_of(child) == 0);
}

static int write_much(void *arg)
{
	unsigned char *bytes = malloc(MUCH);

	(void)arg;
	MUST(bytes != NULL);
	for (size_t i = 0; i < MUCH; i++)
		bytes[i] = row(i);
	MUST(write(p[1], bytes, MUCH) == (ssize_t)MUCH);
	return 0;
}

static void read_much(int fd)
{
	static unsigned char buf[100000];
	size_t done = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			CHECK(buf[i] == row(done + (size_t)i));
		done += (size_t)n;
	}
	CHECK(n == 0 && done == MUCH);
}

CASE(much_more_than_a_pipe_holds_arrives_in_order)
{
	pid_t child;

	make_pipes();
	child = on_core(1, write_much, NULL);
	close(p[1]);
	read_much(p[0]);
	CHECK(end_of(child) == 0);
}

static int pass_on(void *arg)
{
	static char buf[30000];
	ssize_t n;

	(void)arg;
	close(p[1]);
	close(q[0]);
	while ((n = read(p[0], buf, sizeof(buf))) > 0)
		MUST(write(q[1], buf, (size_t)n) == n);
	return (int)n;
}

CASE(pipeline_over_three_cores)
{
	pid_t a, b;

	make_pipes();
	a = on_core(1, write_much, NULL);
	b = on_core(2, pass_on, NULL);
	close(p[1]);
	close(p[0]);
	close(q[1]);
	read_much(q[0]);
	CHECK(end_of(a) == 0 && end_of(b) == 0);
}

static int write_blocks(void *arg)
{
	char block[512];

	memset(block, *(const char *)arg, sizeof(block));
	for (int i = 0; i < 100; i++)
		MUST(write(p[1], block, sizeof(block)) == (ssize_t)sizeof(block));
	return 0;
}

CASE(small_writes_of_several_cores_are_not_mixed)
{
	pid_t child[3];
	char block[512];
	int blocks = 0;

	make_pipes();
	child[0] = on_core(1, write_blocks, "a");
	child[1] = on_core(2, write_blocks, "b");
	child[2] = on_core(3, write_blocks, "c");
	close(p[1]);
	for (size_t got = 0;; got = 0) {
		ssize_t n = 1;

		while (got < sizeof(block) && n > 0) {
			n = read(p[0], block + got, sizeof(block) - got);
			got += n > 0 ? (size_t)n : 0;
		}
		if (!got)
			break;
		CHECK(got == sizeof(block));
		for (size_t i = 1; i < sizeof(block); i++)
			CHECK(block[i] == block[0]);
		blocks++;
	}
	CHECK(blocks == 300);
	for (int i = 0; i < 3; i++)
		CHECK(end_of(child[i]) == 0);
}

/* --- Ends --- */

static int wait_for_word(void *arg)
{
	(void)arg;
	close(q[1]);
	close(p[0]);
	return (int)read(q[0], &byte, 1) - 1;
}

CASE(end_of_file_when_the_last_writer_elsewhere_ends)
{
	pid_t child;

	make_pipes();
	child = on_core(1, wait_for_word, NULL);
	close(p[1]); /* the child has the only one */
	CHECK(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
	CHECK_ERROR(read(p[0], &byte, 1), EAGAIN);
	CHECK(write(q[1], "x", 1) == 1);
	CHECK(end_of(child) == 0);
	CHECK(read(p[0], &byte, 1) == 0);
}

static int write_in_vain(void *arg)
{
	(void)arg;
	close(p[0]);
	close(q[1]);
	MUST(read(q[0], &byte, 1) == 1);
	write(p[1], "x", 1);
	return 0;
}

CASE(writer_elsewhere_without_reader_gets_sigpipe)
{
	pid_t child;

	make_pipes();
	child = on_core(1, write_in_vain, NULL);
	close(p[0]);
	CHECK(write(q[1], "x", 1) == 1);
	CHECK(end_of(child) == -SIGPIPE);
}

static int write_without_signal(void *arg)
{
	signal(SIGPIPE, SIG_IGN);
	write_in_vain(arg);
	MUST(errno == EPIPE);
	return 0;
}

CASE(writer_elsewhere_that_ignores_sigpipe_gets_epipe)
{
	pid_t child;

	make_pipes();
	child = on_core(1, write_without_signal, NULL);
	close(p[0]);
	CHECK(write(q[1], "x", 1) == 1);
	CHECK(end_of(child) == 0);
}

static void note(int sig)
{
	(void)sig;
}

static int read_until_signal(void *arg)
{
	struct sigaction action = {.sa_handler = note};

	(void)arg;
	sigaction(SIGUSR1, &action, NULL);
	MUST(write(q[1], "r", 1) == 1);
	MUST(read(p[0], &byte, 1) == -1 && errno == EINTR);
	return 0;
}

CASE(read_elsewhere_is_interrupted_by_a_signal)
{
	struct pollfd none;
	pid_t child;

	make_pipes();
	child = on_core(1, read_until_signal, NULL);
	CHECK(read(q[0], &byte, 1) == 1);
	poll(&none, 0, 50);
	CHECK(kill(child, SIGUSR1) == 0);
	CHECK(end_of(child) == 0);
	CHECK(write(p[1], "x", 1) == 1 && read(p[0], &byte, 1) == 1); /* nothing was taken */
}

CASE(reader_elsewhere_is_killed_while_it_waits)
{
	struct pollfd none;
	pid_t child;

	make_pipes();
	child = on_core(1, read_until_signal, NULL);
	CHECK(read(q[0], &byte, 1) == 1);
	poll(&none, 0, 20);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(end_of(child) == -SIGKILL);
	CHECK(write(p[1], "x", 1) == 1);
}

/* --- What belongs to the open file --- */

static int change_pipe(void *arg)
{
	int n = 0;

	(void)arg;
	MUST(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
	MUST(fcntl(p[0], F_SETPIPE_SZ, 8192) == 8192);
	MUST(ioctl(p[0], FIONREAD, &n) == 0 && n == 3);
	return 0;
}

CASE(flags_and_size_of_a_pipe_are_seen_everywhere)
{
	pid_t child;

	make_pipes();
	CHECK(write(p[1], "abc", 3) == 3);
	child = on_core(1, change_pipe, NULL);
	CHECK(end_of(child) == 0);
	CHECK(fcntl(p[0], F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(p[1], F_GETPIPE_SZ) == 8192);
}

static int know_pipe(void *arg)
{
	const struct stat *at_home = arg;
	char name[64] = "", expected[64] = "";
	struct stat st;

	MUST(fstat(p[0], &st) == 0);
	MUST(S_ISFIFO(st.st_mode) && st.st_ino == at_home->st_ino && st.st_dev == at_home->st_dev);
	MUST(st.st_uid == at_home->st_uid);
	MUST(snprintf(name, sizeof(name), "/proc/self/fd/%d", p[0]) > 0);
	MUST(readlink(name, expected, sizeof(expected) - 1) > 0);
	snprintf(name, sizeof(name), "pipe:[%lu]", (unsigned long)at_home->st_ino);
	MUST(strcmp(name, expected) == 0);
	return 0;
}

CASE(pipe_elsewhere_has_the_same_number_and_name)
{
	struct stat st;

	make_pipes();
	CHECK(fstat(p[0], &st) == 0);
	CHECK(end_of(on_core(1, know_pipe, &st)) == 0);
}

static int there_and_back(void *arg)
{
	int flags;

	(void)arg;
	MUST(fcntl(p[0], F_SETFD, FD_CLOEXEC) == 0);
	for (int core = 0; core < 8; core++) {
		to_core(core);
		MUST(write(p[1], &core, sizeof(core)) == (ssize_t)sizeof(core));
		to_core(core + 1);
		MUST(read(p[0], &flags, sizeof(flags)) == (ssize_t)sizeof(flags) && flags == core);
		MUST(fcntl(p[0], F_GETFD) == FD_CLOEXEC && fcntl(p[1], F_GETFD) == 0);
	}
	MUST(syscall(SYS_fcntl, p[0], F_DUPFD, 200) == 200);
	return 0;
}

CASE(descriptors_go_with_a_process_that_wanders)
{
	make_pipes();
	CHECK(end_of(on_core(1, there_and_back, NULL)) == 0);
}

/* --- Readiness --- */

static int say_later(void *arg)
{
	struct pollfd none;

	(void)arg;
	poll(&none, 0, 30);
	MUST(write(p[1], "x", 1) == 1);
	return 0;
}

CASE(poll_is_woken_by_another_core)
{
	struct pollfd fd;
	pid_t child;

	make_pipes();
	fd = (struct pollfd){.fd = p[0], .events = POLLIN};
	CHECK(poll(&fd, 1, 0) == 0);
	child = on_core(1, say_later, NULL);
	CHECK(poll(&fd, 1, 10000) == 1 && fd.revents == POLLIN);
	CHECK(end_of(child) == 0);
}

static int poll_there(void *arg)
{
	struct pollfd fd = {.fd = p[0], .events = POLLIN};

	(void)arg;
	MUST(poll(&fd, 1, 0) == 0);
	MUST(write(q[1], "r", 1) == 1);
	MUST(poll(&fd, 1, 10000) == 1 && fd.revents == POLLIN);
	MUST(poll(&fd, 1, 0) == 1);
	MUST(read(p[0], &byte, 1) == 1);
	MUST(poll(&fd, 1, 0) == 0);
	MUST(poll(&fd, 1, 10) == 0);
	return 0;
}

CASE(poll_elsewhere_tells_the_truth_at_once)
{
	pid_t child;

	make_pipes();
	child = on_core(1, poll_there, NULL);
	CHECK(read(q[0], &byte, 1) == 1);
	CHECK(write(p[1], "x", 1) == 1);
	CHECK(end_of(child) == 0);
}

static int select_there(void *arg)
{
	struct timeval t = {.tv_sec = 10};
	fd_set in, out;

	(void)arg;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(p[0], &in);
	FD_SET(q[1], &out);
	MUST(select(q[1] + 1, &in, &out, NULL, &t) == 1);
	MUST(FD_ISSET(q[1], &out) && !FD_ISSET(p[0], &in));
	MUST(write(q[1], "r", 1) == 1);
	FD_SET(p[0], &in);
	MUST(select(p[0] + 1, &in, NULL, NULL, &t) == 1 && FD_ISSET(p[0], &in));
	return 0;
}

CASE(select_elsewhere)
{
	pid_t child;

	make_pipes();
	child = on_core(1, select_there, NULL);
	CHECK(read(q[0], &byte, 1) == 1);
	CHECK(write(p[1], "x", 1) == 1);
	CHECK(end_of(child) == 0);
}

static int hang_up_there(void *arg)
{
	struct pollfd fd = {.fd = p[0], .events = POLLIN};

	(void)arg;
	close(p[1]);
	MUST(write(q[1], "r", 1) == 1);
	MUST(poll(&fd, 1, 10000) == 1 && fd.revents == POLLHUP);
	return 0;
}

CASE(poll_elsewhere_sees_the_end)
{
	pid_t child;

	make_pipes();
	child = on_core(1, hang_up_there, NULL);
	CHECK(read(q[0], &byte, 1) == 1);
	close(p[1]);
	CHECK(end_of(child) == 0);
}

/* A set with @fd in it. */
static int set_of(int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};
	int set = epoll_create1(0);

	MUST(set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
	return set;
}

static int watch_there(void *arg)
{
	struct epoll_event event;
	int level = set_of(p[0], EPOLLIN), edge = set_of(p[0], EPOLLIN | EPOLLET);

	(void)arg;
	MUST(epoll_wait(level, &event, 1, 0) == 0);
	MUST(write(q[1], "r", 1) == 1);
	MUST(epoll_wait(level, &event, 1, 10000) == 1 && event.data.fd == p[0]);
	MUST(epoll_wait(level, &event, 1, 0) == 1);
	MUST(epoll_wait(edge, &event, 1, 10000) == 1);
	MUST(epoll_wait(edge, &event, 1, 20) == 0);
	MUST(read(p[0], &byte, 1) == 1);
	MUST(epoll_wait(level, &event, 1, 0) == 0);
	return 0;
}

CASE(epoll_elsewhere_by_level_and_by_edge)
{
	pid_t child;

	make_pipes();
	child = on_core(1, watch_there, NULL);
	CHECK(read(q[0], &byte, 1) == 1);
	CHECK(write(p[1], "x", 1) == 1);
	CHECK(end_of(child) == 0);
}

static int use_set(void *arg)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 7};
	int set = *(int *)arg, mine[2];

	MUST(epoll_wait(set, &event, 1, 10000) == 1 && event.data.fd == p[0]);
	MUST(epoll_ctl(set, EPOLL_CTL_DEL, p[0], NULL) == 0);
	MUST(epoll_wait(set, &event, 1, 0) == 0);
	MUST(pipe(mine) == 0);
	event = (struct epoll_event){.events = EPOLLIN, .data.u64 = 7};
	MUST(epoll_ctl(set, EPOLL_CTL_ADD, mine[0], &event) == 0);
	MUST(write(mine[1], "x", 1) == 1);
	MUST(epoll_wait(set, &event, 1, 10000) == 1 && event.data.u64 == 7);
	return 0;
}

CASE(epoll_set_shared_by_two_cores)
{
	struct epoll_event event;
	pid_t child;
	int set;

	make_pipes();
	set = set_of(p[0], EPOLLIN);
	child = on_core(1, use_set, &set);
	CHECK(write(p[1], "x", 1) == 1);
	CHECK(end_of(child) == 0);
	CHECK(epoll_wait(set, &event, 1, 0) == 0); /* its pipe was closed with it */
}

/* --- Counters, timers, signals, processes --- */

static int add_to_counter(void *arg)
{
	uint64_t n = 5;

	MUST(write(*(int *)arg, &n, sizeof(n)) == (ssize_t)sizeof(n));
	return 0;
}

CASE(eventfd_counts_what_other_cores_add)
{
	int fd = eventfd(0, 0);
	uint64_t n = 0;
	pid_t a, b;

	a = on_core(1, add_to_counter, &fd);
	b = on_core(2, add_to_counter, &fd);
	CHECK(end_of(a) == 0 && end_of(b) == 0);
	CHECK(read(fd, &n, sizeof(n)) == (ssize_t)sizeof(n) && n == 10);
}

static int take_one(void *arg)
{
	uint64_t n = 0;

	MUST(read(*(int *)arg, &n, sizeof(n)) == (ssize_t)sizeof(n) && n == 1);
	return 0;
}

CASE(eventfd_as_a_semaphore_wakes_other_cores)
{
	int fd = eventfd(0, EFD_SEMAPHORE);
	uint64_t n = 2;
	pid_t a, b;

	a = on_core(1, take_one, &fd);
	b = on_core(2, take_one, &fd);
	CHECK(write(fd, &n, sizeof(n)) == (ssize_t)sizeof(n));
	CHECK(end_of(a) == 0 && end_of(b) == 0);
}

static int use_timer(void *arg)
{
	struct itimerspec when = {.it_value.tv_nsec = 20000000}, old;
	int fd = *(int *)arg;
	uint64_t n = 0;

	MUST(timerfd_gettime(fd, &old) == 0 && old.it_value.tv_sec > 90);
	MUST(timerfd_settime(fd, 0, &when, &old) == 0 && old.it_value.tv_sec > 90);
	MUST(read(fd, &n, sizeof(n)) == (ssize_t)sizeof(n) && n == 1);
	return 0;
}

CASE(timerfd_is_set_and_read_elsewhere)
{
	struct itimerspec when = {.it_value.tv_sec = 100};
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	CHECK(timerfd_settime(fd, 0, &when, NULL) == 0);
	CHECK(end_of(on_core(1, use_timer, &fd)) == 0);
	CHECK(timerfd_gettime(fd, &when) == 0 && when.it_value.tv_sec == 0);
}

static int read_signals(void *arg)
{
	struct signalfd_siginfo info;
	int fd = *(int *)arg;

	MUST(kill(getpid(), SIGUSR1) == 0);
	MUST(read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info));
	MUST(info.ssi_signo == SIGUSR1 && info.ssi_pid == (uint32_t)getpid());
	return 0;
}

CASE(signalfd_shows_the_signals_of_who_reads_it)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	fd = signalfd(-1, &set, 0);
	CHECK(fd >= 0);
	CHECK(end_of(on_core(1, read_signals, &fd)) == 0);
}

static int await_end(void *arg)
{
	struct pollfd fd = {.fd = *(int *)arg, .events = POLLIN};

	MUST(write(q[1], "r", 1) == 1);
	MUST(poll(&fd, 1, 10000) == 1 && fd.revents & POLLIN);
	return 0;
}

static int end_at_word(void *arg)
{
	(void)arg;
	return (int)read(p[0], &byte, 1) - 1;
}

CASE(pidfd_is_polled_on_another_core)
{
	pid_t child, watcher;
	int fd;

	make_pipes();
	child = on_core(1, end_at_word, NULL);
	fd = (int)syscall(SYS_pidfd_open, child, 0);
	CHECK(fd >= 0);
	watcher = on_core(2, await_end, &fd);
	CHECK(read(q[0], &byte, 1) == 1);
	CHECK(write(p[1], "x", 1) == 1);
	CHECK(end_of(watcher) == 0);
	CHECK(end_of(child) == 0);
}

static int own_signals(void *arg)
{
	sigset_t set;
	int sig;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	MUST(fcntl(p[0], F_SETOWN, getpid()) == 0 && fcntl(p[0], F_GETOWN) == getpid());
	MUST(fcntl(p[0], F_SETFL, O_ASYNC) == 0);
	MUST(write(q[1], "r", 1) == 1);
	MUST(sigwait(&set, &sig) == 0 && sig == SIGIO);
	return 0;
}

CASE(sigio_finds_its_owner_on_another_core)
{
	pid_t child;

	make_pipes();
	child = on_core(1, own_signals, NULL);
	CHECK(read(q[0], &byte, 1) == 1);
	CHECK(write(p[1], "x", 1) == 1);
	CHECK(end_of(child) == 0);
}
