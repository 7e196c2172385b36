/*
 * Calls about mounts and their namespaces: thin, over the VFS.
 *
 * Runs in: the personality's domain. Source: mount(2), umount(2), pivot_root(2),
 * open_tree(2), move_mount(2), mount_setattr(2), statmount(2), listmount(2).
 */
#include "name.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <vfs/mount.h>
#include <vfs/mount_abi.h>
#include <vfs/text.h>

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
		err = mount_named(t, a, source, type, options ? options : "");
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

/* ---- trees and their attributes ---- */

s64 sys_open_tree(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAME(t, a[1], name, result, vfs_open_tree(&t->vfs, (int)a[0], name, (u32)a[2]));
	return result;
}

s64 sys_move_mount(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAMES(t, a[1], from, a[3], to, result,
		   vfs_move_mount(&t->vfs, (int)a[0], from, (int)a[2], to, (u32)a[4]));
	return result;
}

struct k_mount_attr {
	struct vfs_mount_attr attr;
	u64 userns_fd;
};

static s64 get_attr(struct thread *t, struct k_mount_attr *attr, u64 from, u64 size)
{
	if (size > PAGE_SIZE)
		return -E2BIG;
	return copy_in_sized(t, attr, sizeof(*attr), from, size, sizeof(*attr));
}

s64 sys_mount_setattr(struct thread *t, const u64 *a)
{
	struct k_mount_attr attr;
	s64 result = get_attr(t, &attr, a[3], a[4]);

	if (result)
		return result;
	WITH_NAME(t, a[1], name, result,
		  vfs_mount_setattr(&t->vfs, (int)a[0], name, (u32)a[2], &attr.attr));
	return result;
}

s64 sys_open_tree_attr(struct thread *t, const u64 *a)
{
	struct k_mount_attr attr;
	s64 fd, err;

	if (!a[3] && a[4])
		return -EINVAL;
	if (a[3]) {
		err = get_attr(t, &attr, a[3], a[4]);
		if (err)
			return err;
	}
	fd = sys_open_tree(t, a);
	if (fd < 0 || !a[3])
		return fd;
	err = vfs_mount_setattr(&t->vfs, (int)fd, "", AT_EMPTY_PATH | (a[2] & AT_RECURSIVE),
				&attr.attr);
	if (!err)
		return fd;
	vfs_close(&t->vfs, (int)fd);
	return err;
}

/* ---- by number ---- */

#define LIST_MAX   1000000u
#define LIST_FIRST 24u /* bytes of struct mnt_id_req's first version */

static s64 get_request(struct thread *t, struct mnt_id_req_abi *req, u64 from)
{
	u32 size;

	if (copy_in(t, &size, from, sizeof(size)))
		return -EFAULT;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return copy_in_sized(t, req, sizeof(*req), from, size, LIST_FIRST);
}

s64 sys_statmount(struct thread *t, const u64 *a)
{
	struct mnt_id_req_abi req;
	struct statmount_abi sm;
	struct text strings = {0};
	u64 room = a[2], fixed = MIN(room, sizeof(sm));
	s64 result;

	if (a[3] & ~(u64)STATMOUNT_BY_FD_)
		return -EINVAL;
	result = get_request(t, &req, a[0]);
	if (result)
		return result;
	result = vfs_statmount(&t->vfs, &req, (u32)a[3], room, &sm, &strings);
	if (!result && (copy_out(t, a[1], &sm, fixed) ||
			(strings.len && copy_out(t, a[1] + sizeof(sm), strings.at, strings.len))))
		result = -EFAULT;
	text_free(&strings);
	return result;
}

#define LIST_PIECE 512u /* identifiers that are copied at once */

/* The next ids of what @request asks for, @n at most; the request then says where to go on. */
typedef s64 next_ids(struct thread *t, void *request, u64 *ids, u64 n);

/* Up to @n ids of @request to @out, piece by piece. How many, or a negative errno value. */
static s64 list_ids(struct thread *t, next_ids *next, void *request, u64 out, u64 n)
{
	u64 ids[LIST_PIECE], done = 0;
	s64 got;

	do {
		got = next(t, request, ids, MIN(n - done, LIST_PIECE));
		if (got < 0)
			return got;
		if (got && copy_out(t, out + 8 * done, ids, 8 * (u64)got))
			return -EFAULT;
		done += (u64)got;
	} while (got == LIST_PIECE && done < n);
	return (s64)done;
}

static s64 next_mounts(struct thread *t, struct mnt_id_req_abi *req, bool reverse, u64 *ids, u64 n)
{
	s64 got = vfs_listmount(&t->vfs, req, reverse, ids, n);

	if (got > 0)
		req->param = ids[got - 1];
	return got;
}

static s64 list_forward(struct thread *t, void *request, u64 *ids, u64 n)
{
	return next_mounts(t, request, false, ids, n);
}

static s64 list_backward(struct thread *t, void *request, u64 *ids, u64 n)
{
	return next_mounts(t, request, true, ids, n);
}

static s64 list_namespaces(struct thread *t, void *request, u64 *ids, u64 n)
{
	struct ns_id_req_abi *req = request;
	s64 got = vfs_listns(&t->vfs, req, ids, n);

	if (got > 0)
		req->ns_id = ids[got - 1];
	return got;
}

s64 sys_listmount(struct thread *t, const u64 *a)
{
	bool reverse = a[3] & LISTMOUNT_REVERSE_;
	struct mnt_id_req_abi req;
	s64 n;

	if (a[3] & ~(u64)LISTMOUNT_REVERSE_)
		return -EINVAL;
	if (a[2] > LIST_MAX)
		return -EOVERFLOW;
	n = get_request(t, &req, a[0]);
	if (n)
		return n;
	return list_ids(t, reverse ? list_backward : list_forward, &req, a[1], a[2]);
}

s64 sys_listns(struct thread *t, const u64 *a)
{
	struct ns_id_req_abi req;
	s64 n;
	u32 size;

	if (a[3])
		return -EINVAL;
	if (a[2] > LIST_MAX)
		return -EOVERFLOW;
	if (copy_in(t, &size, a[0], sizeof(size)))
		return -EFAULT;
	if (size > PAGE_SIZE)
		return -E2BIG;
	n = copy_in_sized(t, &req, sizeof(req), a[0], size, sizeof(req));
	if (n)
		return n;
	return list_ids(t, list_namespaces, &req, a[1], a[2]);
}

/* ---- step by step ---- */

s64 sys_fsopen(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAME(t, a[0], name, result, vfs_fsopen(&t->vfs, name, (u32)a[1]));
	return result;
}

s64 sys_fspick(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAME(t, a[1], name, result, vfs_fspick(&t->vfs, (int)a[0], name, (u32)a[2]));
	return result;
}

#define BINARY_MAX (1024 * 1024)

/* Which of key, value and auxiliary number a command takes. */
static int check_config(u64 cmd, u64 key, u64 value, s32 aux)
{
	switch (cmd) {
	case FSCONFIG_SET_FLAG_:
		return key && !value && !aux ? 0 : -EINVAL;
	case FSCONFIG_SET_STRING_:
		return key && value && !aux ? 0 : -EINVAL;
	case FSCONFIG_SET_BINARY_:
		return key && value && aux > 0 && aux <= BINARY_MAX ? 0 : -EINVAL;
	case FSCONFIG_SET_PATH_:
	case FSCONFIG_SET_PATH_EMPTY_:
		return key && value && (aux == AT_FDCWD || aux >= 0) ? 0 : -EINVAL;
	case FSCONFIG_SET_FD_:
		return key && !value && aux >= 0 ? 0 : -EINVAL;
	case FSCONFIG_CMD_CREATE_:
	case FSCONFIG_CMD_RECONFIGURE_:
	case FSCONFIG_CMD_CREATE_EXCL_:
		return !key && !value && !aux ? 0 : -EINVAL;
	default:
		return -EOPNOTSUPP;
	}
}

s64 sys_fsconfig(struct thread *t, const u64 *a)
{
	char *key = NULL, *value = NULL;
	u32 cmd = (u32)a[1];
	s64 err;

	if ((s32)a[0] < 0)
		return -EINVAL;
	err = check_config(cmd, a[2], a[3], (s32)a[4]);
	if (!err && a[2])
		err = name_get(t, a[2], &key);
	if (!err && cmd == FSCONFIG_SET_STRING_)
		err = name_get(t, a[3], &value);
	if (!err)
		err = vfs_fsconfig(&t->vfs, (int)a[0], cmd, key, value);
	name_put(key);
	name_put(value);
	return err;
}

s64 sys_fsmount(struct thread *t, const u64 *a)
{
	return vfs_fsmount(&t->vfs, (int)a[0], (u32)a[1], (u32)a[2]);
}
