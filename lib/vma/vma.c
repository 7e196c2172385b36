/* See vma.h. */
#include <vma/vma.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void vma_map_init(struct vma_map *map, const struct vma_ops *ops)
{
	*map = (struct vma_map){.ops = ops};
}

static void object_get(const struct vma_map *map, const struct vma *vma)
{
	if (vma->object)
		map->ops->get(vma->object);
}

static void object_put(const struct vma_map *map, const struct vma *vma)
{
	if (vma->object)
		map->ops->put(vma->object);
}

void vma_map_fini(struct vma_map *map)
{
	for (u32 i = 0; i < map->count; i++)
		object_put(map, &map->list[i]);
	free(map->list);
	vma_map_init(map, map->ops);
}

/* Index of the first range that ends above @addr; count if there is none. */
static u32 index_of(const struct vma_map *map, u64 addr)
{
	u32 low = 0, high = map->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (map->list[middle].end > addr)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct vma *vma_find(const struct vma_map *map, u64 addr)
{
	u32 i = index_of(map, addr);

	return i < map->count ? &map->list[i] : NULL;
}

struct vma *vma_at(const struct vma_map *map, u64 addr)
{
	struct vma *vma = vma_find(map, addr);

	return vma && vma->start <= addr ? vma : NULL;
}

struct vma *vma_next(const struct vma_map *map, const struct vma *vma)
{
	u32 i = (u32)(vma - map->list) + 1;

	return i < map->count ? &map->list[i] : NULL;
}

bool vma_covers(const struct vma_map *map, u64 start, u64 end)
{
	u32 i = index_of(map, start);

	while (start < end && i < map->count && map->list[i].start <= start)
		start = map->list[i++].end;
	return start >= end;
}

/* Make room for @more ranges. */
static int reserve(struct vma_map *map, u32 more)
{
	u32 room = MAX(map->room * 2, 16u);
	struct vma *list;

	if (map->count + more > VMA_RANGES_MAX)
		return -ENOMEM;
	if (map->count + more <= map->room)
		return 0;
	list = realloc(map->list, room * sizeof(*list));
	if (!list)
		return -ENOMEM;
	map->list = list;
	map->room = room;
	return 0;
}

static void open_slot(struct vma_map *map, u32 i)
{
	memmove(&map->list[i + 1], &map->list[i], (map->count - i) * sizeof(*map->list));
	map->count++;
}

static void close_slots(struct vma_map *map, u32 i, u32 n)
{
	memmove(&map->list[i], &map->list[i + n], (map->count - i - n) * sizeof(*map->list));
	map->count -= n;
}

static bool joins(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && a->prot == b->prot && a->flags == b->flags &&
	       a->object == b->object &&
	       (!a->object || a->offset + (a->end - a->start) == b->offset);
}

/* Make one of range @i and the one after it if they differ in nothing. */
static bool join(struct vma_map *map, u32 i)
{
	struct vma *a = &map->list[i];

	if (i + 1 >= map->count || !joins(a, a + 1))
		return false;
	object_put(map, a + 1);
	a->end = a[1].end;
	close_slots(map, i + 1, 1);
	return true;
}

/* Join what can be joined among the ranges @first to @last and their neighbours. */
static void join_all(struct vma_map *map, u32 first, u32 last)
{
	u32 i = first ? first - 1 : 0;

	while (i <= last && i < map->count) {
		if (join(map, i))
			last--;
		else
			i++;
	}
}

static bool is_sound(u64 start, u64 end)
{
	return start < end && !((start | end) % PAGE_SIZE);
}

int vma_insert(struct vma_map *map, const struct vma *range)
{
	u32 i = index_of(map, range->start);
	int err;

	if (!is_sound(range->start, range->end))
		return -EINVAL;
	if (i < map->count && map->list[i].start < range->end)
		return -EEXIST;
	err = reserve(map, 1);
	if (err)
		return err;
	object_get(map, range);
	open_slot(map, i);
	map->list[i] = *range;
	join_all(map, i, i);
	return 0;
}

/* Cut the range at @addr in two, if one contains it beyond its first byte. There is room. */
static void split(struct vma_map *map, u64 addr)
{
	u32 i = index_of(map, addr);
	struct vma *a = &map->list[i];

	if (i >= map->count || a->start >= addr)
		return;
	object_get(map, a);
	open_slot(map, i);
	a[0].end = addr;
	a[1].start = addr;
	if (a->object)
		a[1].offset += addr - a->start;
}

/* How many ranges more splitting at both ends will make. */
static u32 splits(const struct vma_map *map, u64 start, u64 end)
{
	const struct vma *a = vma_at(map, start), *b = vma_at(map, end);

	return (a && a->start < start) + (b && b->start < end);
}

/* Let areas begin and end at @start and @end, and give the first between them; 0 or -ENOMEM. */
static int cut(struct vma_map *map, u64 start, u64 end, u32 *first)
{
	int err = reserve(map, splits(map, start, end));

	if (err)
		return err;
	split(map, start);
	split(map, end);
	*first = index_of(map, start);
	return 0;
}

int vma_remove(struct vma_map *map, u64 start, u64 end)
{
	u32 first, last;
	int err;

	if (start >= end)
		return 0;
	err = cut(map, start, end, &first);
	if (err)
		return err;
	last = first;
	while (last < map->count && map->list[last].end <= end)
		object_put(map, &map->list[last++]);
	close_slots(map, first, last - first);
	return 0;
}

static int change(struct vma_map *map, u64 start, u64 end, const u32 *prot, u32 keep, u32 set)
{
	u32 first, i;
	int err;

	if (start >= end)
		return 0;
	err = cut(map, start, end, &first);
	if (err)
		return err;
	i = first;
	for (; i < map->count && map->list[i].end <= end; i++) {
		if (prot)
			map->list[i].prot = *prot;
		map->list[i].flags = (map->list[i].flags & keep) | set;
	}
	join_all(map, first, i);
	return 0;
}

int vma_change(struct vma_map *map, u64 start, u64 end, u32 prot, u32 keep, u32 set)
{
	return change(map, start, end, &prot, keep, set);
}

int vma_flag(struct vma_map *map, u64 start, u64 end, u32 keep, u32 set)
{
	return change(map, start, end, NULL, keep, set);
}

void vma_grow_down(struct vma *vma, u64 start)
{
	vma->start = start;
}

/* Where the free bytes in front of range @i end. */
static u64 gap_end(const struct vma_map *map, u32 i, u64 high)
{
	u64 end;

	if (i >= map->count)
		return high;
	end = map->list[i].start;
	if (map->list[i].flags & VMA_GROWSDOWN)
		end -= MIN(end, VMA_GUARD);
	return MIN(end, high);
}

static u64 gap_start(const struct vma_map *map, u32 i, u64 low)
{
	return i ? MAX(map->list[i - 1].end, low) : low;
}

u64 vma_gap(const struct vma_map *map, u64 low, u64 high, u64 len, u64 align, bool down)
{
	u32 first = index_of(map, low), last = index_of(map, high);
	u32 n = MIN(last, map->count) - first + 1;

	for (u32 k = 0; k < n; k++) {
		u32 i = down ? first + n - 1 - k : first + k;
		u64 start = ROUND_UP(gap_start(map, i, low), align);
		u64 end = gap_end(map, i, high);

		if (start < end && end - start >= len)
			return down ? ROUND_DOWN(end - len, align) : start;
	}
	return 0;
}

int vma_copy(struct vma_map *to, const struct vma_map *from, u32 skip)
{
	struct vma *list = malloc(MAX(from->count, 1u) * sizeof(*list));

	if (!list)
		return -ENOMEM;
	to->list = list;
	to->room = MAX(from->count, 1u);
	for (u32 i = 0; i < from->count; i++) {
		if (from->list[i].flags & skip)
			continue;
		object_get(from, &from->list[i]);
		list[to->count++] = from->list[i];
	}
	return 0;
}
