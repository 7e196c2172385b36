/*
 * What system calls, faults, processes and signals cost: hake/bench --linux. See measure.h.
 */
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define PAGE 4096
/* Odd, so that it visits every page once, and far, so that no page is touched after its neighbour.
 */
#define STRIDE 37

static const char *program; /* this one's path */
static char *area;
static unsigned area_pages;
static pid_t partner;
static int there[2], back[2];

static void wait_for(pid_t pid)
{
	int status;

	bench_need(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "a child process");
}

static unsigned null_calls(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		syscall(SYS_getpid);
	return n;
}

/* One page more than is used, so that no large page fits either system's fancy by its size. */
static void map_area(unsigned n)
{
	area_pages = n + 1;
	area = mmap(NULL, area_pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	bench_need(area != MAP_FAILED, "mmap");
	madvise(area, area_pages * PAGE, MADV_NOHUGEPAGE);
}

static void unmap_area(void)
{
	munmap(area, area_pages * PAGE);
}

static unsigned touch_in_order(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		((volatile char *)area)[i * PAGE] = 1;
	return n;
}

/* @n is a power of two. */
static unsigned touch_scattered(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		((volatile char *)area)[(i * STRIDE & (n - 1)) * PAGE] = 1;
	return n;
}

/* Pages that a living child shares until they are written. */
static void share_area(unsigned n)
{
	char c;

	map_area(n);
	touch_in_order(n);
	bench_need(pipe(there) == 0, "pipe");
	partner = fork();
	if (partner == 0) {
		close(there[1]);
		_exit(read(there[0], &c, 1) != 0);
	}
	close(there[0]);
}

static void unshare_area(void)
{
	close(there[1]);
	wait_for(partner);
	unmap_area();
}

static unsigned map_touch_unmap(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		*(volatile char *)p = 1;
		munmap(p, 4 * PAGE);
	}
	return n;
}

static unsigned fork_exit_wait(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		wait_for(pid);
	}
	return n;
}

static unsigned fork_exec_wait(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			execl(program, program, "exit", NULL);
			_exit(1);
		}
		wait_for(pid);
	}
	return n;
}

/* A function of its own: a child that shares our memory leaves no trace in a loop's variables. */
static __attribute__((noinline)) pid_t vfork_exec(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl(program, program, "exit", NULL);
		_exit(1);
	}
	return pid;
}

static unsigned vfork_exec_wait(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		wait_for(vfork_exec());
	return n;
}

static unsigned spawn_wait(unsigned n)
{
	char *argv[] = {(char *)program, "exit", NULL}, *env[] = {NULL};

	for (unsigned i = 0; i < n; i++) {
		pid_t pid = -1;

		posix_spawn(&pid, program, NULL, NULL, argv, env);
		wait_for(pid);
	}
	return n;
}

static void start_echo(unsigned n)
{
	char c = 0;

	(void)n;
	bench_need(pipe(there) == 0 && pipe(back) == 0, "pipe");
	partner = fork();
	if (partner == 0) {
		close(there[1]);
		while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
			;
		_exit(0);
	}
	close(there[0]);
	close(back[1]);
}

static unsigned ping_pong(unsigned n)
{
	char c = 0;

	for (unsigned i = 0; i < n; i++)
		bench_need(write(there[1], &c, 1) == 1 && read(back[0], &c, 1) == 1, "ping-pong");
	return n;
}

static void stop_echo(void)
{
	close(there[1]);
	close(back[0]);
	wait_for(partner);
}

/* Whoever runs writes its number; reading another's means that the processor changed hands. */
static volatile struct {
	unsigned last, handovers;
	int stop;
} * turns;

static void take_turn(unsigned who)
{
	if (turns->last != who) {
		turns->last = who;
		turns->handovers++;
	}
	sched_yield();
}

static void start_yielding(unsigned n)
{
	(void)n;
	turns = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bench_need(turns != MAP_FAILED, "mmap");
	partner = fork();
	if (partner == 0) {
		while (!turns->stop)
			take_turn(1);
		_exit(0);
	}
}

/* How often the processor really changed hands is what counts. */
static unsigned yield(unsigned n)
{
	turns->handovers = 0;
	for (unsigned i = 0; i < n; i++)
		take_turn(0);
	return turns->handovers;
}

static void stop_yielding(void)
{
	turns->stop = 1;
	wait_for(partner);
	munmap((void *)turns, PAGE);
}

static void handler(int sig)
{
	(void)sig;
}

static void set_handler(unsigned n)
{
	(void)n;
	signal(SIGUSR1, handler);
}

static unsigned signal_self(unsigned n)
{
	pid_t pid = getpid();

	for (unsigned i = 0; i < n; i++)
		syscall(SYS_tgkill, pid, pid, SIGUSR1);
	return n;
}

static const struct bench_row rows[] = {
	{"null_call", 200, NULL, null_calls, NULL},
	{"page_fault", 64, map_area, touch_scattered, unmap_area},
	{"page_touched_in_order", 64, map_area, touch_in_order, unmap_area},
	{"copy_on_write_fault", 64, share_area, touch_scattered, unshare_area},
	{"mmap_touch_munmap", 20, NULL, map_touch_unmap, NULL},
	{"fork_exit_wait", 1, NULL, fork_exit_wait, NULL},
	{"fork_exec_wait", 1, NULL, fork_exec_wait, NULL},
	{"vfork_exec_wait", 1, NULL, vfork_exec_wait, NULL},
	{"posix_spawn_wait", 1, NULL, spawn_wait, NULL},
	{"pipe_ping_pong", 20, start_echo, ping_pong, stop_echo},
	{"context_switch", 50, start_yielding, yield, stop_yielding},
	{"signal_delivery", 50, set_handler, signal_self, NULL},
};

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "exit") == 0)
		return 0;
	program = argv[0];
	bench_start(argc, argv);
	bench_run(rows, sizeof(rows) / sizeof(*rows));
	return 0;
}
