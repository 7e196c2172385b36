/*
 * System calls that take paths. Thin: the work is in services/vfs.
 *
 * Runs in: the personality's domain. Source: the manual pages of the calls.
 */
#include "name.h"
#include "syscall.h"
#include "timer.h"
#include "uaccess.h"

#include <errno.h>
#include <stdlib.h>

#define SPARE_NAMES 8u

static char *spare[SPARE_NAMES];
static u32 nspare;

int name_get(struct thread *t, u64 addr, char **name)
{
	s64 len;

	*name = nspare ? spare[--nspare] : malloc(VFS_PATH_MAX);
	if (!*name)
		return -ENOMEM;
	len = copy_string(t, *name, addr, VFS_PATH_MAX);
	if (len >= 0)
		return 0;
	name_put(*name);
	*name = NULL;
	return (int)len;
}

void name_put(char *name)
{
	if (name && nspare < SPARE_NAMES)
		spare[nspare++] = name;
	else
		free(name);
}

/* ---- opening ---- */

static s64 open_at(struct thread *t, int dirfd, u64 path, int flags, u32 mode)
{
	s64 result;

	WITH_NAME(t, path, name, result, vfs_openat(&t->vfs, dirfd, name, flags, mode));
	return result;
}

s64 sys_open(struct thread *t, const u64 *a)
{
	return open_at(t, AT_FDCWD, a[0], (int)a[1], (u32)a[2]);
}

s64 sys_openat(struct thread *t, const u64 *a)
{
	return open_at(t, (int)a[0], a[1], (int)a[2], (u32)a[3]);
}

s64 sys_creat(struct thread *t, const u64 *a)
{
	return open_at(t, AT_FDCWD, a[0], O_CREAT | O_WRONLY | O_TRUNC, (u32)a[1]);
}

s64 sys_openat2(struct thread *t, const u64 *a)
{
	struct vfs_open_how how;
	s64 result = copy_in_sized(t, &how, sizeof(how), a[2], a[3], sizeof(how));

	if (result)
		return result;
	WITH_NAME(t, a[1], name, result, vfs_openat2(&t->vfs, (int)a[0], name, &how));
	return result;
}

/* ---- handles ---- */

#define HANDLE_HEAD           8u /* bytes of struct file_handle before its data */
#define HANDLE_MNT_ID_UNIQUE_ 1u

s64 sys_name_to_handle_at(struct thread *t, const u64 *a)
{
	struct vfs_handle handle;
	u64 mnt_id = 0;
	s64 result;

	if (copy_in(t, &handle, a[2], HANDLE_HEAD))
		return -EFAULT;
	WITH_NAME(t, a[1], name, result,
		  vfs_name_to_handle(&t->vfs, (int)a[0], name, (u32)a[4], &handle, &mnt_id));
	if (result && result != -EOVERFLOW)
		return result;
	if (copy_out(t, a[3], &mnt_id, a[4] & HANDLE_MNT_ID_UNIQUE_ ? 8 : 4) ||
	    copy_out(t, a[2], &handle, HANDLE_HEAD + (result ? 0 : handle.bytes)))
		return -EFAULT;
	return result;
}

s64 sys_open_by_handle_at(struct thread *t, const u64 *a)
{
	struct vfs_handle handle = {0};

	if (copy_in(t, &handle, a[1], HANDLE_HEAD))
		return -EFAULT;
	if (handle.bytes && handle.bytes <= VFS_HANDLE_MAX &&
	    copy_in(t, handle.data, a[1] + HANDLE_HEAD, handle.bytes))
		return -EFAULT;
	return vfs_open_by_handle(&t->vfs, (int)a[0], &handle, (int)a[2]);
}

/* ---- names ---- */

s64 sys_memfd_create(struct thread *t, const u64 *a)
{
	char *name;
	s64 err = name_get(t, a[0], &name);

	if (err)
		return err == -ENAMETOOLONG ? -EINVAL : err;
	err = vfs_memfd_create(&t->vfs, name, (u32)a[1]);
	name_put(name);
	return err;
}

s64 sys_mkdirat(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAME(t, a[1], name, result, vfs_mkdirat(&t->vfs, (int)a[0], name, (u32)a[2]));
	return result;
}

s64 sys_mkdir(struct thread *t, const u64 *a)
{
	return sys_mkdirat(t, (u64[]){(u64)AT_FDCWD, a[0], a[1]});
}

s64 sys_mknodat(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAME(t, a[1], name, result,
		  vfs_mknodat(&t->vfs, (int)a[0], name, (u32)a[2], (u32)a[3]));
	return result;
}

s64 sys_mknod(struct thread *t, const u64 *a)
{
	return sys_mknodat(t, (u64[]){(u64)AT_FDCWD, a[0], a[1], a[2]});
}

static s64 unlink_at(struct thread *t, int dirfd, u64 path, u32 flags)
{
	s64 result;

	WITH_NAME(t, path, name, result, vfs_unlinkat(&t->vfs, dirfd, name, flags));
	return result;
}

s64 sys_unlink(struct thread *t, const u64 *a)
{
	return unlink_at(t, AT_FDCWD, a[0], 0);
}

s64 sys_rmdir(struct thread *t, const u64 *a)
{
	return unlink_at(t, AT_FDCWD, a[0], AT_REMOVEDIR);
}

s64 sys_unlinkat(struct thread *t, const u64 *a)
{
	return unlink_at(t, (int)a[0], a[1], (u32)a[2]);
}

s64 sys_symlinkat(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAMES(t, a[0], target, a[2], name, result,
		   vfs_symlinkat(&t->vfs, target, (int)a[1], name));
	return result;
}

s64 sys_symlink(struct thread *t, const u64 *a)
{
	return sys_symlinkat(t, (u64[]){a[0], (u64)AT_FDCWD, a[1]});
}

s64 sys_linkat(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAMES(t, a[1], old, a[3], new, result,
		   vfs_linkat(&t->vfs, (int)a[0], old, (int)a[2], new, (u32)a[4]));
	return result;
}

s64 sys_link(struct thread *t, const u64 *a)
{
	return sys_linkat(t, (u64[]){(u64)AT_FDCWD, a[0], (u64)AT_FDCWD, a[1], 0});
}

s64 sys_renameat2(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAMES(t, a[1], old, a[3], new, result,
		   vfs_renameat2(&t->vfs, (int)a[0], old, (int)a[2], new, (u32)a[4]));
	return result;
}

s64 sys_renameat(struct thread *t, const u64 *a)
{
	return sys_renameat2(t, (u64[]){a[0], a[1], a[2], a[3], 0});
}

s64 sys_rename(struct thread *t, const u64 *a)
{
	return sys_renameat2(t, (u64[]){(u64)AT_FDCWD, a[0], (u64)AT_FDCWD, a[1], 0});
}

s64 sys_readlinkat(struct thread *t, const u64 *a)
{
	struct user_io io;
	s64 result;

	if ((s32)a[3] <= 0)
		return -EINVAL;
	result = user_io_one(t, &io, a[2], (u32)a[3]);
	if (result)
		return result;
	WITH_NAME(t, a[1], name, result, vfs_readlinkat(&t->vfs, (int)a[0], name, &io.uio));
	return result;
}

s64 sys_readlink(struct thread *t, const u64 *a)
{
	return sys_readlinkat(t, (u64[]){(u64)AT_FDCWD, a[0], a[1], a[2]});
}

/* ---- attributes ---- */

s64 sys_fchmodat2(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAME(t, a[1], name, result,
		  vfs_fchmodat2(&t->vfs, (int)a[0], name, (u32)a[2], (u32)a[3]));
	return result;
}

s64 sys_fchmodat(struct thread *t, const u64 *a)
{
	return sys_fchmodat2(t, (u64[]){a[0], a[1], a[2], 0});
}

s64 sys_chmod(struct thread *t, const u64 *a)
{
	return sys_fchmodat2(t, (u64[]){(u64)AT_FDCWD, a[0], a[1], 0});
}

s64 sys_fchmod(struct thread *t, const u64 *a)
{
	return vfs_fchmod(&t->vfs, (int)a[0], (u32)a[1]);
}

/* New owners as they are kept; UINT32_MAX stays. -EINVAL: the caller has no such number. */
static int keep_owners(const struct thread *t, const u64 *given, u32 *uid, u32 *gid)
{
	*uid = keep_uid(t, (u32)given[0]);
	*gid = keep_gid(t, (u32)given[1]);
	if ((*uid == NO_ID && (u32)given[0] != NO_ID) || (*gid == NO_ID && (u32)given[1] != NO_ID))
		return -EINVAL;
	return 0;
}

s64 sys_fchownat(struct thread *t, const u64 *a)
{
	u32 uid, gid;
	s64 result = keep_owners(t, a + 2, &uid, &gid);

	if (result)
		return result;
	WITH_NAME(t, a[1], name, result,
		  vfs_fchownat(&t->vfs, (int)a[0], name, uid, gid, (u32)a[4]));
	return result;
}

s64 sys_chown(struct thread *t, const u64 *a)
{
	return sys_fchownat(t, (u64[]){(u64)AT_FDCWD, a[0], a[1], a[2], 0});
}

s64 sys_lchown(struct thread *t, const u64 *a)
{
	return sys_fchownat(t, (u64[]){(u64)AT_FDCWD, a[0], a[1], a[2], AT_SYMLINK_NOFOLLOW});
}

s64 sys_fchown(struct thread *t, const u64 *a)
{
	u32 uid, gid;
	int err = keep_owners(t, a + 1, &uid, &gid);

	return err ? err : vfs_fchown(&t->vfs, (int)a[0], uid, gid);
}

s64 sys_faccessat2(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAME(t, a[1], name, result,
		  vfs_faccessat2(&t->vfs, (int)a[0], name, (u32)a[2], (u32)a[3]));
	return result;
}

s64 sys_faccessat(struct thread *t, const u64 *a)
{
	return sys_faccessat2(t, (u64[]){a[0], a[1], a[2], 0});
}

s64 sys_access(struct thread *t, const u64 *a)
{
	return sys_faccessat2(t, (u64[]){(u64)AT_FDCWD, a[0], a[1], 0});
}

s64 sys_truncate(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAME(t, a[0], name, result, vfs_truncate(&t->vfs, name, (s64)a[1]));
	return result;
}

/* ---- times ---- */

static s64 set_times(struct thread *t, int dirfd, u64 path, const struct vfs_time *times, u32 flags)
{
	s64 result;

	if (!path)
		return vfs_utimensat(&t->vfs, dirfd, NULL, times, flags);
	WITH_NAME(t, path, name, result, vfs_utimensat(&t->vfs, dirfd, name, times, flags));
	return result;
}

s64 sys_utimensat(struct thread *t, const u64 *a)
{
	struct vfs_time times[2];
	struct k_timespec ts[2];

	if (!a[2])
		return set_times(t, (int)a[0], a[1], NULL, (u32)a[3]);
	if (copy_in(t, ts, a[2], sizeof(ts)))
		return -EFAULT;
	for (u32 i = 0; i < 2; i++) {
		if (ts[i].nsec != UTIME_NOW && ts[i].nsec != UTIME_OMIT &&
		    (ts[i].nsec < 0 || ts[i].nsec > 999999999))
			return -EINVAL;
		times[i] = (struct vfs_time){ts[i].sec, (u32)ts[i].nsec};
	}
	return set_times(t, (int)a[0], a[1], times, (u32)a[3]);
}

s64 sys_futimesat(struct thread *t, const u64 *a)
{
	struct vfs_time times[2];
	struct k_timeval tv[2];

	if (!a[2])
		return set_times(t, (int)a[0], a[1], NULL, 0);
	if (copy_in(t, tv, a[2], sizeof(tv)))
		return -EFAULT;
	for (u32 i = 0; i < 2; i++) {
		if (tv[i].usec < 0 || tv[i].usec > 999999)
			return -EINVAL;
		times[i] = (struct vfs_time){tv[i].sec, (u32)tv[i].usec * 1000};
	}
	return set_times(t, (int)a[0], a[1], times, 0);
}

s64 sys_utimes(struct thread *t, const u64 *a)
{
	return sys_futimesat(t, (u64[]){(u64)AT_FDCWD, a[0], a[1]});
}

s64 sys_utime(struct thread *t, const u64 *a)
{
	s64 in[2];
	struct vfs_time times[2] = {0};

	if (!a[1])
		return set_times(t, AT_FDCWD, a[0], NULL, 0);
	if (copy_in(t, in, a[1], sizeof(in)))
		return -EFAULT;
	times[0].sec = in[0];
	times[1].sec = in[1];
	return set_times(t, AT_FDCWD, a[0], times, 0);
}

/* ---- where a process is ---- */

s64 sys_chdir(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAME(t, a[0], name, result, vfs_chdir(&t->vfs, name));
	return result;
}

s64 sys_fchdir(struct thread *t, const u64 *a)
{
	return vfs_fchdir(&t->vfs, (int)a[0]);
}

s64 sys_chroot(struct thread *t, const u64 *a)
{
	s64 result;

	WITH_NAME(t, a[0], name, result, vfs_chroot(&t->vfs, name));
	return result;
}

s64 sys_getcwd(struct thread *t, const u64 *a)
{
	char *name = malloc(VFS_PATH_MAX);
	s64 len = name ? vfs_getcwd(&t->vfs, name, VFS_PATH_MAX) : -ENOMEM;

	if (len > (s64)a[1] && len > 0)
		len = -ERANGE;
	if (len > 0 && copy_out(t, a[0], name, (u64)len))
		len = -EFAULT;
	free(name);
	return len;
}

s64 sys_umask(struct thread *t, const u64 *a)
{
	return vfs_umask(&t->vfs, (u32)a[0]);
}
