/*
 * Cores with mount namespaces, in one loop of fibers. What each sees of a namespace is kept by a
 * slot: the same namespace on all cores that have it.
 */
#ifndef SIM_H
#define SIM_H

#include "../mounts/refs.h"

#include <mountns/mountns.h>
#include <shard/loopback.h>
#include <unit.h>

#define SIM_CORES      16u
#define SIM_SLOTS      6u
#define SIM_MOUNTS_MAX 40u

struct core {
	struct world w;
	struct mountns *m;
	struct mount_ns *slot[SIM_SLOTS]; /* with a reference; NULL: not here */
	struct mount *used;               /* somebody's working directory; or NULL */
	bool dead;
};

struct sim {
	struct core core[SIM_CORES];
	struct world model;
	struct mount_ns *model_slot[SIM_SLOTS];
	struct mount *model_used[SIM_CORES];
	u64 id[SIM_SLOTS]; /* of the namespace */
	u64 random;
	u32 done, refused;
};

extern struct sim sim;
extern struct fiber_loop sim_loop;
extern struct shard_loopback *sim_net;

/* Run @test on a fiber, with all cores; then all must end with nothing left. */
void sim_run(void (*test)(void));
void sim_start(void (*entry)(void *arg), void *arg);
void sim_settle(void);
u32 sim_pick(u32 n);

/* The namespace of a slot on a core, opened if need be; NULL: it is gone. */
struct mount_ns *sim_open(u32 core, u32 slot);
/* A core is not in the namespace any more. */
void sim_leave(u32 core, u32 slot);
/* What a slot stands for is another namespace: new on @core, whose reference is taken. */
void sim_replace(u32 core, u32 slot, struct mount_ns *ns);
/* A namespace that nobody is in ends, in the model, too. */
void sim_forget_unused(void);
/* All replicas are what their homes are, and each has one home. */
void sim_check_replicas(void);
/* The homes together are what the model is. */
void sim_check_model(void);

#endif
