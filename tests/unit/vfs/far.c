/*
 * One tree on several cores: random changes from all of them, one after the other, against the
 * model of a tree.
 */
#include "far_world.h"
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static u64 seed;

static u32 pick(u32 n)
{
	return (u32)(unit_random(&seed) >> 33) % n;
}

static u64 from_environment(const char *name, u64 otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void changes_in_turn(void)
{
	u64 steps = from_environment("SKERRY_STEPS", 60000);

	seed = from_environment("SKERRY_SEED", 0x5eed);
	tree_begin(seed);
	for (u64 i = 0; i < steps; i++) {
		tree_step(on(pick(CORES)), i);
		if (i % 16 == 0)
			tree_check(on(pick(CORES)));
		if (i % 512 == 0)
			dentry_shrink(cores[pick(CORES)].vfs, NULL);
	}
}

TEST(what_one_core_changes_all_others_see)
{
	far_world(changes_in_turn);
}
