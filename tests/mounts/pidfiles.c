/*
 * PID namespaces: who enters them, their files, /proc of each.
 */
#include "pids.h"

#include <signal.h>
#include <sys/ioctl.h>

#define NS_GET_PARENT_         0xb702
#define NS_GET_NSTYPE_         0xb703
#define NS_GET_PID_FROM_PIDNS_ 0x8004b706
#define NS_GET_TGID_IN_PIDNS_  0x8004b709

static pid_t outside;

/* ---- unshare and setns ---- */

CASE(unshare_puts_children_into_the_namespace)
{
	pid_t own = getpid(), pid;
	int status;

	CHECK(unshare(CLONE_NEWPID) == 0 && getpid() == own);
	pid = fork();
	if (pid == 0)
		_exit(getpid() == 1 && getppid() == 0 ? 0 : 1);
	CHECK(pid > 1 && waitpid(pid, &status, 0) == pid && status == 0);
}

CASE(unshare_a_second_time_is_einval)
{
	CHECK(unshare(CLONE_NEWPID) == 0);
	CHECK_ERROR(unshare(CLONE_NEWPID), EINVAL);
}

CASE(threads_are_in_the_namespace_of_their_process)
{
	CHECK_ERROR(clone_(CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM), EINVAL);
	CHECK(unshare(CLONE_NEWPID) == 0);
	CHECK_ERROR(clone_(CLONE_THREAD | CLONE_SIGHAND | CLONE_VM), EINVAL);
}

CASE(without_privilege_there_are_none)
{
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(unshare(CLONE_NEWPID), EPERM);
	CHECK_ERROR(clone_(CLONE_NEWPID), EPERM);
}

static int ns_of(const char *who, const char *kind)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/ns/%s", who, kind);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int ns_of_pid(pid_t pid)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", pid);
	return ns_of(name, "pid");
}

CASE(setns_puts_children_into_the_namespace)
{
	pid_t first = start_waiting(), pid;
	int fd = ns_of_pid(first), status;

	CHECK(fd >= 0 && setns(fd, CLONE_NEWPID) == 0);
	pid = fork();
	if (pid == 0)
		_exit(getpid() == 2 && getppid() == 0 ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	kill(first, SIGKILL);
}

CASE(setns_by_a_descriptor_of_a_process)
{
	pid_t first = start_waiting(), pid;
	int fd = (int)syscall(NR_pidfd_open, first, 0), status;

	CHECK(fd >= 0 && setns(fd, CLONE_NEWPID) == 0);
	pid = fork();
	if (pid == 0)
		_exit(getpid() == 2 ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	kill(first, SIGKILL);
}

static int above;

static void enter_above(void)
{
	CHECK_ERROR(setns(above, CLONE_NEWPID), EINVAL);
}

CASE(setns_does_not_go_up)
{
	above = ns_of("self", "pid");
	CHECK(above >= 0);
	IN_NAMESPACE(enter_above);
	/* Its own is fine. */
	CHECK(setns(above, CLONE_NEWPID) == 0);
}

CASE(namespace_for_children_has_a_file_before_it_has_a_process)
{
	struct stat own, children;
	pid_t pid;

	CHECK(stat("/proc/self/ns/pid", &own) == 0);
	CHECK(stat("/proc/self/ns/pid_for_children", &children) == 0);
	CHECK(own.st_ino == children.st_ino);
	CHECK(unshare(CLONE_NEWPID) == 0);
	CHECK(stat("/proc/self/ns/pid_for_children", &children) == 0);
	CHECK(own.st_ino != children.st_ino);
	pid = fork();
	if (pid == 0)
		pause_for_ever();
	CHECK(stat("/proc/self/ns/pid_for_children", &children) == 0);
	CHECK(own.st_ino != children.st_ino);
	CHECK(stat("/proc/self/ns/pid", &children) == 0 && own.st_ino == children.st_ino);
	kill(pid, SIGKILL);
}

/* Exits with how many namespaces could be made, each in the one before. */
static void nest(void)
{
	int depth = 0, status;
	pid_t pid;

	while ((pid = clone_(CLONE_NEWPID)) == 0)
		depth++;
	if (pid < 0)
		_exit(errno == ENOSPC ? depth : 100);
	CHECK(waitpid(pid, &status, 0) == pid);
	_exit(WEXITSTATUS(status));
}

CASE(namespaces_nest_32_deep)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		nest();
	CHECK(waitpid(pid, &status, 0) == pid);
	/* A caller that is in one already has one less. */
	CHECK(WEXITSTATUS(status) == 32 || WEXITSTATUS(status) == 31);
}

/* ---- files of namespaces ---- */

CASE(parent_of_a_namespace)
{
	pid_t first = start_waiting();
	int fd = ns_of_pid(first), parent;
	struct stat own, of_parent;

	parent = ioctl(fd, NS_GET_PARENT_);
	CHECK(parent >= 0);
	CHECK(fstat(parent, &of_parent) == 0 && stat("/proc/self/ns/pid", &own) == 0);
	CHECK(own.st_ino == of_parent.st_ino);
	CHECK_ERROR(ioctl(parent, NS_GET_PARENT_), EPERM);
	CHECK(ioctl(fd, NS_GET_NSTYPE_) == CLONE_NEWPID);
	kill(first, SIGKILL);
}

CASE(numbers_are_translated_by_the_file)
{
	pid_t first = start_waiting();
	int fd = ns_of_pid(first);

	if (ioctl(fd, NS_GET_PID_FROM_PIDNS_, 1) < 0 && errno == ENOTTY) {
		kill(first, SIGKILL);
		return; /* an older Linux */
	}
	CHECK(ioctl(fd, NS_GET_PID_FROM_PIDNS_, 1) == first);
	CHECK(ioctl(fd, NS_GET_TGID_IN_PIDNS_, first) == 1);
	CHECK_ERROR(ioctl(fd, NS_GET_PID_FROM_PIDNS_, 2), ESRCH);
	CHECK_ERROR(ioctl(fd, NS_GET_TGID_IN_PIDNS_, getpid()), ESRCH);
	kill(first, SIGKILL);
}

CASE(namespace_lives_while_its_file_is_open)
{
	pid_t first = start_waiting();
	int fd = ns_of_pid(first), status;

	CHECK(kill(first, SIGKILL) == 0 && waitpid(first, &status, 0) == first);
	CHECK(ioctl(fd, NS_GET_NSTYPE_) == CLONE_NEWPID);
	CHECK(setns(fd, CLONE_NEWPID) == 0);
	CHECK_ERROR(fork(), ENOMEM);
}

/* ---- /proc ---- */

static void own_proc(void)
{
	char self[16] = "";

	CHECK(mount_proc() == 0);
	CHECK(readlink("/proc/self", self, sizeof(self) - 1) == 1 && !strcmp(self, "1"));
	CHECK(readlink("/proc/thread-self", self, sizeof(self) - 1) == 8 &&
	      !strcmp(self, "1/task/1"));
	CHECK(there("/proc/1/stat") && !there("/proc/2"));
	CHECK(atoi(line_of("/proc/1/stat", "")) == 1);
	CHECK(!strcmp(line_of("/proc/self/status", "Pid:"), "\t1"));
	CHECK(!strcmp(line_of("/proc/self/status", "PPid:"), "\t0"));
}

CASE(proc_shows_the_namespace_of_who_mounted_it)
{
	IN_NAMESPACE(own_proc);
}

static void outer_proc(void)
{
	char self[16];

	/* This /proc knows the caller by another number. */
	CHECK(readlink("/proc/self", self, sizeof(self)) > 0);
	CHECK(strcmp(line_of("/proc/self/status", "Pid:"), "\t1"));
	CHECK(strlen(line_of("/proc/self/status", "NSpid:")) > 3);
}

CASE(proc_of_outside_shows_numbers_of_outside)
{
	IN_NAMESPACE(outer_proc);
}

CASE(status_tells_all_numbers)
{
	pid_t first = start_waiting();
	char path[32], want[32];

	snprintf(path, sizeof(path), "/proc/%d/status", first);
	snprintf(want, sizeof(want), "\t%d\t1", first);
	CHECK(!strcmp(line_of(path, "NSpid:"), want));
	CHECK(!strcmp(line_of(path, "NStgid:"), want));
	snprintf(want, sizeof(want), "\t%d\t0", getpgrp());
	CHECK(!strcmp(line_of(path, "NSpgid:"), want));
	kill(first, SIGKILL);
}

static void leave_proc_behind(void)
{
	CHECK(mount("proc", "a", "proc", 0, NULL) == 0);
}

CASE(proc_of_another_namespace_has_no_self)
{
	char self[16];
	int status;
	pid_t pid;

	place();
	open_pipes();
	pid = clone_(CLONE_NEWPID);
	if (pid == 0) {
		leave_proc_behind();
		tell(1);
		pause_for_ever();
	}
	CHECK(hear() == 1);
	CHECK(there("a/1/stat") && atoi(line_of("a/1/stat", "")) == 1);
	CHECK_ERROR(readlink("a/self", self, sizeof(self)), ENOENT);
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	CHECK(!there("a/1"));
}

static void list_proc(void)
{
	int n = 0;
	pid_t pid;

	CHECK(mount_proc() == 0);
	pid = fork();
	if (pid == 0)
		pause_for_ever();
	for (int i = 1; i < 400; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/proc/%d", i);
		n += there(path);
	}
	CHECK(n == 2);
	CHECK(!strncmp(line_of("/proc/1/task/1/children", ""), "2", 1) ||
	      !there("/proc/1/task/1/children"));
}

CASE(proc_has_those_of_the_namespace_only)
{
	IN_NAMESPACE(list_proc);
}

/* ---- with user namespaces ---- */

static void in_user_namespace(void)
{
	pid_t pid;
	int status;

	CHECK(getpid() == 1);
	pid = fork();
	if (pid == 0)
		_exit(getpid() == 2 ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

CASE(user_and_pid_namespace_without_privilege)
{
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(first_of(in_user_namespace, CLONE_NEWUSER) == 0);
}

static void send_by_pidfd(void)
{
	CHECK_ERROR(syscall(NR_pidfd_send_signal, above, 0, NULL, 0), EINVAL);
}

CASE(descriptors_of_processes_outside_take_no_signals)
{
	above = (int)syscall(NR_pidfd_open, getpid(), 0);
	CHECK(above >= 0);
	IN_NAMESPACE(send_by_pidfd);
}

CASE(fdinfo_of_a_process_tells_its_numbers)
{
	pid_t first = start_waiting();
	int fd = (int)syscall(NR_pidfd_open, first, 0);
	char path[48], want[32];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	snprintf(want, sizeof(want), "\t%d", first);
	CHECK(!strcmp(line_of(path, "Pid:"), want));
	snprintf(want, sizeof(want), "\t%d\t1", first);
	CHECK(!strcmp(line_of(path, "NSpid:"), want));
	kill(first, SIGKILL);
}

static void lock_outside(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_pid = -2};

	CHECK(fcntl(above, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK && lock.l_pid == 0);
	CHECK(fcntl(above, F_SETOWN, 1) == 0 && fcntl(above, F_GETOWN) == 1);
	CHECK_ERROR(fcntl(above, F_SETOWN, outside), ESRCH);
}

CASE(locks_and_owners_are_told_by_number)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	outside = getpid() + 5000;
	above = open("/tmp/pids.lock", O_RDWR | O_CREAT, 0600);
	CHECK(above >= 0 && fcntl(above, F_SETLK, &lock) == 0);
	IN_NAMESPACE(lock_outside);
	/* Its owner is gone with its namespace. */
	CHECK(fcntl(above, F_GETOWN) == 0);
	unlink("/tmp/pids.lock");
}
