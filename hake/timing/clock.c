/*
 * Simulated time for QEMU and its guest.
 *
 * This shared object is loaded twice over, as QEMU's plugin and before everything (LD_PRELOAD), so
 * that it can stand before a few functions of the C library:
 *  - clock_gettime(CLOCK_MONOTONIC), from which QEMU makes virtual time: APIC timers, HPET, PIT
 *    and the ACPI clock then follow the cores' clocks;
 *  - RDTSC of vCPU threads, which traps (PR_SET_TSC): the guest's time-stamp counter counts the
 *    cycles of its own core;
 *  - ppoll() of the main loop: its sleep ends when simulated time comes to its deadline, and no
 *    vCPU goes on before it has looked;
 *  - pthread_cond_wait() and _broadcast(): a halted vCPU that was woken is waited for; a vCPU that
 *    waits for the others to stop finds them stopping.
 *
 * Threads of QEMU that are neither the main loop's nor a vCPU's see the host's time.
 */
#include "timing.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define MAX_POLLED 256

static struct {
	bool on;
	pid_t main_thread;
	int kick;          /* eventfd */
	uint64_t start_ns; /* of CLOCK_MONOTONIC when simulated time began */
	uint64_t main_now; /* millicycles: the main loop's */
	int (*cond_wait)(pthread_cond_t *, pthread_mutex_t *);
	int (*cond_broadcast)(pthread_cond_t *);
} time_state;

static __thread bool is_main __attribute__((tls_model("initial-exec")));
static __thread bool in_halt __attribute__((tls_model("initial-exec")));

static uint64_t host_ns(clockid_t id)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static bool simulated(void)
{
	return time_state.on && (this_core || is_main);
}

/* Millicycles. The main loop's time stands still while it works, so that what it arms is exact. */
static uint64_t now(void)
{
	return is_main ? time_state.main_now : slot_now();
}

static uint64_t now_ns(void)
{
	return time_state.start_ns + machine_ns(&timing.machine, now() / MILLI);
}

PLUGIN_EXPORT int clock_gettime(clockid_t id, struct timespec *ts)
{
	uint64_t ns;

	if (id != CLOCK_MONOTONIC || !simulated())
		return (int)syscall(SYS_clock_gettime, id, ts);
	ns = now_ns();
	ts->tv_sec = (time_t)(ns / 1000000000);
	ts->tv_nsec = (long)(ns % 1000000000);
	return 0;
}

/* --- The time-stamp counter --- */

static uint64_t host_tsc(void)
{
	uint32_t low, high;

	prctl(PR_SET_TSC, PR_TSC_ENABLE);
	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
	return (uint64_t)high << 32 | low;
}

static struct sigaction previous;

static void on_segv(int signal, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	const uint8_t *code = (const uint8_t *)regs[REG_RIP];
	uint64_t tsc;
	int len = 0;

	/* RDTSC is 0F 31, RDTSCP 0F 01 F9; the fault of either is no fault of an address. */
	if (info->si_code == SI_KERNEL && code[0] == 0x0f)
		len = code[1] == 0x31 ? 2 : code[1] == 0x01 && code[2] == 0xf9 ? 3 : 0;
	if (!len) {
		sigaction(SIGSEGV, &previous, NULL);
		return;
	}
	(void)signal;
	tsc = simulated() ? now() / MILLI : host_tsc();
	regs[REG_RAX] = (greg_t)(tsc & 0xffffffff);
	regs[REG_RDX] = (greg_t)(tsc >> 32);
	if (len == 3)
		regs[REG_RCX] = 0;
	regs[REG_RIP] += len;
}

static void trap_tsc(void)
{
	struct sigaction sa = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGSEGV, &sa, &previous);
	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV) != 0)
		timing_die("this host cannot trap RDTSC (PR_SET_TSC): %s", strerror(errno));
}

/* --- The main loop --- */

void clock_kick_main(void)
{
	uint64_t one = 1;

	(void)!write(time_state.kick, &one, sizeof(one));
}

static int real_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout)
{
	struct timespec copy = timeout ? *timeout : (struct timespec){0};

	return (int)syscall(SYS_ppoll, fds, n, timeout ? &copy : NULL, NULL, 8);
}

/* Millicycles from now on, ~0 for no timeout. */
static uint64_t deadline_after(const struct timespec *timeout)
{
	uint64_t ns;

	if (!timeout)
		return UINT64_MAX;
	ns = (uint64_t)timeout->tv_sec * 1000000000ull + (uint64_t)timeout->tv_nsec;
	if (ns > 1000000000000ull)
		return UINT64_MAX;
	/* One cycle more: rounding must not bring it back too early, again and again. */
	return now() + (machine_cycles(&timing.machine, ns) + 1) * MILLI;
}

/* The main loop's sleep: until one of @fds is ready or simulated time is at the deadline. */
static int main_sleep(struct pollfd *fds, nfds_t n, const struct timespec *timeout)
{
	struct pollfd all[MAX_POLLED + 1];
	uint64_t deadline = deadline_after(timeout), count, seen;
	int ready;

	memcpy(all, fds, n * sizeof(*fds));
	all[n] = (struct pollfd){.fd = time_state.kick, .events = POLLIN};
	for (;;) {
		seen = slot_main_look();
		ready = real_ppoll(all, n, &(struct timespec){0});
		if (ready != 0 || slot_main_due(deadline))
			break;
		slot_main_idle(deadline, seen);
		ready = real_ppoll(all, n + 1, NULL);
		if (ready < 0)
			break;
		if (all[n].revents)
			(void)!read(time_state.kick, &count, sizeof(count));
	}
	slot_main_busy();
	time_state.main_now = slot_now();
	memcpy(fds, all, n * sizeof(*fds));
	return ready;
}

PLUGIN_EXPORT int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
			const sigset_t *mask)
{
	if (!time_state.on || mask || n > MAX_POLLED ||
	    syscall(SYS_gettid) != time_state.main_thread)
		return (int)syscall(SYS_ppoll, fds, n, timeout, mask, 8);
	is_main = true;
	if (timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0)
		return real_ppoll(fds, n, timeout);
	return main_sleep(fds, n, timeout);
}

/* --- Halts --- */

PLUGIN_EXPORT int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	int r;

	if (this_core && in_halt)
		slot_halt_wait(this_core, cond);
	else if (this_core)
		slot_exclusive(this_core);
	if (!time_state.on || !is_main)
		return time_state.cond_wait(cond, mutex);
	/* The main loop waits for vCPUs: it stops them all, to end or to reset the machine. */
	slot_stopping(true);
	r = time_state.cond_wait(cond, mutex);
	slot_stopping(false);
	return r;
}

PLUGIN_EXPORT int pthread_cond_broadcast(pthread_cond_t *cond)
{
	if (time_state.on)
		slot_halt_wake(cond);
	return time_state.cond_broadcast(cond);
}

void clock_in_halt(bool on)
{
	in_halt = on;
	if (!on && this_core)
		slot_halt_wait(this_core, NULL);
}

/* --- Beginning --- */

/* Runs when the object is loaded, before QEMU starts a thread: they all inherit the trap. */
__attribute__((constructor)) static void load(void)
{
	time_state.cond_wait = (int (*)(pthread_cond_t *, pthread_mutex_t *))dlvsym(
		RTLD_NEXT, "pthread_cond_wait", "GLIBC_2.3.2");
	time_state.cond_broadcast = (int (*)(pthread_cond_t *))dlvsym(
		RTLD_NEXT, "pthread_cond_broadcast", "GLIBC_2.3.2");
	time_state.main_thread = (pid_t)syscall(SYS_gettid);
}

void clock_start(void)
{
	const char *preload = getenv("LD_PRELOAD");

	if (!preload || !strstr(preload, "timing"))
		timing_die("LD_PRELOAD must name this plugin, too, for time to be simulated");
	unsetenv("LD_PRELOAD");
	time_state.kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (time_state.kick < 0)
		timing_die("eventfd: %s", strerror(errno));
	time_state.start_ns = host_ns(CLOCK_MONOTONIC);
	trap_tsc();
	is_main = true;
	time_state.on = true;
}
