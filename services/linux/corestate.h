/*
 * How each core is: its load, its memory, its messages; asked of the cores themselves.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_CORESTATE_H
#define LINUX_CORESTATE_H

#include <skerry/shard/control.h>

struct proc_entry;
struct shard_net;
struct vfs;

/** Serve other cores. 0 or -ENOMEM. */
int corestate_init(struct shard_net *net);

/**
 * Add /sys/kernel/skerry/core/@core/@name, a file like @like, whose functions get the core's number
 * as their argument. 0 or -ENOMEM.
 */
int core_file_add(struct vfs *vfs, u32 core, const char *name, const struct proc_entry *like);

/**
 * Where the command line has faults=1: the files by which a core is stopped ("halt"). 0 or -ENOMEM.
 */
int corestate_fill(struct vfs *vfs);

/** The state of @core now. May wait. 0; -ENODEV: Linux does not run there; -EHOSTDOWN, ... */
int core_state(u32 core, struct core_state *out);

/** The sum over all cores; the highest number. May wait. */
void core_state_sum(struct core_state *out);

#endif
