/*
 * Where cores sit: socket and die from APIC ids, and the order in which cores are numbered.
 *
 * An APIC id is a number whose fields are package, die, core, thread (Intel SDM vol. 3A, 9.9.3);
 * CPUID tells their widths, for the core that asks, and they are taken to be the same on all.
 *
 * Runs in: the loader.
 */
#include "loader.h"
#include "arch/x86_64/cpu.h"

#define LEAF_TOPOLOGY    0x0bu
#define LEAF_TOPOLOGY_V2 0x1fu /* knows dies */
#define LEVEL_DIE        5u    /* kind of level in the second */
#define LEVELS_MAX       8u

/* How far to shift an APIC id right for the number of its die, and of its package. */
static u32 die_shift, package_shift;

/* Whether the processor answers @leaf with levels (vol. 2A, CPUID: EBX of the first is not 0). */
static bool has_leaf(u32 leaf)
{
	return cpuid(0, 0).eax >= leaf && cpuid(leaf, 0).ebx != 0;
}

u32 topology_own_id(void)
{
	if (has_leaf(LEAF_TOPOLOGY))
		return cpuid(LEAF_TOPOLOGY, 0).edx;
	return cpuid(1, 0).ebx >> 24;
}

/* Without the leaves: ids are handed out to as many threads a package as leaf 1 says. */
static u32 shift_from_leaf_1(void)
{
	struct cpuid_regs r = cpuid(1, 0);
	u32 threads = r.edx & (1u << 28) ? r.ebx >> 16 & 0xff : 1, shift = 0;

	while (1u << shift < threads)
		shift++;
	return shift;
}

static void find_shifts(void)
{
	u32 leaf = has_leaf(LEAF_TOPOLOGY_V2) ? LEAF_TOPOLOGY_V2 : LEAF_TOPOLOGY;
	bool has_dies = false;

	die_shift = package_shift = shift_from_leaf_1();
	for (u32 level = 0; has_leaf(leaf) && level < LEVELS_MAX; level++) {
		struct cpuid_regs r = cpuid(leaf, level);
		u32 kind = r.ecx >> 8 & 0xff;

		if (kind == 0)
			break;
		/* A level's shift leads to the number of what is above it. */
		if (kind == LEVEL_DIE) {
			die_shift = package_shift;
			has_dies = true;
		}
		package_shift = r.eax & 31;
	}
	if (!has_dies)
		die_shift = package_shift;
}

static u32 package_of(const struct machine_core *c)
{
	return c->apic_id >> package_shift;
}

static u32 die_of(const struct machine_core *c)
{
	return (c->apic_id >> die_shift) & ((1u << (package_shift - die_shift)) - 1);
}

/* Whether some node has cores in several sockets: then nodes, not sockets, are the larger part. */
static bool node_spans_sockets(const struct found *f)
{
	static const struct machine_core *first_of[MACHINE_MAX_NODES];

	for (u32 i = 0; i < f->ncores; i++) {
		const struct machine_core **first = &first_of[f->core[i].node];

		if (!*first)
			*first = &f->core[i];
		else if (package_of(*first) != package_of(&f->core[i]))
			return true;
	}
	return false;
}

/* Compares two numbers; @first comes before all others. */
static int compare(u32 a, u32 b, u32 first)
{
	if (a == b)
		return 0;
	if (a == first || b == first)
		return a == first ? -1 : 1;
	return a < b ? -1 : 1;
}

/* Part by part of the machine, from the largest; the parts that @own is in come first. */
static int compare_cores(const struct machine_core *a, const struct machine_core *b,
			 const struct machine_core *own, bool nodes_first)
{
	int package = compare(package_of(a), package_of(b), package_of(own));
	int node = compare(a->node, b->node, own->node);
	int die = compare(die_of(a), die_of(b), die_of(own));

	if (package || node)
		return nodes_first ? (node ? node : package) : (package ? package : node);
	return die ? die : compare(a->apic_id, b->apic_id, own->apic_id);
}

/* Insertion: firmware lists cores almost in this order. */
static void sort_cores(struct found *f)
{
	bool nodes_first = node_spans_sockets(f);
	struct machine_core own = {0}, core;

	for (u32 i = 0; i < f->ncores; i++) {
		if (f->core[i].apic_id == topology_own_id())
			own = f->core[i];
	}
	for (u32 i = 1, j; i < f->ncores; i++) {
		core = f->core[i];
		for (j = i; j > 0; j--) {
			if (compare_cores(&f->core[j - 1], &core, &own, nodes_first) < 0)
				break;
			f->core[j] = f->core[j - 1];
		}
		f->core[j] = core;
	}
}

void topology_order(struct found *f)
{
	u32 sockets = 0;

	find_shifts();
	sort_cores(f);
	for (u32 i = 0; i < f->ncores; i++) {
		if (i > 0 && package_of(&f->core[i]) != package_of(&f->core[i - 1]))
			sockets++;
		f->core[i].socket = (u16)sockets;
		f->core[i].die = (u16)die_of(&f->core[i]);
	}
}
