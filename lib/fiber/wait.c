/*
 * What fibers wait for: queues, deadlines, events; and what ends a wait.
 *
 * Every wait goes through wait_in() and ends in end_wait(), which takes the fiber out of all that
 * it is in, so that a wait ends once.
 *
 * Runs in: monitors, native domains, host tests.
 */
#include <fiber/fiber.h>
#include <fiber/wait.h>

#include <errno.h>

static void put_last(struct fiber_queue *queue, struct fiber *fiber)
{
	fiber->next = NULL;
	fiber->prev = queue->last;
	fiber->queue = queue;
	if (queue->last)
		queue->last->next = fiber;
	else
		queue->first = fiber;
	queue->last = fiber;
}

static void take_out(struct fiber *fiber)
{
	struct fiber_queue *queue = fiber->queue;

	if (!queue)
		return;
	if (fiber->next)
		fiber->next->prev = fiber->prev;
	else
		queue->last = fiber->prev;
	if (fiber->prev)
		fiber->prev->next = fiber->next;
	else
		queue->first = fiber->next;
	fiber->queue = NULL;
}

struct fiber *fiber_take_first(struct fiber_queue *queue)
{
	struct fiber *fiber = queue->first;

	if (fiber)
		take_out(fiber);
	return fiber;
}

void fiber_make_ready(struct fiber *fiber)
{
	fiber->state = FIBER_READY;
	put_last(&fiber->loop->ready, fiber);
}

static void end_wait(struct fiber *fiber, int result)
{
	take_out(fiber);
	if (fiber->timer.deadline_ns != FIBER_FOREVER)
		fiber_timer_remove(&fiber->loop->timers, &fiber->timer);
	fiber->result = result;
	fiber_make_ready(fiber);
}

/* Wait in @queue (NULL: in none) until end_wait(); returns its result. */
static int wait_in(struct fiber_loop *loop, struct fiber_queue *queue, u64 deadline_ns)
{
	struct fiber *self = loop->current;

	if (self->interrupted && !self->interrupts_held) {
		self->interrupted = false;
		return -EINTR;
	}
	self->state = FIBER_WAITING;
	if (queue)
		put_last(queue, self);
	self->timer.deadline_ns = deadline_ns;
	if (deadline_ns != FIBER_FOREVER)
		fiber_timer_add(&loop->timers, &self->timer);
	fiber_suspend(self);
	return self->result;
}

void fiber_yield(struct fiber_loop *loop)
{
	struct fiber *self = loop->current;

	if (!self)
		return;
	fiber_make_ready(self);
	fiber_suspend(self);
}

int fiber_wait(struct fiber_loop *loop, struct fiber_queue *queue, u64 deadline_ns)
{
	return loop->current ? wait_in(loop, queue, deadline_ns) : -EINVAL;
}

bool fiber_wake_one(struct fiber_queue *queue)
{
	if (!queue->first)
		return false;
	end_wait(queue->first, 0);
	return true;
}

u32 fiber_wake_all(struct fiber_queue *queue)
{
	u32 n = 0;

	while (fiber_wake_one(queue))
		n++;
	return n;
}

int fiber_sleep_until(struct fiber_loop *loop, u64 deadline_ns)
{
	int err;

	if (!loop->current)
		return -EINVAL;
	err = wait_in(loop, NULL, deadline_ns);
	return err == -ETIMEDOUT ? 0 : err;
}

int fiber_wait_events(struct fiber_loop *loop, u64 mask, u64 deadline_ns, u64 *events)
{
	struct fiber *self = loop->current;
	int err;

	if (!self || mask == 0)
		return -EINVAL;
	if (loop->events & mask) {
		*events = loop->events & mask;
		loop->events &= ~mask;
		return 0;
	}
	self->events = mask;
	err = wait_in(loop, &loop->event_waiters, deadline_ns);
	if (!err)
		*events = self->events;
	return err;
}

void fiber_interrupt(struct fiber *fiber)
{
	if (fiber->state == FIBER_WAITING && !fiber->interrupts_held)
		end_wait(fiber, -EINTR);
	else
		fiber->interrupted = true;
}

bool fiber_hold_interrupts(struct fiber_loop *loop, bool hold)
{
	struct fiber *self = loop->current;
	bool held;

	if (!self)
		return false;
	held = self->interrupts_held;
	self->interrupts_held = hold;
	return held;
}

/* Wake those that wait for one of @events; what nobody waits for stays latched. */
static void deliver(struct fiber_loop *loop, u64 events)
{
	struct fiber *fiber = loop->event_waiters.first;
	u64 taken = 0;

	events |= loop->events;
	while (fiber) {
		struct fiber *next = fiber->next;

		if (fiber->events & events) {
			fiber->events &= events;
			taken |= fiber->events;
			end_wait(fiber, 0);
		}
		fiber = next;
	}
	loop->events = events & ~taken;
}

static u64 events_wanted(const struct fiber_loop *loop)
{
	u64 mask = 0;

	for (const struct fiber *f = loop->event_waiters.first; f; f = f->next)
		mask |= f->events;
	return mask;
}

static void expire(struct fiber_loop *loop)
{
	u64 now_ns;

	if (!loop->timers)
		return;
	now_ns = loop->io->now_ns(loop->io_arg);
	while (loop->timers && loop->timers->deadline_ns <= now_ns)
		end_wait(container_of(loop->timers, struct fiber, timer), -ETIMEDOUT);
}

bool fiber_poll(struct fiber_loop *loop)
{
	u64 deadline_ns, events;

	do {
		deadline_ns = FIBER_FOREVER;
		if (loop->ready.first)
			deadline_ns = 0;
		else if (loop->timers)
			deadline_ns = loop->timers->deadline_ns;
		events = loop->io->wait_events(loop->io_arg, events_wanted(loop), deadline_ns);
		deliver(loop, events);
		expire(loop);
		if (deadline_ns == FIBER_FOREVER && events == 0 && !loop->ready.first)
			return false;
	} while (!loop->ready.first && !loop->stopping);
	return true;
}
