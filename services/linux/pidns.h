/*
 * PID namespaces: what processes, threads, groups and sessions are called in them.
 *
 * Inside the personality a number is always that of the first namespace (pid, tid). Below it a
 * namespace has numbers of its own, and so have all between it and the first; they are translated
 * where numbers come from programs or go to them: show_pid() and keep_pid(), and in /proc, which
 * shows the numbers of the namespace of who mounted it.
 *
 * A number has its names in namespaces as long as a thread, a group or a session has it. The first
 * process of a namespace is its process 1, who gets its orphans; when that ends, all others in it
 * are killed, and it gets no more processes.
 *
 * A struct pid_ns that is NULL is the first namespace, which has no names to keep: whatever is not
 * in another one costs nothing here.
 *
 * Runs in: the personality's domain. Source: pid_namespaces(7), clone(2), proc(5).
 */
#ifndef LINUX_PIDNS_H
#define LINUX_PIDNS_H

#include "process.h"
#include <vfs/ns.h>

#define PID_NS_LEVELS 32u /* below the first */

/* A number of a namespace, and whose it is. */
struct pid_slot {
	u32 nr, pid;
};

struct pid_ns {
	struct ns ns;          /* first */
	struct pid_ns *parent; /* NULL: the first */
	u32 level;             /* 1: a child of the first */
	struct process *init;  /* process 1, while it lives */
	bool had_init;
	bool ended;      /* process 1 has ended, or is ending */
	u32 end_status;  /* of process 1, by reboot(2); 0: its own */
	u32 last_nr;     /* /proc/sys/kernel/ns_last_pid */
	u64 nr_max;      /* /proc/sys/kernel/pid_max */
	u32 count, room; /* of @slots, in order of number */
	struct pid_slot *slots;
	struct fiber_queue emptied; /* process 1 waits until it is alone */
};

/* Numbers that clone3(2) wants, from the innermost namespace outwards. */
struct pid_wish {
	u32 count;
	s32 nr[PID_NS_LEVELS + 1];
};

/* The namespace of processes that @ns is; NULL: the first. */
struct pid_ns *pid_ns_of(struct ns *ns);

/**
 * A namespace below @parent, owned by @owner.
 *
 * 0, -EINVAL (@owner is not that of @parent or below it), -ENOSPC (too deep), -ENOMEM.
 */
int pid_ns_new(struct vfs *vfs, struct pid_ns *parent, struct user_ns *owner, struct ns **out);

/* Is @ns @above, or below it? */
bool pid_ns_is_in(const struct pid_ns *ns, const struct pid_ns *above);

/* The lowest number of a process in @ns that is at least @from; 0: none. */
u32 pid_ns_next_process(const struct pid_ns *ns, u32 from);
/* The number given last in @ns, and the one that all are below; they may be set. */
u32 *pid_ns_last(struct pid_ns *ns);
u64 *pid_ns_max(struct pid_ns *ns);

/**
 * May @t make a process or thread in @ns, or in a namespace below it that is yet to be made
 * (@below), with the numbers of @wish?
 *
 * 0, -EINVAL (a number there cannot be, or not before process 1), -EPERM, -EEXIST (in use),
 * -ENOMEM (process 1 of @ns has ended).
 */
int pid_ns_check(const struct thread *t, const struct pid_ns *ns, bool below,
		 const struct pid_wish *wish);
/* The number that @wish has for the first namespace; 0: any. Arguments as above. */
u32 pid_wish_first(const struct pid_ns *ns, bool below, const struct pid_wish *wish);

/**
 * Give @pid, which is new, names in @ns and in those between it and the first; pid_drop() takes
 * them away. 0, -ENOMEM, -EAGAIN (no numbers left).
 */
int pid_name(struct pid_ns *ns, u32 pid, const struct pid_wish *wish);
/* One more has the number: a thread, a group, a session; and no longer. */
void pid_hold(u32 pid);
void pid_drop(u32 pid);

/* @p, which is new, is process 1 of its namespace if it is the first one there. */
void pid_ns_begin(struct process *p);
/**
 * The last thread of @p ends: if it is process 1 of a namespace, kill all others there, take them
 * from the ones that are its children, and wait until none is left.
 */
void pid_ns_end(struct process *p);
/* Is @p process 1 of a namespace that ends with it? Then nobody waits for its children. */
bool pid_ns_is_ending(const struct process *p);
/* Whom orphans of @p get, unless somebody nearer asked for them. */
struct process *pid_ns_reaper(const struct process *p);
/* reboot(2) in a namespace: ends it. -EINVAL (a command that has no meaning there). */
int pid_ns_reboot(struct pid_ns *ns, u32 signal);

#endif
