/*
 * What the files of the personality offer each other that needs no header of its own.
 */
#ifndef LINUX_MISC_H
#define LINUX_MISC_H

#include "process.h"

/* resource.c */
void usage_of_process(const struct process *p, struct k_rusage *usage);

/* exit.c: the parent of a vfork may go on. */
void process_end_vfork(struct process *p);

/* exit.c */
/** Woken when any process of this core has ended or moved away. */
extern struct fiber_queue process_ends;
/** @p is a zombie: its parent, of this core, is told, and it may be reaped at once. */
void process_tell_end(struct process *p);

/* peer.c */
/** Whether @t may see all of @p: ptrace(2), PTRACE_MODE_ATTACH_REALCREDS. */
bool process_may_inspect(const struct thread *t, const struct process *p);

/* pidfd.c */
/** A descriptor for @p in @t; @flags O_NONBLOCK. A negative errno on failure. */
int pidfd_new(struct thread *t, struct process *p, u32 flags);
/** The process of a descriptor, NULL in *@p if it is gone; -EBADF. @nonblock may be NULL. */
int pidfd_process(struct thread *t, int fd, struct process **p, bool *nonblock);
/** The number of a descriptor's process, wherever that lives; 0: it is gone, or no such. */
u32 pidfd_number(struct thread *t, int fd);
/** @p has moved to another core: its descriptors here follow it. */
void pidfd_follow(struct process *p);
/** @p has ended: tell those who poll. */
void pidfd_wake(struct process *p);
/** @p is going away: descriptors of it stay, and know that. */
void pidfd_forget(struct process *p);

/* poll.c */
/** A timeout at @at (0: none): when it ends. 0, -EFAULT, -EINVAL. */
int poll_deadline(struct thread *t, u64 at, u64 *deadline_ns);
/** Set a temporary mask of signals (@at 0: none). 0, -EFAULT, -EINVAL. */
int poll_begin_mask(struct thread *t, u64 at, u64 size);
/** A signal that ended the wait is taken with the temporary mask; otherwise it goes back now. */
s64 poll_end_mask(struct thread *t, s64 ready);

/* namespaces.c */
/** Give a child, whose credentials and fs are its own, the namespaces that CLONE_NEW* ask for. */
int namespaces_clone(struct thread *t, struct thread *child, u64 flags);

/* env.c: the VFS of this core, and its first root. */
struct vfs *env_init(void);
/** Mount what every Linux program expects. 0 or -errno. */
int env_mount(struct vfs_task *task);
/** The boot image, mapped read-only: @bytes of an archive. NULL: it is not there. */
const void *env_image(u64 *bytes);

/* proc.c: what /proc and /sys show. */
int proc_init(struct vfs *vfs);
int procsys_init(struct vfs *vfs);

#endif
