/*
 * Where processes run: the policy, all of it.
 *
 * Processes go to other cores when they ask for it (sched_setaffinity). With linux.balance=1 they
 * are sent there, too; that is not yet the rule, because some files are not yet the same from every
 * core (services/vfs/README.md).
 *
 * fork stays on its core. exec goes to a core that is known to be idle, the nearest, if this one
 * has other work. A core that is idle says so to others, one at a time, the nearest first; who
 * hears it and has more than it can run sends a process that may go. So loads are told by few
 * messages, and by none when all have work.
 *
 * linux.spread=SEED: every process that is forked, and every one that executes a program, goes to
 * a core by chance, for tests. Process 1 stays.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_PLACEMENT_H
#define LINUX_PLACEMENT_H

#include "process.h"

struct shard_net;

/** Begin. 0 or -ENOMEM. */
int placement_init(struct shard_net *net);

/** @p may run on @cpus only, some of which Linux runs on: have it go there if it is not. */
void placement_obey(struct process *p, const struct cpu_set *cpus);

/** A new process; and one that has just executed a program. Neither waits. */
void placement_forked(struct process *p);
void placement_execed(struct process *p);

#endif
