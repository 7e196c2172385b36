/*
 * Several instances, each on a core of its own (nets of lib/shard in one loop), that share the root
 * file system of the first. Everything is done by one fiber.
 */
#ifndef TEST_VFS_FAR_WORLD_H
#define TEST_VFS_FAR_WORLD_H

#include "world.h"

#include <shard/loopback.h>
#include <vfs/far.h>

#define CORES 4u

extern struct world cores[CORES];
extern struct shard_loopback *lo;

/* The task of @core. */
static inline struct vfs_task *on(u32 core)
{
	return &cores[core].task;
}

/* Run @body on a fiber of the cores' loop, with all of them at the first's root. */
void far_world(void (*body)(void));
/* Messages that @core has sent so far. */
u64 sent_by(u32 core);
u64 sent_by_all(void);
/* Let everything that is on its way arrive. */
void settle(void);

#endif
