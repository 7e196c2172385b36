/*
 * Comparing two machine descriptions. See machine.h.
 */
#include <machine/machine.h>

#include <stdio.h>

/* The first difference between two machines' core @i, in words. */
static int compare_core(const struct machine_core *e, const struct machine_core *f, u32 i,
			char *text, size_t len)
{
	if (e->apic_id != f->apic_id)
		snprintf(text, len, "core %u has APIC id %u, expected %u", i, f->apic_id,
			 e->apic_id);
	else if (e->socket != f->socket)
		snprintf(text, len, "core %u is in socket %u, expected %u", i, f->socket,
			 e->socket);
	else if (e->node != f->node)
		snprintf(text, len, "core %u is in node %u, expected %u", i, f->node, e->node);
	else
		return 0;
	return 1;
}

int machine_compare(const struct machine *e, const struct machine *f, char *text, size_t len)
{
	if (e->ncores != f->ncores) {
		snprintf(text, len, "%u cores, expected %u", f->ncores, e->ncores);
		return 1;
	}
	if (e->nnodes != f->nnodes) {
		snprintf(text, len, "%u NUMA nodes, expected %u", f->nnodes, e->nnodes);
		return 1;
	}
	for (u32 i = 0; i < e->ncores; i++) {
		if (compare_core(&machine_cores(e)[i], &machine_cores(f)[i], i, text, len))
			return 1;
	}
	for (u32 i = 0; i < e->nnodes * e->nnodes; i++) {
		u32 from = i / e->nnodes, to = i % e->nnodes;
		u32 d = machine_distance(f, from, to), wanted = machine_distance(e, from, to);

		if (d == wanted)
			continue;
		snprintf(text, len, "node %u is %u from node %u, expected %u", to, d, from, wanted);
		return 1;
	}
	if (len)
		text[0] = 0;
	return 0;
}
