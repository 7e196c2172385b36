/*
 * Where the cores of the machine are: asked of the monitor, and remembered.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_TOPOLOGY_H
#define LINUX_TOPOLOGY_H

#include <skerry/types.h>

struct place {
	u32 apic;
	u16 node, socket;
};

/** Cores and nodes of the machine. */
u32 topology_cores(void);
u32 topology_nodes(void);

struct place topology_place(u32 core);

/** How far node @from is from @to, as ACPI's SLIT says: 10 is local. */
u32 topology_distance(u32 from, u32 to);

/** Memory of @node, bytes. */
u64 topology_memory(u32 node);

#endif
