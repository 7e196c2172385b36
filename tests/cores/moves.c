/*
 * Processes that move from core to core: what they have goes along.
 */
#include "check.h"
#include "cores.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE   4096u
#define ROUNDS 8

static uint8_t byte_at(size_t i, int round)
{
	return (uint8_t)(i * 7 + (i % PAGE == 5 ? (size_t)round : 0));
}

/* Check @n bytes that were written in the round before, and change one a page. */
static void check_and_change(uint8_t *p, size_t n, int round)
{
	for (size_t i = 0; i < n; i++) {
		MUST(p[i] == byte_at(i, round));
		if (i % PAGE == 5)
			p[i]++;
	}
}

static void *map(size_t bytes, int flags)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static void sleep_until_ms(int ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += ms * 1000000l;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

CASE(memory_goes_along)
{
	size_t n = 2u << 20;
	uint8_t *p = map(n, MAP_PRIVATE);

	for (size_t i = 0; i < n; i++)
		p[i] = byte_at(i, 0);
	for (int r = 0; r < ROUNDS; r++) {
		to_core(r + 1);
		check_and_change(p, n, r);
	}
}

CASE(large_pages_go_along)
{
	size_t n = 8u << 20;
	uint8_t *p = map(n, MAP_PRIVATE);

	for (size_t i = 0; i < n; i += PAGE)
		p[i + 5] = byte_at(i + 5, 0);
	for (int r = 0; r < 4; r++) {
		to_core(r + 1);
		for (size_t i = 0; i < n; i += PAGE) {
			CHECK(p[i + 5] == byte_at(i + 5, r));
			p[i + 5]++;
			CHECK(p[i + 6] == 0);
		}
	}
}

struct shared_page {
	uint32_t turn, n;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	pthread_barrier_t barrier;
};

static int write_mine(void *arg)
{
	uint8_t *p = arg;

	for (size_t i = 0; i < 64 * PAGE; i++)
		p[i] = 1;
	return 0;
}

CASE(copies_on_write_stay_apart)
{
	uint8_t *p = map(64 * PAGE, MAP_PRIVATE);
	pid_t child;

	memset(p, 7, 64 * PAGE);
	child = on_core(1, write_mine, p);
	for (size_t i = 0; i < 64 * PAGE; i++)
		CHECK(p[i] == 7);
	CHECK(end_of(child) == 0);
	for (size_t i = 0; i < 64 * PAGE; i++)
		CHECK(p[i] == 7);
	to_core(2);
	memset(p, 8, 64 * PAGE);
	child = on_core(3, write_mine, p);
	CHECK(end_of(child) == 0);
	CHECK(p[0] == 8 && p[63 * PAGE] == 8);
}

static int add_up(void *arg)
{
	struct shared_page *s = arg;

	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&s->lock);
		s->n++;
		pthread_mutex_unlock(&s->lock);
	}
	return 0;
}

static struct shared_page *share(int robust)
{
	struct shared_page *s = map(PAGE, MAP_SHARED);
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	pthread_barrierattr_t ba;

	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	if (robust)
		pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&s->lock, &ma);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&s->cond, &ca);
	pthread_barrierattr_init(&ba);
	pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&s->barrier, &ba, 3);
	return s;
}

CASE(mutex_between_cores)
{
	struct shared_page *s = share(0);
	pid_t child[4];

	for (int i = 0; i < 4; i++)
		child[i] = on_core(i, add_up, s);
	for (int i = 0; i < 4; i++)
		CHECK(end_of(child[i]) == 0);
	CHECK(s->n == 800);
}

static int take_turns(void *arg)
{
	struct shared_page *s = arg;

	for (uint32_t i = 0; i < 50; i++) {
		pthread_mutex_lock(&s->lock);
		while (s->turn % 2 == 0)
			pthread_cond_wait(&s->cond, &s->lock);
		s->turn++;
		pthread_cond_broadcast(&s->cond);
		pthread_mutex_unlock(&s->lock);
	}
	return 0;
}

CASE(condition_between_cores)
{
	struct shared_page *s = share(0);
	pid_t child = on_core(1, take_turns, s);

	for (uint32_t i = 0; i < 50; i++) {
		pthread_mutex_lock(&s->lock);
		while (s->turn % 2 == 1)
			pthread_cond_wait(&s->cond, &s->lock);
		s->turn++;
		pthread_cond_broadcast(&s->cond);
		pthread_mutex_unlock(&s->lock);
	}
	CHECK(end_of(child) == 0);
	CHECK(s->turn == 100);
}

static int meet(void *arg)
{
	struct shared_page *s = arg;

	for (int i = 0; i < 20; i++) {
		__atomic_add_fetch(&s->n, 1, __ATOMIC_SEQ_CST);
		pthread_barrier_wait(&s->barrier);
		MUST(__atomic_load_n(&s->n, __ATOMIC_SEQ_CST) == 3 * (uint32_t)(i + 1));
		pthread_barrier_wait(&s->barrier);
	}
	return 0;
}

CASE(barrier_between_cores)
{
	struct shared_page *s = share(0);
	pid_t child[3];

	for (int i = 0; i < 3; i++)
		child[i] = on_core(i, meet, s);
	for (int i = 0; i < 3; i++)
		CHECK(end_of(child[i]) == 0);
}

static int die_with_lock(void *arg)
{
	pthread_mutex_lock(&((struct shared_page *)arg)->lock);
	return 0;
}

CASE(robust_mutex_tells_of_a_death_elsewhere)
{
	struct shared_page *s = share(1);

	CHECK(end_of(on_core(1, die_with_lock, s)) == 0);
	CHECK(pthread_mutex_lock(&s->lock) == EOWNERDEAD);
}

static long futex(uint32_t *word, int op, uint32_t value, const void *arg)
{
	return syscall(SYS_futex, word, op, value, arg, NULL, 0);
}

static int wait_for_word(void *arg)
{
	uint32_t *word = arg;

	MUST(futex(word, FUTEX_WAIT, 1, NULL) == -1 && errno == EAGAIN);
	MUST(futex(word, FUTEX_WAIT, 0, &(struct timespec){0, 10000000}) == -1 &&
	     errno == ETIMEDOUT);
	while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0)
		futex(word, FUTEX_WAIT, 0, NULL);
	return 0;
}

CASE(futex_wakes_on_another_core)
{
	uint32_t *word = map(PAGE, MAP_SHARED);
	pid_t child[2] = {on_core(1, wait_for_word, word), on_core(2, wait_for_word, word)};

	sleep_until_ms(60);
	__atomic_store_n(word, 5, __ATOMIC_SEQ_CST);
	futex(word, FUTEX_WAKE, INT32_MAX, NULL);
	CHECK(end_of(child[0]) == 0 && end_of(child[1]) == 0);
}

static void nothing(int sig)
{
	(void)sig;
}

static int be_interrupted(void *arg)
{
	struct sigaction action = {.sa_handler = nothing};

	sigaction(SIGUSR1, &action, NULL);
	__atomic_store_n((uint32_t *)arg + 1, 1, __ATOMIC_SEQ_CST);
	MUST(futex(arg, FUTEX_WAIT, 0, NULL) == -1 && errno == EINTR);
	return 0;
}

CASE(signal_ends_a_wait_for_far_memory)
{
	uint32_t *word = map(PAGE, MAP_SHARED);
	pid_t child = on_core(1, be_interrupted, word);

	while (!__atomic_load_n(word + 1, __ATOMIC_SEQ_CST))
		sleep_until_ms(1);
	sleep_until_ms(30);
	CHECK(kill(child, SIGUSR1) == 0);
	CHECK(end_of(child) == 0);
}

static int fill_shared(void *arg)
{
	memset(arg, 9, 16 * PAGE);
	return 0;
}

CASE(shared_memory_is_one_on_all_cores)
{
	uint8_t *p = map(16 * PAGE, MAP_SHARED);

	CHECK(end_of(on_core(1, fill_shared, p)) == 0);
	for (size_t i = 0; i < 16 * PAGE; i++)
		CHECK(p[i] == 9);
	to_core(2);
	p[3 * PAGE] = 1;
	to_core(3);
	CHECK(p[3 * PAGE] == 1 && p[0] == 9);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int sig)
{
	(void)sig;
	alarms++;
}

CASE(interval_timer_goes_on)
{
	struct itimerval every = {{0, 5000}, {0, 5000}}, left;

	signal(SIGALRM, count_alarm);
	CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
	for (int r = 0; r < ROUNDS; r++) {
		int before = alarms;

		to_core(r + 1);
		for (int i = 0; i < 100 && alarms == before; i++)
			sleep_until_ms(5);
		CHECK(alarms > before);
	}
	CHECK(getitimer(ITIMER_REAL, &left) == 0 && left.it_interval.tv_usec == 5000);
}

CASE(timer_ends_on_the_new_core)
{
	struct itimerspec in = {.it_value = {0, 30000000}};
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 42};
	sigset_t set;
	siginfo_t info;
	timer_t timer;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &in, NULL) == 0);
	to_core(1);
	CHECK(sigtimedwait(&set, &info, &(struct timespec){5, 0}) == SIGUSR2);
	CHECK(info.si_code == SI_TIMER && info.si_value.sival_int == 42);
	CHECK(timer_delete(timer) == 0);
}

CASE(pending_signals_keep_what_is_known)
{
	union sigval value = {.sival_int = 0};
	sigset_t set;
	siginfo_t info;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (value.sival_int = 1; value.sival_int <= 20; value.sival_int++)
		CHECK(sigqueue(getpid(), SIGRTMIN, value) == 0);
	to_core(1);
	for (int i = 1; i <= 20; i++) {
		CHECK(sigtimedwait(&set, &info, &(struct timespec){5, 0}) == SIGRTMIN);
		CHECK(info.si_value.sival_int == i && info.si_pid == getpid());
	}
}

static volatile sig_atomic_t on_stack;
static uint8_t *stack_low;

static void where(int sig)
{
	uint8_t here;

	(void)sig;
	on_stack = &here >= stack_low && &here < stack_low + 64 * 1024;
}

CASE(alternate_stack_and_handlers_go_along)
{
	struct sigaction action = {.sa_handler = where, .sa_flags = SA_ONSTACK};
	stack_t stack = {.ss_size = 64 * 1024};

	stack.ss_sp = stack_low = map(64 * 1024, MAP_PRIVATE);
	CHECK(sigaltstack(&stack, NULL) == 0);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	to_core(1);
	CHECK(raise(SIGUSR1) == 0);
	CHECK(on_stack);
}

static volatile int stop;
static volatile uint64_t spins;
static uint64_t counted;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *spin(void *arg)
{
	while (!stop)
		spins++;
	return arg;
}

static void *doze(void *arg)
{
	while (!stop) {
		if (nanosleep(&(struct timespec){0, 2000000}, NULL))
			return NULL;
		pthread_mutex_lock(&lock);
		counted++;
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

CASE(threads_go_along)
{
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&thread[i], NULL, i ? doze : spin, &lock) == 0);
	for (int r = 0; r < ROUNDS; r++) {
		uint64_t before = spins, were;

		pthread_mutex_lock(&lock);
		were = counted;
		pthread_mutex_unlock(&lock);
		/* All of the process: Linux would move one thread. */
		to_core(r + 1);
		for (int i = 0; i < 200 && (spins == before || counted == were); i++)
			sleep_until_ms(5);
		CHECK(spins != before && counted != were);
	}
	stop = 1;
	for (int i = 0; i < 4; i++) {
		void *result;

		CHECK(pthread_join(thread[i], &result) == 0);
		CHECK(result == &lock);
	}
}

static double halves(double x)
{
	for (int i = 0; i < 50; i++)
		x = x / 2 + 1;
	return x;
}

CASE(registers_go_along)
{
	double x = 3.5, y = 3.5;

	for (int r = 0; r < ROUNDS; r++) {
		x = halves(x) * 1.25;
		to_core(r + 1);
		y = halves(y) * 1.25;
		CHECK(x == y);
	}
}

CASE(limits_and_mask_go_along)
{
	struct rlimit limit = {100, 200}, now;

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	umask(027);
	to_core(1);
	CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 100 && now.rlim_max == 200);
	CHECK(umask(0) == 027);
	for (int i = 0; i < 100; i++)
		CHECK(dup(1) >= 0 || (errno == EMFILE && i > 80));
}

CASE(used_time_goes_along)
{
	struct rusage before, after;

	for (volatile int i = 0; i < 20000000; i++)
		;
	CHECK(getrusage(RUSAGE_SELF, &before) == 0);
	to_core(1);
	CHECK(getrusage(RUSAGE_SELF, &after) == 0);
	CHECK(after.ru_utime.tv_sec > before.ru_utime.tv_sec ||
	      (after.ru_utime.tv_sec == before.ru_utime.tv_sec &&
	       after.ru_utime.tv_usec >= before.ru_utime.tv_usec));
}

static int fork_there(void *arg)
{
	uint8_t *p = arg;
	pid_t child;

	for (int i = 0; i < 5; i++) {
		child = fork();
		MUST(child >= 0);
		if (child == 0) {
			MUST(p[PAGE] == 3 + i);
			p[PAGE] = 99;
			_exit(i);
		}
		MUST(end_of(child) == i);
		MUST(p[PAGE] == 3 + i);
		p[PAGE]++;
	}
	return 0;
}

CASE(fork_after_a_move)
{
	uint8_t *p = map(4 * PAGE, MAP_PRIVATE);

	p[PAGE] = 3;
	CHECK(end_of(on_core(1, fork_there, p)) == 0);
	CHECK(p[PAGE] == 3);
}

/* Random moves of several at once, each of which checks its memory. */
static int wander(void *arg)
{
	size_t n = 32 * PAGE;
	uint8_t *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int seed = (unsigned int)(uintptr_t)arg + 1;
	int moves = getenv("MOVES") ? atoi(getenv("MOVES")) : 40;

	MUST(p != MAP_FAILED);
	for (size_t i = 0; i < n; i++)
		p[i] = byte_at(i, 0);
	for (int r = 0; r < moves; r++) {
		to_core(rand_r(&seed) % 4);
		check_and_change(p, n, r);
	}
	return 0;
}

CASE(wanderers_lose_nothing)
{
	pid_t child[6];

	for (uintptr_t i = 0; i < 6; i++)
		child[i] = on_core((int)i, wander, (void *)i);
	for (int i = 0; i < 6; i++)
		CHECK(end_of(child[i]) == 0);
}

/* A pipeline whose parts move while they work. */
struct stage {
	int in, out;
};

static int pass_on(void *arg)
{
	const struct stage *s = arg;
	unsigned int seed = (unsigned int)s->in;
	uint32_t expected = 0, word;
	ssize_t n;

	while ((n = read(s->in, &word, sizeof(word))) > 0) {
		MUST(n == sizeof(word) && word == expected++);
		if (word % 16 == 0)
			to_core(rand_r(&seed) % 4);
		MUST(write(s->out, &word, sizeof(word)) == sizeof(word));
	}
	MUST(n == 0);
	return 0;
}

CASE(pipeline_that_moves_loses_nothing)
{
	int first[2], second[2], third[2];
	struct stage a, b;
	pid_t child[2];
	uint32_t word;

	CHECK(pipe(first) == 0 && pipe(second) == 0 && pipe(third) == 0);
	fcntl(first[1], F_SETFD, FD_CLOEXEC);
	a = (struct stage){first[0], second[1]};
	b = (struct stage){second[0], third[1]};
	for (word = 0; word < 400; word++)
		CHECK(write(first[1], &word, sizeof(word)) == sizeof(word));
	close(first[1]);
	child[0] = on_core(1, pass_on, &a);
	close(second[1]);
	child[1] = on_core(2, pass_on, &b);
	close(third[1]);
	for (uint32_t i = 0; i < 400; i++)
		CHECK(read(third[0], &word, sizeof(word)) == sizeof(word) && word == i);
	CHECK(end_of(child[0]) == 0);
	CHECK(read(third[0], &word, sizeof(word)) == 0);
	CHECK(end_of(child[1]) == 0);
}
