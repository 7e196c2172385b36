/*
 * sysfs: a tree of files that their owners describe. See proc.h.
 *
 * Runs in: the personality, host tests.
 */
#include "pseudo.h"
#include "tmpfs.h"

#include <stdlib.h>

int sysfs_add(struct vfs *vfs, const struct proc_entry *entries, u32 n)
{
	int err = 0;

	for (u32 i = 0; i < n && !err; i++)
		err = pseudo_add(vfs->sysfs, &entries[i], entries[i].arg);
	return err;
}

void sysfs_set_filler(struct vfs *vfs, int (*fill)(struct vfs *vfs))
{
	vfs->sysfs_fill = fill;
}

static int fill(struct vfs *vfs)
{
	int (*filler)(struct vfs * vfs) = vfs->sysfs_fill;

	vfs->sysfs_fill = NULL;
	return filler ? filler(vfs) : 0;
}

static int look_up_in_root(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
			   struct inode **out)
{
	int err = fill(t->vfs);

	return err ? err : pseudo_lookup(t, dir, name, len, out);
}

static int mount(struct vfs *vfs, void *arg, const char *source, const char *options,
		 struct superblock **out)
{
	int err = 0;

	(void)arg;
	(void)source;
	(void)options;
	if (!vfs->sysfs_sb) { /* the one that all mounts share */
		err = pseudo_mount(vfs, "sysfs", VFS_SYSFS_MAGIC, vfs->sysfs, &vfs->sysfs_sb);
		if (!err)
			vfs->sysfs_sb->refs++;
	}
	*out = vfs->sysfs_sb;
	return err;
}

/* How much is cached of files, and how large each is: what slabinfo(5) tells on Linux. */
static int show_caches(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct vfs *vfs = arg;

	(void)reader;
	(void)pid;
	text_printf(out, "dentries %lu\nunused_dentries %u\ndentry_bytes %zu\nname_bytes %lu\n",
		    vfs->caches.ndentries, vfs->nunused, sizeof(struct dentry),
		    vfs->caches.name_bytes);
	text_printf(out, "inodes %lu\ntmpfs_inode_bytes %zu\n", vfs->caches.ninodes,
		    sizeof(struct tmpfs_inode));
	return 0;
}

static const struct proc_entry caches = {
	.name = "kernel/skerry/caches", .mode = 0444, .show = show_caches};

static const struct inode_ops root_ops = {.lookup = look_up_in_root};

int sysfs_register(struct vfs *vfs)
{
	static const char *const folders[] = {
		"kernel", "devices/system/cpu", "devices/system/node", "class", "fs", "bus"};
	struct fs_type *type = calloc(1, sizeof(*type));

	if (!type)
		return -ENOMEM;
	*type = (struct fs_type){.name = "sysfs",
				 .nodev = true,
				 .anybody = true,
				 .of = NS_NET,
				 .revealing = true,
				 .mount = mount};
	vfs_register_fs(vfs, type);
	vfs->sysfs = pseudo_root(&root_ops, &pseudo_folder_file_ops);
	if (!vfs->sysfs)
		return -ENOMEM;
	for (u32 i = 0; i < ARRAY_SIZE(folders); i++) {
		if (!pseudo_folder(vfs->sysfs, folders[i], __builtin_strlen(folders[i])))
			return -ENOMEM;
	}
	return pseudo_add(vfs->sysfs, &caches, vfs);
}

void sysfs_put(struct vfs *vfs)
{
	if (vfs->sysfs_sb)
		superblock_put(vfs->sysfs_sb);
	if (vfs->sysfs)
		pseudo_free(vfs->sysfs);
}
