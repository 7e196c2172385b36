/*
 * Timers of the monitor: callbacks at a time, over one timer object.
 */
#ifndef MONITOR_TIMER_H
#define MONITOR_TIMER_H

#include <skerry/types.h>

struct timer {
	struct timer *next; /* armed, by time */
	u64 at_ns;
	bool armed;
	void (*fire)(struct timer *timer);
};

void timer_init(void);

/** Call @fire once, @delay_ns from now, or later; an armed timer is armed anew. */
void timer_start(struct timer *timer, u64 delay_ns, void (*fire)(struct timer *timer));
void timer_stop(struct timer *timer);

/** Fire what is due, and set the hardware for what is not. After EVENT_TIMER. */
void timer_run(void);

#endif
