/*
 * /proc of processes of other cores: what files say is made where the process lives (procfar.c).
 *
 * Runs in: the personality's domain. All may wait.
 */
#ifndef LINUX_PROCFAR_H
#define LINUX_PROCFAR_H

#include "process.h"
#include <vfs/proc.h>

struct shard_net;

/** Serve other cores. 0 or -ENOMEM. */
int procfar_init(struct vfs *vfs, struct shard_net *net);

/** The lowest number at or above @from of a process of any core; 0: none. */
u32 procfar_next_pid(u32 from);
/** The same of the threads of a far process. */
u32 procfar_next_tid(u32 pid, u32 from);

/**
 * What is known of a far process or thread: credentials and numbers, but neither files nor a place.
 * Good until the caller next waits. NULL: there is none.
 */
struct vfs_task *procfar_task(u32 pid);

/** Does process or thread @pid not live here, as far as this core knows? Does not wait. */
bool procfar_is_far(void *arg, u32 pid);
/** The text of a file of its folder, by the path below that; and writing one. */
int procfar_show(void *arg, struct vfs_task *reader, u32 pid, const char *path, struct text *out);
int procfar_store(void *arg, struct vfs_task *writer, u32 pid, const char *path, const char *text,
		  size_t len);

#endif
