/*
 * Open files between cores: what one core tells another of them.
 *
 * An open file is at home on the core that opened it. Another core has a proxy, which knows the
 * file by the home's number for it; numbers are never used again. The home counts references by
 * core: what is handed out (FILE_DESC on its way, or a proxy) is a reference of the core it is
 * meant for, and is given back by that core, or dropped when it dies.
 *
 * A file that is not bound to a core (a device without state, a set of signals) is made anew where
 * it arrives; its kind says by whom.
 *
 * Sources: services/vfs/far_file.h for who sends what; lib/shard/shard.h for how.
 */
#ifndef SKERRY_SHARD_FILE_H
#define SKERRY_SHARD_FILE_H

#include <skerry/types.h>

/* Kinds of descriptors. Those from FILE_KIND_REMADE on are made anew by who registered them. */
#define FILE_KIND_PROXY  1u
#define FILE_KIND_REMADE 16u
#define FILE_KIND_DEVICE 16u /* aux: the device's number; opened here */
#define FILE_KINDS       32u

#define FILE_NAME_BYTES  56u

/* An open file on its way to another core. */
struct file_desc {
	u32 kind; /* FILE_KIND_* */
	u32 home; /* core */
	u64 id;   /* the home's number of it; 0: none (made anew) */
	u64 ino;  /* of what it is open on, and its device as stat(2) tells it */
	u32 dev, rdev;
	u32 flags;                  /* O_* */
	u32 mode;                   /* FILE_READ and its like */
	u32 type;                   /* S_IF* and permissions of what it is open on */
	u32 traits;                 /* FILE_HAS_* */
	u64 aux[2];                 /* of the kind */
	char name[FILE_NAME_BYTES]; /* as /proc/PID/fd shows it, with its NUL; cut if long */
};

static_assert(sizeof(struct file_desc) == 128, "two cache lines");

/* What can be done with the file that is at home: operations that are there. */
#define FILE_HAS_SEEK      0x01u
#define FILE_HAS_POLL      0x02u
#define FILE_HAS_READDIR   0x04u
#define FILE_HAS_PAGES     0x08u
#define FILE_HAS_READ      0x10u
#define FILE_HAS_WRITE     0x20u
#define FILE_SEEKS_NOWHERE 0x40u /* lseek succeeds and does nothing */
#define FILE_IS_EPOLL      0x80u

/* A descriptor of a process that moves: the number, FD_CLOEXEC, and its open file. */
struct fd_desc {
	u32 fd;
	u32 cloexec;
	struct file_desc file;
};

static_assert(sizeof(struct fd_desc) == 136, "no holes");

#endif
