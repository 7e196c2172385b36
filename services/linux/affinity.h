/*
 * On which processors threads may run, and where processes are therefore.
 *
 * A processor of Linux programs is a core. A process is on one core as a whole: where all its
 * threads may run. A process whose threads' processors do not meet stays where it is, and says so
 * once. Programs see all cores of the machine; they may run on those where Linux runs.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_AFFINITY_H
#define LINUX_AFFINITY_H

#include "process.h"

/** The processors where @t may run. */
void affinity_of(const struct thread *t, struct cpu_set *out);

/** The processors where all threads of @p may run; false: there is none. */
bool affinity_of_process(const struct process *p, struct cpu_set *out);

/** Send @p where all of its threads may run, if it is not there. */
void affinity_obey(struct process *p);

/** The lines of /proc/PID/status: processors, and nodes of memory, which are all. */
struct text;
void affinity_show(const struct thread *t, struct text *out);

/** Lists and masks as the kernel writes them: "0-3,8", and words of 32, the highest first. */
void cpu_set_show_list(const struct cpu_set *set, u32 ncpus, struct text *out);
void cpu_set_show_mask(const struct cpu_set *set, u32 ncpus, struct text *out);

static inline bool cpu_set_has(const struct cpu_set *set, u32 cpu)
{
	return cpu < CPUS_MAX && set->bits[cpu / 64] >> cpu % 64 & 1;
}

static inline void cpu_set_add(struct cpu_set *set, u32 cpu)
{
	set->bits[cpu / 64] |= 1ul << cpu % 64;
}

#endif
