/*
 * Signals: posting, pending, taking; what handlers see is in sigframe.c.
 *
 * A signal is posted to a process or a thread by whoever, and taken by the thread itself when it is
 * about to go back to user mode (signal_deliver()). A thread that waits is interrupted.
 *
 * Runs in: the personality's domain. Source: signal(7).
 */
#ifndef LINUX_SIGNAL_H
#define LINUX_SIGNAL_H

#include "process.h"

/**
 * Post what @from sends, to one thread of @p (@only) or to any: the receiver sees it come from the
 * numbers that @from has in its namespaces. The caller has checked that it may. 0, -EAGAIN.
 */
int signal_send(const struct thread *from, struct process *p, struct thread *only,
		const struct k_siginfo *info);

/** Post to a process: some thread of it takes it. 0, or -EAGAIN: too many are queued (real time).
 */
int signal_process(struct process *p, const struct k_siginfo *info);

/** Post to one thread. */
int signal_thread(struct thread *t, const struct k_siginfo *info);

/** The same for signals of the system itself: SI_KERNEL, no sender. */
void signal_from_kernel(struct process *p, int sig);

/** To all of a process group; returns how many there were. */
u32 signal_group(u32 pgrp, const struct k_siginfo *info);

/** The same to those of this core only. */
u32 signal_group_here(u32 pgrp, const struct k_siginfo *info);

/**
 * Has no member of group @pgrp a parent that could control its jobs: in session @sid (0: the
 * member's own), another group? On all cores (may wait), and as far as this one's members go.
 */
bool signal_group_is_orphaned(u32 pgrp, u32 sid);
bool signal_group_is_orphaned_here(u32 pgrp, u32 sid);

/** A fault of @t: cannot be blocked or ignored. */
void signal_force(struct thread *t, const struct k_siginfo *info);

/** Whether a signal waits to be taken, so that no call of @t may begin to wait. */
bool signal_pending(const struct thread *t);

/** Whether SIGKILL waits, or the process ends. */
bool signal_fatal(const struct thread *t);

/** Whether @t ignores @sig, or its default action does nothing. */
bool signal_is_ignored(const struct process *p, int sig);

/** Change the mask of @t; KILL and STOP are never in it. */
void signal_set_mask(struct thread *t, u64 mask);

/** Take the next of @set: its number and @info; 0: none. */
int signal_take(struct thread *t, u64 set, struct k_siginfo *info);

/** Take what is pending before @t goes back to user mode; it may stop, or begin to exit. */
void signal_deliver(struct thread *t);

/** Wake a thread from a wait, if it is in one. */
void signal_interrupt(struct thread *t);

/** Those who poll or read signals by descriptor. */
extern struct wait_queue signalfd_queue;

void pending_clear(struct pending *pending);
struct sighand *sighand_new(void);
struct sighand *sighand_copy(const struct sighand *from);
void sighand_put(struct sighand *sighand);
/** exec: handlers are gone, what was ignored stays so. */
void sighand_reset(struct sighand *sighand);

/** Whether @t may send @sig to @p: kill(2). sigcalls.c. */
bool signal_permitted(const struct thread *t, const struct process *p, int sig);

/** Fill @info as kill(2) by @from. */
void siginfo_from(struct k_siginfo *info, int sig, int code, const struct thread *from);

/** Tell the parent of a change of its child: CLD_*; and whoever waits for it. */
void signal_parent(struct process *child, int code, int status);

/* sigframe.c: make the stack and registers such that the handler runs. False: no stack. */
bool sigframe_push(struct thread *t, int sig, const struct k_sigaction *action,
		   const struct k_siginfo *info);

#endif
