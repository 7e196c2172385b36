/*
 * Open files and tables of descriptors.
 *
 * An open file (an "open file description") is what open(2) makes: position, flags, and the
 * operations of what was opened. Descriptors refer to it; so do mappings and messages on their
 * way. It ends with its last reference (ops->release).
 *
 * Runs in: the personality, host tests.
 */
#ifndef VFS_FILE_H
#define VFS_FILE_H

#include <vfs/inode.h>

struct export;
struct file_desc;

/* Receives the names of a directory. */
struct dir_context {
	/* Take a name; false: no room, stop. Called through dir_emit(). */
	bool (*emit)(struct dir_context *ctx, const char *name, u32 len, u64 ino, u32 type,
		     u64 next);
	u64 pos; /* where to begin; counts up with every name taken */
};

/* Offer a name of a DT_* @type; @next is the position behind it. False: stop. */
static inline bool dir_emit(struct dir_context *ctx, const char *name, u32 len, u64 ino, u32 type,
			    u64 next)
{
	if (!ctx->emit(ctx, name, len, ino, type, next))
		return false;
	ctx->pos = next;
	return true;
}

/* What can be done with an open file; what is NULL gives the error that Linux gives. */
struct file_ops {
	/* May complete or replace file->ops and file->private. May block (a FIFO). */
	int (*open)(struct vfs_task *t, struct inode *inode, struct file *file);
	/* Move data; *@pos counts up. A result less than asked for is short, not an error. */
	s64 (*read)(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos);
	s64 (*write)(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos);
	/* NULL: lseek gives -ESPIPE. */
	s64 (*seek)(struct vfs_task *t, struct file *file, s64 offset, u32 whence);
	/* POLL* that hold now. NULL: always readable and writable. Does not block. */
	u32 (*poll)(struct file *file, struct poll_table *table);
	int (*ioctl)(struct vfs_task *t, struct file *file, u32 cmd, u64 arg);
	int (*readdir)(struct vfs_task *t, struct file *file, struct dir_context *ctx);
	int (*fallocate)(struct vfs_task *t, struct file *file, u32 mode, u64 offset, u64 len);
	int (*fsync)(struct vfs_task *t, struct file *file, bool data_only);
	/*
	 * May the file be mapped (shared?)? 0 or an error; FILE_MAPS_ZEROS: fresh memory takes
	 * its place (/dev/zero). NULL and no inode->ops->page: -ENODEV.
	 */
	int (*mmap)(struct vfs_task *t, struct file *file, bool shared);
	/*
	 * For a file that another core has (far_file_proxy.c), NULL for others. settle(): may wait;
	 * makes the next poll() tell what holds now, and see to it that its queues are woken
	 * (@keep: more than once). The others stand for fcntl.c and locks.c; closed(): a descriptor
	 * of a table that has set record locks was closed.
	 */
	void (*settle)(struct vfs_task *t, struct file *file, bool keep);
	s64 (*fcntl)(struct vfs_task *t, struct file *file, int fd, int cmd, u64 arg);
	int (*lock)(struct vfs_task *t, struct file *file, int cmd, u64 owner,
		    struct vfs_flock *lock);
	int (*flock)(struct vfs_task *t, struct file *file, u32 operation);
	void (*closed)(struct vfs_task *t, struct file *file, u64 owner);
	/*
	 * What calls of the personality's own do with files of its own kinds: @data is theirs, in
	 * and out, up to FILE_CONTROL_MAX bytes. NULL: -EINVAL.
	 */
	s64 (*control)(struct vfs_task *t, struct file *file, u32 what, void *data, u32 bytes);
	/* Complete what another core is told of the file. May be NULL. */
	void (*describe)(struct file *file, struct file_desc *desc);
	/* A descriptor of @t was closed; its reference is still held. May block, may be NULL. */
	void (*flush)(struct vfs_task *t, struct file *file);
	/* More lines of /proc/PID/fdinfo. May be NULL. */
	void (*show_info)(struct file *file, struct text *out);
	/* The last reference is gone. Does not block. */
	void (*release)(struct file *file);
};

#define FILE_MAPS_ZEROS  1
#define FILE_CONTROL_MAX 256u

/* What of file_ops.control: whose, and what. */
#define FILE_CONTROL_TIMER_SET 1u
#define FILE_CONTROL_TIMER_GET 2u

#define FILE_READ              0x01u /* opened for reading */
#define FILE_WRITE             0x02u
#define FILE_PATH              0x04u /* O_PATH: a place, not a file that can be read */
#define FILE_EXEC              0x08u /* denies writing; see vfs_open_exec() */
#define FILE_COUNTED           0x10u /* counted in inode->writers */
#define FILE_CREATED           0x20u /* by the open that made the file: F_CREATED_QUERY */
#define FILE_LOCKED            0x40u /* locks of its own were asked for: OFD, flock */

struct file {
	u32 refs;
	u32 flags; /* O_* as F_GETFL shows them */
	u32 mode;  /* FILE_* */
	const struct file_ops *ops;
	struct path path;
	struct inode *inode;
	s64 pos;
	void *private;
	struct async *async; /* F_SETOWN, F_SETSIG, O_ASYNC (async.c); NULL: none */
	struct epoll_item *watchers;
	struct export *exported; /* other cores have it (far_file_export.c); NULL: none */
};

/**
 * Make an open file that has a name of its own (a pipe, a socket, an eventfd).
 *
 * @name   as /proc/PID/fd shows it, for example "anon_inode:[eventfd]"; lives for ever
 * @flags  O_* (access mode, O_NONBLOCK)
 * Returns 0 or -ENOMEM, -ENFILE; then @private is still the caller's.
 */
int file_new_anon(struct vfs *vfs, const char *name, const struct file_ops *ops, void *private,
		  u32 flags, struct file **out);

/* Nobody holds @file any more. For file_put(). */
void file_end(struct file *file);

static inline struct file *file_get(struct file *file)
{
	file->refs++;
	return file;
}

static inline void file_put(struct file *file)
{
	if (--file->refs == 0)
		file_end(file);
}

/* A seek that changes nothing and does not fail, as that of eventfds and the like. */
s64 file_seek_nothing(struct vfs_task *t, struct file *file, s64 offset, u32 whence);

/**
 * Before polling a file of another core: let file_poll() tell what holds now. May wait.
 *
 * @keep  somebody will stay in its queues
 */
static inline void file_settle(struct vfs_task *t, struct file *file, bool keep)
{
	if (file->ops->settle)
		file->ops->settle(t, file, keep);
}

static inline s64 file_control(struct vfs_task *t, struct file *file, u32 what, void *data,
			       u32 bytes)
{
	return file->ops->control ? file->ops->control(t, file, what, data, bytes) : -EINVAL;
}

/* POLL* of a file. */
u32 file_poll(struct file *file, struct poll_table *table);

/**
 * The page of a regular file for a mapping, with a reference.
 *
 * @write  the page will be written (shared mapping): a hole is filled
 * @out    NULL for a hole when not @write: map zeros (and ask again on a write)
 * Returns 0, -ENOMEM, -ENOSPC, -EFBIG: SIGBUS; -ERANGE: at or beyond the end of the file (SIGBUS).
 */
int file_page(struct file *file, u64 index, bool write, struct page **out);

/**
 * The @count pages of a file from @index on that are in memory and not behind its end, without
 * references, NULL for others. Returns how many there are.
 */
u32 file_pages(struct file *file, u64 index, u32 count, struct page **out);

/* May @file be mapped with PROT_* and MAP_SHARED? 0, FILE_MAPS_ZEROS, -ENODEV, -EACCES, -EPERM
 * (noexec mount). */
int file_check_mmap(struct vfs_task *t, struct file *file, bool shared, u32 prot);

/* Read at @pos into our memory: exec. Returns bytes. */
s64 file_read_kernel(struct vfs_task *t, struct file *file, void *to, size_t len, s64 pos);

/* --- Descriptors --- */

/* A new, empty table with one reference; NULL: no memory. */
struct fd_table *fd_table_new(struct vfs *vfs);
struct fd_table *fd_table_get(struct fd_table *table); /* CLONE_FILES */
u32 fd_table_users(const struct fd_table *table);      /* how many have it */
/* fork: a copy that refers to the same open files. 0 or -ENOMEM. */
int fd_table_copy(const struct fd_table *table, struct fd_table **out);
/* Give a reference back; the last closes all. @t may be NULL (no POSIX locks are held then). */
void fd_table_put(struct vfs_task *t, struct fd_table *table);
/* exec: close all that have FD_CLOEXEC. */
void fd_table_exec(struct vfs_task *t);

/* The open file of @fd, with a reference; NULL: no such descriptor. O_PATH files count. */
struct file *fd_get(struct vfs_task *t, int fd);
/* As fd_get() but no O_PATH files: what most calls want. */
struct file *fd_get_real(struct vfs_task *t, int fd);
/* The same without a reference: good until the caller blocks. */
struct file *fd_peek(struct vfs_task *t, int fd);
bool fd_cloexec(struct vfs_task *t, int fd);
/* The lowest descriptor at or above @from that is open; -1: none. For /proc/PID/fd. */
int fd_next(const struct fd_table *table, int from);

/* Reserve the lowest free descriptor >= @from. -EMFILE, -ENOMEM, -EINVAL (@from over the limit). */
int fd_reserve(struct vfs_task *t, int from, bool cloexec);
/* Complete (takes over the reference) or drop a reserved descriptor. */
void fd_install(struct vfs_task *t, int fd, struct file *file);
void fd_unreserve(struct vfs_task *t, int fd);
/* Both at once; on error the reference is dropped. */
int fd_add(struct vfs_task *t, struct file *file, bool cloexec);

int vfs_close(struct vfs_task *t, int fd);
int vfs_close_range(struct vfs_task *t, u32 first, u32 last, u32 flags);
int vfs_dup(struct vfs_task *t, int fd);
int vfs_dup2(struct vfs_task *t, int fd, int newfd);
int vfs_dup3(struct vfs_task *t, int fd, int newfd, u32 flags);

#endif
