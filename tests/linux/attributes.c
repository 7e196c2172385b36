/* What a process is and may: prctl, personality, securebits, capabilities, priorities of I/O. */
#include "check.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE             4096ul
#define PR_MDWE_SET      65
#define PR_MDWE_GET      66
#define PR_VMA           0x53564d41
#define IOPRIO(class, n) ((class) << 13 | (n))

static int status_of(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

static uint64_t caps(int which)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];

	CHECK(syscall(SYS_capget, &h, d) == 0);
	if (which == 'e')
		return d[0].effective | (uint64_t)d[1].effective << 32;
	return which == 'p' ? d[0].permitted | (uint64_t)d[1].permitted << 32
			    : d[0].inheritable | (uint64_t)d[1].inheritable << 32;
}

static int set_caps(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {
		{(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
		{(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32),
		 (uint32_t)(inheritable >> 32)},
	};

	return (int)syscall(SYS_capset, &h, d);
}

/* ---- personality ---- */

CASE(personality_is_told_and_set)
{
	CHECK(personality(0xffffffff) == PER_LINUX);
	CHECK(personality(ADDR_NO_RANDOMIZE) == PER_LINUX);
	CHECK(personality(0xffffffff) == ADDR_NO_RANDOMIZE);
}

CASE(personality_is_inherited)
{
	pid_t pid;

	CHECK(personality(ADDR_NO_RANDOMIZE) == 0);
	pid = fork();
	if (pid == 0)
		_exit(personality(0xffffffff) != ADDR_NO_RANDOMIZE);
	CHECK(status_of(pid) == 0);
}

CASE(read_implies_exec_if_asked)
{
	static const unsigned char ret[] = {0xc3};
	unsigned char *p;

	CHECK(personality(READ_IMPLIES_EXEC) == 0);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(p, ret, sizeof(ret));
	((void (*)(void))p)();
}

CASE(uname26_is_for_old_programs)
{
	struct utsname name;

	CHECK(personality(0x0020000) == 0);
	CHECK(uname(&name) == 0 && strncmp(name.release, "2.6.", 4) == 0);
}

/* ---- prctl ---- */

CASE(name_is_cut_at_fifteen)
{
	char name[16];

	CHECK(prctl(PR_SET_NAME, "a-name-that-is-too-long") == 0);
	CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "a-name-that-is-") == 0);
	CHECK_ERROR(prctl(PR_SET_NAME, 8), EFAULT);
}

CASE(death_signal_comes_when_the_parent_ends)
{
	int p[2], got;
	pid_t pid;

	CHECK(pipe(p) == 0);
	pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			sigset_t set;
			int sig;

			sigemptyset(&set);
			sigaddset(&set, SIGUSR1);
			sigprocmask(SIG_BLOCK, &set, NULL);
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			if (write(p[1], "r", 1) == 1 && sigwait(&set, &sig) == 0)
				got = (int)write(p[1], "d", 1);
			_exit(0);
		}
		got = (int)read(p[0], &got, 1);
		_exit(0);
	}
	CHECK(status_of(pid) == 0);
	got = 0;
	CHECK(read(p[0], &got, 1) == 1 && got == 'd');
}

CASE(death_signal_is_not_inherited)
{
	int sig = -1;
	pid_t pid;

	CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0);
	CHECK(prctl(PR_GET_PDEATHSIG, &sig) == 0 && sig == SIGUSR1);
	pid = fork();
	if (pid == 0) {
		prctl(PR_GET_PDEATHSIG, &sig);
		_exit(sig);
	}
	CHECK(status_of(pid) == 0);
	CHECK_ERROR(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
}

CASE(subreaper_adopts_orphans)
{
	pid_t orphan = 0, me = getpid(), middle;
	int p[2], on = 0;

	CHECK(pipe(p) == 0);
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	CHECK(prctl(PR_GET_CHILD_SUBREAPER, &on) == 0 && on == 1);
	middle = fork();
	if (middle == 0) {
		orphan = fork();
		if (orphan == 0) {
			while (getppid() != me)
				usleep(1000);
			_exit(7);
		}
		_exit(write(p[1], &orphan, sizeof(orphan)) != sizeof(orphan));
	}
	CHECK(read(p[0], &orphan, sizeof(orphan)) == sizeof(orphan));
	CHECK(status_of(middle) == 0);
	CHECK(WEXITSTATUS(status_of(orphan)) == 7);
}

CASE(dumpable_is_zero_or_one)
{
	CHECK(prctl(PR_GET_DUMPABLE) == 1);
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0);
	CHECK_ERROR(prctl(PR_SET_DUMPABLE, 2), EINVAL);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
}

CASE(timer_slack_is_kept)
{
	CHECK(prctl(PR_GET_TIMERSLACK) == 50000);
	CHECK(prctl(PR_SET_TIMERSLACK, 1000) == 0 && prctl(PR_GET_TIMERSLACK) == 1000);
	CHECK(prctl(PR_SET_TIMERSLACK, 0) == 0 && prctl(PR_GET_TIMERSLACK) == 50000);
}

CASE(thp_disable_is_kept)
{
	CHECK(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1);
	CHECK_ERROR(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0), EINVAL);
}

CASE(tid_address_is_told)
{
	int word, *at = NULL;

	syscall(SYS_set_tid_address, &word);
	CHECK(prctl(PR_GET_TID_ADDRESS, &at) == 0 && at == &word);
	syscall(SYS_set_tid_address, NULL);
}

CASE(unknown_prctl_is_einval)
{
	CHECK_ERROR(prctl(9999, 0, 0, 0, 0), EINVAL);
	CHECK_ERROR(prctl(PR_MCE_KILL, 5, 0, 0, 0), EINVAL);
	CHECK(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0) == 2);
}

/* ---- credentials ---- */

CASE(no_new_privs_cannot_be_undone)
{
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	CHECK_ERROR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK_ERROR(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
}

CASE(setuid_drops_capabilities)
{
	CHECK(caps('e') != 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(caps('e') == 0 && caps('p') == 0);
}

CASE(seteuid_drops_and_restores_effective_ones)
{
	uint64_t all = caps('p');

	CHECK(seteuid(1000) == 0);
	CHECK(caps('e') == 0 && caps('p') == all);
	CHECK(seteuid(0) == 0);
	CHECK(caps('e') == all);
}

CASE(keepcaps_keeps_permitted_ones)
{
	uint64_t all = caps('p');

	CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0 && prctl(PR_GET_KEEPCAPS) == 1);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(caps('e') == 0 && caps('p') == all);
	CHECK(set_caps(all, all, 0) == 0 && caps('e') == all);
	CHECK_ERROR(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
}

CASE(no_setuid_fixup_keeps_all)
{
	uint64_t all = caps('p');

	CHECK(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(caps('e') == all && caps('p') == all);
}

CASE(locked_securebits_stay)
{
	CHECK(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED) == 0);
	CHECK(prctl(PR_GET_SECUREBITS) == (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED));
	CHECK_ERROR(prctl(PR_SET_SECUREBITS, 0), EPERM);
	CHECK_ERROR(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT), EPERM);
	CHECK_ERROR(prctl(PR_SET_SECUREBITS, 1u << 20), EPERM);
}

CASE(locked_keepcaps_cannot_be_set)
{
	CHECK(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS_LOCKED) == 0);
	CHECK_ERROR(prctl(PR_SET_KEEPCAPS, 1), EPERM);
}

CASE(capset_only_takes_away)
{
	uint64_t all = caps('p'), kill = 1ul << CAP_KILL;

	CHECK(set_caps(kill, kill, 0) == 0);
	CHECK(caps('e') == kill && caps('p') == kill);
	CHECK_ERROR(set_caps(all, all, 0), EPERM);
	CHECK_ERROR(set_caps(all, kill, 0), EPERM);
	CHECK(set_caps(0, kill, 0) == 0 && set_caps(kill, kill, 0) == 0);
}

CASE(ambient_needs_permitted_and_inheritable)
{
	uint64_t all = caps('p'), kill = 1ul << CAP_KILL;

	CHECK_ERROR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), EPERM);
	CHECK(set_caps(all, all, kill) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0) == 1);
	CHECK(set_caps(all, all, 0) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0) == 0);
	CHECK_ERROR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 99, 0, 0), EINVAL);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0);
}

CASE(bounding_set_only_shrinks)
{
	CHECK(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 1);
	CHECK(prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN) == 0);
	CHECK(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 0);
	CHECK_ERROR(prctl(PR_CAPBSET_READ, 64), EINVAL);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(prctl(PR_CAPBSET_DROP, CAP_KILL), EPERM);
}

CASE(capget_of_others_and_errors)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, getppid()};
	struct __user_cap_data_struct d[2];

	CHECK(syscall(SYS_capget, &h, d) == 0);
	h.pid = 4000000;
	CHECK_ERROR(syscall(SYS_capget, &h, d), ESRCH);
	h.pid = getppid();
	CHECK_ERROR(syscall(SYS_capset, &h, d), EPERM);
	h = (struct __user_cap_header_struct){1, 0};
	CHECK_ERROR(syscall(SYS_capget, &h, d), EINVAL);
	CHECK(h.version == _LINUX_CAPABILITY_VERSION_3);
	CHECK(syscall(SYS_capget, &h, NULL) == 0);
}

/* ---- priorities ---- */

CASE(ioprio_is_set_and_inherited)
{
	pid_t pid;

	CHECK(syscall(SYS_ioprio_get, 1, 0) == 0);
	CHECK(syscall(SYS_ioprio_set, 1, 0, IOPRIO(2, 5)) == 0);
	CHECK(syscall(SYS_ioprio_get, 1, 0) == IOPRIO(2, 5));
	pid = fork();
	if (pid == 0)
		_exit(syscall(SYS_ioprio_get, 1, 0) != IOPRIO(2, 5));
	CHECK(status_of(pid) == 0);
}

CASE(ioprio_errors)
{
	CHECK_ERROR(syscall(SYS_ioprio_set, 1, 0, IOPRIO(5, 0)), EINVAL);
	CHECK_ERROR(syscall(SYS_ioprio_set, 1, 0, IOPRIO(0, 1)), EINVAL);
	CHECK_ERROR(syscall(SYS_ioprio_set, 9, 0, IOPRIO(2, 0)), EINVAL);
	CHECK_ERROR(syscall(SYS_ioprio_set, 1, 4000000, IOPRIO(2, 0)), ESRCH);
	CHECK_ERROR(syscall(SYS_ioprio_get, 0, 0), EINVAL);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(syscall(SYS_ioprio_set, 1, 0, IOPRIO(1, 0)), EPERM);
	CHECK(syscall(SYS_ioprio_set, 1, 0, IOPRIO(3, 0)) == 0);
}

CASE(nice_cannot_be_lowered_without_privilege)
{
	CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(setpriority(PRIO_PROCESS, 0, 0), EACCES);
	CHECK(setpriority(PRIO_PROCESS, 0, 7) == 0 && getpriority(PRIO_PROCESS, 0) == 7);
	CHECK(setpriority(PRIO_PROCESS, 0, 100) == 0 && getpriority(PRIO_PROCESS, 0) == 19);
}

CASE(real_time_policy_needs_privilege)
{
	struct sched_param p = {.sched_priority = 10};

	CHECK(sched_setscheduler(0, SCHED_FIFO, &p) == 0);
	CHECK(sched_getscheduler(0) == SCHED_FIFO);
	CHECK(sched_getparam(0, &p) == 0 && p.sched_priority == 10);
	p.sched_priority = 0;
	CHECK_ERROR(sched_setscheduler(0, SCHED_RR, &p), EINVAL);
	CHECK(sched_setscheduler(0, SCHED_OTHER, &p) == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	p.sched_priority = 10;
	CHECK_ERROR(sched_setscheduler(0, SCHED_FIFO, &p), EPERM);
	CHECK_ERROR(sched_setscheduler(0, 77, &p), EINVAL);
}

CASE(reset_on_fork_gives_children_the_default)
{
	struct sched_param p = {.sched_priority = 10};
	pid_t pid;

	CHECK(sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p) == 0);
	CHECK(sched_getscheduler(0) == (SCHED_FIFO | SCHED_RESET_ON_FORK));
	pid = fork();
	if (pid == 0)
		_exit(sched_getscheduler(0) != SCHED_OTHER);
	CHECK(status_of(pid) == 0);
}

/* ---- restartable sequences ---- */

/* With signals that come all the time, a long sequence is aborted at some time, never torn. */
static struct {
	uint32_t cpu_id_start, cpu_id;
	uint64_t cs;
	uint32_t flags, rest[3];
} area __attribute__((aligned(32)));

static volatile uint64_t committed, aborted;

static void on_alarm(int sig)
{
	(void)sig;
}

static void sequence(void)
{
	__asm__ volatile("	.pushsection .data\n"
			 "	.balign 32\n"
			 "3:	.long 0, 0\n"
			 "	.quad 1f, 2f - 1f, 4f\n"
			 "	.popsection\n"
			 "	lea 3b(%%rip), %%rax\n"
			 "	mov %%rax, %0\n"
			 "1:	mov $20000, %%ecx\n"
			 "5:	dec %%ecx\n"
			 "	jnz 5b\n"
			 "	incq %1\n"
			 "2:	jmp 6f\n"
			 "	.long 0x53053053\n"
			 "4:	incq %2\n"
			 "6:\n"
			 : "+m"(area.cs), "+m"(committed), "+m"(aborted)
			 :
			 : "rax", "rcx", "memory", "cc");
}

CASE(rseq_is_aborted_by_signals)
{
	struct sigaction sa = {.sa_handler = on_alarm};
	void *own = (char *)__builtin_thread_pointer() + __rseq_offset;
	int tries = 0;

	/* The C library has registered its own, if it could. */
	CHECK(__rseq_size == 0 || syscall(SYS_rseq, own, 32, 1, RSEQ_SIG) == 0);
	CHECK(syscall(SYS_rseq, &area, 32, 0, RSEQ_SIG) == 0);
	CHECK(area.cpu_id == area.cpu_id_start && area.cpu_id < 4096);
	CHECK_ERROR(syscall(SYS_rseq, &area, 32, 0, RSEQ_SIG), EBUSY);
	CHECK_ERROR(syscall(SYS_rseq, &area, 32, 0, RSEQ_SIG + 1), EPERM);
	sigaction(SIGALRM, &sa, NULL);
	ualarm(1000, 1000);
	while (!aborted && tries++ < 1000000)
		sequence();
	ualarm(0, 0);
	CHECK(aborted > 0);
	CHECK(syscall(SYS_rseq, &area, 32, 1, RSEQ_SIG) == 0);
}

/* ---- what is not there ---- */

CASE(swap_is_for_the_privileged)
{
	CHECK_ERROR(syscall(SYS_swapon, "/does/not/exist", 0), ENOENT);
	CHECK_ERROR(syscall(SYS_swapon, "/proc", 0x80000000), EINVAL);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(syscall(SYS_swapon, "/proc/self/exe", 0), EPERM);
	CHECK_ERROR(syscall(SYS_swapoff, "/proc/self/exe"), EPERM);
	CHECK_ERROR(syscall(SYS_vhangup), EPERM);
}

CASE(pkey_mprotect_without_a_key_is_mprotect)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(syscall(SYS_pkey_mprotect, p, PAGE, PROT_READ, -1) == 0);
	CHECK_ERROR(syscall(SYS_pkey_alloc, 1, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_pkey_free, 77), EINVAL);
}

CASE(calls_that_linux_never_had_are_enosys)
{
	static const int numbers[] = {156, 174, 177, 178, 180, 181, 182,
				      183, 184, 185, 214, 215, 236};

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		CHECK_ERROR(syscall(numbers[i], 0, 0, 0), ENOSYS);
	CHECK_ERROR(syscall(1000), ENOSYS);
	CHECK_ERROR(syscall(-1), ENOSYS);
}

CASE(auxiliary_vector_is_plausible)
{
	CHECK(getauxval(AT_PAGESZ) == PAGE && getauxval(AT_CLKTCK) == 100);
	CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_SECURE) == 0);
	CHECK(strcmp((const char *)getauxval(AT_PLATFORM), "x86_64") == 0);
	CHECK(getauxval(AT_MINSIGSTKSZ) >= 1024 && getauxval(AT_RANDOM) != 0);
}
