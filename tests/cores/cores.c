/*
 * See cores.h.
 */
#include "cores.h"
#include "check.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void must(bool condition, const char *file, int line, const char *what)
{
	if (condition)
		return;
	dprintf(2, "%s:%d: %s: %s\n", file, line, what, strerror(errno));
	_exit(99);
}

static int count_cores(void)
{
	static int count;
	cpu_set_t all;

	if (!count) {
		CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
		count = CPU_COUNT(&all);
		CHECK(count > 1);
	}
	return count;
}

void to_core(int n)
{
	cpu_set_t one;
	int core = n % count_cores();
	unsigned now = 99;

	CPU_ZERO(&one);
	CPU_SET((size_t)core, &one);
	MUST(sched_setaffinity(0, sizeof(one), &one) == 0);
	MUST(syscall(SYS_getcpu, &now, NULL, NULL) == 0 && now == (unsigned)core);
}

pid_t on_core(int n, int (*fn)(void *arg), void *arg)
{
	pid_t child;

	count_cores(); /* before anybody is bound to one */
	child = fork();
	CHECK(child >= 0);
	if (child)
		return child;
	to_core(n);
	_exit(fn(arg));
}

int end_of(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}
