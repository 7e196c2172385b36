/*
 * See moverecord.h: a process and its threads, but for memory and descriptors.
 */
#include "farns.h"
#include "moverecord.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "vdso.h"

#include <errno.h>
#include <rt/rt.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/far_place.h>

#define THREADS_MAX 65536u
#define GROUPS_MAX  65536u
#define SPACES_ROOM (2 * FAR_PLACE_MAX + 4096u) /* of what namespaces_export() fills */

/* ---- what can be restarted ---- */

static s64 (*const restarts[])(struct thread *t) = {
	NULL,
	futex_restart,
	poll_restart,
	sleep_restart,
};

static u32 restart_number(const struct thread *t)
{
	u32 i = ARRAY_SIZE(restarts) - 1;

	while (i && restarts[i] != t->restart)
		i--;
	return i;
}

/* ---- threads ---- */

struct moved_thread {
	u32 tid;
	char name[NAME_BYTES];
	u32 uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
	u64 effective, permitted, inheritable, bounding, ambient;
	u32 securebits, ngroups;
	u64 sigmask, saved_sigmask;
	struct k_stack altstack;
	u64 call_number, restart_ns, restart_arg, restart_arg2;
	u32 restart;
	u64 user_ticks, system_ticks, switches;
	u64 clear_child_tid, robust_list, robust_len, rseq, rseq_len;
	u32 rseq_sig;
	u32 personality;
	u64 timer_slack_ns;
	bool restore_sigmask, no_new_privs;
	u32 shares_fs; /* number of the thread before it that has the same, from 1; 0: none */
	u32 nspaces;   /* bytes about namespaces */
	u32 nstate;    /* bytes of registers */
};

/* The number of the first thread before @t that shares its place with it, from 1. */
static u32 shared_fs(const struct thread *t)
{
	u32 n = 1;

	for (const struct thread *o = t->process->threads; o != t; o = o->next, n++) {
		if (o->vfs.fs == t->vfs.fs)
			return n;
	}
	return 0;
}

static struct moved_thread describe_thread(const struct thread *t)
{
	const struct cred *c = &t->cred;
	struct moved_thread m = {
		.tid = t->tid,
		.uid = c->uid,
		.euid = c->euid,
		.suid = c->suid,
		.fsuid = c->fsuid,
		.gid = c->gid,
		.egid = c->egid,
		.sgid = c->sgid,
		.fsgid = c->fsgid,
		.effective = c->effective,
		.permitted = c->permitted,
		.inheritable = c->inheritable,
		.bounding = c->bounding,
		.ambient = c->ambient,
		.securebits = c->securebits,
		.ngroups = c->groups ? c->groups->count : 0,
		.sigmask = t->sigmask,
		.saved_sigmask = t->saved_sigmask,
		.altstack = t->altstack,
		.call_number = t->call_number,
		.restart_ns = t->restart_ns,
		.restart_arg = t->restart_arg,
		.restart_arg2 = t->restart_arg2,
		.restart = restart_number(t),
		.user_ticks = t->user_ticks,
		.system_ticks = t->system_ticks,
		.switches = t->switches,
		.clear_child_tid = t->clear_child_tid,
		.robust_list = t->robust_list,
		.robust_len = t->robust_len,
		.rseq = t->rseq,
		.rseq_len = t->rseq_len,
		.rseq_sig = t->rseq_sig,
		.personality = t->personality,
		.timer_slack_ns = t->timer_slack_ns,
		.restore_sigmask = t->restore_sigmask,
		.no_new_privs = t->no_new_privs,
		.shares_fs = shared_fs(t),
		.nstate = (u32)offsetof(struct context_state, xstate) + xstate_bytes(),
	};

	memcpy(m.name, t->name, sizeof(m.name));
	return m;
}

static int thread_write(struct thread *t, u32 core, struct record *r)
{
	struct moved_thread m = describe_thread(t);
	void *spaces = malloc(SPACES_ROOM);
	s64 n = spaces ? namespaces_export(t, core, spaces, SPACES_ROOM) : -ENOMEM;

	if (n >= 0) {
		m.nspaces = (u32)n;
		record_put(r, &m, sizeof(m));
		record_put(r, t->regs, m.nstate);
		record_put(r, t->cred.groups ? t->cred.groups->id : NULL, m.ngroups * 4ul);
		record_put(r, spaces, (u64)n);
	}
	free(spaces);
	return n < 0 ? (int)n : 0;
}

static int set_groups(struct thread *t, const u32 *id, u32 n)
{
	struct groups *g;

	if (!n)
		return 0;
	g = malloc(sizeof(*g) + n * sizeof(g->id[0]));
	if (!g)
		return -ENOMEM;
	g->refs = 1;
	g->count = n;
	memcpy(g->id, id, n * sizeof(g->id[0]));
	t->cred.groups = g;
	return 0;
}

static void set_thread(struct thread *t, const struct moved_thread *m)
{
	memcpy(t->name, m->name, sizeof(t->name));
	t->name[NAME_BYTES - 1] = 0;
	t->cred = (struct cred){
		.uid = m->uid,
		.euid = m->euid,
		.suid = m->suid,
		.fsuid = m->fsuid,
		.gid = m->gid,
		.egid = m->egid,
		.sgid = m->sgid,
		.fsgid = m->fsgid,
		.effective = m->effective,
		.permitted = m->permitted,
		.inheritable = m->inheritable,
		.bounding = m->bounding,
		.ambient = m->ambient,
		.securebits = m->securebits,
	};
	signal_set_mask(t, m->sigmask);
	t->saved_sigmask = m->saved_sigmask;
	t->altstack = m->altstack;
	t->call_number = m->call_number;
	t->restart_ns = m->restart_ns;
	t->restart_arg = m->restart_arg;
	t->restart_arg2 = m->restart_arg2;
	t->restart = restarts[MIN(m->restart, (u32)ARRAY_SIZE(restarts) - 1)];
	t->user_ticks = t->charged_ticks = m->user_ticks;
	t->system_ticks = m->system_ticks;
	t->charged_ticks += m->system_ticks;
	t->switches = m->switches;
	t->clear_child_tid = m->clear_child_tid;
	t->robust_list = m->robust_list;
	t->robust_len = m->robust_len;
	t->rseq = m->rseq;
	t->rseq_len = m->rseq_len;
	t->rseq_sig = m->rseq_sig;
	t->personality = m->personality;
	t->timer_slack_ns = m->timer_slack_ns;
	t->restore_sigmask = m->restore_sigmask;
	t->no_new_privs = m->no_new_privs;
}

static bool is_thread(const struct moved_thread *m)
{
	return m && m->ngroups <= GROUPS_MAX && m->nstate <= sizeof(struct context_state);
}

/* The thread with that number, from 1. */
static struct thread *thread_number(const struct process *p, u32 n)
{
	struct thread *t = p->threads;

	while (t && n > 1) {
		t = t->next;
		n--;
	}
	return n ? t : NULL;
}

static int thread_read(struct process *p, struct vfs *vfs, struct fd_table *files, struct record *r)
{
	const struct moved_thread *m = record_next(r, sizeof(*m));
	const void *state, *spaces;
	const u32 *groups;
	struct thread *t;
	s64 err;

	if (!is_thread(m))
		return -EBADMSG;
	state = record_next(r, m->nstate);
	groups = record_next(r, m->ngroups * 4ul);
	spaces = record_next(r, m->nspaces);
	if (r->failed)
		return -EBADMSG;
	t = thread_new(p, m->tid);
	if (!t)
		return -ENOMEM;
	set_thread(t, m);
	memcpy(t->regs, state, m->nstate);
	t->vfs.vfs = vfs;
	t->vfs.files = fd_table_get(files);
	err = set_groups(t, groups, m->ngroups);
	if (!err)
		thread_sync_vfs(t);
	if (!err)
		err = namespaces_import(t, thread_number(p, m->shares_fs), spaces, m->nspaces);
	if (err < 0)
		return (int)err;
	thread_sync_vfs(t);
	return context_bind(t->context, p->mm->space);
}

/* ---- processes ---- */

struct moved_process {
	u32 pid, pgrp, sid, nthreads;
	s32 exit_signal, death_signal;
	u32 mce_kill, dumpable;
	bool did_exec, subreaper, io_flusher;
	struct k_sigaction action[SIGNALS];
	u64 start_ns;
	u64 dead_user_ns, dead_system_ns, children_user_ns, children_system_ns;
	u64 children_maxrss, maxrss_pages, minor_faults, children_minor_faults;
};

int process_write(struct process *p, const struct goods *g, struct record *r)
{
	struct moved_process m = {
		.pid = p->pid,
		.pgrp = p->pgrp,
		.sid = p->sid,
		.nthreads = p->nthreads,
		.exit_signal = p->exit_signal,
		.death_signal = p->death_signal,
		.mce_kill = p->mce_kill,
		.dumpable = p->dumpable,
		.did_exec = p->did_exec,
		.subreaper = p->subreaper,
		.io_flusher = p->io_flusher,
		.start_ns = p->start_ns,
		.dead_user_ns = p->dead_user_ns,
		.dead_system_ns = p->dead_system_ns,
		.children_user_ns = p->children_user_ns,
		.children_system_ns = p->children_system_ns,
		.children_maxrss = p->children_maxrss,
		.maxrss_pages = p->maxrss_pages,
		.minor_faults = p->minor_faults,
		.children_minor_faults = p->children_minor_faults,
	};
	int err = 0;

	memcpy(m.action, p->sighand->action, sizeof(m.action));
	record_put(r, &m, sizeof(m));
	mm_write(p->mm, g, r);
	for (struct thread *t = p->threads; t && !err; t = t->next)
		err = thread_write(t, g->core, r);
	return err;
}

static void set_process(struct process *p, const struct moved_process *m)
{
	p->pgrp = m->pgrp;
	p->sid = m->sid;
	p->exit_signal = m->exit_signal;
	p->death_signal = m->death_signal;
	p->mce_kill = m->mce_kill;
	p->dumpable = m->dumpable;
	p->did_exec = m->did_exec;
	p->subreaper = m->subreaper;
	p->io_flusher = m->io_flusher;
	p->start_ns = m->start_ns;
	p->dead_user_ns = m->dead_user_ns;
	p->dead_system_ns = m->dead_system_ns;
	p->children_user_ns = m->children_user_ns;
	p->children_system_ns = m->children_system_ns;
	p->children_maxrss = m->children_maxrss;
	p->maxrss_pages = m->maxrss_pages;
	p->minor_faults = m->minor_faults;
	p->children_minor_faults = m->children_minor_faults;
	memcpy(p->sighand->action, m->action, sizeof(m->action));
}

int process_read(struct vfs *vfs, struct record *r, struct arrived *a, struct process **out)
{
	const struct moved_process *m = record_next(r, sizeof(*m));
	struct process *p;
	int err = 0;

	if (!m || !m->pid || !m->nthreads || m->nthreads > THREADS_MAX)
		return -EBADMSG;
	p = process_new_arriving(m->pid);
	if (!p)
		return -ENOMEM;
	p->elsewhere = true;
	p->sighand = sighand_new();
	if (p->sighand)
		set_process(p, m);
	p->mm = p->sighand ? mm_read(r, a) : NULL;
	if (!p->mm)
		err = r->failed ? -EBADMSG : -ENOMEM;
	for (u32 i = 0; i < m->nthreads && !err; i++)
		err = thread_read(p, vfs, a->files, r);
	if (err)
		process_unmake(p);
	else
		*out = p;
	return err;
}

void process_unmake(struct process *p)
{
	for (struct thread *t = p->threads; t; t = t->next) {
		if (t->vfs.files)
			fd_table_put(NULL, t->vfs.files);
		if (t->vfs.fs)
			fs_context_put(t->vfs.fs);
		t->vfs.files = NULL;
		t->vfs.fs = NULL;
		pending_clear(&t->pending);
	}
	mm_put(p->mm);
	sighand_put(p->sighand);
	while (p->threads)
		thread_free(p->threads);
	process_free(p);
}
