/*
 * Time of programs: clocks, and timers that post a signal when they end.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_TIMER_H
#define LINUX_TIMER_H

#include "process.h"

/** Start the fiber that waits for timers. 0 or -ENOMEM. */
int timer_init(void);

/** Arm a timer for @deadline_ns of the monotonic clock; again every interval_ns, if that is set. */
void timer_arm(struct itimer *timer, u64 deadline_ns);
void timer_cancel(struct itimer *timer);

/** Nanoseconds since 1970 at time 0 of the monotonic clock. */
u64 timer_realtime_offset(void);

/** Read a clock of @t: 0 or -EINVAL. */
int timer_read_clock(struct thread *t, s32 clock, u64 *ns);

/** A time from a program: 0, -EINVAL (nanoseconds or sign), saturated. */
int timespec_to_ns(const struct k_timespec *ts, u64 *ns);
struct k_timespec ns_to_timespec(u64 ns);
struct k_timeval ns_to_timeval(u64 ns);

/** When a timeout that begins now ends; FIBER_FOREVER if that is beyond all time. */
u64 timer_deadline(u64 timeout_ns);

#endif
