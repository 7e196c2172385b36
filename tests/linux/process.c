/* Processes: fork, vfork, exec, exit, wait, groups, sessions. */
#include "check.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void exit_with(void *arg)
{
	_exit((int)(intptr_t)arg);
}

static void kill_self(void *arg)
{
	signal((int)(intptr_t)arg, SIG_DFL);
	kill(getpid(), (int)(intptr_t)arg);
	pause();
}

CASE(child_has_a_copy_of_memory)
{
	volatile int value = 1;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		value = 2;
		_exit(value);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 2);
	CHECK(value == 1);
}

CASE(child_sees_writes_to_shared_memory_and_parent_its)
{
	int *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	CHECK(p != MAP_FAILED);
	*p = 1;
	pid = fork();
	if (pid == 0) {
		*p += 1;
		_exit(0);
	}
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(*p == 2);
}

CASE(exit_status_is_its_low_eight_bits)
{
	CHECK(in_child(exit_with, (void *)0x1ff) == 0xff00);
	CHECK(in_child(exit_with, (void *)0) == 0);
}

CASE(status_of_a_killed_child_is_its_signal)
{
	int status = in_child(kill_self, (void *)SIGTERM);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	status = in_child(kill_self, (void *)SIGKILL);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

CASE(wait_without_children_is_echild)
{
	CHECK_ERROR(wait(NULL), ECHILD);
	CHECK_ERROR(waitpid(getppid(), NULL, 0), ECHILD);
}

CASE(wnohang_returns_zero_while_the_child_runs)
{
	int fds[2];
	pid_t pid;
	char c;

	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		_exit(read(fds[0], &c, 1) == 0 ? 7 : 8);
	}
	close(fds[0]);
	CHECK(waitpid(pid, NULL, WNOHANG) == 0);
	close(fds[1]);
	int status;
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WEXITSTATUS(status) == 7);
}

CASE(wait_by_group_takes_only_that_group)
{
	int status;
	pid_t a = fork();

	if (a == 0) {
		setpgid(0, 0);
		_exit(3);
	}
	setpgid(a, a);
	pid_t b = fork();
	if (b == 0)
		_exit(4);
	CHECK(waitpid(-a, &status, 0) == a);
	CHECK(WEXITSTATUS(status) == 3);
	CHECK(waitpid(0, &status, 0) == b);
}

CASE(waitid_tells_who_and_how)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(5);
	memset(&info, 0, sizeof(info));
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	CHECK(info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 5);
	CHECK(info.si_signo == SIGCHLD);
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED) == 0);
	CHECK_ERROR(waitid(P_PID, (id_t)pid, &info, WEXITED), ECHILD);
}

CASE(stopped_and_continued_children_are_reported)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			pause();
	}
	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK(kill(pid, SIGCONT) == 0);
	CHECK(waitpid(pid, &status, WCONTINUED) == pid);
	CHECK(WIFCONTINUED(status));
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status));
}

CASE(ignored_sigchld_leaves_no_zombies)
{
	signal(SIGCHLD, SIG_IGN);
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	CHECK_ERROR(waitpid(pid, NULL, 0), ECHILD);
}

CASE(orphans_become_children_of_the_reaper)
{
	int fds[2];
	pid_t parent;

	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	CHECK(pipe(fds) == 0);
	if (fork() == 0) {
		if (fork() == 0) {
			pid_t first = getppid(), now;

			for (int i = 0; i < 1000 && getppid() == first; i++)
				usleep(1000);
			now = getppid();
			if (write(fds[1], &now, sizeof(now)) < 0)
				_exit(1);
			_exit(0);
		}
		_exit(0);
	}
	CHECK(wait(NULL) > 0);
	CHECK(read(fds[0], &parent, sizeof(parent)) == sizeof(parent));
	CHECK(parent == getpid());
	CHECK(wait(NULL) > 0);
}

CASE(vfork_child_runs_first_and_shares_memory)
{
	volatile int value = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		value = 42;
		_exit(0);
	}
	CHECK(value == 42);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

CASE(exec_of_what_is_not_there_is_enoent)
{
	char *argv[] = {"x", NULL};

	CHECK_ERROR(execve("/no/such/program", argv, NULL), ENOENT);
	CHECK_ERROR(execve("/", argv, NULL), EACCES);
	CHECK_ERROR(execve("", argv, NULL), ENOENT);
	CHECK_ERROR(syscall(SYS_execve, 8, argv, NULL), EFAULT);
}

CASE(exec_of_no_program_is_enoexec)
{
	char *argv[] = {"x", NULL};
	int fd = open("/tmp/no-program", O_CREAT | O_WRONLY | O_TRUNC, 0755);

	CHECK(fd >= 0);
	CHECK(write(fd, "hello", 5) == 5);
	close(fd);
	CHECK_ERROR(execve("/tmp/no-program", argv, NULL), ENOEXEC);
	unlink("/tmp/no-program");
}

CASE(exec_without_permission_is_eacces)
{
	char *argv[] = {"x", NULL};
	int fd = open("/tmp/no-exec", O_CREAT | O_WRONLY | O_TRUNC, 0644);

	CHECK(fd >= 0);
	close(fd);
	CHECK_ERROR(execve("/tmp/no-exec", argv, NULL), EACCES);
	unlink("/tmp/no-exec");
}

CASE(session_leader_leads_its_group_and_session)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (setsid() != getpid() || getsid(0) != getpid() || getpgrp() != getpid())
			_exit(1);
		errno = 0;
		_exit(setsid() == -1 && errno == EPERM ? 0 : 2);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(status == 0);
}

CASE(setpgid_refuses_strangers_and_other_sessions)
{
	CHECK_ERROR(setpgid(1, 1), ESRCH);
	CHECK_ERROR(setpgid(0, -1), EINVAL);
	CHECK_ERROR(getpgid(999999), ESRCH);
}

CASE(clone_tells_the_tid_where_asked)
{
	pid_t told = 0;
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, NULL, &told, NULL, 0);

	if (pid == 0)
		_exit(0);
	CHECK(pid > 0 && told == pid);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK_ERROR(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, NULL, NULL, NULL, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_clone, CLONE_VM | CLONE_THREAD, NULL, NULL, NULL, 0), EINVAL);
}

CASE(pidfd_becomes_readable_when_the_process_ends)
{
	pid_t pid = fork();
	siginfo_t info;
	int fd;

	if (pid == 0)
		_exit(9);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	CHECK(fd >= 0);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(waitid((idtype_t)3 /* P_PIDFD */, (id_t)fd, &info, WEXITED) == 0);
	CHECK(info.si_status == 9);
	CHECK_ERROR(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
}

CASE(pidfd_send_signal_takes_a_folder_of_proc)
{
	char path[32];
	pid_t pid = fork();
	int fd, status;

	if (pid == 0)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_DIRECTORY);
	CHECK(fd >= 0);
	CHECK(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGTERM);
	CHECK_ERROR(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
	CHECK_ERROR(syscall(SYS_pidfd_send_signal, open("/proc", O_DIRECTORY), 0, NULL, 0), EBADF);
	CHECK_ERROR(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 8), EINVAL);
}

CASE(name_is_cut_to_fifteen_bytes)
{
	char name[16];

	CHECK(prctl(PR_SET_NAME, "a name that is too long") == 0);
	CHECK(prctl(PR_GET_NAME, name) == 0);
	CHECK(strcmp(name, "a name that is ") == 0);
}

CASE(nice_is_inherited_and_bounded)
{
	CHECK(setpriority(PRIO_PROCESS, 0, 100) == 0);
	CHECK(getpriority(PRIO_PROCESS, 0) == 19);
	CHECK(in_child(exit_with, (void *)(intptr_t)getpriority(PRIO_PROCESS, 0)) == 19 << 8);
	CHECK_ERROR(getpriority(77, 0), EINVAL);
}

CASE(limits_are_kept_and_only_root_raises_them)
{
	struct rlimit old, new;

	CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
	new = (struct rlimit){8, old.rlim_max};
	CHECK(setrlimit(RLIMIT_NOFILE, &new) == 0);
	while (dup(0) >= 0)
		;
	CHECK_ERROR(dup(0), EMFILE);
	new = (struct rlimit){9, 8};
	CHECK_ERROR(setrlimit(RLIMIT_NOFILE, &new), EINVAL);
	CHECK_ERROR(setrlimit(99, &new), EINVAL);
}

CASE(a_hundred_children_live_at_once)
{
	enum { N = 100 };
	pid_t pids[N];
	int fds[2];
	char c;

	CHECK(pipe(fds) == 0);
	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		CHECK(pids[i] >= 0);
		if (pids[i] == 0) {
			close(fds[1]);
			_exit(read(fds[0], &c, 1) == 0 ? i & 63 : 99);
		}
	}
	close(fds[1]);
	for (int i = 0; i < N; i++) {
		int status;

		CHECK(waitpid(pids[i], &status, 0) == pids[i]);
		CHECK(WEXITSTATUS(status) == (i & 63));
	}
}
