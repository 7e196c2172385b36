/*
 * Random system calls with random arguments, as an unprivileged user: nobody but the process that
 * makes them may be harmed.
 *
 *   linux-fuzz [SEED [SECONDS]]
 *
 * A parent forks one child after the other; each makes some hundred calls. In the end the parent
 * shows that the system still does what it did before: forks, pipes, files.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NUMBERS     480
#define CALLS       400 /* of one child */
#define MEMORY      65536ul
#define CHILD_TURNS 400 /* of 10 ms each, before it is killed */
#define NOBODY      65534

static uint64_t state;
static char *memory;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dul;
}

static uint64_t random_argument(void)
{
	uint64_t r = next_random();

	switch (next_random() % 12) {
	case 0:
		return 0;
	case 1:
		return r % 8;
	case 2:
		return r % 256;
	case 3:
	case 4:
		return (uint64_t)memory + r % MEMORY;
	case 5:
		return -(r % 200);
	case 6:
		return r;
	case 7:
		return 1ul << r % 64;
	case 8:
		return (uint64_t)memory;
	case 9:
		return 4096 * (r % 16);
	case 10:
		return 0x7ffffffff000 - r % 3 * 4096;
	default:
		return r % 70000;
	}
}

/* Calls that would only end the child, or reach its parent, and output on the console. */
static int is_left_out(long number, uint64_t first)
{
	switch (number) {
	case SYS_exit:
	case SYS_exit_group:
	case SYS_pause:
	case SYS_rt_sigreturn:
	case SYS_vfork:
	case SYS_kill:
	case SYS_tkill:
		return 1;
	case SYS_write:
	case SYS_writev:
	case SYS_pwritev:
	case SYS_pwritev2:
		return first < 3;
	default:
		return 0;
	}
}

static void limit(int which, rlim_t value)
{
	struct rlimit l = {value, value};

	setrlimit(which, &l);
}

static void child(uint64_t seed)
{
	limit(RLIMIT_NPROC, 64);
	limit(RLIMIT_AS, 200 << 20);
	limit(RLIMIT_FSIZE, 1 << 20);
	setpgid(0, 0);
	if (setgid(NOBODY) || setuid(NOBODY))
		_exit(2);
	state = seed;
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (uint64_t i = 0; i < MEMORY / 8; i++)
		((uint64_t *)memory)[i] = random_argument();
	alarm(2);
	for (int i = 0; i < CALLS; i++) {
		long number = (long)(next_random() % NUMBERS);
		uint64_t first = random_argument();

		if (!is_left_out(number, first))
			syscall(number, first, random_argument(), random_argument(),
				random_argument(), random_argument(), random_argument());
	}
	_exit(0);
}

static void run_child(uint64_t seed)
{
	pid_t pid = fork();

	if (pid == 0)
		child(seed);
	for (int i = 0; i < CHILD_TURNS && pid > 0; i++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			pid = 0;
		else
			usleep(10000);
	}
	if (pid > 0) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Whether a child can still tell its parent something through a pipe. */
static int still_works(void)
{
	int fds[2], status;
	char c = 0;
	pid_t pid;

	if (pipe(fds))
		return 0;
	pid = fork();
	if (pid == 0)
		_exit(write(fds[1], "x", 1) == 1 ? 7 : 1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 7 << 8)
		return 0;
	return read(fds[0], &c, 1) == 1 && c == 'x';
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
	time_t end = time(NULL) + (argc > 2 ? atoi(argv[2]) : 15);
	unsigned long children = 0;

	printf("fuzz: seed %lu\n", seed);
	fflush(stdout);
	while (time(NULL) < end)
		run_child((seed * 7919 + ++children) * 0x9e3779b97f4a7c15ul);
	printf("fuzz: %lu children made %lu calls each at most\n", children, (unsigned long)CALLS);
	printf("@test name=random_calls_harm_nobody_else result=%s\n",
	       still_works() && children ? "pass" : "fail");
	return 0;
}
