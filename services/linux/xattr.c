/*
 * System calls of extended attributes. Thin: the work is in services/vfs/xattr.c.
 *
 * Runs in: the personality's domain. Source: setxattr(2), getxattr(2), listxattr(2),
 * removexattr(2); the ...at forms are those of Linux 6.13.
 */
#include "name.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <stdlib.h>
#include <vfs/xattr.h>

/* Which file: by name, or (@path 0) the one that is open as @dirfd. */
struct place {
	int dirfd;
	u32 flags; /* AT_* */
	u64 path;  /* the user's */
	bool open; /* @dirfd is it */
};

static struct place named(u64 path, u32 flags)
{
	return (struct place){.dirfd = AT_FDCWD, .path = path, .flags = flags};
}

static struct place opened(u64 fd)
{
	return (struct place){.dirfd = (int)fd, .open = true};
}

/* As the ...at calls have it: no path is an empty one, if that is allowed. */
static struct place at(u64 dirfd, u64 path, u64 flags)
{
	bool none = !path && (flags & AT_EMPTY_PATH);

	return (struct place){.dirfd = (int)dirfd, .path = path, .flags = (u32)flags, .open = none};
}

/* The place's path, NULL for an open file. */
static int place_path(struct thread *t, const struct place *place, char **path)
{
	*path = NULL;
	return place->open ? 0 : name_get(t, place->path, path);
}

/* An attribute's name: 1 to 255 bytes, or -ERANGE. */
static int get_attribute(struct thread *t, u64 addr, char name[VFS_XATTR_NAME_MAX + 1])
{
	s64 len = copy_string(t, name, addr, VFS_XATTR_NAME_MAX + 1);

	if (len == 0 || len == -ENAMETOOLONG)
		return -ERANGE;
	return len < 0 ? (int)len : 0;
}

static s64 set(struct thread *t, const struct place *place, u64 attribute, u64 value, u64 size,
	       u32 flags)
{
	char name[VFS_XATTR_NAME_MAX + 1], *path = NULL;
	void *bytes = NULL;
	s64 err;

	if (flags & ~3u)
		return -EINVAL;
	err = get_attribute(t, attribute, name);
	if (err)
		return err;
	if (size > VFS_XATTR_SIZE_MAX)
		return -E2BIG;
	if (size) {
		bytes = malloc(size);
		err = !bytes ? -ENOMEM : copy_in(t, bytes, value, size);
	}
	if (!err)
		err = place_path(t, place, &path);
	if (!err)
		err = vfs_xattr_set(&t->vfs, place->dirfd, path, place->flags, name, bytes, size,
				    flags);
	name_put(path);
	free(bytes);
	return err;
}

/* Get a value (@attribute not 0) or the list of names into a buffer of ours, and hand it out. */
static s64 get(struct thread *t, const struct place *place, u64 attribute, u64 to, u64 size)
{
	char name[VFS_XATTR_NAME_MAX + 1], *path = NULL;
	void *bytes = NULL;
	s64 n = 0;

	if (attribute)
		n = get_attribute(t, attribute, name);
	if (n)
		return n;
	size = MIN(size, (u64)VFS_XATTR_SIZE_MAX);
	if (size) {
		bytes = malloc(size);
		n = bytes ? 0 : -ENOMEM;
	}
	if (!n)
		n = place_path(t, place, &path);
	if (!n)
		n = attribute ? vfs_xattr_get(&t->vfs, place->dirfd, path, place->flags, name,
					      bytes, size)
			      : vfs_xattr_list(&t->vfs, place->dirfd, path, place->flags, bytes,
					       size);
	if (n > 0 && size && copy_out(t, to, bytes, (u64)n))
		n = -EFAULT;
	name_put(path);
	free(bytes);
	return n == -ERANGE && size == VFS_XATTR_SIZE_MAX ? -E2BIG : n;
}

static s64 take_away(struct thread *t, const struct place *place, u64 attribute)
{
	char name[VFS_XATTR_NAME_MAX + 1], *path = NULL;
	s64 err = get_attribute(t, attribute, name);

	if (!err)
		err = place_path(t, place, &path);
	if (!err)
		err = vfs_xattr_remove(&t->vfs, place->dirfd, path, place->flags, name);
	name_put(path);
	return err;
}

s64 sys_setxattr(struct thread *t, const u64 *a)
{
	struct place place = named(a[0], 0);

	return set(t, &place, a[1], a[2], a[3], (u32)a[4]);
}

s64 sys_lsetxattr(struct thread *t, const u64 *a)
{
	struct place place = named(a[0], AT_SYMLINK_NOFOLLOW);

	return set(t, &place, a[1], a[2], a[3], (u32)a[4]);
}

s64 sys_fsetxattr(struct thread *t, const u64 *a)
{
	struct place place = opened(a[0]);

	return set(t, &place, a[1], a[2], a[3], (u32)a[4]);
}

/* getxattr's name is a pointer that must not be taken for "the list": 0 is a bad address. */
static s64 get_value(struct thread *t, const struct place *place, const u64 *a)
{
	return a[1] ? get(t, place, a[1], a[2], a[3]) : -EFAULT;
}

s64 sys_getxattr(struct thread *t, const u64 *a)
{
	struct place place = named(a[0], 0);

	return get_value(t, &place, a);
}

s64 sys_lgetxattr(struct thread *t, const u64 *a)
{
	struct place place = named(a[0], AT_SYMLINK_NOFOLLOW);

	return get_value(t, &place, a);
}

s64 sys_fgetxattr(struct thread *t, const u64 *a)
{
	struct place place = opened(a[0]);

	return get_value(t, &place, a);
}

s64 sys_listxattr(struct thread *t, const u64 *a)
{
	struct place place = named(a[0], 0);

	return get(t, &place, 0, a[1], a[2]);
}

s64 sys_llistxattr(struct thread *t, const u64 *a)
{
	struct place place = named(a[0], AT_SYMLINK_NOFOLLOW);

	return get(t, &place, 0, a[1], a[2]);
}

s64 sys_flistxattr(struct thread *t, const u64 *a)
{
	struct place place = opened(a[0]);

	return get(t, &place, 0, a[1], a[2]);
}

s64 sys_removexattr(struct thread *t, const u64 *a)
{
	struct place place = named(a[0], 0);

	return take_away(t, &place, a[1]);
}

s64 sys_lremovexattr(struct thread *t, const u64 *a)
{
	struct place place = named(a[0], AT_SYMLINK_NOFOLLOW);

	return take_away(t, &place, a[1]);
}

s64 sys_fremovexattr(struct thread *t, const u64 *a)
{
	struct place place = opened(a[0]);

	return take_away(t, &place, a[1]);
}

/* ---- the ...at forms ---- */

/* struct xattr_args */
struct k_xattr_args {
	u64 value;
	u32 size, flags;
};

static bool bad_at_flags(u64 flags)
{
	return flags & ~(u64)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
}

s64 sys_setxattrat(struct thread *t, const u64 *a)
{
	struct place place = at(a[0], a[1], (u32)a[2]);
	struct k_xattr_args args;
	int err = copy_in_sized(t, &args, sizeof(args), a[4], a[5], sizeof(args));

	if (err)
		return err;
	return bad_at_flags((u32)a[2]) ? -EINVAL
				       : set(t, &place, a[3], args.value, args.size, args.flags);
}

s64 sys_getxattrat(struct thread *t, const u64 *a)
{
	struct place place = at(a[0], a[1], (u32)a[2]);
	struct k_xattr_args args;
	int err = copy_in_sized(t, &args, sizeof(args), a[4], a[5], sizeof(args));

	if (err)
		return err;
	if (args.flags || bad_at_flags((u32)a[2]))
		return -EINVAL;
	return a[3] ? get(t, &place, a[3], args.value, args.size) : -EFAULT;
}

s64 sys_listxattrat(struct thread *t, const u64 *a)
{
	struct place place = at(a[0], a[1], (u32)a[2]);

	return bad_at_flags((u32)a[2]) ? -EINVAL : get(t, &place, 0, a[3], a[4]);
}

s64 sys_removexattrat(struct thread *t, const u64 *a)
{
	struct place place = at(a[0], a[1], (u32)a[2]);

	return bad_at_flags((u32)a[2]) ? -EINVAL : take_away(t, &place, a[3]);
}
