/*
 * Namespaces of processes but those of mounts and users, which the VFS has: nsobjects.c.
 *
 * A thread has one of each kind; NULL is the first of that kind.
 */
#ifndef LINUX_NAMESPACES_H
#define LINUX_NAMESPACES_H

#include "misc.h"
#include <vfs/proc.h>

/* Those that can be made and entered. */
#define NS_OBJECTS (NS_UTS | NS_IPC | NS_NET | NS_CGROUP | NS_PID | NS_TIME)

/** Begin the first of each kind; before /proc is used. 0 or -ENOMEM. */
int nsobjects_init(struct vfs *vfs);
void nsobjects_copy(struct thread *to, const struct thread *from);
void nsobjects_put(struct ns **set);
/**
 * New ones for what @flags (CLONE_NEW*) ask, made from those of @t; @set is all NULL. After an
 * error put it. 0, -ENOMEM, -EINVAL, -ENOSPC (pid_ns_new()).
 */
int nsobjects_make(const struct thread *t, u64 flags, struct user_ns *owner, struct ns **set);
/** @t is in those of @set from now on, whose references it takes. */
void nsobjects_take(struct thread *t, struct ns **set);
/** setns(2): 0, -EINVAL, -EPERM, -EUSERS. */
int nsobjects_enter(struct thread *t, struct ns *ns);
/** Of kind @kind (KIND_*); and that kind's type (NS_*). */
struct ns *nsobjects_kind(const struct thread *t, u32 kind);
u32 nsobjects_type(u32 kind);
/** Let other cores know those that can be made. After far_ns_join(). */
void nsobjects_share(struct vfs *vfs);
/** The one of @t of a type (NS_*); and that of its children, which is another if it left theirs. */
struct ns *nsobjects_of(const struct thread *t, u32 type);
struct ns *nsobjects_for_children(const struct thread *t, u32 type);

/** The PID namespace above @ns, if @t is in it or above it; NULL. */
struct ns *nsobjects_pid_parent(const struct thread *t, struct ns *ns);

/** The names of the machine as @t sees them; and whether it may change them. */
struct k_utsname *thread_utsname(const struct thread *t);
bool thread_may_name(const struct thread *t);

#endif
