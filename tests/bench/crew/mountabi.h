/*
 * Numbers of Linux's mount API that a C library may not know yet (Linux 7.0 to 7.3, uapi
 * linux/mount.h, linux/sched.h and the table of system calls).
 */
#ifndef BENCH_MOUNTABI_H
#define BENCH_MOUNTABI_H

#include <fcntl.h>
#include <sys/syscall.h>

#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_fsopen
#define SYS_fsopen   430
#define SYS_fsconfig 431
#define SYS_fsmount  432
#endif

#define FSOPEN_CLOEXEC      1u
#define FSCONFIG_CMD_CREATE 6u
#define FSMOUNT_CLOEXEC     1u

#define OPEN_TREE_CLONE     1u
#define OPEN_TREE_NAMESPACE 2u
#define OPEN_TREE_CLOEXEC   O_CLOEXEC
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#define UNSHARE_EMPTY_MNTNS 0x00100000

#endif
