/*
 * Fibers: many tasks of one thread, each with its own stack, that take turns when they wait.
 *
 * A fiber runs until it waits (or yields), so fibers of one loop need no locks. A loop runs the
 * ready ones in turn; when none is ready it waits, through the two functions of struct fiber_io,
 * for an event or the earliest deadline.
 *
 *             wake, event, deadline, interrupt
 *            +-----------------------------------+
 *            v                                   |
 *   new -> ready -> running -> waiting ----------+
 *                      |
 *                      +-----> ended, then its done() is called on the loop's stack
 *
 * Waiting has a deadline (FIBER_FOREVER: none) and can be interrupted, which gives -EINTR. A
 * waiting fiber is in one queue at most. Whoever is woken from a queue by two causes sees the
 * first.
 *
 * Events are 64 bits, as the CPU driver delivers them. They are latched: a bit that nobody waits
 * for is kept until somebody does.
 *
 * Memory is the caller's: loops, fibers, stacks (with guard pages if it wants them). Nothing here
 * allocates.
 *
 * Not here: threads; one loop belongs to one thread, and only that thread may touch its fibers.
 * Runs in: monitors, native domains, host tests.
 */
#ifndef FIBER_FIBER_H
#define FIBER_FIBER_H

#include <fiber/timer.h>
#include <skerry/types.h>

#define FIBER_FOREVER   UINT64_MAX
#define FIBER_MIN_STACK 1024ul /* bytes; what a fiber's own code needs comes on top */

/* How a loop learns of the world. */
struct fiber_io {
	/* Nanoseconds since some fixed moment; never goes back. */
	u64 (*now_ns)(void *arg);
	/*
	 * Wait until an event occurs or @deadline_ns (0: do not wait; FIBER_FOREVER).
	 *
	 * @mask  the events that fibers wait for; others may be returned too
	 * Returns the events that occurred since the last call. May itself wake fibers of the
	 * loop, and must then return. Returning 0 to a call without a deadline, with no fiber
	 * woken, means that nothing will ever happen: the loop ends with -EDEADLK.
	 */
	u64 (*wait_events)(void *arg, u64 mask, u64 deadline_ns);
};

struct fiber;

/* Fibers that wait, the longest waiting first. All zero is an empty queue. */
struct fiber_queue {
	struct fiber *first;
	struct fiber *last;
};

/* What the sanitizers of the host keep for one stack; unused elsewhere. */
struct fiber_stack_note {
	void *fake_stack;
	void *tsan_fiber;
	const void *bottom;
	size_t bytes;
};

/* A fiber. Private but for @name. */
struct fiber {
	const char *name; /* for messages; may be NULL */
	void *stack_pointer;
	struct fiber_loop *loop;
	void (*entry)(void *arg);
	void *arg;
	void (*done)(struct fiber *fiber);
	struct fiber *next, *prev; /* in @queue */
	struct fiber_queue *queue; /* that it waits in or is ready in; NULL: in none */
	struct fiber_timer timer;  /* of a wait with a deadline */
	u64 events;                /* waited for; then those that occurred */
	int result;                /* of the wait */
	u8 state;
	bool interrupted; /* and has not been told yet */
	bool interrupts_held;
	struct fiber_stack_note note;
};

/* A loop. Private but for @nfibers and @switches. */
struct fiber_loop {
	u32 nfibers; /* started and not ended */
	bool stopping;
	u64 switches; /* how often a fiber was entered: who reads the same twice has not waited */
	const struct fiber_io *io;
	void *io_arg;
	struct fiber *current;
	void *stack_pointer; /* of the loop, while a fiber runs */
	struct fiber_queue ready;
	struct fiber_queue event_waiters;
	struct fiber_timer *timers;
	u64 events; /* that occurred and nobody waited for */
	struct fiber_stack_note note;
};

/* Prepare a loop. @io stays the caller's and is called with @io_arg. */
void fiber_loop_init(struct fiber_loop *loop, const struct fiber_io *io, void *io_arg);

/**
 * Run fibers until all have ended or fiber_loop_stop() is called. Not to be called by a fiber.
 *
 * Returns 0, or -EDEADLK if all that are left wait for what cannot come.
 */
int fiber_loop_run(struct fiber_loop *loop);

/* Make fiber_loop_run() return when the running fiber next waits. It can be called again. */
void fiber_loop_stop(struct fiber_loop *loop);

/**
 * Make a fiber ready that will call @entry(@arg).
 *
 * @stack  @bytes of memory, its lowest address; the fiber's until it has ended
 * @done   called when it has ended, on the loop's stack: @fiber and its stack may be freed there.
 *         May be NULL.
 * Returns 0 or -EINVAL (stack smaller than FIBER_MIN_STACK).
 */
int fiber_start(struct fiber_loop *loop, struct fiber *fiber, void *stack, size_t bytes,
		void (*entry)(void *arg), void *arg, void (*done)(struct fiber *fiber));

/* The fiber that runs; NULL outside of any. */
struct fiber *fiber_self(const struct fiber_loop *loop);

/* Let every other ready fiber run once. */
void fiber_yield(struct fiber_loop *loop);

/**
 * Wait in @queue until woken.
 *
 * Returns 0 (woken), -ETIMEDOUT (the deadline came first; also when it is past already), -EINTR,
 * -EINVAL (not called by a fiber).
 */
int fiber_wait(struct fiber_loop *loop, struct fiber_queue *queue, u64 deadline_ns);

/* Wake the fiber that has waited longest; false if there is none. */
bool fiber_wake_one(struct fiber_queue *queue);

/* Wake all; returns how many there were. */
u32 fiber_wake_all(struct fiber_queue *queue);

/* Sleep until @deadline_ns. Returns 0, -EINTR, -EINVAL (not called by a fiber). */
int fiber_sleep_until(struct fiber_loop *loop, u64 deadline_ns);

/**
 * Wait until one of the events in @mask occurs. All fibers that wait for an event get it.
 *
 * @events  is set to those of @mask that occurred, which are thereby no longer latched
 * Returns 0, -ETIMEDOUT, -EINTR, -EINVAL (not called by a fiber; empty mask).
 */
int fiber_wait_events(struct fiber_loop *loop, u64 mask, u64 deadline_ns, u64 *events);

/**
 * Interrupt a fiber: its wait, or else its next one, returns -EINTR. A wait that need not wait
 * (its event is latched) does not consume the interrupt.
 */
void fiber_interrupt(struct fiber *fiber);

/* Forget an interrupt that the fiber has not been told of. */
static inline void fiber_clear_interrupt(struct fiber *fiber)
{
	fiber->interrupted = false;
}

/* Hold (or no longer hold) interrupts of the running fiber back: they stay pending. Returns
 * whether they were held before. */
bool fiber_hold_interrupts(struct fiber_loop *loop, bool hold);

#endif
