/* See ghost.h. */
#include "ghost.h"
#include "directory.h"

#include <stdlib.h>

static struct process *ghosts; /* by list_next */

struct process *ghost_first(void)
{
	return ghosts;
}

struct process *ghost_find(u32 pid)
{
	struct process *g = ghosts;

	while (g && g->pid != pid)
		g = g->list_next;
	return g;
}

struct process *ghost_new(void)
{
	return calloc(1, sizeof(struct process));
}

static void add(struct process *g)
{
	g->far = true;
	g->list_prev = NULL;
	g->list_next = ghosts;
	if (ghosts)
		ghosts->list_prev = g;
	ghosts = g;
}

static void take(struct process *g)
{
	if (g->list_next)
		g->list_next->list_prev = g->list_prev;
	if (g->list_prev)
		g->list_prev->list_next = g->list_next;
	else
		ghosts = g->list_next;
	g->far = false;
}

struct process *ghost_get(u32 pid, u32 core, struct process **spare)
{
	struct process *g = ghost_find(pid);

	if (!g) {
		g = *spare ? *spare : ghost_new();
		*spare = NULL;
		if (!g)
			return NULL;
		g->pid = pid;
		g->exit_signal = SIGCHLD;
		add(g);
	}
	g->home_core = core;
	return g;
}

void ghost_settle(struct process *g)
{
	if (g->parent || g->children)
		return;
	take(g);
	free(g);
}

void ghost_becomes(struct process *g, struct process *p)
{
	struct process *parent = g->parent;

	while (g->children) {
		struct process *child = g->children;

		process_disown(child);
		process_adopt(child, p);
	}
	if (parent) {
		process_disown(g);
		process_adopt(p, parent);
	}
	ghost_settle(g);
}

void ghost_of(struct process *p, u32 core)
{
	process_unlist(p);
	p->home_core = core;
	add(p);
}

void ghost_ends(struct process *g)
{
	take(g);
	g->zombie = true;
	g->home_core = process_numbers.core;
	/* Without memory for its number it can be waited for, but not be found. */
	process_list(g);
	if (g->parent && g->parent->threads)
		process_leave_husk(g, g->parent->threads->vfs.vfs);
}
