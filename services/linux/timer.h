/*
 * Time of programs: clocks, and timers that run by them.
 *
 * A timer of the machine's clocks (struct itimer) waits in one heap; one of a process's or thread's
 * own time (struct cpu_timer) in a list of its process, which the scheduler looks at as it charges
 * time. Both call a function when they end.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_TIMER_H
#define LINUX_TIMER_H

#include "process.h"

#define TIMER_COARSE_NS 4000000ul /* resolution of the coarse clocks: Linux at 250 Hz */

/** Start the fiber that waits for timers. 0 or -ENOMEM. */
int timer_init(void);

/**
 * Arm a timer for @deadline_ns of the monotonic clock. ->expired(timer) is called at the end, and
 * it is no longer armed: one with an interval is started again by who takes notice of the end. So
 * the shortest interval keeps nobody busy.
 */
void timer_arm(struct itimer *timer, u64 deadline_ns);

/** The same for a moment of the real-time clock: setting that clock moves it. */
void timer_arm_realtime(struct itimer *timer, u64 real_ns);
void timer_cancel(struct itimer *timer);

/**
 * Arm a timer that has ended for the next interval that is not over, at least @min_ns from now.
 * Returns how many intervals are over, the one that ended included.
 */
u64 timer_restart(struct itimer *timer, u64 min_ns);

/** The real-time clock, nanoseconds since 1970; at a moment of the monotonic one. */
u64 timer_realtime_at(u64 monotonic_ns);
u64 timer_realtime(void);

/** Set it: steps it, and everything that waits for it. */
void timer_set_realtime(u64 now_ns);

/** Woken when it is set. */
extern struct wait_queue timer_clock_set;

/** Read a clock of @t: 0 or -EINVAL. */
int timer_read_clock(struct thread *t, s32 clock, u64 *ns);

/** Whether a clock runs by the machine's time: 0 monotonic, 1 real time, -1 neither. */
int timer_clock_kind(s32 clock);

/** A time from a program: 0, -EINVAL (nanoseconds or sign), saturated. */
int timespec_to_ns(const struct k_timespec *ts, u64 *ns);
struct k_timespec ns_to_timespec(u64 ns);
struct k_timeval ns_to_timeval(u64 ns);

/** When a timeout that begins now ends; FIBER_FOREVER if that is beyond all time. */
u64 timer_deadline(u64 timeout_ns);

/* A timer on its way to another core, where the clock is the same. */
struct moved_itimer {
	bool armed;
	u64 deadline_ns, interval_ns, real_ns, ended_ns, ended_real_ns;
};

struct moved_itimer itimer_describe(const struct itimer *timer);
/** @timer, which has its function already, becomes what was described. */
void itimer_revive(struct itimer *timer, const struct moved_itimer *m);

/* ---- cputimer.c: time that threads have used ---- */

/**
 * Take a CPU clock's number apart: CLOCK_*_CPUTIME_ID, or those of clock_getcpuclockid(3).
 * Sets what @timer counts. 0 or -EINVAL (no such clock, process or thread).
 */
int cpu_clock_find(struct thread *t, s32 clock, struct cpu_timer *timer);

/** The reading of the clock that @timer counts. */
u64 cpu_clock_read(const struct cpu_timer *timer);

/** Arm for the reading @expires_ns; ->expired(timer) is called then, and it is no longer armed. */
void cpu_timer_arm(struct cpu_timer *timer, u64 expires_ns);
void cpu_timer_cancel(struct cpu_timer *timer);

/* On its way to another core. */
struct moved_cpu_timer {
	u32 tid; /* 0: all of the process */
	bool user_only, armed;
	u64 expires_ns, interval_ns;
};

struct moved_cpu_timer cpu_timer_describe(const struct cpu_timer *timer);

/** @t has used time: look at the timers of its process, and RLIMIT_CPU. */
void cpu_timers_check(struct thread *t);

/** How long @t may run until one of them ends. */
u64 cpu_timers_left(const struct thread *t);

/** Timers that count @t are gone with it. */
void cpu_timers_forget(struct thread *t);

/** ITIMER_VIRTUAL (@prof false) and ITIMER_PROF. */
void cpu_itimer_set(struct process *p, bool prof, u64 value_ns, u64 interval_ns);
void cpu_itimer_get(const struct process *p, bool prof, u64 *left_ns, u64 *interval_ns);

/* ---- posixtimer.c ---- */

/** exec and exit: the timers of timer_create(2) are gone. */
void posix_timers_delete(struct process *p);

/** All timers of @p on their way to another core, and made of that there. posixtimer.c. */
struct record;
void posix_timers_write(const struct process *p, struct record *r);
void posix_timers_read(struct process *p, struct record *r);

/** The signal of a timer is taken by @p: it learns how often it came too late. */
void posix_timer_taken(struct process *p, struct k_siginfo *info);

/** ... or thrown away. */
void posix_timer_dropped(struct process *p, const struct k_siginfo *info);

#endif
