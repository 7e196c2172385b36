/*
 * Random changes of the namespaces of a world, by whatever lib/mounts has for it.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include "world.h"

#define RUN_NAMESPACES 4u
#define RUN_MOUNTS_MAX 60u

struct run {
	struct world w;
	struct mount_ns *ns[RUN_NAMESPACES];
	u64 random;
	u32 done, refused;
};

struct change {
	u32 what;
	struct mount *a, *b;
	struct dentry *a_dir, *b_dir;
	u32 x, ns;
};

/* A world with namespaces that are copies of one; and its end. */
void run_begin(struct run *r);
void run_end(struct run *r);
u32 run_pick(struct run *r, u32 n);
void change_choose(struct run *r, struct change *c);
/* 0, or why not; then nothing has changed. */
int change_make(struct run *r, const struct change *c);

#endif
