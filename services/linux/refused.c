/*
 * Calls for what this machine does not have, or gives to nobody: they answer as a Linux does that
 * was built or locked down so.
 *
 * Runs in: the personality's domain. Source: the manual pages of the calls; kernel_lockdown(7).
 */
#include "misc.h"
#include "name.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <vfs/vfs.h>

#define CAP_SYS_TTY_CONFIG 26

#define IO_PORTS           65536ul

/* ---- the processor ---- */

s64 sys_iopl(struct thread *t, const u64 *a)
{
	if (a[0] > 3)
		return -EINVAL;
	(void)t;
	return a[0] ? -EPERM : 0;
}

s64 sys_ioperm(struct thread *t, const u64 *a)
{
	(void)t;
	if (a[0] + a[1] <= a[0] || a[0] + a[1] > IO_PORTS)
		return -EINVAL;
	return (s32)a[2] ? -EPERM : 0;
}

/* No protection keys: none of them can be had, and the default one is that of mprotect. */
s64 sys_pkey_alloc(struct thread *t, const u64 *a)
{
	(void)t;
	return a[0] || a[1] & ~3ul ? -EINVAL : -ENOSPC;
}

s64 sys_pkey_free(struct thread *t, const u64 *a)
{
	(void)t;
	(void)a;
	return -EINVAL;
}

s64 sys_pkey_mprotect(struct thread *t, const u64 *a)
{
	return (s32)a[3] == -1 ? sys_mprotect(t, a) : -EINVAL;
}

s64 sys_map_shadow_stack(struct thread *t, const u64 *a)
{
	(void)t;
	(void)a;
	return -EOPNOTSUPP;
}

/* ---- the kernel: there are no modules, and no other kernel ---- */

static s64 nobody_may(struct thread *t, const u64 *a)
{
	(void)t;
	(void)a;
	return -EPERM;
}

s64 sys_init_module(struct thread *t, const u64 *a)
{
	return nobody_may(t, a);
}

s64 sys_finit_module(struct thread *t, const u64 *a)
{
	return nobody_may(t, a);
}

s64 sys_delete_module(struct thread *t, const u64 *a)
{
	return nobody_may(t, a);
}

s64 sys_kexec_load(struct thread *t, const u64 *a)
{
	return nobody_may(t, a);
}

s64 sys_kexec_file_load(struct thread *t, const u64 *a)
{
	return nobody_may(t, a);
}

#define LSM_ID_CAPABILITY 100ul

s64 sys_lsm_list_modules(struct thread *t, const u64 *a)
{
	const u64 id = LSM_ID_CAPABILITY;
	u32 room, need = sizeof(id);

	if (a[2])
		return -EINVAL;
	if (copy_in(t, &room, a[1], sizeof(room)) || copy_out(t, a[1], &need, sizeof(need)))
		return -EFAULT;
	if (room < need)
		return -E2BIG;
	return copy_out(t, a[0], &id, sizeof(id)) ? -EFAULT : 1;
}

s64 sys_lsm_get_self_attr(struct thread *t, const u64 *a)
{
	(void)t;
	return a[0] == 0 || !a[2] ? -EINVAL : -EOPNOTSUPP;
}

s64 sys_lsm_set_self_attr(struct thread *t, const u64 *a)
{
	(void)t;
	return a[3] ? -EINVAL : -EOPNOTSUPP;
}

/* ---- devices ---- */

static s64 check_path(struct thread *t, u64 addr)
{
	struct path path;
	char *name;
	s64 err = name_get(t, addr, &name);

	if (err)
		return err;
	err = vfs_walk(&t->vfs, AT_FDCWD, name, WALK_FOLLOW, &path);
	name_put(name);
	if (!err)
		path_put(&path);
	return err;
}

#define SWAP_FLAGS 0x1fffful

/* No swap: no device and no file will do. */
s64 sys_swapon(struct thread *t, const u64 *a)
{
	s64 err;

	if (a[1] & ~SWAP_FLAGS)
		return -EINVAL;
	if (!capable(t, VFS_CAP_SYS_ADMIN))
		return -EPERM;
	err = check_path(t, a[0]);
	return err ? err : -EINVAL;
}

s64 sys_swapoff(struct thread *t, const u64 *a)
{
	s64 err;

	if (!capable(t, VFS_CAP_SYS_ADMIN))
		return -EPERM;
	err = check_path(t, a[0]);
	return err ? err : -EINVAL;
}

s64 sys_vhangup(struct thread *t, const u64 *a)
{
	(void)a;
	return capable(t, CAP_SYS_TTY_CONFIG) ? 0 : -EPERM;
}
