/*
 * What physical memory is used for: the boot loader's map, ACPI's tables, the boot image, and
 * which node each part is on; put together from ranges in any order that may overlap.
 *
 * Runs in: the loader.
 */
#include "loader.h"

#include <bare/bare.h>

struct range {
	u64 base;
	u64 end;
	u32 value; /* use, or node */
};

static struct {
	struct range use[MEMMAP_MAX];
	struct range node[MEMMAP_MAX];
	u32 nuses, nnodes;
	u64 edge[4 * MEMMAP_MAX]; /* where the use or node may change, ascending */
	u32 nedges;
} map;

u32 memmap_type_of_e820(u32 type)
{
	if (type == 1)
		return MACHINE_MEM_RAM;
	return type == 3 ? MACHINE_MEM_ACPI : MACHINE_MEM_RESERVED;
}

/* Ranges of one value that touch become one: ACPI's tables are added each time they are read. */
static void add(struct range *list, u32 *n, u64 base, u64 end, u32 value)
{
	for (u32 i = 0; i < *n; i++) {
		struct range *r = &list[i];

		if (r->value != value || base > r->end || end < r->base)
			continue;
		r->base = MIN(r->base, base);
		r->end = MAX(r->end, end);
		return;
	}
	if (*n == MEMMAP_MAX)
		fail("the memory map has more than %u entries", MEMMAP_MAX);
	list[(*n)++] = (struct range){base, end, value};
}

void memmap_add(u64 base, u64 bytes, u32 type)
{
	u64 end = base + bytes;

	if (end < base || end > UINT64_MAX - PAGE_SIZE)
		return; /* wraps: nobody knows what was meant */
	/* Whole pages: of RAM those that are all RAM, of anything else those that it touches. */
	if (type == MACHINE_MEM_RAM) {
		base = ROUND_UP(base, PAGE_SIZE);
		end = ROUND_DOWN(end, PAGE_SIZE);
	} else {
		base = ROUND_DOWN(base, PAGE_SIZE);
		end = ROUND_UP(end, PAGE_SIZE);
	}
	if (base < end)
		add(map.use, &map.nuses, base, end, type);
}

void memmap_add_node(u64 base, u64 bytes, u32 node)
{
	u64 end = base + bytes;

	if (end < base || end > UINT64_MAX - PAGE_SIZE)
		return;
	base = ROUND_DOWN(base, PAGE_SIZE);
	end = ROUND_UP(end, PAGE_SIZE);
	if (base < end)
		add(map.node, &map.nnodes, base, end, node);
}

static void add_edge(u64 at)
{
	u32 i = map.nedges;

	for (; i > 0 && map.edge[i - 1] > at; i--)
		;
	if (i > 0 && map.edge[i - 1] == at)
		return;
	memmove(&map.edge[i + 1], &map.edge[i], (map.nedges - i) * sizeof(map.edge[0]));
	map.edge[i] = at;
	map.nedges++;
}

static void find_edges(void)
{
	map.nedges = 0;
	for (u32 i = 0; i < map.nuses; i++) {
		add_edge(map.use[i].base);
		add_edge(map.use[i].end);
	}
	for (u32 i = 0; i < map.nnodes; i++) {
		add_edge(map.node[i].base);
		add_edge(map.node[i].end);
	}
}

/* The use of the memory at @at, or 0 if nothing is known to be there. */
static u32 use_at(u64 at)
{
	u32 use = 0;

	for (u32 i = 0; i < map.nuses; i++) {
		if (at >= map.use[i].base && at < map.use[i].end)
			use = MAX(use, map.use[i].value);
	}
	return use;
}

/* The node of the memory at @at; 0 if the firmware does not tell. */
static u32 node_at(u64 at)
{
	for (u32 i = 0; i < map.nnodes; i++) {
		if (at >= map.node[i].base && at < map.node[i].end)
			return map.node[i].value;
	}
	return 0;
}

u32 memmap_resolve(struct machine_mem out[MEMMAP_MAX])
{
	u32 n = 0;

	find_edges();
	for (u32 i = 0; i + 1 < map.nedges; i++) {
		u64 base = map.edge[i], bytes = map.edge[i + 1] - base;
		struct machine_mem m = {base, bytes, node_at(base), use_at(base)};

		if (!m.type)
			continue;
		if (n && out[n - 1].base + out[n - 1].bytes == base && out[n - 1].type == m.type &&
		    out[n - 1].node == m.node) {
			out[n - 1].bytes += bytes;
			continue;
		}
		if (n == MEMMAP_MAX)
			fail("the memory map has more than %u entries", MEMMAP_MAX);
		out[n++] = m;
	}
	return n;
}
