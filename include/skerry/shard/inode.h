/*
 * Calls between shards about inodes and names; see services/vfs/far.h for the idea.
 *
 * A file system's number has its home core above FAR_SB_SHIFT, an inode's the core where it lives
 * above FAR_INO_SHIFT: no table of who has what is needed. Both are given once and never again.
 *
 * Who asks has checked permission (a core's personality is trusted; its bytes are checked). Names
 * follow the structures, without NULs.
 */
#ifndef SKERRY_SHARD_INODE_H
#define SKERRY_SHARD_INODE_H

#include <skerry/shard.h>

#define FAR_SB_SHIFT   40u
#define FAR_INO_SHIFT  40u

#define FAR_OP(number) SHARD_OP(SHARD_INODES, number)

/* To the home of a file system. */
#define FAR_SB          FAR_OP(0) /* u64: I have a part of it -> struct far_super, type, options */
#define FAR_SB_PUT      FAR_OP(1) /* tell, u64: nothing here uses my part of it any more */
#define FAR_STATFS      FAR_OP(2) /* u64 -> struct far_statfs */
#define FAR_RENAME_LOCK FAR_OP(3) /* u64: renames over several directories take turns */
#define FAR_RENAME_END  FAR_OP(4) /* tell, u64 */
/* From the home of a file system. */
#define FAR_SB_END FAR_OP(5) /* tell, u64: it is gone */

/* To the home of an inode. */
#define FAR_ATTR       FAR_OP(8)  /* struct far_node: I refer to it -> struct far_attr */
#define FAR_STAT       FAR_OP(9)  /* struct far_node -> struct far_attr */
#define FAR_DROP       FAR_OP(10) /* tell, struct far_drop: I do not refer to it any more */
#define FAR_READLINK   FAR_OP(11) /* struct far_node -> the target */
#define FAR_SET_ATTR   FAR_OP(12) /* struct far_set_attr -> struct far_attr */
#define FAR_NLINK      FAR_OP(13) /* struct far_nlink */
#define FAR_READ       FAR_OP(14) /* struct far_io -> data */
#define FAR_WRITE      FAR_OP(15) /* struct far_io, data -> s64 position behind it; bytes */
#define FAR_SEEK       FAR_OP(16) /* struct far_io -> position */
#define FAR_FALLOCATE  FAR_OP(17) /* struct far_io */
#define FAR_XATTR      FAR_OP(18) /* struct far_xattr, name, value -> value or names */
#define FAR_USE        FAR_OP(19) /* struct far_use: -ETXTBSY */
#define FAR_PAGE       FAR_OP(21) /* struct far_io: pages -> which there are; their names */
#define FAR_SET_FLAGS  FAR_OP(20) /* struct far_set_flags */
#define FAR_LOCK       FAR_OP(22) /* struct far_lock -> struct lock_request: who is in the way */
#define FAR_LOCK_END   FAR_OP(23) /* call or tell, struct far_lock: those of an owner end */
#define FAR_LOCK_MOVED FAR_OP(24) /* tell, struct far_lock: the owner lives on another core now */
/* To the home of a directory. */
#define FAR_LOOKUP  FAR_OP(32) /* struct far_name -> struct far_found; -ENOENT */
#define FAR_READDIR FAR_OP(33) /* struct far_io -> struct far_dirent, name; ... */
#define FAR_LINK    FAR_OP(34) /* struct far_link, name */
#define FAR_UNLINK  FAR_OP(35) /* struct far_unlink, name */
#define FAR_RENAME  FAR_OP(36) /* struct far_rename, names: to the home of the old one */
#define FAR_ENTER   FAR_OP(37) /* struct far_enter, name: one half of a rename */
#define FAR_BELOW   FAR_OP(38) /* struct far_below: 1: it is; 0 -> u64: ask further from there */
/* To those who refer to an inode. */
#define FAR_ATTRS        FAR_OP(48) /* struct far_attrs: it has new ones */
#define FAR_RECALL       FAR_OP(49) /* struct far_name: forget it; FAR_KEPT: it is in use here */
#define FAR_GONE         FAR_OP(50) /* struct far_name: it is gone, with all that is mounted there */
#define FAR_MOVED        FAR_OP(51) /* struct far_moved, names */
#define FAR_PAGES_RECALL FAR_OP(52) /* struct far_io: these pages are no longer the file's */
#define FAR_UNUSED       FAR_OP(53) /* struct far_node: run it no longer, if you do not: 1 */

struct far_node {
	u64 sb, ino;
};

struct far_time {
	s64 sec;
	u32 nsec, zero;
};

#define FAR_HAS_XATTRS 1u
#define FAR_LINKABLE   2u /* made by O_TMPFILE, and has no name yet */

struct far_attr {
	u64 ino, size, blocks;
	struct far_time atime, mtime, ctime, btime;
	u32 mode, nlink, uid, gid, rdev, flags, seals;
	u32 version; /* counts changes of what follows blocks and is no time */
	u32 bits;    /* FAR_HAS_XATTRS ... */
	u32 zero;
};

static_assert(sizeof(struct far_attr) == 128, "no holes");

struct far_super {
	u64 root; /* its number */
	u64 max_pages, max_inodes;
	u32 dev, magic;
	u32 flags; /* FAR_SB_* */
	u32 type_len, options_len, zero;
};

#define FAR_SB_READONLY 1u
#define FAR_SB_NODEV    2u
#define FAR_SB_XATTRS   4u
#define FAR_SB_LOCAL    8u /* every core has an instance of its own (proc) */

static_assert(sizeof(struct far_super) == 48, "no holes");

struct far_statfs {
	u64 blocks, bfree, bavail, files, ffree;
};

struct far_drop {
	struct far_node file;
	u64 count; /* how often it was given to the core that tells this */
};

struct far_set_attr {
	struct far_node file;
	u32 valid, mode, uid, gid;
	u64 size;
	struct far_time atime, mtime, ctime;
};

static_assert(sizeof(struct far_set_attr) == 88, "no holes");

#define FAR_REMOVE 1u /* a directory: it must be empty, and is gone then */
#define FAR_REVIVE 2u /* the removal did not take place after all */
#define FAR_ADOPT  4u /* a directory: @parent is where it is now */

struct far_nlink {
	struct far_node file;
	u64 parent;
	s32 delta;
	u32 flags; /* FAR_REMOVE ... */
};

struct far_io {
	struct far_node file;
	s64 pos;
	u64 len;
	u64 limit;       /* no write goes beyond */
	u32 mount_flags; /* VFS_MNT_*: does reading change the time? */
	u32 flags;       /* FAR_APPEND, ...; whence; mode of fallocate */
};

#define FAR_APPEND 1u
#define FAR_FSETID 2u /* who writes may keep set-id bits */

static_assert(sizeof(struct far_io) == 48, "no holes");

struct far_dirent {
	u64 ino, next;
	u32 type, len;
};

struct far_name {
	struct far_node dir;
	u32 len, flags;
};

#define FAR_LEASED 1u /* you will hear when it changes */
#define FAR_GIVEN  2u /* the inode lives here, and counts you */

struct far_found {
	struct far_attr attr; /* but for FAR_GIVEN: ino and mode only */
	u32 flags, zero;
};

struct far_link {
	struct far_node dir;
	struct far_attr attr; /* of the inode that gets a name: from its home, which counts you */
	u32 len, flags;       /* FAR_NEW */
};

#define FAR_NEW   1u /* made just now by who asks: links need not be counted */
#define FAR_COUNT 2u /* the home of the inode has counted the link already, and you as well */

struct far_unlink {
	struct far_node dir;
	u64 ino;
	u32 len, flags; /* FAR_DIRECTORY, FAR_DONE */
};

#define FAR_DIRECTORY 1u
#define FAR_DONE      2u /* who asks sees to the inode itself */

struct far_rename {
	struct far_node olddir;
	u64 newdir, old, replaced; /* replaced 0: nobody */
	u32 oldlen, newlen;
	u32 flags;    /* FAR_EXCHANGE ... */
	u32 uid, gid; /* of a whiteout */
	u32 zero;
};

#define FAR_EXCHANGE 1u
#define FAR_WHITEOUT 2u

static_assert(sizeof(struct far_rename) == 64, "no holes");

struct far_enter {
	struct far_node dir;
	u64 olddir, ino, replaced; /* ino enters */
	u32 len, flags;            /* FAR_EXCHANGE */
};

/* A lock of a file. Owners are tables of descriptors and open files, by numbers of one core only.
 */
struct lock_request {
	u64 owner;
	s64 start, end; /* both included */
	s32 pid;        /* as F_GETLK tells it; -1: an open file's */
	u32 core;       /* where the owner lives: its locks end with that */
	u32 type;       /* F_RDLCK, F_WRLCK, F_UNLCK */
	u32 flags;      /* LOCK_REQUEST_* */
};

#define LOCK_REQUEST_GET   1u /* who is in the way? type F_UNLCK: nobody */
#define LOCK_REQUEST_WAIT  2u
#define LOCK_REQUEST_FLOCK 4u /* flock(2)'s: of the whole file; FAR_LOCK_END: these, too */

struct far_lock {
	struct far_node file;
	struct lock_request want;
};

static_assert(sizeof(struct far_lock) == 56, "no holes");

/* Is a directory below the one of number @above, or the same? Renames of directories are locked. */
struct far_below {
	struct far_node dir;
	u64 above;
};

struct far_attrs {
	u64 sb;
	struct far_attr attr;
};

struct far_moved {
	struct far_node olddir;
	u64 newdir;
	u32 oldlen, newlen;
};

struct far_xattr {
	struct far_node file;
	u32 what; /* FAR_XATTR_* */
	u32 flags;
	u32 name_len, size; /* of the value, or room for it */
};

#define FAR_XATTR_GET    0u
#define FAR_XATTR_SET    1u
#define FAR_XATTR_REMOVE 2u
#define FAR_XATTR_LIST   3u

/* A core counts at most once: who asks has somebody who writes (1), runs it (-1), or neither. */
struct far_use {
	struct far_node file;
	s32 uses;
	u32 zero;
};

struct far_set_flags {
	struct far_node file;
	u32 what; /* 0: VFS_FL_*, 1: SEAL_* */
	u32 value;
};

#endif
