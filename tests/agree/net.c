/* The network of net.h. */
#include <stdlib.h>

#include <machine/machine.h>

#include "net.h"

static void *net_alloc(void *ctx, size_t bytes)
{
	struct net *n = ctx;

	if (n->fail_after && --n->fail_after == 0)
		return NULL;
	n->allocated += bytes;
	return calloc(1, bytes);
}

static void net_free(void *ctx, void *p, size_t bytes)
{
	struct net *n = ctx;

	n->allocated -= bytes;
	free(p);
}

/* The allocator of a core: bits of net_core.free. */

static bool take(void *ctx, u64 bytes, u64 *base)
{
	struct net_core *c = ctx;
	u64 want = (1ul << bytes / MEMOWN_GRAIN) - 1;

	for (u32 g = 0; g < 64; g++) {
		if ((c->free >> g & want) != want)
			continue;
		c->free &= ~(want << g);
		*base = g * MEMOWN_GRAIN;
		return true;
	}
	return false;
}

static u64 grains_of(u64 base, u64 bytes)
{
	u64 first = base / MEMOWN_GRAIN, last = (base + bytes - 1) / MEMOWN_GRAIN;

	return last < 63 ? (1ul << (last + 1)) - (1ul << first) : 0;
}

static void give(void *ctx, u64 base, u64 bytes)
{
	((struct net_core *)ctx)->free |= grains_of(base, bytes);
}

static void retire(void *ctx, u64 base, u64 bytes)
{
	((struct net_core *)ctx)->retired |= grains_of(base, bytes);
}

static bool may_map(void *ctx, u32 core, u64 base, u64 bytes)
{
	(void)core;
	return !(((struct net_core *)ctx)->free & grains_of(base, bytes));
}

static void start_core(struct net *n, u32 core, enum agree_strategy strategy)
{
	struct net_core *c = &n->core[core];
	struct memown_ops ops = {take, give, retire, may_map, c};
	struct agree_config cfg = {.self = core,
				   .machine = n->machine,
				   .types = {&map_type, &names_type, &ledger_type},
				   .type_ctx = {&n->memory, &n->memory, &c->memown},
				   .memory = n->memory,
				   .strategy = strategy,
				   .data_max = 256};

	cfg.out_slots = 2 * agree_step_max(&cfg);
	c->out = calloc(cfg.out_slots, sizeof(*c->out));
	cfg.out = c->out;
	c->agree = calloc(1, agree_size(n->ncores));
	c->free = core < 64 / NET_GRAINS ? ((1ul << NET_GRAINS) - 1) << core * NET_GRAINS : 0;
	if (agree_init(c->agree, &cfg) || names_init(&c->names, c->agree, 1) ||
	    memown_init(&c->memown, c->agree, &cfg, 2, &ops))
		abort();
}

void net_start(struct net *n, u32 ncores, u32 per_socket, enum agree_strategy strategy)
{
	struct machine_counts counts = {.cores = ncores,
					.nodes = (ncores + per_socket - 1) / per_socket};

	memset(n, 0, sizeof(*n));
	n->ncores = ncores;
	n->end = &n->first;
	n->auto_recall = true;
	n->memory = (struct agree_memory){net_alloc, net_free, n};
	n->machine = machine_init(n->room, sizeof(n->room), &counts);
	for (u32 core = 0; core < ncores; core++) {
		struct machine_core *c = &machine_cores(n->machine)[core];

		c->node = c->socket = (u16)(core / per_socket);
		c->mem_base = core * NET_GRAINS * MEMOWN_GRAIN;
		c->mem_bytes = NET_GRAINS * MEMOWN_GRAIN;
	}
	machine_build_tree(n->machine, 8);
	for (u32 core = 0; core < ncores; core++)
		start_core(n, core, strategy);
	for (u32 core = 0; core < ncores; core++)
		for (u32 token = 0; token < NET_TOKENS; token++)
			n->result[core][token] = NET_WAITS;
}

static struct net_line *line_take(struct net *n, struct net_line **at)
{
	struct net_line *l = *at;

	*at = l->next;
	if (!l->next)
		n->end = at;
	return l;
}

void net_end(struct net *n)
{
	while (n->first)
		free(line_take(n, &n->first));
	for (u32 core = 0; core < n->ncores; core++) {
		struct net_core *c = &n->core[core];

		agree_fini(c->agree);
		names_fini(&c->names);
		memown_fini(&c->memown);
		free(c->agree);
		free(c->out);
	}
	if (n->allocated)
		abort(); /* something was not freed */
}

static void put_line(struct net *n, u32 from, const struct agree_out *o)
{
	struct net_core *c = &n->core[from];
	struct net_line *l = calloc(1, sizeof(*l));

	c->clock += n->send_cost;
	c->handled++;
	n->lines++;
	*l = (struct net_line){.from = (u16)from, .to = o->core, .type = o->type, .time = c->clock};
	l->depth = c->depth + 1;
	memcpy(l->payload, o->line, sizeof(l->payload));
	*n->end = l;
	n->end = &l->next;
}

/* Do what @core's library wants done. */
static void drain(struct net *n, u32 core)
{
	struct net_core *c = &n->core[core];
	const struct agree_out *next;

	while (!c->dead && (next = agree_out(c->agree))) {
		struct agree_out o = *next;

		agree_out_done(c->agree);
		switch (o.kind) {
		case AGREE_OUT_SEND:
			put_line(n, core, &o);
			break;
		case AGREE_OUT_RESULT:
			n->result[core][o.token % NET_TOKENS] = o.status;
			n->answered_at[core][o.token % NET_TOKENS] = c->clock;
			n->answered_depth[core][o.token % NET_TOKENS] = c->depth;
			break;
		case AGREE_OUT_FENCE:
			n->fenced++;
			net_kill(n, o.core);
			agree_fenced(c->agree, o.core);
			break;
		case AGREE_OUT_CLOSE:
			agree_closed(c->agree, o.core);
			break;
		case AGREE_OUT_RECALL:
			n->recalled++;
			if (n->auto_recall)
				agree_recalled(c->agree, o.token);
			break;
		case AGREE_OUT_UNMAP:
			c->mapped &= ~grains_of(o.range.base, o.range.bytes);
			memown_unmapped(&c->memown, o.token);
			break;
		}
		agree_pump(c->agree);
	}
}

/* The line that arrives first: by time, then in the order of sending. */
static struct net_line **next_line(struct net *n)
{
	struct net_line **best = NULL;

	for (struct net_line **at = &n->first; *at; at = &(*at)->next)
		if (!n->core[(*at)->to].stalled && (!best || (*at)->time < (*best)->time))
			best = at;
	return best;
}

bool net_step(struct net *n)
{
	struct net_line **at, *l;
	struct net_core *c;

	for (u32 core = 0; core < n->ncores; core++)
		drain(n, core);
	at = next_line(n);
	if (!at)
		return false;
	l = line_take(n, at);
	c = &n->core[l->to];
	if (!c->dead) {
		c->clock = MAX(c->clock, l->time) + n->receive_cost;
		c->handled++;
		c->depth = MAX(c->depth, l->depth);
		agree_rx(c->agree, l->from, l->type, l->payload);
		drain(n, l->to);
	}
	free(l);
	return true;
}

void net_run(struct net *n)
{
	while (net_step(n))
		;
}

void net_pass(struct net *n, u64 ns)
{
	u64 end = n->now_ns + ns;

	net_run(n);
	while (n->now_ns < end) {
		n->now_ns += NET_SECOND / 4;
		for (u32 core = 0; core < n->ncores; core++) {
			if (!n->core[core].dead && !n->core[core].stalled)
				agree_tick(n->core[core].agree, n->now_ns);
		}
		net_run(n);
	}
}

void net_kill(struct net *n, u32 core)
{
	n->core[core].dead = true;
	for (struct net_line **at = &n->first; *at;) {
		if ((*at)->from == core || (*at)->to == core)
			free(line_take(n, at));
		else
			at = &(*at)->next;
	}
}

u64 net_sent(const struct net *n, u32 core, u32 type)
{
	u64 sum = 0;

	for (u32 c = 0; c < n->ncores; c++)
		if (core == NO_CORE || core == c)
			sum += agree_counts(n->core[c].agree)->sent[type - AGREE_MORE];
	return sum;
}

u64 net_map(struct net *n, u32 core)
{
	u64 id = 0;

	if (agree_create(n->core[core].agree, 0, NULL, &id))
		abort();
	return id;
}

int net_set(struct net *n, u32 core, u64 id, u32 key, u64 value, u64 token)
{
	struct map_op op = {.key = key, .value = value};

	n->result[core][token] = NET_WAITS;
	return agree_change(n->core[core].agree, id, &op, sizeof(op), token);
}

u64 net_get(struct net *n, u32 core, u64 id, u32 key)
{
	const void *map = agree_state(n->core[core].agree, id);

	return map ? map_get(map, key) : ~0ul;
}

void net_share_all(struct net *n, u64 id, u32 cores)
{
	for (u32 core = 0; core < cores; core++) {
		agree_share(n->core[core].agree, id, NET_TOKENS - 1);
		net_run(n);
	}
}
