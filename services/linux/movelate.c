/*
 * See moverecord.h: what may change until the last moment: signals, timers, and what others may set
 * of a process.
 */
#include "moverecord.h"
#include "signal.h"
#include "timer.h"

#include <stdlib.h>
#include <string.h>
#include <vfs/tty.h>

/* ---- signals ---- */

struct moved_pending {
	u64 set;
	u64 count; /* of those of which something is known; their information follows */
};

static void pending_write(const struct pending *pending, struct record *r)
{
	struct moved_pending m = {.set = pending->set};

	for (const struct sigqueue *q = pending->first; q; q = q->next)
		m.count++;
	record_put(r, &m, sizeof(m));
	for (const struct sigqueue *q = pending->first; q; q = q->next)
		record_put(r, &q->info, sizeof(q->info));
}

/* Behind what has come already: signals for its group. */
static void pending_read(struct pending *pending, struct record *r)
{
	const struct moved_pending *m = record_next(r, sizeof(*m));
	struct sigqueue **at = &pending->first;

	if (!m)
		return;
	while (*at)
		at = &(*at)->next;
	pending->set |= m->set;
	for (u64 i = 0; i < m->count; i++) {
		const struct k_siginfo *info = record_next(r, sizeof(*info));
		struct sigqueue *q = info ? malloc(sizeof(*q)) : NULL;

		if (!q)
			continue;
		*q = (struct sigqueue){.info = *info};
		*at = q;
		at = &q->next;
	}
}

/* ---- threads ---- */

struct moved_schedule {
	struct cpu_set cpus;
	s32 policy, priority, nice;
	u32 ioprio;
	bool reset_on_fork;
};

static void schedule_write(const struct thread *t, struct record *r)
{
	struct moved_schedule m = {
		.cpus = t->cpus,
		.policy = t->policy,
		.priority = t->priority,
		.nice = t->nice,
		.ioprio = t->ioprio,
		.reset_on_fork = t->reset_on_fork,
	};

	record_put(r, &m, sizeof(m));
}

static void schedule_read(struct thread *t, struct record *r)
{
	const struct moved_schedule *m = record_next(r, sizeof(*m));

	if (!m || m->policy < 0 || m->policy > SCHED_IDLE || m->nice < -20 || m->nice > 19 ||
	    m->priority < 0 || m->priority > 99)
		return;
	t->cpus = m->cpus;
	t->policy = m->policy;
	t->priority = m->priority;
	t->nice = m->nice;
	t->ioprio = m->ioprio;
	t->reset_on_fork = m->reset_on_fork;
}

/* ---- the whole ---- */

struct moved_late {
	u32 stop_report;
	bool stopped, cont_report;
	struct moved_itimer real;
	struct moved_cpu_timer virtual, prof;
	s32 next_timer_id;
	struct k_rlimit limits[RLIMITS];
	s32 oom_score_adj, oom_score_adj_least;
	u32 coredump_filter;
	u32 ctty; /* device of the session's terminal; 0: none */
};

void late_write(const struct process *p, struct record *r)
{
	const struct tty *ctty = p->threads->vfs.ctty;
	struct moved_late m = {
		.stop_report = p->stop_report,
		.stopped = p->stopped,
		.cont_report = p->cont_report,
		.real = itimer_describe(&p->real),
		.virtual = cpu_timer_describe(&p->virtual),
		.prof = cpu_timer_describe(&p->prof),
		.next_timer_id = p->next_timer_id,
		.oom_score_adj = p->oom_score_adj,
		.oom_score_adj_least = p->oom_score_adj_least,
		.coredump_filter = p->coredump_filter,
		.ctty = ctty ? tty_dev(ctty) : 0,
	};

	memcpy(m.limits, p->limits, sizeof(m.limits));
	record_put(r, &m, sizeof(m));
	pending_write(&p->pending, r);
	for (const struct thread *t = p->threads; t; t = t->next) {
		pending_write(&t->pending, r);
		schedule_write(t, r);
	}
	posix_timers_write(p, r);
}

void late_read(struct process *p, struct record *r)
{
	const struct moved_late *m = record_next(r, sizeof(*m));

	if (!m)
		return;
	p->stop_report = m->stop_report;
	p->stopped = m->stopped;
	p->cont_report = m->cont_report;
	p->next_timer_id = m->next_timer_id;
	p->oom_score_adj = m->oom_score_adj;
	p->oom_score_adj_least = m->oom_score_adj_least;
	p->coredump_filter = m->coredump_filter;
	memcpy(p->limits, m->limits, sizeof(p->limits));
	p->has_cpu_timers = p->limits[RLIMIT_CPU].cur != RLIM_INFINITY;
	process_sync_limits(p);
	itimer_revive(&p->real, &m->real);
	cpu_itimer_set(p, false, 0, m->virtual.interval_ns);
	cpu_itimer_set(p, true, 0, m->prof.interval_ns);
	if (m->virtual.armed)
		cpu_timer_arm(&p->virtual, m->virtual.expires_ns);
	if (m->prof.armed)
		cpu_timer_arm(&p->prof, m->prof.expires_ns);
	pending_read(&p->pending, r);
	for (struct thread *t = p->threads; t; t = t->next) {
		pending_read(&t->pending, r);
		schedule_read(t, r);
		t->vfs.ctty = tty_of_dev(t->vfs.vfs, m->ctty);
	}
	posix_timers_read(p, r);
}
