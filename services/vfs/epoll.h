/*
 * Sets of open files that are watched: epoll.
 *
 *   idle -> (its queue wakes) ready, in the list -> given to a waiter -> ready again, or idle
 *
 * An item watches an open file under the number it was added by. It holds no reference: when the
 * file ends, so does the item (epoll_forget(), by file_put()).
 *
 * Runs in: the personality, host tests. Source: epoll(7).
 */
#ifndef VFS_EPOLL_H
#define VFS_EPOLL_H

#include <vfs/file.h>
#include <vfs/vfs.h>

#define EPOLL_CTL_ADD   1
#define EPOLL_CTL_DEL   2
#define EPOLL_CTL_MOD   3

#define EPOLL_EXCLUSIVE (1u << 28)
#define EPOLL_WAKEUP    (1u << 29)
#define EPOLL_ONESHOT   (1u << 30)
#define EPOLL_ET        (1u << 31)

/* struct epoll_event: packed, as the ABI has it. */
struct epoll_event_abi {
	u32 events;
	u64 data;
} __attribute__((packed));

/** A descriptor of an empty set. @flags O_CLOEXEC. */
int epoll_new(struct vfs_task *t, u32 flags);

/** epoll_ctl(2). */
int epoll_change(struct vfs_task *t, int epfd, int op, int fd, const struct epoll_event_abi *event);

/** The same of open files; @keep: the item holds @file. -EPERM: it cannot be polled. */
int epoll_change_file(struct vfs_task *t, struct file *set, int op, struct file *file, int fd,
		      const struct epoll_event_abi *event, bool keep);

/** The set's file, with a reference: 0, -EBADF, -EINVAL (not a set). */
int epoll_get(struct vfs_task *t, int epfd, struct file **file);

/** Is @file a set? */
bool file_is_epoll(const struct file *file);

/**
 * Before epoll_take(): files of other cores that seem ready (@all: all of them) tell what holds
 * now. May wait.
 */
void epoll_settle(struct vfs_task *t, const struct file *set, bool all);

/* --- Sets of other cores: far_epoll.c --- */

bool file_is_far_set(const struct file *file);
int far_epoll_change(struct vfs_task *t, struct file *set, int op, struct file *file, int fd,
		     const struct epoll_event_abi *event);
/** epoll_wait(2) there: how many events, or an error. @timeout_ns ~0: for ever. */
s64 far_epoll_wait(struct vfs_task *t, struct file *set, struct epoll_event_abi *events, u32 max,
		   u64 timeout_ns);

/** How many items may be ready. */
u32 epoll_ready_count(const struct file *file);

/**
 * Take up to @max events. *@left, the number of items still to be looked at, counts down: an item
 * that stays ready is not looked at twice.
 */
u32 epoll_take(struct file *file, struct epoll_event_abi *events, u32 max, u32 *left);

/** Wait until something may be ready: 0, -ETIMEDOUT, -ERESTARTSYS. */
int epoll_block(struct file *file, struct fiber_loop *loop, u64 deadline_ns);

/** @file ends: nobody watches it any more. */
void epoll_forget(struct file *file);

#endif
