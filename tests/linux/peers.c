/* What processes may do to each other: memory, descriptors, comparing, waiting by descriptor. */
#include "check.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul

#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif

#define KCMP(a, b, type, x, y) syscall(SYS_kcmp, a, b, type, x, y)

static char shared_text[64] = "before";

/* A child that waits to be killed. */
static pid_t sleeper(void)
{
	int p[2];
	char c;
	pid_t pid;

	CHECK(pipe(p) == 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		strcpy(shared_text, "of the child");
		if (write(p[1], "x", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	CHECK(read(p[0], &c, 1) == 1);
	close(p[0]);
	close(p[1]);
	return pid;
}

static void end(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

CASE(process_vm_readv_reads_another)
{
	pid_t pid = sleeper();
	char buf[64] = "";
	struct iovec to[2] = {{buf, 3}, {buf + 3, 40}}, from = {shared_text, 13};

	CHECK(process_vm_readv(pid, to, 2, &from, 1, 0) == 13);
	CHECK(strcmp(buf, "of the child") == 0 && strcmp(shared_text, "before") == 0);
	end(pid);
}

CASE(process_vm_writev_writes_another)
{
	pid_t pid = sleeper();
	char buf[64] = "";
	struct iovec from = {"new", 4}, to = {shared_text, 4}, back = {buf, 4};

	CHECK(process_vm_writev(pid, &from, 1, &to, 1, 0) == 4);
	CHECK(process_vm_readv(pid, &back, 1, &to, 1, 0) == 4 && strcmp(buf, "new") == 0);
	CHECK(strcmp(shared_text, "before") == 0);
	end(pid);
}

CASE(process_vm_errors)
{
	pid_t pid = sleeper();
	char buf[8];
	int status;
	struct iovec to = {buf, 8}, bad = {(void *)8, 8},
		     from[2] = {{shared_text, 4}, {(void *)8, 4}};

	CHECK_ERROR(process_vm_readv(pid, &to, 1, &bad, 1, 0), EFAULT);
	CHECK(process_vm_readv(pid, &to, 1, from, 2, 0) == 4);
	CHECK_ERROR(process_vm_readv(pid, &to, 1, from, 1, 1), EINVAL);
	CHECK_ERROR(process_vm_readv(4000000, &to, 1, from, 1, 0), ESRCH);
	CHECK_ERROR(process_vm_readv(pid, &to, 1, from, 1025, 0), EINVAL);
	CHECK(process_vm_readv(pid, &to, 0, from, 1, 0) == 0);
	if (fork() == 0) {
		if (setresuid(1000, 1000, 1000))
			_exit(1);
		_exit(process_vm_readv(pid, &to, 1, from, 1, 0) != -1 || errno != EPERM);
	}
	CHECK(wait(&status) > 0 && status == 0);
	end(pid);
}

CASE(pidfd_getfd_duplicates_of_another)
{
	int p[2], q[2], pidfd, fd;
	char c = 0;
	pid_t pid;

	CHECK(pipe(p) == 0 && pipe(q) == 0);
	pid = fork();
	if (pid == 0) {
		int own[2];

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (pipe(own) || dup2(own[0], 77) != 77 || write(own[1], "z", 1) != 1 ||
		    write(p[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	CHECK(read(p[0], &c, 1) == 1);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, 77, 0);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(read(fd, &c, 1) == 1 && c == 'z');
	CHECK_ERROR(syscall(SYS_pidfd_getfd, pidfd, 78, 0), EBADF);
	CHECK_ERROR(syscall(SYS_pidfd_getfd, pidfd, 77, 1), EINVAL);
	CHECK_ERROR(syscall(SYS_pidfd_getfd, p[0], 77, 0), EBADF);
	end(pid);
	CHECK_ERROR(syscall(SYS_pidfd_getfd, pidfd, 77, 0), ESRCH);
}

CASE(kcmp_tells_what_is_shared)
{
	int p[2], copy;
	pid_t pid = sleeper(), me = getpid();

	CHECK(pipe(p) == 0);
	copy = dup(p[0]);
	CHECK(KCMP(me, me, 0, p[0], copy) == 0);
	CHECK(KCMP(me, me, 0, p[0], p[1]) > 0);
	CHECK(KCMP(me, me, 1, 0, 0) == 0);
	CHECK(KCMP(me, pid, 1, 0, 0) > 0);
	CHECK(KCMP(me, pid, 2, 0, 0) > 0);
	CHECK(KCMP(me, pid, 1, 0, 0) == 3 - KCMP(pid, me, 1, 0, 0));
	CHECK_ERROR(KCMP(me, me, 0, p[0], 99), EBADF);
	CHECK_ERROR(KCMP(me, me, 99, 0, 0), EINVAL);
	CHECK_ERROR(KCMP(me, 4000000, 1, 0, 0), ESRCH);
	end(pid);
}

CASE(kcmp_of_a_file_inherited)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	pid_t pid = sleeper();

	CHECK(KCMP(getpid(), pid, 0, fd, fd) == 0);
	end(pid);
}

CASE(process_madvise_gives_hints)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid = sleeper();
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct iovec at = {p, PAGE};

	CHECK(syscall(SYS_process_madvise, pidfd, &at, 1, 20, 0) == (long)PAGE);
	CHECK_ERROR(syscall(SYS_process_madvise, pidfd, &at, 1, MADV_DONTNEED, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_process_madvise, pidfd, &at, 1, 20, 1), EINVAL);
	CHECK_ERROR(syscall(SYS_process_madvise, 99, &at, 1, 20, 0), EBADF);
	end(pid);
}

CASE(process_mrelease_wants_the_dying)
{
	pid_t pid = sleeper();
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	CHECK_ERROR(syscall(SYS_process_mrelease, pidfd, 1), EINVAL);
	CHECK_ERROR(syscall(SYS_process_mrelease, pidfd, 0), EINVAL);
	end(pid);
	CHECK_ERROR(syscall(SYS_process_mrelease, pidfd, 0), ESRCH);
}
