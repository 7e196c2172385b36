/*
 * PID namespaces: numbers in them, and their process 1.
 */
#include "pids.h"

#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/reboot.h>

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
	int status;
	pid_t pid;

	open_pipes();
	pid = clone_(CLONE_NEWPID);
	if (pid == 0)
		die_with_children();
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
	CHECK(all_are_gone());
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
	int status;
	pid_t pid;

	open_pipes();
	pid = clone_(CLONE_NEWPID);
	if (pid == 0)
		nested_for_ever();
	CHECK(hear() == 1 && kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
	CHECK(all_are_gone());
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
