/*
 * Cores, channels and time: what surrounds the library in a schedule.
 *
 * A channel keeps its order; everything else is drawn: which channel moves next, when a core
 * hears a tick, how long a fence or an unmapping takes. A core dies between two steps or in the
 * middle of putting its outbox out, and the last lines it wrote may be lost.
 *
 * Not here: what the cores ask for (work.c), and what must hold (check.c).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <machine/machine.h>

#include "sim.h"

#define MS 1000000ul

/* splitmix64, by S. Vigna, public domain. */
u64 sim_random(struct sim *s)
{
	u64 z = (s->rng += 0x9e3779b97f4a7c15ul);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ul;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebul;
	return z ^ (z >> 31);
}

u32 sim_below(struct sim *s, u32 n)
{
	return (u32)(sim_random(s) >> 32) % n;
}

bool sim_chance(struct sim *s, u32 one_in)
{
	return one_in && sim_below(s, one_in) == 0;
}

void sim_trace(const struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (!s->cfg.trace)
		return;
	printf("%9.3f ms  ", (double)s->now_ns / 1e6);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void sim_fail(struct sim *s, const char *what, const char *fmt, ...)
{
	va_list ap;

	if (s->failure)
		return;
	s->failure = what;
	va_start(ap, fmt);
	vsnprintf(s->detail, sizeof(s->detail), fmt, ap);
	va_end(ap);
	sim_trace(s, "FAILED: %s: %s", what, s->detail);
}

bool sim_awake(const struct sim *s, u32 core)
{
	return !s->core[core].dead && s->core[core].stalled_until <= s->now_ns;
}

/* Memory. */

static void *sim_alloc(void *ctx, size_t bytes)
{
	struct sim *s = ctx;

	if (!s->calm && sim_chance(s, s->no_memory_in))
		return NULL;
	s->allocated += bytes;
	return calloc(1, bytes);
}

static void sim_free(void *ctx, void *p, size_t bytes)
{
	struct sim *s = ctx;

	s->allocated -= bytes;
	free(p);
}

/* Channels. */

static void channel_busy(struct sim *s, u32 from, u32 to)
{
	struct sim_channel *c = &s->channel[from][to];

	if (c->slot)
		return;
	s->busy[s->nbusy++] = from * SIM_CORES + to;
	c->slot = s->nbusy;
}

static void channel_idle(struct sim *s, u32 from, u32 to)
{
	struct sim_channel *c = &s->channel[from][to];
	u32 last = s->busy[--s->nbusy];

	s->busy[c->slot - 1] = last;
	s->channel[last / SIM_CORES][last % SIM_CORES].slot = c->slot;
	c->slot = 0;
}

static void line_put(struct sim *s, u32 from, u32 to, const struct agree_out *o)
{
	struct sim_channel *c = &s->channel[from][to];
	struct sim_line *l = s->spare;

	if (s->core[to].dead)
		return;
	if (l)
		s->spare = l->next;
	else
		l = malloc(sizeof(*l));
	l->next = NULL;
	l->type = o->type;
	memcpy(l->payload, o->line, sizeof(l->payload));
	if (c->head)
		c->tail->next = l;
	else
		c->head = l;
	c->tail = l;
	channel_busy(s, from, to);
	s->lines++;
}

static void line_drop(struct sim *s, u32 from, u32 to)
{
	struct sim_channel *c = &s->channel[from][to];
	struct sim_line *l = c->head;

	c->head = l->next;
	l->next = s->spare;
	s->spare = l;
	if (!c->head)
		channel_idle(s, from, to);
}

static void channel_cut(struct sim *s, u32 from, u32 to, u32 keep)
{
	struct sim_channel *c = &s->channel[from][to];
	struct sim_line *kept = NULL;

	for (; keep && c->head; keep--) {
		struct sim_line *l = malloc(sizeof(*l));

		*l = *c->head;
		l->next = kept;
		kept = l;
		line_drop(s, from, to);
	}
	while (c->head)
		line_drop(s, from, to);
	while (kept) {
		struct sim_line *l = kept;

		kept = l->next;
		l->next = c->head;
		if (!c->head)
			c->tail = l;
		c->head = l;
		channel_busy(s, from, to);
	}
}

/* Stop @core for good. Of what it wrote last, some may never have left it. */
void sim_kill(struct sim *s, u32 core, const char *how)
{
	if (s->core[core].dead)
		return;
	sim_trace(s, "core %u %s", core, how);
	s->core[core].dead = true;
	for (u32 other = 0; other < s->ncores; other++) {
		channel_cut(s, other, core, 0);
		if (sim_chance(s, 3))
			channel_cut(s, core, other, sim_below(s, 6));
	}
	for (u32 i = 0; i < s->nchores;) {
		if (s->chore[i].core == core)
			s->chore[i] = s->chore[--s->nchores];
		else
			i++;
	}
	for (u32 i = 0; i < s->nops; i++) {
		if (s->op[i].core == core && !s->op[i].answered) {
			s->op[i].answered = true;
			s->op[i].status = -EOWNERDEAD;
			s->unanswered--;
		}
	}
}

/* The outbox. */

static void chore_add(struct sim *s, u32 core, const struct agree_out *o)
{
	if (s->nchores == ARRAY_SIZE(s->chore)) {
		sim_fail(s, "too many chores", "core %u", core);
		return;
	}
	s->chore[s->nchores++] =
		(struct sim_chore){o->kind, (u16)core, o->core, o->token, o->range};
}

/* Put out what @core's library wants put out; the core may die half-way. */
void sim_drain(struct sim *s, u32 core)
{
	struct sim_core *c = &s->core[core];
	const struct agree_out *o;

	while ((o = agree_out(c->agree))) {
		if (c->die_after && --c->die_after == 0) {
			sim_kill(s, core, "dies while sending");
			return;
		}
		switch (o->kind) {
		case AGREE_OUT_SEND:
			line_put(s, core, o->core, o);
			break;
		case AGREE_OUT_RESULT:
			sim_answered(s, core, o->token, o->status, NULL);
			break;
		case AGREE_OUT_VIEW:
			sim_trace(s, "core %u: view %lx", core, o->token);
			break;
		default:
			chore_add(s, core, o);
			break;
		}
		agree_out_done(c->agree);
		if (!agree_out(c->agree)) {
			s->observing = core;
			agree_pump(c->agree);
		}
	}
}

static const char *type_name(u32 type)
{
	static const char *const name[AGREE_MSG_COUNT] = {
		"more",           "ping",       "pong",          "suspect",     "view_prepare",
		"claim",          "view_ack",   "view_commit",   "rehome",      "where",
		"home_is",        "share_ask",  "change_ask",    "leave_ask",   "destroy_ask",
		"txn_prepare",    "txn_commit", "txn_abort",     "txn_resolve", "txn_done",
		"reply",          "change",     "ack",           "gone",        "snap_begin",
		"snap_data",      "snap_end",   "snap_ack",      "memown_ask",  "memown_offer",
		"memown_decline", "memown_map", "memown_mapped", "memown_drop", "memown_unmap",
		"memown_unmapped"};

	return name[type - AGREE_MORE];
}

static void deliver(struct sim *s, u32 from, u32 to)
{
	struct sim_line *l = s->channel[from][to].head;

	s->observing = to;
	if (s->cfg.trace) {
		const u64 *w = (const u64 *)l->payload;

		sim_trace(s, "%u -> %u %s %lx %lx %lx %lx", from, to, type_name(l->type), w[0],
			  w[1], w[2], w[3]);
	}
	if (agree_rx(s->core[to].agree, from, l->type, l->payload) == 0)
		line_drop(s, from, to);
	sim_drain(s, to);
}

/* Do what the library asked of its owner. */
static void do_chore(struct sim *s, u32 i, struct sim_totals *t)
{
	struct sim_chore chore = s->chore[i];
	struct sim_core *c = &s->core[chore.core];

	s->chore[i] = s->chore[--s->nchores];
	s->observing = chore.core;
	switch (chore.kind) {
	case AGREE_OUT_FENCE:
		t->fenced += !s->core[chore.about].dead;
		sim_kill(s, chore.about, "is fenced");
		sim_trace(s, "core %u has fenced %u", chore.core, chore.about);
		agree_fenced(c->agree, chore.about);
		break;
	case AGREE_OUT_CLOSE:
		agree_closed(c->agree, chore.about);
		break;
	case AGREE_OUT_RECALL:
		sim_recall(s, chore.core, chore.token);
		agree_recalled(c->agree, chore.token);
		break;
	case AGREE_OUT_UNMAP:
		sim_memory_unmap(s, chore.core, &chore.range, chore.token);
		break;
	}
	sim_drain(s, chore.core);
}

static void tick(struct sim *s, u32 core)
{
	s->observing = core;
	agree_tick(s->core[core].agree, s->now_ns);
	sim_drain(s, core);
}

/* Stepping. */

/* Deliver a line of some channel whose reader is awake. Returns false if there is none. */
static bool deliver_some(struct sim *s)
{
	u32 start = s->nbusy ? sim_below(s, s->nbusy) : 0;

	for (u32 i = 0; i < s->nbusy; i++) {
		u32 at = s->busy[(start + i) % s->nbusy];

		if (sim_awake(s, at % SIM_CORES)) {
			deliver(s, at / SIM_CORES, at % SIM_CORES);
			return true;
		}
	}
	return false;
}

static bool chore_some(struct sim *s, struct sim_totals *t)
{
	u32 i = s->nchores ? sim_below(s, s->nchores) : 0;

	if (!s->nchores || !sim_awake(s, s->chore[i].core))
		return false;
	do_chore(s, i, t);
	return true;
}

/* Let time pass, and have a core whose time has come hear of it: with all it has been sent. */
static bool tick_some(struct sim *s)
{
	u32 start = sim_below(s, s->ncores);

	for (u32 i = 0; i < s->ncores; i++) {
		u32 core = (start + i) % s->ncores;
		u64 due = s->core[core].dead ? 0 : agree_deadline(s->core[core].agree);

		if (!due || due > s->now_ns || !sim_awake(s, core))
			continue;
		for (u32 from = 0; from < s->ncores; from++)
			while (s->channel[from][core].head && !s->core[core].dead)
				deliver(s, from, core);
		if (!s->core[core].dead)
			tick(s, core);
		return true;
	}
	return false;
}

/* The next moment at which something happens by itself; 0: never. */
static u64 next_moment(const struct sim *s)
{
	u64 next = 0;

	for (u32 core = 0; core < s->ncores; core++) {
		const struct sim_core *c = &s->core[core];
		u64 at = c->dead ? 0 : agree_deadline(c->agree);

		if (!c->dead && c->stalled_until > s->now_ns)
			at = c->stalled_until;
		if (at && (!next || at < next))
			next = at;
	}
	return next;
}

static void misfortune(struct sim *s, struct sim_totals *t)
{
	u32 core = sim_below(s, s->ncores);

	if (s->kills_left && sim_chance(s, s->misfortune_in) && !s->core[core].dead) {
		s->kills_left--;
		t->kills++;
		if (sim_chance(s, 2))
			s->core[core].die_after = 1 + sim_below(s, 8);
		else
			sim_kill(s, core, "dies");
	}
	if (s->stalls_left && sim_chance(s, s->misfortune_in) && sim_awake(s, core)) {
		s->stalls_left--;
		t->stalls++;
		s->core[core].stalled_until = s->now_ns + sim_below(s, 30000) * MS;
		sim_trace(s, "core %u stalls until %lu ms", core, s->core[core].stalled_until / MS);
	}
}

/*
 * All is quiet. A dead core of which nobody expects anything has not been noticed: let a core
 * find out, so that the end of the schedule is one where all is repaired. Returns false if
 * there was none.
 */
static bool settle(struct sim *s)
{
	u32 core = 0;

	while (core < s->ncores && s->core[core].dead)
		core++;
	for (u32 dead = 0; core < s->ncores && dead < s->ncores; dead++) {
		if (!s->core[dead].dead || core_set_has(agree_dead(s->core[core].agree), dead))
			continue;
		s->observing = core;
		sim_trace(s, "core %u finds %u stopped", core, dead);
		agree_fenced(s->core[core].agree, dead);
		sim_drain(s, core);
		return true;
	}
	return false;
}

/* One step of the schedule. Returns false when nothing is left to happen. */
bool sim_step(struct sim *s, struct sim_totals *t)
{
	u64 next;

	s->steps++;
	if (!s->calm) {
		misfortune(s, t);
		if (s->ops_left && sim_chance(s, 4)) {
			sim_work(s);
			return true;
		}
		s->calm = !s->ops_left;
	}
	s->now_ns += sim_below(s, 2000) * 1000;
	if (sim_chance(s, 4) && chore_some(s, t))
		return true;
	if (sim_chance(s, 8) && tick_some(s))
		return true;
	if (deliver_some(s) || chore_some(s, t) || tick_some(s))
		return true;
	if (s->ops_left) {
		sim_work(s);
		return true;
	}
	next = next_moment(s);
	if (next > s->now_ns)
		s->now_ns = next;
	return next || s->nchores || s->nbusy || settle(s);
}

/* Starting and ending. */

static u32 draw_cores(struct sim *s)
{
	u32 kind = sim_below(s, 200);

	if (kind == 0)
		return 33 + sim_below(s, 32);
	if (kind < 4)
		return 8 + sim_below(s, 25);
	return 2 + sim_below(s, 5);
}

static void make_machine(struct sim *s)
{
	u32 per_socket = s->ncores <= 8 ? 2 + sim_below(s, 3) : 8;
	struct machine_counts counts = {.cores = s->ncores,
					.nodes = (s->ncores + per_socket - 1) / per_socket};

	s->machine = machine_init(s->machine_room, sizeof(s->machine_room), &counts);
	for (u32 core = 0; core < s->ncores; core++) {
		struct machine_core *c = &machine_cores(s->machine)[core];

		c->apic_id = core;
		c->node = (u16)(core / per_socket);
		c->socket = c->node;
		c->mem_base = core * SIM_SHARE_GRAINS * MEMOWN_GRAIN;
		c->mem_bytes = SIM_SHARE_GRAINS * MEMOWN_GRAIN;
	}
	machine_build_tree(s->machine, 8);
}

static void start_core(struct sim *s, u32 core, enum agree_strategy strategy)
{
	struct sim_core *c = &s->core[core];
	struct agree_config cfg = {
		.self = core,
		.machine = s->machine,
		.types = {&map_type, &names_type, &ledger_type},
		.type_ctx = {&s->memory, &s->memory, &c->memown},
		.memory = s->memory,
		.strategy = strategy,
		.fanout = 2 + (u32)(s->cfg.seed % 3),
		.data_max = 256,
		.observe = sim_observe,
		.observe_ctx = s,
	};

	cfg.out_slots = 2 * agree_step_max(&cfg);
	c->out = calloc(cfg.out_slots, sizeof(*c->out));
	cfg.out = c->out;
	c->agree = calloc(1, agree_size(s->ncores));
	if (agree_init(c->agree, &cfg) || (s->names && names_init(&c->names, c->agree, 1)) ||
	    (s->memory_moves && sim_memory_start(s, core, &cfg, 2)))
		sim_fail(s, "could not start", "core %u", core);
}

void sim_start(struct sim *s, const struct sim_config *cfg, struct sim_totals *t)
{
	struct sim_line *spare = s->spare;
	enum agree_strategy strategy;

	for (u32 i = 0; i < s->nobjects; i++)
		memset(&s->object[i], 0,
		       offsetof(struct sim_object, chain) +
			       (s->object[i].top + 1) * sizeof(struct sim_entry));
	memset(s->op, 0, s->nops * sizeof(s->op[0]));
	memset(s->core, 0, sizeof(s->core));
	s->cfg = *cfg;
	s->rng = cfg->seed * 0x2545f4914f6cdd1dul + 1;
	s->spare = spare;
	s->now_ns = 0;
	s->nchores = s->nobjects = s->nops = s->unanswered = 0;
	s->registered = 0;
	s->calm = false;
	s->lines = s->steps = 0;
	s->failure = NULL;
	s->memory = (struct agree_memory){sim_alloc, sim_free, s};
	s->allocated = 0;
	s->no_memory_in = 0;
	s->ncores = draw_cores(s);
	make_machine(s);
	strategy = (enum agree_strategy)sim_below(s, 3);
	s->names = sim_chance(s, 4);
	s->memory_moves = sim_chance(s, 3);
	for (u32 core = 0; core < s->ncores; core++)
		start_core(s, core, strategy);
	s->ops_left = 5 + sim_below(s, sim_chance(s, 10) ? 300 : 60);
	s->misfortune_in = 10u << sim_below(s, 5);
	s->kills_left = sim_chance(s, 4) ? 0 : 1 + sim_below(s, MIN(s->ncores - 1, 4));
	s->stalls_left = sim_chance(s, 2) ? 0 : 1 + sim_below(s, 3);
	s->no_memory_in = sim_chance(s, 8) ? 40 : 0;
	sim_work_start(s);
	t->schedules++;
}

void sim_end(struct sim *s, struct sim_totals *t)
{
	for (u32 core = 0; core < s->ncores; core++) {
		struct sim_core *c = &s->core[core];

		if (!c->dead)
			t->views += agree_epoch(c->agree) != 0;
		agree_fini(c->agree);
		names_fini(&c->names);
		if (s->memory_moves)
			memown_fini(&c->memown);
		free(c->agree);
		free(c->out);
	}
	while (s->nbusy)
		line_drop(s, s->busy[0] / SIM_CORES, s->busy[0] % SIM_CORES);
	if (s->allocated)
		sim_fail(s, "memory leaked", "%zu bytes", s->allocated);
	t->lines += s->lines;
	t->steps += s->steps;
	t->ops += s->nops;
}
