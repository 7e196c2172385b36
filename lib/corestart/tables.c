/*
 * Page tables of a core that does not run yet, written through a window.
 *
 * Runs in: the loader, monitors, host tests. Source: Intel SDM vol. 3A, 4.5.
 */
#include "layout.h"

#define ROOT_SHIFT        39u
#define PAGE_LEVEL_SHIFT  12u
#define LARGE_LEVEL_SHIFT 21u

/* The level of a mapping's own entries. */
static u32 leaf_shift(const struct mapping *m)
{
	return m->bits & PTE_LARGE ? LARGE_LEVEL_SHIFT : PAGE_LEVEL_SHIFT;
}

u64 tables_count(const struct mappings *m)
{
	u64 count = 0;

	/* A table whose entries have shift s - 9 covers the addresses that agree above bit s. */
	for (u32 shift = LARGE_LEVEL_SHIFT; shift <= ROOT_SHIFT; shift += 9) {
		u64 last = UINT64_MAX;

		for (u32 i = 0; i < m->n; i++) {
			u64 from = m->v[i].va >> shift;
			u64 to = (m->v[i].va + m->v[i].bytes - 1) >> shift;

			if (leaf_shift(&m->v[i]) >= shift)
				continue;
			count += to - from + 1 - (from == last);
			last = to;
		}
	}
	return count;
}

/* The entry for @va in the level with @shift, after making the tables above it. */
static u64 *entry_at(struct tables *t, u64 root, u64 va, u32 shift, u64 user)
{
	u64 table = root;

	for (u32 s = ROOT_SHIFT;; s -= 9) {
		u64 *entry = (u64 *)window_at(t->window, table) + (va >> s & 511);

		if (s == shift)
			return entry;
		if (!*entry) {
			*entry = t->next | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | user;
			t->next += PAGE_SIZE;
		}
		table = pte_phys(*entry);
	}
}

void tables_map(struct tables *t, u64 root, const struct mappings *m, u64 user)
{
	for (u32 i = 0; i < m->n; i++) {
		const struct mapping *r = &m->v[i];
		u32 shift = leaf_shift(r);

		for (u64 off = 0; off < r->bytes; off += 1ul << shift) {
			u64 *entry = entry_at(t, root, r->va + off, shift, user);

			if (r->bits)
				*entry = (r->phys + off) | r->bits | user;
		}
	}
}
