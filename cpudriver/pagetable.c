/*
 * ASPACE_UPDATE: map, unmap, protect, query.
 *
 * Every op is checked whole before its first entry changes; tables it needs are counted against
 * the pool beforehand. With 4 KiB pages level 0 is the lowest table, with 2 MiB pages level 1.
 */
#include "pagetable.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/pte.h"
#include "domain.h"
#include "kernel.h"
#include "sched.h"

#define FLUSH_SINGLY 32u /* pages up to which INVLPG is used instead of a new CR3 */

void tables_donate(struct aspace *as, struct cap *table)
{
	struct cap **last = &as->tables;

	while (*last)
		last = &(*last)->sibling;
	*last = table;
	table->sibling = NULL;
	table->obj.ptr = as;
	as->pool_pages += table->obj.badge;
	if (!as->fresh)
		as->fresh = table;
}

/* A page that is a table no more, and zero. */
static void table_put(struct aspace *as, u64 phys)
{
	u64 *page = phys_to_virt(phys);

	page[0] = as->pool;
	as->pool = phys;
	as->pool_pages++;
}

static u64 table_get(struct aspace *as)
{
	u64 phys = as->pool;

	as->pool_pages--;
	if (phys) {
		u64 *page = phys_to_virt(phys);

		as->pool = page[0];
		page[0] = 0;
		return phys;
	}
	phys = as->fresh->obj.base + as->fresh_at * PAGE_SIZE;
	if (++as->fresh_at == as->fresh->obj.badge) {
		as->fresh = as->fresh->sibling;
		as->fresh_at = 0;
	}
	return phys;
}

bool aspace_is_loaded(const struct aspace *as)
{
	return current && current->aspace == as;
}

void aspace_flush(struct aspace *as)
{
	if (aspace_is_loaded(as))
		write_cr3(as->cr3);
	else
		as->flush = true;
}

static u64 span_of(u32 level)
{
	return 1ul << (PAGE_SHIFT + 9 * level);
}

static u32 index_of(u64 va, u32 level)
{
	return va >> (PAGE_SHIFT + 9 * level) & 511;
}

/*
 * The entry for @va at @level. Where a table on the way is missing: NULL, with *@missing how many
 * tables it would take; where a large page is in the way: NULL and 0.
 */
static u64 *find(const struct aspace *as, u64 va, u32 level, u32 *missing)
{
	u64 *table = phys_to_virt(as->root_phys);

	*missing = 0;
	for (u32 l = 3; l > level; l--) {
		u64 pte = table[index_of(va, l)];

		if (!(pte & PTE_PRESENT)) {
			*missing = l - level;
			return NULL;
		}
		if (pte & PTE_LARGE)
			return NULL;
		table = phys_to_virt(pte_phys(pte));
	}
	return &table[index_of(va, level)];
}

/* The same, making tables; there are enough in the pool and no large page is in the way. */
static u64 *make(struct aspace *as, u64 va, u32 level)
{
	u64 *table = phys_to_virt(as->root_phys);

	for (u32 l = 3; l > level; l--) {
		u64 *pte = &table[index_of(va, l)];

		if (!(*pte & PTE_PRESENT))
			*pte = table_get(as) | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED;
		table = phys_to_virt(pte_phys(*pte));
	}
	return &table[index_of(va, level)];
}

/* ---- checks ---- */

static u32 op_level(const struct aspace_op *op)
{
	return op->flags & MAP_LARGE ? 1 : 0;
}

static int check_range(const struct aspace_op *op)
{
	u64 span = span_of(op_level(op));

	if (op->op < OP_MAP || op->op > OP_QUERY || op->flags & ~63u)
		return -EINVAL;
	if (op->pages == 0 || op->pages > OP_PAGES_MAX || op->va % span)
		return -EINVAL;
	if (op->va >= USER_END || op->pages * span > USER_END - op->va)
		return -EINVAL;
	if (op->op == OP_QUERY && op->pages != 1)
		return -EINVAL;
	return 0;
}

static int check_rights(const struct aspace *as, const struct aspace_op *op)
{
	u32 wx = MAP_WRITE | MAP_EXEC;

	if (!(op->flags & MAP_READ)) /* nothing can be mapped that cannot be read */
		return -EINVAL;
	return !as->for_contexts && (op->flags & wx) == wx ? -EPERM : 0;
}

static int check_frame(const struct aspace_op *op, struct cap **frame)
{
	u64 span = span_of(op_level(op));
	u32 rights = op->flags & (MAP_READ | MAP_WRITE | MAP_EXEC);
	int err = cap_find(op->frame, CAP_FRAME, rights, frame);

	if (err)
		return err;
	if (op->offset % PAGE_SIZE || op->offset > (*frame)->mem.bytes ||
	    op->pages * span > (*frame)->mem.bytes - op->offset)
		return -EINVAL;
	if (((*frame)->mem.base + op->offset) % span)
		return -EINVAL;
	return 0;
}

/* How many pages from @va on, of @left, have their entries in one table. */
static u32 in_one_table(u64 va, u32 level, u32 left)
{
	return MIN(left, 512 - index_of(va, level));
}

/* Nothing may be in the way, unless it is to be replaced; tables must suffice. */
static int check_places(const struct aspace *as, const struct aspace_op *op)
{
	u32 level = op_level(op), need = 0, missing, n;
	u64 va = op->va;

	for (u32 left = op->pages; left; left -= n, va += n * span_of(level)) {
		const u64 *pte = find(as, va, level, &missing);

		n = in_one_table(va, level, left);
		if (!pte && missing == 0)
			return -EEXIST;
		need += missing;
		if (!pte || op->flags & MAP_REPLACE)
			continue;
		for (u32 i = 0; i < n; i++)
			if (pte[i] & PTE_PRESENT)
				return -EEXIST;
	}
	return need > as->pool_pages ? -ENOMEM : 0;
}

/* ---- effects ---- */

static u64 pte_flags(const struct aspace_op *op, bool device)
{
	u64 pte = PTE_PRESENT | PTE_USER;

	if (op->flags & MAP_WRITE)
		pte |= PTE_WRITE;
	if (!(op->flags & MAP_EXEC))
		pte |= PTE_NX;
	if (device || op->flags & MAP_UNCACHED)
		pte |= PTE_UNCACHED;
	if (op->flags & MAP_LARGE)
		pte |= PTE_LARGE;
	return pte;
}

/* A large page comes where a table was: the table is free again. Its pages were unmapped or not,
 * MAP_REPLACE replaces them all. */
static void release_table(struct aspace *as, u64 pte)
{
	memset(phys_to_virt(pte_phys(pte)), 0, PAGE_SIZE);
	table_put(as, pte_phys(pte));
}

static void perform_map(struct aspace *as, const struct aspace_op *op, struct cap *frame)
{
	u32 level = op_level(op), n;
	u64 span = span_of(level), va = op->va;
	u64 flags = pte_flags(op, frame->flags & CAPF_DEVICE);
	u64 phys = frame->mem.base + op->offset;

	cap_note_mappable(frame);
	for (u32 left = op->pages; left; left -= n, va += n * span) {
		u64 *pte = make(as, va, level);

		n = in_one_table(va, level, left);
		for (u32 i = 0; i < n; i++, phys += span) {
			if (level == 1 && pte[i] & PTE_PRESENT && !(pte[i] & PTE_LARGE))
				release_table(as, pte[i]);
			pte[i] = phys | flags;
		}
	}
}

static s64 op_map(struct aspace *as, const struct aspace_op *op)
{
	struct cap *frame;
	int err = check_rights(as, op);

	if (!err)
		err = check_frame(op, &frame);
	if (!err)
		err = check_places(as, op);
	if (err)
		return err;
	perform_map(as, op, frame);
	return op->pages;
}

/* New rights for an entry; a right that its frame's capability did not give never comes back. */
static u64 protect(u64 pte, u32 flags)
{
	if (!(flags & MAP_WRITE))
		pte &= ~PTE_WRITE;
	if (!(flags & MAP_EXEC))
		pte |= PTE_NX;
	return pte;
}

/*
 * Whether the @n entries from @pte on are of the size that the op is about. @pte is NULL where a
 * table is missing (then @missing says so) or a large page in the way.
 */
static bool are_of_size(const u64 *pte, u32 n, u32 level, u32 missing)
{
	if (!pte)
		return missing;
	for (u32 i = 0; i < n && level == 1; i++)
		if (pte[i] & PTE_PRESENT && !(pte[i] & PTE_LARGE))
			return false;
	return true;
}

/* Unmap or protect @n entries; returns how many were mapped. */
static u32 change(u64 *pte, u32 n, const struct aspace_op *op)
{
	u32 done = 0;

	for (u32 i = 0; i < n; i++) {
		if (!(pte[i] & PTE_PRESENT))
			continue;
		pte[i] = op->op == OP_UNMAP ? 0 : protect(pte[i], op->flags);
		done++;
	}
	return done;
}

static s64 op_change(struct aspace *as, const struct aspace_op *op)
{
	u32 level = op_level(op), missing, n;
	u64 span = span_of(level), va = op->va;
	s64 done = 0;

	for (u32 left = op->pages; left; left -= n, va += n * span) {
		const u64 *pte = find(as, va, level, &missing);

		n = in_one_table(va, level, left);
		if (!are_of_size(pte, n, level, missing))
			return -EINVAL;
	}
	va = op->va;
	for (u32 left = op->pages; left; left -= n, va += n * span) {
		u64 *pte = find(as, va, level, &missing);

		n = in_one_table(va, level, left);
		if (pte)
			done += change(pte, n, op);
	}
	return done;
}

static s64 op_query(struct aspace *as, const struct aspace_op *op)
{
	u32 missing;
	u64 *pte = find(as, op->va, 0, &missing);
	s64 result = QUERY_PRESENT;

	if (!pte && !missing)
		pte = find(as, op->va, 1, &missing);
	if (!pte || !(*pte & PTE_PRESENT))
		return -ENOENT;
	if (*pte & PTE_WRITE)
		result |= QUERY_WRITE;
	if (*pte & PTE_ACCESSED)
		result |= QUERY_ACCESSED;
	if (*pte & PTE_DIRTY)
		result |= QUERY_DIRTY;
	if (*pte & PTE_LARGE)
		result |= QUERY_LARGE;
	if (op->flags & MAP_REPLACE)
		*pte &= ~PTE_ACCESSED;
	return result;
}

/* Pages that have been tables are those of the capabilities before the fresh one, and some of it.
 */
static s64 op_clear(struct aspace *as)
{
	u64 used = as->fresh_at, all = 0;

	for (struct cap *t = as->tables; t; t = t->sibling)
		all += t->obj.badge;
	for (struct cap *t = as->tables; t != as->fresh; t = t->sibling)
		used += t->obj.badge;
	if (used > CLEAR_TABLES_MAX)
		return -E2BIG;
	memset(phys_to_virt(as->root_phys), 0, PAGE_SIZE / 2);
	for (struct cap *t = as->tables; t != as->fresh; t = t->sibling)
		memset(phys_to_virt(t->obj.base), 0, t->obj.badge * PAGE_SIZE);
	if (as->fresh_at)
		memset(phys_to_virt(as->fresh->obj.base), 0, as->fresh_at * PAGE_SIZE);
	as->pool = 0;
	as->pool_pages = all;
	as->fresh = as->tables;
	as->fresh_at = 0;
	aspace_flush(as);
	return 0;
}

/* Translations that an op may have left stale. Only what was present can be cached. */
static void flush_op(struct aspace *as, const struct aspace_op *op)
{
	if (op->op == OP_MAP && !(op->flags & MAP_REPLACE))
		return;
	if (!aspace_is_loaded(as) || op->pages > FLUSH_SINGLY) {
		aspace_flush(as);
		return;
	}
	for (u32 i = 0; i < op->pages; i++)
		invlpg(op->va + i * span_of(op_level(op)));
}

static s64 run_op(struct aspace *as, const struct aspace_op *op)
{
	s64 result;

	if (op->op == OP_CLEAR)
		return as->for_contexts && !op->flags ? op_clear(as) : -EINVAL;
	result = check_range(op);
	if (result)
		return result;
	if (op->op == OP_MAP)
		result = op_map(as, op);
	else if (op->op == OP_QUERY)
		result = op_query(as, op);
	else
		result = op_change(as, op);
	flush_op(as, op);
	return result;
}

s64 call_aspace_update(u64 aspace, u64 ops, u64 count)
{
	struct cap *space;
	struct aspace_op op;
	int err = cap_find((cap_t)aspace, CAP_ASPACE, RIGHT_OWN, &space);
	struct aspace *as;

	if (err)
		return err;
	as = space->obj.ptr;
	if (count > ASPACE_OPS || as->dead)
		return -EINVAL;
	for (u64 i = 0; i < count; i++, ops += sizeof(op)) {
		/* Reading it back after writing proves that its result can be stored. */
		err = user_read(&op, ops, sizeof(op));
		if (!err)
			err = user_write(ops + offsetof(struct aspace_op, result), &op.result,
					 sizeof(op.result));
		if (err)
			return i ? (s64)i : err;
		op.result = run_op(as, &op);
		user_write(ops + offsetof(struct aspace_op, result), &op.result, sizeof(op.result));
		if (op.result < 0 && op.op != OP_QUERY)
			return (s64)i;
	}
	return (s64)count;
}
