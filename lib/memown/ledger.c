/*
 * The ledger of one core's share of memory: an object type.
 *
 * The ranges are ascending, disjoint, and cover the share; neighbours have different owners.
 * There are at most LEDGER_RANGES, in memory that is part of the ledger, so that no change of a
 * ledger can fail for want of memory.
 *
 *   born        everything is the birth core's
 *   move        part of one owner's range becomes another's
 *   an owner died   what it owned goes to the nearest core with a replica, which retires it
 *
 * Not here: who asks for moves (borrow.c).
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

struct ledger {
	struct memown *memown;
	u32 birth;
	u32 count;
	struct core_set gone;                         /* dead owners: nothing may move to them */
	struct ledger_range range[LEDGER_RANGES + 2]; /* two more while a range is being split */
};

/* As in a snapshot: first the dead, then the ranges. */
struct ledger_record {
	struct core_set gone;
	u32 count;
	u32 reserved;
	struct ledger_range range[];
};

static void *ledger_create(void *ctx, u64 id, const void *arg)
{
	struct memown *m = ctx;
	struct ledger *l = memown_alloc(m, sizeof(*l));
	u32 core = agree_id_birth(id);
	const struct machine_core *share = &machine_cores(m->tree.machine)[core];

	if (!l)
		return NULL;
	l->memown = m;
	l->birth = core;
	if (!arg)
		return l;
	l->count = 1;
	l->range[0] =
		(struct ledger_range){share->mem_base, share->mem_bytes, agree_self(m->agree)};
	if (l->range[0].owner != core) /* else the allocator has it already */
		m->ops.retire(m->ops.ctx, share->mem_base, share->mem_bytes);
	return l;
}

static void ledger_destroy(void *state)
{
	struct ledger *l = state;

	memown_free(l->memown, l, sizeof(*l));
}

/* The range that holds all of [base, base + bytes), or LEDGER_RANGES. */
static u32 find(const struct ledger *l, u64 base, u64 bytes)
{
	for (u32 i = 0; i < l->count; i++) {
		u64 skip = base - l->range[i].base;

		if (base >= l->range[i].base && skip < l->range[i].bytes &&
		    bytes <= l->range[i].bytes - skip)
			return i;
	}
	return LEDGER_RANGES;
}

static int ledger_check(const void *state, const struct agree_op *op)
{
	const struct ledger *l = state;
	struct ledger_op move;
	u32 i;

	if (op->len != sizeof(move))
		return -EINVAL;
	memcpy(&move, op->data, sizeof(move));
	i = find(l, move.base, move.bytes);
	if (i == LEDGER_RANGES || !move.bytes || move.to >= AGREE_MAX_CORES)
		return -EINVAL;
	if (l->range[i].owner != move.from)
		return -EPERM;
	/* Whoever gets it has a replica: it asked, or it is the home. */
	if (core_set_has(&l->gone, move.to) || (move.to != op->origin && move.to != l->birth))
		return -EHOSTDOWN;
	return l->count + 2 > LEDGER_RANGES ? -ENOSPC : 0;
}

/* Join neighbours of the same owner. */
static void join(struct ledger *l)
{
	u32 out = 0;

	for (u32 i = 1; i < l->count; i++) {
		if (l->range[i].owner == l->range[out].owner)
			l->range[out].bytes += l->range[i].bytes;
		else
			l->range[++out] = l->range[i];
	}
	l->count = out + 1;
}

/* Split the range that holds @at, so that one begins there. */
static void split(struct ledger *l, u64 at)
{
	u32 i = 0;

	while (i < l->count && at >= l->range[i].base + l->range[i].bytes)
		i++;
	if (i == l->count || l->range[i].base == at)
		return;
	memmove(&l->range[i + 1], &l->range[i], (l->count - i) * sizeof(l->range[0]));
	l->count++;
	l->range[i].bytes = at - l->range[i].base;
	l->range[i + 1].base = at;
	l->range[i + 1].bytes -= l->range[i].bytes;
}

static void ledger_perform(void *state, const struct agree_op *op)
{
	struct ledger *l = state;
	struct memown *m = l->memown;
	struct ledger_op move;

	if (op->len != sizeof(move))
		return;
	memcpy(&move, op->data, sizeof(move));
	split(l, move.base);
	split(l, move.base + move.bytes);
	for (u32 i = 0; i < l->count; i++)
		if (l->range[i].base >= move.base && l->range[i].base < move.base + move.bytes)
			l->range[i].owner = move.to;
	join(l);
	borrow_moved(m, &move);
	if (move.to == agree_self(m->agree))
		m->ops.give(m->ops.ctx, move.base, move.bytes);
}

/* The member of @members that is nearest to @core; the lowest of those equally near. */
static u32 nearest(const struct memown *m, u32 core, const struct core_set *members)
{
	u32 best = core_set_first(members);

	core_set_for_each (c, members) {
		if (memown_distance(m, core, c) < memown_distance(m, core, best))
			best = c;
	}
	return best;
}

static void ledger_member_died(void *state, u32 core, const struct core_set *members)
{
	struct ledger *l = state;
	struct memown *m = l->memown;
	u32 heir = nearest(m, core, members);

	core_set_add(&l->gone, core);
	for (u32 i = 0; i < l->count; i++) {
		if (l->range[i].owner != core)
			continue;
		l->range[i].owner = heir;
		if (heir == agree_self(m->agree))
			m->ops.retire(m->ops.ctx, l->range[i].base, l->range[i].bytes);
	}
	join(l);
	borrow_member_died(m, l->birth, core);
}

static u32 ledger_snapshot(const void *state, u64 *cursor, void *buf, u32 cap)
{
	const struct ledger *l = state;
	u32 room = (cap - (u32)sizeof(struct ledger_record)) / (u32)sizeof(struct ledger_range);
	u32 n = MIN(l->count - (u32)*cursor, room);
	struct ledger_record r = {.gone = l->gone, .count = n};

	if (*cursor >= l->count)
		return 0;
	memcpy(buf, &r, sizeof(r));
	memcpy((u8 *)buf + sizeof(r), &l->range[*cursor], n * sizeof(l->range[0]));
	*cursor += n;
	return (u32)(sizeof(r) + n * sizeof(l->range[0]));
}

static int ledger_install(void *state, const void *record, u32 len)
{
	struct ledger *l = state;
	struct ledger_record r;

	if (len < sizeof(r))
		return -EINVAL;
	memcpy(&r, record, sizeof(r));
	if (r.count > LEDGER_RANGES - l->count || len != sizeof(r) + r.count * sizeof(l->range[0]))
		return -EINVAL;
	memcpy(&l->range[l->count], (const u8 *)record + sizeof(r), r.count * sizeof(l->range[0]));
	l->count += r.count;
	l->gone = r.gone;
	return 0;
}

/* The owner of all of [base, base + bytes), or NO_CORE. */
u32 ledger_owner(const void *state, u64 base, u64 bytes)
{
	const struct ledger *l = state;
	u32 i = find(l, base, bytes);

	return i == LEDGER_RANGES ? NO_CORE : l->range[i].owner;
}

u32 ledger_read(const void *state, struct ledger_range *out, u32 max)
{
	const struct ledger *l = state;
	u32 n = MIN(l->count, max);

	memcpy(out, l->range, n * sizeof(*out));
	return n;
}

const struct agree_type ledger_type = {
	.name = "ledger",
	.create = ledger_create,
	.destroy = ledger_destroy,
	.check = ledger_check,
	.perform = ledger_perform,
	.snapshot = ledger_snapshot,
	.install = ledger_install,
	.member_died = ledger_member_died,
};
