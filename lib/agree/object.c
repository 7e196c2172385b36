/*
 * The objects of which this core has a replica, and the asks that wait at a home.
 *
 *   JOINING -> ACTIVE -> HOLLOW -> (freed)
 *   created -> ACTIVE -> DYING  -> (freed)
 *
 * An object whose only replica is its home's is exclusive: it has no struct agree_shared until
 * it is first shared, and is changed without a message. Asks that a home cannot serve yet wait
 * in the object's queue; object_advance() serves them one after the other, and never while a
 * change is on its way to the replicas.
 *
 * Not here: what serving an ask does (share.c, change.c, txn.c).
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

static struct agree_object **bucket_of(struct agree *a, u64 id)
{
	return &a->buckets[(id * 0x9e3779b97f4a7c15ul) >> 56];
}

struct agree_object *object_find(struct agree *a, u64 id)
{
	struct agree_object *o = *bucket_of(a, id);

	while (o && o->id != id)
		o = o->next;
	return o;
}

/* A new object without state, JOINING. NULL: no memory. */
struct agree_object *object_new(struct agree *a, u64 id, u32 type)
{
	struct agree_object **bucket = bucket_of(a, id);
	struct agree_object *o = agree_alloc(a, sizeof(*o));

	if (!o)
		return NULL;
	o->id = id;
	o->type = type < AGREE_TYPES_MAX ? a->cfg.types[type] : NULL;
	o->home = (u16)a->cfg.self;
	o->queue_end = &o->queue;
	o->next = *bucket;
	*bucket = o;
	o->all_prev = a->all_last;
	if (a->all_last)
		a->all_last->all_next = o;
	else
		a->all = o;
	a->all_last = o;
	a->counts.objects++;
	return o;
}

/* What an object needs to have replicas; this core is the first. NULL: no memory. */
struct agree_shared *object_share(struct agree *a, struct agree_object *o)
{
	if (!o->sh) {
		o->sh = agree_alloc(a, sizeof(*o->sh) + a->cfg.data_max);
		if (o->sh)
			core_set_add(&o->sh->members, a->cfg.self);
	}
	return o->sh;
}

void object_drop_state(struct agree_object *o)
{
	if (o->state)
		o->type->destroy(o->state);
	o->state = NULL;
}

static void ask_free(struct agree *a, struct agree_ask *ask)
{
	agree_free(a, ask, sizeof(*ask) + ask->len);
}

static struct agree_ask *ask_take(struct agree_object *o)
{
	struct agree_ask *ask = o->queue;

	o->queue = ask->next;
	if (!o->queue)
		o->queue_end = &o->queue;
	return ask;
}

static void unlink_kicked(struct agree *a, struct agree_object *o)
{
	struct agree_object **at = &a->kicked;

	if (!o->kicked)
		return;
	while (*at != o)
		at = &(*at)->kick_next;
	*at = o->kick_next;
	if (!*at)
		a->kicked_end = at;
}

void object_free(struct agree *a, struct agree_object *o)
{
	struct agree_object **at = bucket_of(a, o->id);

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	unlink_kicked(a, o);
	if (a->sweep_at == o)
		a->sweep_at = o->all_next;
	*(o->all_prev ? &o->all_prev->all_next : &a->all) = o->all_next;
	*(o->all_next ? &o->all_next->all_prev : &a->all_last) = o->all_prev;
	while (o->queue)
		ask_free(a, ask_take(o));
	txn_lock_free(a, o);
	object_drop_state(o);
	if (o->sh)
		agree_free(a, o->sh, sizeof(*o->sh) + a->cfg.data_max);
	agree_free(a, o, sizeof(*o));
	a->counts.objects--;
}

/* Give the state up; the place stays, to pass changes on until the home has struck it off. */
void object_go_hollow(struct agree *a, struct agree_object *o)
{
	txn_lock_free(a, o);
	object_drop_state(o);
	o->phase = AGREE_HOLLOW;
}

bool object_readable(const struct agree_object *o)
{
	return o && o->phase == AGREE_ACTIVE;
}

/* Asks. */

/* Why no ask about @o can be served at this core, or 0. */
static int refuse(const struct agree *a, const struct agree_object *o, u64 id)
{
	if (!o || o->phase == AGREE_JOINING || o->phase == AGREE_HOLLOW)
		return agree_id_birth(id) == a->cfg.self || !o ? -ENOENT : AGREE_NOT_HOME;
	/* A dying object is asked for in vain, but not before every replica has heard so: who
	 * leaves must pass that on first. See change_destroyed(). */
	return o->home == a->cfg.self ? 0 : AGREE_NOT_HOME;
}

static struct agree_ask *ask_new(struct agree *a, u32 from, u16 type, const struct msg_agree_ask *m,
				 const u8 *data, u32 len)
{
	struct agree_ask *ask = agree_alloc(a, sizeof(*ask) + len);

	if (!ask)
		return NULL;
	*ask = (struct agree_ask){NULL, type, (u16)from, m->req, m->txn, len, (u8 *)(ask + 1)};
	memcpy(ask + 1, data, len);
	return ask;
}

/* Something is asked of this core as the home of an object. */
void object_ask_rx(struct agree *a, u32 from, u16 type, const struct msg_agree_ask *m,
		   const u8 *data, u32 len)
{
	struct agree_object *o = object_find(a, m->id);
	struct agree_ask *ask;
	int err = refuse(a, o, m->id);

	if (type == AGREE_TXN_DONE && err)
		return;
	if (!err && (type >= AGREE_TXN_COMMIT || txn_locked_by(o, m->txn))) {
		txn_told_rx(a, from, type, m, o);
		return;
	}
	if (err) {
		request_reply(a, from, m->req, err);
		return;
	}
	ask = ask_new(a, from, type, m, data, len);
	if (!ask) {
		request_reply(a, from, m->req, -ENOMEM);
		return;
	}
	*o->queue_end = ask;
	o->queue_end = &ask->next;
	object_kick(a, o);
}

/* @from died: what it asked and has not been begun is as if never asked. */
void object_drop_asks_of_dead(struct agree *a, struct agree_object *o)
{
	struct agree_ask **at = &o->queue;

	while (*at) {
		struct agree_ask *ask = *at;

		if (!core_set_has(&a->view.dead, ask->from)) {
			at = &ask->next;
			continue;
		}
		*at = ask->next;
		ask_free(a, ask);
	}
	o->queue_end = at;
	if (o->lock && o->lock->wish && core_set_has(&a->view.dead, o->lock->wish_from))
		o->lock->wish = 0;
}

/* Answer the first ask in the queue with @status. */
void object_ask_refuse(struct agree *a, struct agree_object *o, s64 status)
{
	struct agree_ask *ask = ask_take(o);

	request_reply(a, ask->from, ask->req, status);
	ask_free(a, ask);
}

/* Serving. */

/* Have object_advance() called soon. */
void object_kick(struct agree *a, struct agree_object *o)
{
	if (o->kicked)
		return;
	o->kicked = true;
	o->kick_next = NULL;
	*a->kicked_end = o;
	a->kicked_end = &o->kick_next;
}

static void serve(struct agree *a, struct agree_object *o, const struct agree_ask *ask)
{
	switch (ask->type) {
	case AGREE_SHARE_ASK:
		share_begin(a, o, ask);
		break;
	case AGREE_TXN_PREPARE:
		txn_prepare_begin(a, o, ask);
		break;
	default:
		change_ask(a, o, ask);
		break;
	}
}

/* A dead or unwanted replica is to be struck off the list. */
static bool must_prune(const struct agree *a, const struct agree_object *o)
{
	return o->sh && o->phase == AGREE_ACTIVE &&
	       (core_set_meets(&o->sh->members, &a->view.buried) ||
		core_set_meets(&o->sh->members, &o->sh->unwanted));
}

/*
 * Take the next step at the home of @o, if it is time for one. What the deaths of cores demand
 * goes before what a transaction demands, and that before what was asked in turn.
 */
void object_advance(struct agree *a, struct agree_object *o)
{
	struct agree_shared *sh = o->sh;
	struct agree_ask *ask;

	if (o->home != a->cfg.self || (o->phase != AGREE_ACTIVE && o->phase != AGREE_DYING))
		return;
	if (sh && (sh->casting || sh->snapping))
		return;
	if (sh && sh->recovering) {
		change_again(a, o);
	} else if (must_prune(a, o)) {
		change_order_prune(a, o);
	} else if (o->phase == AGREE_DYING) {
		change_destroyed(a, o);
	} else if (txn_advance(a, o)) {
		return;
	} else if (sh && !core_set_empty(&sh->died)) {
		change_order(a, o,
			     &(struct agree_change){.kind = AGREE_KIND_DIED,
						    .origin = (u16)a->cfg.self});
	} else if (o->queue && o->leased) {
		if (!o->recalling)
			wire_out(a, AGREE_OUT_RECALL, a->cfg.self, o->id, 0);
		o->recalling = true;
	} else if (o->queue) {
		ask = ask_take(o);
		object_kick(a, o); /* there may be more to do at once */
		serve(a, o, ask);
		ask_free(a, ask);
	}
}
