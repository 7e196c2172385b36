/* See clock.h. */
#include <rt/clock.h>

/* 32.32 fixed-point factors. */
static u64 ns_per_tick;
static u64 ticks_per_ns;
static u64 zero;

static u64 scale(u64 value, u64 factor)
{
	return (u64)((unsigned __int128)value * factor >> 32);
}

void clock_init(u64 tsc_hz, u64 tsc_start)
{
	assert(tsc_hz >= 1000000);
	ns_per_tick = (NS_PER_S << 32) / tsc_hz;
	ticks_per_ns = tsc_hz / NS_PER_S << 32 | (tsc_hz % NS_PER_S << 32) / NS_PER_S;
	zero = tsc_start;
}

u64 clock_now_ns(void)
{
	return scale(clock_tsc() - zero, ns_per_tick);
}

u64 clock_ticks_to_ns(u64 ticks)
{
	return scale(ticks, ns_per_tick);
}

void clock_scale(u64 *to_zero, u64 *to_ns_per_tick)
{
	*to_zero = zero;
	*to_ns_per_tick = ns_per_tick;
}

u64 clock_to_tsc(u64 ns)
{
	/* One tick more than the rounded value: a timer must not fire before its time. */
	return zero + scale(ns, ticks_per_ns) + 1;
}
