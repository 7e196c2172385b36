/* See family.h. Moving is in family_move.c. */
#include "family.h"
#include "directory.h"
#include "family_internal.h"
#include "ghost.h"
#include "misc.h"
#include "signal.h"

#include <errno.h>
#include <shard/shard.h>
#include <stdlib.h>
#include <string.h>

#define INIT_PID 1u

struct shard_net *family_net;

/* Whom the children of processes got that died here not long ago. */
#define BEQUESTS 64u

static struct bequest {
	u32 dead, heir, core;
} bequests[BEQUESTS];
static u32 nbequests;

/* ---- records ---- */

void child_record(const struct process *child, u32 parent, u32 what, struct process_child *out)
{
	*out = (struct process_child){
		.parent = parent,
		.pid = child->pid,
		.what = what,
		.core = child->home_core,
		.pgrp = child->pgrp,
		.sid = child->sid,
		.uid = child->threads ? child->threads->cred.uid : child->uid,
		.exit_signal = child->exit_signal,
		.flags = (child->did_exec ? CHILD_HAS_EXECED : 0) |
			 (child->zombie ? CHILD_IS_ZOMBIE : 0) |
			 (child->stop_report ? CHILD_IS_STOPPED : 0) |
			 (child->cont_report ? CHILD_IS_CONTINUED : 0),
		.status = child->zombie ? child->exit_status : child->stop_report,
		.death_signal = child->death_signal,
		.moves = child->moves,
		.user_ns = child->dead_user_ns,
		.system_ns = child->dead_system_ns,
		.children_user_ns = child->children_user_ns,
		.children_system_ns = child->children_system_ns,
		.maxrss_pages = child->maxrss_pages,
		.children_maxrss = child->children_maxrss,
		.minor_faults = child->minor_faults,
		.children_minor_faults = child->children_minor_faults,
	};
	memcpy(out->name, child->threads ? child->threads->name : child->ghost_name,
	       sizeof(out->name) - 1);
}

/* What a ghost of a child is, as its core says. */
static void note_child(struct process *g, const struct process_child *c)
{
	g->home_core = c->core;
	g->pgrp = c->pgrp;
	g->sid = c->sid;
	g->uid = c->uid;
	g->exit_signal = c->exit_signal;
	g->did_exec = c->flags & CHILD_HAS_EXECED;
	g->death_signal = c->death_signal;
	g->moves = c->moves;
	g->dead_user_ns = c->user_ns;
	g->dead_system_ns = c->system_ns;
	g->children_user_ns = c->children_user_ns;
	g->children_system_ns = c->children_system_ns;
	g->maxrss_pages = c->maxrss_pages;
	g->children_maxrss = c->children_maxrss;
	g->minor_faults = c->minor_faults;
	g->children_minor_faults = c->children_minor_faults;
	memcpy(g->ghost_name, c->name, sizeof(g->ghost_name) - 1);
}

struct process *child_arrives(struct process *parent, const struct process_child *c,
			      struct process **spare)
{
	struct process *child = c->core == process_numbers.core ? process_find(c->pid) : NULL;

	if (!child)
		child = ghost_get(c->pid, c->core, spare);
	if (!child)
		return NULL;
	process_disown(child);
	process_adopt(child, parent);
	if (!child->far)
		return child;
	note_child(child, c);
	child->stop_report = c->flags & CHILD_IS_STOPPED ? c->status : 0;
	child->cont_report = c->flags & CHILD_IS_CONTINUED;
	if (!(c->flags & CHILD_IS_ZOMBIE))
		return child;
	child->exit_status = c->status;
	ghost_ends(child);
	return child;
}

/* ---- telling ---- */

static void tell_child_core(const struct process *child, u32 what, const struct process *parent)
{
	struct process_parent m = {
		.child = child->pid,
		.what = what,
		.pid = parent->pid,
		.core = parent->home_core,
		.pgrp = parent->pgrp,
		.sid = parent->sid,
		.subreaper = parent->subreaper,
	};

	shard_tell(family_net, child->home_core, PROCESS_PARENT, &m, sizeof(m));
}

void family_tell_parent(struct process *child, u32 what, u32 status)
{
	struct process_child m;

	child_record(child, child->parent->pid, what, &m);
	if (what == CHILD_STOPPED)
		m.status = status;
	shard_tell(family_net, child->parent->home_core, PROCESS_CHILD, &m, sizeof(m));
}

void family_ended(struct process *p)
{
	struct process *parent = p->parent;

	family_tell_parent(p, CHILD_ENDED, 0);
	process_disown(p);
	ghost_settle(parent);
	while (p->threads)
		thread_free(p->threads);
	sighand_put(p->sighand);
	pidfd_forget(p);
	directory_is_left_to(p->pid, parent->home_core);
	process_free(p);
}

void family_changed(struct process *p)
{
	if (p->parent && p->parent->far)
		family_tell_parent(p, CHILD_GROUP, 0);
	for (struct process *c = p->children; c; c = c->sibling) {
		if (c->far)
			tell_child_core(c, PARENT_GROUP, p);
	}
}

void family_born(struct process *child)
{
	family_tell_parent(child, CHILD_BORN, 0);
}

static void note_bequest(u32 dead, u32 heir, u32 core)
{
	bequests[nbequests++ % BEQUESTS] = (struct bequest){dead, heir, core};
}

void family_bequeath(const struct thread *dead, struct process *child, struct process *heir)
{
	struct process *old = dead->process;
	u32 heir_pid = heir ? heir->pid : INIT_PID, core = heir ? heir->home_core : 0;
	struct process_parent to_child = {.child = child->pid,
					  .what = PARENT_DIED,
					  .pid = heir_pid,
					  .core = core,
					  .pgrp = heir ? heir->pgrp : 0,
					  .sid = heir ? heir->sid : 0,
					  .subreaper = heir && heir->subreaper,
					  .dead = old->pid,
					  .uid = dead->cred.uid,
					  .euid = dead->cred.euid};
	struct process_child to_heir;
	struct process *spare = NULL, *ghost = NULL;

	note_bequest(old->pid, heir_pid, core);
	child_record(child, heir_pid, CHILD_BORN, &to_heir);
	process_disown(child);
	if (child->far)
		shard_tell(family_net, child->home_core, PROCESS_PARENT, &to_child,
			   sizeof(to_child));
	if (heir && !heir->far) {
		process_adopt(child, heir);
		return;
	}
	shard_tell(family_net, core, PROCESS_CHILD, &to_heir, sizeof(to_heir));
	if (child->far) {
		ghost_settle(child);
		return;
	}
	if (child->zombie) {
		directory_is_left_to(child->pid, core);
		while (child->threads)
			thread_free(child->threads);
		sighand_put(child->sighand);
		pidfd_forget(child);
		process_free(child);
		return;
	}
	ghost = ghost_get(heir_pid, core, &spare);
	if (ghost)
		process_adopt(child, ghost);
	process_inherited(child, dead->cred.uid, dead->cred.euid, capable(dead, CAP_KILL));
}

/* ---- being told ---- */

/* Where a parent is that is not here: where it lives, or whoever has its children. */
static int parent_elsewhere(u32 *pid)
{
	int core = directory_where(*pid);

	if (core >= 0 && core != (int)process_numbers.core)
		return core;
	for (u32 i = 0; i < BEQUESTS; i++) {
		if (bequests[i].dead == *pid) {
			*pid = bequests[i].heir;
			return (int)bequests[i].core;
		}
	}
	*pid = INIT_PID;
	return 0;
}

static struct process *ghost_child(const struct process *parent, u32 pid)
{
	struct process *c = parent->children;

	while (c && c->pid != pid)
		c = c->sibling;
	return c && c->far ? c : NULL;
}

/* What is told of the child of a process of this core. */
static void child_changed(struct process *parent, const struct process_child *c)
{
	struct process *child = ghost_child(parent, c->pid), *spare = NULL;

	if (!child) {
		child = child_arrives(parent, c, &spare);
		if (!child || (!child->far && !child->zombie))
			return;
	}
	if (child->far)
		note_child(child, c);
	switch (c->what) {
	case CHILD_STOPPED:
		child->stop_report = c->status;
		child->cont_report = false;
		signal_parent(child, CLD_STOPPED, (int)c->status);
		break;
	case CHILD_CONTINUED:
		child->stop_report = 0;
		child->cont_report = true;
		signal_parent(child, CLD_CONTINUED, SIGCONT);
		break;
	case CHILD_ENDED:
		child->exit_status = c->status;
		if (child->far)
			ghost_ends(child);
		process_tell_end(child);
		break;
	case CHILD_BORN:
		if (child->zombie)
			process_tell_end(child);
		break;
	default:
		break;
	}
}

static s64 serve_child(struct shard_request *r)
{
	const struct process_child *c = shard_args(r, sizeof(*c));
	struct process_child on;
	struct process *parent;
	u32 pid;
	int core;

	if (!c || !c->pid || c->what >= CHILD_WHATS || c->core >= shard_cores(r->net))
		return -EBADMSG;
	parent = process_find(c->parent);
	if (parent && !parent->zombie) {
		child_changed(parent, c);
		return 0;
	}
	pid = c->parent;
	core = parent_elsewhere(&pid);
	on = *c;
	on.parent = pid;
	if (core == (int)process_numbers.core) {
		parent = process_find(pid);
		if (parent && !parent->zombie)
			child_changed(parent, &on);
		return 0;
	}
	return shard_tell(family_net, (u32)core, PROCESS_CHILD, &on, sizeof(on));
}

/* @child gets another parent, or the same on another core. */
static void new_parent(struct process *child, const struct process_parent *m)
{
	struct process *parent = m->core == process_numbers.core ? process_find(m->pid) : NULL;
	struct process *spare = NULL, *old = child->parent;

	if (!parent)
		parent = ghost_get(m->pid, m->core, &spare);
	if (!parent || parent == child)
		return;
	if (parent->far) {
		parent->pgrp = m->pgrp;
		parent->sid = m->sid;
		parent->subreaper = m->subreaper;
	}
	if (parent == old)
		return;
	process_disown(child);
	process_adopt(child, parent);
	if (old && old->far)
		ghost_settle(old);
}

static s64 serve_parent(struct shard_request *r)
{
	const struct process_parent *m = shard_args(r, sizeof(*m));
	struct process *child;
	int core;

	if (!m || m->what >= PARENT_WHATS || m->core >= shard_cores(r->net) || !m->pid)
		return -EBADMSG;
	child = process_find(m->child);
	if (!child) {
		core = directory_where(m->child);
		if (core >= 0 && core != (int)process_numbers.core)
			shard_tell(family_net, (u32)core, PROCESS_PARENT, m, sizeof(*m));
		return 0;
	}
	switch (m->what) {
	case PARENT_GROUP:
		if (child->parent && child->parent->far && child->parent->pid == m->pid) {
			child->parent->pgrp = m->pgrp;
			child->parent->sid = m->sid;
			child->parent->subreaper = m->subreaper;
		}
		break;
	case PARENT_MOVED:
		if (child->parent && child->parent->far && child->parent->pid == m->pid)
			new_parent(child, m);
		break;
	case PARENT_DIED:
		if (!child->parent || child->parent->pid != m->dead)
			break;
		new_parent(child, m);
		process_inherited(child, m->uid, m->euid, m->euid == 0);
		break;
	default:
		break;
	}
	return 0;
}

/* ---- the death of a core ---- */

static void orphaned_by_death(struct process *g)
{
	struct process *spare = NULL, *heir = init_process;

	if (!heir)
		heir = ghost_get(INIT_PID, 0, &spare);
	while (g->children) {
		struct process *child = g->children;
		struct process_child m;

		process_disown(child);
		if (child->far)
			continue;
		if (heir)
			process_adopt(child, heir);
		if (heir && heir->far) {
			child_record(child, INIT_PID, CHILD_BORN, &m);
			shard_tell(family_net, 0, PROCESS_CHILD, &m, sizeof(m));
		}
		process_inherited(child, 0, 0, true);
	}
}

static void core_died(struct shard_net *net, u32 core, void *arg)
{
	struct process *g, *next;

	(void)net, (void)arg;
	for (g = ghost_first(); g; g = next) {
		next = g->list_next;
		if (g->home_core != core)
			continue;
		orphaned_by_death(g);
		if (!g->parent) {
			ghost_settle(g);
		} else {
			g->exit_status = SIGKILL;
			ghost_ends(g);
			process_tell_end(g);
		}
		next = ghost_first(); /* what was told may have changed the list */
	}
}

int family_init(struct shard_net *net)
{
	int err;

	family_net = net;
	err = shard_serve(net, PROCESS_CHILD, serve_child, NULL);
	if (!err)
		err = shard_serve(net, PROCESS_PARENT, serve_parent, NULL);
	if (!err)
		err = shard_on_death(net, core_died, NULL);
	return err;
}
