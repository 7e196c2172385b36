/* See task.h. */
#include "task.h"
#include "console.h"
#include "monitor.h"
#include "route.h"
#include <rt/slots.h>
#include <stdlib.h>
#include <string.h>

enum task_state { TASK_STARTING, TASK_RUNNING, TASK_ENDED };

struct task {
	struct task *next;
	u32 number;
	u32 core;
	enum task_state state;
	u32 owner;   /* number of the program, 0: the monitor */
	bool orphan; /* nobody wants to hear of it */
	const struct task_watcher *watcher;
	struct notice started, ended;
};

static struct task *tasks;
static u32 last_number;

static struct task *find(u32 number)
{
	struct task *t = tasks;

	while (t && t->number != number)
		t = t->next;
	return t;
}

static struct task *find_owned(const struct program *owner, u32 number)
{
	struct task *t = find(number);

	return t && t->owner == owner->number && !t->orphan ? t : NULL;
}

static void remove_task(struct task *t)
{
	struct task **at = &tasks;
	struct program *owner = t->orphan ? NULL : program_by_number(t->owner);

	if (owner) {
		program_drop_notice(owner, &t->started);
		program_drop_notice(owner, &t->ended);
	}
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	free(t);
}

/* ---- asking ---- */

/* On this core: with a capability, which no letter carries; the answer is a letter all the same. */
static int spawn_here(const struct mon_spawn *what, u32 task_core, u32 number, cap_t gift,
		      bool privileged)
{
	struct program_plan plan = {
		.what = what,
		.task_core = task_core,
		.task = number,
		.privileged = privileged,
		.ngifts = gift != CAP_NONE,
		.gifts = {gift},
	};
	struct letter_started answer = {.task = number};
	struct program *p;

	answer.status = program_new(&plan, &p);
	if (answer.status)
		slot_drop(gift);
	return route_send(task_core, LETTER_STARTED, &answer, sizeof(answer));
}

s64 task_new(struct program *owner, u32 core, const struct mon_spawn *what, cap_t gift,
	     const struct task_watcher *watcher)
{
	struct letter_spawn letter = {.what = *what};
	u32 bytes = offsetof(struct letter_spawn, what.args) + what->args_bytes;
	struct task *t;
	int err;

	if (core >= self.ncores || (gift != CAP_NONE && core != self.core) ||
	    what->args_bytes > DOMAIN_ARGS_MAX) {
		slot_drop(gift);
		return -EINVAL;
	}
	t = calloc(1, sizeof(*t));
	if (!t) {
		slot_drop(gift);
		return -ENOMEM;
	}
	t->number = letter.task = ++last_number & 0x7fffffff;
	t->core = core;
	t->owner = owner ? owner->number : 0;
	t->watcher = watcher;
	if (core == self.core)
		err = spawn_here(what, core, t->number, gift, owner ? owner->privileged : true);
	else
		err = route_send(core, LETTER_SPAWN, &letter, bytes);
	if (err) {
		free(t);
		return err;
	}
	t->next = tasks;
	tasks = t;
	return t->number;
}

static void spawn_rx(u32 from, const void *data, u32 bytes)
{
	struct letter_spawn letter;
	u32 fixed = offsetof(struct letter_spawn, what.args);

	memcpy(&letter, data, MIN(bytes, sizeof(letter)));
	if (letter.what.args_bytes != bytes - fixed)
		letter.what.argc = 0; /* which no program can have: -EINVAL */
	spawn_here(&letter.what, from, letter.task, CAP_NONE, false);
}

/* ---- answers ---- */

/* Tell the owner, or the monitor's own watcher. */
static void tell(struct task *t, struct notice *notice, u32 what, u64 a, u64 b)
{
	struct program *owner = t->orphan ? NULL : program_by_number(t->owner);

	notice->what = what;
	notice->object = t->number;
	notice->a = a;
	notice->b = b;
	if (owner)
		program_notify(owner, notice);
}

static void started_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_started *letter = data;
	struct task *t = find(letter->task);

	(void)bytes;
	if (!t || t->core != from || t->state != TASK_STARTING)
		return;
	t->state = letter->status ? TASK_ENDED : TASK_RUNNING;
	tell(t, &t->started, NOTICE_STARTED, (u64)letter->status, 0);
	if (t->watcher && t->watcher->started)
		t->watcher->started(letter);
	if (t->state == TASK_ENDED && (t->orphan || t->owner == 0))
		remove_task(t);
}

static void end_task(struct task *t, const struct letter_ended *letter)
{
	const struct task_watcher *watcher = t->watcher;

	t->state = TASK_ENDED;
	tell(t, &t->ended, NOTICE_ENDED, letter->death, (u64)letter->status);
	if (t->orphan || t->owner == 0)
		remove_task(t);
	if (watcher && watcher->ended)
		watcher->ended(letter);
}

static void ended_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_ended *letter = data;
	struct task *t = find(letter->task);

	(void)bytes;
	if (t && t->core == from && t->state == TASK_RUNNING)
		end_task(t, letter);
}

void task_tell_ended(u32 core, const struct letter_ended *letter)
{
	console_push();
	route_send(core, LETTER_ENDED, letter, sizeof(*letter));
}

/* ---- the end ---- */

static void stop_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_task *letter = data;

	(void)bytes;
	for (u32 n = 1; n <= PROGRAMS_MAX; n++) {
		struct program *p = program_by_number(n);

		if (p && p->task_core == from && p->task == letter->task)
			program_stop(p);
	}
}

int task_stop(struct program *owner, u32 number)
{
	struct task *t = find_owned(owner, number);
	struct letter_task letter = {.task = number};

	if (!t)
		return -EINVAL;
	if (t->state != TASK_RUNNING)
		return -ESRCH;
	return route_send(t->core, LETTER_STOP, &letter, sizeof(letter));
}

int task_forget(struct program *owner, u32 number)
{
	struct task *t = find_owned(owner, number);

	if (!t)
		return -EINVAL;
	if (t->state != TASK_ENDED)
		return -EBUSY;
	remove_task(t);
	return 0;
}

void task_program_died(struct program *owner)
{
	struct task *next;

	for (struct task *t = tasks; t; t = next) {
		next = t->next;
		if (t->orphan || t->owner != owner->number)
			continue;
		t->orphan = true;
		t->started.queued = t->ended.queued = false;
		if (t->state == TASK_ENDED)
			remove_task(t);
	}
}

void task_core_died(u32 core)
{
	struct letter_ended ended = {.death = DEATH_STOP};
	struct letter_started failed = {.status = -EHOSTDOWN};
	struct task *next;

	for (struct task *t = tasks; t; t = next) {
		next = t->next;
		ended.task = failed.task = t->number;
		if (t->core == core && t->state == TASK_STARTING)
			started_rx(core, &failed, sizeof(failed));
		else if (t->core == core && t->state == TASK_RUNNING)
			end_task(t, &ended);
	}
}

void task_init(void)
{
	route_handle(LETTER_SPAWN, spawn_rx, offsetof(struct letter_spawn, what.args));
	route_handle(LETTER_STARTED, started_rx, sizeof(struct letter_started));
	route_handle(LETTER_ENDED, ended_rx, sizeof(struct letter_ended));
	route_handle(LETTER_STOP, stop_rx, sizeof(struct letter_task));
}
