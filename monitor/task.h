/*
 * Tasks: programs that somebody on this core has asked for, here or on another core.
 *
 *   task_new        -> LETTER_SPAWN to the program's core (or itself)
 *   spawn_rx        the other core builds it -> LETTER_STARTED
 *   started_rx      the owner is told (NOTICE_STARTED)
 *   task_tell_ended its end -> LETTER_ENDED
 *   ended_rx        the owner is told (NOTICE_ENDED); the record stays until MON_FORGET
 *
 * Not here: building programs (program.h).
 */
#ifndef MONITOR_TASK_H
#define MONITOR_TASK_H

#include "program.h"
#include <skerry/msg/monitor.h>

struct task;

/* What the monitor itself does when a task of its own starts or ends. */
struct task_watcher {
	void (*started)(const struct letter_started *letter);
	void (*ended)(const struct letter_ended *letter);
};

void task_init(void);

/**
 * Start a program on @core for @owner, or for the monitor itself (NULL), which @watcher tells.
 *
 * @gift  a capability for the program, this core only, or CAP_NONE; taken over in any case
 * Returns the task's number, or -ENOMEM, -EINVAL, -EHOSTDOWN; on this core also program_new()'s
 * errors come as the start's result, not here.
 */
s64 task_new(struct program *owner, u32 core, const struct mon_spawn *what, cap_t gift,
	     const struct task_watcher *watcher);

/** The requests STOP and FORGET of @owner: 0, -EINVAL, -ESRCH, -EBUSY. */
int task_stop(struct program *owner, u32 number);
int task_forget(struct program *owner, u32 number);

/** A program of this core has ended: tell the core that asked for it. */
void task_tell_ended(u32 core, const struct letter_ended *letter);

/** Its tasks go on, but nobody listens any more. */
void task_program_died(struct program *owner);

/** A core is dead: its programs have ended. */
void task_core_died(u32 core);

#endif
