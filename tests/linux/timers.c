/* Time: the vDSO, clocks, timers of processes, time that is used. */
#include "check.h"

#include <elf.h>
#include <limits.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000l
#define S  1000000000l

#ifndef sigev_notify_thread_id /* glibc before 2.38 */
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define CPU_CLOCK(pid, which) ((clockid_t)((~(unsigned)(pid) << 3) | (which)))

static volatile sig_atomic_t count;
static siginfo_t last;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	last = *info;
	count++;
}

static void catch (int sig)
{
	struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	CHECK(sigaction(sig, &sa, NULL) == 0);
}

static long ns_of(clockid_t clock)
{
	struct timespec ts;

	CHECK(syscall(SYS_clock_gettime, clock, &ts) == 0);
	return ts.tv_sec * S + ts.tv_nsec;
}

static void burn(long ns)
{
	long until = ns_of(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (ns_of(CLOCK_THREAD_CPUTIME_ID) < until)
		for (volatile int i = 0; i < 1000; i++)
			;
}

static void sleep_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * MS};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* ---- the vDSO ---- */

static void *vdso_symbol(const char *name)
{
	const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
	const ElfW(Ehdr) *eh = (const void *)base;
	const ElfW(Sym) *symbols = NULL;
	const char *strings = NULL;
	const uint32_t *hash = NULL;
	const ElfW(Phdr) * ph;

	ph = (const void *)(base + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++) {
		const ElfW(Dyn) *d = (const void *)(base + ph[i].p_offset);

		if (ph[i].p_type != PT_DYNAMIC)
			continue;
		for (; d->d_tag != DT_NULL; d++) {
			const void *at = base + d->d_un.d_ptr;

			if (d->d_tag == DT_SYMTAB)
				symbols = at;
			if (d->d_tag == DT_STRTAB)
				strings = at;
			if (d->d_tag == DT_HASH)
				hash = at;
		}
	}
	CHECK(symbols != NULL && strings != NULL);
	for (uint32_t i = 0; i < (hash ? hash[1] : 32); i++) {
		if (strcmp(strings + symbols[i].st_name, name) == 0)
			return (void *)(base + symbols[i].st_value);
	}
	case_failed(__FILE__, __LINE__, name, 0);
}

CASE(vdso_is_an_elf_object)
{
	const ElfW(Ehdr) *eh = (const void *)getauxval(AT_SYSINFO_EHDR);

	CHECK(eh && memcmp(eh->e_ident, ELFMAG, SELFMAG) == 0);
	CHECK(eh->e_type == ET_DYN && eh->e_machine == EM_X86_64);
}

CASE(vdso_tells_the_same_time_as_the_call)
{
	int (*get)(clockid_t, struct timespec *) =
		(int (*)(clockid_t, struct timespec *))vdso_symbol("__vdso_clock_gettime");
	static const clockid_t clocks[] = {
		CLOCK_REALTIME,
		CLOCK_MONOTONIC,
		CLOCK_BOOTTIME,
		CLOCK_TAI,
	};

	for (unsigned i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		for (int k = 0; k < 100; k++) {
			struct timespec ts;
			long before = ns_of(clocks[i]), middle;

			CHECK(get(clocks[i], &ts) == 0);
			middle = ts.tv_sec * S + ts.tv_nsec;
			CHECK(before <= middle && middle <= ns_of(clocks[i]));
		}
	}
}

CASE(vdso_gettimeofday_and_time_agree)
{
	int (*get)(struct timeval *, void *) =
		(int (*)(struct timeval *, void *))vdso_symbol("__vdso_gettimeofday");
	time_t (*seconds)(time_t *) = (time_t(*)(time_t *))vdso_symbol("__vdso_time");
	struct timeval tv;
	time_t at;

	CHECK(get(&tv, NULL) == 0);
	CHECK(seconds(&at) == at);
	CHECK(at - tv.tv_sec >= -1 && at - tv.tv_sec <= 1);
}

CASE(vdso_getcpu_agrees)
{
	long (*get)(unsigned *, unsigned *, void *) =
		(long (*)(unsigned *, unsigned *, void *))vdso_symbol("__vdso_getcpu");
	cpu_set_t one;
	unsigned cpu, node;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
	CHECK(get(&cpu, &node, NULL) == 0);
	CHECK(CPU_ISSET(cpu, &one));
}

CASE(vdso_passes_on_what_it_does_not_know)
{
	int (*get)(clockid_t, struct timespec *) =
		(int (*)(clockid_t, struct timespec *))vdso_symbol("__vdso_clock_gettime");
	struct timespec ts;

	CHECK(get(CLOCK_PROCESS_CPUTIME_ID, &ts) == 0);
	CHECK(get(99, &ts) == -EINVAL);
}

CASE(coarse_clocks_lag_by_a_tick_at_most)
{
	struct timespec res;
	long coarse, fine;

	CHECK(clock_getres(CLOCK_MONOTONIC_COARSE, &res) == 0);
	CHECK(res.tv_sec == 0 && res.tv_nsec >= MS && res.tv_nsec <= 10 * MS);
	coarse = ns_of(CLOCK_MONOTONIC_COARSE);
	fine = ns_of(CLOCK_MONOTONIC);
	CHECK(coarse <= fine && fine - coarse < 500 * MS);
}

/* ---- clocks ---- */

CASE(clocks_only_go_forward)
{
	long at = ns_of(CLOCK_MONOTONIC);

	for (int i = 0; i < 1000; i++) {
		long now = ns_of(CLOCK_MONOTONIC);

		CHECK(now >= at);
		at = now;
	}
}

CASE(cpu_clock_of_a_process_by_its_number)
{
	clockid_t clock;

	CHECK(clock_getcpuclockid(getpid(), &clock) == 0);
	burn(5 * MS);
	CHECK(ns_of(clock) >= 5 * MS);
	CHECK(ns_of(CPU_CLOCK(getpid(), 2)) >= 5 * MS);
	CHECK(ns_of(CPU_CLOCK(0, 4 | 2)) >= 5 * MS);
}

CASE(cpu_clock_of_nobody_is_einval)
{
	struct timespec ts;

	CHECK_ERROR(syscall(SYS_clock_gettime, CPU_CLOCK(4000000, 2), &ts), EINVAL);
	CHECK_ERROR(syscall(SYS_clock_gettime, CPU_CLOCK(getpid(), 3), &ts), EINVAL);
	CHECK_ERROR(syscall(SYS_clock_gettime, 77, &ts), EINVAL);
}

CASE(cpu_clock_stands_still_while_sleeping)
{
	long before = ns_of(CLOCK_PROCESS_CPUTIME_ID);

	sleep_ms(300);
	CHECK(ns_of(CLOCK_PROCESS_CPUTIME_ID) - before < 200 * MS);
}

CASE(clock_settime_checks)
{
	struct timespec ts = {1, 0}, bad = {1, S};

	CHECK_ERROR(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &ts), EINVAL);
	CHECK_ERROR(syscall(SYS_clock_settime, CLOCK_REALTIME, &bad), EINVAL);
	CHECK_ERROR(syscall(SYS_clock_settime, CLOCK_REALTIME, NULL), EFAULT);
	CHECK_ERROR(syscall(SYS_clock_settime, CPU_CLOCK(0, 2), &ts), EPERM);
	CHECK_ERROR(syscall(SYS_clock_settime, 99, &ts), EINVAL);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(clock_gettime(CLOCK_REALTIME, &ts) == 0);
	CHECK_ERROR(syscall(SYS_clock_settime, CLOCK_REALTIME, &ts), EPERM);
}

CASE(clock_nanosleep_of_each_clock)
{
	struct timespec ts = {0, 2 * MS};
	long before = ns_of(CLOCK_MONOTONIC);

	CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL) == 0);
	CHECK(clock_nanosleep(CLOCK_BOOTTIME, 0, &ts, NULL) == 0);
	CHECK(clock_nanosleep(CLOCK_TAI, 0, &ts, NULL) == 0);
	CHECK(clock_nanosleep(CLOCK_REALTIME, 0, &ts, NULL) == 0);
	CHECK(ns_of(CLOCK_MONOTONIC) - before >= 8 * MS);
	CHECK(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL) == EINVAL);
	CHECK_ERROR(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &ts, NULL), EOPNOTSUPP);
	CHECK_ERROR(syscall(SYS_clock_nanosleep, CLOCK_REALTIME_COARSE, 0, &ts, NULL), EOPNOTSUPP);
	CHECK_ERROR(syscall(SYS_clock_nanosleep, 99, 0, &ts, NULL), EINVAL);
	ts.tv_nsec = S;
	CHECK_ERROR(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, NULL), EINVAL);
}

CASE(absolute_sleep_of_a_past_moment_returns_at_once)
{
	struct timespec ts = {0, 1};

	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == 0);
	CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL) == 0);
}

CASE(absolute_sleep_is_not_restarted_late)
{
	struct timespec ts;
	long until;

	catch (SIGALRM);
	until = ns_of(CLOCK_MONOTONIC) + 400 * MS;
	ts = (struct timespec){until / S, until % S};
	setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {0, 5000}}, NULL);
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR);
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == 0);
	CHECK(ns_of(CLOCK_MONOTONIC) >= until);
}

CASE(adjtimex_reads_the_state)
{
	struct timex tx = {.modes = 0};
	int state = adjtimex(&tx);

	CHECK(state >= TIME_OK && state <= TIME_ERROR);
	CHECK(tx.tick >= 9000 && tx.tick <= 11000);
	CHECK(tx.time.tv_sec > 0);
	tx.modes = 0;
	CHECK(clock_adjtime(CLOCK_REALTIME, &tx) == state);
	CHECK_ERROR(clock_adjtime(CLOCK_MONOTONIC, &tx), EOPNOTSUPP);
}

CASE(adjtimex_wants_privilege_and_sense)
{
	struct timex tx = {.modes = ADJ_TICK, .tick = 1};

	CHECK_ERROR(adjtimex(&tx), EINVAL);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	tx = (struct timex){.modes = ADJ_FREQUENCY};
	CHECK_ERROR(adjtimex(&tx), EPERM);
	tx = (struct timex){.modes = ADJ_OFFSET_SS_READ};
	CHECK(adjtimex(&tx) >= 0);
}

/* ---- interval timers of used time ---- */

CASE(itimer_virtual_counts_time_in_user_mode)
{
	catch (SIGVTALRM);
	CHECK(setitimer(ITIMER_VIRTUAL, &(struct itimerval){.it_value = {0, 200000}}, NULL) == 0);
	sleep_ms(250);
	CHECK(count == 0);
	while (!count)
		;
	CHECK(count == 1);
}

CASE(itimer_prof_repeats)
{
	struct itimerval now;

	catch (SIGPROF);
	CHECK(setitimer(ITIMER_PROF, &(struct itimerval){{0, 10000}, {0, 10000}}, NULL) == 0);
	while (count < 3)
		;
	CHECK(getitimer(ITIMER_PROF, &now) == 0);
	CHECK(now.it_interval.tv_usec >= 10000 && now.it_interval.tv_usec <= 14000);
	CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_usec > 0);
	CHECK(setitimer(ITIMER_PROF, &(struct itimerval){0}, &now) == 0);
	CHECK(getitimer(ITIMER_PROF, &now) == 0 && now.it_value.tv_usec == 0);
}

CASE(itimers_are_not_inherited)
{
	struct itimerval it = {.it_value = {100, 0}};
	int status;
	pid_t pid;

	CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0 && setitimer(ITIMER_PROF, &it, NULL) == 0);
	pid = fork();
	if (pid == 0) {
		struct itimerval a, b;

		getitimer(ITIMER_REAL, &a);
		getitimer(ITIMER_PROF, &b);
		_exit(a.it_value.tv_sec || b.it_value.tv_sec);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void spin(void *arg)
{
	(void)arg;
	signal(SIGXCPU, SIG_DFL);
	setrlimit(RLIMIT_CPU, &(struct rlimit){1, 4});
	for (;;)
		;
}

CASE(cpu_limit_ends_the_process)
{
	CHECK(WTERMSIG(in_child(spin, NULL)) == SIGXCPU);
}

/* ---- timer_create ---- */

static void set_timer(timer_t id, long value_ns, long interval_ns)
{
	struct itimerspec it = {
		{interval_ns / S, interval_ns % S},
		{value_ns / S, value_ns % S},
	};

	CHECK(timer_settime(id, 0, &it, NULL) == 0);
}

CASE(timer_without_an_event_sends_sigalrm)
{
	timer_t id;

	catch (SIGALRM);
	CHECK(timer_create(CLOCK_MONOTONIC, NULL, &id) == 0);
	set_timer(id, 5 * MS, 0);
	while (!count)
		sleep_ms(1);
	CHECK(last.si_code == SI_TIMER && last.si_signo == SIGALRM);
	CHECK(timer_delete(id) == 0);
}

CASE(timer_tells_its_value_and_overruns)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1};
	sigset_t set;
	timer_t id;

	catch (SIGRTMIN + 1);
	e.sigev_value.sival_int = 4711;
	CHECK(timer_create(CLOCK_MONOTONIC, &e, &id) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	set_timer(id, 2 * MS, 2 * MS);
	sleep_ms(40);
	CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
	set_timer(id, 0, 0);
	CHECK(count >= 1 && count <= 2);
	CHECK(last.si_value.sival_int == 4711 && last.si_code == SI_TIMER);
	CHECK(timer_delete(id) == 0);
}

CASE(timer_overruns_are_counted)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	siginfo_t info;
	sigset_t set;
	timer_t id;

	CHECK(timer_create(CLOCK_MONOTONIC, &e, &id) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	set_timer(id, 2 * MS, 2 * MS);
	sleep_ms(50);
	CHECK(sigwaitinfo(&set, &info) == SIGUSR1);
	CHECK(info.si_overrun >= 5 && info.si_overrun < 10000);
	CHECK(timer_getoverrun(id) == info.si_overrun);
}

CASE(timer_signals_one_thread)
{
	struct sigevent e = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2};
	timer_t id;

	catch (SIGUSR2);
	e.sigev_notify_thread_id = (int)syscall(SYS_gettid);
	CHECK(timer_create(CLOCK_REALTIME, &e, &id) == 0);
	set_timer(id, MS, 0);
	while (!count)
		sleep_ms(1);
	CHECK(last.si_code == SI_TIMER);
	e.sigev_notify_thread_id = 1;
	CHECK_ERROR(timer_create(CLOCK_REALTIME, &e, &id), EINVAL);
}

CASE(timer_with_no_notification_can_be_read)
{
	struct sigevent e = {.sigev_notify = SIGEV_NONE};
	struct itimerspec now;
	timer_t id;

	CHECK(timer_create(CLOCK_MONOTONIC, &e, &id) == 0);
	CHECK(timer_gettime(id, &now) == 0 && now.it_value.tv_sec == 0 &&
	      now.it_value.tv_nsec == 0);
	set_timer(id, 100 * S, 7 * S);
	CHECK(timer_gettime(id, &now) == 0);
	CHECK(now.it_value.tv_sec >= 98 && now.it_value.tv_sec <= 100);
	CHECK(now.it_interval.tv_sec == 7);
	set_timer(id, 5 * MS, 0);
	sleep_ms(20);
	CHECK(timer_gettime(id, &now) == 0 && now.it_value.tv_nsec == 0);
}

CASE(timer_by_an_absolute_time)
{
	struct itimerspec it = {0}, old;
	timer_t id;
	long at;

	catch (SIGALRM);
	CHECK(timer_create(CLOCK_REALTIME, NULL, &id) == 0);
	at = ns_of(CLOCK_REALTIME) + 20 * MS;
	it.it_value = (struct timespec){at / S, at % S};
	CHECK(timer_settime(id, TIMER_ABSTIME, &it, NULL) == 0);
	while (!count)
		sleep_ms(1);
	CHECK(ns_of(CLOCK_REALTIME) >= at);
	CHECK(timer_settime(id, TIMER_ABSTIME, &it, &old) == 0);
	while (count < 2) /* past already: at once */
		sleep_ms(1);
}

CASE(timer_of_used_time)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	timer_t id;

	catch (SIGUSR1);
	CHECK(timer_create(CLOCK_PROCESS_CPUTIME_ID, &e, &id) == 0);
	set_timer(id, 200 * MS, 0);
	sleep_ms(250);
	CHECK(count == 0);
	while (!count)
		;
	CHECK(ns_of(CLOCK_PROCESS_CPUTIME_ID) >= 200 * MS);
}

CASE(timer_errors)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
	struct itimerspec it = {.it_value = {0, S}};
	int id;

	CHECK_ERROR(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
	e = (struct sigevent){.sigev_notify = 77, .sigev_signo = SIGALRM};
	CHECK_ERROR(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id), EINVAL);
	CHECK_ERROR(syscall(SYS_timer_create, 99, NULL, &id), EINVAL);
	CHECK_ERROR(syscall(SYS_timer_create, CLOCK_MONOTONIC_COARSE, NULL, &id), EOPNOTSUPP);
	CHECK_ERROR(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, 8), EFAULT);
	CHECK_ERROR(syscall(SYS_timer_create, CLOCK_MONOTONIC, 8, &id), EFAULT);
	CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id) == 0);
	CHECK_ERROR(syscall(SYS_timer_settime, id, 0, &it, NULL), EINVAL);
	CHECK_ERROR(syscall(SYS_timer_settime, id, 0, NULL, NULL), EINVAL);
	CHECK(syscall(SYS_timer_delete, id) == 0);
	CHECK_ERROR(syscall(SYS_timer_delete, id), EINVAL);
	CHECK_ERROR(syscall(SYS_timer_gettime, id, &it), EINVAL);
	CHECK_ERROR(syscall(SYS_timer_getoverrun, id), EINVAL);
}

CASE(timers_are_not_inherited)
{
	int id, status;
	pid_t pid;

	CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id) == 0);
	pid = fork();
	if (pid == 0)
		_exit(syscall(SYS_timer_getoverrun, id) != -1 || errno != EINVAL);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

CASE(ignored_timer_signals_do_not_pile_up)
{
	timer_t id;

	signal(SIGALRM, SIG_IGN);
	CHECK(timer_create(CLOCK_MONOTONIC, NULL, &id) == 0);
	set_timer(id, MS, MS);
	sleep_ms(20);
	catch (SIGALRM);
	while (!count)
		sleep_ms(1);
	CHECK(timer_delete(id) == 0);
}
