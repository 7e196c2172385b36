/*
 * Waiting for something to change: queues of entries that have a callback each.
 *
 * A queue hangs at whatever may change (a pipe, a terminal, a table of locks). A task may be in
 * many queues at once (poll), with one entry each; an entry's callback runs when the queue is
 * woken, in the waker's context, and must not block. Being woken means 'look again'.
 *
 * Runs in: the personality, host tests.
 */
#ifndef VFS_WAIT_H
#define VFS_WAIT_H

#include <fiber/fiber.h>
#include <skerry/types.h>

/*
 * What a call that blocks returns when a signal interrupts it, as inside Linux: the personality
 * restarts the call or turns it into -EINTR, as the signal's SA_RESTART says.
 */
#define ERESTARTSYS 512

struct wait_entry {
	struct wait_entry *next, *prev;
	struct wait_queue *queue; /* NULL: in none */
	/* The queue was woken for @events (POLLIN...; 0: anything). May remove @entry. */
	void (*wake)(struct wait_entry *entry, u32 events);
};

/* All zero is an empty queue. */
struct wait_queue {
	struct wait_entry *first, *last;
};

/* Put @entry, whose wake() is set, last into @queue. */
void wait_add(struct wait_queue *queue, struct wait_entry *entry);

/* Take @entry out of its queue, if it is in one. */
void wait_remove(struct wait_entry *entry);

/* Call every entry's callback. An entry that is added meanwhile is not called. */
void wait_wake(struct wait_queue *queue, u32 events);

/**
 * Let the running fiber of @loop wait until @queue is woken.
 *
 * @deadline_ns  by the loop's clock, or FIBER_FOREVER
 * Returns 0, -ETIMEDOUT, -ERESTARTSYS (interrupted), -EINVAL (not called by a fiber).
 */
int wait_block(struct fiber_loop *loop, struct wait_queue *queue, u64 deadline_ns);

/*
 * Passed to a file's poll(), which calls poll_wait() for every queue that tells of changes of
 * readiness. @add is NULL when the caller wants the present state only.
 */
struct poll_table {
	void (*add)(struct poll_table *table, struct wait_queue *queue);
};

static inline void poll_wait(struct poll_table *table, struct wait_queue *queue)
{
	if (table && table->add)
		table->add(table, queue);
}

#endif
