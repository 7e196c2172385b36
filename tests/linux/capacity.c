/*
 * Many processes: a thousand that live at once, ten thousand one after the other, deep and wide; a
 * fork that fails for want of something says so.
 */
#include "check.h"
#include "crowd.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE    150 /* seconds, where a case is longer than others */
#define LIVE        1000
#define GENERATIONS 10 /* of WIDE children: 10,000 forks */
#define WIDE        1000
#define DEEP        500 /* processes, each the child of the one before */

CASE(a_thousand_processes_live_at_once)
{
	int gate[2];

	alarm(PATIENCE);
	CHECK(pipe(gate) == 0);
	CHECK(fork_waiting(LIVE, gate) == LIVE);
	close(gate[1]);
	CHECK(wait_all() == LIVE);
}

CASE(ten_thousand_forks_wide)
{
	alarm(PATIENCE);
	for (int g = 0; g < GENERATIONS; g++) {
		for (int i = 0; i < WIDE; i++) {
			pid_t pid = fork();

			CHECK(pid >= 0);
			if (pid == 0)
				_exit(0);
		}
		CHECK(wait_all() == WIDE);
	}
}

/* Each is the parent of the next, and tells of it by its own status. */
static int descend(int depth)
{
	pid_t pid;
	int status = 0;

	if (depth == 0)
		return 0;
	pid = fork();
	if (pid == 0)
		_exit(descend(depth - 1));
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

CASE(processes_can_be_nested_deeply)
{
	CHECK(descend(DEEP) == 0);
}

/* As a user who may have ten processes. */
CASE(fork_over_the_limit_of_processes_is_eagain)
{
	struct rlimit limit = {10, 10};
	int gate[2], n;

	CHECK(pipe(gate) == 0);
	CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
	CHECK(getuid() || setuid(54321) == 0);
	n = fork_waiting(100, gate);
	CHECK(n < 10);
	CHECK_ERROR(fork(), EAGAIN);
	close(gate[1]);
	CHECK(wait_all() == n);
}
