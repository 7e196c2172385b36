/* Signals: handlers, masks, information, stacks, restarting, timers. */
#include "check.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static volatile int count, order[64];
static siginfo_t last;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	last = *info;
	order[count++ & 63] = sig;
}

static void handle(int sig, int flags)
{
	struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags};

	CHECK(sigaction(sig, &sa, NULL) == 0);
}

static void mask(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK(sigprocmask(how, &set, NULL) == 0);
}

CASE(handler_runs_and_knows_its_sender)
{
	handle(SIGUSR1, 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(count == 1 && order[0] == SIGUSR1);
	CHECK(last.si_code == SI_USER && last.si_pid == getpid() && last.si_uid == getuid());
}

CASE(tgkill_is_told_as_such)
{
	handle(SIGUSR1, 0);
	CHECK(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1) == 0);
	CHECK(count == 1 && last.si_code == SI_TKILL);
	CHECK_ERROR(syscall(SYS_tgkill, getpid(), 999999, SIGUSR1), ESRCH);
	CHECK_ERROR(kill(getpid(), 65), EINVAL);
	CHECK_ERROR(kill(999999, 0), ESRCH);
}

CASE(blocked_signal_waits_until_it_is_unblocked)
{
	sigset_t pending;

	handle(SIGUSR1, 0);
	mask(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK(count == 0);
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1));
	mask(SIG_UNBLOCK, SIGUSR1);
	CHECK(count == 1);
}

CASE(real_time_signals_queue_with_their_values_in_order)
{
	union sigval value;

	handle(SIGRTMIN, 0);
	handle(SIGRTMIN + 1, 0);
	mask(SIG_BLOCK, SIGRTMIN);
	mask(SIG_BLOCK, SIGRTMIN + 1);
	for (int i = 0; i < 3; i++) {
		value.sival_int = i;
		CHECK(sigqueue(getpid(), SIGRTMIN + 1, value) == 0);
	}
	value.sival_int = 7;
	CHECK(sigqueue(getpid(), SIGRTMIN, value) == 0);
	sigset_t none;
	sigemptyset(&none);
	CHECK(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
	CHECK(count == 4);
	CHECK(last.si_code == SI_QUEUE);
}

CASE(kill_and_stop_cannot_be_caught_or_blocked)
{
	struct sigaction sa = {.sa_handler = SIG_IGN};
	sigset_t set, got;

	CHECK_ERROR(sigaction(SIGKILL, &sa, NULL), EINVAL);
	CHECK_ERROR(sigaction(SIGSTOP, &sa, NULL), EINVAL);
	sigfillset(&set);
	CHECK(sigprocmask(SIG_SETMASK, &set, NULL) == 0);
	CHECK(sigprocmask(SIG_SETMASK, NULL, &got) == 0);
	CHECK(!sigismember(&got, SIGKILL) && !sigismember(&got, SIGSTOP));
}

static void nested(int sig)
{
	int before = count++;

	if (sig == SIGUSR1 && before == 0)
		raise(SIGUSR1);
	order[before] = count;
}

CASE(signal_is_blocked_while_its_handler_runs)
{
	struct sigaction sa = {.sa_handler = nested};

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	raise(SIGUSR1);
	CHECK(count == 2 && order[0] == 1); /* the first ended before the second began */
}

CASE(nodefer_lets_a_handler_be_interrupted_by_its_own_signal)
{
	struct sigaction sa = {.sa_handler = nested, .sa_flags = SA_NODEFER};

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	raise(SIGUSR1);
	CHECK(count == 2 && order[0] == 2);
}

CASE(resethand_is_for_one_signal)
{
	struct sigaction old;

	handle(SIGUSR1, SA_RESETHAND);
	raise(SIGUSR1);
	CHECK(count == 1);
	CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
}

static uintptr_t stack_seen;

static void note_stack(int sig)
{
	(void)sig;
	stack_seen = (uintptr_t)__builtin_frame_address(0);
}

CASE(altstack_is_used_when_asked_for)
{
	static char memory[65536];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)}, old;
	struct sigaction sa = {.sa_handler = note_stack, .sa_flags = SA_ONSTACK};

	CHECK(sigaltstack(&stack, NULL) == 0);
	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	raise(SIGUSR1);
	CHECK(stack_seen - (uintptr_t)memory < sizeof(memory));
	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_sp == memory && old.ss_flags == 0);
	stack.ss_size = 100;
	CHECK_ERROR(sigaltstack(&stack, NULL), ENOMEM);
}

static int overflow(int depth)
{
	volatile char frame[8192];

	frame[0] = (char)depth;
	return depth ? overflow(depth - 1) + frame[0] : 0;
}

static void leave(int sig)
{
	_exit(sig == SIGSEGV ? 33 : 1);
}

static void overflow_with_altstack(void *arg)
{
	static char memory[65536];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};
	struct sigaction sa = {.sa_handler = leave, .sa_flags = SA_ONSTACK};

	(void)arg;
	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	_exit(overflow(100000) + 1);
}

CASE(stack_overflow_can_be_handled_on_an_altstack)
{
	int status = in_child(overflow_with_altstack, NULL);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 33);
}

static void skip_instruction(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	last = *info;
	count++;
	uc->uc_mcontext.gregs[REG_RIP] += 2; /* ud2 */
	uc->uc_mcontext.gregs[REG_RBX] = 0x1234;
}

CASE(handler_may_change_registers)
{
	struct sigaction sa = {.sa_sigaction = skip_instruction, .sa_flags = SA_SIGINFO};
	unsigned long rbx = 0;

	CHECK(sigaction(SIGILL, &sa, NULL) == 0);
	__asm__ volatile("ud2" : "+b"(rbx));
	CHECK(count == 1 && rbx == 0x1234 && last.si_code == ILL_ILLOPN);
}

CASE(floating_point_state_survives_handlers)
{
	double x = 1.5, y;

	handle(SIGUSR1, 0);
	__asm__ volatile("movsd %0, %%xmm9" : : "m"(x) : "xmm9");
	syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
	__asm__ volatile("movsd %%xmm9, %0" : "=m"(y));
	CHECK(count == 1 && y == 1.5);
}

static void divide(void *arg)
{
	volatile int zero = 0;

	(void)arg;
	/* cppcheck-suppress zerodiv; the point of the test */
	_exit(100 / zero);
}

/* The upper halves of vector registers: of the thread, and as the frame has them. */
#define YMM_HIGH_OFFSET 576 /* of AVX state in the standard form: SDM volume 1, 13.4.3 */

static unsigned char in_frame[16];

static void clear_vectors(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;

	(void)sig;
	(void)info;
	memcpy(in_frame, (const char *)uc->uc_mcontext.fpregs + YMM_HIGH_OFFSET + 6 * 16, 16);
	__asm__ volatile("vzeroall" : : : "memory");
}

CASE(upper_halves_of_vector_registers_are_saved_and_restored)
{
	struct sigaction sa = {.sa_sigaction = clear_vectors, .sa_flags = SA_SIGINFO};
	unsigned char before[32], after[32];
	long r = SYS_kill;

	if (!__builtin_cpu_supports("avx"))
		return;
	for (int i = 0; i < 32; i++)
		before[i] = (unsigned char)(i * 7 + 1);
	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	/* In one piece, so that no code of the compiler's touches the register. */
	__asm__ volatile("vmovdqu %[in], %%ymm6\n\tsyscall\n\tvmovdqu %%ymm6, %[out]"
			 : "+a"(r), [out] "=m"(after)
			 : [in] "m"(before), "D"((long)getpid()), "S"((long)SIGUSR1)
			 : "rcx", "r11", "memory", "xmm6");
	CHECK(r == 0);
	CHECK(memcmp(before, after, sizeof(after)) == 0);
	CHECK(memcmp(before + 16, in_frame, sizeof(in_frame)) == 0);
}

CASE(division_by_zero_is_sigfpe)
{
	int status = in_child(divide, NULL);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGFPE);
}

static void reader(void *arg)
{
	char c;
	int *fds = arg;

	if (read(fds[0], &c, 1) == -1 && errno == EINTR)
		_exit(4);
	_exit(count == 1 && c == 'x' ? 0 : 1);
}

static int interrupted_read(int flags)
{
	int fds[2], status;
	pid_t pid;

	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		handle(SIGUSR1, flags);
		reader(fds);
	}
	usleep(100000);
	kill(pid, SIGUSR1);
	usleep(100000);
	CHECK(write(fds[1], "x", 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid);
	return WEXITSTATUS(status);
}

/* Its next call is made behind the signal's back, unless the signal comes first. */
CASE(signal_to_one_who_waits_for_his_turn_comes_before_his_next_call)
{
	volatile int *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t one;
	int status;
	pid_t pid;

	CHECK(shared != MAP_FAILED);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
	pid = fork();
	if (pid == 0) {
		int fds[2];

		if (pipe(fds) != 0)
			_exit(1);
		alarm(5); /* the end of who sleeps in spite of the signal */
		shared[0] = 1;
		while (!shared[1])
			continue;
		read(fds[0], (char[1]){0}, 1);
		_exit(2);
	}
	while (!shared[0])
		usleep(1000);
	shared[1] = 1;
	CHECK(kill(pid, SIGTERM) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	CHECK(WTERMSIG(status) == SIGTERM);
}

CASE(interrupted_read_is_eintr)
{
	CHECK(interrupted_read(0) == 4);
}

CASE(interrupted_read_goes_on_with_sa_restart)
{
	CHECK(interrupted_read(SA_RESTART) == 0);
}

CASE(sigsuspend_waits_with_another_mask)
{
	sigset_t none, now;

	handle(SIGUSR1, 0);
	mask(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	sigemptyset(&none);
	CHECK_ERROR(sigsuspend(&none), EINTR);
	CHECK(count == 1);
	CHECK(sigprocmask(SIG_SETMASK, NULL, &now) == 0 && sigismember(&now, SIGUSR1));
}

CASE(sigtimedwait_takes_a_signal_or_times_out)
{
	struct timespec soon = {0, 20000000};
	siginfo_t info;
	sigset_t set;

	mask(SIG_BLOCK, SIGUSR2);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_ERROR(sigtimedwait(&set, &info, &soon), EAGAIN);
	raise(SIGUSR2);
	CHECK(sigtimedwait(&set, &info, &soon) == SIGUSR2 && info.si_signo == SIGUSR2);
}

CASE(alarm_rings_once)
{
	handle(SIGALRM, 0);
	alarm(0); /* of the case */
	CHECK(alarm(100) == 0);
	CHECK(alarm(1) == 100);
	CHECK(pause() == -1 && errno == EINTR);
	CHECK(count == 1 && last.si_code == SI_KERNEL);
	CHECK(alarm(0) == 0);
}

CASE(interval_timer_rings_again)
{
	struct itimerval timer = {{0, 20000}, {0, 20000}}, now;

	handle(SIGALRM, SA_RESTART);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	while (count < 3)
		pause();
	CHECK(getitimer(ITIMER_REAL, &now) == 0 && now.it_interval.tv_usec == 20000);
	timer = (struct itimerval){0};
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

CASE(virtual_timer_counts_own_time)
{
	struct itimerval timer = {{0, 0}, {0, 30000}};

	handle(SIGVTALRM, 0);
	CHECK(setitimer(ITIMER_VIRTUAL, &timer, NULL) == 0);
	for (volatile long i = 0; !count; i++)
		;
	CHECK(count == 1);
}

CASE(interrupted_nanosleep_tells_what_is_left)
{
	struct timespec want = {10, 0}, left = {0};
	struct itimerval timer = {{0, 0}, {0, 50000}};

	handle(SIGALRM, 0);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	CHECK_ERROR(nanosleep(&want, &left), EINTR);
	CHECK(left.tv_sec == 9 && left.tv_nsec > 0);
}

CASE(sigchld_tells_which_child_and_how)
{
	pid_t pid;

	handle(SIGCHLD, 0);
	pid = fork();
	if (pid == 0)
		_exit(6);
	while (!count)
		pause();
	CHECK(last.si_pid == pid && last.si_code == CLD_EXITED && last.si_status == 6);
	CHECK(wait(NULL) == pid);
}

CASE(exec_resets_handlers_and_keeps_the_mask)
{
	struct sigaction old;

	if (getenv("AFTER_EXEC")) {
		sigset_t now;

		sigprocmask(SIG_SETMASK, NULL, &now);
		CHECK(sigismember(&now, SIGUSR2));
		CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
		CHECK(sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler == SIG_IGN);
		return;
	}
	handle(SIGUSR1, 0);
	signal(SIGHUP, SIG_IGN);
	mask(SIG_BLOCK, SIGUSR2);
	setenv("AFTER_EXEC", "1", 1);
	close(1); /* the lines of the other run are not ours */
	execl("/proc/self/exe", "x", "exec_resets", NULL);
	CHECK(!"exec failed");
}

CASE(group_signal_reaches_all_of_the_group)
{
	int status;
	pid_t a = fork();

	if (a == 0) {
		setpgid(0, 0);
		for (;;)
			pause();
	}
	setpgid(a, a);
	pid_t b = fork();
	if (b == 0) {
		for (;;)
			pause();
	}
	CHECK(setpgid(b, a) == 0);
	CHECK(kill(-a, SIGTERM) == 0);
	CHECK(waitpid(a, &status, 0) == a && WTERMSIG(status) == SIGTERM);
	CHECK(waitpid(b, &status, 0) == b && WTERMSIG(status) == SIGTERM);
}
