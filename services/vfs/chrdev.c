/*
 * Character devices: who answers when a device file is opened.
 *
 * Runs in: the personality, host tests.
 */
#include "chrdev.h"

#include <stdlib.h>

static struct chrdev *find(struct vfs *vfs, u32 dev)
{
	u32 major = VFS_MAJOR(dev), minor = VFS_MINOR(dev);
	struct chrdev *c = vfs->chrdevs;

	while (c && (c->major != major || minor < c->minor || minor - c->minor >= c->count))
		c = c->next;
	return c;
}

int chrdev_register(struct vfs *vfs, u32 major, u32 minor, u32 count, const char *name, u32 mode,
		    const struct file_ops *ops, void *arg)
{
	struct chrdev *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	*c = (struct chrdev){.next = vfs->chrdevs,
			     .major = major,
			     .minor = minor,
			     .count = count,
			     .name = name,
			     .ops = ops,
			     .arg = arg};
	if (name) {
		err = devtmpfs_add(vfs, name, mode, VFS_DEV(major, minor));
		if (err) {
			free(c);
			return err;
		}
	}
	vfs->chrdevs = c;
	return 0;
}

void chrdev_put_all(struct vfs *vfs)
{
	while (vfs->chrdevs) {
		struct chrdev *c = vfs->chrdevs;

		vfs->chrdevs = c->next;
		free(c);
	}
}

int chrdev_attach(struct vfs *vfs, u32 rdev, struct file *file)
{
	const struct chrdev *c = find(vfs, rdev);

	if (!c)
		return -ENXIO;
	file->ops = c->ops;
	file->private = c->arg;
	return 0;
}

static int open_device(struct vfs_task *t, struct inode *inode, struct file *file)
{
	struct chrdev *c = find(t->vfs, inode->rdev);
	u32 core;

	if (far_device_core(t->vfs, inode->rdev, &core))
		return far_open_device(t, core, inode, file);
	if (!c)
		return -ENXIO;
	file->ops = c->ops;
	file->private = c->arg;
	return c->ops->open ? c->ops->open(t, inode, file) : 0;
}

const struct file_ops chrdev_open_ops = {.open = open_device};
