/*
 * What the vDSO reads: one page a core, read-only in every process, written by the personality.
 *
 * @seq is odd while the page is being written; who has read it twice the same and even has read
 * what belongs together. Units: nanoseconds; rates are 32.32 fixed-point fractions.
 */
#ifndef LINUX_VDSO_VVAR_H
#define LINUX_VDSO_VVAR_H

#include <skerry/types.h>

struct vvar {
	u32 seq;
	u32 core, node;
	u32 coarse_ns; /* resolution of the coarse clocks */
	u32 ask;       /* system calls tell the time: the clocks are other ones (timens.h) */
	u64 tsc_zero;  /* of the time-stamp counter at time 0 of the monotonic clock */
	u64 ns_per_tick;
	/* The real-time clock: see clock_realtime() below. */
	u64 real_offset_ns, slew_start_ns, slew_end_ns;
	s64 rate, slew_rate;
};

static inline s64 vvar_scale(u64 ns, s64 rate)
{
	return (s64)((__int128)ns * rate >> 32);
}

/*
 * The real-time clock at @now_ns of the monotonic one: a constant ahead, and faster or slower by
 * @rate since slew_start_ns, and by slew_rate until slew_end_ns (adjtimex(2)).
 */
static inline u64 vvar_realtime(const volatile struct vvar *v, u64 now_ns)
{
	u64 real_ns = now_ns + v->real_offset_ns, end_ns = v->slew_end_ns;

	if (v->rate)
		real_ns += (u64)vvar_scale(now_ns - v->slew_start_ns, v->rate);
	if (v->slew_rate)
		real_ns += (u64)vvar_scale((now_ns < end_ns ? now_ns : end_ns) - v->slew_start_ns,
					   v->slew_rate);
	return real_ns;
}

#endif
