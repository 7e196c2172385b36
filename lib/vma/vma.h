/*
 * The ranges of an address space and what each of them is: a map from addresses to attributes.
 *
 * The map is a sorted array of disjoint ranges. Neighbours that differ in nothing are one range, so
 * that two maps that describe the same addresses are equal. Every change either happens whole or
 * not at all (-ENOMEM).
 *
 * An object (a mapped file) belongs to its users: the map only counts references, by the two
 * functions of struct vma_ops, one reference a range.
 *
 * Pointers to ranges are good until the next change of the map.
 * Not here: pages, page tables, limits other than the number of ranges.
 * Runs in: the Linux personality, host tests. Needs malloc.
 */
#ifndef VMA_VMA_H
#define VMA_VMA_H

#include <skerry/types.h>

#define VMA_RANGES_MAX 65530u    /* Linux's default of vm.max_map_count */
#define VMA_GUARD      (1 * MiB) /* kept free below a range that grows down */

#define VMA_GROWSDOWN  0x80000000u /* flags: the one that has a meaning here */

/* A range. @start and @end are multiples of PAGE_SIZE. */
struct vma {
	u64 start, end;
	u32 prot;
	u32 flags;
	u64 offset;   /* of @start in the object, bytes */
	void *object; /* NULL: none */
};

struct vma_ops {
	void (*get)(void *object);
	void (*put)(void *object);
};

/* A map. All zero but for @ops is an empty one. */
struct vma_map {
	struct vma *list;
	u32 count, room;
	const struct vma_ops *ops;
};

void vma_map_init(struct vma_map *map, const struct vma_ops *ops);

/* Remove all ranges and free the memory of the map. */
void vma_map_fini(struct vma_map *map);

/* The first range that ends above @addr (it may begin above it, too), NULL if there is none. */
struct vma *vma_find(const struct vma_map *map, u64 addr);

/* The range that contains @addr, or NULL. */
struct vma *vma_at(const struct vma_map *map, u64 addr);

/* The range after @vma, or NULL. */
struct vma *vma_next(const struct vma_map *map, const struct vma *vma);

/* Whether every byte of @start to @end is in a range. */
bool vma_covers(const struct vma_map *map, u64 start, u64 end);

/**
 * Add a range to a part of the map that is free; it takes a reference of its own to the object.
 * Returns 0, -EEXIST (something is there), -EINVAL (empty, wraps, or not on pages), -ENOMEM.
 */
int vma_insert(struct vma_map *map, const struct vma *range);

/** Remove all between @start and @end; ranges that are partly there are cut. 0 or -ENOMEM. */
int vma_remove(struct vma_map *map, u64 start, u64 end);

/** Set prot, and flags: old & @keep | @set, of all between @start and @end. 0 or -ENOMEM. */
int vma_change(struct vma_map *map, u64 start, u64 end, u32 prot, u32 keep, u32 set);

/** The same but for prot, which stays. */
int vma_flag(struct vma_map *map, u64 start, u64 end, u32 keep, u32 set);

/** Move the beginning of @vma down to @start; the addresses must be free. Nothing else changes. */
void vma_grow_down(struct vma *vma, u64 start);

/**
 * Find @len free bytes in @low to @high.
 *
 * @align  a power of two, at least PAGE_SIZE
 * @down   take the highest ones, else the lowest
 * Returns the address or 0.
 */
u64 vma_gap(const struct vma_map *map, u64 low, u64 high, u64 len, u64 align, bool down);

/** Make @to, which is empty, the same as @from but for ranges with one of @skip's flags. */
int vma_copy(struct vma_map *to, const struct vma_map *from, u32 skip);

#endif
