/* See process.h. */
#include "directory.h"
#include "namespaces.h"
#include "pidns.h"
#include "process.h"
#include "sched.h"
#include "signal.h"

#include <rt/rt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

u64 process_pid_max = 32768;
#define HASH_SLOTS 1024u

struct process *init_process;

static struct process *first_process, *last_process;
static struct thread *threads[HASH_SLOTS];
static u32 nprocesses, nthreads;
struct numbers process_numbers;

/* ---- numbers ---- */

static struct thread *lookup(u32 tid)
{
	struct thread *t = threads[tid % HASH_SLOTS];

	while (t && t->tid != tid)
		t = t->hash_next;
	return t;
}

struct thread *thread_find(u32 tid)
{
	struct thread *t = lookup(tid);

	return t && !t->process->elsewhere ? t : NULL;
}

bool process_is_elsewhere(u32 tid)
{
	const struct thread *t = lookup(tid);
	const struct process *p = t ? t->process : process_from(tid);

	return p && (t || p->pid == tid) && p->elsewhere;
}

struct process *process_from(u32 from)
{
	struct process *p = first_process;

	while (p && p->pid < from)
		p = p->list_next;
	return p;
}

struct process *process_find(u32 pid)
{
	struct thread *t = thread_find(pid);
	struct process *p;

	if (t && t->process->pid == pid)
		return t->process;
	p = process_from(pid);
	return p && p->pid == pid && !p->elsewhere ? p : NULL;
}

u32 process_count(void)
{
	return nprocesses;
}

u32 thread_count(void)
{
	return nthreads;
}

/* A number that is free; 0: none. May wait: for a lease from core 0. */
static u32 new_number(void)
{
	u32 number = numbers_new(&process_numbers);

	while (!number && process_numbers.core && !directory_lease())
		number = numbers_new(&process_numbers);
	return number;
}

int membership_get(u32 pgrp, u32 sid)
{
	int err = directory_join(pgrp, NUMBER_GROUP);

	if (err)
		return err;
	err = directory_join(sid, NUMBER_SESSION);
	if (err) {
		directory_leave(pgrp, NUMBER_GROUP);
		return err;
	}
	pid_hold(pgrp);
	pid_hold(sid);
	return 0;
}

void membership_put(u32 pgrp, u32 sid)
{
	pid_drop(pgrp);
	pid_drop(sid);
	directory_leave(pgrp, NUMBER_GROUP);
	directory_leave(sid, NUMBER_SESSION);
}

void process_set_membership(struct process *p, u32 pgrp, u32 sid)
{
	process_leave(p);
	p->pgrp = pgrp;
	p->sid = sid;
	p->in_group = true;
}

int process_join(struct process *p, u32 pgrp, u32 sid)
{
	int err = membership_get(pgrp, sid);

	if (!err)
		process_set_membership(p, pgrp, sid);
	return err;
}

void process_leave(struct process *p)
{
	if (!p->in_group)
		return;
	p->in_group = false;
	membership_put(p->pgrp, p->sid);
}

/* ---- processes ---- */

/* Most have the highest number so far. */
static void list_add(struct process *p)
{
	struct process *prev = last_process && last_process->pid < p->pid ? last_process : NULL;
	struct process **at = prev ? &prev->list_next : &first_process;

	while (*at && (*at)->pid < p->pid) {
		prev = *at;
		at = &(*at)->list_next;
	}
	p->list_prev = prev;
	p->list_next = *at;
	if (*at)
		(*at)->list_prev = p;
	else
		last_process = p;
	*at = p;
}

static void list_remove(struct process *p)
{
	if (p->list_prev)
		p->list_prev->list_next = p->list_next;
	else
		first_process = p->list_next;
	if (p->list_next)
		p->list_next->list_prev = p->list_prev;
	else
		last_process = p->list_prev;
}

/* setitimer(2); signal.c starts it again as the signal is taken. */
static void alarm_expired(struct itimer *timer)
{
	signal_from_kernel(container_of(timer, struct process, real), SIGALRM);
}

struct process *process_new(u32 pid_wanted)
{
	u32 pid = pid_wanted ? pid_wanted : new_number();

	if (!pid || (pid_wanted && numbers_in_use(&process_numbers, pid)))
		return NULL;
	return process_new_arriving(pid);
}

struct process *process_new_arriving(u32 pid)
{
	struct process *p = calloc(1, sizeof(*p));

	if (!p || numbers_get(&process_numbers, pid, NUMBER_TASK)) {
		free(p);
		return NULL;
	}
	p->numbered = true;
	p->pid = pid;
	p->home_core = domain_start()->core;
	p->start_ns = clock_now_ns();
	p->exit_signal = SIGCHLD;
	p->dumpable = 1;
	p->coredump_filter = 0x33;
	p->real.expired = alarm_expired;
	process_list(p);
	return p;
}

void process_list(struct process *p)
{
	if (!p->numbered)
		p->numbered = !numbers_get(&process_numbers, p->pid, NUMBER_TASK);
	list_add(p);
	p->listed = true;
	nprocesses++;
}

void process_unlist(struct process *p)
{
	process_leave(p);
	if (p->numbered)
		numbers_put(&process_numbers, p->pid, NUMBER_TASK);
	p->numbered = false;
	if (!p->listed)
		return;
	p->listed = false;
	list_remove(p);
	nprocesses--;
}

void process_free(struct process *p)
{
	process_unlist(p);
	pid_drop(p->pid);
	free(p);
}

void process_adopt(struct process *child, struct process *parent)
{
	child->parent = parent;
	child->sibling = parent->children;
	parent->children = child;
}

void process_disown(struct process *child)
{
	struct process **at;

	if (!child->parent)
		return;
	for (at = &child->parent->children; *at != child; at = &(*at)->sibling)
		;
	*at = child->sibling;
	child->parent = NULL;
}

void thread_times(const struct thread *t, u64 *user_ns, u64 *system_ns)
{
	*user_ns = clock_ticks_to_ns(t->user_ticks);
	*system_ns = clock_ticks_to_ns(t->system_ticks);
}

void process_times(const struct process *p, u64 *user_ns, u64 *system_ns)
{
	*user_ns = p->dead_user_ns;
	*system_ns = p->dead_system_ns;
	for (const struct thread *t = p->threads; t; t = t->next) {
		u64 user, system;

		thread_times(t, &user, &system);
		*user_ns += user;
		*system_ns += system;
	}
}

/* ---- threads ---- */

static void add_thread(struct thread *t)
{
	struct process *p = t->process;
	struct thread **at;

	t->hash_next = threads[t->tid % HASH_SLOTS];
	threads[t->tid % HASH_SLOTS] = t;
	for (at = &p->threads; *at; at = &(*at)->next)
		;
	*at = t;
	p->nthreads++;
	nthreads++;
}

struct thread *thread_new(struct process *p, u32 tid)
{
	struct thread *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->tid = tid ? tid : new_number();
	if (!t->tid || (t->tid != p->pid && numbers_get(&process_numbers, t->tid, NUMBER_TASK)))
		goto fail;
	t->context = sched_reserve() ? NULL : context_new();
	if (!t->context) {
		if (t->tid != p->pid)
			numbers_put(&process_numbers, t->tid, NUMBER_TASK);
		goto fail;
	}
	t->regs = t->context->state;
	t->process = p;
	t->call_number = UINT64_MAX;
	t->altstack.flags = SS_DISABLE;
	add_thread(t);
	return t;
fail:
	free(t);
	return NULL;
}

void thread_free(struct thread *t)
{
	struct thread **at;

	for (at = &threads[t->tid % HASH_SLOTS]; *at != t; at = &(*at)->hash_next)
		;
	*at = t->hash_next;
	for (at = &t->process->threads; *at != t; at = &(*at)->next)
		;
	*at = t->next;
	t->process->nthreads--;
	nthreads--;
	if (t->tid != t->process->pid)
		numbers_put(&process_numbers, t->tid, NUMBER_TASK);
	pid_drop(t->tid);
	groups_put(t->cred.groups);
	nsobjects_put(t->ns);
	if (t->cred.user_ns)
		ns_put(&t->cred.user_ns->ns);
	if (t->context) {
		context_put(t->context);
		sched_unreserve();
	}
	free(t);
}

void process_leave_husk(struct process *p, struct vfs *vfs)
{
	struct thread *t = calloc(1, sizeof(*t));

	p->sighand = t ? sighand_new() : NULL;
	if (!p->sighand) {
		free(t);
		return;
	}
	t->tid = p->pid;
	t->process = p;
	t->state = THREAD_DEAD;
	t->call_number = UINT64_MAX;
	memcpy(t->name, p->ghost_name, sizeof(t->name));
	t->cred.uid = t->cred.euid = t->cred.suid = t->cred.fsuid = p->uid;
	t->vfs.vfs = vfs;
	add_thread(t);
	thread_sync_vfs(t);
}

void groups_put(struct groups *groups)
{
	if (groups && --groups->refs == 0)
		free(groups);
}

void thread_sync_vfs(struct thread *t)
{
	const struct cred *c = &t->cred;

	t->vfs.cred = (struct vfs_cred){
		.fsuid = c->fsuid,
		.fsgid = c->fsgid,
		.uid = c->uid,
		.gid = c->gid,
		.euid = c->euid,
		.egid = c->egid,
		.user_ns = c->user_ns,
		.caps = c->effective,
		.permitted = c->permitted,
		.ngroups = c->groups ? c->groups->count : 0,
		.groups = c->groups ? c->groups->id : NULL,
	};
	t->vfs.fsize_limit = t->process->limits[RLIMIT_FSIZE].cur;
	t->vfs.nofile_limit = (u32)MIN(t->process->limits[RLIMIT_NOFILE].cur, UINT32_MAX);
	t->vfs.tgid = t->process->pid;
	t->vfs.tid = t->tid;
	t->vfs.pgrp = t->process->pgrp;
	t->vfs.sid = t->process->sid;
}
