/*
 * devtmpfs: the one tmpfs that holds a node for every registered device, wherever it is mounted.
 *
 * Runs in: the personality, host tests.
 */
#include "chrdev.h"
#include "far_internal.h"

#include <stdlib.h>
#include <string.h>

static int mount_shared(struct vfs *vfs, void *arg, const char *source, const char *options,
			struct superblock **out)
{
	(void)arg;
	(void)source;
	(void)options; /* those of the first mount, which is the instance's own, hold */
	*out = vfs->devtmpfs;
	return far_well_known(vfs, FAR_ID_DEVTMPFS, out);
}

int devtmpfs_add(struct vfs *vfs, const char *name, u32 mode, u32 dev)
{
	struct new_node node = {.mode = S_IFCHR | mode, .rdev = dev};

	return tmpfs_add_node(vfs->devtmpfs, NULL, name, &node, NULL);
}

static int add_links(struct vfs *vfs)
{
	static const struct {
		const char *name;
		struct new_node node;
	} nodes[] = {
		{"pts", {.mode = S_IFDIR | 0755}},
		{"shm", {.mode = S_IFDIR | 01777}},
		{"fd", {.mode = S_IFLNK | 0777, .target = "/proc/self/fd"}},
		{"stdin", {.mode = S_IFLNK | 0777, .target = "/proc/self/fd/0"}},
		{"stdout", {.mode = S_IFLNK | 0777, .target = "/proc/self/fd/1"}},
		{"stderr", {.mode = S_IFLNK | 0777, .target = "/proc/self/fd/2"}},
	};
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(nodes) && !err; i++)
		err = tmpfs_add_node(vfs->devtmpfs, NULL, nodes[i].name, &nodes[i].node, NULL);
	return err;
}

int devtmpfs_register(struct vfs *vfs)
{
	struct fs_type *type = calloc(1, sizeof(*type));
	int err;

	if (!type)
		return -ENOMEM;
	*type = (struct fs_type){.name = "devtmpfs", .nodev = true, .mount = mount_shared};
	vfs_register_fs(vfs, type);
	err = tmpfs_new(vfs, "devtmpfs", VFS_TMPFS_MAGIC, "", &vfs->devtmpfs);
	if (err)
		return err;
	vfs->devtmpfs->refs++;
	return add_links(vfs);
}

void devtmpfs_put(struct vfs *vfs)
{
	if (vfs->devtmpfs)
		superblock_put(vfs->devtmpfs);
}
