/*
 * procfs from inside: procfs.c, proc_fd.c. Private to services/vfs.
 */
#ifndef VFS_PROCFS_H
#define VFS_PROCFS_H

#include "pseudo.h"

struct procfs {
	const struct proc_provider *provider; /* NULL: no processes yet */
	struct pseudo_node *root;
	struct pseudo_node *process; /* the template of /proc/PID */
};

/* The process of an inode; NULL: gone. Good until the caller blocks. */
struct vfs_task *proc_task(const struct inode *inode);
/* May @t look into it? 0, -ESRCH, -EACCES. */
int proc_may_read(struct vfs_task *t, const struct inode *inode);
/* What @pid is called in the /proc of @sb, 0: it is not there; and whom @nr names, 0: nobody. */
u32 proc_show_pid(const struct superblock *sb, u32 pid);
u32 proc_keep_pid(const struct superblock *sb, u32 nr);
/* A name that is a decimal number below 2^31 without leading zeros; -1: it is not. */
s64 proc_parse_number(const char *name, u32 len);

/* Process @pid as @reader may see it. 0, -ESRCH, -EACCES. */
int proc_find_task(struct vfs_task *reader, u32 pid, struct vfs_task **out);

/* proc_fd.c: add fd, fdinfo to the template. 0 or -ENOMEM. */
int proc_fd_register(struct procfs *proc);
/* proc_ns.c: the same for ns, uid_map, gid_map, setgroups. */
int proc_ns_register(struct vfs *vfs);
/* proc_mounts.c: the same for mounts, mountinfo, mountstats. */
int proc_mounts_register(struct vfs *vfs);

int pseudo_magic_text(struct vfs_task *t, struct inode *inode, struct text *out);

#endif
