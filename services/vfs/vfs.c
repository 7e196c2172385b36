/*
 * An instance: begins with its caches, its types of file systems and an empty root.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdlib.h>

#define USUAL_DENTRIES 65536u
#define USUAL_FILES    1048576u

static int register_all(struct vfs *vfs)
{
	int (*const parts[])(struct vfs *) = {tmpfs_register,  devtmpfs_register, devpts_register,
					      procfs_register, sysctl_register,   sysfs_register,
					      mount_first,     memdev_register,   tty_register};
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(parts) && !err; i++)
		err = parts[i](vfs);
	return err;
}

struct vfs *vfs_new(const struct vfs_env *env, void *arg, struct fiber_loop *loop,
		    const struct vfs_limits *limits)
{
	struct vfs *vfs = calloc(1, sizeof(*vfs));

	if (!vfs)
		return NULL;
	vfs->env = env;
	vfs->arg = arg;
	vfs->loop = loop;
	vfs->dev_step = 1;
	vfs->max_unused = limits && limits->dentries ? limits->dentries : USUAL_DENTRIES;
	vfs->max_files = limits && limits->files ? limits->files : USUAL_FILES;
	vfs->hash = calloc(VFS_HASH_BUCKETS, sizeof(struct dentry *));
	if (!vfs->hash || register_all(vfs)) {
		vfs_put(vfs);
		return NULL;
	}
	return vfs;
}

u64 vfs_file_pages(const struct vfs *vfs)
{
	return vfs->file_pages;
}

void vfs_put(struct vfs *vfs)
{
	mount_last(vfs);
	devpts_put(vfs);
	tty_put_all(vfs);
	far_tty_put_all(vfs);
	procfs_put(vfs);
	sysctl_put(vfs);
	sysfs_put(vfs);
	devtmpfs_put(vfs);
	chrdev_put_all(vfs);
	far_fini(vfs);
	while (vfs->types) {
		struct fs_type *type = vfs->types;

		vfs->types = type->next;
		free(type);
	}
	free(vfs->hash);
	free(vfs);
}
