/*
 * What this core has asked of the home of an object, until there is an answer.
 *
 *   sent to the home -> replied                                  the usual course
 *   parked -> sent                                               the home died; a new one will say
 * so seeking (the leader is asked where the home is) -> sent      a home that no replica here knows
 *
 * A change is asked for by a core with a replica, and says who asked: so when the home dies
 * before it replied, the asker knows whether the change was made. Made: the next change, which
 * only comes when every replica has applied this one, is the answer. Not made: it is asked of
 * the new home. All other asks may be repeated without harm, and are.
 *
 * Nothing is answered or sent again at once: requests are marked, and the pump (agree.c) deals
 * with the marks one by one, so no caller finds its objects changed under it.
 *
 * Not here: what homes do with an ask (object.c, share.c, change.c, txn.c).
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

/*
 * A request of @type about @obj with a copy of @op's data. @answer: whom to tell: a function, or
 * if that is NULL, the owner by the token. NULL: no memory.
 */
struct agree_request *request_new(struct agree *a, u16 type, u64 obj, const struct agree_op *op,
				  const struct agree_answer *answer)
{
	size_t bytes = sizeof(struct agree_request) + op->len;
	struct agree_request *r = agree_alloc(a, bytes);

	if (!r)
		return NULL;
	r->type = type;
	r->obj = obj;
	r->len = op->len;
	r->data = (u8 *)(r + 1);
	r->done = answer->done ? answer->done : request_result;
	r->arg = answer->done ? answer->arg : r;
	r->token = answer->token;
	r->alloc_bytes = bytes;
	if (op->len)
		memcpy(r + 1, op->data, op->len);
	return r;
}

void request_free(struct agree *a, struct agree_request *r)
{
	if (r->alloc_bytes)
		agree_free(a, r, r->alloc_bytes);
}

/* Take @r up. It is sent by the pump. */
void request_start(struct agree *a, struct agree_request *r)
{
	struct agree_request **at = &a->requests;

	while (*at)
		at = &(*at)->next;
	*at = r;
	r->next = NULL;
	r->id = a->next_req++;
	if (!a->next_req)
		a->next_req = 1; /* 0 is nobody's request */
	r->dest = NO_CORE;
	r->applied = false;
	r->fate = AGREE_FATE_SEND;
	a->counts.requests++;
}

struct agree_request *request_find(struct agree *a, u32 id)
{
	struct agree_request *r = a->requests;

	while (r && r->id != id)
		r = r->next;
	return r;
}

bool request_under_way(struct agree *a, u64 obj)
{
	struct agree_request *r = a->requests;

	while (r &&
	       (r->obj != obj || (r->type != AGREE_CHANGE_ASK && r->type != AGREE_DESTROY_ASK)))
		r = r->next;
	return r != NULL;
}

/* Forget @r without an answer; its owner goes away. */
void request_cancel(struct agree *a, struct agree_request *r)
{
	struct agree_request **at = &a->requests;

	while (*at && *at != r)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = r->next;
	a->counts.requests--;
}

/* Sending. */

static void send_to(struct agree *a, struct agree_request *r, u32 core)
{
	struct msg_agree_ask m = {.req = r->id, .id = r->obj, .txn = r->txn};

	r->dest = (u16)core;
	r->seeking = false;
	r->orphan = false;
	if (core == a->cfg.self) {
		object_ask_rx(a, core, r->type, &m, r->data, r->len);
		return;
	}
	wire_send(a, core, r->type, &m, sizeof(m), r->data, r->len);
}

static void seek(struct agree *a, struct agree_request *r)
{
	struct msg_agree_where m = {.len = sizeof(m), .req = r->id, .id = r->obj};
	u32 leader = view_leader(a);

	r->dest = (u16)leader;
	r->seeking = true;
	if (leader == a->cfg.self)
		rehome_where_rx(a, leader, &m);
	else
		agree_send(a, leader, AGREE_WHERE, &m, sizeof(m));
}

/* Send @r to whoever is the home, or park it until that is known. */
static void route(struct agree *a, struct agree_request *r)
{
	struct agree_object *o = object_find(a, r->obj);
	u32 birth = agree_id_birth(r->obj);

	r->dest = NO_CORE;
	if (r->type == AGREE_WHERE && object_readable(o)) {
		request_finish(r, o->home);
	} else if (o && (o->phase == AGREE_ACTIVE || o->phase == AGREE_DYING)) {
		if (!core_set_has(&a->view.dead, o->home))
			send_to(a, r, o->home);
	} else if (o && o->phase == AGREE_HOLLOW && core_set_has(&a->view.dead, o->home) &&
		   (r->type == AGREE_CHANGE_ASK || r->type == AGREE_DESTROY_ASK)) {
		request_finish(r,
			       -EHOSTDOWN); /* who holds no state never learns what became of it */
	} else if (!core_set_has(&a->view.dead, birth)) {
		send_to(a, r, birth);
	} else if (a->view.prepared == a->view.epoch) {
		seek(a, r);
	}
}

/* Answers. */

void request_finish(struct agree_request *r, s64 status)
{
	r->fate = AGREE_FATE_FINISHED;
	r->status = status;
}

/* Tell @to what became of its request @req; nobody waits for request 0. */
void request_reply(struct agree *a, u32 to, u32 req, s64 status)
{
	struct msg_agree_reply m = {.len = sizeof(m), .req = req, .status = (s32)status};

	if (!req)
		return;
	if (to == a->cfg.self)
		request_reply_rx(a, to, &m);
	else
		agree_send(a, to, AGREE_REPLY, &m, sizeof(m));
}

/* Is a refusal of @r for want of memory met by asking again later? */
static bool patient(const struct agree_request *r)
{
	return r->type == AGREE_LEAVE_ASK || r->type == AGREE_TXN_COMMIT ||
	       r->type == AGREE_TXN_ABORT || r->type == AGREE_TXN_RESOLVE;
}

static void put_off(struct agree *a, struct agree_request *r)
{
	r->fate = AGREE_FATE_LATER;
	a->stirred = true; /* there must be a next tick */
}

void request_reply_rx(struct agree *a, u32 from, const struct msg_agree_reply *m)
{
	struct agree_request *r = request_find(a, m->req);

	if (!r || r->dest != from || r->seeking || r->fate == AGREE_FATE_FINISHED)
		return;
	if (m->status == AGREE_NOT_HOME)
		r->fate = AGREE_FATE_SEND;
	else if (m->status == AGREE_LATER || (m->status == -ENOMEM && patient(r)))
		put_off(a, r);
	else
		request_finish(r, m->status);
}

/* The leader says where the home of an object is. */
void request_where_rx(struct agree *a, u32 from, const struct msg_agree_where *m)
{
	struct agree_request *r = request_find(a, m->req);

	if (!r || r->dest != from || !r->seeking || r->obj != m->id)
		return;
	if (r->type == AGREE_WHERE) {
		request_finish(r, m->home == AGREE_HOME_LOST ? -EHOSTDOWN : m->home);
	} else if (m->home != AGREE_HOME_LOST) {
		send_to(a, r, m->home);
	} else if (rehome_heir(a, r->obj) != NO_CORE && r->type != AGREE_LEAVE_ASK) {
		r->orphan = true;
		put_off(a, r);
	} else {
		request_finish(r, -EHOSTDOWN);
	}
}

/* This core's replica of @o has applied @c. */
void request_applied(struct agree *a, struct agree_object *o, const struct agree_change *c)
{
	for (struct agree_request *r = a->requests; r; r = r->next) {
		if (r->obj != o->id || r->fate == AGREE_FATE_FINISHED)
			continue;
		if (r->applied && r->applied_seq < o->seq)
			request_finish(r, 0);
		else if (r->id == c->req && c->origin == a->cfg.self &&
			 (r->type == AGREE_CHANGE_ASK || r->type == AGREE_DESTROY_ASK)) {
			r->applied = true;
			r->applied_seq = o->seq;
		}
	}
}

/*
 * @o has a new home, which has all that was ever acknowledged. @settled: what this core applied
 * has been applied by every replica.
 */
void request_home_moved(struct agree *a, struct agree_object *o, bool settled)
{
	for (struct agree_request *r = a->requests; r; r = r->next) {
		if (r->obj != o->id || r->fate == AGREE_FATE_FINISHED ||
		    (r->dest != NO_CORE && !core_set_has(&a->view.dead, r->dest)))
			continue;
		if (!r->applied)
			r->fate = AGREE_FATE_SEND;
		else if (settled)
			request_finish(r, 0);
	}
}

/* A view is agreed on: whatever the dead owed an answer to must be asked of somebody else. */
void request_died(struct agree *a)
{
	for (struct agree_request *r = a->requests; r; r = r->next) {
		struct agree_object *o = object_find(a, r->obj);

		if (r->fate == AGREE_FATE_FINISHED || r->rider ||
		    (r->applied && object_readable(o)) || /* the next change will tell */
		    (r->dest != NO_CORE && !r->seeking && !core_set_has(&a->view.dead, r->dest)))
			continue;
		if (o && o->phase == AGREE_JOINING)
			object_drop_state(o); /* half a snapshot, perhaps */
		r->fate = AGREE_FATE_SEND;
	}
}

/* Time has passed: ask again what was put off. */
void request_retry(struct agree *a)
{
	for (struct agree_request *r = a->requests; r; r = r->next)
		if (r->fate == AGREE_FATE_LATER)
			r->fate = AGREE_FATE_SEND;
}

static void complete(struct agree *a, struct agree_request *r)
{
	struct agree_object *o = object_find(a, r->obj);
	bool part = !r->alloc_bytes; /* of something that done() may free */

	request_cancel(a, r);
	if (r->type == AGREE_SHARE_ASK) {
		for (struct agree_request *q = a->requests; q; q = q->next)
			if (q->rider && q->obj == r->obj)
				request_finish(q, r->status);
		if (o && o->phase == AGREE_JOINING)
			object_free(a, o);
	}
	if (r->type == AGREE_LEAVE_ASK) {
		r->done(a, r->arg, 0); /* an object that is no more has been left as well */
		if (o && o->phase == AGREE_HOLLOW)
			object_free(a, o); /* and @r with it */
		return;
	}
	r->done(a, r->arg, r->status);
	if (!part)
		request_free(a, r);
}

/* Do what one marked request needs. Returns false if none is marked. */
bool request_step(struct agree *a)
{
	for (struct agree_request *r = a->requests; r; r = r->next) {
		if (r->fate == AGREE_FATE_SEND) {
			r->fate = AGREE_FATE_WAIT;
			route(a, r);
			return true;
		}
		if (r->fate == AGREE_FATE_FINISHED) {
			complete(a, r);
			return true;
		}
	}
	return false;
}

/* Add the cores that owe an answer. */
void request_owed(const struct agree *a, struct core_set *owed)
{
	for (const struct agree_request *r = a->requests; r; r = r->next) {
		if (r->dest != NO_CORE && r->fate == AGREE_FATE_WAIT)
			core_set_add(owed, r->dest);
		if (r->orphan && r->fate != AGREE_FATE_FINISHED)
			core_set_add(owed, rehome_heir(a, r->obj));
	}
}

/* What becomes of a request of the owner's: its result. */
void request_result(struct agree *a, void *arg, s64 status)
{
	struct agree_request *r = arg;

	wire_out(a, AGREE_OUT_RESULT, a->cfg.self, r->token, status);
}
