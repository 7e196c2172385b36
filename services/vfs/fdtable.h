/*
 * A table of descriptors from inside: fdtable.c and fcntl.c. Private to services/vfs.
 */
#ifndef VFS_FDTABLE_H
#define VFS_FDTABLE_H

#include <vfs/file.h>

struct fd_slot {
	struct file *file;
	bool cloexec;
	bool reserved; /* and no file yet */
};

struct fd_table {
	struct vfs *vfs;
	struct fd_slot *slots;
	u32 nslots, refs;
	u32 hint;    /* no descriptor below is free */
	u64 owner;   /* of record locks */
	bool locked; /* some have been set */
};

/* Make slot @fd exist. 0, -ENOMEM, -EMFILE. */
int fd_table_grow(struct fd_table *table, u32 fd);

/* F_DUPFD */
int fd_dup_from(struct vfs_task *t, int fd, u64 from, bool cloexec);
int fd_set_cloexec(struct vfs_task *t, int fd, bool cloexec);

#endif
