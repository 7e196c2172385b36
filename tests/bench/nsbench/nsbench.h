/*
 * nsbench: how fast mount namespaces are created, by how many cores at once.
 *
 *   modes.c    the ways of creating one
 *   world.c    the namespace that they start from, and what goes on beside them
 *
 * Workers and the command line are the crew's.
 */
#ifndef NSBENCH_H
#define NSBENCH_H

#include "crew.h"

/* The folder whose tree is copied. */
#define TREE "/tree"

#endif
