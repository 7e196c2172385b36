/*
 * The code of the vDSO: functions that programs call instead of the system calls of these names.
 *
 * Compiled to a shared object of its own (linux-vdso.so.1), position independent, without writable
 * data; vvar.h's page lies just before it (vdso.ld). What cannot be answered from there is asked
 * by the system call, so that every call gives just what the system call gives.
 *
 * Runs in: Linux processes. Source: vdso(7), clock_gettime(2), getcpu(2).
 */
#include "vvar.h"

#define CALL_GETTIMEOFDAY  96
#define CALL_TIME          201
#define CALL_CLOCK_GETTIME 228
#define CALL_CLOCK_GETRES  229

#define NS_PER_S           1000000000ul

extern const volatile struct vvar vvar_page __attribute__((visibility("hidden")));

struct timespec {
	s64 sec, nsec;
};

struct timeval {
	s64 sec, usec;
};

static s64 call2(s64 number, u64 a, u64 b)
{
	s64 result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return result;
}

/* The counter, not before what precedes it: rdtsc alone may run early (SDM vol. 2, RDTSC). */
static u64 counter(void)
{
	u32 low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

/* Both clocks at one moment. */
static void read_clocks(u64 *monotonic_ns, u64 *real_ns, bool coarse)
{
	const volatile struct vvar *v = &vvar_page;
	u32 seq;

	do {
		u64 now_ns;

		while ((seq = v->seq) & 1)
			__builtin_ia32_pause();
		__asm__ volatile("" : : : "memory");
		now_ns = (u64)((unsigned __int128)(counter() - v->tsc_zero) * v->ns_per_tick >> 32);
		if (coarse)
			now_ns -= now_ns % v->coarse_ns;
		*monotonic_ns = now_ns;
		*real_ns = vvar_realtime(v, now_ns);
		__asm__ volatile("" : : : "memory");
	} while (v->seq != seq);
}

int __vdso_clock_gettime(s32 clock, struct timespec *ts);
int __vdso_gettimeofday(struct timeval *tv, s32 *zone);
s64 __vdso_time(s64 *to);
int __vdso_clock_getres(s32 clock, struct timespec *ts);
s64 __vdso_getcpu(u32 *cpu, u32 *node, void *unused);

int __vdso_clock_gettime(s32 clock, struct timespec *ts)
{
	u64 monotonic_ns, real_ns, ns;

	if (vvar_page.ask)
		return (int)call2(CALL_CLOCK_GETTIME, (u64)(s64)clock, (u64)ts);
	switch (clock) {
	case 0:  /* CLOCK_REALTIME */
	case 5:  /* ..._COARSE */
	case 11: /* CLOCK_TAI */
		read_clocks(&monotonic_ns, &real_ns, clock == 5);
		ns = real_ns;
		break;
	case 1: /* CLOCK_MONOTONIC */
	case 4: /* ..._RAW */
	case 6: /* ..._COARSE */
	case 7: /* CLOCK_BOOTTIME */
		read_clocks(&monotonic_ns, &real_ns, clock == 6);
		ns = monotonic_ns;
		break;
	default:
		return (int)call2(CALL_CLOCK_GETTIME, (u64)(s64)clock, (u64)ts);
	}
	ts->sec = (s64)(ns / NS_PER_S);
	ts->nsec = (s64)(ns % NS_PER_S);
	return 0;
}

int __vdso_gettimeofday(struct timeval *tv, s32 *zone)
{
	u64 monotonic_ns, ns;

	if (zone || vvar_page.ask)
		return (int)call2(CALL_GETTIMEOFDAY, (u64)tv, (u64)zone);
	if (tv) {
		read_clocks(&monotonic_ns, &ns, false);
		tv->sec = (s64)(ns / NS_PER_S);
		tv->usec = (s64)(ns % NS_PER_S / 1000);
	}
	return 0;
}

s64 __vdso_time(s64 *to)
{
	u64 monotonic_ns, ns;

	if (vvar_page.ask)
		return call2(CALL_TIME, (u64)to, 0);
	read_clocks(&monotonic_ns, &ns, true);
	if (to)
		*to = (s64)(ns / NS_PER_S);
	return (s64)(ns / NS_PER_S);
}

int __vdso_clock_getres(s32 clock, struct timespec *ts)
{
	return (int)call2(CALL_CLOCK_GETRES, (u64)(s64)clock, (u64)ts);
}

s64 __vdso_getcpu(u32 *cpu, u32 *node, void *unused)
{
	(void)unused;
	if (cpu)
		*cpu = vvar_page.core;
	if (node)
		*node = vvar_page.node;
	return 0;
}

#define ALIAS(name) __typeof__(__vdso_##name) name __attribute__((weak, alias("__vdso_" #name)))

ALIAS(clock_gettime);
ALIAS(gettimeofday);
ALIAS(time);
ALIAS(clock_getres);
ALIAS(getcpu);
