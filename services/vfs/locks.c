/*
 * Locks on files: POSIX record locks, open file description (OFD) locks, flock.
 *
 * A POSIX lock's owner is the table of descriptors, an OFD lock's and an flock's the open file.
 * Record locks of one owner never overlap; neighbours of one type are one lock. flock locks
 * are a world of their own, of the whole file.
 *
 * The core where an inode lives keeps its locks, whoever has them: others ask it (far_locks.c).
 *
 * Source: fcntl(2) (Advisory record locking, Open file description locks), flock(2).
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"
#include "fdtable.h"

#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_END INT64_MAX
/* Linux looks so far for a circle of waiters. */
#define MAX_CIRCLE 10u

struct lock {
	struct lock *next;
	u64 owner;
	s64 start, end; /* both included */
	s32 pid;        /* F_GETLK's; -1: OFD */
	u32 core;       /* where the owner lives */
	bool write, flock;
};

struct locks {
	struct lock *first;
};

/* A task that waits for a POSIX lock, and for whom; on its stack. To find circles. */
struct lock_waiter {
	struct lock_waiter *next;
	u64 owner, blocker;
};

static struct locks *locks_of(struct inode *inode)
{
	if (!inode->locks)
		inode->locks = calloc(1, sizeof(*inode->locks));
	return inode->locks;
}

void locks_free(struct inode *inode)
{
	while (inode->locks && inode->locks->first) {
		struct lock *lock = inode->locks->first;

		inode->locks->first = lock->next;
		free(lock);
	}
	free(inode->locks);
	inode->locks = NULL;
}

static u32 self_core(const struct vfs *vfs)
{
	return vfs->far ? vfs->far->core : 0;
}

/* Tables have numbers from 1 << 63 on. */
static u64 owner_of(const struct file *file)
{
	return (u64)(uintptr_t)file | (u64)self_core(file->inode->sb->vfs) << 48;
}

void locks_release_owner(struct inode *inode, u64 owner, bool flock_too, bool wait)
{
	struct lock_request whose = {.owner = owner, .flags = flock_too ? LOCK_REQUEST_FLOCK : 0};
	struct lock **at = &inode->locks->first;
	bool any = false;

	if (inode->far)
		far_lock_end(inode, &whose, wait);
	while (*at) {
		struct lock *lock = *at;

		if (lock->owner != owner || (lock->flock && !flock_too)) {
			at = &lock->next;
			continue;
		}
		*at = lock->next;
		free(lock);
		any = true;
	}
	if (any)
		wait_wake(&inode->sb->vfs->lock_wait, 0);
}

void locks_file_ends(struct file *file)
{
	if (file->inode->locks && file->mode & FILE_LOCKED)
		locks_release_owner(file->inode, owner_of(file), true, false);
}

void locks_closed(struct file *file, const struct fd_table *table)
{
	if (file->inode->locks && table->locked)
		locks_release_owner(file->inode, table->owner, false, true);
	if (file->inode->locks && file->refs == 1 && file->mode & FILE_LOCKED) {
		file->mode &= ~FILE_LOCKED;
		locks_release_owner(file->inode, owner_of(file), true, true);
	}
}

void locks_owner_moved(struct inode *inode, u64 owner, u32 core)
{
	if (inode->far)
		far_lock_moved(inode, owner, core);
	for (struct lock *lock = inode->locks->first; lock; lock = lock->next) {
		if (lock->owner == owner)
			lock->core = core;
	}
}

void locks_core_died(struct inode *inode, u32 core)
{
	struct lock **at = &inode->locks->first;

	while (*at) {
		struct lock *lock = *at;

		if (lock->core != core) {
			at = &lock->next;
			continue;
		}
		*at = lock->next;
		free(lock);
	}
	wait_wake(&inode->sb->vfs->lock_wait, 0);
}

/* A lock of somebody else that does not let @want be; NULL: none. */
static struct lock *conflict(const struct locks *locks, const struct lock *want)
{
	struct lock *lock = locks->first;

	while (lock && (lock->flock != want->flock || lock->owner == want->owner ||
			!(lock->write || want->write) || lock->end < want->start ||
			want->end < lock->start))
		lock = lock->next;
	return lock;
}

/* --- Record locks --- */

/*
 * Take the range of @want away from its owner's locks; *@spare is used up when a lock is cut in
 * two.
 */
static void clear_range(struct locks *locks, const struct lock *want, struct lock **spare)
{
	struct lock **at = &locks->first;

	while (*at) {
		struct lock *lock = *at;

		if (lock->flock || lock->owner != want->owner || lock->end < want->start ||
		    want->end < lock->start) {
			at = &lock->next;
		} else if (lock->start < want->start && lock->end > want->end) {
			struct lock *tail = *spare;

			*spare = NULL;
			*tail = *lock;
			tail->start = want->end + 1;
			lock->end = want->start - 1;
			lock->next = tail;
			return;
		} else if (lock->start < want->start) {
			lock->end = want->start - 1;
			at = &lock->next;
		} else if (lock->end > want->end) {
			lock->start = want->end + 1;
			at = &lock->next;
		} else {
			*at = lock->next;
			free(lock);
		}
	}
}

/* Put @lock in, as one with its owner's neighbours of the same type. */
static void insert_merged(struct locks *locks, struct lock *lock)
{
	struct lock **at = &locks->first;

	while (*at) {
		struct lock *other = *at;
		bool touches = (other->end != LOCK_END && other->end + 1 == lock->start) ||
			       (lock->end != LOCK_END && lock->end + 1 == other->start);

		if (!other->flock && other->owner == lock->owner && other->write == lock->write &&
		    touches) {
			lock->start = MIN(lock->start, other->start);
			lock->end = MAX(lock->end, other->end);
			*at = other->next;
			free(other);
		} else {
			at = &other->next;
		}
	}
	lock->next = locks->first;
	locks->first = lock;
}

/* The owner of @want gets it, or (@unlock) nothing in its range. 0 or -ENOLCK. */
static int set_range(struct vfs *vfs, struct locks *locks, const struct lock *want, bool unlock)
{
	struct lock *lock = malloc(sizeof(*lock)), *spare = malloc(sizeof(*spare));

	if (!lock || !spare) {
		free(lock);
		free(spare);
		return -ENOLCK;
	}
	clear_range(locks, want, &spare);
	if (unlock) {
		free(lock);
	} else {
		*lock = *want;
		insert_merged(locks, lock);
	}
	free(spare);
	wait_wake(&vfs->lock_wait, 0);
	return 0;
}

/* Would @owner wait for @blocker, who waits (for somebody who waits ...) for @owner? */
static bool is_circle(const struct vfs *vfs, u64 owner, u64 blocker)
{
	for (u32 i = 0; i < MAX_CIRCLE; i++) {
		const struct lock_waiter *w = vfs->lock_waiters;

		while (w && w->owner != blocker)
			w = w->next;
		if (!w)
			return false;
		if (w->blocker == owner)
			return true;
		blocker = w->blocker;
	}
	return false;
}

/* @waiter stays known until forget_waiter(). */
static void remember_waiter(struct vfs *vfs, struct lock_waiter *waiter)
{
	waiter->next = vfs->lock_waiters;
	vfs->lock_waiters = waiter;
}

static void forget_waiter(struct vfs *vfs, struct lock_waiter *waiter)
{
	struct lock_waiter **at = &vfs->lock_waiters;

	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
}

/* Wait until nobody is in the way of @want. */
static int wait_for(struct vfs *vfs, struct locks *locks, const struct lock *want)
{
	bool posix = !want->flock && want->pid != -1;
	struct lock *other;
	int err = 0;

	while (!err && (other = conflict(locks, want))) {
		struct lock_waiter waiter = {.owner = want->owner, .blocker = other->owner};

		if (posix && is_circle(vfs, want->owner, other->owner))
			return -EDEADLK;
		if (posix)
			remember_waiter(vfs, &waiter);
		err = wait_block(vfs->loop, &vfs->lock_wait, FIBER_FOREVER);
		if (posix)
			forget_waiter(vfs, &waiter);
	}
	return err;
}

/* struct flock's range to bytes. */
static int parse_range(struct vfs_task *t, struct file *file, const struct vfs_flock *f,
		       struct lock_request *lock)
{
	s64 base = 0, start, end;

	if (f->whence == SEEK_CUR)
		base = file->pos;
	else if (f->whence == SEEK_END && file->inode->far && file->inode->ops->refresh)
		file->inode->ops->refresh(t, file->inode);
	if (f->whence == SEEK_END)
		base = (s64)file->inode->size;
	else if (f->whence != SEEK_CUR && f->whence != SEEK_SET)
		return -EINVAL;
	if (__builtin_add_overflow(base, f->start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	end = LOCK_END;
	if (f->len > 0) {
		if (__builtin_add_overflow(start, f->len - 1, &end))
			return -EOVERFLOW;
	} else if (f->len < 0) {
		if (start + f->len < 0)
			return -EINVAL;
		end = start - 1;
		start += f->len;
	}
	lock->start = start;
	lock->end = end;
	return 0;
}

/* Who is in the way of @want? */
static void get_lock(const struct locks *locks, const struct lock *want, struct lock_request *out)
{
	const struct lock *other = conflict(locks, want);

	out->type = !other ? F_UNLCK : other->write ? F_WRLCK : F_RDLCK;
	if (!other)
		return;
	out->start = other->start;
	out->end = other->end;
	out->pid = other->pid;
}

static int await(struct vfs *vfs, struct locks *locks, const struct lock *want, bool may_wait)
{
	if (may_wait)
		return wait_for(vfs, locks, want);
	return conflict(locks, want) ? -EAGAIN : 0;
}

static bool is_get(int cmd)
{
	return cmd == F_GETLK || cmd == F_OFD_GETLK;
}

static bool is_ofd(int cmd)
{
	return cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
}

/* Of an own inode or another's. */
static int request(struct inode *inode, struct lock_request *want)
{
	if (!locks_of(inode))
		return -ENOLCK;
	return inode->far ? far_lock_request(inode, want) : locks_request(inode, want);
}

static int check_type(const struct file *file, bool get, s32 type)
{
	if (type == F_UNLCK && !get)
		return 0;
	if (type != F_RDLCK && type != F_WRLCK)
		return -EINVAL;
	return get || file->mode & (type == F_RDLCK ? FILE_READ : FILE_WRITE) ? 0 : -EBADF;
}

int file_lock(struct vfs_task *t, struct file *file, int cmd, u64 owner, u32 core,
	      struct vfs_flock *f)
{
	bool wait = cmd == F_SETLKW || cmd == F_OFD_SETLKW;
	struct lock_request want = {
		.owner = is_ofd(cmd) ? owner_of(file) : owner,
		.pid = is_ofd(cmd) ? -1 : (s32)t->tgid,
		.core = is_ofd(cmd) ? self_core(t->vfs) : core,
		.type = (u32)f->type,
		.flags = (is_get(cmd) ? LOCK_REQUEST_GET : 0) | (wait ? LOCK_REQUEST_WAIT : 0),
	};
	int err = is_ofd(cmd) && f->pid ? -EINVAL : parse_range(t, file, f, &want);

	if (!err)
		err = check_type(file, is_get(cmd), f->type);
	if (err)
		return err;
	if (is_ofd(cmd))
		file->mode |= FILE_LOCKED;
	err = request(file->inode, &want);
	if (err || !is_get(cmd))
		return err;
	f->type = (int16_t)want.type;
	if (f->type == F_UNLCK)
		return 0;
	f->whence = SEEK_SET;
	f->start = want.start;
	f->len = want.end == LOCK_END ? 0 : want.end - want.start + 1;
	f->pid = want.pid;
	return 0;
}

int vfs_fcntl_lock(struct vfs_task *t, int fd, int cmd, struct vfs_flock *f)
{
	struct fd_table *table = t->files;
	struct file *file;
	int err = fd_need(t, fd, 0, &file);

	if (err)
		return err;
	err = file->ops->lock ? file->ops->lock(t, file, cmd, table->owner, f)
			      : file_lock(t, file, cmd, table->owner, self_core(t->vfs), f);
	if (!err && is_get(cmd) && f->type != F_UNLCK && f->pid > 0)
		f->pid = (s32)task_show_pid(t, (u32)f->pid);
	if (!err && !is_get(cmd) && !is_ofd(cmd)) {
		table->locked = true;
		/* Closed meanwhile by another thread: what it has just got must not stay. */
		if (file->refs == 1 && file->ops->closed)
			file->ops->closed(t, file, table->owner);
		else if (file->refs == 1)
			locks_release_owner(file->inode, table->owner, false, true);
	}
	file_put(file);
	return err;
}

/* --- flock --- */

static struct lock *find_flock(struct locks *locks, u64 owner)
{
	struct lock *lock = locks->first;

	while (lock && (!lock->flock || lock->owner != owner))
		lock = lock->next;
	return lock;
}

static void drop_flock(struct vfs *vfs, struct locks *locks, struct lock *lock)
{
	struct lock **at = &locks->first;

	while (*at != lock)
		at = &(*at)->next;
	*at = lock->next;
	free(lock);
	wait_wake(&vfs->lock_wait, 0);
}

static int set_flock(struct vfs *vfs, struct locks *locks, const struct lock *want, bool may_wait)
{
	struct lock *lock = find_flock(locks, want->owner);
	int err;

	if (lock && lock->write == want->write)
		return 0;
	/* A change of type lets go first, as flock(2) says. */
	if (lock)
		drop_flock(vfs, locks, lock);
	err = await(vfs, locks, want, may_wait);
	if (err)
		return err;
	lock = malloc(sizeof(*lock));
	if (!lock)
		return -ENOLCK;
	*lock = *want;
	lock->next = locks->first;
	locks->first = lock;
	return 0;
}

int file_flock(struct vfs_task *t, struct file *file, u32 operation)
{
	u32 what = operation & ~(u32)LOCK_NB;
	struct lock_request want = {
		.owner = owner_of(file),
		.end = LOCK_END,
		.core = self_core(t->vfs),
		.type = what == LOCK_EX   ? F_WRLCK
			: what == LOCK_SH ? F_RDLCK
					  : F_UNLCK,
		.flags = LOCK_REQUEST_FLOCK | (operation & LOCK_NB ? 0 : LOCK_REQUEST_WAIT),
	};

	file->mode |= FILE_LOCKED;
	return request(file->inode, &want);
}

int vfs_flock(struct vfs_task *t, int fd, u32 operation)
{
	u32 what = operation & ~(u32)LOCK_NB;
	struct file *file;
	int err;

	if (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN)
		return -EINVAL;
	err = fd_need(t, fd, 0, &file);
	if (err)
		return err;
	err = file->ops->flock ? file->ops->flock(t, file, operation)
			       : file_flock(t, file, operation);
	file_put(file);
	return err;
}

/* --- Requests, of any core --- */

int locks_request(struct inode *inode, struct lock_request *r)
{
	struct vfs *vfs = inode->sb->vfs;
	struct locks *locks = locks_of(inode);
	bool may_wait = r->flags & LOCK_REQUEST_WAIT;
	struct lock *lock, want = {
				   .owner = r->owner,
				   .start = r->start,
				   .end = r->end,
				   .pid = r->pid,
				   .core = r->core,
				   .write = r->type == F_WRLCK,
				   .flock = r->flags & LOCK_REQUEST_FLOCK,
			   };
	int err = 0;

	if (!locks)
		return -ENOLCK;
	if (r->flags & LOCK_REQUEST_GET) {
		get_lock(locks, &want, r);
		return 0;
	}
	if (want.flock && r->type == F_UNLCK) {
		lock = find_flock(locks, want.owner);
		if (lock)
			drop_flock(vfs, locks, lock);
		return 0;
	}
	if (want.flock)
		return set_flock(vfs, locks, &want, may_wait);
	if (r->type != F_UNLCK)
		err = await(vfs, locks, &want, may_wait);
	return err ? err : set_range(vfs, locks, &want, r->type == F_UNLCK);
}
