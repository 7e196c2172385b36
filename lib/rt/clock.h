/*
 * Time: nanoseconds since the machine started, from the time-stamp counter, which all cores of
 * the machine share. No division, no call of the CPU driver.
 *
 * Runs in: native domains and the monitor.
 */
#ifndef RT_CLOCK_H
#define RT_CLOCK_H

#include <skerry/types.h>

#define NS_PER_S 1000000000ul

/** @tsc_hz, @tsc_start  from the start page or the hand-off */
void clock_init(u64 tsc_hz, u64 tsc_start);

u64 clock_now_ns(void);

/** How long @ticks of the counter are. */
u64 clock_ticks_to_ns(u64 ticks);

/**
 * How it is computed, for code that cannot call it: (counter - @zero) * @ns_per_tick >> 32, the
 * product being of 128 bits.
 */
void clock_scale(u64 *zero, u64 *ns_per_tick);

/** The reading of the counter at @ns; for TIMER_SET. Never 0. */
u64 clock_to_tsc(u64 ns);

static inline u64 clock_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

#endif
