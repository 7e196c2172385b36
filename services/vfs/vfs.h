/*
 * The virtual file system of one core: what the personality calls.
 *
 * An instance (struct vfs) has its own caches, mounts and devices and shares nothing with other
 * instances. It runs on one thread; calls that block let other fibers of its loop run.
 *
 * Every call is made for a task (struct vfs_task, part of the personality's thread), with
 * paths already copied to this domain (NUL-terminated, shorter than VFS_PATH_MAX) and data given
 * as struct uio. Results are Linux's: 0 or a count, or a negative errno value. Blocking calls give
 * -ERESTARTSYS when interrupted.
 *
 * Where an argument is (dirfd, path): AT_FDCWD and relative paths as in openat(2).
 *
 * Not here: what file systems fill in (inode.h), open files and descriptors (file.h), terminals
 * (tty.h), mounting (mount.h), procfs and sysfs (proc.h).
 * Runs in: the personality, host tests.
 * Source: the manual pages, section 2; path_resolution(7).
 */
#ifndef VFS_VFS_H
#define VFS_VFS_H

#include <vfs/abi.h>
#include <vfs/page.h>
#include <vfs/uio.h>
#include <vfs/wait.h>

struct dentry;
struct fd_table;
struct file;
struct inode;
struct mnt_namespace;
struct mount;
struct ns;
struct tty;
struct user_ns;
struct vfs;
struct vfs_task;

/* A place in the tree: a dentry as seen through one mount. */
struct path {
	struct mount *mnt;
	struct dentry *dentry;
};

/* Who gets an open file's signals, and who said so. */
struct vfs_owner {
	s32 type; /* VFS_OWNER_* */
	u32 id;   /* of a thread, process or group; 0: nobody */
	u32 uid, euid;
};

#define VFS_PAGE_NAME 16u
#define VFS_NO_PID    UINT32_MAX

/* What an instance needs of its personality. All functions get @arg of vfs_new(). */
struct vfs_env {
	/* Pages: a new one is all zeros and has one reference; NULL: none left. */
	struct page *(*page_new)(void *arg);
	void (*page_free)(void *arg, struct page *page);
	u64 total_pages; /* of memory; half of it is a tmpfs's default size */

	u64 (*now_ns)(void *arg); /* since 1970 */
	void (*random)(void *arg, void *to, size_t len);

	/* Copy between a task's memory and ours. 0 or -EFAULT. For ioctl(2). */
	int (*user_read)(void *arg, struct vfs_task *task, void *to, u64 from, size_t len);
	int (*user_write)(void *arg, struct vfs_task *task, u64 to, const void *from, size_t len);

	/* Pages @first to @last of a file are no longer the file's: unmap them everywhere. */
	void (*unmap)(void *arg, struct inode *inode, u64 first, u64 last);

	/* Is the file mapped shared, so that it can be written through? May be NULL. */
	bool (*mapped_writable)(void *arg, struct inode *inode);

	/*
	 * A page of a file for another core, and from it: VFS_PAGE_NAME bytes. 0 or an error. May
	 * be NULL: none can be had.
	 */
	int (*page_lend)(void *arg, struct page *page, u32 core, void *name);
	int (*page_borrow)(void *arg, const void *name, struct page **out);

	/* Signals and jobs. */
	void (*signal_task)(void *arg, struct vfs_task *task, int sig); /* SIGPIPE, SIGXFSZ */
	void (*signal_group)(void *arg, u32 pgrp, int sig);
	/* Does @task ignore or block @sig? */
	bool (*signal_ignored)(void *arg, struct vfs_task *task, int sig);
	bool (*group_orphaned)(void *arg, u32 pgrp);
	bool (*group_in_session)(void *arg, u32 pgrp, u32 sid);
	/* Make @tty (NULL: nothing) the controlling terminal of all tasks of session @sid. */
	void (*session_set_tty)(void *arg, u32 sid, struct tty *tty);

	/*
	 * A file whose signals @owner gets is ready: @signo with POLL_IN or its like as @code and
	 * the events as band; 0: SIGIO without these. May be NULL.
	 */
	void (*signal_owner)(void *arg, const struct vfs_owner *owner, int signo, int fd, int code,
			     u32 events);
	/* Is there such a thread, process or group? May be NULL: yes. */
	bool (*owner_exists)(void *arg, const struct vfs_owner *owner);

	/* The namespace of a type (NS_PID, NS_NET) that the caller's children get. NULL: there are
	 * none but the first ones. */
	struct ns *(*ns_of)(void *arg, const struct vfs_task *task, u32 type);
	/*
	 * Processes, threads, groups and sessions as @task calls them, 0 if it does not see them;
	 * and whom it calls so, VFS_NO_PID if nobody. May be NULL: all call them the same.
	 */
	u32 (*show_pid)(void *arg, const struct vfs_task *task, u32 pid);
	u32 (*keep_pid)(void *arg, const struct vfs_task *task, u32 nr);

	/*
	 * Files of PID namespaces (ioctl_nsfs(2)); may be NULL. The namespace above @ns, NULL if
	 * @task does not see it; and a number translated, 0 or less: -ESRCH and the like.
	 * @in: into @ns, else from it; @group: that of the process, else of the thread.
	 */
	struct ns *(*pid_ns_parent)(void *arg, const struct vfs_task *task, struct ns *ns);
	s64 (*pid_ns_translate)(void *arg, const struct vfs_task *task, struct ns *ns, u32 nr,
				bool in, bool group);

	/* In work that is long: let others run. 0, or -EINTR: @task has a signal to take. NULL: 0.
	 */
	int (*breathe)(void *arg, struct vfs_task *task);

	/* A device or file system that is missing is said once here; may be NULL. */
	void (*log)(void *arg, const char *line);
};

/* Who asks, as far as files are concerned. */
struct vfs_cred {
	u32 fsuid, fsgid;
	u32 uid, gid; /* real ones: access(2) */
	u64 caps;     /* effective capabilities: bit VFS_CAP_x */
	u64 permitted;
	u32 ngroups;
	const u32 *groups; /* supplementary groups, in ascending order */
	u32 euid, egid;
	struct user_ns *user_ns; /* in which the capabilities hold; NULL: the first */
};

/*
 * Root, working directory, umask: shared by CLONE_FS. Those who share them see the same mounts: no
 * call lets them differ (unshare(2), setns(2)).
 */
struct fs_context {
	u32 refs;
	u32 umask;
	struct path root, cwd;
	struct mnt_namespace *mnt;
	struct vfs *vfs;
	u64 came_from; /* what it was on the core it came from; for the personality */
	struct fs_context *next, *prev; /* all of the instance */
};

/* The VFS's part of a thread. The personality embeds it and keeps it true. */
struct vfs_task {
	struct vfs *vfs;
	struct fs_context *fs;
	struct fd_table *files; /* shared by CLONE_FILES */
	struct vfs_cred cred;
	u64 fsize_limit;  /* RLIMIT_FSIZE; UINT64_MAX: none */
	u32 nofile_limit; /* RLIMIT_NOFILE */
	u32 tgid, tid, pgrp, sid;
	struct tty *ctty; /* the session's controlling terminal; see session_set_tty() */
};

/* --- An instance --- */

/* What /proc/sys/fs sets. */
struct vfs_tunables {
	u64 pipe_max_size; /* bytes, without CAP_SYS_RESOURCE */
	u64 file_max, nr_open;
	u64 lease_break_s;
	u64 mount_max;
};

struct vfs_limits {
	u32 dentries; /* unused ones kept in the cache; 0: 65,536 */
	u32 files;    /* open files; 0: 1,048,576 */
};

/**
 * Make an instance: an empty tmpfs is its root file system ("rootfs").
 *
 * @env   stays the caller's and in use; its functions get @arg
 * @loop  whose fibers call
 * Returns NULL if memory is short.
 */
struct vfs *vfs_new(const struct vfs_env *env, void *arg, struct fiber_loop *loop,
		    const struct vfs_limits *limits);

/* Pages of files that are in memory. */
u64 vfs_file_pages(const struct vfs *vfs);

/* End an instance whose tasks, files and contexts are all gone. */
void vfs_put(struct vfs *vfs);

/* A context whose root and working directory are the instance's root; umask 022. NULL: no memory.
 */
struct fs_context *fs_context_new(struct vfs *vfs);
struct fs_context *fs_context_get(struct fs_context *fs);        /* CLONE_FS */
struct fs_context *fs_context_copy(const struct fs_context *fs); /* fork */
/* Of places that are known, of which it takes references of its own. NULL: no memory. */
struct fs_context *fs_context_at(struct vfs *vfs, struct mnt_namespace *ns, const struct path *root,
				 const struct path *cwd, u32 umask);
void fs_context_put(struct fs_context *fs);

/* --- Opening (open.c) --- */

struct vfs_open_how {
	u64 flags, mode, resolve;
};

/* openat2(2): unknown bits are errors. Returns a descriptor. */
int vfs_openat2(struct vfs_task *t, int dirfd, const char *path, const struct vfs_open_how *how);
/* open(2), openat(2), creat(2): unknown bits are ignored. Returns a descriptor. */
int vfs_openat(struct vfs_task *t, int dirfd, const char *path, int flags, u32 mode);
/* Open without a descriptor: exec, core files. Sets *@file, with a reference. */
int vfs_open_file(struct vfs_task *t, int dirfd, const char *path, int flags, u32 mode,
		  struct file **file);
/*
 * Open a program for exec: follows links (unless AT_SYMLINK_NOFOLLOW; AT_EMPTY_PATH), wants a
 * regular file with permission to execute on a mount that allows it, and denies writing until
 * file_put_exec(). -EACCES, -ETXTBSY, ...
 */
int vfs_open_exec(struct vfs_task *t, int dirfd, const char *path, int flags, struct file **file);
void file_put_exec(struct file *file);

/* --- File handles (handle.c) --- */

#define VFS_HANDLE_MAX 128u

/* struct file_handle; the layout is the ABI's. */
struct vfs_handle {
	u32 bytes; /* of data */
	s32 type;
	u8 data[VFS_HANDLE_MAX];
};

/*
 * name_to_handle_at(2): sets @handle from its room (@handle->bytes) on, and the mount's number.
 * -EOVERFLOW: no room; @handle->bytes tells how many bytes it takes.
 */
int vfs_name_to_handle(struct vfs_task *t, int dirfd, const char *path, u32 flags,
		       struct vfs_handle *handle, u64 *mnt_id);
/* open_by_handle_at(2): a descriptor, -ESTALE. */
int vfs_open_by_handle(struct vfs_task *t, int mount_fd, const struct vfs_handle *handle,
		       int flags);

/* --- Reading and writing (rw.c, copy.c) --- */

s64 vfs_read(struct vfs_task *t, int fd, struct uio *uio);
s64 vfs_write(struct vfs_task *t, int fd, struct uio *uio);
/* p forms; @flags are RWF_*. @pos -1 with preadv2 and pwritev2: the file's own position. */
s64 vfs_pread(struct vfs_task *t, int fd, struct uio *uio, s64 pos, u32 flags);
s64 vfs_pwrite(struct vfs_task *t, int fd, struct uio *uio, s64 pos, u32 flags);
/* preadv2(2) and pwritev2(2): as the above, but @pos -1 means the file's own position. */
s64 vfs_preadv2(struct vfs_task *t, int fd, struct uio *uio, s64 pos, u32 flags);
s64 vfs_pwritev2(struct vfs_task *t, int fd, struct uio *uio, s64 pos, u32 flags);
s64 vfs_lseek(struct vfs_task *t, int fd, s64 offset, u32 whence);
int vfs_truncate(struct vfs_task *t, const char *path, s64 length);
int vfs_ftruncate(struct vfs_task *t, int fd, s64 length);
int vfs_fallocate(struct vfs_task *t, int fd, u32 mode, s64 offset, s64 len);
/* @offset NULL: the file's own position. */
s64 vfs_sendfile(struct vfs_task *t, int out_fd, int in_fd, s64 *offset, size_t count);
s64 vfs_copy_file_range(struct vfs_task *t, int in_fd, s64 *in_pos, int out_fd, s64 *out_pos,
			size_t count, u32 flags);
/* fsync(2), fdatasync(2); sync_file_range(2), syncfs(2), readahead(2): what is in memory is as safe
 * as it gets */
int vfs_fsync(struct vfs_task *t, int fd, bool data_only);
int vfs_sync_file_range(struct vfs_task *t, int fd, s64 offset, s64 len, u32 flags);
int vfs_syncfs(struct vfs_task *t, int fd);
int vfs_readahead(struct vfs_task *t, int fd, s64 offset, s64 len);
/* cachestat(2): how many pages of a range (@len 0: to the end) are in memory. */
s64 vfs_cached_pages(struct vfs_task *t, int fd, u64 offset, u64 len);
int vfs_fadvise(struct vfs_task *t, int fd, s64 offset, s64 len, u32 advice);
/* getdents64(2) (@old: getdents(2)). Returns bytes, 0 at the end. */
s64 vfs_getdents(struct vfs_task *t, int fd, struct uio *uio, bool old);
int vfs_ioctl(struct vfs_task *t, int fd, u32 cmd, u64 arg);

/* --- Names (namei.c, rename.c) --- */

int vfs_mkdirat(struct vfs_task *t, int dirfd, const char *path, u32 mode);
int vfs_mknodat(struct vfs_task *t, int dirfd, const char *path, u32 mode, u32 dev);
int vfs_symlinkat(struct vfs_task *t, const char *target, int dirfd, const char *path);
int vfs_linkat(struct vfs_task *t, int olddir, const char *oldpath, int newdir, const char *newpath,
	       u32 flags);
/* @flags 0 or AT_REMOVEDIR */
int vfs_unlinkat(struct vfs_task *t, int dirfd, const char *path, u32 flags);
int vfs_renameat2(struct vfs_task *t, int olddir, const char *oldpath, int newdir,
		  const char *newpath, u32 flags);
s64 vfs_readlinkat(struct vfs_task *t, int dirfd, const char *path, struct uio *uio);

/* --- Attributes (stat.c, attr.c) --- */

struct vfs_time {
	s64 sec;
	u32 nsec;
};

/* All that stat(2) and statx(2) tell. */
struct vfs_stat {
	u64 ino, size, blocks, mnt_id, mnt_id_unique;
	u32 mode, nlink, uid, gid, dev, rdev, blksize;
	u64 attributes, attributes_mask; /* STATX_ATTR_* */
	struct vfs_time atime, mtime, ctime, btime;
	bool has_btime; /* the file system keeps it */
};

struct vfs_statfs {
	u64 type, bsize, blocks, bfree, bavail, files, ffree, fsid, namelen, frsize, flags;
};

/*
 * fstatat(2), statx(2), and the others by them. @flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH,
 * AT_NO_AUTOMOUNT, AT_STATX_*. A NULL @path is an empty one.
 */
int vfs_statat(struct vfs_task *t, int dirfd, const char *path, u32 flags, struct vfs_stat *st);
int vfs_fstat(struct vfs_task *t, int fd, struct vfs_stat *st);
int vfs_statfs(struct vfs_task *t, const char *path, struct vfs_statfs *st);
int vfs_fstatfs(struct vfs_task *t, int fd, struct vfs_statfs *st);
/* @flags AT_EACCESS, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH; @mode R_OK|W_OK|X_OK or F_OK */
int vfs_faccessat2(struct vfs_task *t, int dirfd, const char *path, u32 mode, u32 flags);
int vfs_fchmodat2(struct vfs_task *t, int dirfd, const char *path, u32 mode, u32 flags);
int vfs_fchmod(struct vfs_task *t, int fd, u32 mode);
/* UINT32_MAX leaves an id as it is. */
int vfs_fchownat(struct vfs_task *t, int dirfd, const char *path, u32 uid, u32 gid, u32 flags);
int vfs_fchown(struct vfs_task *t, int fd, u32 uid, u32 gid);
/* @times: atime, mtime, with UTIME_NOW and UTIME_OMIT as nsec; NULL: both now. NULL @path: @dirfd.
 */
int vfs_utimensat(struct vfs_task *t, int dirfd, const char *path, const struct vfs_time *times,
		  u32 flags);

/* --- Where a task is (fs_context.c) --- */

int vfs_chdir(struct vfs_task *t, const char *path);
int vfs_fchdir(struct vfs_task *t, int fd);
int vfs_chroot(struct vfs_task *t, const char *path);
/* The path with its NUL to @buf; returns its length with NUL. "(unreachable)" as getcwd(2). */
s64 vfs_getcwd(struct vfs_task *t, char *buf, size_t size);
u32 vfs_umask(struct vfs_task *t, u32 mask);
/*
 * A path as @t sees it, as in /proc: from its root, with " (deleted)"; for files without a
 * place "pipe:[5]". Returns the length without NUL, -ENAMETOOLONG.
 */
s64 vfs_path_name(struct vfs_task *t, const struct path *path, char *buf, size_t size);

/* --- Paths for the personality's own use (path.c) --- */

#define WALK_FOLLOW     0x01 /* a link at the end */
#define WALK_DIRECTORY  0x02 /* the end must be a directory: -ENOTDIR */
#define WALK_EMPTY_PATH 0x04 /* an empty path means dirfd itself */

/* Walk; sets *@out with references, to be given back by path_put(). */
int vfs_walk(struct vfs_task *t, int dirfd, const char *path, u32 flags, struct path *out);
void path_get(const struct path *path);
void path_put(const struct path *path);

/* --- Pipes (pipe.c) --- */

/* pipe2(2): fds[0] reads, fds[1] writes. @flags O_CLOEXEC, O_NONBLOCK, O_DIRECT (packets). */
int vfs_pipe2(struct vfs_task *t, int fds[2], u32 flags);

/* --- Data between pipes and files (splice.c) --- */

/* splice(2); a position that is NULL is the file's own. */
s64 vfs_splice(struct vfs_task *t, int in_fd, s64 *in_pos, int out_fd, s64 *out_pos, size_t len,
	       u32 flags);
/* tee(2) */
s64 vfs_tee(struct vfs_task *t, int in_fd, int out_fd, size_t len, u32 flags);
/* vmsplice(2): @uio is the process's memory, which is read or written as @fd is open. */
s64 vfs_vmsplice(struct vfs_task *t, int fd, struct uio *uio, u32 flags);

/* --- Files in memory (memfd.c) --- */

/* memfd_create(2) */
int vfs_memfd_create(struct vfs_task *t, const char *name, u32 flags);

/* --- Locks (locks.c) --- */

/* flock(2) */
int vfs_flock(struct vfs_task *t, int fd, u32 operation);

/* struct flock of fcntl(2); the layout is the ABI's. */
struct vfs_flock {
	int16_t type, whence;
	u32 pad;
	s64 start, len;
	s32 pid;
	u32 pad2;
};

/* F_GETLK, F_SETLK, F_SETLKW and the F_OFD_ forms. */
int vfs_fcntl_lock(struct vfs_task *t, int fd, int cmd, struct vfs_flock *lock);
/* All other commands of fcntl(2). */
s64 vfs_fcntl(struct vfs_task *t, int fd, int cmd, u64 arg);

#endif
