/*
 * Tuning of the real-time clock: adjtimex and clock_adjtime.
 *
 * The clock's rate and a slew that ends by itself are in vvar.h's page; the rest is what a time
 * daemon wrote here, to be read again. Offsets for the phase-locked loop are slewed like
 * adjtime(3)'s, at 500 ppm, not by a filter.
 *
 * Runs in: the personality's domain. Source: adjtimex(2), adjtime(3).
 */
#include "syscall.h"
#include "timer.h"
#include "uaccess.h"
#include "vdso.h"

#include <errno.h>
#include <rt/clock.h>

#define ADJ_OFFSET    0x0001u
#define ADJ_FREQUENCY 0x0002u
#define ADJ_MAXERROR  0x0004u
#define ADJ_ESTERROR  0x0008u
#define ADJ_STATUS    0x0010u
#define ADJ_TIMECONST 0x0020u
#define ADJ_TAI       0x0080u
#define ADJ_SETOFFSET 0x0100u
#define ADJ_MICRO     0x1000u
#define ADJ_NANO      0x2000u /* with ADJ_ADJTIME: only read */
#define ADJ_TICK      0x4000u
#define ADJ_ADJTIME   0x8000u

#define STA_PLL       0x0001
#define STA_UNSYNC    0x0040
#define STA_NANO      0x2000
#define STA_READONLY  0xff00
#define TIME_ERROR    5

#define TICK_US       10000 /* 1 s / USER_HZ */
#define SLEW_PPM      500
#define FREQ_MAX      (500l << 16) /* ppm, 16 bits of fraction */
#define ERROR_MAX_US  16000000

struct k_timex {
	u32 modes, pad0;
	s64 offset, freq, maxerror, esterror;
	s32 status, pad1;
	s64 constant, precision, tolerance;
	struct k_timeval time;
	s64 tick, ppsfreq, jitter;
	s32 shift, pad2;
	s64 stabil, jitcnt, calcnt, errcnt, stbcnt;
	s32 tai, pad3[11];
};

static_assert(sizeof(struct k_timex) == 208, "struct timex");

static struct k_timex state = {
	.status = STA_UNSYNC,
	.maxerror = ERROR_MAX_US,
	.esterror = ERROR_MAX_US,
	.constant = 2,
	.precision = 1,
	.tolerance = FREQ_MAX,
	.tick = TICK_US,
};

/* What is left of a slew at @now_ns. */
static s64 slew_left(u64 now_ns)
{
	const struct vvar *v = vdso_vvar();

	return v->slew_end_ns > now_ns ? vvar_scale(v->slew_end_ns - now_ns, v->slew_rate) : 0;
}

/* 32 bits of fraction of @ppm, which has 16. */
static s64 rate_of(s64 ppm)
{
	return (s64)(((__int128)ppm << 16) / 1000000);
}

/* From now on: the rate of frequency and tick, and a slew of @slew_ns. */
static void tune(s64 slew_ns)
{
	u64 now_ns = clock_now_ns(), real_ns = timer_realtime_at(now_ns);
	s64 rate =
		rate_of(state.freq) + rate_of((state.tick - TICK_US) * (1000000 / TICK_US) << 16);
	struct vvar *v = vdso_begin();

	v->real_offset_ns = real_ns - now_ns;
	v->slew_start_ns = v->slew_end_ns = now_ns;
	v->rate = rate;
	v->slew_rate = slew_ns ? rate_of((slew_ns < 0 ? -SLEW_PPM : SLEW_PPM) << 16) : 0;
	if (slew_ns)
		v->slew_end_ns += (u64)(slew_ns < 0 ? -slew_ns : slew_ns) * (1000000 / SLEW_PPM);
	vdso_end();
}

static int check(const struct thread *t, const struct k_timex *tx)
{
	bool may = capable(t, CAP_SYS_TIME);

	if (tx->modes & ADJ_ADJTIME) {
		if (!(tx->modes & ADJ_OFFSET))
			return -EINVAL;
		return !(tx->modes & ADJ_NANO) && !may ? -EPERM : 0;
	}
	if (tx->modes && !may)
		return -EPERM;
	if (tx->modes & ADJ_TICK && (tx->tick < TICK_US * 9 / 10 || tx->tick > TICK_US * 11 / 10))
		return -EINVAL;
	if (tx->modes & ADJ_SETOFFSET &&
	    (tx->time.usec < 0 || tx->time.usec >= (tx->modes & ADJ_NANO ? 1000000000 : 1000000)))
		return -EINVAL;
	return 0;
}

static void step(const struct k_timex *tx)
{
	s64 ns = tx->time.usec * (tx->modes & ADJ_NANO ? 1 : 1000);

	timer_set_realtime(timer_realtime() + (u64)(tx->time.sec * (s64)NS_PER_S + ns));
}

static s64 clamp(s64 value, s64 limit)
{
	return MIN(MAX(value, -limit), limit);
}

static void perform(const struct k_timex *tx)
{
	u32 m = tx->modes;
	s64 slew_ns = slew_left(clock_now_ns());

	if (m & ADJ_SETOFFSET)
		step(tx);
	if (m & ADJ_STATUS)
		state.status = (state.status & STA_READONLY) | (tx->status & ~STA_READONLY);
	if (m & ADJ_NANO)
		state.status |= STA_NANO;
	if (m & ADJ_MICRO)
		state.status &= ~STA_NANO;
	if (m & ADJ_FREQUENCY)
		state.freq = clamp(tx->freq, FREQ_MAX);
	if (m & ADJ_MAXERROR)
		state.maxerror = tx->maxerror;
	if (m & ADJ_ESTERROR)
		state.esterror = tx->esterror;
	if (m & ADJ_TIMECONST)
		state.constant = tx->constant;
	if (m & ADJ_TAI && tx->constant >= 0)
		state.tai = (s32)tx->constant;
	if (m & ADJ_TICK)
		state.tick = tx->tick;
	if (m & ADJ_OFFSET && state.status & STA_PLL)
		slew_ns = clamp(tx->offset * (state.status & STA_NANO ? 1 : 1000), 500000000);
	if (m & (ADJ_FREQUENCY | ADJ_TICK | ADJ_OFFSET))
		tune(slew_ns);
}

static s64 adjust(struct thread *t, u64 addr)
{
	struct k_timex tx, out;
	s64 left_us;
	int err = copy_in(t, &tx, addr, sizeof(tx));

	if (!err)
		err = check(t, &tx);
	if (err)
		return err;
	left_us = slew_left(clock_now_ns()) / 1000;
	if (!(tx.modes & ADJ_ADJTIME))
		perform(&tx);
	else if (!(tx.modes & ADJ_NANO))
		tune(tx.offset * 1000);
	out = state;
	out.modes = tx.modes;
	out.offset = tx.modes & ADJ_ADJTIME
			     ? left_us
			     : slew_left(clock_now_ns()) / (state.status & STA_NANO ? 1 : 1000);
	out.time = ns_to_timeval(timer_realtime());
	if (state.status & STA_NANO)
		out.time.usec = (s64)(timer_realtime() % NS_PER_S);
	if (copy_out(t, addr, &out, sizeof(out)))
		return -EFAULT;
	return state.status & STA_UNSYNC ? TIME_ERROR : 0;
}

s64 sys_adjtimex(struct thread *t, const u64 *a)
{
	return adjust(t, a[0]);
}

s64 sys_clock_adjtime(struct thread *t, const u64 *a)
{
	u64 ns;

	if ((s32)a[0] == 0)
		return adjust(t, a[1]);
	return timer_read_clock(t, (s32)a[0], &ns) ? -EINVAL : -EOPNOTSUPP;
}
