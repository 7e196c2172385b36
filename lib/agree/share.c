/*
 * Getting a replica, and giving it up.
 *
 *   asker                       home
 *   agree_share  --SHARE_ASK--> share_begin    a lease is recalled, then a JOIN is ordered:
 *                                              every replica lists the asker
 *                               share_ordered  all have it: the state is sent, in records,
 *   share_begin_rx <-SNAP_BEGIN-               and nothing else happens to the object
 *   share_data_rx  <-SNAP_DATA--
 *   share_end_rx   <-SNAP_END---
 *                  --SNAP_ACK-> share_ack_rx   the asker takes part from here on
 *
 * So a replica that exists is listed by every other one; one that is listed may not exist yet,
 * and when its home dies it says so by not claiming it (rehome.c).
 *
 * To leave, a core first lets go of the state (it goes hollow: it passes changes on, but never
 * becomes home and holds nothing that could be old) and then asks the home to strike it off.
 * A replica without memory for a change leaves in the same way.
 *
 * Not here: how JOIN and LEAVE are ordered (change.c).
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

static int share(struct agree *a, u64 id, const struct agree_answer *answer)
{
	static const struct agree_op nothing;
	struct agree_object *o = object_find(a, id);
	struct agree_request *r;

	if (!agree_ready(a))
		return -EAGAIN;
	if (o && (o->phase == AGREE_HOLLOW || o->phase == AGREE_DYING))
		return -EALREADY;
	if (agree_id_birth(id) >= a->ncores)
		return -ENOENT;
	r = request_new(a, AGREE_SHARE_ASK, id, &nothing, answer);
	if (!r)
		return -ENOMEM;
	if (o) {
		request_start(a, r);
		if (o->phase == AGREE_ACTIVE) {
			request_finish(r, -EEXIST);
		} else {
			r->rider = true;
			r->fate = AGREE_FATE_WAIT;
		}
		return agree_pump(a);
	}
	o = object_new(a, id, AGREE_TYPES_MAX);
	if (!o || !object_share(a, o)) {
		if (o)
			object_free(a, o);
		request_free(a, r);
		return -ENOMEM;
	}
	request_start(a, r);
	o->join_req = r->id;
	return agree_pump(a);
}

int agree_share(struct agree *a, u64 id, u64 token)
{
	return share(a, id, &(struct agree_answer){.token = token});
}

int agree_share_call(struct agree *a, u64 id, agree_done *done, void *arg)
{
	return share(a, id, &(struct agree_answer){.done = done, .arg = arg});
}

/* The home's turn to serve a SHARE_ASK. */
void share_begin(struct agree *a, struct agree_object *o, const struct agree_ask *ask)
{
	u16 core = ask->from;
	struct agree_change c = {.kind = AGREE_KIND_JOIN, .origin = core, .req = ask->req};

	if (!object_share(a, o))
		request_reply(a, ask->from, ask->req, -ENOMEM);
	else if (core_set_has(&o->sh->members, core))
		request_reply(a, ask->from, ask->req, -EEXIST);
	else
		change_order(a, o, &c);
}

static void snap_send(struct agree *a, struct agree_object *o, u16 type, const void *rec, u32 len)
{
	static const struct core_set nobody;
	struct agree_shared *sh = o->sh;
	struct msg_agree_snap m = {.req = sh->snap_req, .id = o->id, .seq = o->seq};

	while (m.type < AGREE_TYPES_MAX && a->cfg.types[m.type] != o->type)
		m.type++;
	wire_send_set(a, sh->snap_to, type, &m, sizeof(m), &m.set_at, &m.set_len,
		      type == AGREE_SNAP_BEGIN ? &sh->members : &nobody, rec, len);
}

/* Every replica lists @to now: send it the state. */
void share_ordered(struct agree *a, struct agree_object *o, u32 to, u32 req)
{
	struct agree_shared *sh = o->sh;

	if (core_set_has(&a->view.dead, to))
		return; /* and it will be struck off */
	sh->snapping = true;
	sh->snap_sent = false;
	sh->snap_to = (u16)to;
	sh->snap_req = req;
	sh->snap_cursor = 0;
	snap_send(a, o, AGREE_SNAP_BEGIN, NULL, 0);
	object_kick(a, o);
}

/* Send the next record. The pump calls this again until the state is sent. */
void share_snapshot_step(struct agree *a, struct agree_object *o)
{
	struct agree_shared *sh = o->sh;
	u32 cap = a->cfg.data_max - (u32)sizeof(struct msg_agree_snap);
	u32 len;

	/* No change is under way, and a home never sends its last one to a later home: the
	 * memory for it is free. */
	sh->have_last = false;
	len = o->type->snapshot(o->state, &sh->snap_cursor, sh->last_data, cap);
	if (len) {
		snap_send(a, o, AGREE_SNAP_DATA, sh->last_data, MIN(len, cap));
		object_kick(a, o);
	} else {
		snap_send(a, o, AGREE_SNAP_END, NULL, 0);
		sh->snap_sent = true;
	}
}

/* The place that a snapshot is for, or NULL. */
static struct agree_object *joining(struct agree *a, u32 from, const struct msg_agree_snap *m)
{
	struct agree_object *o = object_find(a, m->id);
	struct agree_request *r = request_find(a, m->req);

	if (!o || o->phase != AGREE_JOINING || o->join_req != m->req || !r || r->dest != from ||
	    r->fate == AGREE_FATE_FINISHED)
		return NULL;
	return o;
}

void share_begin_rx(struct agree *a, u32 from, const struct msg_agree_snap *m,
		    const struct core_set *members)
{
	struct agree_object *o = joining(a, from, m);

	if (!o)
		return;
	object_drop_state(o);
	o->type = m->type < AGREE_TYPES_MAX ? a->cfg.types[m->type] : NULL;
	o->install_err = o->type ? 0 : -EINVAL;
	if (!o->type)
		return;
	o->state = o->type->create(a->cfg.type_ctx[m->type], m->id, NULL);
	if (!o->state)
		o->install_err = -ENOMEM;
	o->home = (u16)from;
	o->seq = m->seq;
	o->sh->members = *members;
}

void share_data_rx(struct agree *a, u32 from, const struct msg_agree_snap *m, const void *rec,
		   u32 len)
{
	struct agree_object *o = joining(a, from, m);

	if (o && o->state && !o->install_err)
		o->install_err = o->type->install(o->state, rec, len);
}

static void snap_ack_send(struct agree *a, u32 to, const struct msg_agree_snap *m, s32 status)
{
	struct msg_agree_snap ack = *m;

	ack.len = sizeof(ack);
	ack.set_at = 0;
	ack.set_len = 0;
	ack.status = status;
	agree_send(a, to, AGREE_SNAP_ACK, &ack, sizeof(ack));
}

void share_end_rx(struct agree *a, u32 from, const struct msg_agree_snap *m)
{
	struct agree_object *o = joining(a, from, m);

	if (!o || (!o->state && !o->install_err)) {
		snap_ack_send(a, from, m, -ENOENT);
		return;
	}
	if (!o->install_err) {
		o->phase = AGREE_ACTIVE;
		o->sh->have_last = false;
	}
	snap_ack_send(a, from, m, o->install_err);
	request_finish(request_find(a, m->req), o->install_err);
}

void share_ack_rx(struct agree *a, u32 from, const struct msg_agree_snap *m)
{
	struct agree_object *o = object_find(a, m->id);

	if (!o || !o->sh || !o->sh->snapping || o->sh->snap_to != from || o->sh->snap_req != m->req)
		return;
	o->sh->snapping = false;
	if (m->status)
		core_set_add(&o->sh->unwanted, from);
	object_kick(a, o);
}

/* A view is agreed on: nothing is owed to the dead. */
void share_peer_died(struct agree *a, struct agree_object *o)
{
	if (o->sh && o->sh->snapping && core_set_has(&a->view.dead, o->sh->snap_to))
		o->sh->snapping = false;
}

/* Leaving. */

static void left_quietly(struct agree *a, void *arg, s64 status)
{
	(void)a;
	(void)arg;
	(void)status;
}

static void leave(struct agree *a, struct agree_object *o, u64 token, agree_done *done)
{
	struct agree_request *r = &o->sh->leave;

	object_go_hollow(a, o);
	*r = (struct agree_request){
		.type = AGREE_LEAVE_ASK, .obj = o->id, .token = token, .done = done, .arg = r};
	request_start(a, r);
}

/* This core has no memory for a change: its replica goes, nothing else does. */
void leave_quietly(struct agree *a, struct agree_object *o)
{
	leave(a, o, 0, left_quietly);
}

int agree_leave(struct agree *a, u64 id, u64 token)
{
	struct agree_object *o = object_find(a, id);

	if (!agree_ready(a))
		return -EAGAIN;
	if (!object_readable(o))
		return -ENOENT;
	if (o->home == a->cfg.self || request_under_way(a, id))
		return -EBUSY;
	leave(a, o, token, request_result);
	return agree_pump(a);
}
