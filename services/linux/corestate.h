/*
 * How each core is: its load, its memory, its messages; asked of the cores themselves.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_CORESTATE_H
#define LINUX_CORESTATE_H

#include <skerry/shard/control.h>

struct shard_net;

/** Serve other cores. 0 or -ENOMEM. */
int corestate_init(struct shard_net *net);

/** The state of @core now. May wait. 0; -ENODEV: Linux does not run there; -EHOSTDOWN, ... */
int core_state(u32 core, struct core_state *out);

/** The sum over all cores; the highest number. May wait. */
void core_state_sum(struct core_state *out);

#endif
