/*
 * stat and its relatives: what the VFS knows, in the layouts that Linux x86-64 programs expect.
 *
 * Runs in: the personality's domain. Source: stat(2), statx(2), statfs(2).
 */
#include "name.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>

struct k_stat {
	u64 dev, ino, nlink;
	u32 mode, uid, gid, pad;
	u64 rdev;
	s64 size, blksize, blocks;
	struct k_timespec atime, mtime, ctime;
	s64 unused[3];
};

static_assert(sizeof(struct k_stat) == 144, "struct stat");

struct k_statx_time {
	s64 sec;
	u32 nsec;
	s32 pad;
};

struct k_statx {
	u32 mask, blksize;
	u64 attributes;
	u32 nlink, uid, gid;
	u16 mode, pad;
	u64 ino, size, blocks, attributes_mask;
	struct k_statx_time atime, btime, ctime, mtime;
	u32 rdev_major, rdev_minor, dev_major, dev_minor;
	u64 mnt_id;
	u32 dio_mem_align, dio_offset_align;
	u64 spare[12];
};

static_assert(sizeof(struct k_statx) == 256, "struct statx");

struct k_statfs {
	s64 type, bsize;
	u64 blocks, bfree, bavail, files, ffree;
	u64 fsid;
	s64 namelen, frsize, flags, spare[4];
};

static_assert(sizeof(struct k_statfs) == 120, "struct statfs");

#define STATX_BASIC         0x7ffu
#define STATX_BTIME         0x800u
#define STATX_MNT_ID        0x1000u
#define STATX_MNT_ID_UNIQUE 0x4000u
#define STATX_RESERVED      0x80000000u

static struct k_timespec time_of(struct vfs_time t)
{
	return (struct k_timespec){t.sec, t.nsec};
}

static s64 give_stat(struct thread *t, u64 to, const struct vfs_stat *s)
{
	struct k_stat out = {
		.dev = s->dev,
		.ino = s->ino,
		.nlink = s->nlink,
		.mode = s->mode,
		.uid = show_uid(t, s->uid),
		.gid = show_gid(t, s->gid),
		.rdev = s->rdev,
		.size = (s64)s->size,
		.blksize = s->blksize,
		.blocks = (s64)s->blocks,
		.atime = time_of(s->atime),
		.mtime = time_of(s->mtime),
		.ctime = time_of(s->ctime),
	};

	return copy_out(t, to, &out, sizeof(out));
}

static s64 stat_at(struct thread *t, int dirfd, u64 path, u64 to, u32 flags)
{
	struct vfs_stat s;
	char *name;
	int err = name_get(t, path, &name);

	if (!err)
		err = vfs_statat(&t->vfs, dirfd, name, flags, &s);
	name_put(name);
	return err ? err : give_stat(t, to, &s);
}

s64 sys_stat(struct thread *t, const u64 *a)
{
	return stat_at(t, AT_FDCWD, a[0], a[1], 0);
}

s64 sys_lstat(struct thread *t, const u64 *a)
{
	return stat_at(t, AT_FDCWD, a[0], a[1], AT_SYMLINK_NOFOLLOW);
}

s64 sys_newfstatat(struct thread *t, const u64 *a)
{
	return stat_at(t, (int)a[0], a[1], a[2], (u32)a[3]);
}

s64 sys_fstat(struct thread *t, const u64 *a)
{
	struct vfs_stat s;
	int err = vfs_fstat(&t->vfs, (int)a[0], &s);

	return err ? err : give_stat(t, a[1], &s);
}

static struct k_statx_time statx_time(struct vfs_time t)
{
	return (struct k_statx_time){.sec = t.sec, .nsec = t.nsec};
}

s64 sys_statx(struct thread *t, const u64 *a)
{
	u32 mnt_id = a[3] & STATX_MNT_ID_UNIQUE ? STATX_MNT_ID_UNIQUE : STATX_MNT_ID;
	struct k_statx out = {.mask = STATX_BASIC | mnt_id};
	struct vfs_stat s;
	char *name = NULL;
	int err;

	if ((a[3] & STATX_RESERVED) || (a[2] & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	err = a[1] ? name_get(t, a[1], &name) : 0;
	if (!err)
		err = vfs_statat(&t->vfs, (int)a[0], name, (u32)a[2], &s);
	name_put(name);
	if (err)
		return err;
	out.blksize = s.blksize;
	out.attributes = s.attributes;
	out.nlink = s.nlink;
	out.uid = show_uid(t, s.uid);
	out.gid = show_gid(t, s.gid);
	out.mode = (u16)s.mode;
	out.ino = s.ino;
	out.size = s.size;
	out.blocks = s.blocks;
	out.attributes_mask = s.attributes_mask;
	out.atime = statx_time(s.atime);
	if ((a[3] & STATX_BTIME) && s.has_btime) {
		out.mask |= STATX_BTIME;
		out.btime = statx_time(s.btime);
	}
	out.ctime = statx_time(s.ctime);
	out.mtime = statx_time(s.mtime);
	out.rdev_major = VFS_MAJOR(s.rdev);
	out.rdev_minor = VFS_MINOR(s.rdev);
	out.dev_major = VFS_MAJOR(s.dev);
	out.dev_minor = VFS_MINOR(s.dev);
	out.mnt_id = mnt_id == STATX_MNT_ID ? s.mnt_id : s.mnt_id_unique;
	return copy_out(t, a[4], &out, sizeof(out));
}

static s64 give_statfs(struct thread *t, u64 to, const struct vfs_statfs *s)
{
	struct k_statfs out = {
		.type = (s64)s->type,
		.bsize = (s64)s->bsize,
		.blocks = s->blocks,
		.bfree = s->bfree,
		.bavail = s->bavail,
		.files = s->files,
		.ffree = s->ffree,
		.fsid = s->fsid,
		.namelen = (s64)s->namelen,
		.frsize = (s64)s->frsize,
		.flags = (s64)s->flags,
	};

	return copy_out(t, to, &out, sizeof(out));
}

s64 sys_statfs(struct thread *t, const u64 *a)
{
	struct vfs_statfs s;
	char *name;
	int err = name_get(t, a[0], &name);

	if (!err)
		err = vfs_statfs(&t->vfs, name, &s);
	name_put(name);
	return err ? err : give_statfs(t, a[1], &s);
}

s64 sys_fstatfs(struct thread *t, const u64 *a)
{
	struct vfs_statfs s;
	int err = vfs_fstatfs(&t->vfs, (int)a[0], &s);

	return err ? err : give_statfs(t, a[1], &s);
}
