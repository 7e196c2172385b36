/*
 * PID namespaces: numbers in them, their process 1, /proc, what enters them.
 */
#include "place.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/reboot.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#define NS_GET_PARENT_         0xb702
#define NS_GET_PID_FROM_PIDNS_ 0x8004b706
#define NS_GET_TGID_IN_PIDNS_  0x8004b709
#define NS_GET_NSTYPE_         0xb703
#define NR_pidfd_open          434
#define NR_pidfd_send_signal   424
#define NR_clone3              435

static pid_t clone_(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

/* The status of @fn as process 1 of a new namespace, with more new ones as @flags say. */
static int first_of(void (*fn)(void), unsigned long flags)
{
	pid_t pid = clone_(CLONE_NEWPID | flags);
	int status;

	if (pid == 0) {
		fn();
		_exit(0);
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid ? -1 : status;
}

#define IN_NAMESPACE(fn) CHECK(first_of(fn, CLONE_NEWNS) == 0)

/* A pipe over which a child tells a number, and over which it is told to go on. */
static int up[2], down[2];

static void open_pipes(void)
{
	CHECK(pipe(up) == 0 && pipe(down) == 0);
}

static void tell(int n)
{
	CHECK(write(up[1], &n, sizeof(n)) == sizeof(n));
}

static int hear(void)
{
	int n = -1;

	CHECK(read(up[0], &n, sizeof(n)) == sizeof(n));
	return n;
}

static void go_on(void)
{
	CHECK(write(down[1], "", 1) == 1);
}

static void await(void)
{
	char c;

	CHECK(read(down[0], &c, 1) == 1);
}

static void pause_for_ever(void)
{
	for (;;)
		pause();
}

static int mount_proc(void)
{
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)
		       ? -1
		       : mount("proc", "/proc", "proc", 0, NULL);
}

/* What follows @word in a file of /proc, up to the end of its line. */
static const char *line_of(const char *path, const char *word)
{
	static char text[8192];
	FILE *f = fopen(path, "r");
	char *end;

	text[0] = 0;
	while (f && fgets(text, sizeof(text), f) && strncmp(text, word, strlen(word)))
		text[0] = 0;
	if (f)
		fclose(f);
	end = strchr(text, '\n');
	if (end)
		*end = 0;
	return text[0] ? text + strlen(word) : "";
}

/* ---- numbers ---- */

static void is_first(void)
{
	CHECK(getpid() == 1 && syscall(SYS_gettid) == 1 && getppid() == 0);
}

CASE(first_process_is_1_and_has_no_parent)
{
	IN_NAMESPACE(is_first);
}

CASE(clone_gives_the_number_in_the_namespace_of_the_caller)
{
	pid_t pid = clone_(CLONE_NEWPID);
	int status;

	if (pid == 0)
		_exit(0);
	CHECK(pid > 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void numbers_go_up(void)
{
	for (int i = 2; i < 5; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			_exit(getpid() == i && getppid() == 1 ? 0 : 1);
		CHECK(pid == i);
		CHECK(waitpid(pid, &status, 0) == i && status == 0);
	}
}

CASE(numbers_of_children_go_up_from_2)
{
	IN_NAMESPACE(numbers_go_up);
}

static void in_nobodys_group(void)
{
	CHECK(getpgid(0) == 0 && getsid(0) == 0);
	CHECK(setsid() == 1);
	CHECK(getpgrp() == 1 && getsid(1) == 1 && getpgid(1) == 1);
	CHECK_ERROR(getpgid(2), ESRCH);
}

CASE(groups_and_sessions_from_outside_are_0)
{
	IN_NAMESPACE(in_nobodys_group);
}

static void groups_inside(void)
{
	pid_t pid;
	int status;

	CHECK(setsid() == 1);
	pid = fork();
	if (pid == 0)
		pause_for_ever();
	CHECK(pid == 2 && setpgid(2, 2) == 0 && getpgid(2) == 2);
	CHECK(kill(-2, SIGTERM) == 0);
	CHECK(waitpid(-2, &status, 0) == 2 && WTERMSIG(status) == SIGTERM);
	CHECK_ERROR(kill(-2, 0), ESRCH);
}

CASE(groups_are_signalled_and_awaited_by_their_numbers)
{
	IN_NAMESPACE(groups_inside);
}

static pid_t outside;

static void outside_is_unknown(void)
{
	CHECK_ERROR(kill(outside, 0), ESRCH);
	CHECK_ERROR(getsid(outside), ESRCH);
	CHECK_ERROR(syscall(NR_pidfd_open, outside, 0), ESRCH);
	CHECK_ERROR(waitpid(outside, NULL, 0), ECHILD);
	CHECK(kill(-1, SIGKILL) == -1 && errno == ESRCH);
}

CASE(processes_outside_have_no_number)
{
	outside = getpid() + 5000;
	IN_NAMESPACE(outside_is_unknown);
}

static void parent_settid(void)
{
	struct clone_args args = {.flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
				  .exit_signal = SIGCHLD};
	static int in_parent, in_child;
	int status;
	pid_t pid;

	args.parent_tid = (uint64_t)&in_parent;
	args.child_tid = (uint64_t)&in_child;
	args.flags |= CLONE_NEWPID;
	pid = (pid_t)syscall(NR_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(in_child == 1 ? 0 : 1);
	CHECK(pid == in_parent && pid == 2);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

CASE(settid_gives_each_its_own_number)
{
	IN_NAMESPACE(parent_settid);
}

/* ---- clone3's set_tid ---- */

static pid_t clone_wanted(const pid_t *want, size_t count, uint64_t flags)
{
	struct clone_args args = {.flags = flags,
				  .exit_signal = SIGCHLD,
				  .set_tid = (uint64_t)want,
				  .set_tid_size = count};

	return (pid_t)syscall(NR_clone3, &args, sizeof(args));
}

static void wanted_inside(void)
{
	pid_t want[] = {77}, pid = clone_wanted(want, 1, 0);
	int status;

	if (pid == 0)
		_exit(getpid() == 77 ? 0 : 1);
	CHECK(pid == 77 && waitpid(77, &status, 0) == 77 && status == 0);
	want[0] = 1;
	CHECK_ERROR(clone_wanted(want, 1, 0), EEXIST);
	want[0] = 0;
	CHECK_ERROR(clone_wanted(want, 1, 0), EINVAL);
	pid = fork();
	if (pid == 0)
		_exit(0);
	CHECK(pid == 2);
	CHECK(waitpid(2, &status, 0) == 2);
}

CASE(set_tid_chooses_the_number)
{
	IN_NAMESPACE(wanted_inside);
}

static void wanted_nested(void)
{
	pid_t want[] = {1, 99}, pid = clone_wanted(want, 2, CLONE_NEWPID);
	int status;

	if (pid == 0)
		_exit(getpid() == 1 ? 0 : 1);
	CHECK(pid == 99 && waitpid(99, &status, 0) == 99 && status == 0);
	want[0] = 2;
	CHECK_ERROR(clone_wanted(want, 2, CLONE_NEWPID), EINVAL);
}

CASE(set_tid_chooses_numbers_in_several_namespaces)
{
	IN_NAMESPACE(wanted_nested);
}

CASE(set_tid_for_more_levels_than_there_are_is_einval)
{
	pid_t want[33];

	for (int i = 0; i < 33; i++)
		want[i] = 1 + i;
	CHECK_ERROR(clone_wanted(want, 33, 0), EINVAL);
	CHECK_ERROR(clone_wanted(want, 32, 0), EINVAL);
}

static void unprivileged_wish(void)
{
	pid_t want[] = {55};

	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(clone_wanted(want, 1, 0), EPERM);
}

CASE(set_tid_without_privilege_is_eperm)
{
	IN_NAMESPACE(unprivileged_wish);
}

static void last_pid(void)
{
	FILE *f;
	pid_t pid;
	int n = -1;

	CHECK(mount_proc() == 0);
	f = fopen("/proc/sys/kernel/ns_last_pid", "r+");
	CHECK(f && fscanf(f, "%d", &n) == 1 && n == 1);
	CHECK(fseek(f, 0, SEEK_SET) == 0 && fprintf(f, "500\n") > 0 && fclose(f) == 0);
	pid = fork();
	if (pid == 0)
		_exit(0);
	CHECK(pid == 501 && waitpid(501, NULL, 0) == 501);
}

CASE(ns_last_pid_is_read_and_set)
{
	IN_NAMESPACE(last_pid);
}

/* ---- process 1 ---- */

static void grandchild(void)
{
	int status;
	pid_t pid;

	open_pipes();
	pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			await();
			tell(getppid());
			_exit(7);
		}
		_exit(0);
	}
	CHECK(waitpid(pid, NULL, 0) == pid);
	go_on();
	CHECK(hear() == 1);
	CHECK(waitpid(3, &status, 0) == 3 && WEXITSTATUS(status) == 7);
}

CASE(process_1_gets_orphans)
{
	IN_NAMESPACE(grandchild);
}

static void subreaper_outside(void)
{
	pid_t pid;

	open_pipes();
	pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			await();
			tell(getppid());
			_exit(0);
		}
		_exit(0);
	}
	CHECK(waitpid(pid, NULL, 0) == pid);
	go_on();
	CHECK(hear() == 1);
}

CASE(subreapers_outside_get_no_orphans)
{
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
	IN_NAMESPACE(subreaper_outside);
}

static void signals_from_inside(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		CHECK(kill(1, SIGTERM) == 0);
		CHECK(kill(1, SIGKILL) == 0);
		CHECK(kill(1, SIGSTOP) == 0);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(raise(SIGTERM) == 0 && kill(1, SIGKILL) == 0);
}

CASE(signals_from_inside_do_not_end_process_1)
{
	IN_NAMESPACE(signals_from_inside);
}

static volatile sig_atomic_t got, from_pid, from_code;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got = sig;
	from_pid = info->si_pid;
	from_code = info->si_code;
}

static void handle(int sig)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	CHECK(sigaction(sig, &action, NULL) == 0);
}

static void handled_signal(void)
{
	int status;
	pid_t pid;

	handle(SIGTERM);
	pid = fork();
	if (pid == 0)
		_exit(kill(1, SIGTERM) ? 1 : 0);
	while (waitpid(pid, &status, 0) != pid)
		;
	CHECK(got == SIGTERM && from_pid == 2 && from_code == SI_USER);
}

CASE(process_1_takes_signals_it_has_handlers_for)
{
	IN_NAMESPACE(handled_signal);
}

static pid_t start_waiting(void)
{
	pid_t pid;

	open_pipes();
	pid = clone_(CLONE_NEWPID);
	if (pid == 0) {
		tell(1);
		pause_for_ever();
	}
	CHECK(pid > 0 && hear() == 1);
	return pid;
}

CASE(sigkill_from_outside_ends_process_1)
{
	pid_t pid = start_waiting();
	int status;

	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
}

CASE(sigstop_from_outside_stops_process_1)
{
	pid_t pid = start_waiting();
	int status;

	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	CHECK(kill(pid, SIGCONT) == 0);
	CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
}

CASE(other_signals_from_outside_do_not_end_process_1)
{
	pid_t pid = start_waiting();
	int status;

	CHECK(kill(pid, SIGTERM) == 0 && kill(pid, SIGINT) == 0);
	usleep(50000);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
}

static void tell_sender(void)
{
	handle(SIGUSR1);
	tell(0);
	while (!got)
		usleep(1000);
	_exit(from_pid == 0 ? 0 : 1);
}

CASE(senders_outside_are_process_0)
{
	pid_t pid;
	int status;

	open_pipes();
	pid = clone_(CLONE_NEWPID);
	if (pid == 0)
		tell_sender();
	CHECK(hear() == 0 && kill(pid, SIGUSR1) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

CASE(sigchld_tells_the_number_that_the_parent_knows)
{
	siginfo_t info = {0};
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	pid = clone_(CLONE_NEWPID);
	if (pid == 0)
		_exit(3);
	CHECK(sigwaitinfo(&set, &info) == SIGCHLD && info.si_pid == pid && info.si_status == 3);
	memset(&info, 0, sizeof(info));
	CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED) == 0 && info.si_pid == pid);
}

static void die_with_children(void)
{
	for (int i = 0; i < 3; i++) {
		if (fork() == 0)
			pause_for_ever();
	}
	_exit(5);
}

CASE(all_end_with_process_1)
{
	struct pollfd end;
	int status;
	pid_t pid;

	open_pipes();
	pid = clone_(CLONE_NEWPID);
	if (pid == 0)
		die_with_children();
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
	close(up[1]);
	end = (struct pollfd){.fd = up[0], .events = POLLIN};
	/* Nobody of them has the pipe any more. */
	CHECK(poll(&end, 1, 0) == 1 && end.revents == POLLHUP);
}

static void nested_for_ever(void)
{
	if (clone_(CLONE_NEWPID) == 0) {
		if (fork() == 0)
			pause_for_ever();
		tell(1);
		pause_for_ever();
	}
	pause_for_ever();
}

CASE(namespaces_below_end_with_process_1)
{
	struct pollfd end;
	int status;
	pid_t pid;

	open_pipes();
	pid = clone_(CLONE_NEWPID);
	if (pid == 0)
		nested_for_ever();
	CHECK(hear() == 1 && kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
	close(up[1]);
	end = (struct pollfd){.fd = up[0], .events = POLLIN};
	CHECK(poll(&end, 1, 0) == 1 && end.revents == POLLHUP);
}

CASE(fork_after_the_end_of_process_1_is_enomem)
{
	int status;
	pid_t pid;

	CHECK(unshare(CLONE_NEWPID) == 0);
	pid = fork();
	if (pid == 0)
		_exit(getpid() == 1 ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK_ERROR(fork(), ENOMEM);
}

static void fault(void)
{
	__asm__ volatile("ud2");
}

CASE(process_1_ends_by_its_own_fault)
{
	int status = first_of(fault, 0);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL);
}

static void restart(void)
{
	reboot(RB_AUTOBOOT);
	pause_for_ever();
}

static void power_off(void)
{
	if (fork() == 0)
		reboot(RB_POWER_OFF);
	pause_for_ever();
}

CASE(reboot_ends_the_namespace_and_says_how)
{
	int status = first_of(restart, 0);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
	status = first_of(power_off, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

static void no_siblings(void)
{
	CHECK_ERROR(clone_(CLONE_PARENT), EINVAL);
}

CASE(process_1_has_no_siblings)
{
	IN_NAMESPACE(no_siblings);
}

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

CASE(namespace_for_children_has_a_file_once_it_has_a_process)
{
	struct stat own, children;
	pid_t pid;

	CHECK(stat("/proc/self/ns/pid", &own) == 0);
	CHECK(stat("/proc/self/ns/pid_for_children", &children) == 0);
	CHECK(own.st_ino == children.st_ino);
	CHECK(unshare(CLONE_NEWPID) == 0);
	CHECK_ERROR(stat("/proc/self/ns/pid_for_children", &children), ENOENT);
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
