/*
 * procfs and sysfs as the personality fills them: files whose text is made when they are read.
 *
 * Entries are tables that live for ever. A name of the global table may have slashes
 * ("sys/kernel/hostname"); the folders come by themselves.
 *
 * What the VFS knows it shows itself: /proc/self, thread-self, mounts, filesystems; and of a
 * process fd, fdinfo, cwd, root, mounts, mountinfo.
 *
 * A /proc shows the processes of a PID namespace under the numbers they have there; functions here
 * get those that the provider knows them by (@pid), and write others into a text as its pid_ns has
 * them.
 *
 * Runs in: the personality, host tests.
 */
#ifndef VFS_PROC_H
#define VFS_PROC_H

#include <vfs/text.h>
#include <vfs/vfs.h>

/* One file. */
struct proc_entry {
	const char *name;
	u32 mode; /* permission bits; with S_IFLNK: show() gives a symbolic link's target */
	/*
	 * Write the file's text. @pid is the process whose directory it is in; 0: none.
	 * May block. 0 or a negative errno (-ESRCH: the process is gone).
	 */
	int (*show)(void *arg, struct vfs_task *reader, u32 pid, struct text *out);
	/* A write(2) of @len bytes, with a NUL after them. NULL: the file cannot be written. */
	int (*store)(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len);
	/* For magic links ("exe"): where it leads, with references; mode has S_IFLNK. */
	int (*follow)(void *arg, struct vfs_task *reader, u32 pid, struct path *out);
	/* The operations of its files, instead of those that read what show() makes. */
	const struct file_ops *fops;
	void *arg; /* of a global entry; those of a process get the provider's */
};

/* A number below /proc/sys. */
struct sysctl {
	u64 *value;
	u64 min, max;
	bool is_signed;
};

/* Functions of an entry whose arg is a struct sysctl; and such an entry. */
int sysctl_show(void *arg, struct vfs_task *reader, u32 pid, struct text *out);
int sysctl_store(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len);
#define SYSCTL(path, bits, ctl)                                                                    \
	.name = path, .mode = bits, .show = sysctl_show, .store = sysctl_store, .arg = (ctl)

/* What the personality knows of its processes. */
struct proc_provider {
	void *arg;
	/*
	 * PID namespaces: what @pid is called in one, 0 if it is not there; and who is called so, 0
	 * if nobody is. NULL, both: there are none.
	 */
	u32 (*show)(void *arg, struct ns *ns, u32 pid);
	u32 (*keep)(void *arg, struct ns *ns, u32 nr);
	/* The lowest number >= @from that a process has in @ns; 0: none. */
	u32 (*next_pid)(void *arg, struct ns *ns, u32 from);
	/* The same of the threads of @pid. NULL: it has one, of the same number. */
	u32 (*next_tid)(void *arg, struct ns *ns, u32 pid, u32 from);
	/*
	 * A process's part in the VFS, good until the caller next blocks; NULL: no such process.
	 * A zombie has a task whose files and fs are NULL.
	 */
	struct vfs_task *(*task)(void *arg, u32 pid);
	/* May @reader look into @pid (as ptrace(2) says): fd/, cwd, root, exe, environ, maps. */
	bool (*may_read)(void *arg, struct vfs_task *reader, u32 pid);
	/*
	 * Does @pid live elsewhere? Then its files' texts are made and taken there, by their path
	 * below /proc/PID. NULL: none does.
	 */
	bool (*is_far)(void *arg, u32 pid);
	int (*far_show)(void *arg, struct vfs_task *reader, u32 pid, const char *path,
			struct text *out);
	int (*far_store)(void *arg, struct vfs_task *writer, u32 pid, const char *path,
			 const char *text, size_t len);
	const struct proc_entry *entries; /* of each process: stat, status, maps, cmdline ... */
	u32 nentries;
};

/* Set who knows the processes; before /proc is used. */
/* 0 or -ENOMEM. */
int procfs_set_provider(struct vfs *vfs, const struct proc_provider *provider);

/* Add files to /proc. 0, -ENOMEM, -EEXIST. */
int procfs_add(struct vfs *vfs, const struct proc_entry *entries, u32 n);
/* Add files to each process's folder, with their own args. 0, -ENOMEM, -EEXIST. */
int procfs_add_to_processes(struct vfs *vfs, const struct proc_entry *entries, u32 n);
/* Add files to /sys: "kernel/skerry/messages", "devices/system/cpu/online". */
int sysfs_add(struct vfs *vfs, const struct proc_entry *entries, u32 n);
/* @fill adds more files, when somebody first looks into /sys; its error is that of the look. */
void sysfs_set_filler(struct vfs *vfs, int (*fill)(struct vfs *vfs));

/*
 * A file of process @pid by its path below /proc/PID, for who asks from afar: its text (of a link:
 * where it leads), and writing it. 0, -ENOENT, the file's own errors.
 */
int procfs_show(struct vfs *vfs, struct vfs_task *reader, u32 pid, const char *path,
		struct text *out);
int procfs_store(struct vfs *vfs, struct vfs_task *writer, u32 pid, const char *path,
		 const char *text, size_t len);

/* The process whose folder /proc/PID @file is, by its number; 0: it is something else. */
u32 procfs_process_of(const struct file *file);

#endif
