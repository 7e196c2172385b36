/* Files that tell of events: eventfd, timerfd, signalfd, and epoll that watches them. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000l

static int ready(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static void sleep_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * MS};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* ---- eventfd ---- */

CASE(eventfd_adds_up_and_is_emptied_by_reading)
{
	int fd = eventfd(3, 0);
	uint64_t v = 4;

	CHECK(fd >= 0);
	CHECK(write(fd, &v, 8) == 8);
	CHECK(ready(fd, POLLIN | POLLOUT) == (POLLIN | POLLOUT));
	CHECK(read(fd, &v, 8) == 8 && v == 7);
	CHECK(ready(fd, POLLIN | POLLOUT) == POLLOUT);
}

CASE(eventfd_semaphore_counts_down_by_one)
{
	int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	uint64_t v;

	CHECK(read(fd, &v, 8) == 8 && v == 1);
	CHECK(read(fd, &v, 8) == 8 && v == 1);
	CHECK_ERROR(read(fd, &v, 8), EAGAIN);
}

CASE(eventfd_has_a_largest_value)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t v = UINT64_MAX - 1, one = 1, bad = UINT64_MAX;

	CHECK(write(fd, &v, 8) == 8);
	CHECK_ERROR(write(fd, &one, 8), EAGAIN);
	CHECK_ERROR(write(fd, &bad, 8), EINVAL);
	CHECK(ready(fd, POLLIN | POLLOUT) == POLLIN);
	CHECK_ERROR(read(fd, &v, 7), EINVAL);
	CHECK_ERROR(write(fd, &v, 7), EINVAL);
}

CASE(eventfd_wakes_who_waits_to_read)
{
	int fd = eventfd(0, 0), status;
	uint64_t v = 5;
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(read(fd, &v, 8) == 8);
		_exit((int)v);
	}
	sleep_ms(10);
	CHECK(write(fd, &v, 8) == 8);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
}

CASE(eventfd_errors)
{
	char c;

	CHECK_ERROR(syscall(SYS_eventfd2, 0, 0x10), EINVAL);
	CHECK(lseek(eventfd(0, 0), 5, SEEK_SET) == 0);
	CHECK_ERROR(pread(eventfd(0, 0), &c, 1, 0), ESPIPE);
	CHECK(fcntl(eventfd(0, EFD_CLOEXEC), F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(eventfd(0, EFD_NONBLOCK), F_GETFL) == (O_RDWR | O_NONBLOCK));
}

/* ---- timerfd ---- */

static int timer(int clock, long value_ns, long interval_ns, int flags)
{
	struct itimerspec it = {{0, interval_ns}, {0, value_ns}};
	int fd = timerfd_create(clock, flags);

	CHECK(fd >= 0);
	CHECK(timerfd_settime(fd, 0, &it, NULL) == 0);
	return fd;
}

CASE(timerfd_is_read_when_it_ends)
{
	int fd = timer(CLOCK_MONOTONIC, 5 * MS, 0, 0);
	uint64_t n;

	CHECK(read(fd, &n, 8) == 8 && n == 1);
	CHECK(ready(fd, POLLIN) == 0);
}

CASE(timerfd_counts_intervals)
{
	int fd = timer(CLOCK_BOOTTIME, 2 * MS, 2 * MS, TFD_NONBLOCK);
	struct itimerspec now;
	uint64_t n;

	CHECK_ERROR(read(fd, &n, 4), EINVAL);
	sleep_ms(30);
	CHECK(ready(fd, POLLIN) == POLLIN);
	CHECK(read(fd, &n, 8) == 8 && n >= 5);
	CHECK(timerfd_gettime(fd, &now) == 0);
	CHECK(now.it_interval.tv_nsec == 2 * MS && now.it_value.tv_nsec <= 2 * MS);
}

CASE(timerfd_absolute_time_in_the_past_ends_at_once)
{
	struct itimerspec it = {.it_value = {1, 0}};
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	uint64_t n;

	CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL) == 0);
	CHECK(read(fd, &n, 8) == 8 && n == 1);
}

CASE(timerfd_tells_the_old_setting)
{
	struct itimerspec it = {{3, 0}, {100, 0}}, old;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	CHECK(timerfd_settime(fd, 0, &it, NULL) == 0);
	CHECK(timerfd_settime(fd, 0, &(struct itimerspec){0}, &old) == 0);
	CHECK(old.it_interval.tv_sec == 3 && old.it_value.tv_sec >= 98);
	CHECK(timerfd_gettime(fd, &it) == 0 && it.it_value.tv_sec == 0);
}

CASE(timerfd_errors)
{
	struct itimerspec bad = {.it_value = {0, 1000000000}};
	int fd = timerfd_create(CLOCK_MONOTONIC, 0), other = eventfd(0, 0);

	CHECK_ERROR(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
	CHECK_ERROR(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
	CHECK_ERROR(timerfd_settime(fd, 0, &bad, NULL), EINVAL);
	CHECK_ERROR(timerfd_settime(fd, 64, &(struct itimerspec){0}, NULL), EINVAL);
	CHECK_ERROR(timerfd_settime(other, 0, &(struct itimerspec){0}, NULL), EINVAL);
	CHECK_ERROR(timerfd_gettime(99, &bad), EBADF);
	CHECK_ERROR(write(fd, "12345678", 8), EINVAL);
}

/* ---- signalfd ---- */

static sigset_t block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	return set;
}

CASE(signalfd_reads_who_sent)
{
	sigset_t set = block(SIGUSR1);
	int fd = signalfd(-1, &set, 0);
	struct signalfd_siginfo info;

	CHECK(fd >= 0 && ready(fd, POLLIN) == 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(ready(fd, POLLIN) == POLLIN);
	CHECK(read(fd, &info, sizeof(info)) == sizeof(info));
	CHECK(info.ssi_signo == SIGUSR1 && info.ssi_code == SI_USER);
	CHECK(info.ssi_pid == (uint32_t)getpid() && info.ssi_uid == getuid());
	CHECK(ready(fd, POLLIN) == 0);
}

CASE(signalfd_wakes_who_waits)
{
	sigset_t set = block(SIGUSR2);
	int fd = signalfd(-1, &set, 0);
	struct signalfd_siginfo info[3];
	pid_t pid = fork();

	if (pid == 0) {
		sleep_ms(10);
		kill(getppid(), SIGUSR2);
		_exit(0);
	}
	CHECK(read(fd, info, sizeof(info)) == sizeof(*info));
	CHECK(info->ssi_pid == (uint32_t)pid);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

CASE(signalfd_tells_of_children)
{
	sigset_t set = block(SIGCHLD);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	struct signalfd_siginfo info;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	pid_t pid = fork();

	if (pid == 0)
		_exit(9);
	CHECK(poll(&p, 1, 5000) == 1);
	CHECK(read(fd, &info, sizeof(info)) == sizeof(info));
	CHECK(info.ssi_code == CLD_EXITED && info.ssi_status == 9);
	CHECK(info.ssi_pid == (uint32_t)pid);
	CHECK_ERROR(read(fd, &info, sizeof(info)), EAGAIN);
}

CASE(signalfd_set_can_be_changed)
{
	sigset_t set = block(SIGUSR1), other = block(SIGUSR2);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	struct signalfd_siginfo info;

	CHECK(signalfd(fd, &other, 0) == fd);
	raise(SIGUSR1);
	CHECK_ERROR(read(fd, &info, sizeof(info)), EAGAIN);
	raise(SIGUSR2);
	CHECK(read(fd, &info, sizeof(info)) == sizeof(info) && info.ssi_signo == SIGUSR2);
	CHECK_ERROR(signalfd(eventfd(0, 0), &set, 0), EINVAL);
	CHECK_ERROR(signalfd(99, &set, 0), EBADF);
	CHECK_ERROR(signalfd(-1, &set, 1), EINVAL);
	CHECK_ERROR(read(fd, &info, 100), EINVAL);
}

/* ---- epoll ---- */

static int watch(int ep, int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.fd = fd};

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

CASE(epoll_tells_which_is_ready)
{
	int ep = epoll_create1(0), a = eventfd(0, 0), b = eventfd(0, 0);
	struct epoll_event e[4];
	uint64_t one = 1;

	CHECK(watch(ep, a, EPOLLIN) == 0 && watch(ep, b, EPOLLIN) == 0);
	CHECK(epoll_wait(ep, e, 4, 0) == 0);
	CHECK(write(b, &one, 8) == 8);
	CHECK(epoll_wait(ep, e, 4, 0) == 1);
	CHECK(e[0].events == EPOLLIN && e[0].data.fd == b);
	CHECK(epoll_wait(ep, e, 4, 0) == 1);
	CHECK(write(a, &one, 8) == 8);
	CHECK(epoll_wait(ep, e, 4, 0) == 2);
	CHECK(epoll_wait(ep, e, 1, 0) == 1);
}

CASE(epoll_takes_turns_when_there_is_room_for_one)
{
	int ep = epoll_create1(0), a = eventfd(1, 0), b = eventfd(1, 0), first;
	struct epoll_event e;

	CHECK(watch(ep, a, EPOLLIN) == 0 && watch(ep, b, EPOLLIN) == 0);
	CHECK(epoll_wait(ep, &e, 1, 0) == 1);
	first = e.data.fd;
	CHECK(epoll_wait(ep, &e, 1, 0) == 1 && e.data.fd != first);
}

CASE(epoll_edge_triggered_tells_once)
{
	int ep = epoll_create1(0), fd = eventfd(1, 0);
	struct epoll_event e;
	uint64_t one = 1;

	CHECK(watch(ep, fd, EPOLLIN | EPOLLET) == 0);
	CHECK(epoll_wait(ep, &e, 1, 0) == 1);
	CHECK(epoll_wait(ep, &e, 1, 0) == 0);
	CHECK(write(fd, &one, 8) == 8);
	CHECK(epoll_wait(ep, &e, 1, 0) == 1);
	CHECK(epoll_wait(ep, &e, 1, 0) == 0);
}

CASE(epoll_oneshot_must_be_armed_again)
{
	int ep = epoll_create1(0), fd = eventfd(1, 0);
	struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 77};

	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) == 0);
	CHECK(epoll_wait(ep, &e, 1, 0) == 1 && e.data.u64 == 77);
	CHECK(epoll_wait(ep, &e, 1, 0) == 0);
	e.events = EPOLLIN | EPOLLONESHOT;
	CHECK(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e) == 0);
	CHECK(epoll_wait(ep, &e, 1, 0) == 1);
}

CASE(epoll_tells_of_hangups_unasked)
{
	int ep = epoll_create1(0), p[2];
	struct epoll_event e;

	CHECK(pipe(p) == 0 && watch(ep, p[0], 0) == 0);
	CHECK(epoll_wait(ep, &e, 1, 0) == 0);
	close(p[1]);
	CHECK(epoll_wait(ep, &e, 1, 0) == 1 && e.events == EPOLLHUP);
}

CASE(epoll_forgets_what_is_closed)
{
	int ep = epoll_create1(0), fd = eventfd(1, 0), copy = dup(fd);
	struct epoll_event e;

	CHECK(watch(ep, fd, EPOLLIN) == 0);
	close(fd);
	CHECK(epoll_wait(ep, &e, 1, 0) == 1); /* open still, by its copy */
	close(copy);
	CHECK(epoll_wait(ep, &e, 1, 0) == 0);
}

CASE(epoll_waits_until_something_happens)
{
	int ep = epoll_create1(0), p[2];
	struct epoll_event e;
	pid_t pid;

	CHECK(pipe(p) == 0 && watch(ep, p[0], EPOLLIN) == 0);
	pid = fork();
	if (pid == 0) {
		sleep_ms(10);
		_exit(write(p[1], "x", 1) != 1);
	}
	CHECK(epoll_wait(ep, &e, 1, -1) == 1 && e.data.fd == p[0] && e.events == EPOLLIN);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

CASE(epoll_timeout_ends_the_wait)
{
	int ep = epoll_create1(0);
	struct epoll_event e;
	struct timespec ts = {0, 3 * MS};

	CHECK(epoll_wait(ep, &e, 1, 5) == 0);
	CHECK(syscall(SYS_epoll_pwait2, ep, &e, 1, &ts, NULL, 8) == 0);
	ts.tv_nsec = -1;
	CHECK_ERROR(syscall(SYS_epoll_pwait2, ep, &e, 1, &ts, NULL, 8), EINVAL);
}

static volatile sig_atomic_t caught;

static void on_alarm(int sig)
{
	(void)sig;
	caught++;
}

CASE(epoll_wait_is_interrupted_even_with_sa_restart)
{
	struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	int ep = epoll_create1(0);
	struct epoll_event e;

	sigaction(SIGALRM, &sa, NULL);
	ualarm(5000, 0);
	CHECK_ERROR(epoll_wait(ep, &e, 1, -1), EINTR);
	CHECK(caught == 1);
}

CASE(epoll_pwait_takes_a_blocked_signal)
{
	struct sigaction sa = {.sa_handler = on_alarm};
	int ep = epoll_create1(0);
	struct epoll_event e;
	sigset_t none, now;

	sigaction(SIGALRM, &sa, NULL);
	block(SIGALRM);
	raise(SIGALRM);
	sigemptyset(&none);
	CHECK_ERROR(epoll_pwait(ep, &e, 1, -1, &none), EINTR);
	CHECK(caught == 1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGALRM));
}

CASE(epoll_sets_can_be_watched)
{
	int inner = epoll_create1(0), outer = epoll_create1(0), fd = eventfd(0, 0);
	struct epoll_event e;
	uint64_t one = 1;

	CHECK(watch(outer, inner, EPOLLIN) == 0 && watch(inner, fd, EPOLLIN) == 0);
	CHECK(epoll_wait(outer, &e, 1, 0) == 0);
	CHECK(write(fd, &one, 8) == 8);
	CHECK(epoll_wait(outer, &e, 1, 0) == 1 && e.data.fd == inner);
	CHECK(ready(inner, POLLIN) == POLLIN);
	CHECK_ERROR(watch(inner, outer, EPOLLIN), ELOOP);
}

CASE(epoll_sets_nest_five_deep)
{
	int below = epoll_create1(0), set;

	for (int i = 0; i < 4; i++) {
		set = epoll_create1(0);
		CHECK(watch(set, below, EPOLLIN) == 0);
		below = set;
	}
	CHECK_ERROR(watch(epoll_create1(0), below, EPOLLIN), ELOOP);
}

CASE(epoll_ctl_errors)
{
	int ep = epoll_create1(0), fd = eventfd(0, 0), file;
	struct epoll_event e = {.events = EPOLLIN};

	CHECK_ERROR(syscall(SYS_epoll_create, 0), EINVAL);
	CHECK_ERROR(epoll_create1(1), EINVAL);
	CHECK_ERROR(epoll_ctl(99, EPOLL_CTL_ADD, fd, &e), EBADF);
	CHECK_ERROR(epoll_ctl(ep, EPOLL_CTL_ADD, 99, &e), EBADF);
	CHECK_ERROR(epoll_ctl(fd, EPOLL_CTL_ADD, ep, &e), EINVAL);
	CHECK_ERROR(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e), EINVAL);
	CHECK_ERROR(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e), ENOENT);
	CHECK_ERROR(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL), ENOENT);
	CHECK_ERROR(epoll_ctl(ep, EPOLL_CTL_ADD, fd, NULL), EFAULT);
	CHECK(watch(ep, fd, EPOLLIN) == 0);
	CHECK_ERROR(watch(ep, fd, EPOLLIN), EEXIST);
	CHECK_ERROR(epoll_ctl(ep, 4, fd, &e), EINVAL);
	CHECK(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL) == 0);
	file = open("/proc/self/exe", O_RDONLY);
	CHECK_ERROR(watch(ep, file, EPOLLIN), EPERM);
	CHECK_ERROR(epoll_wait(ep, &e, 0, 0), EINVAL);
	CHECK_ERROR(epoll_wait(fd, &e, 1, 0), EINVAL);
	CHECK_ERROR(epoll_wait(99, &e, 1, 0), EBADF);
}
