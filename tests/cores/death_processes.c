/*
 * A core dies: processes, their relatives, who waits for them.
 */
#include "death.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

SCENARIO(a_child_there_was_killed)
{
	pid_t child = on_core(DOOMED, sleep_for_ever, NULL);

	usleep(100000);
	the_core_dies();
	CHECK(kill(child, 0) == 0); /* it is a zombie */
	CHECK(end_of(child) == -SIGKILL);
	CHECK_ERROR(kill(child, 0), ESRCH);
	CHECK_ERROR(waitpid(child, NULL, 0), ECHILD);
}

static int signals;

static void count_signal(int sig)
{
	(void)sig;
	signals++;
}

SCENARIO(a_waiting_parent_wakes_and_is_signalled)
{
	pid_t child = on_core(DOOMED, sleep_for_ever, NULL);
	int status;

	signal(SIGCHLD, count_signal);
	usleep(100000);
	the_core_dies();
	while (waitpid(-1, &status, 0) < 0)
		CHECK(errno == EINTR);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(signals == 1);
	CHECK_ERROR(kill(child, 0), ESRCH);
}

/* On the doomed core: one child there, and one that goes to another core. */
static int have_children(void *arg)
{
	pid_t here = fork(), there;

	(void)arg;
	MUST(here >= 0);
	if (!here)
		sleep_for_ever(NULL);
	there = fork();
	MUST(there >= 0);
	if (!there) {
		to_core(LIVING);
		shared[3] = getppid();
		shared[2] = getpid();
		await_death();
		for (int i = 0; i < 1000 && getppid() == shared[3]; i++)
			usleep(5000);
		shared[4] = getppid();
		_exit(7);
	}
	shared[1] = here;
	return sleep_for_ever(NULL);
}

static void await_family(void)
{
	while (!shared[1] || !shared[2])
		usleep(2000);
}

static bool in_proc(int pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return access(path, F_OK) == 0;
}

SCENARIO(orphans_elsewhere_get_init)
{
	pid_t child = on_core(DOOMED, have_children, NULL);

	await_family();
	CHECK(shared[3] == child);
	the_core_dies();
	CHECK(end_of(child) == -SIGKILL);
	while (!shared[4])
		usleep(2000);
	CHECK(shared[4] == 1);
}

SCENARIO(nothing_of_the_dead_is_found)
{
	pid_t child = on_core(DOOMED, have_children, NULL);

	await_family();
	CHECK(in_proc(child) && in_proc(shared[1]));
	the_core_dies();
	CHECK_ERROR(kill(shared[1], 0), ESRCH);
	CHECK_ERROR(getpgid(shared[1]), ESRCH);
	CHECK_ERROR(sched_getscheduler(shared[1]), ESRCH);
	CHECK_ERROR(syscall(SYS_pidfd_open, shared[1], 0), ESRCH);
	CHECK(!in_proc(shared[1]));
	CHECK(end_of(child) == -SIGKILL);
	CHECK(!in_proc(child));
}

SCENARIO(processes_start_as_ever)
{
	the_core_dies();
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();

		CHECK(child >= 0);
		if (!child) {
			to_core(i % DOOMED);
			execl("/proc/self/exe", "death", "17", NULL);
			_exit(99);
		}
		CHECK(end_of(child) == 17);
	}
}

SCENARIO(nobody_can_go_there)
{
	cpu_set_t one, now;

	the_core_dies();
	CPU_ZERO(&one);
	CPU_SET(DOOMED, &one);
	CHECK_ERROR(sched_setaffinity(0, sizeof(one), &one), EINVAL);
	CPU_SET(LIVING, &one);
	CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
	CHECK(sched_getaffinity(0, sizeof(now), &now) == 0);
	CHECK(CPU_ISSET(LIVING, &now));
	CHECK(sched_getcpu() == LIVING);
}
