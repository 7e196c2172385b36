/* Futexes: futex(2)'s operations, and the calls that it was taken apart into. */
#include "check.h"

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT        0
#define WAKE        1
#define REQUEUE     3
#define CMP_REQUEUE 4
#define WAKE_OP     5
#define WAIT_BITSET 9
#define WAKE_BITSET 10
#define PRIVATE     128

#define MS          1000000l
#define U32         2u
#define U32_PRIVATE (U32 | 128u)

#define SYS_waitv   449
#define SYS_wake    454
#define SYS_wait_   455
#define SYS_requeue 456

struct waitv {
	uint64_t value, addr;
	uint32_t flags, reserved;
};

static uint32_t *words; /* shared with children */

static long futex(uint32_t *word, int op, uint32_t value, void *timeout, uint32_t *second,
		  uint32_t more)
{
	return syscall(SYS_futex, word, op, value, timeout, second, more);
}

static void share(void)
{
	words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(words != MAP_FAILED);
}

static void sleep_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * MS};

	nanosleep(&ts, NULL);
}

/* A child that waits at a word with a mask, and ends when it is woken. */
static pid_t waiter(uint32_t *word, uint32_t mask)
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(10);
		_exit(futex(word, WAIT_BITSET, 0, NULL, NULL, mask) != 0);
	}
	CHECK(pid > 0);
	return pid;
}

static int ended(pid_t pid)
{
	int status;

	return waitpid(pid, &status, WNOHANG) == pid && status == 0;
}

/* Wake until @n have been woken: they may not wait yet. */
static void wake_until(uint32_t *word, int n)
{
	for (int i = 0; n > 0 && i < 2000; i++) {
		long woken = futex(word, WAKE, 1, NULL, NULL, 0);

		CHECK(woken >= 0);
		n -= (int)woken;
		sleep_ms(1);
	}
	CHECK(n == 0);
}

CASE(wake_wakes_so_many)
{
	pid_t a, b;

	share();
	a = waiter(words, ~0u);
	b = waiter(words, ~0u);
	wake_until(words, 1);
	sleep_ms(20);
	CHECK(ended(a) + ended(b) == 1);
	wake_until(words, 1);
	CHECK(wait(NULL) > 0);
}

CASE(wake_of_nobody_is_zero)
{
	uint32_t word = 0;

	CHECK(futex(&word, WAKE | PRIVATE, 1, NULL, NULL, 0) == 0);
	CHECK(futex((uint32_t *)0x10000, WAKE | PRIVATE, 1, NULL, NULL, 0) == 0);
	CHECK_ERROR(futex((uint32_t *)((char *)&word + 2), WAKE, 1, NULL, NULL, 0), EINVAL);
}

CASE(bitset_selects_whom_to_wake)
{
	pid_t a, b;

	share();
	a = waiter(words, 1);
	b = waiter(words, 2);
	sleep_ms(50);
	CHECK(futex(words, WAKE_BITSET, 10, NULL, NULL, 4) == 0);
	CHECK_ERROR(futex(words, WAKE_BITSET, 10, NULL, NULL, 0), EINVAL);
	CHECK_ERROR(futex(words, WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
	for (int i = 0; i < 2000 && futex(words, WAKE_BITSET, 10, NULL, NULL, 2) == 0; i++)
		sleep_ms(1);
	CHECK(waitpid(b, NULL, 0) == b);
	wake_until(words, 1);
	CHECK(waitpid(a, NULL, 0) == a);
}

CASE(requeued_ones_wait_elsewhere)
{
	pid_t a, b;
	long moved = 0;

	share();
	a = waiter(&words[0], ~0u);
	b = waiter(&words[0], ~0u);
	sleep_ms(50);
	CHECK_ERROR(futex(&words[0], CMP_REQUEUE, 0, (void *)2, &words[1], 7), EAGAIN);
	for (int i = 0; i < 2000 && moved < 2; i++, sleep_ms(1))
		moved += futex(&words[0], CMP_REQUEUE, 0, (void *)2, &words[1], 0);
	CHECK(moved == 2);
	CHECK(futex(&words[0], WAKE, 10, NULL, NULL, 0) == 0);
	CHECK(futex(&words[1], WAKE, 10, NULL, NULL, 0) == 2);
	CHECK(waitpid(a, NULL, 0) == a && waitpid(b, NULL, 0) == b);
}

CASE(wake_op_changes_the_second_word)
{
	uint32_t first = 0, second = 5;

	/* second |= 8; wake there, too, if it was 5 */
	CHECK(futex(&first, WAKE_OP, 1, (void *)1, &second, 2u << 28 | 8u << 12 | 5u) == 0);
	CHECK(second == 13);
	CHECK_ERROR(futex(&first, 99, 0, NULL, NULL, 0), ENOSYS);
}

CASE(absolute_timeout_of_a_bitset_wait)
{
	struct timespec ts, past = {1, 0}, bad = {0, -1};
	uint32_t word = 0;

	CHECK_ERROR(futex(&word, WAIT_BITSET, 0, &past, NULL, ~0u), ETIMEDOUT);
	CHECK_ERROR(futex(&word, WAIT, 0, &bad, NULL, 0), EINVAL);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += 5 * MS;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	CHECK_ERROR(futex(&word, WAIT_BITSET, 0, &ts, NULL, ~0u), ETIMEDOUT);
}

static void on_alarm(int sig)
{
	(void)sig;
}

CASE(interrupted_wait_is_eintr)
{
	struct sigaction sa = {.sa_handler = on_alarm};
	struct timespec ts = {100, 0};
	uint32_t word = 0;

	sigaction(SIGALRM, &sa, NULL);
	ualarm(5000, 0);
	CHECK_ERROR(futex(&word, WAIT | PRIVATE, 0, &ts, NULL, 0), EINTR);
	ualarm(5000, 0);
	CHECK_ERROR(futex(&word, WAIT | PRIVATE, 0, NULL, NULL, 0), EINTR);
}

/* ---- the newer calls: where there are any ---- */

static bool has_waitv(void)
{
	return syscall(SYS_waitv, NULL, 0, 0, NULL, 0) == -1 && errno != ENOSYS;
}

static bool has_futex2(void)
{
	return syscall(SYS_wake, &has_futex2, 0, 0, 0) == -1 && errno != ENOSYS;
}

CASE(waitv_tells_which_was_woken)
{
	struct waitv list[2];
	int status;
	pid_t pid;

	share();
	if (!has_waitv())
		return;
	list[0] = (struct waitv){0, (uintptr_t)&words[0], U32, 0};
	list[1] = (struct waitv){0, (uintptr_t)&words[1], U32, 0};
	pid = fork();
	if (pid == 0) {
		alarm(10);
		_exit((int)syscall(SYS_waitv, list, 2, 0, NULL, 0));
	}
	wake_until(&words[1], 1);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 1);
}

CASE(waitv_errors)
{
	uint32_t word = 3;
	struct waitv w = {4, (uintptr_t)&word, U32_PRIVATE, 0}, bad = w;
	struct timespec past = {0, 1};

	if (!has_waitv())
		return;
	CHECK_ERROR(syscall(SYS_waitv, &w, 1, 0, NULL, 0), EAGAIN);
	CHECK_ERROR(syscall(SYS_waitv, &w, 1, 1, NULL, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_waitv, &w, 0, 0, NULL, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_waitv, &w, 129, 0, NULL, 0), EINVAL);
	bad.flags = 0x100;
	CHECK_ERROR(syscall(SYS_waitv, &bad, 1, 0, NULL, 0), EINVAL);
	bad = w;
	bad.reserved = 1;
	CHECK_ERROR(syscall(SYS_waitv, &bad, 1, 0, NULL, 0), EINVAL);
	w.value = 3;
	CHECK_ERROR(syscall(SYS_waitv, &w, 1, 0, &past, CLOCK_MONOTONIC), ETIMEDOUT);
}

CASE(futex2_waits_and_wakes)
{
	int status;
	pid_t pid;

	share();
	if (!has_futex2())
		return;
	pid = fork();
	if (pid == 0) {
		alarm(10);
		_exit(syscall(SYS_wait_, words, 0, 1, U32, NULL, 0) != 0);
	}
	for (int i = 0; i < 2000 && syscall(SYS_wake, words, 1, 1, U32) == 0; i++)
		sleep_ms(1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(syscall(SYS_wake, words, 1, 1, U32) == 0);
	CHECK_ERROR(syscall(SYS_wait_, words, 5, 1, U32, NULL, 0), EAGAIN);
	CHECK_ERROR(syscall(SYS_wait_, words, 0, 0, U32, NULL, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_wait_, words, 0, 1, 0x40, NULL, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_wake, words, 0, 1, U32), EINVAL);
}

CASE(futex2_requeues)
{
	struct waitv list[2];
	long moved = 0;
	pid_t a;

	share();
	if (!has_futex2())
		return;
	list[0] = (struct waitv){0, (uintptr_t)&words[0], U32, 0};
	list[1] = (struct waitv){0, (uintptr_t)&words[1], U32, 0};
	a = waiter(&words[0], ~0u);
	for (int i = 0; i < 2000 && moved < 1; i++, sleep_ms(1))
		moved += syscall(SYS_requeue, list, 0, 0, 1);
	CHECK(moved == 1 && futex(&words[1], WAKE, 1, NULL, NULL, 0) == 1);
	CHECK(waitpid(a, NULL, 0) == a);
	list[0].value = 9;
	CHECK_ERROR(syscall(SYS_requeue, list, 0, 0, 1), EAGAIN);
	CHECK_ERROR(syscall(SYS_requeue, list, 1, 0, 1), EINVAL);
}
