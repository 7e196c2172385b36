/*
 * See far_open_world.h.
 */
#include "far_open_world.h"

#include <string.h>

struct world w[CORES];
struct shard_loopback *lo;
static struct vfs_task acting[CORES]; /* for whoever asks */

static u32 say_who(void *arg, const struct vfs_task *t, void *who, u32 room)
{
	u32 ids[2] = {t ? t->tgid : 0, t ? t->cred.fsuid : 0};

	(void)arg;
	REQUIRE(room >= sizeof(ids));
	memcpy(who, ids, sizeof(ids));
	return sizeof(ids);
}

static struct vfs_task *task_begin(void *arg, u32 core, const void *who, u32 bytes)
{
	struct world *here = arg;
	struct vfs_task *t = &acting[here - w];

	(void)core;
	CHECK_EQUAL(bytes, 8);
	*t = here->task;
	t->files = NULL;
	memcpy(&t->tgid, who, 4);
	return t;
}

static void task_end(void *arg, struct vfs_task *t)
{
	(void)arg;
	(void)t;
}

static const struct far_file_env far_env = {
	.who = say_who, .task_begin = task_begin, .task_end = task_end};

void begin(void)
{
	world_begin(&w[0]);
	for (u32 i = 1; i < CORES; i++)
		world_begin_beside(&w[i], &w[0]);
	lo = shard_loopback_new(&w[0].loop, CORES);
	REQUIRE(lo != NULL);
	for (u32 i = 0; i < CORES; i++) {
		REQUIRE(far_files_join(w[i].vfs, shard_loopback_net(lo, i), 0, &far_env, &w[i]) ==
			0);
		fd_table_put(NULL, w[i].task.files); /* it was made by an instance alone */
		w[i].task.files = fd_table_new(w[i].vfs);
	}
}

void run(void)
{
	w[0].waits_forever = false;
	world_run(&w[0]);
}

void end(void)
{
	run();
	for (u32 i = 0; i < CORES; i++)
		world_task_end(&w[i].task);
	run();
	for (u32 i = 0; i < CORES; i++) {
		CHECK_EQUAL(far_files_proxies(w[i].vfs), 0);
		if (shard_lives(shard_loopback_net(lo, (i + 1) % CORES), i))
			CHECK_EQUAL(far_files_exports(w[i].vfs), 0);
	}
	shard_loopback_free(lo);
	run();
	for (u32 i = 0; i < CORES; i++) {
		far_files_leave(w[i].vfs);
		vfs_put(w[i].vfs);
		CHECK_EQUAL(w[i].npages, 0);
	}
}

/* Run @fn(arg) on a fiber until it and all others end or wait. */
struct world_fiber fibers[4];

void in_fiber(void (*fn)(void))
{
	world_start(&w[0], &fibers[0], (void (*)(void *))(void *)fn, NULL);
	run();
	CHECK(fibers[0].ended);
}

/* Let what is told arrive. */
void arrive(void)
{
	for (int i = 0; i < 8; i++)
		fiber_yield(&w[0].loop);
}

/* Give what descriptor @fd of core @from is to core @to: its descriptor there. */
int carry(u32 from, int fd, u32 to)
{
	struct file *file = fd_get(&w[from].task, fd), *there;
	struct file_desc desc;

	REQUIRE(file != NULL);
	REQUIRE(file_export(file, to, &desc) == 0);
	file_put(file);
	REQUIRE(file_import(w[to].vfs, &desc, &there) == 0);
	return fd_add(&w[to].task, there, false);
}

u32 events_of(u32 core, int fd)
{
	struct file *file = fd_get(&w[core].task, fd);
	u32 events;

	file_settle(&w[core].task, file, false);
	events = file_poll(file, NULL);
	file_put(file);
	return events;
}
