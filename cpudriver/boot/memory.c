/*
 * Who gets which memory: the boot image, then every core.
 *
 * Each node's memory from CORES_MEMORY_START up is divided among its cores, each share one piece in
 * whole 2 MiB pages. Memory has holes (the PCI hole, firmware's tables), so shares are as equal as
 * their least can be large: that is found first; then each piece between holes is divided equally
 * among the cores that fit into it. A core whose node has no memory is counted with the nearest
 * node that has some. Core 0 may be counted as several, which share a piece.
 *
 * Runs in: the loader.
 */
#include "loader.h"

#include <bare/bare.h>

/* What a core needs to start, to run its monitor and some services, in whole 2 MiB pages. */
#define SHARE_MIN (2 * LARGE_PAGE)

/* The part of @r that cores may have, or an empty one. */
static void usable(const struct machine_mem *r, u64 *base, u64 *end)
{
	*base = ROUND_UP(MAX(r->base, CORES_MEMORY_START), LARGE_PAGE);
	*end = ROUND_DOWN(r->base + r->bytes, LARGE_PAGE);
	if (r->type != MACHINE_MEM_RAM || *base > *end)
		*end = *base;
}

/* The lowest place for @bytes in memory of @node, or of any node; 0 if there is none. */
static u64 find_place(const struct machine_mem *mem, u32 n, u64 bytes, u32 node, bool any)
{
	for (u32 i = 0; i < n; i++) {
		u64 base, end;

		usable(&mem[i], &base, &end);
		if ((any || mem[i].node == node) && end - base >= bytes)
			return base;
	}
	return 0;
}

u64 image_place(const struct bootinfo *b)
{
	static struct machine_mem mem[MEMMAP_MAX];
	u64 bytes = ROUND_UP(b->image_bytes, LARGE_PAGE);
	u32 n = memmap_resolve(mem);
	u64 to = find_place(mem, n, bytes, 0, false);

	if (!to)
		to = find_place(mem, n, bytes, 0, true);
	if (!to || !phys_map(to, bytes))
		fail("there is no room for the boot image of %lu MiB in one piece: give the "
		     "machine more memory",
		     bytes / MiB);
	memmove((void *)to, boot_memory(b->image_phys, b->image_bytes, "boot image"),
		b->image_bytes);
	memset((u8 *)to + b->image_bytes, 0, bytes - b->image_bytes);
	memmap_add(to, bytes, MACHINE_MEM_RESERVED);
	return to;
}

/* How many shares of @share bytes @node's memory has. */
static u64 count_shares(const struct machine *m, u32 node, u64 share)
{
	u64 count = 0;

	for (u32 i = 0; i < m->nmem; i++) {
		u64 base, end;

		usable(&machine_mem(m)[i], &base, &end);
		if (machine_mem(m)[i].node == node)
			count += (end - base) / share;
	}
	return count;
}

/* The largest share of which @node has memory for @cores; 0 if not even for one page each. */
static u64 largest_share(const struct machine *m, u32 node, u64 cores)
{
	u64 low = 0, high = PHYSMAP_MAX / LARGE_PAGE + 1; /* in 2 MiB pages; @high is too much */

	while (high - low > 1) {
		u64 middle = (low + high) / 2;

		if (count_shares(m, node, middle * LARGE_PAGE) >= cores)
			low = middle;
		else
			high = middle;
	}
	return low * LARGE_PAGE;
}

/* The node whose memory the cores of @node use: itself, or the nearest that has any. */
static u32 lender_of(const struct machine *m, u32 node)
{
	u32 best = node;

	if (count_shares(m, node, LARGE_PAGE))
		return node;
	for (u32 i = 0; i < m->nnodes; i++) {
		if (count_shares(m, i, LARGE_PAGE) &&
		    (best == node ||
		     machine_distance(m, node, i) < machine_distance(m, node, best)))
			best = i;
	}
	return best;
}

/*
 * Divides @node's memory among its cores, in order of addresses and of numbers: as many shares for
 * each piece as have @share there, and among those all of the piece. Core 0 gets the first @first
 * of them, or as many as the first piece has.
 */
static void hand_out(struct machine *m, const u8 *lender, u32 node, u64 share, u64 shares,
		     u64 first)
{
	struct machine_core *c = machine_cores(m);

	for (u32 i = 0; i < m->nmem && shares; i++) {
		u64 base, end, here, bytes;

		usable(&machine_mem(m)[i], &base, &end);
		here = MIN((end - base) / share, shares);
		if (machine_mem(m)[i].node != node || !here)
			continue;
		bytes = ROUND_DOWN((end - base) / here, LARGE_PAGE);
		for (; here; c++) {
			u64 n = c == machine_cores(m) ? MIN(first, here) : 1;

			if (lender[c->node] != node)
				continue;
			shares -= c == machine_cores(m) ? first : 1;
			here -= n;
			c->mem_base = base;
			c->mem_bytes = MIN(n * bytes, PHYSMAP_MAX);
			base += n * bytes;
		}
	}
}

/* As how many cores core 0 is counted among @cores, to get about @percent of their memory. */
static u64 weight_of_first(const struct machine *m, u32 node, u64 cores, u32 percent)
{
	u64 weight = percent ? MAX(percent * (cores - 1) / (100 - percent), 1ul) : 1;

	/* The others need as much to start, and some services, as without this. */
	while (weight > 1 && largest_share(m, node, cores + weight - 1) < 4 * SHARE_MIN)
		weight /= 2;
	return weight;
}

void memory_share(struct machine *m, u32 first_percent)
{
	static u8 lender[MACHINE_MAX_NODES];
	static u32 cores[MACHINE_MAX_NODES];
	u32 first_node;

	memset(cores, 0, sizeof(cores));
	for (u32 node = 0; node < m->nnodes; node++)
		lender[node] = (u8)lender_of(m, node);
	for (u32 i = 0; i < m->ncores; i++)
		cores[lender[machine_cores(m)[i].node]]++;
	first_node = lender[machine_cores(m)->node];
	for (u32 node = 0; node < m->nnodes; node++) {
		u64 weight = 1, share;

		if (!cores[node])
			continue;
		if (node == first_node)
			weight = weight_of_first(m, node, cores[node], first_percent);
		share = largest_share(m, node, cores[node] + weight - 1);
		if (share < SHARE_MIN)
			fail("node %u: %lu MiB of memory above %lu MiB are too little for %u "
			     "core%s of %lu MiB: give it more memory, or use fewer cores (cores=N)",
			     node, count_shares(m, node, LARGE_PAGE) * LARGE_PAGE / MiB,
			     CORES_MEMORY_START / MiB, cores[node], cores[node] == 1 ? "" : "s",
			     SHARE_MIN / MiB);
		hand_out(m, lender, node, share, cores[node] + weight - 1, weight);
	}
}
