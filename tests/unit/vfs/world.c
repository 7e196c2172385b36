/*
 * The world of world.h.
 */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#define STACK_BYTES (256 * KiB)

static struct page *new_page(void *arg)
{
	struct world *w = arg;
	struct page *page;

	if (w->npages >= w->max_pages)
		return NULL;
	page = calloc(1, sizeof(*page));
	page->data = calloc(1, PAGE_SIZE);
	page->refs = 1;
	w->npages++;
	return page;
}

/* A page of another world that is lent to this one. */
struct borrowed {
	struct page page;
	struct page *of;
	struct world *home;
};

#define PAGE_BORROWED 1u

static int page_lend(void *arg, struct page *page, u32 core, void *name)
{
	const void *parts[2] = {page_get(page), arg};

	(void)core;
	memcpy(name, parts, VFS_PAGE_NAME);
	return 0;
}

static int page_borrow(void *arg, const void *name, struct page **out)
{
	struct borrowed *b = calloc(1, sizeof(*b));

	(void)arg;
	memcpy(&b->of, name, sizeof(b->of));
	memcpy(&b->home, (const char *)name + sizeof(b->of), sizeof(b->home));
	b->page = (struct page){.data = b->of->data, .refs = 1, .flags = PAGE_BORROWED};
	*out = &b->page;
	return 0;
}

static void free_page(void *arg, struct page *page)
{
	struct world *w = arg;

	if (page->flags & PAGE_BORROWED) {
		struct borrowed *b = container_of(page, struct borrowed, page);

		page_put(b->home->vfs, b->of);
		free(b);
		return;
	}
	w->npages--;
	free(page->data);
	free(page);
}

static u64 now_ns(void *arg)
{
	struct world *w = arg;

	return w->now_ns++;
}

static void random_bytes(void *arg, void *to, size_t len)
{
	struct world *w = arg;

	for (size_t i = 0; i < len; i++)
		((u8 *)to)[i] = (u8)unit_random(&w->seed);
}

/* The user's addresses are ours; the lowest page is never one. */
static bool is_bad(u64 address)
{
	return address < PAGE_SIZE;
}

static int user_read(void *arg, struct vfs_task *task, void *to, u64 from, size_t len)
{
	(void)arg;
	(void)task;
	if (is_bad(from))
		return -EFAULT;
	memcpy(to, (void *)from, len);
	return 0;
}

static int user_write(void *arg, struct vfs_task *task, u64 to, const void *from, size_t len)
{
	(void)arg;
	(void)task;
	if (is_bad(to))
		return -EFAULT;
	memcpy((void *)to, from, len);
	return 0;
}

static void unmap(void *arg, struct inode *inode, u64 first, u64 last)
{
	struct world *w = arg;

	(void)first;
	(void)last;
	w->unmapped = inode;
}

static void signal_task(void *arg, struct vfs_task *task, int sig)
{
	struct world *w = arg;

	(void)task;
	w->task_signal = sig;
}

static void signal_group(void *arg, u32 pgrp, int sig)
{
	struct world *w = arg;

	w->group = pgrp;
	w->group_signal = sig;
}

static bool signal_ignored(void *arg, struct vfs_task *task, int sig)
{
	struct world *w = arg;

	(void)task;
	(void)sig;
	return w->ignores;
}

static bool group_orphaned(void *arg, u32 pgrp)
{
	struct world *w = arg;

	return w->orphaned == pgrp;
}

static bool group_in_session(void *arg, u32 pgrp, u32 sid)
{
	(void)arg;
	return pgrp && sid;
}

static void session_set_tty(void *arg, u32 sid, struct tty *tty)
{
	struct world *w = arg;

	if (w->task.sid == sid)
		w->task.ctty = tty;
}

static const struct vfs_env env = {
	.page_new = new_page,
	.page_free = free_page,
	.page_lend = page_lend,
	.page_borrow = page_borrow,
	.total_pages = WORLD_PAGES,
	.now_ns = now_ns,
	.random = random_bytes,
	.user_read = user_read,
	.user_write = user_write,
	.unmap = unmap,
	.signal_task = signal_task,
	.signal_group = signal_group,
	.signal_ignored = signal_ignored,
	.group_orphaned = group_orphaned,
	.group_in_session = group_in_session,
	.session_set_tty = session_set_tty,
};

static u64 wait_events(void *arg, u64 mask, u64 deadline_ns)
{
	struct world *w = arg;

	(void)mask;
	if (deadline_ns != FIBER_FOREVER && deadline_ns > w->now_ns)
		w->now_ns = deadline_ns;
	return 0;
}

static const struct fiber_io io = {.now_ns = now_ns, .wait_events = wait_events};

static void init_task(struct world *w, struct vfs_task *task, u32 pid, u32 uid)
{
	*task = (struct vfs_task){.vfs = w->vfs,
				  .fsize_limit = UINT64_MAX,
				  .nofile_limit = 1024,
				  .tgid = pid,
				  .tid = pid,
				  .pgrp = pid,
				  .sid = pid};
	task->cred = (struct vfs_cred){.fsuid = uid, .fsgid = uid, .uid = uid, .gid = uid};
	task->cred.caps = task->cred.permitted = uid ? 0 : UINT64_MAX;
}

static void begin_in(struct world *w, struct fiber_loop *loop)
{
	w->vfs = vfs_new(&env, w, loop, NULL);
	REQUIRE(w->vfs != NULL);
	init_task(w, &w->task, 1, 0);
	w->task.fs = fs_context_new(w->vfs);
	w->task.files = fd_table_new(w->vfs);
}

static const struct world empty = {
	.now_ns = 1000000000ul * 86400 * 365, .seed = 7, .max_pages = INT64_MAX};

void world_begin(struct world *w)
{
	*w = empty;
	fiber_loop_init(&w->loop, &io, w);
	begin_in(w, &w->loop);
}

void world_begin_beside(struct world *w, struct world *first)
{
	*w = empty;
	begin_in(w, &first->loop);
}

void world_end(struct world *w)
{
	world_task_end(&w->task);
	vfs_put(w->vfs);
	CHECK_EQUAL(w->npages, 0);
}

void world_task(struct world *w, struct vfs_task *task, u32 pid, u32 uid)
{
	init_task(w, task, pid, uid);
	task->fs = fs_context_copy(w->task.fs);
	REQUIRE(fd_table_copy(w->task.files, &task->files) == 0);
}

void world_task_end(struct vfs_task *task)
{
	fd_table_put(task, task->files);
	fs_context_put(task->fs);
}

static void fiber_done(struct fiber *fiber)
{
	struct world_fiber *f = container_of(fiber, struct world_fiber, fiber);

	f->ended = true;
	free(f->stack);
}

void world_start(struct world *w, struct world_fiber *f, void (*fn)(void *), void *arg)
{
	*f = (struct world_fiber){.stack = malloc(STACK_BYTES)};
	REQUIRE(fiber_start(&w->loop, &f->fiber, f->stack, STACK_BYTES, fn, arg, fiber_done) == 0);
}

void world_run(struct world *w)
{
	fiber_loop_run(&w->loop);
}

static void note_wake(struct wait_entry *entry, u32 events)
{
	container_of(entry, struct world_poll, entry)->woken |= events;
}

static void add_entry(struct poll_table *table, struct wait_queue *queue)
{
	struct world_poll *poll = container_of(table, struct world_poll, table);

	if (!poll->entry.queue)
		wait_add(queue, &poll->entry);
}

void world_poll(struct file *file, struct world_poll *poll)
{
	*poll = (struct world_poll){.table.add = add_entry, .entry.wake = note_wake};
	file_poll(file, &poll->table);
}

s64 put(struct vfs_task *t, int fd, const char *text)
{
	struct uio uio;

	uio_kernel(&uio, (void *)text, strlen(text));
	return vfs_write(t, fd, &uio);
}

s64 get(struct vfs_task *t, int fd, char *buf, size_t size)
{
	struct uio uio;
	s64 n;

	uio_kernel(&uio, buf, size - 1);
	n = vfs_read(t, fd, &uio);
	buf[n > 0 ? n : 0] = 0;
	return n;
}

int make_file(struct vfs_task *t, const char *path, const char *text)
{
	int fd = vfs_openat(t, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	s64 n;

	if (fd < 0)
		return fd;
	n = put(t, fd, text);
	vfs_close(t, fd);
	return n < 0 ? (int)n : 0;
}

const char *contents(struct vfs_task *t, const char *path)
{
	static char buf[65536];
	int fd = vfs_openat(t, AT_FDCWD, path, O_RDONLY, 0);
	size_t len = 0;
	s64 n;

	buf[0] = 0;
	while (fd >= 0 && (n = get(t, fd, buf + len, sizeof(buf) - len)) > 0)
		len += (size_t)n;
	if (fd >= 0)
		vfs_close(t, fd);
	return buf;
}

int mkdir_at(struct vfs_task *t, const char *path)
{
	return vfs_mkdirat(t, AT_FDCWD, path, 0755);
}

u32 mode_of(struct vfs_task *t, const char *path)
{
	struct vfs_stat st = {0};

	vfs_statat(t, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &st);
	return st.mode;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *names_in(struct vfs_task *t, const char *path)
{
	static char out[65536];
	static char records[65536];
	char *names[2048];
	struct uio uio;
	u32 n = 0;
	s64 len;
	int fd = vfs_openat(t, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

	out[0] = 0;
	if (fd < 0)
		return out;
	uio_kernel(&uio, records, sizeof(records));
	len = vfs_getdents(t, fd, &uio, false);
	vfs_close(t, fd);
	for (s64 at = 0; at < len && n < ARRAY_SIZE(names);) {
		u16 reclen;

		memcpy(&reclen, records + at + 16, sizeof(reclen));
		names[n++] = records + at + 19;
		at += reclen;
	}
	qsort(names, n, sizeof(*names), compare);
	for (u32 i = 0; i < n; i++) {
		if (strcmp(names[i], ".") && strcmp(names[i], "..")) {
			strcat(out, names[i]);
			strcat(out, " ");
		}
	}
	return out;
}
