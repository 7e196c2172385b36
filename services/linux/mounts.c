/*
 * Calls about mounts and their namespaces: thin, over the VFS.
 *
 * Runs in: the personality's domain. Source: mount(2), umount(2), pivot_root(2).
 */
#include "name.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <vfs/mount.h>

static s64 mount_named(struct thread *t, const u64 *a, const char *source, const char *type,
		       const char *options)
{
	s64 result;

	WITH_NAME(t, a[1], target, result, vfs_mount(&t->vfs, source, target, type, a[3], options));
	return result;
}

s64 sys_mount(struct thread *t, const u64 *a)
{
	char *source = NULL, *type = NULL, *options = NULL;
	s64 err = 0;

	if (a[0])
		err = name_get(t, a[0], &source);
	if (!err && a[2])
		err = name_get(t, a[2], &type);
	if (!err && a[4])
		err = name_get(t, a[4], &options);
	if (!err)
		err = mount_named(t, a, source ? source : "none", type, options ? options : "");
	name_put(source);
	name_put(type);
	name_put(options);
	return err;
}

s64 sys_umount2(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAME(t, a[0], name, result, vfs_umount(&t->vfs, name, (u32)a[1]));
	return result;
}

s64 sys_pivot_root(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAMES(t, a[0], new, a[1], old, result, vfs_pivot_root(&t->vfs, new, old));
	return result;
}
