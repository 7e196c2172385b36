/*
 * A peer with many channels: it accepts MANY_CHANNELS of them, sends each its number, and ends when
 * all are closed.
 */
#ifndef MESSAGES_MANY_H
#define MESSAGES_MANY_H

#include <rt/rt.h>

#define MANY_CHANNELS 200u
#define MANY_SERVICE  "many"

/** Start it on @core, and wait until its service is there. 0 or a negative errno. */
int many_start(u32 core, struct rt_task *task);

int many_main(void);

#endif
