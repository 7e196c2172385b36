/* See pagemap.h. */
#include "pagemap.h"

#include <stdlib.h>

#define SLOTS_MIN 16u

static u64 hash(const struct pagemap *map, u64 base)
{
	return (base / GROUP_BYTES * 0x9e3779b97f4a7c15ul >> 32) & (map->nslots - 1);
}

struct group *pagemap_group(struct pagemap *map, u64 addr)
{
	u64 base = ROUND_DOWN(addr, GROUP_BYTES);
	struct group *g = map->last;

	if (g && g->base == base)
		return g;
	if (!map->nslots)
		return NULL;
	for (g = map->slots[hash(map, base)]; g; g = g->next) {
		if (g->base == base) {
			map->last = g;
			return g;
		}
	}
	return NULL;
}

u64 *pagemap_find(struct pagemap *map, u64 addr)
{
	struct group *g = pagemap_group(map, addr);

	return g ? group_entry(g, addr) : NULL;
}

/* Twice as many slots. Going on with too few is no error. */
static void spread(struct pagemap *map)
{
	struct pagemap wide = *map;

	wide.nslots = MAX(map->nslots * 2, SLOTS_MIN);
	wide.slots = calloc(wide.nslots, sizeof(struct group *));
	if (!wide.slots)
		return;
	for (u64 i = 0; i < map->nslots; i++) {
		struct group *next;

		for (struct group *g = map->slots[i]; g; g = next) {
			struct group **slot = &wide.slots[hash(&wide, g->base)];

			next = g->next;
			g->next = *slot;
			*slot = g;
		}
	}
	free(map->slots);
	*map = wide;
}

struct group *pagemap_make_group(struct pagemap *map, u64 addr)
{
	struct group *g = pagemap_group(map, addr);
	struct group **slot;

	if (g)
		return g;
	if (map->ngroups >= map->nslots)
		spread(map);
	g = map->nslots ? calloc(1, sizeof(*g)) : NULL;
	if (!g)
		return NULL;
	g->base = ROUND_DOWN(addr, GROUP_BYTES);
	slot = &map->slots[hash(map, g->base)];
	g->next = *slot;
	*slot = g;
	map->ngroups++;
	map->last = g;
	return g;
}

u64 *pagemap_make(struct pagemap *map, u64 addr)
{
	struct group *g = pagemap_make_group(map, addr);

	return g ? group_entry(g, addr) : NULL;
}

void pagemap_set(struct pagemap *map, u64 *entry, struct page *page, u64 flags)
{
	if (*entry)
		ram_put(entry_page(*entry));
	else
		map->npages++;
	*entry = (u64)page | flags;
}

void pagemap_walk(struct pagemap *map, u64 start, u64 end,
		  void (*fn)(struct group *group, void *arg), void *arg)
{
	u64 first = ROUND_DOWN(start, GROUP_BYTES);

	if (start >= end)
		return;
	if ((end - first) / GROUP_BYTES <= map->ngroups) {
		for (u64 base = first; base < end; base += GROUP_BYTES) {
			struct group *g = pagemap_group(map, base);

			if (g)
				fn(g, arg);
		}
		return;
	}
	for (u64 i = 0; i < map->nslots; i++) {
		struct group *next;

		for (struct group *g = map->slots[i]; g; g = next) {
			next = g->next;
			if (g->base >= first && g->base < end)
				fn(g, arg);
		}
	}
}

struct drop {
	struct pagemap *map;
	u64 start, end;
};

static void drop_group(struct group *g, void *arg)
{
	struct drop *d = arg;

	for (u32 i = 0; i < GROUP_PAGES; i++) {
		u64 addr = g->base + i * PAGE_SIZE;

		if (!g->entry[i] || addr < d->start || addr >= d->end)
			continue;
		ram_put(entry_page(g->entry[i]));
		g->entry[i] = 0;
		d->map->npages--;
	}
}

void pagemap_drop(struct pagemap *map, u64 start, u64 end)
{
	struct drop drop = {.map = map, .start = start, .end = end};

	pagemap_walk(map, start, end, drop_group, &drop);
}

void pagemap_fini(struct pagemap *map)
{
	for (u64 i = 0; i < map->nslots; i++) {
		struct group *next;

		for (struct group *g = map->slots[i]; g; g = next) {
			next = g->next;
			for (u32 k = 0; k < GROUP_PAGES; k++) {
				if (g->entry[k])
					ram_put(entry_page(g->entry[k]));
			}
			free(g);
		}
	}
	free(map->slots);
	*map = (struct pagemap){0};
}
