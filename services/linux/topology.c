/* See topology.h. */
#include "topology.h"

#include <rt/monitor.h>
#include <rt/rt.h>
#include <stdlib.h>

u32 topology_cores(void)
{
	return domain_start()->ncores;
}

static struct place ask(u32 core)
{
	struct sys_words words = {.w = {0, core}};

	if (monitor_ask(MON_CORE, &words, CAP_NONE))
		return (struct place){core, 0, 0};
	return (struct place){(u32)words.w[1], (u16)words.w[2], (u16)words.w[3]};
}

struct place topology_place(u32 core)
{
	static struct place *places; /* of all cores; they do not change */

	if (!places) {
		places = malloc(topology_cores() * sizeof(*places));
		for (u32 i = 0; places && i < topology_cores(); i++)
			places[i] = ask(i);
	}
	return places ? places[core] : ask(core);
}

u32 topology_nodes(void)
{
	struct sys_words words = {0};

	return monitor_ask(MON_NODE, &words, CAP_NONE) ? 1 : (u32)words.w[3];
}

u32 topology_distance(u32 from, u32 to)
{
	struct sys_words words = {.w = {0, from, to}};

	return monitor_ask(MON_NODE, &words, CAP_NONE) ? 10 : (u32)words.w[2];
}

u64 topology_memory(u32 node)
{
	struct sys_words words = {.w = {0, node, node}};

	return monitor_ask(MON_NODE, &words, CAP_NONE) ? 0 : words.w[1];
}
