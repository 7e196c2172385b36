/*
 * Machines: which cores there are, how near they are to each other, and how QEMU builds one.
 */
#ifndef HAKE_TOPOLOGY_H
#define HAKE_TOPOLOGY_H

#include <skerry/machine.h>

#include "util.h"

struct topo_core {
	u32 socket;
	u32 die;    /* within the socket */
	u32 core;   /* within the die */
	u32 thread; /* within the core */
	u32 node;   /* NUMA node */
	u32 apic_id;
};

/* Cores are in the order of socket, die, core, thread; nodes in that of their first core. */
struct topology {
	const char *name;  /* as it was asked for */
	const char *about; /* one line, or NULL */
	u32 ncores, nnodes;
	struct topo_core *cores;
	u8 *distance;    /* [nnodes][nnodes], as in ACPI's SLIT: 10 is local */
	u64 *node_bytes; /* memory of each node */

	/* The shape in which QEMU builds it: so many of each in the one above. */
	u32 sockets, dies, cores_per_die, threads;
	const char *irregular; /* why QEMU cannot build it, or NULL */
};

/**
 * Loads the topology @spec: the name of a preset (hake/topologies), a synthetic description
 * ("pack:4 numa:1 core:16 pu:1"), an hwloc XML file, or "this" for the machine hake runs on.
 * @max_cores keeps so many cores at most (0: all). Ends hake if @spec is wrong.
 */
struct topology *topology_load(const char *spec, u32 max_cores);

/** Gives the machine @bytes of memory in all, the same to each node. */
void topology_set_memory(struct topology *t, u64 bytes);

u64 topology_memory(const struct topology *t);

/** The description that the image carries (MACHINE_EXPECTED). */
struct machine *topology_machine(const struct topology *t);

/** A name that a file can have, the same for the same topology. */
char *topology_file_name(const struct topology *t);

/**
 * Checks a synthetic description, and completes it for hwloc: a machine without packages is
 * one, one without NUMA nodes has one a package, cores without PUs have one each.
 */
char *synthetic_complete(const char *spec);

/** "hake topology T": shows one. */
int topology_main(int argc, char **argv);

#endif
