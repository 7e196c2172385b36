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

/* A request is about to be made. It counts at once, as its answer may come at once. */
struct sim_op *sim_op_begin(struct sim *s, u32 core, u32 kind)
{
	struct sim_op *op = &s->op[s->nops++];

	memset(op, 0, sizeof(*op));
	op->kind = (u8)kind;
	op->core = (u16)core;
	s->unanswered++;
	return op;
}

/* The library refused @op, the newest request. */
void sim_op_refused(struct sim *s, struct sim_op *op)
{
	memset(op, 0, sizeof(*op));
	s->nops--;
	s->unanswered--;
}

static void part_add(struct sim *s, struct sim_op *op, u32 obj)
{
	struct sim_part *p = &op->part[op->parts++];

	p->obj = obj;
	p->floor = s->object[obj].acked_top;
	p->op = (struct map_op){.key = sim_below(s, 3), .value = s->nops};
	if (sim_chance(s, 4)) {
		p->op.flags = MAP_IF_EQUAL;
		p->op.expect = map_get(agree_state(s->core[op->core].agree, s->object[obj].id)
					       ?: &(u64[MAP_SLOTS + 1]){0},
				       p->op.key);
	}
}

static void transaction(struct sim *s, u32 core)
{
	struct sim_op *op = sim_op_begin(s, core, SIM_TXN);
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
	sim_trace(s, "core %u op %u: transaction over %u objects", core, s->nops - 1, n);
	if (!n || agree_txn(s->core[core].agree, parts, n, s->nops - 1))
		sim_op_refused(s, op);
}

/* A request about one object. */
static void request(struct sim *s, u32 core, u32 kind)
{
	struct agree *a = s->core[core].agree;
	u32 obj = sim_below(s, s->nobjects), token = s->nops;
	struct sim_object *o = &s->object[obj];
	struct sim_op *op = sim_op_begin(s, core, kind);
	int err = 0;

	part_add(s, op, obj);
	sim_trace(s, "core %u op %u: kind %u of %lx", core, token, kind, o->id);
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
	if (err)
		sim_op_refused(s, op);
}

static void name(struct sim *s, u32 core)
{
	struct names *names = &s->core[core].names;
	u32 token = s->nops, owner;
	struct sim_op *op = sim_op_begin(s, core, sim_chance(s, 2) ? SIM_NAME : SIM_LOOKUP);
	struct name_value v;
	char text[2] = {0};
	int err;

	op->what = sim_below(s, SIM_NAMES);
	text[0] = (char)('a' + op->what);
	v.word[0] = core;
	v.word[1] = token;
	if (op->kind == SIM_NAME) {
		err = names_register(names, text, &v, token);
	} else {
		err = names_lookup(names, text, &v, &owner, token);
		if (err == -ENOENT && (s->registered >> op->what & 1) && !s->no_memory_in)
			sim_fail(s, "a registered name is not found", "core %u name %s", core,
				 text);
		if (err == 0 && (owner != v.word[0] || owner >= s->ncores))
			sim_fail(s, "a name has another's value", "core %u name %s", core, text);
		err = err == -EINPROGRESS ? 0 : -1; /* only then an answer follows */
	}
	if (err)
		sim_op_refused(s, op);
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
	if (s->memory_moves && sim_chance(s, 2))
		sim_memory_work(s, core);
	else if (s->names && sim_chance(s, 4))
		name(s, core);
	else if (!s->nobjects || kind < 4)
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
