/*
 * What the cores ask for: random requests about a handful of objects.
 *
 * Objects are few and requests many, so that they meet. Every change carries a value of its own,
 * by which check.c knows it again.
 */
#include <errno.h>

#include "sim.h"

static struct sim_object *object_add(struct sim *s, u32 core, u64 id)
{
	struct sim_object *o = &s->object[s->nobjects++];

	o->id = id;
	core_set_add(&o->holds, core);
	return o;
}

static void create(struct sim *s, u32 core)
{
	const struct agree_counts *counts = agree_counts(s->core[core].agree);
	u64 sent[AGREE_MSG_COUNT], id;

	if (s->nobjects == SIM_OBJECTS)
		return;
	memcpy(sent, counts->sent, sizeof(sent));
	if (agree_create(s->core[core].agree, 0, NULL, &id))
		return;
	if (agree_out(s->core[core].agree) || memcmp(sent, counts->sent, sizeof(sent)))
		sim_fail(s, "creating took a message", "core %u", core);
	object_add(s, core, id);
	sim_trace(s, "core %u creates %lx", core, id);
}

void sim_work_start(struct sim *s)
{
	u32 n = 1 + sim_below(s, 4);

	for (u32 i = 0; i < n; i++)
		create(s, sim_below(s, s->ncores));
}

/* A lease ends: what the service did under it shows now. Here it did nothing. */
void sim_recall(struct sim *s, u32 core, u64 id)
{
	struct sim_object *o = sim_object(s, id);

	if (!o || !o->leased)
		sim_fail(s, "recalled without a lease", "core %u object %lx", core, id);
	else
		o->leased = false;
}

static struct sim_op *op_new(struct sim *s, u32 core, u32 kind)
{
	struct sim_op *op = &s->op[s->nops];

	memset(op, 0, sizeof(*op));
	op->kind = (u8)kind;
	op->core = (u16)core;
	op->began_ns = s->now_ns;
	return op;
}

/* The library took the request, or refused it. */
static void op_taken(struct sim *s, struct sim_op *op, int err)
{
	if (err) {
		memset(op, 0, sizeof(*op));
		return;
	}
	s->nops++;
	s->unanswered++;
}

static void part_add(struct sim *s, struct sim_op *op, u32 obj)
{
	struct sim_part *p = &op->part[op->parts++];

	p->obj = obj;
	p->floor = s->object[obj].acked_top;
	p->op = (struct map_op){.key = sim_below(s, 3), .value = s->nops + 1};
	if (sim_chance(s, 4)) {
		p->op.flags = MAP_IF_EQUAL;
		p->op.expect = map_get(agree_state(s->core[op->core].agree, s->object[obj].id)
					       ?: &(u64[MAP_SLOTS + 1]){0},
				       p->op.key);
	}
}

static void transaction(struct sim *s, u32 core)
{
	struct sim_op *op = op_new(s, core, SIM_TXN);
	struct agree_part parts[AGREE_TXN_MAX];
	u32 order[SIM_OBJECTS], n;

	for (u32 i = 0; i < s->nobjects; i++) { /* ascending by identifier */
		u32 j = i;

		for (; j && s->object[order[j - 1]].id > s->object[i].id; j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
	for (u32 i = 0; i < s->nobjects && op->parts < AGREE_TXN_MAX; i++)
		if (sim_chance(s, 2))
			part_add(s, op, order[i]);
	for (n = 0; n < op->parts; n++)
		parts[n] = (struct agree_part){s->object[op->part[n].obj].id, &op->part[n].op,
					       sizeof(struct map_op)};
	if (n) {
		sim_trace(s, "core %u op %u: transaction over %u objects from %lx", core, s->nops,
			  n, parts[0].id);
		s->unanswered++; /* before the answer, which may come at once */
		s->nops++;
		if (agree_txn(s->core[core].agree, parts, n, s->nops - 1)) {
			s->unanswered--;
			s->nops--;
			n = 0;
		}
	}
	if (!n)
		memset(op, 0, sizeof(*op));
}

/* A request about one object. */
static void request(struct sim *s, u32 core, u32 kind)
{
	struct agree *a = s->core[core].agree;
	u32 obj = sim_below(s, s->nobjects);
	struct sim_object *o = &s->object[obj];
	struct sim_op *op = op_new(s, core, kind);
	u32 token = s->nops;
	int err = 0;

	part_add(s, op, obj);
	op_taken(s, op, 0);
	switch (kind) {
	case SIM_SHARE:
		err = agree_share(a, o->id, token);
		break;
	case SIM_CHANGE:
		err = agree_change(a, o->id, &op->part[0].op, sizeof(struct map_op), token);
		break;
	case SIM_LEAVE:
		err = agree_leave(a, o->id, token);
		if (!err)
			core_set_del(&o->holds, core);
		break;
	case SIM_DESTROY:
		err = agree_destroy(a, o->id, token);
		if (!err)
			o->destroyed = true;
		break;
	}
	if (err) {
		s->nops--;
		s->unanswered--;
		op_taken(s, op, err);
		return;
	}
	sim_trace(s, "core %u op %u: kind %u of %lx", core, token, kind, o->id);
}

static void lease(struct sim *s, u32 core)
{
	struct sim_object *o = &s->object[sim_below(s, s->nobjects)];

	if (agree_lease(s->core[core].agree, o->id) == 0)
		o->leased = true;
}

/* One core that is awake asks for something. */
void sim_work(struct sim *s)
{
	u32 core = sim_below(s, s->ncores), kind = sim_below(s, 100);

	s->ops_left--;
	if (!sim_awake(s, core) || s->nops == SIM_OPS)
		return;
	s->observing = core;
	if (!s->nobjects || kind < 4)
		create(s, core);
	else if (kind < 40)
		request(s, core, SIM_SHARE);
	else if (kind < 75)
		request(s, core, SIM_CHANGE);
	else if (kind < 81)
		request(s, core, SIM_LEAVE);
	else if (kind < 82)
		request(s, core, SIM_DESTROY);
	else if (kind < 86)
		lease(s, core);
	else
		transaction(s, core);
	sim_drain(s, core);
}
