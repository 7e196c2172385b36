/*
 * Starting this core's children in the tree, and knowing when a whole subtree is up.
 *
 *   start_children    builds all children's memory (lib/corestart)
 *   begin_wave        INIT to those of this wave; 10 ms later STARTUP; again 200 us later, and so
 *                     on, to those not heard of
 *   start_check       each time something was received: children that said hello are alive
 *   up_rx             a child's whole subtree is up: count it; when all have, tell the parent
 *   wave_rx           the next wave begins: tell the children, start those of them
 *
 * Waves: a local APIC that is still in xAPIC mode, as those of waiting cores are, knows 8 bits of
 * its id, takes INIT and STARTUP for any id with the same low byte for its own, and id 255 for
 * 'all' (SDM vol. 3A, 11.6.2.1). So cores whose ids could be mistaken start one wave after the
 * other, when those of the waves before are in x2APIC mode. Machines up to id 254 have one wave.
 *
 * A child that says nothing for START_TIMEOUT_NS is reported to core 0 with its subtree, and no
 * longer waited for; if it comes later it is welcome. Core 0 prints the result.
 */
#ifndef MONITOR_START_H
#define MONITOR_START_H

#include <skerry/types.h>

void start_init(void);

/** Bytes that are built at the beginning of a core's memory, the page it starts on included. */
u64 start_built_bytes(u32 core);

/** Build and start all children. */
void start_children(void);

/** Look for children that have come up since. */
void start_check(void);

/**
 * Let a core that INIT has stopped halt for ever in core 0's start-up page, which lists no children
 * once all cores are up. Waiting for a STARTUP is no state to leave a core in: an emulator may wake
 * it with any interrupt that is still on its way, and then it runs the firmware again.
 */
void start_park(u32 core);

/** Call @then once, when all cores are up or given up. Core 0 only. */
void start_when_up(void (*then)(void));

#endif
