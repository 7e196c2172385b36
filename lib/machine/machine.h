/*
 * Making, checking and comparing machine descriptions (struct machine, <skerry/machine.h>).
 *
 * A description is one block of bytes. Its maker asks machine_size() for the room, lays the
 * block out with machine_init(), fills the arrays in and calls machine_build_tree(). Whoever
 * gets one from elsewhere calls machine_check() before anything else.
 *
 * Not here: where descriptions come from (hake/topology.c, the loader's ACPI tables).
 * Runs in: the loader, monitors, hake, host tests. No memory of its own, no I/O.
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include <skerry/machine.h>

/* How many children a core has at most on each level of the tree, unless asked otherwise. */
#define MACHINE_FANOUT 8u

/* How many of each array a description has. */
struct machine_counts {
	u32 cores; /* 1 to MACHINE_MAX_CORES */
	u32 nodes; /* 1 to MACHINE_MAX_NODES */
	u32 mem;   /* ranges of memory */
	u32 ioapics;
	u32 overrides;
};

/** Bytes that a description with @counts takes. */
size_t machine_size(const struct machine_counts *counts);

/**
 * Lays out an empty description in @buf of @len bytes, 8-byte aligned: header and offsets are
 * set, arrays are zero, but distances are 10 within a node and 20 between nodes.
 * Returns it, or NULL if @counts are out of range or @buf is too small.
 */
struct machine *machine_init(void *buf, size_t len, const struct machine_counts *counts);

/**
 * Accepts or refuses the @len untrusted bytes at @block, 8-byte aligned, as a description.
 * Returns 0; -EINVAL (no description, another version, or fields that contradict each other),
 * -ENODATA (cut short).
 */
int machine_check(const void *block, size_t len);

/**
 * Sets every core's parent: the tree in which cores are started and messages multicast.
 *
 * Sockets form a tree of at most @fanout children each below core 0's, each standing for its
 * first core; so do the nodes of a socket, the dies of a node, and the cores of a die. (If a node
 * has several sockets, nodes come before sockets.) So few edges cross sockets, just one enters each
 * node but core 0's, and a parent's number is below its child's. Cores must be in that order:
 * those of one part follow each other.
 * @fanout at least 1.
 */
void machine_build_tree(struct machine *m, u32 fanout);

/**
 * Compares what was @expected with what was @found: cores, their ids, sockets and nodes, and
 * distances. Memory and devices, which an expected machine does not have, are not compared.
 * Returns 0 if they agree, else 1, with one line that names the first difference in @text
 * (@len bytes, always ended by a NUL).
 */
int machine_compare(const struct machine *expected, const struct machine *found, char *text,
		    size_t len);

/** The first child of @core, or MACHINE_NO_CORE. */
u32 machine_child_first(const struct machine *m, u32 core);

/** The child of @core that follows its child @child, or MACHINE_NO_CORE. */
u32 machine_child_next(const struct machine *m, u32 core, u32 child);

#define machine_for_each_child(m, core, child)                                                     \
	for (u32 child = machine_child_first(m, core); child != MACHINE_NO_CORE;                   \
	     child = machine_child_next(m, core, child))

#endif
