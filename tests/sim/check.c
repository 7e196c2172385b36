/*
 * The history of every object, and what must hold of it.
 *
 *   one order      what the replicas of an object apply as change n is the same everywhere,
 *                  unless no replica that had it is left and it was never acknowledged
 *   acknowledged   a change that was acknowledged is at every replica that lives, from then on
 *   real time      a change asked for after another was acknowledged comes later in the order
 *   results        a compare-and-set that succeeded found what it expected in the order; one
 *                  that failed did not, at some moment between asking and answer
 *   atomic         of a transaction, all parts are in the orders of their objects, or none
 *   answers        every request of a core that lives is answered, and nothing stays locked
 */
#include <errno.h>
#include <stdio.h>

#include "sim.h"

struct sim_object *sim_object(struct sim *s, u64 id)
{
	for (u32 i = 0; i < s->nobjects; i++)
		if (s->object[i].id == id)
			return &s->object[i];
	return NULL;
}

/* The last change that @core's replica of @id has applied; 0 if it has none that is read. */
u64 sim_replica_seq(struct sim *s, u32 core, u64 id)
{
	struct agree_info info;

	if (s->core[core].dead || agree_info(s->core[core].agree, id, &info))
		return 0;
	return info.seq;
}

/* Does a live core, other than the one that is running, have change @seq of @o in its replica? */
static bool held(struct sim *s, const struct sim_object *o, u64 seq)
{
	for (u32 core = 0; core < s->ncores; core++)
		if (core != s->observing && sim_replica_seq(s, core, o->id) >= seq)
			return true;
	return false;
}

static u64 sign_of(u32 kind, const struct agree_op *op)
{
	const u8 *p = op->data;
	u64 h = kind * 1000003ul + op->len + 1;

	for (u32 i = 0; i < op->len; i++)
		h = (h ^ p[i]) * 0x100000001b3ul;
	return h | 1;
}

/* Note where the change that carries @m->value ended up. */
static void note_performed(struct sim *s, u32 obj, u64 seq, const struct map_op *m)
{
	struct sim_op *op = m->value && m->value <= s->nops ? &s->op[m->value - 1] : NULL;

	if (!op) {
		sim_fail(s, "performed what nobody asked for", "object %u seq %lu", obj, seq);
		return;
	}
	for (u32 i = 0; i < op->parts; i++) {
		struct sim_part *p = &op->part[i];

		if (p->obj != obj)
			continue;
		if (p->seq && p->seq != seq)
			sim_fail(s, "performed twice", "object %u seq %lu and %lu", obj, p->seq,
				 seq);
		if (p->floor >= seq)
			sim_fail(s, "out of real time", "object %u seq %lu, asked after %lu", obj,
				 seq, p->floor);
		p->seq = seq;
		return;
	}
	sim_fail(s, "performed on another object", "object %u seq %lu", obj, seq);
}

/* No replica has entry @seq or later ones any more: as if they had never been. */
static void forget_from(struct sim *s, u32 obj, u64 seq)
{
	struct sim_object *o = &s->object[obj];

	for (u64 q = seq; q <= o->top; q++) {
		struct sim_entry *e = &o->chain[q];
		struct sim_op *op = e->op.value ? &s->op[e->op.value - 1] : NULL;

		if (e->acked)
			sim_fail(s, "history rewritten", "object %u seq %lu", obj, q);
		for (u32 i = 0; op && i < op->parts; i++)
			if (op->part[i].obj == obj)
				op->part[i].seq = 0;
		memset(e, 0, sizeof(*e));
	}
	o->top = seq - 1;
}

/* The library on core s->observing applies a change. */
void sim_observe(void *ctx, u64 id, u64 seq, u32 kind, const struct agree_op *op)
{
	struct sim *s = ctx;
	struct sim_object *o = sim_object(s, id);
	u64 sign = sign_of(kind, op);
	struct sim_entry *e;

	sim_trace(s, "core %u applies %lx seq %lu kind %u", s->observing, id, seq, kind);
	if (!o)
		return;
	if (seq == 0 || seq >= SIM_CHAIN) {
		sim_fail(s, "history out of range", "object %lx seq %lu", id, seq);
		return;
	}
	e = &o->chain[seq];
	if (e->sign && e->sign != sign) {
		if (held(s, o, seq) || e->acked) {
			sim_fail(s, "two orders", "object %lx seq %lu kinds %u, %u at core %u", id,
				 seq, e->kind, kind, s->observing);
			return;
		}
		forget_from(s, (u32)(o - s->object), seq);
	}
	if (seq > o->top + 1 || (seq > 1 && !o->chain[seq - 1].sign))
		sim_fail(s, "a gap in the order", "object %lx seq %lu after %lu", id, seq, o->top);
	e->sign = sign;
	e->kind = (u8)kind;
	o->top = MAX(o->top, seq);
	if (kind != AGREE_KIND_CHANGE && kind != AGREE_KIND_COMMIT)
		return;
	memcpy(&e->op, op->data, sizeof(e->op));
	note_performed(s, (u32)(o - s->object), seq, &e->op);
}

/* Answers. */

/* @p was acknowledged: every replica that lives must have it. */
static void check_acked(struct sim *s, struct sim_part *p)
{
	struct sim_object *o = &s->object[p->obj];

	if (!p->seq) {
		bool lost = true;

		for (u32 core = 0; core < s->ncores; core++)
			lost = lost && !sim_replica_seq(s, core, o->id);
		if (!lost && !o->destroyed)
			sim_fail(s, "acknowledged but not performed", "object %lx", o->id);
		return;
	}
	o->chain[p->seq].acked = true;
	o->acked_top = MAX(o->acked_top, p->seq);
	core_set_for_each (core, &o->holds) {
		struct agree_info info;

		if (!s->core[core].dead && !agree_info(s->core[core].agree, o->id, &info) &&
		    info.seq < p->seq)
			sim_fail(s, "acknowledged before all applied it",
				 "object %lx seq %lu, core %u has %lu", o->id, p->seq, core,
				 info.seq);
	}
}

static bool replica_lives(struct sim *s, u64 id)
{
	for (u32 core = 0; core < s->ncores; core++)
		if (!s->core[core].dead && agree_state(s->core[core].agree, id))
			return true;
	return false;
}

static void check_status(struct sim *s, struct sim_op *op)
{
	struct sim_object *o = &s->object[op->part[0].obj];

	switch (op->status) {
	case 0:
	case -EDOM:
	case -EEXIST:
		return;
	case -EHOSTDOWN:
		if (op->kind != SIM_TXN && replica_lives(s, o->id) && !s->no_memory_in)
			sim_fail(s, "called lost but is not", "object %lx", o->id);
		return;
	case -ENOENT:
		for (u32 i = 0; i < op->parts; i++)
			if (s->object[op->part[i].obj].destroyed)
				return;
		break;
	case -ENOMEM:
		if (s->no_memory_in)
			return;
		break;
	}
	sim_fail(s, "unexpected result", "op %ld kind %u status %ld", op - s->op, op->kind,
		 op->status);
}

static void check_name(struct sim *s, struct sim_op *op)
{
	bool usual = op->status == 0 || (op->kind == SIM_NAME && op->status == -EEXIST);

	if (!usual && !(s->no_memory_in && (op->status == -ENOMEM || op->status == -EHOSTDOWN ||
					    op->status == -ENOENT)))
		sim_fail(s, "unexpected result", "name %u core %u status %ld", op->what, op->core,
			 op->status);
	if (op->kind == SIM_NAME && op->status == 0)
		s->registered |= 1u << op->what;
}

/* A name whose owner died may go, and be taken by another; a live owner's stays. */
static void check_names(struct sim *s)
{
	for (u32 i = 0; i < s->nops; i++) {
		struct sim_op *op = &s->op[i];
		char text[2] = {(char)('a' + op->what)};

		if (op->kind != SIM_NAME || op->status || s->core[op->core].dead || s->no_memory_in)
			continue;
		for (u32 core = 0; core < s->ncores; core++) {
			struct sim_core *c = &s->core[core];
			struct name_value v = {{0}};
			u32 owner = NO_CORE;

			if (c->dead || !agree_state(c->agree, AGREE_ID(0, 1)))
				continue;
			if (names_lookup(&c->names, text, &v, &owner, 0) || owner != op->core ||
			    v.word[1] != i)
				sim_fail(s, "a name is lost", "%s of core %u, seen from %u", text,
					 op->core, core);
		}
	}
}

void sim_answered(struct sim *s, u32 core, u64 token, s64 status, struct sim_totals *t)
{
	struct sim_op *op = &s->op[token];

	(void)t;
	sim_trace(s, "core %u op %lu answered %ld", core, token, status);
	if (token >= s->nops || op->answered || op->core != core) {
		sim_fail(s, "answered twice or by nobody", "op %lu", token);
		return;
	}
	op->answered = true;
	op->status = status;
	s->unanswered--;
	if (op->kind >= SIM_BORROW)
		sim_memory_answered(s, op);
	else if (op->kind >= SIM_NAME)
		check_name(s, op);
	else
		check_status(s, op);
	for (u32 i = 0; i < op->parts; i++) {
		struct sim_part *p = &op->part[i];

		p->ceiling = s->object[p->obj].top;
		if (status == 0 && (op->kind == SIM_CHANGE || op->kind == SIM_TXN))
			check_acked(s, p);
		if (status == 0 && op->kind == SIM_SHARE)
			core_set_add(&s->object[p->obj].holds, core);
		if (status != 0 && p->seq && op->kind != SIM_SHARE && status != -EHOSTDOWN)
			sim_fail(s, "refused but performed", "op %lu object %lx seq %lu", token,
				 s->object[p->obj].id, p->seq);
	}
}

/* The end. */

/* Every live core that got a replica and kept it has one, up to date, under a live home. */
static bool check_replicas(struct sim *s, struct sim_object *o, u32 *one)
{
	struct agree_info info, first = {0};
	u32 replicas = 0;

	*one = NO_CORE;
	for (u32 core = 0; core < s->ncores; core++) {
		bool has = !s->core[core].dead && !agree_info(s->core[core].agree, o->id, &info);

		if (s->core[core].dead)
			continue;
		if (!has) {
			if (core_set_has(&o->holds, core) && !o->destroyed && !s->no_memory_in)
				sim_fail(s, "a replica vanished", "core %u object %lx", core,
					 o->id);
			continue;
		}
		replicas++;
		if (*one == NO_CORE) {
			*one = core;
			first = info;
		}
		if (info.seq != first.seq || info.home != first.home)
			sim_fail(s, "replicas differ", "object %lx: core %u has %lu, core %u %lu",
				 o->id, *one, first.seq, core, info.seq);
		if (info.home == core && info.locked)
			sim_fail(s, "locked for ever", "object %lx", o->id);
	}
	if (*one != NO_CORE && first.members < replicas)
		sim_fail(s, "a replica is not listed", "object %lx", o->id);
	return *one != NO_CORE;
}

/* Was there a moment from change @from to change @to at which the value was not @expect? */
static bool differed(const struct sim_object *o, const struct map_op *m, u64 from, u64 to)
{
	u64 value = 0;

	for (u64 q = 0; q <= to && q <= o->top; q++) {
		if (q && o->chain[q].op.value && o->chain[q].op.key == m->key)
			value = o->chain[q].op.value;
		if (q >= from && value != m->expect)
			return true;
	}
	return false;
}

/* Replay the order of @o; what the replicas hold and what was answered must agree with it. */
static void check_history(struct sim *s, u32 obj, u32 one)
{
	struct sim_object *o = &s->object[obj];
	u64 value[MAP_SLOTS] = {0};
	const void *map = agree_state(s->core[one].agree, o->id);
	u64 seq = sim_replica_seq(s, one, o->id);

	for (u64 q = 1; q <= seq; q++) {
		const struct map_op *m = &o->chain[q].op;

		if (!m->value)
			continue;
		if ((m->flags & MAP_IF_EQUAL) && value[m->key] != m->expect)
			sim_fail(s, "performed what should be refused", "object %lx seq %lu", o->id,
				 q);
		value[m->key] = m->value;
	}
	for (u32 core = 0; core < s->ncores; core++) {
		map = s->core[core].dead ? NULL : agree_state(s->core[core].agree, o->id);
		for (u32 key = 0; map && key < MAP_SLOTS; key++)
			if (map_get(map, key) != value[key])
				sim_fail(s, "content differs from the history",
					 "object %lx core %u", o->id, core);
	}
	if (o->acked_top > seq)
		sim_fail(s, "an acknowledged change is lost", "object %lx seq %lu of %lu", o->id,
			 o->acked_top, seq);
}

static void check_ops(struct sim *s, const bool *lives)
{
	for (u32 i = 0; i < s->nops; i++) {
		struct sim_op *op = &s->op[i];
		u32 done = 0, left = 0;
		bool differs = op->status != -EDOM || op->kind >= SIM_NAME;

		if (!op->answered)
			sim_fail(s, "a request got no answer", "op %u kind %u core %u of %lx", i,
				 op->kind, op->core, s->object[op->part[0].obj].id);
		for (u32 p = 0; p < op->parts; p++) {
			const struct sim_part *part = &op->part[p];
			const struct sim_object *o = &s->object[part->obj];

			if (!lives[part->obj]) {
				differs = true;
				continue;
			}
			done += part->seq != 0;
			left += part->seq == 0;
			if ((part->op.flags & MAP_IF_EQUAL) &&
			    differed(o, &part->op, part->floor, part->ceiling))
				differs = true;
		}
		if (op->kind == SIM_TXN && done && left)
			sim_fail(s, "a transaction in half", "op %u: %u done, %u not", i, done,
				 left);
		if ((op->kind == SIM_TXN || op->kind == SIM_CHANGE) && op->status == 0 && left)
			sim_fail(s, "acknowledged but absent", "op %u", i);
		if (!differs)
			sim_fail(s, "refused without a reason", "op %u", i);
	}
}

void sim_check_end(struct sim *s, struct sim_totals *t)
{
	bool lives[SIM_OBJECTS];

	for (u32 i = 0; i < s->nobjects; i++) {
		u32 one;

		lives[i] = check_replicas(s, &s->object[i], &one);
		if (lives[i])
			check_history(s, i, one);
		else
			t->lost += !s->object[i].destroyed;
	}
	check_ops(s, lives);
	if (s->names)
		check_names(s);
	if (s->memory_moves)
		sim_memory_check_end(s);
	for (u32 i = 0; i < s->nops; i++)
		t->acked += s->op[i].status == 0;
}
