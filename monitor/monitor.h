/*
 * What every part of the monitor knows: which core this is, and the machine.
 *
 * The monitor is one loop (main.c) that takes messages, local calls, timers and deaths, each
 * handled to its end at once: nothing in here waits. What needs an answer from another core is a
 * record (task.h, channel.h, link.h) that the answer finds again.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include <skerry/handoff.h>
#include <skerry/machine.h>
#include <rt/calls.h>
#include <rt/panic.h>
#include <errno.h>

/* Event bits. */
#define EVENT_BELL   0u /* messages */
#define EVENT_TIMER  1u
#define EVENT_DEATH  2u /* of one of the programs */
#define EVENT_KNOCK  3u /* at the door (door.h) */

#define MONITOR_BELL 0u  /* number of every monitor's doorbell */
#define DOOR_BELL    95u /* and of the one at its door */

/* Addresses: its program and MONITOR_* of skerry/handoff.h come first. */
#define MONITOR_HEAP_VA  (MONITOR_FIXED_VA + 8 * GiB)
#define MONITOR_HEAP_END (MONITOR_FIXED_VA + 16 * GiB)
#define MONITOR_MAP_VA   MONITOR_HEAP_END
#define MONITOR_MAP_END  (MONITOR_FIXED_VA + 2048 * GiB)

struct monitor {
	const struct handoff *boot;
	const struct machine *machine;
	const struct machine_core *cores;
	u32 core;
	u32 ncores; /* those that are used: the command line may want fewer than there are */
};

extern struct monitor self;

static inline const void *monitor_image(void)
{
	return (const void *)MONITOR_IMAGE_VA;
}

#endif
