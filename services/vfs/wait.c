/*
 * Queues of waiting callbacks, and fibers that wait in them. See wait.h.
 */
#include <vfs/wait.h>

#include <errno.h>

void wait_add(struct wait_queue *queue, struct wait_entry *entry)
{
	entry->queue = queue;
	entry->next = NULL;
	entry->prev = queue->last;
	if (queue->last)
		queue->last->next = entry;
	else
		queue->first = entry;
	queue->last = entry;
}

void wait_remove(struct wait_entry *entry)
{
	struct wait_queue *queue = entry->queue;

	if (!queue)
		return;
	if (entry->next)
		entry->next->prev = entry->prev;
	else
		queue->last = entry->prev;
	if (entry->prev)
		entry->prev->next = entry->next;
	else
		queue->first = entry->next;
	entry->queue = NULL;
}

/*
 * A callback may remove any entry, or add some. So the entries move to a queue of their own
 * first; each goes back behind the new ones before its callback runs.
 */
void wait_wake(struct wait_queue *queue, u32 events)
{
	struct wait_queue old = *queue;

	queue->first = queue->last = NULL;
	for (struct wait_entry *e = old.first; e; e = e->next)
		e->queue = &old;
	while (old.first) {
		struct wait_entry *entry = old.first;

		wait_remove(entry);
		wait_add(queue, entry);
		entry->wake(entry, events);
	}
}

struct blocked {
	struct wait_entry entry;
	struct fiber_queue fiber;
};

static void wake_fiber(struct wait_entry *entry, u32 events)
{
	(void)events;
	fiber_wake_all(&container_of(entry, struct blocked, entry)->fiber);
}

int wait_block(struct fiber_loop *loop, struct wait_queue *queue, u64 deadline_ns)
{
	struct blocked blocked = {.entry.wake = wake_fiber};
	int err;

	if (!fiber_self(loop))
		return -EINVAL;
	wait_add(queue, &blocked.entry);
	err = fiber_wait(loop, &blocked.fiber, deadline_ns);
	wait_remove(&blocked.entry);
	return err == -EINTR ? -ERESTARTSYS : err;
}
