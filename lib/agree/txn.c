/*
 * Changing several objects, all or none: two-phase commit among their homes.
 *
 *   coordinator                        each home
 *   agree_txn --TXN_PREPARE-->         txn_prepare_begin  checks the part, orders a LOCK that
 *                                                         carries it to every replica
 *   txn_voted <--REPLY--               txn_advance
 *             ... the next home, in the order of the identifiers ...
 *             --TXN_COMMIT to all-->   txn_told_rx        orders a COMMIT: every replica makes
 *   txn_committed <--REPLY--                              the part it has
 *             --TXN_DONE to all-->     txn_told_rx        the object is free for others
 *
 * or, when one refuses:
 *
 *             --TXN_ABORT to those locked-->              orders an UNLOCK
 *
 * The coordinator is the core that asks: so an asker that lives always learns the outcome. An
 * object locked by a transaction serves nothing else until it is released; since all lock in
 * the order of identifiers, none waits for another in a circle. A home that dies leaves the
 * lock, with the part, in its object's other replicas; requests go to the new home again.
 *
 * An object stays locked after its COMMIT until all have committed, so that as long as one home
 * does not know the outcome, another can be asked: resolve.c, for when the coordinator died.
 *
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

/* At the coordinator. */

static void voted(struct agree *a, void *arg, s64 status);
static void ended(struct agree *a, void *arg, s64 status);

static void part_send(struct agree *a, struct agree_txn_part *p, u16 type, agree_done *done)
{
	bool prepares = type == AGREE_TXN_PREPARE;

	p->req = (struct agree_request){.type = type,
					.obj = p->id,
					.txn = p->txn->id,
					.len = prepares ? p->len : 0,
					.data = p->data,
					.done = done,
					.arg = p};
	request_start(a, &p->req);
}

/* Tell the parts locked so far to commit or to abort. */
static void conclude(struct agree *a, struct agree_txn *t, u16 type)
{
	t->pending = t->at;
	for (u32 i = 0; i < t->at; i++)
		part_send(a, &t->part[i], type, ended);
}

static void txn_finish(struct agree *a, struct agree_txn *t)
{
	struct agree_txn **at = &a->txns;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	wire_out(a, AGREE_OUT_RESULT, a->cfg.self, t->token, t->status);
	agree_free(a, t, t->alloc_bytes);
}

/* A home has locked its object, or refuses. */
static void voted(struct agree *a, void *arg, s64 status)
{
	struct agree_txn_part *p = arg;
	struct agree_txn *t = p->txn;

	if (status) {
		t->status = status;
		if (t->at)
			conclude(a, t, AGREE_TXN_ABORT);
		else
			txn_finish(a, t);
	} else if (++t->at < t->count) {
		part_send(a, &t->part[t->at], AGREE_TXN_PREPARE, voted);
	} else {
		conclude(a, t, AGREE_TXN_COMMIT);
	}
}

static void done_send(struct agree *a, const struct agree_txn *t, u32 i)
{
	struct msg_agree_ask m = {.len = sizeof(m), .id = t->part[i].id, .txn = t->id};
	u32 home = t->part[i].req.dest;

	if (home == a->cfg.self)
		object_ask_rx(a, home, AGREE_TXN_DONE, &m, NULL, 0);
	else if (home != NO_CORE)
		agree_send(a, home, AGREE_TXN_DONE, &m, sizeof(m));
}

/* A home has committed or aborted; or its object is no more, and nothing is left to do there. */
static void ended(struct agree *a, void *arg, s64 status)
{
	struct agree_txn *t = ((struct agree_txn_part *)arg)->txn;

	(void)status;
	if (--t->pending)
		return;
	if (!t->status) {
		for (u32 i = 0; i < t->count; i++)
			done_send(a, t, i);
	}
	txn_finish(a, t);
}

static int check_parts(struct agree *a, const struct agree_part *parts, u32 n)
{
	u32 head = (u32)sizeof(struct agree_parts) + n * (u32)sizeof(u64);

	if (n == 0 || n > AGREE_TXN_MAX)
		return -EINVAL;
	for (u32 i = 0; i < n; i++) {
		if (i && parts[i].id <= parts[i - 1].id)
			return -EINVAL;
		if (agree_id_birth(parts[i].id) >= a->ncores)
			return -ENOENT;
		if (parts[i].len > agree_change_max(a) - head)
			return -EMSGSIZE;
	}
	return 0;
}

/* Lay a transaction out in one piece of memory. */
static struct agree_txn *txn_new(struct agree *a, const struct agree_part *parts, u32 n)
{
	size_t head = sizeof(struct agree_parts) + n * sizeof(u64);
	size_t bytes = sizeof(struct agree_txn) + n * sizeof(struct agree_txn_part);
	struct agree_txn *t;
	u8 *data;

	for (u32 i = 0; i < n; i++)
		bytes += ROUND_UP(head + parts[i].len, 8);
	t = agree_alloc(a, bytes);
	if (!t)
		return NULL;
	t->id = AGREE_ID(a->cfg.self, a->next_txn++);
	t->count = n;
	t->alloc_bytes = bytes;
	data = (u8 *)&t->part[n];
	for (u32 i = 0; i < n; i++) {
		struct agree_parts *p = (struct agree_parts *)data;

		*p = (struct agree_parts){t->id, n, a->cfg.self};
		for (u32 j = 0; j < n; j++)
			p->id[j] = parts[j].id;
		if (parts[i].len)
			memcpy(data + head, parts[i].data, parts[i].len);
		t->part[i].txn = t;
		t->part[i].id = parts[i].id;
		t->part[i].data = data;
		t->part[i].len = (u32)head + parts[i].len;
		data += ROUND_UP(head + parts[i].len, 8);
	}
	return t;
}

int agree_txn(struct agree *a, const struct agree_part *parts, u32 n, u64 token)
{
	int err = check_parts(a, parts, n);
	struct agree_txn *t;

	if (err)
		return err;
	if (!agree_ready(a))
		return -EAGAIN;
	t = txn_new(a, parts, n);
	if (!t)
		return -ENOMEM;
	t->token = token;
	t->next = a->txns;
	a->txns = t;
	part_send(a, &t->part[0], AGREE_TXN_PREPARE, voted);
	return agree_pump(a);
}

void txn_free_all(struct agree *a)
{
	while (a->txns) {
		struct agree_txn *t = a->txns;

		a->txns = t->next;
		agree_free(a, t, t->alloc_bytes);
	}
}

/* At the homes, and the replicas. */

bool txn_locked_by(const struct agree_object *o, u64 txn)
{
	return o->lock && o->lock->parts->txn == txn;
}

/* The object's own part of the transaction that locks it. */
struct agree_op txn_lock_op(const struct agree_lock *lock)
{
	u32 head = (u32)sizeof(*lock->parts) + lock->parts->count * (u32)sizeof(u64);

	return (struct agree_op){(u8 *)lock->parts + head, lock->len - head,
				 lock->parts->coordinator};
}

/* Is @data a LOCK's? */
static bool parts_valid(const struct agree *a, const void *data, u32 len)
{
	struct agree_parts p;

	if (len < sizeof(p))
		return false;
	memcpy(&p, data, sizeof(p));
	return p.count >= 1 && p.count <= AGREE_TXN_MAX && p.coordinator < a->ncores &&
	       len >= sizeof(p) + p.count * sizeof(u64);
}

/* Hold @o for the transaction in @c, with the memory its part needs. 0, -ENOMEM or -EINVAL. */
int txn_lock(struct agree *a, struct agree_object *o, const struct agree_change *c)
{
	struct agree_lock *lock;
	struct agree_op op;

	if (o->lock || !parts_valid(a, c->data, c->len))
		return -EINVAL;
	lock = agree_alloc(a, sizeof(*lock));
	if (!lock)
		return -ENOMEM;
	lock->len = c->len;
	lock->parts = agree_alloc(a, c->len);
	if (lock->parts) {
		memcpy(lock->parts, c->data, c->len);
		op = txn_lock_op(lock);
		if (!o->type->reserve || o->type->reserve(o->state, &op) == 0) {
			o->lock = lock;
			return 0;
		}
		agree_free(a, lock->parts, lock->len);
	}
	agree_free(a, lock, sizeof(*lock));
	return -ENOMEM;
}

/* Make the part that the lock holds. The lock stays. */
void txn_commit(struct agree_object *o)
{
	struct agree_op op = txn_lock_op(o->lock);

	o->type->perform(o->state, &op);
	o->lock->committed = true;
}

void txn_lock_free(struct agree *a, struct agree_object *o)
{
	struct agree_lock *lock = o->lock;

	if (!lock)
		return;
	resolve_forget(a, lock);
	agree_free(a, lock->parts, lock->len);
	agree_free(a, lock, sizeof(*lock));
	o->lock = NULL;
}

/* Let go of @o without making the part. */
void txn_unlock(struct agree *a, struct agree_object *o)
{
	struct agree_op op = txn_lock_op(o->lock);

	if (o->type->release)
		o->type->release(o->state, &op);
	txn_lock_free(a, o);
}

/* The home's turn to serve a TXN_PREPARE. */
void txn_prepare_begin(struct agree *a, struct agree_object *o, const struct agree_ask *ask)
{
	struct agree_change c = {AGREE_KIND_LOCK, ask->from, ask->req, ask->len, ask->data};
	struct agree_lock asked = {.parts = (struct agree_parts *)ask->data, .len = ask->len};
	struct agree_op op;
	int err = -EINVAL;

	if (ask->len > agree_change_max(a)) {
		err = -EMSGSIZE;
	} else if (parts_valid(a, ask->data, ask->len)) {
		op = txn_lock_op(&asked);
		err = o->type->check(o->state, &op);
	}
	if (!err)
		err = txn_lock(a, o, &c);
	if (err)
		request_reply(a, ask->from, ask->req, err);
	else
		change_order(a, o, &c);
}

/* What a RESOLVE is answered with. */
static s64 state_of(const struct agree_object *o, u64 txn)
{
	if (!txn_locked_by(o, txn))
		return AGREE_TXN_UNKNOWN;
	return o->lock->committed ? AGREE_TXN_IS_COMMITTED : AGREE_TXN_IS_PREPARED;
}

/* The home is told about the transaction that holds, or held, @o. */
void txn_told_rx(struct agree *a, u32 from, u16 type, const struct msg_agree_ask *m,
		 struct agree_object *o)
{
	struct agree_lock *lock = o->lock;

	if (type == AGREE_TXN_RESOLVE) {
		request_reply(a, from, m->req, state_of(o, m->txn));
	} else if (!txn_locked_by(o, m->txn)) {
		request_reply(a, from, m->req, 0); /* long done */
	} else if (type == AGREE_TXN_DONE) {
		lock->released |= lock->committed && !lock->resolve;
	} else if (lock->wish) {
		request_reply(a, from, m->req, AGREE_LATER);
	} else {
		lock->wish = type;
		lock->wish_from = (u16)from;
		lock->wish_req = m->req;
	}
	object_kick(a, o);
}

/* Do what was wished of the lock on @o. */
static void grant(struct agree *a, struct agree_object *o)
{
	struct agree_lock *lock = o->lock;
	u64 txn = lock->parts->txn;
	struct agree_change c = {AGREE_KIND_COMMIT, lock->wish_from, lock->wish_req, sizeof(txn),
				 &txn};
	u16 wish = lock->wish;

	lock->wish = 0;
	object_kick(a, o);
	if (wish == AGREE_TXN_PREPARE || lock->committed) {
		request_reply(a, c.origin, c.req, 0);
		return;
	}
	if (wish == AGREE_TXN_ABORT)
		c.kind = AGREE_KIND_UNLOCK;
	change_order(a, o, &c);
}

/* The home's turn to see to the lock on @o. Returns false if there is none. */
bool txn_advance(struct agree *a, struct agree_object *o)
{
	if (!o->lock)
		return false;
	if (o->lock->wish) {
		grant(a, o);
	} else if (o->lock->released) {
		txn_lock_free(a, o);
		object_kick(a, o);
	} else if (resolve_needed(a, o->lock)) {
		resolve_start(a, o);
	}
	return true;
}
