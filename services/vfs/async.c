/*
 * Signals about files: O_ASYNC, and whom they are sent to (F_SETOWN, F_SETSIG).
 *
 * An open file with O_ASYNC waits in the queues its poll() names, like somebody who polls, with
 * entries that send a signal. What belongs to that hangs at the open file only if it was asked for.
 *
 * Source: fcntl(2), "Managing signals"; signal(7).
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define ASYNC_QUEUES 4u /* that one file's poll() may name */

struct async_entry {
	struct wait_entry entry;
	struct async *async;
};

struct async {
	struct file *file;
	struct vfs_owner owner;
	int signo; /* 0: SIGIO without details */
	int fd;    /* by which O_ASYNC was set */
	u32 nentries;
	struct async_entry entries[ASYNC_QUEUES];
};

static struct async *async_of(struct file *file)
{
	if (!file->async) {
		file->async = calloc(1, sizeof(*file->async));
		if (file->async)
			file->async->file = file;
	}
	return file->async;
}

static void leave(struct async *async)
{
	while (async->nentries)
		wait_remove(&async->entries[--async->nentries].entry);
}

void async_free(struct file *file)
{
	leave(file->async);
	free(file->async);
	file->async = NULL;
}

static void wake(struct wait_entry *entry, u32 events)
{
	static const struct {
		u32 events;
		int code;
	} codes[] = {{POLLIN | POLLRDNORM, 1},
		     {POLLOUT | POLLWRNORM, 2},
		     {POLLERR, 4},
		     {POLLPRI, 5},
		     {POLLHUP, 6}}; /* POLL_IN ... of siginfo */
	struct async *async = container_of(entry, struct async_entry, entry)->async;
	struct vfs *vfs = async->file->path.dentry->sb->vfs;

	if (!async->owner.id || !vfs->env->signal_owner)
		return;
	for (u32 i = 0; i < ARRAY_SIZE(codes); i++) {
		if (events & codes[i].events) {
			vfs->env->signal_owner(vfs->arg, &async->owner, async->signo, async->fd,
					       codes[i].code, events);
			return;
		}
	}
}

/* The queue that poll() is about to name gets an entry. */
struct joining {
	struct poll_table table;
	struct async *async;
};

static void join(struct poll_table *table, struct wait_queue *queue)
{
	struct async *async = container_of(table, struct joining, table)->async;
	struct async_entry *e = &async->entries[async->nentries];

	if (async->nentries == ASYNC_QUEUES)
		return;
	async->nentries++;
	*e = (struct async_entry){.entry.wake = wake, .async = async};
	wait_add(queue, &e->entry);
}

int async_set(struct file *file, int fd, bool on)
{
	struct joining joining = {.table.add = join};

	if (!on) {
		if (file->async)
			leave(file->async);
		return 0;
	}
	if (!file->ops->poll)
		return 0;
	joining.async = async_of(file);
	if (!joining.async)
		return -ENOMEM;
	leave(joining.async);
	joining.async->fd = fd;
	file->ops->poll(file, &joining.table);
	return 0;
}

/* --- fcntl --- */

/* struct f_owner_ex */
struct owner_ex {
	s32 type, id;
};

/* Signals of @file go to @owner; @owner->id 0: to nobody. */
static int set_owner(struct vfs_task *t, struct file *file, s32 type, s32 id)
{
	const struct vfs_env *env = t->vfs->env;
	struct vfs_owner owner = {.type = type, .uid = t->cred.uid, .euid = t->cred.fsuid};
	struct async *async;

	owner.id = id ? task_keep_pid(t, (u32)id) : 0;
	if (id && env->owner_exists && !env->owner_exists(t->vfs->arg, &owner))
		return -ESRCH;
	async = async_of(file);
	if (!async)
		return -ENOMEM;
	async->owner = owner;
	return 0;
}

static int set_owner_ex(struct vfs_task *t, struct file *file, u64 arg)
{
	struct owner_ex ex;

	if (t->vfs->env->user_read(t->vfs->arg, t, &ex, arg, sizeof(ex)))
		return -EFAULT;
	if (ex.type < VFS_OWNER_THREAD || ex.type > VFS_OWNER_GROUP || ex.id < 0)
		return -EINVAL;
	return set_owner(t, file, ex.type, ex.id);
}

static s64 set_owner_number(struct vfs_task *t, struct file *file, s32 id)
{
	if (id == INT32_MIN)
		return -EINVAL;
	return id < 0 ? set_owner(t, file, VFS_OWNER_GROUP, -id)
		      : set_owner(t, file, VFS_OWNER_PROCESS, id);
}

/* What @t calls the owner; 0: it has none, or it is gone. */
static u32 owner_number(const struct vfs_task *t, const struct file *file)
{
	const struct vfs_env *env = t->vfs->env;
	const struct vfs_owner *owner = file->async ? &file->async->owner : NULL;

	if (!owner || !owner->id || (env->owner_exists && !env->owner_exists(t->vfs->arg, owner)))
		return 0;
	return task_show_pid(t, owner->id);
}

static int get_owner_ex(struct vfs_task *t, struct file *file, u64 arg)
{
	struct owner_ex ex = {0, 0};

	if (file->async)
		ex = (struct owner_ex){file->async->owner.type, (s32)owner_number(t, file)};
	return t->vfs->env->user_write(t->vfs->arg, t, arg, &ex, sizeof(ex));
}

static int get_owner_uids(struct vfs_task *t, struct file *file, u64 arg)
{
	u32 ids[2] = {0, 0};

	if (file->async) {
		ids[0] = file->async->owner.uid;
		ids[1] = file->async->owner.euid;
	}
	return t->vfs->env->user_write(t->vfs->arg, t, arg, ids, sizeof(ids));
}

static s64 get_owner_number(const struct vfs_task *t, const struct file *file)
{
	s64 nr = owner_number(t, file);

	return nr && file->async->owner.type == VFS_OWNER_GROUP ? -nr : nr;
}

static int set_signal(struct file *file, u64 arg)
{
	struct async *async;

	if (arg > 64)
		return -EINVAL;
	async = async_of(file);
	if (!async)
		return -ENOMEM;
	async->signo = (int)arg;
	return 0;
}

s64 async_fcntl(struct vfs_task *t, struct file *file, int cmd, u64 arg)
{
	switch (cmd) {
	case F_SETOWN:
		return set_owner_number(t, file, (s32)arg);
	case F_GETOWN:
		return get_owner_number(t, file);
	case F_SETOWN_EX:
		return set_owner_ex(t, file, arg);
	case F_GETOWN_EX:
		return get_owner_ex(t, file, arg);
	case VFS_F_GETOWNER_UIDS:
		return get_owner_uids(t, file, arg);
	case F_SETSIG:
		return set_signal(file, arg);
	case F_GETSIG:
		return file->async ? file->async->signo : 0;
	default:
		return -EINVAL;
	}
}
