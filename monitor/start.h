/*
 * Starting this core's children in the tree, and knowing when a whole subtree is up.
 *
 *   start_children    builds all children's memory (lib/corestart), INIT to all
 *   start_wake        10 ms later: STARTUP to all; again 200 us later to those not heard of
 *   start_check       each time something was received: children that said hello are up
 *   up_rx             a child's whole subtree is up: count it; when all have, tell the parent
 *
 * A child that says nothing for START_TIMEOUT_NS is reported to core 0 with its subtree, and no
 * longer waited for; if it comes later it is welcome. Core 0 prints the result.
 */
#ifndef MONITOR_START_H
#define MONITOR_START_H

#include <skerry/types.h>

void start_init(void);

/** Build and start all children. */
void start_children(void);

/** Look for children that have come up since. */
void start_check(void);

/** Call @then once, when all cores are up or given up. Core 0 only. */
void start_when_up(void (*then)(void));

#endif
