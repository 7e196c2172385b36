/*
 * When memory runs out: a call fails, or the largest process is killed; the system never dies, and
 * what was taken comes back.
 *
 * On a small machine of its own only.
 */
#include "check.h"
#include "crowd.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE  100 /* seconds */
#define SLACK_KIB 8192u
#define PIECE     (1ul << 20)
#define CROWD     20000

/* Touch more and more memory, of a kind of mapping, until killed. */
static void take_all(void *flags)
{
	for (;;) {
		char *piece = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, *(int *)flags, -1, 0);

		if (piece == MAP_FAILED)
			_exit(3);
		memset(piece, 1, PIECE);
	}
}

/* Whether a process that takes all is killed, and all of it comes back. */
static void takes_all_and_is_killed(int flags)
{
	unsigned long before;
	int status;

	alarm(PATIENCE);
	status = in_child(take_all, &flags); /* the first time fills what is kept */
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	before = meminfo("MemFree:");
	status = in_child(take_all, &flags);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(meminfo("MemFree:") + SLACK_KIB >= before);
}

CASE(who_takes_all_private_memory_is_killed)
{
	takes_all_and_is_killed(MAP_PRIVATE | MAP_ANONYMOUS);
}

CASE(who_takes_all_shared_memory_is_killed)
{
	takes_all_and_is_killed(MAP_SHARED | MAP_ANONYMOUS);
}

/* The small one lives, whoever of the two touched the page too many. */
CASE(the_largest_process_is_killed)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS, status;
	pid_t small = fork();

	alarm(PATIENCE);
	if (small == 0) {
		for (;;)
			pause();
	}
	status = in_child(take_all, &flags);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(kill(small, 0) == 0 && waitpid(small, NULL, WNOHANG) == 0);
	kill(small, SIGTERM);
	CHECK(waitpid(small, &status, 0) == small);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

CASE(a_mapping_larger_than_memory_is_enomem)
{
	CHECK_ERROR(mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0),
		    ENOMEM);
	CHECK(mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED);
}

CASE(read_into_memory_that_cannot_be_had_kills_or_fails)
{
	char *all = mmap(NULL, 1ul << 30, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int status, fd = open("/dev/zero", O_RDONLY);
	pid_t pid = fork();

	alarm(PATIENCE);
	if (pid == 0) {
		for (long n, at = 0; at < 1l << 30; at += n) {
			n = read(fd, all + at, PIECE);
			if (n <= 0)
				_exit(errno == EFAULT || errno == ENOMEM ? 3 : 4);
		}
		_exit(5);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) || status == 3 << 8);
}

/* Far more than there is room for: fork fails in the end, and all who live answer. */
CASE(fork_fails_when_memory_is_used_up)
{
	int gate[2], n, error;

	alarm(PATIENCE);
	CHECK(pipe(gate) == 0);
	n = fork_waiting(CROWD, gate);
	error = errno;
	CHECK(n == CROWD || error == EAGAIN || error == ENOMEM);
	CHECK(n >= 100);
	close(gate[1]);
	CHECK(wait_all() == n);
}

CASE(files_that_fill_memory_are_enospc)
{
	static char piece[PIECE];
	unsigned long before = meminfo("MemFree:");
	int fd = open("/tmp/all", O_RDWR | O_CREAT | O_TRUNC, 0600);
	ssize_t n = 0;
	int error;

	alarm(PATIENCE);
	CHECK(fd >= 0);
	for (int i = 0; i < 4096 && (n = write(fd, piece, PIECE)) > 0; i++)
		;
	error = errno;
	CHECK(n < 0 && (error == ENOSPC || error == ENOMEM));
	CHECK(unlink("/tmp/all") == 0 && close(fd) == 0);
	CHECK(meminfo("MemFree:") + SLACK_KIB >= before);
}
