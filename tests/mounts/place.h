/*
 * A mount namespace of its own for a case, the newer calls, and shorthands.
 */
#ifndef PLACE_H
#define PLACE_H

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Numbers of Linux 7.3, which older headers lack. */
#define NR_open_tree           428
#define NR_move_mount          429
#define NR_fsopen              430
#define NR_fsconfig            431
#define NR_fsmount             432
#define NR_fspick              433
#define NR_mount_setattr       442
#define NR_statmount           457
#define NR_listmount           458
#define NR_open_tree_attr      467
#define NR_listns              470
#define OPEN_TREE_CLONE_       1
#define OPEN_TREE_NAMESPACE_   2
#define AT_RECURSIVE_          0x8000
#define MOVE_F_EMPTY           0x004
#define MOVE_T_EMPTY           0x040
#define MOVE_SET_GROUP         0x100
#define MOVE_BENEATH           0x200
#define ATTR_RDONLY            0x1ul
#define ATTR_NOSUID            0x2ul
#define ATTR_NODEV             0x4ul
#define ATTR_NOEXEC            0x8ul
#define ATTR__ATIME            0x70ul
#define ATTR_NOATIME           0x10ul
#define ATTR_STRICTATIME       0x20ul
#define ATTR_NODIRATIME        0x80ul
#define ATTR_IDMAP             0x100000ul
#define ATTR_NOSYMFOLLOW       0x200000ul
#define UNSHARE_EMPTY_MNTNS_   0x00100000
#define MOUNT_NOSYMFOLLOW_FLAG 256

struct mount_attr_ {
	uint64_t set, clear, propagation, userns_fd;
};

/**
 * A new namespace whose mounts are private, with the folders a, b, c, d in the working directory,
 * which is a tmpfs.
 */
void place(void);

int open_tree_(int fd, const char *path, unsigned flags);
int move_mount_(int from, const char *from_path, int to, const char *to_path, unsigned flags);
int setattr_(int fd, const char *path, unsigned flags, uint64_t set, uint64_t clear,
	     uint64_t propagation);

/** Mount a tmpfs; 0 or -1. */
int tmpfs(const char *where);
int bind_(const char *from, const char *to, unsigned long flags);
int kind(const char *where, unsigned long flags);
/** Is the path there? */
bool there(const char *path);
/** Make an empty file; 0 or -1. */
int touch(const char *path);
/** The line of /proc/self/mountinfo of the topmost mount on a folder below the place; "" if none.
 */
const char *info_of(const char *where);
/** How many mounts does the process see? */
int count_mounts(void);
/** The number that follows a word such as "shared:" in a line; 0: it is not there. */
int number_after(const char *line, const char *word);
/** The exit status of a function run in a child; 128 and more: a signal. */
int status_of(void (*fn)(void));

/** Write a text to a file that is there; 0 or -1. Read one; "" if it cannot be read. */
int put(const char *path, const char *text);
const char *text_of(const char *path);
/** A place in a user namespace of user 1000, who is 0 in it, with mounts of its own. */
void be_root_of_little(void);

#endif
