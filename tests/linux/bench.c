/*
 * What system calls cost, in instructions: under QEMU's -icount shift=0 the time-stamp counter
 * counts them. The same binary runs on Linux; limits are what Linux 7.3.4 took in the same QEMU.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static void report(const char *name, uint64_t ticks, unsigned n, unsigned limit)
{
	printf("@bench name=%s value=%.0f unit=instructions", name, (double)ticks / n);
	if (limit)
		printf(" limit=%u", limit);
	printf("\n");
}

static void measure_null(void)
{
	enum { N = 2000 };
	uint64_t begin = tsc();

	for (int i = 0; i < N; i++)
		syscall(SYS_getpid);
	report("null_call", tsc() - begin, N, 354);
}

static void measure_faults(void)
{
	enum { N = 512 };
	char *p = mmap(NULL, N * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t begin = tsc();

	for (int i = 0; i < N; i++)
		p[i * 4096] = 1;
	report("page_fault", tsc() - begin, N, 0);
	munmap(p, N * 4096);
}

static void measure_mmap(void)
{
	enum { N = 200 };
	uint64_t begin = tsc();

	for (int i = 0; i < N; i++) {
		char *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		*p = 1;
		munmap(p, 16384);
	}
	report("mmap_touch_munmap", tsc() - begin, N, 0);
}

static void measure_fork(const char *program)
{
	enum { N = 20 };
	uint64_t begin = tsc();

	for (int i = 0; i < N; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			if (program)
				execl(program, program, "exit", NULL);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	report(program ? "fork_exec_exit_wait" : "fork_exit_wait", tsc() - begin, N,
	       program ? 482379 : 234535);
}

static void measure_pipe(void)
{
	enum { N = 300 };
	int there[2], back[2];
	uint64_t begin;
	char c = 0;
	pid_t pid;

	if (pipe(there) || pipe(back))
		exit(1);
	pid = fork();
	if (pid == 0) {
		close(there[1]);
		while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
			;
		_exit(0);
	}
	begin = tsc();
	for (int i = 0; i < N; i++) {
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			exit(1);
	}
	report("pipe_ping_pong", tsc() - begin, N, 15401);
	close(there[1]);
	waitpid(pid, NULL, 0);
}

static void handler(int sig)
{
	(void)sig;
}

static void measure_signal(void)
{
	enum { N = 500 };
	uint64_t begin;

	signal(SIGUSR1, handler);
	begin = tsc();
	for (int i = 0; i < N; i++)
		syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
	report("signal_delivery", tsc() - begin, N, 0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && argv[1][0] == 'e')
		return 0;
	measure_null();
	measure_faults();
	measure_mmap();
	measure_fork(NULL);
	measure_fork("/proc/self/exe");
	measure_pipe();
	measure_signal();
	return 0;
}
