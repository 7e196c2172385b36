/*
 * What the files that fill /proc share: proc.c (processes), procmem.c (their memory), proctask.c
 * (what else there is of each), procsys.c (the machine), sysctl.c (/proc/sys).
 */
#ifndef LINUX_PROCFILES_H
#define LINUX_PROCFILES_H

#include "process.h"
#include <vfs/proc.h>

/* proc.c */
/** May @reader look into @pid, as ptrace(2) says? */
bool proc_may_look(void *arg, struct vfs_task *reader, u32 pid);
/** What the /proc that @out is a text of calls @pid; 0: it is not there. */
u32 proc_number(const struct text *out, u32 pid);
/** A line of what @pid is called there, and in each namespace below down to that of @p. */
void proc_show_numbers(const struct process *p, const char *title, u32 pid, struct text *out);
/** Pages of @mm that are not its own alone. */
u64 proc_shared_pages(const struct mm *mm);

/* procmem.c: maps, smaps, smaps_rollup */
int proc_show_maps(void *arg, struct vfs_task *reader, u32 pid, struct text *out);
int proc_show_smaps(void *arg, struct vfs_task *reader, u32 pid, struct text *out);
int proc_show_rollup(void *arg, struct vfs_task *reader, u32 pid, struct text *out);

/* Each adds its files. 0 or -ENOMEM. */
int proctask_init(struct vfs *vfs);
int sysctl_init(struct vfs *vfs);

#endif
