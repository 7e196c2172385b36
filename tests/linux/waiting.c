/* Waiting and talking: pipes, poll, select, futexes, sleeping, clocks. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

CASE(pipe_carries_bytes_in_order_to_another_process)
{
	unsigned char buffer[1000];
	int fds[2], status;
	unsigned next = 0;
	ssize_t n;
	pid_t pid;

	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		for (unsigned i = 0; i < 300000; i++) {
			unsigned char c = (unsigned char)(i * 7);

			buffer[i % 1000] = c;
			if (i % 1000 == 999 && write(fds[1], buffer, 1000) != 1000)
				_exit(1);
		}
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], buffer, 777)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			CHECK(buffer[i] == (unsigned char)(next++ * 7));
	}
	CHECK(n == 0 && next == 300000);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

CASE(write_without_readers_is_epipe_and_sigpipe)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	close(fds[0]);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERROR(write(fds[1], "x", 1), EPIPE);
}

CASE(nonblocking_pipe_is_eagain_when_full_or_empty)
{
	static char buffer[65536];
	int fds[2];
	char c;

	CHECK(pipe2(fds, O_NONBLOCK) == 0);
	CHECK_ERROR(read(fds[0], &c, 1), EAGAIN);
	CHECK(write(fds[1], buffer, sizeof(buffer)) == sizeof(buffer));
	CHECK_ERROR(write(fds[1], "x", 1), EAGAIN);
}

CASE(poll_tells_what_is_ready)
{
	int fds[2];
	struct pollfd p[3];

	CHECK(pipe(fds) == 0);
	p[0] = (struct pollfd){.fd = fds[0], .events = POLLIN};
	p[1] = (struct pollfd){.fd = fds[1], .events = POLLOUT};
	p[2] = (struct pollfd){.fd = 999, .events = POLLIN};
	CHECK(poll(p, 3, 0) == 2);
	CHECK(p[0].revents == 0 && p[1].revents == POLLOUT && p[2].revents == POLLNVAL);
	CHECK(write(fds[1], "x", 1) == 1);
	CHECK(poll(p, 1, -1) == 1 && p[0].revents == POLLIN);
	close(fds[1]);
	CHECK(poll(p, 1, -1) == 1 && p[0].revents == (POLLIN | POLLHUP));
}

CASE(poll_times_out)
{
	long long begin = now_ms();

	CHECK(poll(NULL, 0, 50) == 0);
	CHECK(now_ms() - begin >= 50);
}

CASE(poll_wakes_when_another_process_writes)
{
	struct pollfd p;
	int fds[2];
	pid_t pid;

	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		usleep(50000);
		_exit(write(fds[1], "x", 1) == 1 ? 0 : 1);
	}
	p = (struct pollfd){.fd = fds[0], .events = POLLIN};
	CHECK(poll(&p, 1, 5000) == 1 && p.revents == POLLIN);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static void nothing(int sig)
{
	(void)sig;
}

CASE(ppoll_is_interrupted_by_a_signal_it_unmasks)
{
	struct sigaction sa = {.sa_handler = nothing};
	struct timespec limit = {5, 0};
	sigset_t set, none;

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	raise(SIGUSR1);
	CHECK_ERROR(ppoll(NULL, 0, &limit, &none), EINTR);
}

CASE(select_tells_what_is_ready)
{
	struct timeval limit = {0, 10000};
	fd_set in, out;
	int fds[2];

	CHECK(pipe(fds) == 0);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fds[0], &in);
	FD_SET(fds[1], &out);
	CHECK(select(fds[1] + 1, &in, &out, NULL, &limit) == 1);
	CHECK(!FD_ISSET(fds[0], &in) && FD_ISSET(fds[1], &out));
	FD_ZERO(&in);
	FD_SET(fds[0], &in);
	CHECK(select(fds[0] + 1, &in, NULL, NULL, &limit) == 0);
	close(fds[0]);
	FD_SET(fds[0], &in);
	CHECK_ERROR(select(fds[0] + 1, &in, NULL, NULL, &limit), EBADF);
}

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

static long futex(int *word, int op, int value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

CASE(futex_wakes_across_processes_in_shared_memory)
{
	int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		while (*word == 0)
			futex(word, FUTEX_WAIT, 0, NULL);
		_exit(*word);
	}
	usleep(50000);
	*word = 5;
	futex(word, FUTEX_WAKE, 1, NULL);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
}

CASE(futex_wait_checks_value_alignment_and_timeout)
{
	struct timespec limit = {0, 10000000};
	int words[2] = {1, 0};

	CHECK_ERROR(futex(words, FUTEX_WAIT, 0, NULL), EAGAIN);
	CHECK_ERROR(futex(words, FUTEX_WAIT, 1, &limit), ETIMEDOUT);
	CHECK_ERROR(futex((int *)((char *)words + 1), FUTEX_WAIT, 1, NULL), EINVAL);
	CHECK_ERROR(futex((int *)0x1000, FUTEX_WAIT, 1, NULL), EFAULT);
	CHECK(futex(words, FUTEX_WAKE, 1, NULL) == 0);
}

CASE(nanosleep_sleeps_long_enough)
{
	struct timespec ts = {0, 30000000};
	long long begin = now_ms();

	CHECK(nanosleep(&ts, NULL) == 0);
	CHECK(now_ms() - begin >= 30);
	ts.tv_nsec = 1000000000;
	CHECK_ERROR(nanosleep(&ts, NULL), EINVAL);
}

CASE(clocks_run_forwards)
{
	struct timespec a, b;

	for (int i = 0; i < 1000; i++) {
		CHECK(clock_gettime(CLOCK_MONOTONIC, &a) == 0);
		CHECK(clock_gettime(CLOCK_MONOTONIC, &b) == 0);
		CHECK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
	}
	CHECK_ERROR(syscall(SYS_clock_gettime, 77, &a), EINVAL);
	CHECK(clock_getres(CLOCK_REALTIME, &a) == 0 && a.tv_sec == 0 && a.tv_nsec == 1);
}

CASE(absolute_sleep_ends_at_its_time)
{
	struct timespec until, now;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
	until.tv_nsec += 20000000;
	if (until.tv_nsec >= 1000000000)
		until.tv_sec++, until.tv_nsec -= 1000000000;
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	CHECK(now.tv_sec > until.tv_sec ||
	      (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
}

#define SEEN(i) __atomic_load_n(&counts[(i)*16], __ATOMIC_RELAXED)

CASE(busy_processes_share_the_processor)
{
	int *counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[3];

	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			for (;;)
				__atomic_fetch_add(&counts[i * 16], 1, __ATOMIC_RELAXED);
		}
	}
	/* Each has its turn while the others go on; on a busy host that may take a while. */
	for (int ms = 0; ms < 10000 && !(SEEN(0) && SEEN(1) && SEEN(2)); ms += 10)
		usleep(10000);
	for (int i = 0; i < 3; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < 3; i++) {
		CHECK(waitpid(pids[i], NULL, 0) == pids[i]);
		CHECK(SEEN(i) > 0);
	}
}

CASE(time_is_charged_to_its_process)
{
	struct rusage usage;
	struct tms tms;

	do
		CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
	while (usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec < 20000);
	CHECK(times(&tms) != -1 && tms.tms_utime >= 1);
	/* Linux counts the last few dozen pages late. */
	CHECK(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) != MAP_FAILED);
	CHECK(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > 0);
}
