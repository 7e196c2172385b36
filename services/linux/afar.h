/*
 * System calls that concern processes of other cores: they are made there, for a thread that is not
 * there. Such a thread is made for the call (a stub): it has the caller's credentials and numbers,
 * and its memory is the caller's, by asking the caller's core.
 *
 * A call that finds no process here, and names one by number, is made again where that lives
 * (afar_retry); calls for many processes are made on all cores that have some (afar_spread).
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_AFAR_H
#define LINUX_AFAR_H

#include "process.h"
#include "numbers.h"

struct shard_net;
struct process_who;

/** Serve other cores. 0 or -ENOMEM. */
int afar_init(struct shard_net *net);

/** Whether there are other cores. */
extern bool afar_is_on;

/**
 * Call @number with @a of @t gave -ESRCH here: its result where the process is that it names;
 * -ESRCH if it names none, or none lives.
 */
s64 afar_retry(struct thread *t, u64 number, const u64 *a);

/** Is @t a stub: a call of another core is being made? */
bool afar_is_stub(const struct thread *t);

/**
 * The same call on the cores of @cores other than this one. @merge(so far, one more) joins results.
 */
s64 afar_spread(struct thread *t, u64 number, const u64 *a, const struct core_set *cores,
		s64 result, s64 (*merge)(s64 result, s64 more));
/** All cores that live. */
void afar_all_cores(struct core_set *out);

/** What can be known of who asks; and a thread like that, for a handler. */
void who_of(const struct thread *t, struct process_who *out);
/** @groups: who->ngroups of them. NULL: no memory. */
struct thread *stub_new(u32 core, const struct process_who *who, const u32 *groups);
void stub_free(struct thread *t);

/** Memory of a stub's caller: how many of @len bytes could be moved. May wait. */
u64 afar_copy(const struct mm *mm, void *kernel, u64 addr, u64 len, bool write);

/**
 * Wait until far process @pid has ended: 0, or -ESRCH: it has; -EAGAIN: it has moved, or lives
 * here.
 */
s64 afar_await_end(u32 pid);

/** Are all members of a group on other cores such that nobody can control its jobs? May wait. */
bool afar_group_is_orphaned(u32 pgrp, u32 sid);

/** Has the group a member on another core that is of the session? May wait. */
bool afar_group_in_session(u32 pgrp, u32 sid);

/** Signals of the system itself to a group with members elsewhere; does not wait. */
void afar_signal_group(u32 pgrp, const struct k_siginfo *info);

#endif
