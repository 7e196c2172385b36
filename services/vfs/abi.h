/*
 * Numbers of the Linux x86-64 ABI that the C library's headers lack or spell differently. All
 * others (O_*, S_*, E*, AT_*, F_*) come from <fcntl.h>, <sys/stat.h> and <errno.h>, whose values
 * on x86-64 are the ABI's.
 *
 * Source: open(2), openat2(2), statx(2), fcntl(2), capabilities(7), statfs(2), ioctl_tty(2).
 */
#ifndef VFS_ABI_H
#define VFS_ABI_H

#include <errno.h>
#include <fcntl.h>
#include <skerry/types.h>
#include <sys/stat.h>

/* musl counts O_PATH in; here it is a mask of two bits that tables are indexed by. */
#undef O_ACCMODE
#define O_ACCMODE 3

/* glibc spells this 0 on x86-64; the kernel sets and shows it. */
#define VFS_O_LARGEFILE 0100000
/* O_TMPFILE without O_DIRECTORY; O_SYNC without O_DSYNC. */
#define VFS_O_TMPFILE 020000000
#define VFS_O_SYNC    04000000
#define VFS_O_ASYNC   020000

#ifndef RESOLVE_NO_XDEV
#define RESOLVE_NO_XDEV       0x01
#define RESOLVE_NO_MAGICLINKS 0x02
#define RESOLVE_NO_SYMLINKS   0x04
#define RESOLVE_BENEATH       0x08
#define RESOLVE_IN_ROOT       0x10
#define RESOLVE_CACHED        0x20
#endif

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE  2
#define RENAME_WHITEOUT  4
#endif

#define VFS_RW_MAX 0x7ffff000ul /* bytes that one call moves: read(2) */
#ifndef F_SETOWN_EX
#define F_SETOWN_EX 15
#define F_GETOWN_EX 16
#endif
#define VFS_F_GETOWNER_UIDS 17
#define VFS_F_DUPFD_QUERY   1027
#define VFS_F_CREATED_QUERY 1028

/* Kinds of owners of an open file's signals (struct f_owner_ex). */
#define VFS_OWNER_THREAD  0
#define VFS_OWNER_PROCESS 1
#define VFS_OWNER_GROUP   2

#ifndef FICLONE
#define FICLONE         0x40049409u
#define FICLONERANGE    0x4020940du
#define FS_IOC_GETFLAGS 0x80086601u
#define FS_IOC_SETFLAGS 0x40086602u
#endif

/* Flags of inodes, as FS_IOC_GETFLAGS shows them (ioctl_iflags(2)). */
#define VFS_FL_IMMUTABLE        0x10u
#define VFS_FL_APPEND           0x20u
#define VFS_FL_NODUMP           0x40u
#define VFS_FL_NOATIME          0x80u

#define VFS_PATH_MAX            4096 /* with its NUL */
#define VFS_NAME_MAX            255
#define VFS_SYMLINKS_MAX        40
#define VFS_PIPE_BUF            4096

#define VFS_CAP_CHOWN           0
#define VFS_CAP_DAC_OVERRIDE    1
#define VFS_CAP_DAC_READ_SEARCH 2
#define VFS_CAP_FOWNER          3
#define VFS_CAP_FSETID          4
#define VFS_CAP_SETUID          7
#define VFS_CAP_LINUX_IMMUTABLE 9
#define VFS_CAP_SETGID          6
#define VFS_CAP_SYS_CHROOT      18
#define VFS_CAP_SYS_ADMIN       21
#define VFS_CAP_SYS_RESOURCE    24
#define VFS_CAP_SYS_TTY_CONFIG  26
#define VFS_CAP_MKNOD           27
#define VFS_CAP_LEASE           28
#define VFS_CAP_SETFCAP         31

#define VFS_TMPFS_MAGIC         0x01021994
#define VFS_PROC_MAGIC          0x9fa0
#define VFS_SYSFS_MAGIC         0x62656572
#define VFS_DEVPTS_MAGIC        0x1cd1
#define VFS_PIPEFS_MAGIC        0x50495045
#define VFS_NSFS_MAGIC          0x6e736673
#define VFS_NULLFS_MAGIC        0x4e554c4c

/* Files and identifiers of the namespaces that everything begins in; see <linux/nsfs.h>. */
#define VFS_FIRST_IPC_INUM    0xefffffffu
#define VFS_FIRST_UTS_INUM    0xeffffffeu
#define VFS_FIRST_USER_INUM   0xeffffffdu
#define VFS_FIRST_PID_INUM    0xeffffffcu
#define VFS_FIRST_CGROUP_INUM 0xeffffffbu
#define VFS_FIRST_TIME_INUM   0xeffffffau
#define VFS_FIRST_NET_INUM    0xeffffff9u
#define VFS_FIRST_MNT_INUM    0xeffffff8u
#define VFS_FIRST_IPC_ID      1u
#define VFS_FIRST_UTS_ID      2u
#define VFS_FIRST_USER_ID     3u
#define VFS_FIRST_PID_ID      4u
#define VFS_FIRST_CGROUP_ID   5u
#define VFS_FIRST_TIME_ID     6u
#define VFS_FIRST_NET_ID      7u
#define VFS_FIRST_MNT_ID      8u

/* A device number as inodes keep it: Linux's "new" encoding, as in struct stat. */
#define VFS_DEV(major, minor)                                                                      \
	(((u32)(minor)&0xff) | ((u32)(major) << 8) | (((u32)(minor) & ~0xffu) << 12))
#define VFS_MAJOR(dev) (((u32)(dev) >> 8) & 0xfff)
#define VFS_MINOR(dev) (((u32)(dev)&0xff) | (((u32)(dev) >> 12) & 0xfff00))

#endif
