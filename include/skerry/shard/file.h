/*
 * Open files between cores: what one core tells another of them.
 *
 * An open file is at home on the core that opened it. Another core has a proxy, which knows the
 * file by the home's number for it; numbers are never used again. The home counts references by
 * core: what is handed out (a struct file_desc on its way, or a proxy) is a reference of the core
 * it is meant for, and is given back by that core, or dropped when it dies.
 *
 * A file that is not bound to a core (a device without state, a set of signals) is made anew where
 * it arrives; its kind says by whom.
 *
 * Who sends what: services/vfs/far_file.h; how: lib/shard/shard.h.
 */
#ifndef SKERRY_SHARD_FILE_H
#define SKERRY_SHARD_FILE_H

#include <skerry/shard/process.h>

/* --- An open file on its way to another core --- */

/* Kinds. Those from FILE_KIND_REMADE on are made anew by who registered them. */
#define FILE_KIND_PROXY    1u
#define FILE_KIND_WATCHED  2u /* the same, but the reference does not keep the file open */
#define FILE_KIND_REMADE   16u
#define FILE_KIND_DEVICE   16u /* rdev; a device without state */
#define FILE_KIND_SIGNALFD 17u /* aux: the set */
#define FILE_KIND_PIDFD    18u /* aux: the process */
#define FILE_KINDS         32u

#define FILE_NAME_BYTES    56u

struct file_desc {
	u32 kind;                   /* FILE_KIND_* */
	u32 home;                   /* core */
	u64 id;                     /* the home's number of it; 0: none (made anew) */
	u64 ino;                    /* of what it is open on */
	u32 rdev;                   /* of a device */
	u32 zero;                   /* is 0 */
	u32 flags;                  /* O_* */
	u32 mode;                   /* FILE_READ and its like */
	u32 type;                   /* S_IF* and permissions of what it is open on */
	u32 traits;                 /* FILE_HAS_* */
	u64 aux[3];                 /* of the kind */
	char name[FILE_NAME_BYTES]; /* as /proc/PID/fd shows it, with its NUL; cut if long */
};

static_assert(sizeof(struct file_desc) == 128, "two cache lines");

/* Operations that the file at home has, for what depends on that. */
#define FILE_HAS_SEEK      0x01u
#define FILE_SEEKS_NOWHERE 0x02u /* lseek(2) succeeds and does nothing */
#define FILE_HAS_POLL      0x04u
#define FILE_HAS_READDIR   0x08u
#define FILE_HAS_PLACE     0x10u /* in the tree: FILES_PLACE tells where */
#define FILE_HAS_PAGES     0x20u
#define FILE_IS_PIPE       0x40u
#define FILE_IS_EPOLL      0x80u
#define FILE_IS_PTY_MASTER 0x200u /* aux: its number */

/* A descriptor of a process that moves. */
struct fd_desc {
	u32 fd;
	u32 flags; /* FD_DESC_* */
	struct file_desc file;
};

#define FD_DESC_CLOEXEC 1u
#define FD_DESC_LOCKED  2u /* record locks have been set through the table */

static_assert(sizeof(struct fd_desc) == 136, "no holes");

/* --- Operations --- */

#define FILE_OP(number) SHARD_OP(SHARD_FILES, number)

/*
 * A call is struct file_ask, .who_bytes of who asks (the personality's), and data; its answer is
 * struct file_answer and data. What is said of each: which fields count beside id.
 */
#define FILES_LEND        FILE_OP(0x00) /* core, what (weak): one more reference is that core's */
#define FILES_DROP        FILE_OP(0x01) /* core, what (weak), len: so many are given back */
#define FILES_READ        FILE_OP(0x02) /* flags, pos, len; answer: bytes */
#define FILES_WRITE       FILE_OP(0x03) /* flags, pos; data: bytes */
#define FILES_SEEK        FILE_OP(0x04) /* what (SEEK_*), pos */
#define FILES_POLL        FILE_OP(0x05) /* what (FILE_WATCH_*) */
#define FILES_UNWATCH     FILE_OP(0x06) /* tell */
#define FILES_IOCTL       FILE_OP(0x07) /* what (command), fd, arg */
#define FILES_FCNTL       FILE_OP(0x08) /* what (command), fd, arg */
#define FILES_READDIR     FILE_OP(0x09) /* pos, len; answer: struct file_name[] */
#define FILES_FALLOCATE   FILE_OP(0x0a) /* what (mode), pos, len */
#define FILES_FSYNC       FILE_OP(0x0b) /* what (data only) */
#define FILES_LOCK        FILE_OP(0x0c) /* what (command), arg (owner); data, answer: struct flock */
#define FILES_FLOCK       FILE_OP(0x0d) /* what (operation) */
#define FILES_CLOSED      FILE_OP(0x0e) /* arg (owner): a descriptor; its record locks end */
#define FILES_OWNER_MOVED FILE_OP(0x0f) /* tell; arg (owner): lives on the asking core now */
#define FILES_STAT        FILE_OP(0x10) /* answer: struct file_attr */
#define FILES_SET_ATTR    FILE_OP(0x11) /* data: struct file_attr, what (ATTR_*) */
#define FILES_REOPEN      FILE_OP(0x12) /* what (O_*), flags (FILE_READ..); answer: file_desc */
#define FILES_OPEN_DEVICE FILE_OP(0x13) /* the same; arg: the device's number; no id */
#define FILES_SPLICE      FILE_OP(0x14) /* data: struct file_splice; answer: the same */
#define FILES_EPOLL_CTL   FILE_OP(0x15) /* what (EPOLL_CTL_*), fd; data: event, file_desc */
#define FILES_EPOLL_WAIT  FILE_OP(0x16) /* len (events), arg (ns, ~0: for ever); answer: events */
#define FILES_CONTROL     FILE_OP(0x17) /* what; data, answer: of file_ops.control */
#define FILES_PLACE       FILE_OP(0x18) /* answer: services/vfs/far_place.h */
#define FILES_PAGE        FILE_OP(0x19) /* pos (index), what (make); answer: the personality's */
#define FILES_OPEN        FILE_OP(0x1a) /* as FILES_REOPEN; data: the FIFO's place; no id */

/* From a home to those who have weak references: tell; struct file_ask: the file was closed. */
#define FILES_GONE FILE_OP(0x1f)
/* From a home to those who watch: tell; struct file_change. */
#define FILES_CHANGED FILE_OP(0x20)
/* Of terminals; struct file_tty. */
#define FILES_TTY_STATE FILE_OP(0x21) /* of device .dev; answer: struct file_tty */
#define FILES_TTY_ENDED FILE_OP(0x22) /* tell; the leader of session .session of .dev ended */
#define FILES_SIGNAL    FILE_OP(0x24)
#define FILES_GROUP     FILE_OP(0x25)
#define FILES_OWNER     FILE_OP(0x26)
#define FILES_TTY_TAKEN FILE_OP(0x23) /* session .session is controlled by .dev; 0: by none */

struct file_ask {
	u64 id;
	u32 what, flags;
	s64 pos;
	u64 len, arg;
	u32 fd, core;
	u32 who_bytes;
	u32 zero[3];
};

static_assert(sizeof(struct file_ask) == 64, "no holes");

/* Flags of FILES_READ and FILES_WRITE. */
#define FILE_OWN_POS  0x01u /* at the file's own position, which moves */
#define FILE_NOWAIT   0x02u
#define FILE_APPEND   0x04u /* RWF_APPEND */
#define FILE_NOAPPEND 0x08u

/* What FILES_POLL asks for: to be told of the next change, or of all until FILES_UNWATCH. */
#define FILE_WATCH_NOT  0u
#define FILE_WATCH_ONCE 1u
#define FILE_WATCH_ALL  2u

/* POLL* that held when the home looked for the seq-th time. */
struct file_answer {
	u32 events, seq;
	u64 value;
};

struct file_change {
	u64 id;
	u32 events, seq; /* as above */
	u32 cause;       /* what its queue was woken for */
	u32 zero;
};

static_assert(sizeof(struct file_answer) == 16 && sizeof(struct file_change) == 24, "no holes");

/* A name of a directory, its bytes behind it, padded to 8. */
struct file_name {
	u64 ino, next;
	u32 type, len;
};

struct file_time {
	s64 sec;
	u32 nsec, zero;
};

struct file_attr {
	u64 ino, size, blocks;
	u32 mode, nlink, uid, gid, rdev, seals;
	u32 flags, writers;
	struct file_time atime, mtime, ctime, btime;
};

static_assert(sizeof(struct file_attr) == 120, "no holes");

#define FILE_SPLICE_TEE     1u
#define FILE_SPLICE_IN_POS  2u
#define FILE_SPLICE_OUT_POS 4u
#define FILE_SPLICE_NOWAIT  8u

struct file_splice {
	s64 in_pos, out_pos;
	u64 len;
	u32 flags, zero;
	struct file_desc in, out;
};

struct file_tty {
	u32 dev, pgrp, session, zero;
};

/* FILES_SIGNAL: tell; thread .tid, who asked, gets signal .signo of the system itself. */
struct file_signal {
	u32 tid;
	s32 signo;
};

/* FILES_GROUP: 1: a process of the asked core is in group .pgrp and session .sid. */
struct file_group {
	u32 pgrp, sid;
};

/* FILES_OWNER: tell; a file is ready, and its signals go to .id, wherever that is. */
struct file_owner {
	s32 type; /* VFS_OWNER_* of services/vfs */
	u32 id, uid, euid;
	s32 signo, fd, code;
	u32 events;
};

/* Who asks, as services/linux says it. */
struct file_who {
	u64 fsize_limit;
	u32 ctty;               /* the device of the session's terminal; 0: none */
	u32 ignores;            /* a bit for each signal that is ignored or blocked */
	struct process_who who; /* and groups */
};

static_assert(sizeof(struct file_who) == 88, "no holes");

#endif
