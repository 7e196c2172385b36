/*
 * What file systems are made of: superblocks, inodes, dentries, mounts; and the tables of
 * operations that a file system fills.
 *
 * Lifetimes. A mount holds its superblock's root; a dentry holds its parent and its inode; a path
 * holds a mount and a dentry. A dentry nobody holds stays in the cache, in order of last use,
 * until there are too many. An inode lives until its last reference is gone; if it has no links
 * then, its data go too (ops->evict).
 *
 * Every operation may block, unless it says otherwise, because a file system may be a server that
 * is reached by messages; the caller holds references to all that it passes.
 *
 * Runs in: the personality, host tests.
 */
#ifndef VFS_INODE_H
#define VFS_INODE_H

#include <mounts/mounts.h>
#include <vfs/vfs.h>

struct dir_context;
struct far_part;
struct file_ops;
struct locks;
struct rename_args;
struct superblock;
struct pipe;
struct text;
struct xattr;

/* --- Superblocks --- */

struct superblock_ops {
	int (*statfs)(struct superblock *sb, struct vfs_statfs *st);
	/* Options as in /proc/mounts, each with a comma before it; may be NULL. */
	void (*show_options)(struct superblock *sb, struct text *out);
	/* The last reference is gone: free sb->private. No inode is left. */
	void (*put)(struct superblock *sb);
	/* mount -o remount: check, then perform. May be NULL. */
	int (*remount)(struct superblock *sb, const char *options);
	/*
	 * File handles (handle.c); all or none. number(): remember that somebody knows @inode by
	 * its number, 0 or -ENOMEM. by_number(): that inode, with a reference; NULL: it is gone.
	 * name_of_folder(): where a folder is and how it is called there, -ESTALE. None blocks.
	 */
	int (*number)(struct inode *inode);
	struct inode *(*by_number)(struct superblock *sb, u64 ino);
	int (*name_of_folder)(struct inode *dir, struct inode **parent, char *name, u32 *len);
	/* User attributes take (or give back) so many bytes: 0 or -ENOSPC. May be NULL. */
	int (*charge_xattr)(struct superblock *sb, s64 bytes);
};

/* One mounted file system. */
struct superblock {
	struct vfs *vfs;
	const struct superblock_ops *ops;
	const char *type; /* "tmpfs"; lives for ever */
	void *private;
	struct dentry *root;
	struct user_ns *owner; /* who may change its options; NULL: the first user namespace */
	struct far_part *part; /* what other cores have of it (far.h); NULL: they know nothing */
	u32 refs;              /* mounts */
	u32 writers;           /* files that are open for writing */
	u32 dev;               /* st_dev */
	u32 magic;
	u32 modes; /* SB_MODES: told, and nothing else, as what is in memory is written at once */
	bool readonly;
	bool nodev;            /* device files are not opened */
	bool internal;         /* the VFS's own: nobody changes it */
	bool stable_dir_cache; /* names change by calls alone: what is not there may be kept */
	bool fixed_names;      /* what is not there cannot be made: -ENOENT (procfs) */
	bool xattrs;           /* inodes may have extended attributes (xattr.h) and flags */
};

/* --- Inodes --- */

#define ATTR_MODE  0x01u
#define ATTR_UID   0x02u
#define ATTR_GID   0x04u
#define ATTR_SIZE  0x08u
#define ATTR_ATIME 0x10u
#define ATTR_MTIME 0x20u
#define ATTR_CTIME 0x40u

/* Attributes to change: those whose bit is in @valid. */
struct attr {
	u32 valid;
	u32 mode, uid, gid; /* mode without the type */
	u64 size;
	struct vfs_time atime, mtime, ctime;
};

/* What is to be made: by mknod, mkdir, symlink, O_CREAT. Owner and mode are final. */
struct new_node {
	u32 mode; /* with type */
	u32 uid, gid, rdev;
	const char *target; /* of a symbolic link */
};

struct inode_ops {
	/*
	 * Directories. A name is @len bytes, no NUL, 1 to 255. New inodes come with a reference.
	 * lookup() sets *@out, or returns -ENOENT; or LOOKUP_UNSURE: *@out (NULL: no such name) is
	 * true now, but recheck() is to be called before it is believed again.
	 */
	int (*lookup)(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		      struct inode **out);
	int (*make)(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		    const struct new_node *node, struct inode **out);
	int (*link)(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		    struct inode *inode);
	int (*unlink)(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		      struct inode *inode);
	int (*rmdir)(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		     struct inode *inode);
	/* @old at (dir, name) goes to (newdir, newname), where @replaced is or NULL. */
	int (*rename)(struct vfs_task *t, const struct rename_args *args);
	/* An inode without a name: O_TMPFILE. */
	int (*tmpfile)(struct vfs_task *t, struct inode *dir, const struct new_node *node,
		       struct inode **out);
	/* Symbolic links: the target, good while the inode is held. Does not block for tmpfs. */
	int (*readlink)(struct vfs_task *t, struct inode *inode, struct text *out);
	/* Magic links (/proc/PID/fd/N): where it leads, with references. */
	int (*follow)(struct vfs_task *t, struct inode *inode, struct path *out);
	/* Look at attributes again before they are used; may be NULL. */
	int (*refresh)(struct vfs_task *t, struct inode *inode);
	/* Change attributes; checks have been made. NULL: inode_set_attr(). */
	int (*set_attr)(struct vfs_task *t, struct inode *inode, const struct attr *attr);
	/* NULL: inode_permission_generic() */
	int (*permission)(struct vfs_task *t, struct inode *inode, u32 may);
	/* Is a cached name still true? NULL: yes, until dentry_forget(). */
	bool (*revalidate)(struct vfs_task *t, struct dentry *dentry);
	/* Is @dentry, of a name in the directory @dir, still true, after LOOKUP_UNSURE or
	 * dentry_recall()? */
	bool (*recheck)(struct vfs_task *t, struct inode *dir, struct dentry *dentry);
	/* The page @index of a regular file, with a reference; makes it if @make, else NULL for a
	 * hole. */
	int (*page)(struct inode *inode, u64 index, bool make, struct page **out);
	/* The @count pages from @index on that are in memory, without references, NULL for others;
	 * returns how many there are. Never waits. May be NULL. */
	u32 (*pages)(struct inode *inode, u64 index, u32 count, struct page **out);
	/* The last reference is gone: free what hangs at the inode, then inode_free(). */
	void (*evict)(struct inode *inode);
};

#define LOOKUP_UNSURE 1

struct rename_args {
	struct inode *olddir, *newdir, *old, *replaced; /* replaced may be NULL */
	const char *oldname, *newname;
	u32 oldlen, newlen;
	bool exchange;
	/* What is left at the old name: a device of number 0 (RENAME_WHITEOUT); or NULL. */
	const struct new_node *whiteout;
};

/* A file, of whatever type. */
struct inode {
	struct superblock *sb;
	const struct inode_ops *ops;
	const struct file_ops *fops; /* of files opened; NULL: by type (devices, FIFOs) */
	u64 ino, size, blocks;       /* blocks of 512 bytes */
	struct vfs_time atime, mtime, ctime, btime;
	u32 mode, nlink, uid, gid, rdev;
	u32 refs;
	u32 flags;           /* VFS_FL_* */
	u32 seals;           /* SEAL_*: promises about a file in memory (memfd.c) */
	s32 writers;         /* opened for writing; negative: how many deny it (running programs) */
	bool numbered;       /* somebody has a handle of it */
	bool linkable;       /* made by O_TMPFILE without O_EXCL, and has no name yet */
	bool far;            /* stands for one that lives on another core (far.h) */
	bool shared;         /* other cores refer to it, or have done so */
	struct locks *locks; /* NULL: none */
	struct xattr *xattrs;
	union {
		struct pipe *pipe;     /* of an open FIFO */
		struct dentry *folder; /* a directory's one dentry; NULL: none is cached */
	};
	void *mapping; /* the personality's: where the file is mapped */
	void *private; /* the file system's */
};

/* F_SEAL_* of fcntl(2) */
#define SEAL_SEAL         0x01u
#define SEAL_SHRINK       0x02u
#define SEAL_GROW         0x04u
#define SEAL_WRITE        0x08u
#define SEAL_FUTURE_WRITE 0x10u
#define SEAL_EXEC         0x20u
#define SEALS_KNOWN       0x3fu

static inline bool inode_is(const struct inode *inode, u32 type)
{
	return (inode->mode & S_IFMT) == type;
}

/**
 * Allocate an inode with one reference and times set to now.
 *
 * @bytes  of the file system's own structure, of which struct inode is the first member
 */
struct inode *inode_new(struct superblock *sb, const struct inode_ops *ops, u32 mode, size_t bytes);
void inode_free(struct inode *inode);
struct inode *inode_get(struct inode *inode);
void inode_put(struct inode *inode);
struct vfs_time vfs_now(struct vfs *vfs);

/* Perform a change of attributes but for the size. */
void inode_set_attr(struct inode *inode, const struct attr *attr);

#define MAY_EXEC  1u
#define MAY_WRITE 2u
#define MAY_READ  4u

/* Has @t the capability in the first user namespace? */
bool vfs_capable(const struct vfs_task *t, u32 cap);
/* Over a file: its owners have numbers in the user namespace of @t. */
/* Have its owners numbers there? */
bool inode_ids_known(const struct vfs_task *t, const struct inode *inode);
bool inode_capable(const struct vfs_task *t, const struct inode *inode, u32 cap);
bool vfs_in_group(const struct vfs_task *t, u32 gid);
bool inode_is_owner(const struct vfs_task *t, const struct inode *inode); /* or CAP_FOWNER */
/* 0 or -EACCES, by owner, group, others and capabilities. */
int inode_permission_generic(struct vfs_task *t, struct inode *inode, u32 may);
/* As above through the file system; -EROFS for writing a file of a read-only superblock. */
int inode_permission(struct vfs_task *t, struct inode *inode, u32 may);

/* --- Dentries (dentry.c) --- */

/* A name in a directory, or that there is none (inode NULL). */
struct dentry {
	struct dentry *parent; /* itself at a root */
	struct inode *inode;
	struct superblock *sb;
	struct dentry *hash_next;
	struct dentry *lru_next, *lru_prev;
	struct dentry *children, *sibling_next, *sibling_prev;
	struct mount_dir point; /* what is mounted here and below: lib/mounts */
	const char *name;       /* NUL-terminated; shared with dentries that had it (dentry.c) */
	u32 hash, refs;
	u16 len;
	bool hashed; /* found by lookups; false once the name is gone */
	u8 check;    /* DENTRY_ASK_*: is it still true? */
};

#define DENTRY_ASK_INODE 1u /* its inode's revalidate() says */
#define DENTRY_ASK_DIR   2u /* its parent's recheck() says */

struct dentry *dentry_new_root(struct superblock *sb, struct inode *inode);
/* The same for what has no place in the tree: shown as @name alone. */
struct dentry *dentry_new_anon(struct superblock *sb, struct inode *inode, const char *name);
/* The same, named "KIND:[NUMBER]"; of @kind at most 24 bytes. */
struct dentry *dentry_new_numbered(struct superblock *sb, struct inode *inode, const char *kind,
				   u64 number);
/* Whom nobody holds is held again, or no longer. For the two functions below. */
void dentry_used(struct dentry *dentry);
void dentry_unused(struct dentry *dentry);

static inline struct dentry *dentry_get(struct dentry *dentry)
{
	if (dentry->refs++ == 0)
		dentry_used(dentry);
	return dentry;
}

static inline void dentry_put(struct dentry *dentry)
{
	if (--dentry->refs == 0)
		dentry_unused(dentry);
}

/*
 * The cached child of that name; NULL if unknown. @len is not 0. No reference is taken: it is good
 * until something is given back or an operation of a file system is called.
 */
struct dentry *dentry_peek(struct dentry *parent, const char *name, u32 len);
/* The same with a reference. */
struct dentry *dentry_find(struct dentry *parent, const char *name, u32 len);
/*
 * Look a name up, in the cache or by the file system. Sets *@out, which may be negative.
 * Does not check permission. -ENOMEM, -ENAMETOOLONG, the file system's errors but -ENOENT.
 */
int dentry_lookup(struct vfs_task *t, struct dentry *parent, const char *name, u32 len,
		  struct dentry **out);
/* @dentry, negative, becomes the name of @inode (takes its reference), unless it is another's now.
 */
void dentry_instantiate(struct dentry *dentry, struct inode *inode);
/* The name of @dentry is gone: it becomes negative if nobody else holds it, else unhashed. */
void dentry_unlink(struct dentry *dentry);
/* @dentry takes the place and name of @target, which loses its (or gets @dentry's: @exchange). */
void dentry_move(struct dentry *dentry, struct dentry *target, bool exchange);
/* A file system tells that what is cached of a name in @dir may be wrong. */
void dentry_forget(struct dentry *dir, const char *name, u32 len);
/*
 * What is cached of a name in @dir may become wrong soon. True: it is held, and stays, to be
 * checked when it is next looked up.
 */
bool dentry_recall(struct dentry *dir, const char *name, u32 len);
/* The same of all names in @dir. */
void dentry_recall_all(struct dentry *dir);
/* @dentry, held, is now @name in @parent. 0, -ENOMEM, -ESTALE (it is above @parent). */
int dentry_place(struct dentry *dentry, struct dentry *parent, const char *name, u32 len);
/* Drop every unused dentry of @sb (NULL: of all). */
void dentry_shrink(struct vfs *vfs, struct superblock *sb);
bool dentry_is_below(const struct dentry *dentry, const struct dentry *above); /* or the same */

/* --- Mounts (mount.c; struct mount is lib/mounts') --- */

#define VFS_MNT_READONLY    MOUNT_READONLY
#define VFS_MNT_NOSUID      MOUNT_NOSUID
#define VFS_MNT_NODEV       MOUNT_NODEV
#define VFS_MNT_NOEXEC      MOUNT_NOEXEC
#define VFS_MNT_NOATIME     MOUNT_NOATIME
#define VFS_MNT_NODIRATIME  MOUNT_NODIRATIME
#define VFS_MNT_RELATIME    MOUNT_RELATIME
#define VFS_MNT_NOSYMFOLLOW MOUNT_NOSYMFOLLOW

/* The topmost mount on @path, whose references are exchanged for those of the mount's root. */
void mount_cross_down(struct path *path);
bool mount_is_readonly(const struct mount *mnt);

#endif
