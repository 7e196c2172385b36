/*
 * Devices from inside: chrdev.c, devtmpfs.c. Private to services/vfs.
 */
#ifndef VFS_CHRDEV_H
#define VFS_CHRDEV_H

#include "internal.h"

/* Devices of consecutive minor numbers. */
struct chrdev {
	struct chrdev *next;
	u32 major, minor, count;
	const char *name;
	const struct file_ops *ops;
	void *arg;
};

/* Add a character device's node; "pts/" alone makes a folder. 0 or a negative errno. */
int devtmpfs_add(struct vfs *vfs, const char *name, u32 mode, u32 dev);

#endif
