/*
 * The multicast tree: other sockets first, the farthest first; then cores of the own socket.
 *
 * The tree is computed from the targets and from the machine's sockets and distances, at each
 * core for its own subset. It is not struct machine's parent array cut down to the targets:
 * where a socket's first core is not a target, cutting leaves every core of that socket a child
 * of a core elsewhere, and the interconnect is crossed once for each. Here it is crossed once
 * for each socket, whichever of its cores are targets. (That sockets come first, and far ones
 * before near ones, is the 'NUMA-aware multicast' of Baumann et al., SOSP 2009, section 5.1.)
 *
 * Not here: what is sent (change.c, lib/memown).
 * Runs in: the monitor, and host programs.
 */
#include <agree/tree.h>

static u32 socket_of(const struct agree_tree *t, u32 core)
{
	return machine_cores(t->machine)[core].socket;
}

static u32 distance_to(const struct agree_tree *t, u32 core)
{
	const struct machine_core *cores = machine_cores(t->machine);

	return machine_distance(t->machine, cores[t->self].node, cores[core].node);
}

void agree_cast_begin(const struct agree_tree *t, struct agree_cast *c,
		      const struct core_set *targets)
{
	memset(c, 0, sizeof(*c));
	c->todo = *targets;
	c->far_slots = t->fanout;
	c->near_slots = t->fanout;
}

/* The next core of @todo in another socket, after @core and then from the start. */
static u32 next_remote(const struct agree_tree *t, const struct core_set *todo, u32 core)
{
	u32 own = socket_of(t, t->self);
	u32 from = core + 1;

	for (u32 pass = 0; pass < 2; pass++, from = 0) {
		for (u32 c = core_set_next(todo, from); c != NO_CORE;
		     c = core_set_next(todo, c + 1)) {
			if (socket_of(t, c) != own)
				return c;
		}
	}
	return NO_CORE;
}

/* Move @n sockets, from that of @core upwards, out of todo. @core is the first of its socket. */
static void take_sockets(const struct agree_tree *t, struct agree_cast *c, u32 core, u32 n,
			 struct core_set *batch)
{
	u32 last = socket_of(t, core);

	for (; core != NO_CORE; core = next_remote(t, &c->todo, core)) {
		if (socket_of(t, core) != last && --n == 0)
			return;
		last = socket_of(t, core);
		core_set_add(batch, core);
		core_set_del(&c->todo, core);
	}
}

/* The next child in another socket, responsible for a batch of sockets. */
static u32 next_far(const struct agree_tree *t, struct agree_cast *c, struct core_set *batch)
{
	u32 own = socket_of(t, t->self);
	u32 sockets = 0, last = own, start = NO_CORE, farthest = NO_CORE, best = 0;

	core_set_for_each (core, &c->todo) {
		if (socket_of(t, core) == own)
			continue;
		if (socket_of(t, core) != last) {
			last = socket_of(t, core);
			start = core;
			sockets++;
		}
		if (distance_to(t, core) > best) {
			best = distance_to(t, core);
			farthest = start;
		}
	}
	if (farthest == NO_CORE)
		return NO_CORE;
	take_sockets(t, c, farthest, (sockets + c->far_slots - 1) / c->far_slots, batch);
	if (c->far_slots > 1)
		c->far_slots--;
	return farthest;
}

/* The next child in this socket (only those are left), responsible for a run of cores. */
static u32 next_near(struct agree_cast *c, struct core_set *batch)
{
	u32 take = (core_set_count(&c->todo) + c->near_slots - 1) / c->near_slots;
	u32 child = core_set_first(&c->todo);

	for (u32 core = child; take && core != NO_CORE; take--) {
		core_set_add(batch, core);
		core_set_del(&c->todo, core);
		core = core_set_next(&c->todo, core + 1);
	}
	if (c->near_slots > 1)
		c->near_slots--;
	return child;
}

u32 agree_cast_next(const struct agree_tree *t, struct agree_cast *c, struct core_set *subset)
{
	u32 child;

	memset(subset, 0, sizeof(*subset));
	if (core_set_empty(&c->todo))
		return NO_CORE;
	if (t->strategy == AGREE_TREE) {
		child = next_far(t, c, subset);
		if (child == NO_CORE)
			child = next_near(c, subset);
		core_set_del(subset, child);
	} else {
		if (t->strategy == AGREE_UNICAST && !core_set_empty(&c->awaiting))
			return NO_CORE;
		child = core_set_first(&c->todo);
		core_set_del(&c->todo, child);
	}
	core_set_add(&c->awaiting, child);
	return child;
}

bool agree_cast_answered(struct agree_cast *c, u32 child)
{
	if (!core_set_has(&c->awaiting, child))
		return false;
	core_set_del(&c->awaiting, child);
	return true;
}

u32 agree_tree_children(enum agree_strategy strategy, u32 fanout, u32 ncores)
{
	switch (strategy) {
	case AGREE_TREE:
		return MIN(2 * fanout, ncores);
	case AGREE_FLAT:
		return ncores;
	case AGREE_UNICAST:
		break;
	}
	return 1;
}
