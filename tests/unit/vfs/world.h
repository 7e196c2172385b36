/*
 * A small world for tests of services/vfs on the host: an instance, a task, pages by malloc,
 * signals that are remembered, fibers.
 */
#ifndef TEST_VFS_WORLD_H
#define TEST_VFS_WORLD_H

#include <unit.h>
#include <vfs/file.h>
#include <vfs/mount.h>
#include <vfs/proc.h>
#include <vfs/tty.h>

#define WORLD_PAGES 4096u /* of memory: a tmpfs may have half */

struct world {
	struct fiber_loop loop;
	struct vfs *vfs;
	struct vfs_task task; /* root */
	u64 now_ns, seed;
	s64 npages; /* that live */
	s64 max_pages;
	int task_signal, group_signal;
	u32 group;    /* that was sent group_signal */
	u32 orphaned; /* group that is */
	bool ignores; /* the task ignores all signals */
	bool waits_forever;
	struct inode *unmapped; /* last one */
};

void world_begin(struct world *w);
/* Another instance, whose fibers run in the loop of @first: another core. */
void world_begin_beside(struct world *w, struct world *first);
/* Ends it, and checks that every page came back. */
void world_end(struct world *w);

/* A further task with its own descriptors and place, as after a fork of w->task. */
void world_task(struct world *w, struct vfs_task *task, u32 pid, u32 uid);
void world_task_end(struct vfs_task *task);

/* Run @fn on a fiber beside others; world_run() runs all until they end or wait. */
struct world_fiber {
	struct fiber fiber;
	char *stack;
	bool ended;
};
void world_start(struct world *w, struct world_fiber *f, void (*fn)(void *), void *arg);
void world_run(struct world *w);

/* One entry in the first queue of a file's poll; wait_remove(&poll->entry) ends it. */
struct world_poll {
	struct poll_table table;
	struct wait_entry entry;
	u32 woken; /* events */
};
void world_poll(struct file *file, struct world_poll *poll);

/* Shorthands: data as strings. */
s64 put(struct vfs_task *t, int fd, const char *text);
/* Reads up to @size - 1 bytes and ends them with a NUL. */
s64 get(struct vfs_task *t, int fd, char *buf, size_t size);
int make_file(struct vfs_task *t, const char *path, const char *text);
/* The whole of a file; "" if it cannot be read. */
const char *contents(struct vfs_task *t, const char *path);
int mkdir_at(struct vfs_task *t, const char *path);
u32 mode_of(struct vfs_task *t, const char *path);
/* The names in a directory in order, each with a space behind it. */
const char *names_in(struct vfs_task *t, const char *path);

#endif
