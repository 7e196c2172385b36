/*
 * What becomes of the objects whose home died.
 *
 *   every live core                      leader
 *   rehome_sweep    --CLAIM-->           rehome_claim_rx   who holds what, and how new it is
 *                   --VIEW_ACK-->        (view.c) all have: the view is agreed on
 *   rehome_rx       <--REHOME--          rehome_tell       to the lowest of those that hold
 *                                                          the newest state
 *
 * The new home knows from the REHOME who holds a replica. It sends its last change again, so
 * that all who live have it (change_again): that change may have been acknowledged, or not; now
 * it is whole. Then it strikes off whoever is not there any more, and goes on. The first message
 * from it tells the replicas who their home is; what they had asked of the old one and was not
 * done they ask of the new one (request_home_moved).
 *
 * The new home is the lowest live replica, but for one case: a replica that lacks the very last
 * change, when the home died in the middle of sending it, is passed over for one that has it.
 *
 * Since nothing but claims tells where an object went, a core without a replica asks the leader
 * (WHERE). An object whose birth core is dead and that nobody claimed is lost, and its users are
 * told -EHOSTDOWN; unless it is well known: then its heir makes it anew.
 *
 * Every claim is made again for each view. So a new leader knows all that the old one knew.
 *
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

/* Claiming. */

static void claim_send(struct agree *a, u32 to, const struct agree_object *o, u16 role, u64 epoch)
{
	struct msg_agree_claim m = {sizeof(m), role, 0, epoch, o->id, o->seq};

	if (to == a->cfg.self)
		rehome_claim_rx(a, to, &m);
	else
		agree_send(a, to, AGREE_CLAIM, &m, sizeof(m));
}

/* Tell the leader what this core has to do with @o, if its home is not its birth core. */
static void claim(struct agree *a, struct agree_object *o)
{
	object_drop_asks_of_dead(a, o);
	if (o->phase != AGREE_ACTIVE && o->phase != AGREE_DYING)
		return;
	if (core_set_has(&a->view.dead, o->home))
		claim_send(a, a->view.prepare_from, o, AGREE_CLAIM_REPLICA, a->view.prepared);
	else if (o->home == a->cfg.self && agree_id_birth(o->id) != a->cfg.self)
		claim_send(a, a->view.prepare_from, o, AGREE_CLAIM_HOME, a->view.prepared);
}

/* A view is agreed on: repair @o, if this core is its home. */
static void recover(struct agree *a, struct agree_object *o)
{
	struct agree_shared *sh = o->sh;

	if (o->home != a->cfg.self)
		return;
	share_peer_died(a, o);
	if (sh && sh->casting &&
	    (core_set_meets(&sh->cast.todo, &a->view.dead) ||
	     core_set_meets(&sh->cast.awaiting, &a->view.dead) ||
	     core_set_meets(&sh->members, &a->view.dead)))
		change_again(a, o);
	object_kick(a, o);
}

/* Go on with the objects, one at a time. Returns false when all are done. */
bool rehome_sweep(struct agree *a)
{
	struct agree_object *o = a->sweep_at;

	if (a->sweep == AGREE_SWEEP_NONE)
		return false;
	if (!o) {
		a->sweep = AGREE_SWEEP_NONE;
		view_ack_if_ready(a);
		return true;
	}
	a->sweep_at = o->all_next;
	if (a->sweep == AGREE_SWEEP_CLAIM)
		claim(a, o);
	else
		recover(a, o);
	return true;
}

/* The leader. */

static struct agree_orphan **orphan_at(struct agree *a, u64 id)
{
	struct agree_orphan **at = &a->view.orphans[(id * 0x9e3779b97f4a7c15ul) >> 56];

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

/* @from holds a replica of an object whose home died, or has become the home of one. */
void rehome_claim_rx(struct agree *a, u32 from, const struct msg_agree_claim *m)
{
	struct agree_view *v = &a->view;
	struct agree_orphan **at = orphan_at(a, m->id), *r = *at;
	bool gathered = v->gathering && m->epoch == v->prepared;
	bool heir = !v->gathering && m->role == AGREE_CLAIM_HOME;

	if (!gathered && !heir)
		return;
	if (!r) {
		r = agree_alloc(a, sizeof(*r));
		if (!r) {
			v->claims_lost = true;
			return;
		}
		*r = (struct agree_orphan){.id = m->id, .home = NO_CORE, .best = NO_CORE};
		*at = r;
	}
	if (m->role == AGREE_CLAIM_HOME) {
		r->home = (u16)from;
		return;
	}
	core_set_add(&r->holders, from);
	if (r->best == NO_CORE || m->seq > r->seq || (m->seq == r->seq && from < r->best)) {
		r->best = (u16)from;
		r->seq = m->seq;
	}
}

/* Forget all claims: they will be made again. */
void rehome_forget(struct agree *a)
{
	for (u32 i = 0; i < AGREE_BUCKETS; i++) {
		while (a->view.orphans[i]) {
			struct agree_orphan *r = a->view.orphans[i];

			a->view.orphans[i] = r->next;
			agree_free(a, r, sizeof(*r));
		}
	}
	a->view.orphan_bucket = 0;
}

/* Name the new home of one object. Returns false when all have one. */
bool rehome_tell(struct agree *a)
{
	struct agree_view *v = &a->view;
	struct agree_orphan *r;
	struct msg_agree_rehome m;

	if (v->gathering || v->tell)
		return false;
	for (; v->orphan_bucket < AGREE_BUCKETS; v->orphan_bucket++) {
		r = v->orphans[v->orphan_bucket];
		while (r && r->home != NO_CORE)
			r = r->next;
		if (!r)
			continue;
		r->home = r->best;
		m = (struct msg_agree_rehome){.id = r->id};
		if (r->home == a->cfg.self)
			rehome_rx(a, r->home, r->id, &r->holders);
		else
			wire_send_set(a, r->home, AGREE_REHOME, &m, sizeof(m), &m.set_at,
				      &m.set_len, &r->holders, NULL, 0);
		return true;
	}
	return false;
}

/* A core that holds no replica wants to know where the home of an object is. */
void rehome_where_rx(struct agree *a, u32 from, const struct msg_agree_where *m)
{
	struct msg_agree_where answer = *m;
	struct agree_orphan *r = *orphan_at(a, m->id);

	if (a->view.gathering)
		return; /* it will ask again when the view is agreed on */
	answer.home = AGREE_HOME_LOST;
	if (r)
		answer.home = r->home != NO_CORE ? r->home : r->best;
	if (from == a->cfg.self)
		request_where_rx(a, from, &answer);
	else
		agree_send(a, from, AGREE_HOME_IS, &answer, sizeof(answer));
}

/* The new home. */

void rehome_rx(struct agree *a, u32 from, u64 id, const struct core_set *holders)
{
	struct agree_object *o = object_find(a, id);
	struct core_set absent;

	if (from != a->view.prepare_from || !o || !o->sh || o->home == a->cfg.self ||
	    (o->phase != AGREE_ACTIVE && o->phase != AGREE_DYING))
		return;
	absent = o->sh->members;
	core_set_minus(&absent, holders);
	core_set_minus(&absent, &a->view.dead);
	o->home = (u16)a->cfg.self;
	o->sh->unwanted = absent;
	o->sh->casting = false; /* for the old home */
	o->sh->recovering = true;
	if (o->lock)
		o->lock->inherited = true;
	object_kick(a, o);
}

/* All that live have the last change of the old home. */
void rehome_done(struct agree *a, struct agree_object *o)
{
	request_home_moved(a, o, true);
	object_kick(a, o);
}

/* Well-known objects. */

static struct agree_wellknown *wellknown(const struct agree *a, u64 id)
{
	struct agree_wellknown *w = a->wellknown;

	while (w && w->id != id)
		w = w->next;
	return w;
}

/* Who makes @id anew if it is lost; NO_CORE: nobody, it is not well known. */
u32 rehome_heir(const struct agree *a, u64 id)
{
	const struct agree_wellknown *w = wellknown(a, id);

	return w ? w->heir(a, id) : NO_CORE;
}

/* Make @w anew at this core, which is its heir. Nobody has a replica. */
static int inherit(struct agree *a, struct agree_wellknown *w)
{
	struct agree_object *o = object_find(a, w->id);
	const struct agree_type *type = a->cfg.types[w->type];
	void *state;

	if (o && o->phase != AGREE_JOINING)
		return -EBUSY;
	state = type->create(a->cfg.type_ctx[w->type], w->id, w->arg ? w->arg(a, w->id) : NULL);
	if (!state)
		return -ENOMEM;
	if (!o)
		o = object_new(a, w->id, w->type);
	if (!o) {
		type->destroy(state);
		return -ENOMEM;
	}
	object_drop_state(o);
	o->type = type;
	o->state = state;
	o->phase = AGREE_ACTIVE;
	o->home = (u16)a->cfg.self;
	o->seq = 0;
	if (o->sh) {
		memset(&o->sh->members, 0, sizeof(o->sh->members));
		core_set_add(&o->sh->members, a->cfg.self);
	}
	for (struct agree_request *r = a->requests; r; r = r->next)
		if (r->obj == w->id && r->type == AGREE_SHARE_ASK)
			request_finish(r, 0);
	claim_send(a, view_leader(a), o, AGREE_CLAIM_HOME, a->view.epoch);
	return 0;
}

/* The leader has said whether a well-known object has a home. */
static void heir_told(struct agree *a, void *arg, s64 status)
{
	struct agree_wellknown *w = arg;

	w->seeking = false;
	if (status >= 0)
		return;
	/* In the middle of a change of views the answer may be old: the new view asks again. */
	if (a->view.prepared == a->view.epoch && w->heir(a, w->id) == a->cfg.self && inherit(a, w))
		a->short_of_memory = true;
}

/* Find out whether a well-known object that this core would have to make anew is lost. */
void rehome_seek_heirs(struct agree *a)
{
	static const struct agree_op nothing;

	for (struct agree_wellknown *w = a->wellknown; w; w = w->next) {
		struct agree_request *r;

		if (w->seeking || !core_set_has(&a->view.buried, agree_id_birth(w->id)) ||
		    w->heir(a, w->id) != a->cfg.self || object_readable(object_find(a, w->id)))
			continue;
		r = request_new(a, AGREE_WHERE, w->id, &nothing,
				&(struct agree_answer){.done = heir_told, .arg = w});
		if (!r) {
			a->short_of_memory = true;
			return;
		}
		w->seeking = true;
		request_start(a, r);
	}
}

int agree_wellknown(struct agree *a, struct agree_wellknown *w)
{
	const struct agree_type *type = w->type < AGREE_TYPES_MAX ? a->cfg.types[w->type] : NULL;
	struct agree_object *o;

	if (!type || agree_id_birth(w->id) >= a->ncores || wellknown(a, w->id))
		return -EINVAL;
	if (agree_id_birth(w->id) == a->cfg.self) {
		o = object_new(a, w->id, w->type);
		if (!o)
			return -ENOMEM;
		o->state = type->create(a->cfg.type_ctx[w->type], w->id,
					w->arg ? w->arg(a, w->id) : NULL);
		if (!o->state) {
			object_free(a, o);
			return -ENOMEM;
		}
		o->phase = AGREE_ACTIVE;
	}
	w->next = a->wellknown;
	w->seeking = false;
	a->wellknown = w;
	return 0;
}
