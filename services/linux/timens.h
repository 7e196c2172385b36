/*
 * Time namespaces: how far ahead the monotonic clock and that since boot are for those in them.
 *
 * A thread is in one (KIND_TIME), and puts children, and itself once it calls exec, into another
 * (KIND_NEW_TIME) after unshare(2). The offsets can be set until somebody is in the namespace.
 *
 * In an address space of such a namespace the vDSO asks by system calls (vdso_ask()).
 *
 * Runs in: the personality's domain. Source: time_namespaces(7).
 */
#ifndef LINUX_TIMENS_H
#define LINUX_TIMENS_H

#include "process.h"
#include <vfs/ns.h>

struct time_offset {
	s64 sec;
	s64 nsec; /* below 10^9 */
};

struct time_ns {
	struct ns ns; /* first */
	struct time_offset monotonic, boottime;
	bool frozen;
};

/* The namespace of clocks that @ns is; NULL: the first, without offsets. */
struct time_ns *time_ns_of(struct ns *ns);
/** A namespace with the offsets of @like. 0 or -ENOMEM. */
int time_ns_new(struct vfs *vfs, struct ns *like, struct user_ns *owner, struct ns **out);

/** How far ahead of the machine's a clock of @t is that runs by its monotonic time. */
s64 time_ns_offset(const struct thread *t, s32 clock);

/** Is @t to be in another namespace after exec? */
bool time_ns_changes(const struct thread *t);
/** @t is in the namespace of its children from now on; its address space asks for the time. */
void time_ns_arrive(struct thread *t);

/** Add /proc/PID/timens_offsets. 0 or -ENOMEM. */
int time_ns_init(struct vfs *vfs);

#endif
