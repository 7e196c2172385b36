/*
 * Borrowing, mapping and revoking memory, and what must hold of that.
 *
 *   conserved   every grain is in the allocator of one live core, the one that its ledger names
 *   revoked     when a revocation is answered, no live core maps any of the range
 *   inherited   nobody maps a grain that an allocator is given; what it is to retire, others may
 *   no memory   is a result, and nothing else comes of it
 *
 * Grains stand for all memory: each core is born with SIM_SHARE_GRAINS of them.
 */
#include <errno.h>

#include "sim.h"

static u32 grains(const struct sim *s)
{
	return s->ncores * SIM_SHARE_GRAINS;
}

/* The allocator of one core. */

struct allocator {
	struct sim *sim;
	u32 core;
};

static struct allocator allocators[SIM_CORES];

static bool take(void *ctx, u64 bytes, u64 *base)
{
	struct allocator *al = ctx;
	u8 *has = al->sim->core[al->core].has;
	u32 n = (u32)(bytes / MEMOWN_GRAIN), run = 0;

	for (u32 g = 0; g < grains(al->sim); g++) {
		run = has[g] == SIM_FREE ? run + 1 : 0;
		if (run < n)
			continue;
		memset(&has[g + 1 - n], SIM_NOT_HERE, n);
		*base = (g + 1 - n) * MEMOWN_GRAIN;
		return true;
	}
	return false;
}

/* [base, base + bytes) is @al's core's now, of which it says @state. */
static void comes(const struct allocator *al, u64 base, u64 bytes, u8 state)
{
	struct sim *s = al->sim;

	for (u64 g = base / MEMOWN_GRAIN; g < (base + bytes) / MEMOWN_GRAIN; g++) {
		if (g >= grains(s)) {
			sim_fail(s, "memory from nowhere", "grain %lu", g);
			return;
		}
		for (u32 core = 0; core < s->ncores; core++) {
			if (s->core[core].dead)
				continue;
			if (s->core[core].has[g])
				sim_fail(s, "memory has two owners", "grain %lu: cores %u and %u",
					 g, core, al->core);
			if (state == SIM_FREE && s->core[core].mapped[g])
				sim_fail(s, "mapped by another while free", "grain %lu by core %u",
					 g, core);
		}
		s->core[al->core].has[g] = state;
	}
}

static void give(void *ctx, u64 base, u64 bytes)
{
	const struct allocator *al = ctx;

	sim_trace(al->sim, "core %u is given %lx, %lu grains", al->core, base,
		  bytes / MEMOWN_GRAIN);
	comes(al, base, bytes, SIM_FREE);
}

static void retire(void *ctx, u64 base, u64 bytes)
{
	const struct allocator *al = ctx;

	sim_trace(al->sim, "core %u retires %lx, %lu grains", al->core, base, bytes / MEMOWN_GRAIN);
	comes(al, base, bytes, SIM_RETIRED);
}

static bool may_map(void *ctx, u32 core, u64 base, u64 bytes)
{
	struct allocator *al = ctx;

	(void)core;
	return al->sim->core[al->core].has[base / MEMOWN_GRAIN] == SIM_USED &&
	       bytes <= MEMOWN_GRAIN;
}

int sim_memory_start(struct sim *s, u32 core, const struct agree_config *cfg, u32 type)
{
	struct sim_core *c = &s->core[core];
	struct memown_ops ops = {take, give, retire, may_map, &allocators[core]};

	allocators[core] = (struct allocator){s, core};
	memset(&c->has[core * SIM_SHARE_GRAINS], SIM_FREE, SIM_SHARE_GRAINS);
	return memown_init(&c->memown, c->agree, cfg, type, &ops);
}

/* What cores ask for. */

/* A grain of which @core's allocator says @state, at random; grains() if there is none. */
static u32 pick(struct sim *s, u32 core, u8 state)
{
	u32 n = grains(s), start = sim_below(s, n);

	for (u32 i = 0; i < n; i++)
		if (s->core[core].has[(start + i) % n] == state)
			return (start + i) % n;
	return n;
}

static void borrow(struct sim *s, u32 core)
{
	u32 token = s->nops, n = 1 + sim_below(s, 2);
	struct sim_op *op = sim_op_begin(s, core, SIM_BORROW);

	sim_trace(s, "core %u op %u: borrows %u grains", core, token, n);
	if (memown_borrow(&s->core[core].memown, n * MEMOWN_GRAIN, token))
		sim_op_refused(s, op);
}

static void give_back(struct sim *s, u32 core)
{
	struct sim_core *c = &s->core[core];
	u32 token = s->nops, g = pick(s, core, SIM_FREE);
	struct sim_op *op;

	if (g == grains(s) || g / SIM_SHARE_GRAINS == core)
		return;
	op = sim_op_begin(s, core, SIM_GIVE_BACK);
	op->what = g;
	sim_trace(s, "core %u op %u: gives grain %u back", core, token, g);
	c->has[g] = SIM_NOT_HERE;
	if (!memown_return(&c->memown, g * MEMOWN_GRAIN, MEMOWN_GRAIN, token))
		return;
	c->has[g] = SIM_FREE;
	sim_op_refused(s, op);
}

static void map(struct sim *s, u32 core)
{
	u32 owner = sim_below(s, s->ncores), g = pick(s, owner, SIM_USED), token = s->nops;
	struct sim_op *op;

	if (owner == core || g == grains(s))
		return;
	op = sim_op_begin(s, core, SIM_MAP);
	op->what = g;
	op->owner = owner;
	sim_trace(s, "core %u op %u: maps grain %u of %u", core, token, g, owner);
	if (memown_map(&s->core[core].memown, owner, g * MEMOWN_GRAIN, MEMOWN_GRAIN / 2, token))
		sim_op_refused(s, op);
}

static void drop(struct sim *s, u32 core)
{
	u32 owner = sim_below(s, s->ncores), g = pick(s, owner, SIM_USED);

	if (g == grains(s) || !s->core[core].mapped[g])
		return;
	if (memown_drop(&s->core[core].memown, owner, g * MEMOWN_GRAIN, MEMOWN_GRAIN / 2))
		return;
	/* The same part may be mapped once more; unmapping it all is allowed to be too much. */
	s->core[core].mapped[g] = 0;
	sim_trace(s, "core %u drops grain %u", core, g);
}

static void revoke(struct sim *s, u32 core)
{
	u32 token = s->nops, g = pick(s, core, SIM_USED);
	struct sim_op *op;

	if (g == grains(s))
		return;
	op = sim_op_begin(s, core, SIM_REVOKE);
	op->what = g;
	sim_trace(s, "core %u op %u: revokes grain %u", core, token, g);
	if (memown_revoke(&s->core[core].memown, g * MEMOWN_GRAIN, MEMOWN_GRAIN, token))
		sim_op_refused(s, op);
}

void sim_memory_work(struct sim *s, u32 core)
{
	u32 kind = sim_below(s, 100), g = pick(s, core, SIM_FREE);

	if (kind < 25)
		borrow(s, core);
	else if (kind < 35)
		give_back(s, core);
	else if (kind < 55 && g < grains(s))
		s->core[core].has[g] = SIM_USED;
	else if (kind < 80)
		map(s, core);
	else if (kind < 85)
		drop(s, core);
	else
		revoke(s, core);
}

/* What comes of it. */

void sim_memory_unmap(struct sim *s, u32 core, const struct agree_range *range, u64 token)
{
	for (u64 g = range->base / MEMOWN_GRAIN; g * MEMOWN_GRAIN < range->base + range->bytes; g++)
		if (g < grains(s))
			s->core[core].mapped[g] = 0;
	sim_trace(s, "core %u unmaps %lx", core, range->base);
	memown_unmapped(&s->core[core].memown, token);
}

static void revoked(struct sim *s, struct sim_op *op)
{
	for (u32 core = 0; core < s->ncores; core++)
		if (!s->core[core].dead && s->core[core].mapped[op->what])
			sim_fail(s, "mapped after it was revoked", "grain %u by core %u", op->what,
				 core);
	if (s->core[op->core].has[op->what] == SIM_USED && sim_chance(s, 2))
		s->core[op->core].has[op->what] = SIM_FREE;
}

void sim_memory_answered(struct sim *s, struct sim_op *op)
{
	s64 status = op->status;
	bool known = status == 0 ||
		     (status == -ENOMEM && (op->kind != SIM_GIVE_BACK || s->no_memory_in));

	switch (op->kind) {
	case SIM_GIVE_BACK:
		known |= status == -EHOSTDOWN || status == -ENOSPC;
		break;
	case SIM_MAP:
		known |= status == -EPERM || status == -EAGAIN || status == -EHOSTDOWN;
		if (!status)
			s->core[op->core].mapped[op->what] = 1;
		break;
	case SIM_REVOKE:
		revoked(s, op);
		break;
	}
	if (!known)
		sim_fail(s, "unexpected result", "memory op %ld kind %u status %ld", op - s->op,
			 op->kind, status);
}

/* Every grain is where its ledger says, and nowhere else. */
void sim_memory_check_end(struct sim *s)
{
	u32 live = 0;

	while (live < s->ncores && s->core[live].dead)
		live++;
	if (live == s->ncores)
		return; /* nobody is left to own anything */
	for (u32 share = 0; share < s->ncores; share++) {
		struct ledger_range range[LEDGER_RANGES];
		u64 at = (u64)share * SIM_SHARE_GRAINS * MEMOWN_GRAIN, end = at;
		u32 n = 0;

		for (u32 core = 0; core < s->ncores && !n; core++)
			if (!s->core[core].dead)
				n = memown_ledger(&s->core[core].memown, share, range,
						  LEDGER_RANGES);
		for (u32 i = 0; i < n; i++) {
			if (range[i].base != end || s->core[range[i].owner].dead)
				sim_fail(s, "a ledger is wrong", "share %u range %u owner %u",
					 share, i, range[i].owner);
			for (u64 g = end / MEMOWN_GRAIN; g < (end + range[i].bytes) / MEMOWN_GRAIN;
			     g++)
				for (u32 core = 0; core < s->ncores; core++)
					if (!s->core[core].dead &&
					    !s->core[core].has[g] == (core == range[i].owner))
						sim_fail(s, "memory is not conserved",
							 "grain %lu, owner %u, core %u", g,
							 range[i].owner, core);
			end += range[i].bytes;
		}
		if (end != at + SIM_SHARE_GRAINS * MEMOWN_GRAIN)
			sim_fail(s, "a ledger is lost or short", "share %u: %u ranges", share, n);
	}
}
