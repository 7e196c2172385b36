/*
 * The pairing heap of timers. See timer.h.
 *
 * Invariant: no timer has an earlier deadline than its parent; the root has neither back nor
 * sibling.
 */
#include <fiber/timer.h>

/* Join two heaps, neither empty; @a comes first among equals. */
static struct fiber_timer *join(struct fiber_timer *a, struct fiber_timer *b)
{
	if (b->deadline_ns < a->deadline_ns) {
		struct fiber_timer *earlier = b;

		b = a;
		a = earlier;
	}
	b->sibling = a->child;
	if (b->sibling)
		b->sibling->back = b;
	b->back = a;
	a->child = b;
	a->sibling = NULL;
	a->back = NULL;
	return a;
}

/* Join all the siblings from @first on: in pairs, then the pairs from the last to the first. */
static struct fiber_timer *join_siblings(struct fiber_timer *first)
{
	struct fiber_timer *pairs = NULL, *all = NULL;

	while (first) {
		struct fiber_timer *a = first, *b = first->sibling, *pair = a;

		first = b ? b->sibling : NULL;
		if (b)
			pair = join(a, b);
		pair->sibling = pairs;
		pairs = pair;
	}
	while (pairs) {
		struct fiber_timer *next = pairs->sibling;

		pairs->sibling = NULL;
		pairs->back = NULL;
		all = all ? join(all, pairs) : pairs;
		pairs = next;
	}
	return all;
}

void fiber_timer_add(struct fiber_timer **heap, struct fiber_timer *timer)
{
	timer->child = NULL;
	timer->sibling = NULL;
	timer->back = NULL;
	*heap = *heap ? join(*heap, timer) : timer;
}

void fiber_timer_remove(struct fiber_timer **heap, struct fiber_timer *timer)
{
	struct fiber_timer *below = join_siblings(timer->child);

	if (timer == *heap) {
		*heap = below;
		return;
	}
	if (timer->back->child == timer)
		timer->back->child = timer->sibling;
	else
		timer->back->sibling = timer->sibling;
	if (timer->sibling)
		timer->sibling->back = timer->back;
	if (below)
		*heap = join(*heap, below);
}
