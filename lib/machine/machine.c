/*
 * Laying out a machine description, and its tree. See machine.h; checking is in check.c.
 */
#include <machine/machine.h>

#include <string.h>

static u32 align8(u64 bytes)
{
	return (u32)ROUND_UP(bytes, 8ul);
}

/* The offsets of the arrays, one behind the other, into @m. */
static void lay_out(struct machine *m, const struct machine_counts *c)
{
	u64 at = sizeof(struct machine);

	m->cores_off = (u32)at;
	at += (u64)c->cores * sizeof(struct machine_core);
	m->distance_off = (u32)at;
	at += align8((u64)c->nodes * c->nodes);
	m->mem_off = (u32)at;
	at += (u64)c->mem * sizeof(struct machine_mem);
	m->ioapics_off = (u32)at;
	at += (u64)c->ioapics * sizeof(struct machine_ioapic);
	m->overrides_off = (u32)at;
	at += (u64)c->overrides * sizeof(struct machine_override);
	m->size_bytes = (u32)at;
}

size_t machine_size(const struct machine_counts *counts)
{
	struct machine m;

	lay_out(&m, counts);
	return m.size_bytes;
}

struct machine *machine_init(void *buf, size_t len, const struct machine_counts *c)
{
	struct machine *m = buf;

	if (!c->cores || c->cores > MACHINE_MAX_CORES || !c->nodes || c->nodes > MACHINE_MAX_NODES)
		return NULL;
	/* Far more than any machine has, and too few for the sizes to overflow. */
	if (c->mem > 65536 || c->ioapics > 65536 || c->overrides > 65536 || machine_size(c) > len)
		return NULL;
	memset(m, 0, machine_size(c));
	lay_out(m, c);
	m->magic = MACHINE_MAGIC;
	m->version = MACHINE_VERSION;
	m->ncores = c->cores;
	m->nnodes = c->nodes;
	m->nmem = c->mem;
	m->nioapics = c->ioapics;
	m->noverrides = c->overrides;
	for (u32 i = 0; i < c->nodes * c->nodes; i++)
		((u8 *)m)[m->distance_off + i] = i % (c->nodes + 1) ? 20 : 10;
	machine_cores(m)[0].parent = MACHINE_NO_CORE;
	return m;
}

/* Parts of a machine, from the largest: sockets and nodes, whichever holds the other, come first.
 */
enum level { OUTER, INNER, DIE, CORE };

/* A tree that is being made. */
struct linking {
	struct machine_core *c;
	u32 ncores;
	u32 fanout;
	bool nodes_first; /* some node spans sockets: so nodes are OUTER, sockets INNER */
};

/* Whether core @i begins another part of @level than core @i - 1 is in. */
static bool begins(const struct linking *l, u32 i, enum level level)
{
	const struct machine_core *c = &l->c[i];
	bool socket, node;

	if (level == CORE || i == 0)
		return true;
	socket = c->socket != c[-1].socket;
	node = c->node != c[-1].node;
	if (level == OUTER)
		return l->nodes_first ? node : socket;
	return socket || node || (level == DIE && c->die != c[-1].die);
}

/*
 * Makes a tree of the cores in [first, end) that begin a @level, rooted at @first: the i-th of
 * them hangs below the ((i - 1) / fanout)-th, as in a heap. Walking both numbers forward
 * together takes no memory.
 */
static void link_part(const struct linking *l, u32 first, u32 end, enum level level)
{
	u32 parent = first, children = 0;

	for (u32 i = first + 1; i < end; i++) {
		if (!begins(l, i, level))
			continue;
		if (children++ == l->fanout) {
			do
				parent++;
			while (!begins(l, parent, level));
			children = 1;
		}
		l->c[i].parent = (u16)parent;
	}
}

/* The first core after @i that begins a @level. */
static u32 end_of(const struct linking *l, u32 i, enum level level)
{
	do
		i++;
	while (i < l->ncores && !begins(l, i, level));
	return i;
}

void machine_build_tree(struct machine *m, u32 fanout)
{
	struct linking l = {.c = machine_cores(m), .ncores = m->ncores, .fanout = fanout};

	for (u32 i = 1; i < l.ncores; i++)
		l.nodes_first |=
			l.c[i].node == l.c[i - 1].node && l.c[i].socket != l.c[i - 1].socket;
	m->fanout = fanout;
	l.c[0].parent = MACHINE_NO_CORE;
	link_part(&l, 0, l.ncores, OUTER);
	for (enum level level = OUTER; level < CORE; level++) {
		for (u32 i = 0, end; i < l.ncores; i = end) {
			end = end_of(&l, i, level);
			link_part(&l, i, end, level + 1);
		}
	}
}

u32 machine_child_next(const struct machine *m, u32 core, u32 child)
{
	const struct machine_core *c = machine_cores(m);

	for (u32 i = child + 1; i < m->ncores; i++) {
		if (c[i].parent == core)
			return i;
	}
	return MACHINE_NO_CORE;
}

u32 machine_child_first(const struct machine *m, u32 core)
{
	/* A parent's number is below its child's: machine_check() holds descriptions to it. */
	return machine_child_next(m, core, core);
}
