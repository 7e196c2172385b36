/*
 * Which page is at an address: the software page map of a process, which decides; what the
 * processor's tables hold is a part of it (space.h). Also the pages of an object by offset.
 *
 * A hash table of groups of 16 neighbours (64 KiB): small for small processes, and the group is
 * also what a page fault maps at once.
 *
 * An entry is a page with some flags, or zero. The map holds one reference to each of its pages.
 * Runs in: the personality's domain.
 */
#ifndef LINUX_PAGEMAP_H
#define LINUX_PAGEMAP_H

#include "ram.h"

#define GROUP_PAGES 16u
#define GROUP_BYTES (GROUP_PAGES * PAGE_SIZE)

#define PM_MAPPED   1ul /* the processor's tables have it */
#define PM_WRITABLE 2ul /* ... and allow writing */
#define PM_ANON     4ul /* private memory of the process: not a page of an object, not ram_zero */
#define PM_HUGE     8ul /* mapped by a large page: huge.h */
#define PM_FLAGS    15ul

struct group {
	u64 base; /* address, multiple of GROUP_BYTES */
	struct group *next;
	u64 entry[GROUP_PAGES];
};

struct pagemap {
	struct group **slots;
	u64 nslots; /* a power of two, or 0 */
	u64 ngroups;
	u64 npages;
	struct group *last; /* found last */
};

static inline struct page *entry_page(u64 entry)
{
	return (struct page *)(entry & ~PM_FLAGS);
}

static inline u64 *group_entry(struct group *group, u64 addr)
{
	return &group->entry[addr / PAGE_SIZE % GROUP_PAGES];
}

/** The group of @addr, NULL if it has no pages. */
struct group *pagemap_group(struct pagemap *map, u64 addr);

/** The same, made if need be; NULL if there is no memory. */
struct group *pagemap_make_group(struct pagemap *map, u64 addr);

/** The entry of @addr, NULL if its group has no pages. */
u64 *pagemap_find(struct pagemap *map, u64 addr);

/** The entry of @addr, made if need be; NULL if there is no memory. */
u64 *pagemap_make(struct pagemap *map, u64 addr);

/** Put @page, whose reference passes to the map, in an empty or filled entry of it. */
void pagemap_set(struct pagemap *map, u64 *entry, struct page *page, u64 flags);

/** The same for an entry that is empty: @page with a reference for the map. */
static inline void pagemap_add(struct pagemap *map, u64 *entry, struct page *page, u64 flags)
{
	map->npages++;
	*entry = (u64)page | flags;
}

/**
 * Call @fn for every group that has an address between @start and @end, in any order.
 * @fn must not change the map's groups.
 */
void pagemap_walk(struct pagemap *map, u64 start, u64 end,
		  void (*fn)(struct group *group, void *arg), void *arg);

/** Drop all pages between @start and @end. */
void pagemap_drop(struct pagemap *map, u64 start, u64 end);

/** Drop everything and free the map. */
void pagemap_fini(struct pagemap *map);

#endif
