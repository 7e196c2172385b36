/*
 * Timers ordered by deadline: an intrusive pairing heap.
 *
 * The earliest is at hand, adding takes constant time, taking any one away logarithmic time
 * amortised. A timer is in one heap at most; its memory is the caller's.
 *
 * Source: Fredman, Sedgewick, Sleator, Tarjan, "The pairing heap", Algorithmica 1 (1986).
 * Runs in: monitors, native domains, host tests.
 */
#ifndef FIBER_TIMER_H
#define FIBER_TIMER_H

#include <skerry/types.h>

struct fiber_timer {
	u64 deadline_ns;
	struct fiber_timer *child;   /* the first of those with later deadlines */
	struct fiber_timer *sibling; /* the next child of the same parent */
	struct fiber_timer *back;    /* the previous sibling, or the parent of a first child */
};

/* Add @timer, whose deadline is set, to the heap whose earliest timer is *@heap (NULL: empty). */
void fiber_timer_add(struct fiber_timer **heap, struct fiber_timer *timer);

/* Take @timer, which must be in the heap, away. */
void fiber_timer_remove(struct fiber_timer **heap, struct fiber_timer *timer);

#endif
