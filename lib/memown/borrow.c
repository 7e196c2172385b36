/*
 * Borrowing memory, and giving it back.
 *
 *   borrower                                 lender (the nearest first)
 *   memown_borrow    --MEMOWN_ASK-->         borrow_ask_rx   sets a free range aside
 *   borrow_offer_rx  <--MEMOWN_OFFER--
 *   (gets a replica of the ledger) shared
 *   (changes the ledger: the range moves) moved
 *                    --MEMOWN_DECLINE-->     borrow_decline_rx   if that failed
 *
 * The range is the borrower's when the change of the ledger is made, and not before: if either
 * dies in between, the ledger says whose it is. A lender keeps what it offered to a core that
 * died; if the borrower had a replica of the ledger, only once the ledger has dealt with its
 * death, since until then its change could still be made.
 *
 * Not here: the ledger (ledger.c).
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

struct memown_offer {
	struct memown_offer *next;
	u32 to;
	u32 req; /* of the borrower */
	u32 share;
	u64 base;
	u64 bytes;
};

struct memown_borrow {
	struct memown_borrow *next;
	struct memown *m;
	u64 token;
	u64 bytes;
	u32 req;
	u32 from; /* asked, or has offered */
	bool asking;
	bool again; /* who was asked died: ask the next */
	struct core_set tried;
	u64 ledger;
	struct ledger_op move;
};

/* The borrower. */

static void end(struct memown_borrow *b, s64 status)
{
	struct memown *m = b->m;
	struct memown_borrow **at = &m->borrows;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	memown_result(m, b->token, status);
	memown_free(m, b, sizeof(*b));
}

/* The nearest live core not asked yet; of those equally near, the next in number. NO_CORE: all
 * have been. */
static u32 next_lender(const struct memown_borrow *b)
{
	struct memown *m = b->m;
	u32 self = agree_self(m->agree), ncores = m->tree.machine->ncores;
	u32 best = NO_CORE;

	for (u32 i = 1; i < ncores; i++) {
		u32 core = (self + i) % ncores;

		if (core_set_has(&b->tried, core) || !agree_is_live(m->agree, core))
			continue;
		if (best == NO_CORE ||
		    memown_distance(m, self, core) < memown_distance(m, self, best))
			best = core;
	}
	return best;
}

static void ask_next(struct memown_borrow *b)
{
	struct msg_memown msg = {.len = sizeof(msg), .req = b->req, .bytes = b->bytes};

	b->from = next_lender(b);
	if (b->from == NO_CORE) {
		end(b, -ENOMEM);
		return;
	}
	b->asking = true;
	core_set_add(&b->tried, b->from);
	agree_send(b->m->agree, b->from, MEMOWN_ASK, &msg, sizeof(msg));
}

static struct memown_borrow *borrow_new(struct memown *m, u64 bytes, u64 token)
{
	struct memown_borrow *b = memown_alloc(m, sizeof(*b));

	if (!b)
		return NULL;
	b->m = m;
	b->token = token;
	b->bytes = bytes;
	b->req = m->next_req++;
	b->next = m->borrows;
	m->borrows = b;
	return b;
}

int memown_borrow(struct memown *m, u64 bytes, u64 token)
{
	struct memown_borrow *b;

	if (bytes == 0)
		return -EINVAL;
	if (!agree_ready(m->agree))
		return -EAGAIN;
	b = borrow_new(m, ROUND_UP(bytes, MEMOWN_GRAIN), token);
	if (!b)
		return -ENOMEM;
	ask_next(b);
	return agree_pump(m->agree);
}

/* The lender. */

/* Set a range aside for @to. False: there is none to spare. */
static bool offer_make(struct memown *m, u32 to, const struct msg_memown *msg,
		       struct msg_memown *out)
{
	struct memown_offer *o = memown_alloc(m, sizeof(*o));
	const void *ledger;
	u64 base;
	u32 share;

	if (!o)
		return false;
	if (!m->ops.take(m->ops.ctx, msg->bytes, &base)) {
		memown_free(m, o, sizeof(*o));
		return false;
	}
	share = memown_share_of(m, base);
	ledger = share == NO_CORE ? NULL : agree_state(m->agree, LEDGER_ID(share));
	if (!ledger || ledger_owner(ledger, base, msg->bytes) != agree_self(m->agree)) {
		m->ops.give(m->ops.ctx, base, msg->bytes); /* it spans two shares, perhaps */
		memown_free(m, o, sizeof(*o));
		return false;
	}
	*o = (struct memown_offer){m->offers, to, msg->req, share, base, msg->bytes};
	m->offers = o;
	out->base = base;
	out->ledger = LEDGER_ID(share);
	return true;
}

void borrow_ask_rx(struct memown *m, u32 from, const struct msg_memown *msg)
{
	struct msg_memown answer = *msg;

	if (msg->bytes == 0 || msg->bytes % MEMOWN_GRAIN || !offer_make(m, from, msg, &answer))
		answer.status = -ENOMEM;
	agree_send(m->agree, from, MEMOWN_OFFER, &answer, sizeof(answer));
}

/* The offer at @at is void. If the range is still this core's, it is free again. */
static void offer_end(struct memown *m, struct memown_offer **at)
{
	struct memown_offer *o = *at;
	const void *ledger = agree_state(m->agree, LEDGER_ID(o->share));

	*at = o->next;
	if (ledger && ledger_owner(ledger, o->base, o->bytes) == agree_self(m->agree))
		m->ops.give(m->ops.ctx, o->base, o->bytes);
	memown_free(m, o, sizeof(*o));
}

void borrow_decline_rx(struct memown *m, u32 from, const struct msg_memown *msg)
{
	for (struct memown_offer **at = &m->offers; *at; at = &(*at)->next) {
		if ((*at)->to == from && (*at)->req == msg->req && (*at)->base == msg->base) {
			offer_end(m, at);
			return;
		}
	}
}

/* A ledger says that @op->base moved. */
void borrow_moved(struct memown *m, const struct ledger_op *op)
{
	for (struct memown_offer **at = &m->offers; *at; at = &(*at)->next) {
		struct memown_offer *o = *at;

		if (o->base != op->base || o->to != op->to || op->from != agree_self(m->agree))
			continue;
		*at = o->next;
		memown_free(m, o, sizeof(*o));
		return;
	}
}

/* The ledger of @share has dealt with the death of @core: it will not take what it was offered. */
void borrow_member_died(struct memown *m, u32 share, u32 core)
{
	for (struct memown_offer **at = &m->offers; *at;) {
		if ((*at)->to == core && (*at)->share == share)
			offer_end(m, at);
		else
			at = &(*at)->next;
	}
}

/* The borrower again. */

static void decline(struct memown_borrow *b)
{
	struct msg_memown msg = {.len = sizeof(msg), .req = b->req, .base = b->move.base};

	agree_send(b->m->agree, b->from, MEMOWN_DECLINE, &msg, sizeof(msg));
	ask_next(b);
}

static void moved(struct agree *a, void *arg, s64 status)
{
	struct memown_borrow *b = arg;

	(void)a;
	if (status)
		decline(b);
	else
		end(b, 0);
}

static void shared(struct agree *a, void *arg, s64 status)
{
	struct memown_borrow *b = arg;

	if (status == -EEXIST)
		status = 0;
	if (!status)
		status = agree_change_call(a, b->ledger, &b->move, sizeof(b->move), moved, b);
	if (status)
		decline(b);
}

void borrow_offer_rx(struct memown *m, u32 from, const struct msg_memown *msg)
{
	struct memown_borrow *b = m->borrows;

	while (b && (b->req != msg->req || b->from != from || !b->asking))
		b = b->next;
	if (!b)
		return;
	b->asking = false;
	if (msg->status) {
		ask_next(b);
		return;
	}
	b->ledger = msg->ledger;
	b->move = (struct ledger_op){msg->base, msg->bytes, from, agree_self(m->agree)};
	if (agree_share_call(m->agree, b->ledger, shared, b))
		decline(b);
}

/* Giving back. */

static void returned(struct agree *a, void *arg, s64 status)
{
	struct memown_borrow *b = arg;
	struct memown *m = b->m;

	(void)a;
	if (status)
		m->ops.give(m->ops.ctx, b->move.base, b->move.bytes);
	end(b, status);
}

int memown_return(struct memown *m, u64 base, u64 bytes, u64 token)
{
	u32 share = memown_share_of(m, base), self = agree_self(m->agree);
	const void *ledger = share == NO_CORE ? NULL : agree_state(m->agree, LEDGER_ID(share));
	struct memown_borrow *b;
	int err;

	if (!ledger || share == self || bytes == 0 || bytes % MEMOWN_GRAIN ||
	    ledger_owner(ledger, base, bytes) != self)
		return -EINVAL;
	b = borrow_new(m, bytes, token);
	if (!b)
		return -ENOMEM;
	b->move = (struct ledger_op){base, bytes, self, share};
	err = agree_change_call(m->agree, LEDGER_ID(share), &b->move, sizeof(b->move), returned, b);
	if (err) {
		m->borrows = b->next;
		memown_free(m, b, sizeof(*b));
	}
	return err;
}

/* Deaths, and the end. */

void borrow_view(struct memown *m)
{
	for (struct memown_offer **at = &m->offers; *at;) {
		struct memown_offer *o = *at;

		if (!agree_is_live(m->agree, o->to) &&
		    !agree_is_member(m->agree, LEDGER_ID(o->share), o->to))
			offer_end(m, at);
		else
			at = &o->next;
	}
	for (struct memown_borrow *b = m->borrows; b; b = b->next)
		b->again = b->asking && !agree_is_live(m->agree, b->from);
}

/* Ask on for one borrower whose lender died. False: there is none. */
bool borrow_step(struct memown *m)
{
	struct memown_borrow *b = m->borrows;

	while (b && !b->again)
		b = b->next;
	if (!b)
		return false;
	b->again = false;
	ask_next(b);
	return true;
}

void borrow_owed(struct memown *m, struct core_set *owed)
{
	for (struct memown_borrow *b = m->borrows; b; b = b->next)
		if (b->asking)
			core_set_add(owed, b->from);
}

void borrow_fini(struct memown *m)
{
	while (m->borrows) {
		struct memown_borrow *b = m->borrows;

		m->borrows = b->next;
		memown_free(m, b, sizeof(*b));
	}
	while (m->offers) {
		struct memown_offer *o = m->offers;

		m->offers = o->next;
		memown_free(m, o, sizeof(*o));
	}
}
