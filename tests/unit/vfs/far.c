/*
 * One tree on several cores: random changes from all of them, one after the other, against the
 * model of a tree; and several at once, after which all must see the same.
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

/* --- Several at once --- */

#define WORKERS 8u

struct worker {
	struct world_fiber fiber;
	u32 core, steps;
};

/* One of a few names at one of a few depths: so that they meet. */
static void some_path(char *path)
{
	u32 depth = pick(3) + 1;

	for (*path = 0; depth; depth--)
		sprintf(path + strlen(path), "/%c", 'a' + (int)pick(3));
}

/* What comes of it depends on the others; but it must be an error that the call can give. */
static void change_something(u32 core)
{
	char a[16], b[16];
	int err = 0;

	some_path(a);
	some_path(b);
	switch (pick(6)) {
	case 0:
		err = vfs_mkdirat(on(core), AT_FDCWD, a, 0755);
		break;
	case 1:
		err = make_file(on(core), a, "text");
		break;
	case 2:
		err = vfs_unlinkat(on(core), AT_FDCWD, a, pick(2) ? AT_REMOVEDIR : 0);
		break;
	case 3:
		err = vfs_linkat(on(core), AT_FDCWD, a, AT_FDCWD, b, 0);
		break;
	default:
		err = vfs_renameat2(on(core), AT_FDCWD, a, AT_FDCWD, b, pick(3));
	}
	if (err < 0 && err != -ENOENT && err != -EEXIST && err != -ENOTDIR && err != -EISDIR &&
	    err != -ENOTEMPTY && err != -EINVAL && err != -EPERM) {
		printf("core %u: %s %s: %d\n", core, a, b, err);
		CU_FAIL("an error that no such call gives");
	}
}

static void work(void *arg)
{
	struct worker *w = arg;

	while (w->steps--) {
		change_something(w->core);
		if (pick(4) == 0)
			fiber_yield(&cores[0].loop);
	}
}

/* All of the tree that @core sees below @dir, in words. */
static void describe(u32 core, const char *dir, char *out, u32 depth)
{
	char names[64], path[128];
	struct vfs_stat st;

	snprintf(names, sizeof(names), "%s", names_in(on(core), dir));
	for (const char *name = names; *name && depth < 8; name += 2) { /* of one letter each */
		snprintf(path, sizeof(path), "%s/%c", strcmp(dir, "/") ? dir : "", *name);
		if (vfs_statat(on(core), AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &st)) {
			sprintf(out + strlen(out), "%s is gone\n", path);
			continue;
		}
		sprintf(out + strlen(out), "%s %lx %o %u %lu\n", path, st.ino, st.mode, st.nlink,
			st.size);
		if ((st.mode & S_IFMT) == S_IFDIR)
			describe(core, path, out, depth + 1);
	}
}

static void changes_at_once(void)
{
	static char want[64 * KiB], got[64 * KiB];
	struct worker workers[WORKERS];
	bool busy = true;

	seed = from_environment("SKERRY_SEED", 0x5eed);
	for (u32 i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){.core = i % CORES,
					     .steps = (u32)from_environment("SKERRY_STEPS", 20000) /
						      WORKERS};
		world_start(&cores[0], &workers[i].fiber, work, &workers[i]);
	}
	while (busy) {
		busy = false;
		for (u32 i = 0; i < WORKERS; i++)
			busy |= !workers[i].fiber.ended;
		fiber_yield(&cores[0].loop);
	}
	for (u32 i = 0; i < CORES; i++) {
		got[0] = 0;
		describe(i, "/", i ? got : want, 0);
		if (i)
			CHECK_STRING(got, want);
	}
}

TEST(cores_that_change_a_tree_at_once_see_the_same_afterwards)
{
	far_world(changes_at_once);
}
