/* See agreed.h. */
#include <rt/agreed.h>
#include <rt/loop.h>
#include <rt/monitor.h>
#include <errno.h>
#include <string.h>

#define BUSY_NS 1000000ul /* until a monitor that has no room for a request is asked again */

/* A fiber that waits for the answer to its request. */
struct waiter {
	struct waiter *next;
	u32 number;
	bool done;
	s64 status;
	struct fiber_queue queue;
};

static struct waiter *waiters;

void agreed_noticed(u32 number, s64 status)
{
	struct waiter *w = waiters;

	while (w && w->number != number)
		w = w->next;
	if (!w)
		return;
	w->done = true;
	w->status = status;
	fiber_wake_all(&w->queue);
}

/* Wait for the answer, which there is in any case, even if the fiber is interrupted. */
static s64 await(u32 number)
{
	struct waiter self = {.next = waiters, .number = number}, **at = &waiters;
	bool held = fiber_hold_interrupts(&rt_loop, true);

	waiters = &self;
	while (!self.done)
		fiber_wait(&rt_loop, &self.queue, FIBER_FOREVER);
	fiber_hold_interrupts(&rt_loop, held);
	while (*at != &self)
		at = &(*at)->next;
	*at = self.next;
	return self.status;
}

/* Ask, with @bytes of @data in the call page, until the monitor takes it. As monitor_ask(). */
static s64 ask(enum monitor_request what, struct sys_words *words, const void *data, size_t bytes)
{
	for (;;) {
		struct sys_words copy = *words;
		s64 result;

		memcpy(monitor_page(), data, bytes);
		result = monitor_ask(what, &copy, CAP_NONE);
		if (result != -EAGAIN) {
			*words = copy;
			return result;
		}
		rt_sleep_ns(BUSY_NS);
	}
}

/* The same, and wait for what the other cores say. */
static s64 ask_all(enum monitor_request what, struct sys_words *words, const void *data,
		   size_t bytes)
{
	s64 result = ask(what, words, data, bytes);

	return result > 0 ? await((u32)result) : result;
}

/* ---- names ---- */

int rt_name_register(const char *name, u64 word0, u64 word1)
{
	struct sys_words words = {.w = {0, word0, word1}};
	size_t bytes = strlen(name) + 1;

	if (bytes > NAME_BYTES_MAX)
		return -EINVAL;
	return (int)ask_all(MON_NAME_REGISTER, &words, name, bytes);
}

int rt_name_unregister(const char *name)
{
	struct sys_words words = {0};
	size_t bytes = strlen(name) + 1;

	return bytes > NAME_BYTES_MAX ? -EINVAL
				      : (int)ask(MON_NAME_UNREGISTER, &words, name, bytes);
}

int rt_name_lookup(const char *name, struct rt_name *out)
{
	size_t bytes = strlen(name) + 1;
	struct sys_words words = {0};
	s64 result;

	if (bytes > NAME_BYTES_MAX)
		return -EINVAL;
	while ((result = ask(MON_NAME_LOOKUP, &words, name, bytes)) > 0) {
		result = await((u32)result); /* -EEXIST: another request got the directory */
		if (result && result != -EEXIST && result != -EALREADY)
			break;
	}
	if (result < 0)
		return (int)result;
	*out = (struct rt_name){(u32)words.w[3], {words.w[1], words.w[2]}};
	return 0;
}

bool rt_core_lives(u32 core)
{
	return monitor_ask_simple(MON_LIVE, core, 0, 0, 0) > 0;
}

static struct fiber_queue *watchers;

int rt_watch_cores(struct fiber_queue *queue)
{
	watchers = queue;
	return (int)monitor_ask_simple(MON_WATCH, 0, 0, 0, 0);
}

void agreed_cores_changed(void)
{
	fiber_wake_all(watchers);
}

int rt_memory_borrow(u64 bytes)
{
	struct sys_words words = {.w = {0, bytes}};

	return (int)ask_all(MON_BORROW, &words, "", 0);
}

int rt_frame_export(const struct rt_frame *frame, u64 *address)
{
	struct sys_words words = {.w = {0, frame->handle}};
	s64 result = monitor_ask(MON_EXPORT, &words, CAP_NONE);

	*address = words.w[1];
	return (int)result;
}

int rt_frame_import(u32 core, u64 address, u64 bytes, cap_t *frame)
{
	s64 number, status;

	do {
		struct sys_words words = {.w = {0, core, address, bytes}};

		number = ask(MON_IMPORT, &words, "", 0);
		status = number > 0 ? await((u32)number) : number;
	} while (status == -EAGAIN);
	if (!status) {
		struct sys_words words = {.w = {0, (u64)number}};

		status = monitor_ask_cap(MON_IMPORTED, &words, frame);
	}
	return (int)status;
}

int rt_frame_revoke(const struct rt_frame *frame)
{
	struct sys_words words = {.w = {0, frame->handle}};

	return (int)ask_all(MON_REVOKE, &words, "", 0);
}

/* ---- objects ---- */

int rt_object_create(u64 *object)
{
	struct sys_words words = {.w = {0, OBJECT_CREATE}};
	s64 result = monitor_ask(MON_OBJECT, &words, CAP_NONE);

	*object = words.w[1];
	return (int)result;
}

int rt_object_read(u64 object, u32 key, u64 *value)
{
	struct sys_words words = {.w = {0, OBJECT_READ, object, key}};
	s64 result = monitor_ask(MON_OBJECT, &words, CAP_NONE);

	*value = words.w[1];
	return (int)result;
}

s64 rt_object_do(u32 what, u64 object, u32 key, u64 value)
{
	struct sys_words words = {.w = {0, what, object, key, value}};

	return ask_all(MON_OBJECT, &words, "", 0);
}

s64 rt_object_change_all(const struct mon_parts *parts)
{
	struct sys_words words = {.w = {0, OBJECT_CHANGE_ALL}};

	return ask_all(MON_OBJECT, &words, parts, sizeof(*parts));
}
