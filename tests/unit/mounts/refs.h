/*
 * What one world tells another of what mounts name: numbers of file systems, directories, owners.
 */
#ifndef REFS_H
#define REFS_H

#include "world.h"

#include <mounts/image.h>

struct mounts_refs world_refs(struct world *w);

#endif
