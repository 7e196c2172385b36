/*
 * A change of an object, from the asking to the answer.
 *
 *   asker                          home                          every replica
 *   agree_change --CHANGE_ASK-->   change_ask   checks it
 *                                  change_order numbers it, applies it, and sends it
 *                                               --CHANGE-->      change_rx applies it and
 *                                                                passes it on down the tree
 *                                  change_ack_rx <--ACK--        when its subset has
 *   request_reply_rx <--REPLY--    ordered      when all have
 *
 * One change of an object is under way at a time. So replicas differ by one change at most, and
 * a change that came is a sign that every replica has the one before. The home applies first:
 * what a reader at any live core has seen is held by a live replica and will not be lost.
 *
 * When a core dies in the middle, the home sends the same change again, in a new round, to all
 * that live (change_again); who has applied it only passes it on and acknowledges.
 *
 * Not here: what happens when the home itself dies (rehome.c).
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

static int ask(struct agree *a, u16 type, u64 id, const struct agree_op *op,
	       const struct agree_answer *answer)
{
	struct agree_request *r;

	if (!agree_ready(a))
		return -EAGAIN;
	if (!object_readable(object_find(a, id)))
		return -ENOENT;
	if (op->len > agree_change_max(a))
		return -EMSGSIZE;
	r = request_new(a, type, id, op, answer);
	if (!r)
		return -ENOMEM;
	request_start(a, r);
	return agree_pump(a);
}

int agree_change(struct agree *a, u64 id, const void *data, u32 len, u64 token)
{
	return ask(a, AGREE_CHANGE_ASK, id, &(struct agree_op){.data = data, .len = len},
		   &(struct agree_answer){.token = token});
}

int agree_change_call(struct agree *a, u64 id, const void *data, u32 len, agree_done *done,
		      void *arg)
{
	return ask(a, AGREE_CHANGE_ASK, id, &(struct agree_op){.data = data, .len = len},
		   &(struct agree_answer){.done = done, .arg = arg});
}

int agree_destroy(struct agree *a, u64 id, u64 token)
{
	return ask(a, AGREE_DESTROY_ASK, id, &(struct agree_op){0},
		   &(struct agree_answer){.token = token});
}

/* The most bytes that a change may have: it travels with a set of cores in one message. */
u32 agree_change_max(const struct agree *a)
{
	return a->cfg.data_max - (u32)sizeof(struct msg_agree_change) - CORE_SET_BYTES;
}

/* Applying. */

static void apply_prune(struct agree_object *o, const struct agree_change *c)
{
	u16 core[AGREE_PRUNE_MAX];
	u32 n = MIN(c->len / (u32)sizeof(u16), AGREE_PRUNE_MAX);

	memcpy(core, c->data, n * sizeof(u16));
	for (u32 i = 0; i < n; i++) {
		u32 gone = core[i] & ~AGREE_PRUNE_DIED;

		if (gone >= AGREE_MAX_CORES)
			continue;
		core_set_del(&o->sh->members, gone);
		core_set_del(&o->sh->unwanted, gone);
		if (core[i] & AGREE_PRUNE_DIED)
			core_set_add(&o->sh->died, gone);
	}
}

static void apply_died(struct agree_object *o)
{
	core_set_for_each (core, &o->sh->died) {
		if (o->type->member_died)
			o->type->member_died(o->state, core, &o->sh->members);
	}
	memset(&o->sh->died, 0, sizeof(o->sh->died));
}

static void apply_kind(struct agree *a, struct agree_object *o, const struct agree_change *c,
		       const struct agree_op *op)
{
	switch (c->kind) {
	case AGREE_KIND_CHANGE:
		o->type->perform(o->state, op);
		break;
	case AGREE_KIND_JOIN:
		core_set_add(&o->sh->members, c->origin);
		break;
	case AGREE_KIND_LEAVE:
		core_set_del(&o->sh->members, c->origin);
		break;
	case AGREE_KIND_PRUNE:
		apply_prune(o, c);
		break;
	case AGREE_KIND_DIED:
		apply_died(o);
		break;
	case AGREE_KIND_COMMIT:
		txn_commit(o);
		break;
	case AGREE_KIND_UNLOCK:
		txn_unlock(a, o);
		break;
	case AGREE_KIND_DESTROY:
		object_drop_state(o);
		o->phase = AGREE_DYING;
		break;
	default: /* AGREE_KIND_LOCK: done by txn_lock() */
		break;
	}
}

/* Make @c, the next change, here. It was checked and has its memory: it cannot fail. */
static void apply(struct agree *a, struct agree_object *o, const struct agree_change *c)
{
	struct agree_op op = {c->data, c->len, c->origin};

	o->seq++;
	if (o->phase != AGREE_ACTIVE)
		return;
	if (a->cfg.observe) {
		struct agree_op seen = c->kind == AGREE_KIND_COMMIT ? txn_lock_op(o->lock) : op;

		a->cfg.observe(a->cfg.observe_ctx, o->id, o->seq, c->kind, &seen);
	}
	apply_kind(a, o, c, &op);
	request_applied(a, o, c);
}

/* Keep @c: it may have to be sent again. */
static void remember(struct agree_object *o, const struct agree_change *c)
{
	struct agree_shared *sh = o->sh;

	sh->last = *c;
	sh->last.data = sh->last_data;
	sh->have_last = true;
	memcpy(sh->last_data, c->data ? c->data : "", c->len);
}

/* At home. */

static void pass_on(struct agree *a, struct agree_object *o);
static void finish_cast(struct agree *a, struct agree_object *o);

/* Every replica has applied @c. */
static void ordered(struct agree *a, struct agree_object *o, const struct agree_change *c)
{
	if (c->kind == AGREE_KIND_JOIN)
		share_ordered(a, o, c->origin, c->req);
	else if (c->kind != AGREE_KIND_PRUNE && c->kind != AGREE_KIND_DIED)
		request_reply(a, c->origin, c->req, 0);
	object_kick(a, o);
}

static void cast_from_home(struct agree *a, struct agree_object *o)
{
	struct agree_shared *sh = o->sh;
	struct core_set targets = sh->members;

	core_set_del(&targets, a->cfg.self);
	core_set_minus(&targets, &a->view.dead);
	core_set_minus(&targets, &sh->unwanted);
	if (sh->last.kind == AGREE_KIND_JOIN)
		core_set_del(&targets, sh->last.origin); /* it has no replica yet */
	sh->casting = true;
	sh->cast_home = (u16)a->cfg.self;
	sh->cast_parent = (u16)a->cfg.self;
	sh->round++;
	agree_cast_begin(&a->tree, &sh->cast, &targets);
	pass_on(a, o);
	finish_cast(a, o);
}

/* Number @c, make it here, and send it to every replica. @c was checked. */
void change_order(struct agree *a, struct agree_object *o, const struct agree_change *c)
{
	apply(a, o, c);
	if (!o->sh) {
		ordered(a, o, c);
		return;
	}
	remember(o, c);
	cast_from_home(a, o);
}

/* Send the last change again: a core died that had it, or this core has become the home. */
void change_again(struct agree *a, struct agree_object *o)
{
	if (o->sh->have_last) {
		cast_from_home(a, o);
		return;
	}
	o->sh->recovering = false; /* installed from a snapshot: all others had the change before */
	rehome_done(a, o);
}

/* The home's turn to serve a CHANGE_ASK, LEAVE_ASK or DESTROY_ASK. */
void change_ask(struct agree *a, struct agree_object *o, const struct agree_ask *ask)
{
	bool member = o->sh ? core_set_has(&o->sh->members, ask->from) : ask->from == a->cfg.self;
	struct agree_op op = {ask->data, ask->len, ask->from};
	struct agree_change c = {AGREE_KIND_CHANGE, ask->from, ask->req, ask->len, ask->data};
	int err = 0;

	if (ask->type == AGREE_LEAVE_ASK) {
		if (!member || ask->from == a->cfg.self) {
			request_reply(a, ask->from, ask->req, 0);
			return;
		}
		c = (struct agree_change){
			.kind = AGREE_KIND_LEAVE, .origin = ask->from, .req = ask->req};
	} else if (!member) {
		err = -ENOENT;
	} else if (ask->type == AGREE_DESTROY_ASK) {
		c = (struct agree_change){
			.kind = AGREE_KIND_DESTROY, .origin = ask->from, .req = ask->req};
	} else if (ask->len > agree_change_max(a)) {
		err = -EMSGSIZE;
	} else {
		err = o->type->check(o->state, &op);
		if (!err && o->type->reserve)
			err = o->type->reserve(o->state, &op);
	}
	if (err)
		request_reply(a, ask->from, ask->req, err);
	else
		change_order(a, o, &c);
}

/* Strike dead and unwanted replicas off the list. */
void change_order_prune(struct agree *a, struct agree_object *o)
{
	struct core_set gone = o->sh->members, dead = a->view.buried;
	u16 core[AGREE_PRUNE_MAX];
	u32 n = 0;

	core_set_or(&dead, &o->sh->unwanted);
	core_set_and(&gone, &dead);
	core_set_for_each (c, &gone) {
		if (n == AGREE_PRUNE_MAX)
			break;
		core[n++] = (u16)(c | (core_set_has(&a->view.buried, c) ? AGREE_PRUNE_DIED : 0));
	}
	change_order(a, o,
		     &(struct agree_change){AGREE_KIND_PRUNE, (u16)a->cfg.self, 0,
					    n * (u32)sizeof(u16), core});
}

/* At every core on the way. */

static void pass_on(struct agree *a, struct agree_object *o)
{
	struct agree_shared *sh = o->sh;
	struct core_set subset;
	u32 child;

	while ((child = agree_cast_next(&a->tree, &sh->cast, &subset)) != NO_CORE) {
		struct msg_agree_change m = {.kind = sh->last.kind,
					     .home = sh->cast_home,
					     .id = o->id,
					     .seq = o->seq,
					     .round = sh->round,
					     .req = sh->last.req,
					     .origin = sh->last.origin};

		wire_send_set(a, child, AGREE_CHANGE, &m, sizeof(m), &m.set_at, &m.set_len, &subset,
			      sh->last.data, sh->last.len);
	}
}

/* All children have answered: answer the parent, or, at home, the asker. */
static void finish_cast(struct agree *a, struct agree_object *o)
{
	struct agree_shared *sh = o->sh;
	struct msg_agree_ack m = {sizeof(m), sh->cast_home, sh->round, o->id, o->seq};

	if (!agree_cast_done(&sh->cast))
		return;
	sh->casting = false;
	if (sh->cast_parent != a->cfg.self) {
		agree_send(a, sh->cast_parent, AGREE_ACK, &m, sizeof(m));
	} else if (sh->recovering) {
		sh->recovering = false;
		rehome_done(a, o);
	} else {
		ordered(a, o, &sh->last);
	}
}

/* Get ready to apply @c at a replica. False: it cannot be, for want of memory or of sense. */
static bool prepare(struct agree *a, struct agree_object *o, const struct agree_change *c)
{
	struct agree_op op = {c->data, c->len, c->origin};
	bool keeps_lock = c->kind == AGREE_KIND_COMMIT || c->kind == AGREE_KIND_PRUNE;

	if (o->lock && o->lock->committed && !keeps_lock)
		txn_lock_free(a, o); /* the home has released it */
	switch (c->kind) {
	case AGREE_KIND_CHANGE:
		return !o->type->reserve || o->type->reserve(o->state, &op) == 0;
	case AGREE_KIND_LOCK:
		return txn_lock(a, o, c) == 0;
	case AGREE_KIND_COMMIT:
	case AGREE_KIND_UNLOCK:
		return o->lock && c->len == sizeof(u64) &&
		       memcmp(c->data, &o->lock->parts->txn, sizeof(u64)) == 0;
	}
	return true;
}

/* Is @m of the order that this replica follows, and news? */
static bool follows(const struct agree *a, const struct agree_object *o,
		    const struct msg_agree_change *m)
{
	if (core_set_has(&a->view.dead, m->home))
		return false; /* a live home will send it again */
	if (m->home != o->home)
		return core_set_has(&a->view.dead, o->home) &&
		       (m->seq == o->seq || m->seq == o->seq + 1);
	return m->seq == o->seq + 1 || (m->seq == o->seq && m->round > o->sh->round);
}

/* The home's order arrives, from it or through others; @subset is to be told by this core. */
void change_rx(struct agree *a, u32 from, const struct msg_agree_change *m,
	       const struct core_set *subset, const void *data, u32 len)
{
	struct agree_object *o = object_find(a, m->id);
	struct agree_change c = {m->kind, m->origin, m->req, len, data};
	struct core_set targets = *subset;
	bool moved;

	if (!o || !o->sh || o->phase == AGREE_JOINING || len > a->cfg.data_max)
		return;
	if (!follows(a, o, m))
		return;
	moved = m->home != o->home;
	o->home = m->home;
	if (m->seq != o->seq) {
		if (o->phase == AGREE_ACTIVE && !prepare(a, o, &c))
			leave_quietly(a, o);
		apply(a, o, &c);
	}
	remember(o, &c);
	core_set_minus(&targets, &a->view.dead);
	core_set_del(&targets, a->cfg.self);
	o->sh->casting = true;
	o->sh->cast_home = m->home;
	o->sh->cast_parent = (u16)from;
	o->sh->round = m->round;
	agree_cast_begin(&a->tree, &o->sh->cast, &targets);
	pass_on(a, o);
	finish_cast(a, o);
	if (moved)
		request_home_moved(a, o, false);
}

void change_ack_rx(struct agree *a, u32 from, const struct msg_agree_ack *m)
{
	struct agree_object *o = object_find(a, m->id);
	struct agree_shared *sh = o ? o->sh : NULL;

	if (!sh || !sh->casting || m->seq != o->seq || m->round != sh->round ||
	    m->home != sh->cast_home || !agree_cast_answered(&sh->cast, from))
		return;
	pass_on(a, o);
	finish_cast(a, o);
}

/* Destroying. */

#define GONE_AT_ONCE 16u

/* Every replica knows that @o is destroyed. Answer who still asks, tell all to forget it. */
void change_destroyed(struct agree *a, struct agree_object *o)
{
	struct msg_agree_object m = {.len = sizeof(m), .id = o->id};
	struct agree_ask *ask = o->queue;
	u32 n = 0;

	if (ask) {
		object_ask_refuse(a, o, -ENOENT);
		object_kick(a, o);
		return;
	}
	if (o->sh) {
		core_set_del(&o->sh->members, a->cfg.self);
		core_set_for_each (core, &o->sh->members) {
			if (n++ == GONE_AT_ONCE) {
				object_kick(a, o);
				return;
			}
			core_set_del(&o->sh->members, core);
			agree_send(a, core, AGREE_GONE, &m, sizeof(m));
		}
	}
	object_free(a, o);
}

void change_gone_rx(struct agree *a, u32 from, const struct msg_agree_object *m)
{
	struct agree_object *o = object_find(a, m->id);

	if (!o || o->phase != AGREE_DYING || o->home != from)
		return;
	request_home_moved(a, o, true); /* who destroyed it may not have got its answer */
	object_free(a, o);
}
