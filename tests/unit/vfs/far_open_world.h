/*
 * Three instances in one loop, connected by the loopback of lib/shard: cores 0, 1 and 2, whose open
 * files go from one to the other.
 */
#ifndef TEST_VFS_FAR_OPEN_WORLD_H
#define TEST_VFS_FAR_OPEN_WORLD_H

#include "world.h"

#include <shard/loopback.h>
#include <vfs/far_file.h>

#define CORES 3u

extern struct world w[CORES];
extern struct shard_loopback *lo;
extern struct world_fiber fibers[4];

void begin(void);
/* Ends all, and checks that no proxy and no reference is left. */
void end(void);
/* Run fibers until all end or wait. */
void run(void);
/* Run @fn on fiber 0, which must end. */
void in_fiber(void (*fn)(void));
/* In a fiber: let what is told arrive. */
void arrive(void);
/* Give what descriptor @fd of core @from is to core @to: its descriptor there. */
int carry(u32 from, int fd, u32 to);
/* POLL* that hold now. */
u32 events_of(u32 core, int fd);

#endif
