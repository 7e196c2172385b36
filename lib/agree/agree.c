/*
 * One core's part in agreement: start and end, events, and the pump.
 *
 * Events put work on lists: objects to go on with, requests to send or to answer, a sweep over
 * all objects when a core died. agree_pump() does that work piece by piece, each piece needing
 * at most agree_step_max() entries of the outbox, and stops while there are fewer. What is left
 * goes on with the next event, or when the owner calls agree_pump().
 *
 * Not here: the protocols (see internal.h for where they are).
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

#define DEFAULT_FANOUT     8u
#define DEFAULT_DATA_MAX   1024u
#define DEFAULT_PING_NS    1000000000ul
#define DEFAULT_SUSPECT_NS 10000000000ul

/* Entries that a step may need beside the lines of one change: results, fences, replies. */
#define STEP_EXTRA 64u

size_t agree_size(u32 ncores)
{
	return sizeof(struct agree) + ncores * sizeof(struct agree_peer);
}

static void fill_in_defaults(struct agree_config *cfg)
{
	if (!cfg->fanout)
		cfg->fanout = DEFAULT_FANOUT;
	if (!cfg->data_max)
		cfg->data_max = DEFAULT_DATA_MAX;
	if (!cfg->ping_after_ns)
		cfg->ping_after_ns = DEFAULT_PING_NS;
	if (!cfg->suspect_after_ns)
		cfg->suspect_after_ns = DEFAULT_SUSPECT_NS;
}

u32 agree_step_max(const struct agree_config *config)
{
	struct agree_config cfg = *config;
	u32 ncores = cfg.machine->ncores;

	fill_in_defaults(&cfg);
	return agree_tree_children(cfg.strategy, cfg.fanout, ncores) *
		       ((cfg.data_max + AGREE_LINE - 1) / AGREE_LINE) +
	       ncores + STEP_EXTRA;
}

int agree_init(struct agree *a, const struct agree_config *config)
{
	struct agree_config cfg = *config;
	u32 ncores = cfg.machine->ncores;

	fill_in_defaults(&cfg);
	if (ncores == 0 || ncores > AGREE_MAX_CORES || cfg.self >= ncores || cfg.fanout < 2 ||
	    cfg.fanout > 16 || cfg.data_max < 256 || cfg.data_max > 8192 ||
	    cfg.out_slots < 2 * agree_step_max(&cfg))
		return -EINVAL;
	a->cfg = cfg;
	a->ncores = ncores;
	a->step_max = agree_step_max(&cfg);
	a->tree = (struct agree_tree){cfg.machine, cfg.strategy, cfg.fanout, cfg.self};
	a->next_serial = AGREE_FIRST_SERIAL;
	a->next_req = 1;
	a->next_txn = 1;
	a->kicked_end = &a->kicked;
	for (u32 core = 0; core < ncores; core++)
		core_set_add(&a->view.all, core);
	return 0;
}

void agree_fini(struct agree *a)
{
	while (a->requests) {
		struct agree_request *r = a->requests;

		a->requests = r->next;
		request_free(a, r);
	}
	while (a->all)
		object_free(a, a->all);
	txn_free_all(a);
	rehome_forget(a);
	for (u32 core = 0; core < a->ncores; core++)
		wire_close(a, core);
}

/* Events. */

bool agree_ready(const struct agree *a)
{
	return a->cfg.out_slots - a->out_count >= a->step_max;
}

static bool kicked_step(struct agree *a)
{
	struct agree_object *o = a->kicked;

	if (!o)
		return false;
	a->kicked = o->kick_next;
	if (!a->kicked)
		a->kicked_end = &a->kicked;
	o->kicked = false;
	if (o->sh && o->sh->snapping && !o->sh->snap_sent)
		share_snapshot_step(a, o);
	else
		object_advance(a, o);
	return true;
}

static bool clients_step(struct agree *a)
{
	bool did = false;

	for (struct agree_client *c = a->clients; c && !did; c = c->next)
		did = c->step(c);
	return did;
}

int agree_pump(struct agree *a)
{
	if (a->pumping)
		return 0;
	a->pumping = true;
	while (agree_ready(a) &&
	       (view_act_step(a) || view_tell_step(a) || rehome_sweep(a) || rehome_tell(a) ||
		request_step(a) || kicked_step(a) || clients_step(a)))
		;
	if (agree_ready(a))
		view_ack_if_ready(a);
	a->pumping = false;
	return 0;
}

int agree_rx(struct agree *a, u32 from, u16 type, const void *line)
{
	int err;

	if (!agree_ready(a))
		return -EAGAIN;
	if (from >= a->ncores || from == a->cfg.self || type < AGREE_MORE ||
	    type >= AGREE_MSG_END) {
		a->counts.malformed++;
		return 0;
	}
	if (core_set_has(&a->view.dead, from))
		return 0;
	err = wire_rx(a, from, type, line);
	agree_pump(a);
	return err;
}

int agree_tick(struct agree *a, u64 now_ns)
{
	if (!agree_ready(a))
		return -EAGAIN;
	a->now_ns = now_ns;
	view_tick(a);
	a->tick_ns = now_ns;
	request_retry(a);
	if (a->short_of_memory) {
		a->short_of_memory = false;
		view_retry(a);
		rehome_seek_heirs(a);
		for (struct agree_object *o = a->all; o; o = o->all_next)
			object_kick(a, o);
	}
	return agree_pump(a);
}

u64 agree_deadline(const struct agree *a)
{
	if (a->stirred || a->short_of_memory)
		return a->tick_ns + a->cfg.ping_after_ns / 2;
	return a->watching ? a->tick_ns + a->cfg.ping_after_ns : 0;
}

/* Objects. */

int agree_create(struct agree *a, u32 type, const void *arg, u64 *id)
{
	struct agree_object *o;

	if (type >= AGREE_TYPES_MAX || !a->cfg.types[type])
		return -EINVAL;
	o = object_new(a, AGREE_ID(a->cfg.self, a->next_serial), type);
	if (!o)
		return -ENOMEM;
	o->state = o->type->create(a->cfg.type_ctx[type], o->id, arg);
	if (!o->state) {
		object_free(a, o);
		return -ENOMEM;
	}
	o->phase = AGREE_ACTIVE;
	a->next_serial++;
	*id = o->id;
	return 0;
}

static bool alone(const struct agree_object *o)
{
	return !o->sh || core_set_count(&o->sh->members) == 1;
}

int agree_lease(struct agree *a, u64 id)
{
	struct agree_object *o = object_find(a, id);

	if (!object_readable(o))
		return -ENOENT;
	if (o->home != a->cfg.self || !alone(o) || o->queue || o->lock || o->leased ||
	    (o->sh && (o->sh->casting || o->sh->snapping)))
		return -EBUSY;
	o->leased = true;
	return 0;
}

int agree_recalled(struct agree *a, u64 id)
{
	struct agree_object *o = object_find(a, id);

	if (!o || !o->leased)
		return -ENOENT;
	o->leased = false;
	o->recalling = false;
	object_kick(a, o);
	return agree_pump(a);
}

void *agree_state(struct agree *a, u64 id)
{
	struct agree_object *o = object_find(a, id);

	return object_readable(o) ? o->state : NULL;
}

int agree_info(struct agree *a, u64 id, struct agree_info *info)
{
	struct agree_object *o = object_find(a, id);

	if (!object_readable(o))
		return -ENOENT;
	*info = (struct agree_info){.seq = o->seq,
				    .home = o->home,
				    .members = o->sh ? core_set_count(&o->sh->members) : 1,
				    .exclusive = o->home == a->cfg.self && alone(o),
				    .locked = o->lock != NULL};
	return 0;
}

bool agree_is_member(struct agree *a, u64 id, u32 core)
{
	struct agree_object *o = object_find(a, id);

	if (!object_readable(o))
		return false;
	return o->sh ? core_set_has(&o->sh->members, core) : core == a->cfg.self;
}

u32 agree_self(const struct agree *a)
{
	return a->cfg.self;
}

const struct machine *agree_machine(const struct agree *a)
{
	return a->cfg.machine;
}

const struct agree_counts *agree_counts(const struct agree *a)
{
	return &a->counts;
}

/* Clients and memory. */

void agree_client_add(struct agree *a, struct agree_client *c)
{
	c->next = a->clients;
	a->clients = c;
}

void *agree_alloc(struct agree *a, size_t bytes)
{
	return a->cfg.memory.alloc(a->cfg.memory.ctx, bytes);
}

void agree_free(struct agree *a, void *p, size_t bytes)
{
	a->cfg.memory.free(a->cfg.memory.ctx, p, bytes);
}
