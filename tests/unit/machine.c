/*
 * Machine descriptions (lib/machine): layout, checking, the tree, comparing.
 */
#include <errno.h>
#include <machine/machine.h>
#include <stdlib.h>
#include <string.h>
#include <unit.h>

/* A machine of @sockets sockets, each a node, of @dies dies of @cores cores. */
static struct machine *new_machine(u32 sockets, u32 dies, u32 cores)
{
	struct machine_counts counts = {
		.cores = sockets * dies * cores, .nodes = sockets, .mem = 2, .ioapics = 1};
	size_t len = machine_size(&counts);
	struct machine *m = machine_init(malloc(len), len, &counts);

	REQUIRE(m != NULL);
	m->flags = MACHINE_DISCOVERED;
	for (u32 i = 0; i < m->ncores; i++) {
		struct machine_core *c = &machine_cores(m)[i];

		c->apic_id = i * 2;
		c->socket = (u16)(i / (dies * cores));
		c->node = c->socket;
		c->die = (u16)(i / cores % dies);
		c->mem_base = i * 4 * MiB;
		c->mem_bytes = 4 * MiB;
	}
	machine_mem(m)[0] = (struct machine_mem){0, 640 * KiB, 0, MACHINE_MEM_RAM};
	machine_mem(m)[1] = (struct machine_mem){MiB, 63 * MiB, 0, MACHINE_MEM_RAM};
	machine_build_tree(m, MACHINE_FANOUT);
	return m;
}

static u32 depth(const struct machine *m, u32 core)
{
	u32 n = 0;

	for (; core; core = machine_cores(m)[core].parent)
		n++;
	return n;
}

TEST(sound_description_is_accepted)
{
	struct machine *m = new_machine(4, 2, 8);

	CHECK_EQUAL(machine_check(m, m->size_bytes), 0);
	CHECK_EQUAL(machine_check(m, m->size_bytes + 100), 0);
	free(m);
}

TEST(description_of_no_core_or_too_many_cannot_be_made)
{
	static u64 room[64];
	struct machine_counts none = {.cores = 0, .nodes = 1};
	struct machine_counts many = {.cores = MACHINE_MAX_CORES + 1, .nodes = 1};
	struct machine_counts one = {.cores = 1, .nodes = 1};

	CHECK(machine_init(room, sizeof(room), &none) == NULL);
	CHECK(machine_init(room, SIZE_MAX, &many) == NULL);
	CHECK(machine_init(room, machine_size(&one) - 1, &one) == NULL);
	CHECK(machine_init(room, machine_size(&one), &one) != NULL);
}

TEST(description_cut_short_is_enodata)
{
	struct machine *m = new_machine(2, 1, 4);

	for (size_t len = 0; len < m->size_bytes; len++) {
		/* In memory of just that size, so that reading on would be caught. */
		void *part = malloc(len);

		memcpy(part, m, len);
		CHECK_EQUAL(machine_check(part, len), -ENODATA);
		free(part);
	}
	free(m);
}

/* Each of these must make a sound description a bad one. */
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		struct machine *m = new_machine(2, 2, 4);                                          \
		struct machine_core *core = machine_cores(m);                                      \
		size_t len = m->size_bytes;                                                        \
		(void)core;                                                                        \
		change;                                                                            \
		CHECK_EQUAL(machine_check(m, len), -EINVAL);                                       \
		free(m);                                                                           \
	} while (0)

TEST(corrupt_header_is_refused)
{
	REFUSED(m->magic++);
	REFUSED(m->version = 2);
	REFUSED(m->flags = 3);
	REFUSED(m->size_bytes = 8);
	REFUSED(m->fanout = 0);
	REFUSED(m->ncores = 0);
	REFUSED(m->ncores = MACHINE_MAX_CORES + 1);
	REFUSED(m->nnodes = 0);
	REFUSED(m->nnodes = 0x10001);
	REFUSED(m->cores_off = 0);
	REFUSED(m->cores_off += 4);
	REFUSED(m->cores_off = 0xfffffff8);
	REFUSED(m->distance_off = m->size_bytes);
	REFUSED(m->nmem = 0x0aaaaaab); /* times 24 wraps round in 32 bits */
	REFUSED(m->mem_off = m->size_bytes + 8);
	REFUSED(m->nioapics = 1000);
	REFUSED(m->noverrides = 0xffffffff);
	REFUSED((m->mcfg_base = 1, m->mcfg_last_bus = 256));
}

TEST(corrupt_cores_are_refused)
{
	REFUSED(core[0].parent = 1);
	REFUSED(core[0].parent = 0);
	REFUSED(core[5].parent = 5);
	REFUSED(core[5].parent = 6);
	REFUSED(core[5].parent = MACHINE_NO_CORE);
	REFUSED(core[3].node = 2);
	REFUSED(core[3].apic_id = core[7].apic_id);
	REFUSED(core[3].mem_base += 4096);
	REFUSED(core[3].mem_bytes += 2 * MiB); /* into core 4's */
	REFUSED((core[3].mem_base = ~0ul << 21, core[3].mem_bytes = 4 * MiB));
}

TEST(corrupt_distances_and_memory_are_refused)
{
	REFUSED(((u8 *)m)[m->distance_off] = 11);
	REFUSED(((u8 *)m)[m->distance_off + 1] = 9);
	REFUSED(machine_mem(m)[0].type = 0);
	REFUSED(machine_mem(m)[0].type = 4);
	REFUSED(machine_mem(m)[1].base = 512 * KiB);
	REFUSED(machine_mem(m)[1].bytes = ~0ul);
	REFUSED(machine_mem(m)[1].node = 2);
}

TEST(random_damage_never_reads_outside)
{
	u64 seed = 1;

	for (int i = 0; i < 20000; i++) {
		struct machine *m = new_machine(2, 1, 3);
		size_t len = m->size_bytes;

		for (u64 n = unit_random(&seed) % 4 + 1; n; n--)
			((u8 *)m)[unit_random(&seed) % len] = (u8)unit_random(&seed);
		if (machine_check(m, len) == 0) {
			for (u32 core = 0; core < m->ncores; core++)
				CHECK(depth(m, core) < m->ncores);
		}
		free(m);
	}
}

TEST(every_core_is_reached_once_by_walking_children)
{
	struct machine *m = new_machine(8, 2, 16);
	u8 seen[256] = {0};
	u32 queue[256], head = 0, tail = 0;

	queue[tail++] = 0;
	while (head < tail) {
		u32 core = queue[head++];

		CHECK_EQUAL(seen[core]++, 0);
		machine_for_each_child (m, core, child) {
			CHECK_EQUAL(machine_cores(m)[child].parent, core);
			queue[tail++] = child;
		}
	}
	CHECK_EQUAL(tail, 256);
	free(m);
}

TEST(one_edge_of_the_tree_enters_each_other_socket)
{
	struct machine *m = new_machine(8, 2, 16);
	const struct machine_core *c = machine_cores(m);
	u32 edges = 0;

	for (u32 i = 1; i < m->ncores; i++)
		edges += c[i].socket != c[c[i].parent].socket;
	CHECK_EQUAL(edges, 7);
	free(m);
}

TEST(one_edge_of_the_tree_enters_each_other_die)
{
	struct machine *m = new_machine(2, 4, 8);
	const struct machine_core *c = machine_cores(m);
	u32 edges = 0;

	for (u32 i = 1; i < m->ncores; i++)
		edges += c[i].socket != c[c[i].parent].socket || c[i].die != c[c[i].parent].die;
	CHECK_EQUAL(edges, 7);
	free(m);
}

/* How many edges of the tree lead to node @node from others. */
static u32 edges_into_node(const struct machine *m, u32 node)
{
	const struct machine_core *c = machine_cores(m);
	u32 edges = 0;

	for (u32 i = 1; i < m->ncores; i++)
		edges += c[i].node == node && c[c[i].parent].node != node;
	return edges;
}

TEST(one_edge_of_the_tree_enters_each_node_of_several_dies)
{
	struct machine *m = new_machine(2, 6, 4);

	/* Two nodes a socket: of two dies and of four. */
	for (u32 i = 0; i < m->ncores; i++) {
		struct machine_core *c = &machine_cores(m)[i];

		c->node = (u16)(c->socket * 2 + (c->die >= 2));
	}
	m->nnodes = 4;
	machine_build_tree(m, MACHINE_FANOUT);
	CHECK_EQUAL(edges_into_node(m, 0), 0);
	for (u32 node = 1; node < 4; node++)
		CHECK_EQUAL(edges_into_node(m, node), 1);
	free(m);
}

TEST(one_edge_of_the_tree_enters_each_node_of_several_sockets)
{
	struct machine *m = new_machine(8, 1, 4);

	for (u32 i = 0; i < m->ncores; i++)
		machine_cores(m)[i].node = machine_cores(m)[i].socket / 2;
	machine_build_tree(m, MACHINE_FANOUT);
	CHECK_EQUAL(edges_into_node(m, 0), 0);
	for (u32 node = 1; node < 4; node++)
		CHECK_EQUAL(edges_into_node(m, node), 1);
	free(m);
}

TEST(tree_of_512_cores_is_at_most_four_deep)
{
	struct machine *m = new_machine(8, 1, 64);
	u32 deepest = 0;

	for (u32 i = 0; i < m->ncores; i++)
		deepest = MAX(deepest, depth(m, i));
	CHECK(deepest <= 4);
	free(m);
}

TEST(no_core_has_more_children_on_a_level_than_the_fanout)
{
	struct machine *m = new_machine(1, 1, 64);

	for (u32 fanout = 1; fanout < 70; fanout++) {
		machine_build_tree(m, fanout);
		CHECK_EQUAL(machine_check(m, m->size_bytes), 0);
		for (u32 core = 0; core < m->ncores; core++) {
			u32 n = 0;

			machine_for_each_child (m, core, child)
				n += child != 0;
			CHECK(n <= fanout);
		}
	}
	free(m);
}

TEST(equal_machines_compare_equal)
{
	struct machine *a = new_machine(2, 1, 4), *b = new_machine(2, 1, 4);
	char text[80] = "old";

	CHECK_EQUAL(machine_compare(a, b, text, sizeof(text)), 0);
	CHECK_STRING(text, "");
	free(a);
	free(b);
}

TEST(first_difference_of_machines_is_named)
{
	struct machine *a = new_machine(2, 1, 4), *b = new_machine(2, 1, 4),
		       *c = new_machine(2, 1, 3);
	char text[80];

	CHECK_EQUAL(machine_compare(a, c, text, sizeof(text)), 1);
	CHECK_STRING(text, "6 cores, expected 8");
	machine_cores(b)[5].apic_id = 99;
	CHECK_EQUAL(machine_compare(a, b, text, sizeof(text)), 1);
	CHECK_STRING(text, "core 5 has APIC id 99, expected 10");
	machine_cores(b)[5].apic_id = 10;
	((u8 *)b)[b->distance_off + 1] = 21;
	CHECK_EQUAL(machine_compare(a, b, text, sizeof(text)), 1);
	CHECK_STRING(text, "node 1 is 21 from node 0, expected 20");
	free(a);
	free(b);
	free(c);
}
