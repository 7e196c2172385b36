/*
 * Locks of a file that processes on different cores have opened by name, each for itself: the file
 * lives on one of their cores, and no open file is shared.
 *
 * Source: fcntl(2) (Advisory record locking, Open file description locks), flock(2).
 */
#include "check.h"
#include "cores.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready[2], go[2]; /* children say that they are ready; and are told to go on */

static void begin(void)
{
	scratch();
	CHECK(pipe(ready) == 0 && pipe(go) == 0);
	CHECK(make("f", "0123456789") == 0 && make("g", "0123456789") == 0);
}

static void say(void)
{
	MUST(write(ready[1], "r", 1) == 1);
}

static void hear(int end)
{
	char byte;

	MUST(read(end, &byte, 1) == 1);
}

static int opened(const char *name)
{
	int fd = open(name, O_RDWR);

	MUST(fd >= 0);
	return fd;
}

static int record(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(fd, cmd, &l);
}

/* --- Excluding each other --- */

static int hold_record(void *arg)
{
	(void)arg;
	MUST(record(opened("f"), F_SETLK, F_WRLCK, 2, 3) == 0);
	say();
	hear(go[0]);
	return 0;
}

CASE(record_locks_exclude_each_other)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t child;
	int fd;

	begin();
	fd = opened("f");
	child = on_core(1, hold_record, NULL);
	hear(ready[0]);
	CHECK_ERROR(record(fd, F_SETLK, F_RDLCK, 4, 1), EAGAIN);
	CHECK(record(fd, F_SETLK, F_WRLCK, 5, 0) == 0 && record(fd, F_SETLK, F_RDLCK, 0, 2) == 0);
	CHECK(fcntl(fd, F_GETLK, &l) == 0);
	CHECK(l.l_type == F_WRLCK && l.l_pid == child && l.l_start == 2 && l.l_len == 3);
	CHECK(write(go[1], "g", 1) == 1 && end_of(child) == 0);
	CHECK(record(fd, F_SETLK, F_WRLCK, 0, 0) == 0); /* they end with the process */
}

static int try_all(void *arg)
{
	int fd = opened("f");

	(void)arg;
	MUST(flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK);
	MUST(record(fd, F_SETLK, F_WRLCK, 0, 0) == 0); /* a world of its own */
	say();
	MUST(flock(fd, LOCK_EX) == 0);
	MUST(record(fd, F_OFD_SETLK, F_WRLCK, 0, 1) == -1 && errno == EAGAIN);
	MUST(record(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
	MUST(record(fd, F_OFD_SETLK, F_WRLCK, 0, 1) == 0);
	say();
	hear(go[0]);
	return 0;
}

CASE(flock_is_waited_for_and_open_files_own_locks)
{
	pid_t child;
	int fd;

	begin();
	fd = opened("f");
	CHECK(flock(fd, LOCK_EX) == 0);
	child = on_core(1, try_all, NULL);
	hear(ready[0]);
	CHECK(flock(fd, LOCK_UN) == 0);
	hear(ready[0]);
	CHECK_ERROR(record(fd, F_OFD_SETLK, F_RDLCK, 0, 0), EAGAIN);
	CHECK_ERROR(flock(fd, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	CHECK(write(go[1], "g", 1) == 1);
	CHECK(record(fd, F_OFD_SETLKW, F_RDLCK, 0, 0) == 0);
	CHECK(flock(fd, LOCK_EX) == 0);
	CHECK(end_of(child) == 0);
}

/* --- Ends --- */

static int lock_and_close(void *arg)
{
	int fd = opened("f"), second = opened("f");

	(void)arg;
	MUST(record(fd, F_SETLK, F_WRLCK, 0, 0) == 0 && flock(second, LOCK_EX) == 0);
	say();
	hear(go[0]);
	MUST(close(second) == 0); /* its flock, and all record locks of the process */
	say();
	hear(go[0]);
	return 0;
}

CASE(what_close_ends_is_free_when_it_returns)
{
	pid_t child;
	int fd;

	begin();
	fd = opened("f");
	for (int i = 0; i < 20; i++) {
		child = on_core(1 + i % 3, lock_and_close, NULL);
		hear(ready[0]);
		CHECK_ERROR(record(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN);
		CHECK_ERROR(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
		CHECK(write(go[1], "g", 1) == 1);
		hear(ready[0]);
		CHECK(record(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
		CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
		CHECK(record(fd, F_SETLK, F_UNLCK, 0, 0) == 0 && flock(fd, LOCK_UN) == 0);
		CHECK(write(go[1], "g", 1) == 1 && end_of(child) == 0);
	}
}

static int lock_for_ever(void *arg)
{
	int fd = opened("f");

	(void)arg;
	MUST(record(fd, F_SETLK, F_WRLCK, 0, 0) == 0 && flock(fd, LOCK_EX) == 0);
	say();
	pause();
	return 0;
}

CASE(locks_of_the_killed_are_free)
{
	pid_t child;
	int fd;

	begin();
	fd = opened("f");
	child = on_core(1, lock_for_ever, NULL);
	hear(ready[0]);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(record(fd, F_SETLKW, F_WRLCK, 0, 0) == 0 && flock(fd, LOCK_EX) == 0);
	CHECK(end_of(child) == -SIGKILL);
}

static void on_signal(int sig)
{
	(void)sig;
}

static int wait_interrupted(void *arg)
{
	struct sigaction action = {.sa_handler = on_signal};
	int fd = opened("f");

	(void)arg;
	MUST(sigaction(SIGUSR1, &action, NULL) == 0);
	say();
	MUST(record(fd, F_SETLKW, F_WRLCK, 0, 0) == -1 && errno == EINTR);
	return 0;
}

CASE(a_signal_ends_the_wait)
{
	pid_t child;
	int fd, status;

	begin();
	fd = opened("f");
	CHECK(record(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
	child = on_core(1, wait_interrupted, NULL);
	hear(ready[0]);
	while (waitpid(child, &status, WNOHANG) == 0) {
		CHECK(kill(child, SIGUSR1) == 0);
		usleep(1000);
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK(record(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
}

/* --- Circles --- */

/* Returns 1 if it is the one that is refused. */
static int in_a_circle(void *arg)
{
	const char *const *names = arg;
	int first = opened(names[0]), second = opened(names[1]);

	MUST(record(first, F_SETLK, F_WRLCK, 0, 0) == 0);
	say();
	hear(go[0]);
	if (record(second, F_SETLKW, F_WRLCK, 0, 0) == 0)
		return 0;
	MUST(errno == EDEADLK);
	return 1;
}

CASE(who_would_close_a_circle_is_refused)
{
	static const char *const there[] = {"f", "g"}, *const back[] = {"g", "f"};
	pid_t one, other;

	begin();
	one = on_core(1, in_a_circle, (void *)there);
	hear(ready[0]);
	other = on_core(2, in_a_circle, (void *)back);
	hear(ready[0]);
	CHECK(write(go[1], "gg", 2) == 2);
	CHECK(end_of(one) + end_of(other) == 1);
}

/* --- What locks are for --- */

#define ROUNDS 40

static int count_up(void *arg)
{
	bool by_flock = arg != NULL;
	char text[12] = "";
	int fd = opened("f");

	for (int i = 0; i < ROUNDS; i++) {
		MUST((by_flock ? flock(fd, LOCK_EX) : record(fd, F_SETLKW, F_WRLCK, 0, 0)) == 0);
		MUST(pread(fd, text, 10, 0) == 10);
		snprintf(text, sizeof(text), "%010d", atoi(text) + 1);
		MUST(pwrite(fd, text, 10, 0) == 10);
		MUST((by_flock ? flock(fd, LOCK_UN) : record(fd, F_SETLK, F_UNLCK, 0, 0)) == 0);
	}
	return 0;
}

static void count_together(void *by_flock)
{
	pid_t child[4];

	begin();
	CHECK(make("f", "0000000000") == 0);
	for (int i = 0; i < 4; i++)
		child[i] = on_core(i, count_up, by_flock);
	for (int i = 0; i < 4; i++)
		CHECK(end_of(child[i]) == 0);
	CHECK(atoi(text_of("f")) == 4 * ROUNDS);
}

CASE(four_cores_count_under_a_record_lock)
{
	count_together(NULL);
}

CASE(four_cores_count_under_flock)
{
	count_together("");
}
