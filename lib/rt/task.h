/*
 * Starting native programs, on this core or another, and learning of their end.
 *
 * Runs in: native domains.
 */
#ifndef RT_TASK_H
#define RT_TASK_H

#include <fiber/fiber.h>
#include <rt/calls.h>

struct rt_task {
	struct rt_task *next;
	u32 id;
	bool started, ended;
	s32 start_error; /* once started: 0 or negative errno: then it has ended, too */
	u32 death;       /* once ended: DEATH_* */
	s64 status;      /* of DEATH_EXIT; the vector of DEATH_FAULT */
	struct fiber_queue waiting;
};

struct rt_spawn {
	u32 core;
	u32 priority; /* 0: PRIORITY_DEFAULT */
	u32 slots;    /* of its table of capabilities; 0: DOMAIN_SLOTS */
	cap_t gift;   /* put into the program's DOMAIN_SLOT_GIFTS; same core only */
	int argc;
	const char *const *argv; /* argv[0] is the program: "bin/x", or "x" for that */
};

/**
 * Start a program and wait until it runs.
 * Returns 0; -ENOENT (no such program), -ENOEXEC (the file is no native program), -ENOMEM, -E2BIG,
 * -EINVAL, -EHOSTDOWN.
 */
int rt_spawn(const struct rt_spawn *spawn, struct rt_task *task);

/** Wait for its end and forget it: 0, -ETIMEDOUT, -EINTR. */
int rt_task_wait(struct rt_task *task, u64 deadline_ns);

/** Ask for its end, which then comes as any other. */
void rt_task_stop(struct rt_task *task);

/** A notice about a task has come. By notice.c only. */
void task_noticed(u32 notice, u32 id, u64 a, u64 b);

#endif
