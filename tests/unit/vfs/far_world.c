/*
 * The worlds of far_world.h.
 */
#include "far_world.h"

#include <stdlib.h>

struct world cores[CORES];
struct shard_loopback *lo;

static u64 root_id;

/* A type of file system that is the first core's root. */
static int mount_root(struct vfs *vfs, void *arg, const char *source, const char *options,
		      struct superblock **out)
{
	int err = vfs_sb_attach(vfs, root_id, out);

	(void)arg;
	(void)source;
	(void)options;
	if (!err)
		(*out)->refs--; /* the mount's will be the first */
	return err;
}

static struct fs_type types[CORES];

static void go_to_root(u32 core)
{
	types[core] = (struct fs_type){.name = "test-root", .mount = mount_root};
	vfs_register_fs(cores[core].vfs, &types[core]);
	CHECK_EQUAL(vfs_mkdirat(on(core), AT_FDCWD, "/root", 0755), 0);
	CHECK_EQUAL(vfs_mount(on(core), "none", "/root", "test-root", 0, ""), 0);
	CHECK_EQUAL(vfs_chroot(on(core), "/root"), 0);
	CHECK_EQUAL(vfs_chdir(on(core), "/"), 0);
}

static void begin(void)
{
	world_begin(&cores[0]);
	for (u32 i = 1; i < CORES; i++)
		world_begin_beside(&cores[i], &cores[0]);
	lo = shard_loopback_new(&cores[0].loop, CORES);
	REQUIRE(lo != NULL);
	for (u32 i = 0; i < CORES; i++)
		REQUIRE(vfs_far_join(cores[i].vfs, shard_loopback_net(lo, i), CORES) == 0);
	root_id = vfs_sb_id(on(0)->fs->root.dentry->sb);
	REQUIRE(root_id != 0);
}

static void main_fiber(void *arg)
{
	void (*body)(void) = *(void (**)(void))arg;

	for (u32 i = 1; i < CORES; i++)
		go_to_root(i);
	body();
	settle();
	/* The first at last: the others' inodes are in its tree. */
	for (u32 i = CORES; i-- > 0;) {
		vfs_unregister_fs(cores[i].vfs, &types[i]); /* it is not malloc()ed */
		world_task_end(&cores[i].task);
	}
	settle();
	for (u32 i = CORES; i-- > 0;)
		vfs_put(cores[i].vfs);
	for (u32 i = 0; i < CORES; i++)
		CHECK_EQUAL(cores[i].npages, 0);
	shard_loopback_free(lo);
}

void far_world(void (*body)(void))
{
	struct world_fiber fiber;

	begin();
	world_start(&cores[0], &fiber, main_fiber, &body);
	world_run(&cores[0]);
	CHECK(fiber.ended);
}

u64 sent_by(u32 core)
{
	u64 sum = 0;

	for (u32 i = 0; i < CORES; i++)
		sum += shard_counts(shard_loopback_net(lo, core), i, SHARD_AREAS).sent;
	return sum;
}

u64 sent_by_all(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < CORES; i++)
		sum += sent_by(i);
	return sum;
}

void settle(void)
{
	for (u32 i = 0; i < 200; i++)
		fiber_yield(&cores[0].loop);
}
