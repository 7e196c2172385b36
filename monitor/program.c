/* See program.h. */
#include "program.h"
#include "agreed.h"
#include "build.h"
#include "channel.h"
#include "console.h"
#include "export.h"
#include "lend.h"
#include "monitor.h"
#include "task.h"
#include <rt/slots.h>
#include <string.h>

static struct program programs[PROGRAMS_MAX + 1]; /* by number; 0 is not used */

/* ---- names of programs ---- */

u64 program_badge(const struct program *p)
{
	return (u64)p->generation << 32 | p->number;
}

struct program *program_by_number(u32 number)
{
	if (number == 0 || number > PROGRAMS_MAX || !programs[number].used)
		return NULL;
	return &programs[number];
}

struct program *program_by_badge(u64 badge)
{
	struct program *p = program_by_number((u32)badge);

	return p && program_badge(p) == badge ? p : NULL;
}

/* ---- the beginning ---- */

static struct program *find_unused(void)
{
	for (u32 n = 1; n <= PROGRAMS_MAX; n++)
		if (!programs[n].used)
			return &programs[n];
	return NULL;
}

int program_new(const struct program_plan *plan, struct program **out)
{
	struct program *p = find_unused();
	int err;

	if (!p)
		return -EAGAIN;
	*p = (struct program){
		.number = (u32)(p - programs),
		.generation = p->generation + 1,
		.privileged = plan->privileged,
		.task_core = plan->task_core,
		.task = plan->task,
	};
	p->notices_last = &p->notices;
	err = build_program(p, plan);
	if (err) {
		unbuild_program(p);
		return err;
	}
	p->used = true;
	p->ngifts = plan->ngifts;
	memcpy(p->gifts, plan->gifts, sizeof(p->gifts));
	sys_domain_start(p->caps[PROGRAM_DOMAIN]);
	*out = p;
	return 0;
}

/* ---- the end ---- */

void program_stop(struct program *p)
{
	sys_domain_stop(p->caps[PROGRAM_DOMAIN]);
}

static void reap(struct program *p, const struct domain_info *info)
{
	struct letter_ended ended = {
		.task = p->task,
		.death = info->death,
		.status = info->death == DEATH_FAULT ? info->vector : info->status,
	};

	console_read_log(); /* the report of its fault comes before anyone hears of it */
	channel_program_died(p);
	task_program_died(p);
	agreed_program_died(p);
	unbuild_program(p);
	export_program_died(p);
	mem_put_all(p->number);
	lend_put_all(p->number);
	for (u32 i = 0; i < p->ngifts; i++)
		slot_drop(p->gifts[i]);
	p->used = false;
	task_tell_ended(p->task_core, &ended);
}

void program_reap(void)
{
	for (u32 n = 1; n <= PROGRAMS_MAX; n++) {
		struct domain_info info;

		if (programs[n].used && !sys_domain_info(programs[n].caps[PROGRAM_DOMAIN], &info) &&
		    info.state == DOMAIN_DEAD)
			reap(&programs[n], &info);
	}
}

/* ---- notices ---- */

void program_notify(struct program *p, struct notice *notice)
{
	if (notice->queued)
		return;
	notice->queued = true;
	notice->next = NULL;
	*p->notices_last = notice;
	p->notices_last = &notice->next;
	__atomic_store_n(&p->start->notices, p->start->notices + 1, __ATOMIC_RELEASE);
	sys_doorbell_ring(p->caps[PROGRAM_BELL]);
}

void program_notify_cores(void)
{
	for (u32 n = 1; n <= PROGRAMS_MAX; n++) {
		struct program *p = &programs[n];

		p->cores_changed.what = NOTICE_CORES;
		if (p->used && p->watches_cores)
			program_notify(p, &p->cores_changed);
	}
}

struct notice *program_take_notice(struct program *p)
{
	struct notice *notice = p->notices;

	if (notice)
		program_drop_notice(p, notice);
	return notice;
}

void program_drop_notice(struct program *p, struct notice *notice)
{
	struct notice **at = &p->notices;

	if (!notice->queued)
		return;
	while (*at != notice)
		at = &(*at)->next;
	*at = notice->next;
	if (!*at)
		p->notices_last = at;
	notice->queued = false;
}
