/*
 * Mappings across cores, and unmapping them everywhere.
 *
 *   mapper                                   owner
 *   memown_map   --MEMOWN_MAP-->             map_rx      records the mapper
 *   mapped_rx    <--MEMOWN_MAPPED--
 *   memown_drop  --MEMOWN_DROP-->            drop_rx
 *
 *   owner                                    the cores recorded, and no others
 *   memown_revoke --MEMOWN_UNMAP-->          unmap_rx    passes it on down the tree, and unmaps
 *                                                        here (AGREE_OUT_UNMAP)
 *   unmapped_rx  <--MEMOWN_UNMAPPED--        finish      when it and its subset have
 *
 * A grant and a revocation may take different ways and cross: so the owner counts revocations,
 * a grant says how many had begun, and a mapper that has seen a later one drops the grant.
 *
 * When a mapper dies, the owner sends again to those left, in a new round. When the owner dies,
 * every mapper keeps what it maps of its frames, for as long as it wants: a dead core has been
 * stopped, nobody writes there but those who share it, and an heir retires what it inherits
 * (ledger.c). Only who was still asking is refused.
 *
 * One revocation of an owner is under way at a time. A mapper has a record of every owner it
 * ever mapped frames of, in which its part of that revocation fits: it needs no memory for it.
 *
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

struct memown_export {
	struct memown_export *next;
	u64 base;
	u64 bytes;
	struct core_set mappers;
};

/* A revocation, at the owner or at a core that takes part. */
struct memown_unmap {
	struct memown_unmap *next;
	u32 owner;
	u32 req;
	u32 round;
	u32 parent;
	u64 base;
	u64 bytes;
	u64 stamp;
	u64 token; /* at the owner */
	bool begun;
	bool again;              /* a core that takes part died */
	bool local_asked;        /* AGREE_OUT_UNMAP has been put out, */
	bool local_done;         /* and has been done, */
	bool told;               /* only just: see whether all is done */
	struct core_set targets; /* at the owner: who mapped part of it */
	struct agree_cast cast;
};

/* A range of another core's that this core maps or has asked to. */
struct memown_import {
	struct memown_import *next;
	u64 base;
	u64 bytes;
	u64 token;
	u64 seen; /* the newest revocation of part of it, while the answer is awaited */
	u32 owner;
	u32 req;
	bool asking;
	bool going; /* the owner died: the record, too, goes */
};

static bool overlap(u64 base, u64 bytes, u64 other, u64 other_bytes)
{
	return base < other + other_bytes && other < base + bytes;
}

/* Tokens of AGREE_OUT_UNMAP: the owner, and the number of its revocation. */
static u64 token_of(u32 owner, u32 req)
{
	return (u64)owner << 32 | req;
}

static void unmap_here(struct memown *m, u64 base, u64 bytes, u64 token)
{
	struct agree_out o = {.kind = AGREE_OUT_UNMAP,
			      .core = (u16)agree_self(m->agree),
			      .token = token,
			      .range = {base, bytes}};

	agree_out_add(m->agree, &o);
}

/* Mapping: the mapper. */

/* This core's part in the revocations of @owner: made when it first maps its frames. */
static struct memown_unmap *relay_of(struct memown *m, u32 owner)
{
	struct memown_unmap *u = m->relays;

	while (u && u->owner != owner)
		u = u->next;
	return u;
}

static struct memown_import *import_new(struct memown *m, u32 owner, u64 base, u64 bytes)
{
	struct memown_unmap *relay = relay_of(m, owner);
	struct memown_import *i = memown_alloc(m, sizeof(*i));

	if (!i)
		return NULL;
	if (!relay) {
		relay = memown_alloc(m, sizeof(*relay));
		if (!relay) {
			memown_free(m, i, sizeof(*i));
			return NULL;
		}
		relay->owner = owner;
		relay->next = m->relays;
		m->relays = relay;
	}
	*i = (struct memown_import){.next = m->imports,
				    .base = base,
				    .bytes = bytes,
				    .owner = owner,
				    .req = m->next_req++};
	m->imports = i;
	return i;
}

int memown_map(struct memown *m, u32 owner, u64 base, u64 bytes, u64 token)
{
	struct msg_memown msg = {.len = sizeof(msg), .base = base, .bytes = bytes};
	struct memown_import *i;

	if (owner >= m->tree.machine->ncores || owner == agree_self(m->agree) || !bytes ||
	    base + bytes < base)
		return -EINVAL;
	if (!agree_is_live(m->agree, owner))
		return -EHOSTDOWN;
	if (!agree_ready(m->agree))
		return -EAGAIN;
	i = import_new(m, owner, base, bytes);
	if (!i)
		return -ENOMEM;
	i->token = token;
	i->asking = true;
	msg.req = i->req;
	agree_send(m->agree, owner, MEMOWN_MAP, &msg, sizeof(msg));
	return agree_pump(m->agree);
}

static void import_free(struct memown *m, struct memown_import **at)
{
	struct memown_import *i = *at;

	*at = i->next;
	memown_free(m, i, sizeof(*i));
}

static void drop_send(struct memown *m, u32 owner, u64 base, u64 bytes)
{
	struct msg_memown msg = {.len = sizeof(msg), .base = base, .bytes = bytes};

	for (struct memown_import *i = m->imports; i; i = i->next)
		if (i->owner == owner && i->base == base && i->bytes == bytes)
			return; /* it is mapped once more */
	agree_send(m->agree, owner, MEMOWN_DROP, &msg, sizeof(msg));
}

int memown_drop(struct memown *m, u32 owner, u64 base, u64 bytes)
{
	if (!agree_ready(m->agree))
		return -EAGAIN;
	for (struct memown_import **at = &m->imports; *at; at = &(*at)->next) {
		struct memown_import *i = *at;

		if (i->owner != owner || i->base != base || i->bytes != bytes || i->asking ||
		    i->going)
			continue;
		import_free(m, at);
		drop_send(m, owner, base, bytes);
		return agree_pump(m->agree);
	}
	return -ENOENT;
}

void mapped_rx(struct memown *m, u32 from, const struct msg_memown *msg)
{
	struct memown_import **at = &m->imports, *i;
	u64 token;
	s64 status = msg->status;

	while (*at && ((*at)->req != msg->req || (*at)->owner != from || !(*at)->asking))
		at = &(*at)->next;
	i = *at;
	if (!i || i->going)
		return;
	token = i->token;
	i->asking = false;
	if (!status && i->seen > msg->stamp) {
		status = -EAGAIN; /* it has been revoked since */
		import_free(m, at);
		drop_send(m, from, msg->base, msg->bytes);
	} else if (status) {
		import_free(m, at);
	}
	memown_result(m, token, status);
}

/* Mapping: the owner. */

static bool being_revoked(const struct memown *m, u64 base, u64 bytes)
{
	for (const struct memown_unmap *u = m->revokes; u; u = u->next)
		if (overlap(u->base, u->bytes, base, bytes))
			return true;
	return false;
}

/* Record that @from maps the range. 0 or why not. */
static int record(struct memown *m, u32 from, u64 base, u64 bytes)
{
	u32 share = memown_share_of(m, base);
	const void *ledger = share == NO_CORE ? NULL : agree_state(m->agree, LEDGER_ID(share));
	struct memown_export *e = m->exports;

	if (!bytes || !ledger || ledger_owner(ledger, base, bytes) != agree_self(m->agree) ||
	    !m->ops.may_map(m->ops.ctx, from, base, bytes))
		return -EPERM;
	if (being_revoked(m, base, bytes))
		return -EAGAIN;
	while (e && (e->base != base || e->bytes != bytes))
		e = e->next;
	if (!e) {
		e = memown_alloc(m, sizeof(*e));
		if (!e)
			return -ENOMEM;
		e->base = base;
		e->bytes = bytes;
		e->next = m->exports;
		m->exports = e;
	}
	core_set_add(&e->mappers, from);
	return 0;
}

void map_rx(struct memown *m, u32 from, const struct msg_memown *msg)
{
	struct msg_memown answer = *msg;

	answer.status = record(m, from, msg->base, msg->bytes);
	answer.stamp = m->stamp;
	agree_send(m->agree, from, MEMOWN_MAPPED, &answer, sizeof(answer));
}

/* Drop the records that name no core any more. */
static void sweep_exports(struct memown *m)
{
	for (struct memown_export **at = &m->exports; *at;) {
		struct memown_export *e = *at;

		if (!core_set_empty(&e->mappers)) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		memown_free(m, e, sizeof(*e));
	}
}

void drop_rx(struct memown *m, u32 from, const struct msg_memown *msg)
{
	for (struct memown_export *e = m->exports; e; e = e->next)
		if (e->base == msg->base && e->bytes == msg->bytes)
			core_set_del(&e->mappers, from);
	sweep_exports(m);
}

/* Revoking. */

static void pass_on(struct memown *m, struct memown_unmap *u)
{
	struct core_set subset;
	u32 child;

	while ((child = agree_cast_next(&m->tree, &u->cast, &subset)) != NO_CORE) {
		struct msg_memown_unmap msg = {.owner = u->owner,
					       .req = u->req,
					       .round = u->round,
					       .base = u->base,
					       .bytes = u->bytes,
					       .stamp = u->stamp};

		agree_send_set(m->agree, child, MEMOWN_UNMAP, &msg, sizeof(msg), &msg.set_at,
			       &msg.set_len, &subset);
	}
}

static void revoke_end(struct memown *m, struct memown_unmap *u)
{
	for (struct memown_export *e = m->exports; e; e = e->next)
		if (e->base >= u->base && e->base + e->bytes <= u->base + u->bytes)
			core_set_minus(&e->mappers, &u->targets);
	sweep_exports(m);
	m->revokes = u->next;
	memown_result(m, u->token, 0);
	memown_free(m, u, sizeof(*u));
}

/* Answer, if all that this core is to answer for is done. */
static void finish(struct memown *m, struct memown_unmap *u)
{
	struct msg_memown msg = {
		.len = sizeof(msg), .owner = (u16)u->owner, .req = u->req, .round = u->round};

	if (!u->local_done || !agree_cast_done(&u->cast))
		return;
	if (u->owner == agree_self(m->agree))
		revoke_end(m, u);
	else
		agree_send(m->agree, u->parent, MEMOWN_UNMAPPED, &msg, sizeof(msg));
}

static void cast(struct memown *m, struct memown_unmap *u, const struct core_set *targets)
{
	struct core_set live = *targets;

	core_set_for_each (core, targets) {
		if (!agree_is_live(m->agree, core))
			core_set_del(&live, core);
	}
	agree_cast_begin(&m->tree, &u->cast, &live);
	pass_on(m, u);
	if (!u->local_asked) {
		u->local_asked = true;
		unmap_here(m, u->base, u->bytes, token_of(u->owner, u->req));
	}
	finish(m, u);
}

int memown_revoke(struct memown *m, u64 base, u64 bytes, u64 token)
{
	struct memown_unmap **at = &m->revokes, *u;

	if (!agree_ready(m->agree))
		return -EAGAIN;
	u = memown_alloc(m, sizeof(*u));
	if (!u)
		return -ENOMEM;
	*u = (struct memown_unmap){.owner = agree_self(m->agree),
				   .req = m->next_req++,
				   .base = base,
				   .bytes = bytes,
				   .token = token};
	while (*at)
		at = &(*at)->next;
	*at = u;
	return agree_pump(m->agree);
}

/* The first revocation in the queue begins. */
static void revoke_begin(struct memown *m, struct memown_unmap *u)
{
	u->begun = true;
	u->stamp = ++m->stamp;
	for (struct memown_export *e = m->exports; e; e = e->next)
		if (overlap(e->base, e->bytes, u->base, u->bytes))
			core_set_or(&u->targets, &e->mappers);
	cast(m, u, &u->targets);
}

/* Something this core maps, perhaps, is to be unmapped. */
void unmap_rx(struct memown *m, u32 from, const struct msg_memown_unmap *msg,
	      const struct core_set *subset)
{
	struct memown_unmap *u = relay_of(m, msg->owner);
	struct core_set targets = *subset;

	if (!u || !agree_is_live(m->agree, msg->owner))
		return;
	if (u->req != msg->req) {
		u->req = msg->req;
		u->local_asked = false;
		u->local_done = false;
	} else if (msg->round <= u->round) {
		return;
	}
	u->round = msg->round;
	u->parent = from;
	u->base = msg->base;
	u->bytes = msg->bytes;
	u->stamp = msg->stamp;
	for (struct memown_import *i = m->imports; i; i = i->next)
		if (i->owner == msg->owner && i->asking &&
		    overlap(i->base, i->bytes, msg->base, msg->bytes))
			i->seen = msg->stamp;
	core_set_del(&targets, agree_self(m->agree));
	cast(m, u, &targets);
}

/* This core has unmapped @u's range: imports that lie in it are no more. */
static void forget_imports(struct memown *m, const struct memown_unmap *u)
{
	for (struct memown_import **at = &m->imports; *at;) {
		struct memown_import *i = *at;

		if (i->owner == u->owner && !i->asking && !i->going && i->base >= u->base &&
		    i->base + i->bytes <= u->base + u->bytes)
			import_free(m, at);
		else
			at = &i->next;
	}
}

int memown_unmapped(struct memown *m, u64 token)
{
	u32 owner = (u32)(token >> 32), req = (u32)token;
	struct memown_unmap *u;

	u = owner == agree_self(m->agree) ? m->revokes : relay_of(m, owner);
	if (!u || u->req != req || !u->local_asked || u->local_done)
		return -ENOENT;
	u->local_done = true;
	u->told = true;
	forget_imports(m, u);
	return agree_pump(m->agree);
}

void unmapped_rx(struct memown *m, u32 from, const struct msg_memown *msg)
{
	bool mine = msg->owner == agree_self(m->agree);
	struct memown_unmap *u = mine ? m->revokes : relay_of(m, msg->owner);

	if (!u || u->req != msg->req || u->round != msg->round ||
	    !agree_cast_answered(&u->cast, from))
		return;
	pass_on(m, u);
	finish(m, u);
}

/* Deaths, and the end. */

/* @core has stopped: what is mapped of its frames stays, what is asked for will not be. */
void mapping_closing(struct memown *m, u32 core)
{
	for (struct memown_import *i = m->imports; i; i = i->next)
		i->going |= i->owner == core;
}

/* A view is agreed on: nothing is awaited of the dead, and they map nothing. */
void mapping_view(struct memown *m)
{
	struct memown_unmap *u = m->revokes;

	for (struct memown_export *e = m->exports; e; e = e->next)
		core_set_minus(&e->mappers, agree_dead(m->agree));
	sweep_exports(m);
	if (u && u->begun && core_set_meets(&u->targets, agree_dead(m->agree))) {
		core_set_minus(&u->targets, agree_dead(m->agree));
		u->again = true;
	}
}

/* Begin the first revocation, or begin it again. False: it needs neither. */
static bool revoke_step(struct memown *m)
{
	struct memown_unmap *u = m->revokes;

	if (!u)
		return false;
	if (!u->begun) {
		revoke_begin(m, u);
		return true;
	}
	if (!u->again)
		return false;
	u->again = false;
	u->round++;
	cast(m, u, &u->targets);
	return true;
}

/* What this core was asked to unmap has been unmapped. False: nothing new. */
static bool told_step(struct memown *m, struct memown_unmap *list)
{
	struct memown_unmap *u = list;

	while (u && !u->told)
		u = u->next;
	if (!u)
		return false;
	u->told = false;
	finish(m, u);
	return true;
}

/* Forget one import of a dead owner's. False: there is none. */
static bool import_step(struct memown *m)
{
	struct memown_import **at = &m->imports;

	while (*at && !(*at)->going)
		at = &(*at)->next;
	if (!*at)
		return false;
	if ((*at)->asking)
		memown_result(m, (*at)->token, -EHOSTDOWN);
	import_free(m, at);
	return true;
}

/* One piece of work. False: nothing to do. */
bool mapping_step(struct memown *m)
{
	return import_step(m) || told_step(m, m->revokes) || told_step(m, m->relays) ||
	       revoke_step(m);
}

void mapping_owed(struct memown *m, struct core_set *owed)
{
	for (struct memown_import *i = m->imports; i; i = i->next)
		if (i->asking)
			core_set_add(owed, i->owner);
	if (m->revokes)
		core_set_or(owed, &m->revokes->cast.awaiting);
	for (struct memown_unmap *r = m->relays; r; r = r->next)
		if (agree_is_live(m->agree, r->owner))
			core_set_or(owed, &r->cast.awaiting);
}

void mapping_fini(struct memown *m)
{
	while (m->imports)
		import_free(m, &m->imports);
	while (m->exports) {
		struct memown_export *e = m->exports;

		m->exports = e->next;
		memown_free(m, e, sizeof(*e));
	}
	while (m->revokes) {
		struct memown_unmap *u = m->revokes;

		m->revokes = u->next;
		memown_free(m, u, sizeof(*u));
	}
	while (m->relays) {
		struct memown_unmap *u = m->relays;

		m->relays = u->next;
		memown_free(m, u, sizeof(*u));
	}
}
