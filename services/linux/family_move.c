/*
 * The family of a process that moves to another core. See family.h.
 *
 * Runs in: the personality's domain.
 */
#include "directory.h"
#include "family.h"
#include "family_internal.h"
#include "ghost.h"
#include "misc.h"

#include <errno.h>
#include <shard/shard.h>
#include <stdlib.h>
#include <string.h>

#define CHILDREN_MORE                                                                              \
	8u /* that may be born to it by CLONE_PARENT, or become its own, meanwhile                 \
	    */

static u32 count_children(const struct process *p)
{
	u32 n = 0;

	for (const struct process *c = p->children; c; c = c->sibling)
		n++;
	return n;
}

static u64 bytes_for(u64 children)
{
	return sizeof(struct process_family) + children * sizeof(struct process_child);
}

u64 family_bytes(const struct process *p)
{
	return bytes_for(count_children(p));
}

u64 family_export(const struct process *p, void *out)
{
	struct process_family f = {
		.parent = p->parent ? p->parent->pid : 0,
		.parent_core = p->parent ? p->parent->home_core : 0,
		.parent_pgrp = p->parent ? p->parent->pgrp : 0,
		.parent_sid = p->parent ? p->parent->sid : 0,
		.pgrp = p->pgrp,
		.sid = p->sid,
		.moves = p->moves + 1,
		.nchildren = count_children(p),
		.stop_report = p->stop_report,
		.cont_report = p->cont_report,
		.subreaper = p->subreaper,
		.parent_subreaper = p->parent && p->parent->subreaper,
	};
	u8 *at = (u8 *)out + sizeof(f);

	memcpy(out, &f, sizeof(f));
	for (const struct process *c = p->children; c; c = c->sibling) {
		struct process_child record;

		child_record(c, p->pid, CHILD_BORN, &record);
		memcpy(at, &record, sizeof(record));
		at += sizeof(record);
	}
	return bytes_for(f.nchildren);
}

/* Children that go along: those that have ended, and those that live elsewhere. */
static void send_children_along(struct process *p)
{
	struct process *next;

	for (struct process *c = p->children; c; c = next) {
		next = c->sibling;
		if (c->far) {
			process_disown(c);
			ghost_settle(c);
		} else if (c->zombie) {
			process_disown(c);
			process_gone_elsewhere(c);
		}
	}
}

void family_left(struct process *p, u32 core)
{
	p->moves++;
	for (const struct thread *t = p->threads; t; t = t->next) {
		if (numbers_is_home(&process_numbers, t->tid))
			numbers_set_away(&process_numbers, t->tid, core, p->moves);
	}
	if (numbers_is_home(&process_numbers, p->pid))
		numbers_set_away(&process_numbers, p->pid, core, p->moves);
	send_children_along(p);
	pidfd_follow(p);
	fiber_wake_all(&process_ends);
	ghost_of(p, core);
}

void process_gone_elsewhere(struct process *p)
{
	while (p->threads)
		thread_free(p->threads);
	p->elsewhere = false;
	if (p->far)
		ghost_settle(p);
	else
		process_free(p);
}

/* ---- the new core ---- */

void family_unprepare(struct process *p)
{
	while (p->spare_ghosts) {
		struct process *g = p->spare_ghosts;

		p->spare_ghosts = g->list_next;
		free(g);
	}
	process_leave(p);
}

int family_prepare(struct process *p, u64 bytes)
{
	u64 n = bytes / sizeof(struct process_child) + CHILDREN_MORE;
	int err = process_join(p, p->pgrp, p->sid);

	for (; n && !err; n--) {
		struct process *g = ghost_new();

		if (!g) {
			family_unprepare(p);
			return -ENOMEM;
		}
		g->list_next = p->spare_ghosts;
		p->spare_ghosts = g;
	}
	return err;
}

static struct process *take_spare(struct process *p)
{
	struct process *g = p->spare_ghosts;

	if (g) {
		p->spare_ghosts = g->list_next;
		g->list_next = NULL;
	}
	return g;
}

static void give_back(struct process *p, struct process *g)
{
	if (!g)
		return;
	g->list_next = p->spare_ghosts;
	p->spare_ghosts = g;
}

static void find_parent(struct process *p, const struct process_family *f)
{
	struct process *parent = NULL, *spare = take_spare(p);

	if (p->parent || !f->parent) /* its ghost was a child here */
		goto done;
	if (f->parent_core == process_numbers.core)
		parent = process_find(f->parent);
	if (!parent)
		parent = ghost_get(f->parent, f->parent_core, &spare);
	if (parent && parent->far) {
		parent->pgrp = f->parent_pgrp;
		parent->sid = f->parent_sid;
		parent->subreaper = f->parent_subreaper;
	}
	if (parent && parent != p)
		process_adopt(p, parent);
done:
	give_back(p, spare);
}

static void find_children(struct process *p, const struct process_child *c, u32 n)
{
	for (; n; n--, c++) {
		struct process *spare = take_spare(p), *child = child_arrives(p, c, &spare);

		give_back(p, spare);
		if (child && child->far) {
			struct process_parent m = {
				.child = c->pid,
				.what = PARENT_MOVED,
				.pid = p->pid,
				.core = process_numbers.core,
				.pgrp = p->pgrp,
				.sid = p->sid,
				.subreaper = p->subreaper,
			};

			shard_tell(family_net, child->home_core, PROCESS_PARENT, &m, sizeof(m));
		}
	}
}

static bool is_family(const struct process *p, const struct process_family *f, u64 bytes)
{
	const struct process_child *c = (const void *)(f + 1);
	u32 cores = shard_cores(family_net);

	if (bytes < sizeof(*f) || f->nchildren > bytes / sizeof(*c) ||
	    bytes != bytes_for(f->nchildren) || f->parent_core >= cores || f->parent == p->pid)
		return false;
	for (u32 i = 0; i < f->nchildren; i++) {
		if (c[i].core >= cores || !c[i].pid || c[i].pid == p->pid)
			return false;
	}
	return true;
}

int family_arrive(struct process *p, const void *record, u64 bytes)
{
	const struct process_family *f = record;
	struct process *ghost;

	if (!is_family(p, f, bytes))
		return -EBADMSG;
	p->moves = f->moves;
	p->stop_report = f->stop_report;
	p->cont_report = f->cont_report;
	p->subreaper = f->subreaper;
	if (p->pgrp != f->pgrp || p->sid != f->sid) {
		directory_join_more(f->pgrp, NUMBER_GROUP);
		directory_join_more(f->sid, NUMBER_SESSION);
		process_leave(p);
		p->pgrp = f->pgrp;
		p->sid = f->sid;
		p->in_group = true;
	}
	ghost = ghost_find(p->pid);
	if (ghost)
		ghost_becomes(ghost, p);
	find_parent(p, f);
	find_children(p, (const struct process_child *)(f + 1), f->nchildren);
	while (p->spare_ghosts)
		free(take_spare(p));
	directory_is_here(p->pid, p->moves);
	for (const struct thread *t = p->threads; t; t = t->next) {
		if (t->tid != p->pid)
			directory_is_here(t->tid, p->moves);
	}
	if (p->parent && p->parent->far)
		family_tell_parent(p, CHILD_MOVED, 0);
	return 0;
}
