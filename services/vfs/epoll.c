/* See epoll.h. */
#include <vfs/epoll.h>
#include <vfs/far_file.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define BUCKETS   64u
#define DEPTH_MAX 4u /* sets that watch sets */
#define PRIVATE   (EPOLL_EXCLUSIVE | EPOLL_WAKEUP | EPOLL_ONESHOT | EPOLL_ET)
/* What EPOLLEXCLUSIVE may be asked for with: POLLIN, POLLOUT, POLLERR, POLLHUP. */
#define EXCLUSIVE_OK (POLLIN | POLLOUT | POLLERR | POLLHUP | PRIVATE)

struct epoll_watch {
	struct wait_entry wait;
	struct epoll_item *item;
	struct epoll_watch *next;
};

struct epoll_item {
	struct epoll *set;
	struct epoll_item *hash_next;
	struct epoll_item *file_next;   /* of those that watch the same file */
	struct epoll_item *next, *prev; /* in the list of ready ones */
	struct file *file;
	int fd;
	bool ready;
	bool keeps; /* a reference of the file: it was added on another core */
	struct epoll_event_abi event;
	struct epoll_watch *watches;
	struct poll_table table;
	bool failed; /* no memory for a watch */
};

struct epoll {
	struct file *file; /* that it is */
	struct epoll_item *items[BUCKETS];
	struct epoll_item *first, *last; /* ready */
	u32 nready;
	struct wait_queue queue;
};

static const struct file_ops epoll_ops;

/* ---- the list of ready items ---- */

static void ready_add(struct epoll_item *item)
{
	struct epoll *set = item->set;

	if (item->ready)
		return;
	item->ready = true;
	item->next = NULL;
	item->prev = set->last;
	if (set->last)
		set->last->next = item;
	else
		set->first = item;
	set->last = item;
	set->nready++;
}

static void ready_remove(struct epoll_item *item)
{
	struct epoll *set = item->set;

	if (!item->ready)
		return;
	item->ready = false;
	if (item->next)
		item->next->prev = item->prev;
	else
		set->last = item->prev;
	if (item->prev)
		item->prev->next = item->next;
	else
		set->first = item->next;
	set->nready--;
}

static void file_changed(struct wait_entry *wait, u32 events)
{
	struct epoll_item *item = container_of(wait, struct epoll_watch, wait)->item;
	u32 wanted = item->event.events & ~PRIVATE;

	if (!wanted || (events && !(events & wanted)))
		return;
	ready_add(item);
	wait_wake(&item->set->queue, POLLIN | POLLRDNORM);
}

static void watch(struct poll_table *table, struct wait_queue *queue)
{
	struct epoll_item *item = container_of(table, struct epoll_item, table);
	struct epoll_watch *w = calloc(1, sizeof(*w));

	if (!w) {
		item->failed = true;
		return;
	}
	w->wait.wake = file_changed;
	w->item = item;
	w->next = item->watches;
	item->watches = w;
	wait_add(queue, &w->wait);
}

/* ---- items ---- */

static struct epoll_item **bucket(struct epoll *set, int fd)
{
	return &set->items[(u32)fd % BUCKETS];
}

static struct epoll_item *find(struct epoll *set, const struct file *file, int fd)
{
	struct epoll_item *item = *bucket(set, fd);

	while (item && (item->fd != fd || item->file != file))
		item = item->hash_next;
	return item;
}

static void item_free(struct epoll_item *item)
{
	struct epoll_item **at;

	ready_remove(item);
	for (at = bucket(item->set, item->fd); *at != item; at = &(*at)->hash_next)
		;
	*at = item->hash_next;
	for (at = &item->file->watchers; *at != item; at = &(*at)->file_next)
		;
	*at = item->file_next;
	while (item->watches) {
		struct epoll_watch *w = item->watches;

		item->watches = w->next;
		wait_remove(&w->wait);
		free(w);
	}
	if (item->keeps)
		file_put(item->file);
	free(item);
}

void epoll_forget(struct file *file)
{
	while (file->watchers)
		item_free(file->watchers);
}

static u32 events_of(const struct epoll_item *item)
{
	return file_poll(item->file, NULL) & item->event.events & ~PRIVATE;
}

/* How many sets lie below each other from @set on; over DEPTH_MAX: too many, or a circle. */
static u32 depth(const struct epoll *set, u32 above)
{
	u32 deepest = 1;

	if (above > DEPTH_MAX)
		return DEPTH_MAX + 1;
	for (u32 i = 0; i < BUCKETS; i++) {
		for (const struct epoll_item *item = set->items[i]; item; item = item->hash_next) {
			if (item->file->ops == &epoll_ops)
				deepest = MAX(deepest, 1 + depth(item->file->private, above + 1));
		}
	}
	return deepest;
}

static bool reaches(const struct epoll *from, const struct epoll *to)
{
	if (from == to)
		return true;
	for (u32 i = 0; i < BUCKETS; i++) {
		for (const struct epoll_item *item = from->items[i]; item; item = item->hash_next) {
			if (item->file->ops == &epoll_ops && reaches(item->file->private, to))
				return true;
		}
	}
	return false;
}

/* How many sets lie above @file. */
static u32 height(const struct file *file)
{
	u32 highest = 0;

	for (const struct epoll_item *item = file->watchers; item; item = item->file_next)
		highest = MAX(highest, 1 + height(item->set->file));
	return highest;
}

static int check_nesting(const struct epoll *set, const struct file *file)
{
	const struct epoll *below = file->private;

	if (reaches(below, set))
		return -ELOOP;
	return depth(below, 0) + height(set->file) > DEPTH_MAX ? -ELOOP : 0;
}

static int add(struct epoll *set, struct file *file, int fd, const struct epoll_event_abi *event)
{
	struct epoll_item *item = calloc(1, sizeof(*item));
	u32 now;

	if (!item)
		return -ENOMEM;
	item->set = set;
	item->file = file;
	item->fd = fd;
	item->event = *event;
	item->event.events |= POLLERR | POLLHUP;
	item->table.add = watch;
	item->hash_next = *bucket(set, fd);
	*bucket(set, fd) = item;
	item->file_next = file->watchers;
	file->watchers = item;
	now = file_poll(file, &item->table) & item->event.events;
	if (item->failed) {
		item_free(item);
		return -ENOMEM;
	}
	if (now) {
		ready_add(item);
		wait_wake(&set->queue, POLLIN | POLLRDNORM);
	}
	return 0;
}

static int modify(struct epoll_item *item, const struct epoll_event_abi *event)
{
	if (item->event.events & EPOLL_EXCLUSIVE)
		return -EINVAL;
	item->event = *event;
	item->event.events |= POLLERR | POLLHUP;
	if (events_of(item)) {
		ready_add(item);
		wait_wake(&item->set->queue, POLLIN | POLLRDNORM);
	}
	return 0;
}

static int change(struct file *set_file, int op, struct file *file, int fd,
		  const struct epoll_event_abi *event)
{
	struct epoll *set = set_file->private;
	bool nested = file->ops == &epoll_ops, exclusive = event->events & EPOLL_EXCLUSIVE;
	struct epoll_item *item;
	int err = 0;

	if (set_file->ops != &epoll_ops || set_file == file)
		return -EINVAL;
	if (exclusive && op != EPOLL_CTL_DEL &&
	    (op == EPOLL_CTL_MOD || nested || event->events & ~(u32)EXCLUSIVE_OK))
		return -EINVAL;
	if (op == EPOLL_CTL_ADD && nested)
		err = check_nesting(set, file);
	if (err)
		return err;
	item = find(set, file, fd);
	switch (op) {
	case EPOLL_CTL_ADD:
		return item ? -EEXIST : add(set, file, fd, event);
	case EPOLL_CTL_MOD:
		return item ? modify(item, event) : -ENOENT;
	case EPOLL_CTL_DEL:
		if (item)
			item_free(item);
		return item ? 0 : -ENOENT;
	default:
		return -EINVAL;
	}
}

bool file_is_epoll(const struct file *file)
{
	return file->ops == &epoll_ops;
}

/* How many files of other cores are in @set; with @out: they, with references. */
static u32 far_ones(const struct epoll *set, bool all, struct file **out, u32 room)
{
	u32 n = 0;

	for (u32 i = 0; i < BUCKETS; i++) {
		for (const struct epoll_item *item = set->items[i]; item; item = item->hash_next) {
			if (!item->file->ops->settle || !(all || item->ready))
				continue;
			if (n < room)
				out[n] = file_get(item->file);
			n++;
		}
	}
	return n;
}

void epoll_settle(struct vfs_task *t, const struct file *file, bool all)
{
	const struct epoll *set = file->private;
	struct file **files;
	u32 n;

	if (!far_files_proxies(t->vfs))
		return;
	n = far_ones(set, all, NULL, 0);
	files = n ? malloc(n * sizeof(struct file *)) : NULL;
	if (!files)
		return; /* what was told last will do */
	far_ones(set, all, files, n);
	for (u32 i = 0; i < n; i++) {
		file_settle(t, files[i], true);
		file_put(files[i]);
	}
	free(files);
}

int epoll_change_file(struct vfs_task *t, struct file *set, int op, struct file *file, int fd,
		      const struct epoll_event_abi *event, bool keep)
{
	struct epoll_item *item;
	int err;

	if (!file->ops->poll)
		return -EPERM;
	if (op != EPOLL_CTL_DEL)
		file_settle(t, file, true);
	err = change(set, op, file, fd, event);
	if (err || op != EPOLL_CTL_ADD || !keep)
		return err;
	item = find(set->private, file, fd);
	item->keeps = true;
	file_get(file);
	return 0;
}

int epoll_change(struct vfs_task *t, int epfd, int op, int fd, const struct epoll_event_abi *event)
{
	struct file *set = fd_get_real(t, epfd), *file = set ? fd_get_real(t, fd) : NULL;
	int err = -EBADF;

	if (file && file_is_far_set(set))
		err = far_epoll_change(t, set, op, file, fd, event);
	else if (file)
		err = epoll_change_file(t, set, op, file, fd, event, false);
	if (file)
		file_put(file);
	if (set)
		file_put(set);
	return err;
}

/* ---- waiting ---- */

int epoll_get(struct vfs_task *t, int epfd, struct file **file)
{
	*file = fd_get_real(t, epfd);
	if (!*file)
		return -EBADF;
	if ((*file)->ops == &epoll_ops || file_is_far_set(*file))
		return 0;
	file_put(*file);
	return -EINVAL;
}

u32 epoll_ready_count(const struct file *file)
{
	return ((const struct epoll *)file->private)->nready;
}

u32 epoll_take(struct file *file, struct epoll_event_abi *events, u32 max, u32 *left)
{
	struct epoll *set = file->private;
	u32 n = 0;

	for (; n < max && *left && set->first; --*left) {
		struct epoll_item *item = set->first;
		u32 now = events_of(item);

		ready_remove(item);
		if (!now)
			continue;
		events[n].events = now;
		events[n++].data = item->event.data;
		if (item->event.events & EPOLL_ONESHOT)
			item->event.events &= PRIVATE;
		else if (!(item->event.events & EPOLL_ET))
			ready_add(item);
	}
	return n;
}

int epoll_block(struct file *file, struct fiber_loop *loop, u64 deadline_ns)
{
	return wait_block(loop, &((struct epoll *)file->private)->queue, deadline_ns);
}

/* ---- a set as a file ---- */

static u32 epoll_poll(struct file *file, struct poll_table *table)
{
	struct epoll *set = file->private;

	poll_wait(table, &set->queue);
	while (set->first && !events_of(set->first))
		ready_remove(set->first);
	return set->first ? POLLIN | POLLRDNORM : 0;
}

static void epoll_release(struct file *file)
{
	struct epoll *set = file->private;

	for (u32 i = 0; i < BUCKETS; i++) {
		while (set->items[i])
			item_free(set->items[i]);
	}
	free(set);
}

static const struct file_ops epoll_ops = {
	.seek = file_seek_nothing,
	.poll = epoll_poll,
	.release = epoll_release,
};

int epoll_new(struct vfs_task *t, u32 flags)
{
	struct epoll *set = calloc(1, sizeof(*set));
	struct file *file;
	int err;

	if (!set)
		return -ENOMEM;
	err = file_new_anon(t->vfs, "anon_inode:[eventpoll]", &epoll_ops, set, O_RDWR, &file);
	if (err) {
		free(set);
		return err;
	}
	set->file = file;
	return fd_add(t, file, flags & O_CLOEXEC);
}
