/*
 * An instance's state, and what the files of this folder share. Private to services/vfs.
 */
#ifndef VFS_INTERNAL_H
#define VFS_INTERNAL_H

#include <vfs/far_file.h>
#include <vfs/file.h>
#include <vfs/mount.h>
#include <vfs/ns.h>

struct chrdev;
struct far_files;
struct far_spaces;
struct lock_request;
struct lock_waiter;
struct mountns;
struct procfs;
struct text;
struct proc_entry;
struct pseudo_node;
struct pty_table;
struct sysctl;

#define VFS_HASH_BUCKETS 16384u

struct vfs {
	const struct vfs_env *env;
	void *arg;
	struct fiber_loop *loop;

	/* dentry.c */
	struct dentry **hash;
	struct dentry *lru_first, *lru_last; /* unused ones, least recently used first */
	u32 nunused, max_unused;

	/* what is kept of files, for /sys/kernel/skerry/caches */
	struct {
		u64 ndentries, name_bytes, ninodes;
	} caches;

	/* file.c */
	u32 nfiles, max_files;
	u64 file_pages; /* of all tmpfs */

	/* sysctl.c: what is tuned, and the files that show it */
	struct vfs_tunables tunables;
	struct sysctl *sysctls;
	struct proc_entry *sysctl_entries;
	struct mount *anon; /* of pipes and all that has no place; not in the tree */
	struct mount *shm;  /* of files in memory without a name; neither */

	/* mount.c */
	struct mounts *mounts;
	struct mountns *mountns;
	struct far_spaces *far_spaces;   /* far_ns.c; NULL: one core */
	struct mnt_namespace *first_mnt; /* the namespace everything begins in */
	struct fs_type *types;
	u32 next_dev, dev_step;
	struct far_vfs *far; /* far.c; NULL: the only instance */

	/* ns.c, nsfs.c, fs_context.c */
	struct user_ns user_ns; /* the first */
	struct ns *first_ns, *last_ns;
	u64 next_ns_id;
	u32 next_inum;
	struct mount *nsfs;
	struct pseudo_node *nullfs;
	struct fs_context *contexts; /* all of them */

	u64 next_ino;                /* of anon */
	u64 next_owner;              /* of record locks: tables of descriptors */
	struct far_files *far_files; /* open files of other cores; NULL: alone */

	struct chrdev *chrdevs;
	struct superblock *devtmpfs; /* the one instance; all its mounts share it */
	const struct kmsg_ops *kmsg;
	void *kmsg_arg;
	struct tty *console, *ttys;
	struct tty *far_ttys; /* what stands for another core's */
	struct pty_table *ptys;
	struct procfs *procfs;
	struct pseudo_node *sysfs;
	struct superblock *sysfs_sb;
	int (*sysfs_fill)(struct vfs *vfs); /* NULL: done */

	/* locks.c */
	struct wait_queue lock_wait; /* a lock was given up */
	struct lock_waiter *lock_waiters;
};

/* memfd.c: seals. F_ADD_SEALS, F_GET_SEALS; may the size change, or bytes before @end be written?
 */
s64 file_seals(struct vfs_task *t, struct file *file, int cmd, u64 arg);
bool inode_has_seals(const struct inode *inode);
int seals_check_size(const struct inode *inode, u64 size);
int seals_check_write(const struct inode *inode, u64 end);

#define VFS_F_ADD_SEALS 1033
#define VFS_F_GET_SEALS 1034

/* Numbers of processes as @t has them: see struct vfs_env. */
static inline u32 task_show_pid(const struct vfs_task *t, u32 pid)
{
	return t->vfs->env->show_pid ? t->vfs->env->show_pid(t->vfs->arg, t, pid) : pid;
}

static inline u32 task_keep_pid(const struct vfs_task *t, u32 nr)
{
	return t->vfs->env->keep_pid ? t->vfs->env->keep_pid(t->vfs->arg, t, nr) : nr;
}

/* mount.c: the mounts an instance begins and ends with. */
int mount_first(struct vfs *vfs);
void mount_last(struct vfs *vfs);
/* mount_refs.c: before mounts are made. 0 or -ENOMEM. */
int mount_refs_init(struct vfs *vfs);
void superblock_put(struct superblock *sb);
/* It is used no more: free it with all that is in it. */
void superblock_end(struct superblock *sb);
struct fs_type *fs_type_find(struct vfs *vfs, const char *name);
int fs_type_mount(const struct fs_type *type, struct vfs *vfs, const char *source,
		  const char *options, struct superblock **out);
/* The same for @t, who becomes the owner of what is new. -EPERM, too. */
int fs_type_mount_for(struct vfs_task *t, const struct fs_type *type, const char *source,
		      const char *options, struct superblock **out);
/* A namespace that is to be filled at once. NULL: no memory. */
struct mnt_namespace *mnt_namespace_new(struct vfs *vfs, u32 inum, struct user_ns *owner, u64 id);
void mnt_namespace_fill(struct mnt_namespace *ns, struct mount_ns *mounts);
/* A detached mount of @root (a superblock's) from @source; NULL: no memory. */
struct mount *mount_make(struct superblock *sb, struct dentry *root, const char *source, u32 flags);
const char *mount_source(const struct mount *mnt);
/* Is @mnt in the namespace of @t? */
bool mount_is_ours(const struct vfs_task *t, const struct mount *mnt);
/* May @t mount at all: CAP_SYS_ADMIN over its mount namespace. */
bool may_mount(const struct vfs_task *t);

/* mount_show.c: parts of mountinfo, for statmount(2), too */
void mount_show_flags(const struct mount *mnt, struct text *out);
void mount_show_root(const struct mount *mnt, struct text *out); /* where in its file system */
void mount_show_options(const struct mount *mnt, struct text *out);
/* The group nearest above that can be seen from @root; 0: none. */
u32 mount_propagates_from(const struct mount *mnt, const struct path *root);

/* fs_context.c: is the root of @t another than its namespace's? */
bool vfs_is_chrooted(const struct vfs_task *t);
/* The name of @path as seen from @root, as vfs_path_name(); what is removed is not marked. */
s64 vfs_path_name_from(const struct path *root, const struct path *path, char *buf, size_t size);
/* Whoever is at @from goes to @to. */
void fs_contexts_move(struct vfs *vfs, const struct path *from, const struct path *to);
/* Those of @fs see the mounts of @ns, whose reference it takes, from now on. */
void fs_context_enter(struct fs_context *fs, struct mnt_namespace *ns, const struct path *root,
		      const struct path *cwd);

#define VFS_INUM_CORE_SHIFT 19u /* of numbers of namespaces' files: the core is above */

/* ns.c, nsfs.c */
void ns_first(struct vfs *vfs);
u64 vfs_new_ns_id(struct vfs *vfs);
int nsfs_ioctl(struct vfs_task *t, struct ns *ns, u32 cmd, u64 arg);

/* --- path.c --- */

enum last_type { LAST_NORM, LAST_ROOT, LAST_DOT, LAST_DOTDOT };

struct walk_link {
	char *body;       /* of a symbolic link, being walked */
	const char *rest; /* of what it stood in */
};

/* A path walk under way. Private to path.c but for the fields marked. */
struct walk {
	struct vfs_task *t;
	struct path path; /* public: where it is */
	struct path root; /* ".." ends here */
	u32 flags;        /* WALK_* */
	u64 resolve;
	u32 nlinks, depth;
	char *tail; /* body of the last link of all */
	const char *start;
	const char *last; /* public: the last name */
	u32 last_len;
	enum last_type type; /* public: of the last name */
	struct walk_link links[VFS_SYMLINKS_MAX];
};

/*
 * Begin a walk of @path. The caller ends it by walk_end(), also after an error of the other
 * walk functions but not after one of this. -EBADF, -ENOTDIR, -ENOENT (empty), -EXDEV.
 */
int walk_begin(struct walk *w, struct vfs_task *t, int dirfd, const char *path, u32 flags,
	       u64 resolve);
/* Go to the directory that holds the last name. */
int walk_to_parent(struct walk *w);
/* After walk_to_parent(): go on over the last name. 1: it was a link, call walk_to_parent(). */
int walk_over_last(struct walk *w);
/* Look the last name, of type LAST_NORM, up in the directory that the walk is at. */
int walk_look_up(struct walk *w, struct dentry **dentry);
/*
 * Is @dentry, looked up before, still the last name in the directory that the walk is at? Others
 * may have moved it while an operation waited. What operations are given is the walk's name, which
 * stays, not the dentry's.
 */
bool walk_is_at(const struct walk *w, const struct dentry *dentry);
/* The whole way. */
int walk_all(struct walk *w);
/* Is the last name followed by a slash? */
bool walk_trailing_slash(const struct walk *w);
/* What walk_over_last() does with a name that has been looked up; takes @dentry's reference. */
int walk_into(struct walk *w, struct dentry *dentry, bool follow);
void walk_end(struct walk *w);

/* Walk to the parent and look the last name up, to make it. Sets w->path and *@dentry. */
int walk_create(struct walk *w, struct vfs_task *t, int dirfd, const char *path, bool directory,
		struct dentry **dentry);

/* --- inode.c --- */
void inode_touch(struct inode *inode, u32 attr);           /* set ATTR_?TIME to now */
void path_accessed(const struct path *path);               /* atime, as the mount's flags say */
void inode_accessed(struct inode *inode, u32 mount_flags); /* the same */
void file_modified(struct vfs_task *t, struct file *file); /* mtime; set-id bits go */
int inode_change(struct vfs_task *t, struct inode *inode, struct attr *attr); /* checks; sets */
/* May @t make a name in @dir? 0, -ENOENT (@dir is gone), -EACCES. */
int may_create(struct vfs_task *t, struct inode *dir);
/* May @t take away @victim from @dir? -EACCES, -EPERM (sticky), -ENOTDIR, -EISDIR, -EBUSY. */
int may_delete(struct vfs_task *t, struct inode *dir, struct dentry *victim, bool directory);
/* Owner, group and mode of what @t makes in @dir. */
void new_node_fill(struct vfs_task *t, const struct inode *dir, u32 mode, struct new_node *node);

/* --- file.c, open.c --- */

extern const struct file_ops chrdev_open_ops, fifo_ops, no_ops;
/* A FIFO that lives on another core (far_file_inode.c). */
extern const struct file_ops far_fifo_ops;

/* Open @path as @flags say; sets *@out. Checks have been made. */
int file_open_path(struct vfs_task *t, const struct path *path, u32 flags, u32 mode,
		   struct file **out);
/* open(2) of what has been found already: a descriptor. */
int vfs_open_place(struct vfs_task *t, const struct path *path, int flags);
int file_alloc(struct vfs *vfs, struct file **out);
/* A descriptor's file, or an error: -EBADF. */
int fd_need(struct vfs_task *t, int fd, u32 mode, struct file **out);

/*
 * locks.c: inode->locks is there from the first lock that was asked for here, wherever the inode
 * lives. Those of @owner (and its flocks) end with it; @wait: before this returns, if the caller is
 * a fiber.
 */
void locks_release_owner(struct inode *inode, u64 owner, bool flock_too, bool wait);
void locks_free(struct inode *inode);
/* A descriptor of @table is closed, perhaps the last of @file: what locks end with that. */
void locks_closed(struct file *file, const struct fd_table *table);
/* ... the last of all, on whatever core. Does not wait. */
void locks_file_ends(struct file *file);
/* fcntl_lock(2), whose owner lives on @core, and flock(2), of an open file of this core. */
int file_lock(struct vfs_task *t, struct file *file, int cmd, u64 owner, u32 core,
	      struct vfs_flock *f);
int file_flock(struct vfs_task *t, struct file *file, u32 operation);
/* The locks of @owner live and die with another core. */
void locks_owner_moved(struct inode *inode, u64 owner, u32 core);
void locks_core_died(struct inode *inode, u32 core);
/* An own inode's. The request is changed by one that gets. 0, -EAGAIN, -EDEADLK, -ERESTARTSYS, ...
 */
int locks_request(struct inode *inode, struct lock_request *want);

/* far_locks.c: the same of another core's inode. */
int far_lock_request(struct inode *inode, struct lock_request *want);
void far_lock_end(struct inode *inode, const struct lock_request *whose, bool wait);
void far_lock_moved(struct inode *inode, u64 owner, u32 core);

/* fcntl.c: F_GETFL, and what changes the open file. */
s64 file_fcntl(struct vfs_task *t, struct file *file, int fd, int cmd, u64 arg);

/* async.c: signals when a file is ready. */
void async_free(struct file *file);
/* O_ASYNC is set or cleared, by descriptor @fd. 0 or -ENOMEM. */
int async_set(struct file *file, int fd, bool on);
/* F_SETOWN, F_SETSIG and their relatives. */
s64 async_fcntl(struct vfs_task *t, struct file *file, int cmd, u64 arg);

/* chrdev.c: @file becomes one of the device @rdev without its open(). 0, -ENXIO. */
int chrdev_attach(struct vfs *vfs, u32 rdev, struct file *file);

/* far_file_inode.c: a device of another core is opened there. */
int far_open_device(struct vfs_task *t, u32 core, struct inode *inode, struct file *file);
/* far_tty.c: what stands for terminals of other cores goes. */
void far_tty_put_all(struct vfs *vfs);
/* far_file_export.c: a file that other cores only watch ends. */
void export_gone(struct file *file);
/* The core of the device @rdev, if it is another one; else this one's. */
bool far_device_core(const struct vfs *vfs, u32 rdev, u32 *core);

/* VFS_FL_* of an own inode, and of a far one (far_attr.c), without any check. */
int inode_set_flags(struct inode *inode, u32 flags);
int far_set_flags(struct inode *inode, u32 flags);

/* attr.c: what chattr(1) sets: VFS_FL_*. */
s64 flags_ioctl(struct vfs_task *t, struct file *file, u32 cmd, u64 arg);

/* pipe.c: F_SETPIPE_SZ, F_GETPIPE_SZ. */
s64 pipe_fcntl(struct vfs_task *t, struct file *file, int cmd, u64 arg);

/* rw.c */
s64 file_read(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos);
s64 file_write(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos);
s64 file_seek_fixed(struct file *file, s64 offset, u32 whence, u64 size);
int inode_truncate(struct vfs_task *t, struct inode *inode, u64 size);
/* ioctl(2): what all files know, then the file itself. */
int file_ioctl(struct vfs_task *t, struct file *file, int fd, u32 cmd, u64 arg);

/* far_pages.c: pages of @inode leave it: those that other cores have go first. May wait. */
void far_pages_cut(struct inode *inode, u64 first, u64 last);

/* far_share.c: attributes of @inode were changed; those who have it elsewhere hear. May wait. */
void far_share_tell(struct inode *inode);

/* far_use.c: see inode_add_writer(). */
int far_use(struct inode *inode, s32 uses);

/*
 * Who writes a file and who runs it exclude each other: inode->writers. -ETXTBSY. For a far file
 * its home counts in who has it here; for one that runs on another core, that is asked whether it
 * still does. far_use() with 1 tells as well whether a file that is run may be written.
 */
static inline int inode_add_writer(struct inode *inode)
{
	int err = inode->writers < 0 || inode->far ? far_use(inode, 1) : 0;

	if (!err)
		inode->writers++;
	return err;
}

static inline int inode_deny_writing(struct inode *inode)
{
	int err = inode->writers > 0 ? -ETXTBSY : 0;

	if (!err && inode->far)
		err = far_use(inode, -1);
	if (!err)
		inode->writers--;
	return err;
}

static inline void inode_drop_writer(struct inode *inode)
{
	if (--inode->writers == 0 && inode->far)
		far_use(inode, 0);
}

/* pagefile.c: operations of regular files whose pages inode->ops->page gives. */
s64 pagefile_read(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos);
s64 pagefile_write(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos);
/* Zero @from to @to of a page, if there is one. */
void pagefile_zero(struct inode *inode, u64 from, u64 to);

/* For directories and files without a medium: nothing is to be written back. */
int fsync_nothing(struct vfs_task *t, struct file *file, bool data_only);

/* Built-in file systems; each registers itself. 0 or -ENOMEM. */
int tmpfs_register(struct vfs *vfs);
int devtmpfs_register(struct vfs *vfs);
int devpts_register(struct vfs *vfs);
int procfs_register(struct vfs *vfs);
int sysfs_register(struct vfs *vfs);
int sysctl_register(struct vfs *vfs);
void sysctl_put(struct vfs *vfs);
void procfs_put(struct vfs *vfs);
void sysfs_put(struct vfs *vfs);
void devpts_put(struct vfs *vfs);
struct superblock *devpts_of(struct vfs *vfs);
void devtmpfs_put(struct vfs *vfs);
void tty_put_all(struct vfs *vfs);
void chrdev_put_all(struct vfs *vfs);
int memdev_register(struct vfs *vfs);
int tty_register(struct vfs *vfs);

/* tmpfs.c, for the file systems that are tmpfs inside. */
int tmpfs_new(struct vfs *vfs, const char *type, u32 magic, const char *options,
	      struct superblock **out);
/* A part of one that lives on another core: without a root yet. And undo that. */
int tmpfs_new_part(struct vfs *vfs, const char *type, u32 magic, u32 core, struct superblock **out);
void tmpfs_free_part(struct superblock *sb);
/* Inodes made from now on, and the root, have the numbers of core @core. */
void tmpfs_set_core(struct superblock *sb, u32 core);
void tmpfs_get_limits(const struct superblock *sb, u64 *pages, u64 *inodes);
void tmpfs_set_limits(struct superblock *sb, u64 pages, u64 inodes);
u64 tmpfs_ninodes(const struct superblock *sb);
/* far.c: the instance ends; the last mount of @sb, which has a part, is gone: true: it stays. */
void far_fini(struct vfs *vfs);
bool far_super_unused(struct superblock *sb);
void far_part_done(struct superblock *sb);
/* Make or take away a node without a task's permission. @dir NULL: the root. */
int tmpfs_add_node(struct superblock *sb, struct inode *dir, const char *name,
		   const struct new_node *node, struct inode **out);
void tmpfs_remove_node(struct superblock *sb, const char *name);

#endif
