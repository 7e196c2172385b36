/* See task.h. */
#include <rt/task.h>
#include <rt/loop.h>
#include <rt/monitor.h>
#include <string.h>

static struct rt_task *tasks;

static void remove_task(struct rt_task *task)
{
	struct rt_task **at = &tasks;

	while (*at && *at != task)
		at = &(*at)->next;
	if (*at)
		*at = task->next;
	monitor_ask_simple(MON_FORGET, task->id, 0, 0, 0);
}

/* Lay the request out in the call page. 0 or -E2BIG. */
static int fill_request(const struct rt_spawn *spawn)
{
	struct mon_spawn *request = monitor_page();
	u32 bytes = 0;

	memset(request, 0, offsetof(struct mon_spawn, args));
	for (int i = 0; i < spawn->argc; i++) {
		size_t len = strlen(spawn->argv[i]) + 1;

		if (len > DOMAIN_ARGS_MAX - bytes)
			return -E2BIG;
		memcpy(request->args + bytes, spawn->argv[i], len);
		bytes += (u32)len;
	}
	if (spawn->argc < 1 || strlen(spawn->argv[0]) >= sizeof(request->path))
		return -E2BIG;
	strcpy(request->path, spawn->argv[0]);
	request->argc = (u32)spawn->argc;
	request->args_bytes = bytes;
	request->priority = spawn->priority;
	request->slots = spawn->slots;
	return 0;
}

int rt_spawn(const struct rt_spawn *spawn, struct rt_task *task)
{
	struct sys_words words = {.w = {0, spawn->core}};
	int err = fill_request(spawn);
	s64 id;

	if (err)
		return err;
	id = monitor_ask(MON_SPAWN, &words, spawn->gift);
	if (id < 0)
		return (int)id;
	*task = (struct rt_task){.next = tasks, .id = (u32)id};
	tasks = task;
	while (!task->started) {
		/* There is an answer in any case; an interrupted fiber must still take it. */
		bool held = fiber_hold_interrupts(&rt_loop, true);

		fiber_wait(&rt_loop, &task->waiting, FIBER_FOREVER);
		fiber_hold_interrupts(&rt_loop, held);
	}
	if (task->start_error)
		remove_task(task);
	return task->start_error;
}

int rt_task_wait(struct rt_task *task, u64 deadline_ns)
{
	while (!task->ended) {
		int err = fiber_wait(&rt_loop, &task->waiting, deadline_ns);

		if (err)
			return err;
	}
	remove_task(task);
	return 0;
}

void rt_task_stop(struct rt_task *task)
{
	monitor_ask_simple(MON_STOP, task->id, 0, 0, 0);
}

void task_noticed(u32 notice, u32 id, u64 a, u64 b)
{
	struct rt_task *task = tasks;

	while (task && task->id != id)
		task = task->next;
	if (!task)
		return;
	if (notice == NOTICE_STARTED) {
		task->started = true;
		task->start_error = (s32)a;
	} else {
		task->ended = true;
		task->death = (u32)a;
		task->status = (s64)b;
	}
	fiber_wake_all(&task->waiting);
}
