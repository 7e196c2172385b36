/*
 * Tables of descriptors: small numbers that name open files.
 *
 * A slot is free, reserved (a file is being opened for it; closing or using it is -EBADF) or has a
 * file. The lowest free number is found from 'hint', below which none is free.
 *
 * Source: open(2), dup(2), close(2), close_range(2), fcntl(2), getrlimit(2).
 * Runs in: the personality, host tests.
 */
#include "internal.h"
#include "fdtable.h"

#include <stdlib.h>
#include <string.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u
#endif

#define FIRST_SLOTS 64u
#define MOST_SLOTS  (1u << 20) /* fs.nr_open */

/* No open file's address is such a number. */
static u64 new_owner(struct vfs *vfs)
{
	return ++vfs->next_owner | 1ul << 63;
}

struct fd_table *fd_table_new(struct vfs *vfs)
{
	struct fd_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->slots = calloc(FIRST_SLOTS, sizeof(*table->slots));
	if (!table->slots) {
		free(table);
		return NULL;
	}
	table->vfs = vfs;
	table->owner = new_owner(vfs);
	table->refs = 1;
	table->nslots = FIRST_SLOTS;
	return table;
}

u32 fd_table_users(const struct fd_table *table)
{
	return table->refs;
}

struct fd_table *fd_table_get(struct fd_table *table)
{
	table->refs++;
	return table;
}

int fd_table_copy(const struct fd_table *table, struct fd_table **out)
{
	struct fd_table *copy = calloc(1, sizeof(*copy));
	struct fd_slot *slots = malloc(table->nslots * sizeof(*slots));

	if (!copy || !slots) {
		free(copy);
		free(slots);
		return -ENOMEM;
	}
	*copy = *table;
	copy->refs = 1;
	copy->owner = new_owner(table->vfs); /* locks are not inherited */
	copy->locked = false;
	copy->slots = slots;
	memcpy(slots, table->slots, table->nslots * sizeof(*slots));
	for (u32 i = 0; i < copy->nslots; i++) {
		if (slots[i].file)
			file_get(slots[i].file);
		else
			slots[i] = (struct fd_slot){0}; /* what is reserved is not ours */
		if (!slots[i].file && i < copy->hint)
			copy->hint = i;
	}
	*out = copy;
	return 0;
}

static struct fd_slot *slot_of(const struct fd_table *table, int fd)
{
	return fd >= 0 && (u32)fd < table->nslots ? &table->slots[fd] : NULL;
}

/* What a descriptor's end means for its file. */
static void drop_file(struct vfs_task *t, const struct fd_table *table, struct file *file)
{
	if (t && !(file->mode & FILE_PATH)) {
		if (table->locked && file->ops->closed)
			file->ops->closed(t, file, table->owner);
		else
			locks_closed(file, table);
		if (file->ops->flush)
			file->ops->flush(t, file);
	}
	file_put(file);
}

void fd_table_put(struct vfs_task *t, struct fd_table *table)
{
	if (--table->refs)
		return;
	for (u32 i = 0; i < table->nslots; i++) {
		struct file *file = table->slots[i].file;

		table->slots[i].file = NULL;
		if (file)
			drop_file(t, table, file);
	}
	free(table->slots);
	free(table);
}

/* Take the file out of slot @fd; NULL if there is none. */
static struct file *take(struct fd_table *table, u32 fd)
{
	struct file *file = table->slots[fd].file;

	if (!file)
		return NULL;
	table->slots[fd] = (struct fd_slot){0};
	table->hint = MIN(table->hint, fd);
	return file;
}

void fd_table_exec(struct vfs_task *t)
{
	struct fd_table *table = t->files;

	for (u32 i = 0; i < table->nslots; i++) {
		struct file *file = table->slots[i].cloexec ? take(table, i) : NULL;

		if (file)
			drop_file(t, table, file);
	}
}

struct file *fd_get(struct vfs_task *t, int fd)
{
	struct fd_slot *slot = slot_of(t->files, fd);

	return slot && slot->file ? file_get(slot->file) : NULL;
}

struct file *fd_peek(struct vfs_task *t, int fd)
{
	struct fd_slot *slot = slot_of(t->files, fd);

	return slot && slot->file && !(slot->file->mode & FILE_PATH) ? slot->file : NULL;
}

struct file *fd_get_real(struct vfs_task *t, int fd)
{
	struct file *file = fd_peek(t, fd);

	return file ? file_get(file) : NULL;
}

int fd_need(struct vfs_task *t, int fd, u32 mode, struct file **out)
{
	struct file *file = fd_peek(t, fd);

	if (!file || (file->mode & mode) != mode) {
		*out = NULL;
		return -EBADF;
	}
	*out = file_get(file);
	return 0;
}

bool fd_cloexec(struct vfs_task *t, int fd)
{
	struct fd_slot *slot = slot_of(t->files, fd);

	return slot && slot->cloexec;
}

int fd_next(const struct fd_table *table, int from)
{
	for (u32 i = (u32)MAX(from, 0); i < table->nslots; i++) {
		if (table->slots[i].file)
			return (int)i;
	}
	return -1;
}

/* --- New descriptors --- */

int fd_table_grow(struct fd_table *table, u32 fd)
{
	u32 nslots = table->nslots;
	struct fd_slot *slots;

	if (fd < nslots)
		return 0;
	if (fd >= MOST_SLOTS)
		return -EMFILE;
	while (nslots <= fd)
		nslots *= 2;
	slots = realloc(table->slots, nslots * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	memset(slots + table->nslots, 0, (nslots - table->nslots) * sizeof(*slots));
	table->slots = slots;
	table->nslots = nslots;
	return 0;
}

static u32 limit_of(const struct vfs_task *t)
{
	return MIN(t->nofile_limit, MOST_SLOTS);
}

int fd_reserve(struct vfs_task *t, int from, bool cloexec)
{
	struct fd_table *table = t->files;
	u32 fd;
	int err;

	if (from < 0 || (u32)from >= limit_of(t))
		return from ? -EINVAL : -EMFILE;
	fd = MAX((u32)from, table->hint);
	while (fd < table->nslots && (table->slots[fd].file || table->slots[fd].reserved))
		fd++;
	if (fd >= limit_of(t))
		return -EMFILE;
	err = fd_table_grow(table, fd);
	if (err)
		return err;
	table->slots[fd] = (struct fd_slot){.reserved = true, .cloexec = cloexec};
	if ((u32)from <= table->hint)
		table->hint = fd + 1;
	return (int)fd;
}

void fd_install(struct vfs_task *t, int fd, struct file *file)
{
	struct fd_slot *slot = slot_of(t->files, fd);

	slot->reserved = false;
	slot->file = file;
}

void fd_unreserve(struct vfs_task *t, int fd)
{
	t->files->slots[fd] = (struct fd_slot){0};
	t->files->hint = MIN(t->files->hint, (u32)fd);
}

int fd_add(struct vfs_task *t, struct file *file, bool cloexec)
{
	int fd = fd_reserve(t, 0, cloexec);

	if (fd < 0)
		file_put(file);
	else
		fd_install(t, fd, file);
	return fd;
}

/* --- Calls --- */

int vfs_close(struct vfs_task *t, int fd)
{
	struct fd_table *table = t->files;
	struct file *file = slot_of(table, fd) ? take(table, (u32)fd) : NULL;

	if (!file)
		return -EBADF;
	drop_file(t, table, file);
	return 0;
}

int vfs_close_range(struct vfs_task *t, u32 first, u32 last, u32 flags)
{
	struct fd_table *table = t->files;

	if ((flags & ~(u32)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
		return -EINVAL;
	if ((flags & CLOSE_RANGE_UNSHARE) && table->refs > 1) {
		struct fd_table *copy;
		int err = fd_table_copy(table, &copy);

		if (err)
			return err;
		fd_table_put(t, table);
		t->files = table = copy;
	}
	for (u32 i = first; i < table->nslots && i <= last; i++) {
		struct file *file;

		if (flags & CLOSE_RANGE_CLOEXEC) {
			table->slots[i].cloexec = table->slots[i].file != NULL;
			continue;
		}
		file = take(table, i);
		if (file)
			drop_file(t, table, file);
	}
	return 0;
}

/* A descriptor at or above @from for the file of @fd. */
static int dup_from(struct vfs_task *t, int fd, int from, bool cloexec)
{
	struct file *file = fd_get(t, fd);
	int newfd;

	if (!file)
		return -EBADF;
	newfd = fd_reserve(t, from, cloexec);
	if (newfd < 0)
		file_put(file);
	else
		fd_install(t, newfd, file);
	return newfd;
}

int vfs_dup(struct vfs_task *t, int fd)
{
	return dup_from(t, fd, 0, false);
}

static int dup_to(struct vfs_task *t, int fd, int newfd, bool cloexec)
{
	struct fd_table *table = t->files;
	struct file *file, *old;
	int err;

	if (newfd < 0 || (u32)newfd >= limit_of(t))
		return -EBADF;
	file = fd_get(t, fd);
	if (!file)
		return -EBADF;
	err = fd_table_grow(table, (u32)newfd);
	if (!err && table->slots[newfd].reserved)
		err = -EBUSY;
	if (err) {
		file_put(file);
		return err;
	}
	old = table->slots[newfd].file;
	table->slots[newfd] = (struct fd_slot){.file = file, .cloexec = cloexec};
	if (old)
		drop_file(t, table, old);
	return newfd;
}

int vfs_dup2(struct vfs_task *t, int fd, int newfd)
{
	struct fd_slot *slot = slot_of(t->files, fd);

	if (fd == newfd)
		return slot && slot->file ? fd : -EBADF;
	return dup_to(t, fd, newfd, false);
}

int vfs_dup3(struct vfs_task *t, int fd, int newfd, u32 flags)
{
	if ((flags & ~(u32)O_CLOEXEC) || fd == newfd)
		return -EINVAL;
	return dup_to(t, fd, newfd, flags & O_CLOEXEC);
}

int fd_dup_from(struct vfs_task *t, int fd, u64 from, bool cloexec)
{
	return dup_from(t, fd, from > INT32_MAX ? INT32_MAX : (int)from, cloexec);
}

int fd_set_cloexec(struct vfs_task *t, int fd, bool cloexec)
{
	struct fd_slot *slot = slot_of(t->files, fd);

	if (!slot || !slot->file)
		return -EBADF;
	slot->cloexec = cloexec;
	return 0;
}
