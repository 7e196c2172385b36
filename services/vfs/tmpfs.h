/*
 * tmpfs from inside. Private to services/vfs.
 */
#ifndef VFS_TMPFS_H
#define VFS_TMPFS_H

#include "internal.h"

/* A name in a directory. Holds its inode. */
struct tmpfs_entry {
	struct tmpfs_entry *hash_next;
	struct tmpfs_entry *next, *prev; /* in order of cookies, which is that of making */
	struct inode *inode;             /* of tmpfs, or far */
	u64 cookie;                      /* its position for getdents */
	u32 hash;
	u8 len;
	char name[];
};

struct tmpfs_dir {
	struct tmpfs_entry **hash; /* NULL until the first entry */
	u32 nbuckets, n;
	struct tmpfs_entry *first, *last;
	struct tmpfs_entry *cursor; /* where a getdents stopped */
	u64 next_cookie;
	struct tmpfs_inode *parent; /* not held: a directory is in its parent; NULL: far */
	u64 parent_ino;
};

struct tmpfs_inode {
	struct inode inode; /* first */
	union {
		struct tmpfs_dir dir;
		struct page_map pages;
		char *target;
	};
};

/* An inode that somebody knows by its number. */
struct tmpfs_numbered {
	struct tmpfs_numbered *next;
	struct inode *inode; /* not held */
};

struct tmpfs {
	u64 max_pages, npages; /* 0: no limit */
	u64 max_inodes, ninodes;
	u64 next_ino;
	struct tmpfs_numbered *numbered;
	u64 xattr_bytes;    /* of user. attributes */
	u32 mode, uid, gid; /* of the root */
};

static inline struct tmpfs_inode *tmpfs_inode(struct inode *inode)
{
	return container_of(inode, struct tmpfs_inode, inode);
}

static inline bool tmpfs_dir_is_empty(const struct inode *dir)
{
	return !container_of(dir, const struct tmpfs_inode, inode)->dir.n;
}

static inline struct tmpfs *tmpfs_of(const struct inode *inode)
{
	return inode->sb->private;
}

extern const struct inode_ops tmpfs_dir_inode_ops, tmpfs_file_inode_ops, tmpfs_link_inode_ops,
	tmpfs_special_inode_ops;
extern const struct file_ops tmpfs_dir_ops, tmpfs_file_ops;

/* A new inode as @node says, not in any directory. */
int tmpfs_make_inode(struct superblock *sb, const struct new_node *node, struct inode **out);
/* Take what counts as one inode; -ENOSPC. And give it back. */
int tmpfs_charge_inode(struct tmpfs *fs);
void tmpfs_uncharge_inode(struct tmpfs *fs);
void tmpfs_evict(struct inode *inode);

/* tmpfs_dir.c */
void tmpfs_dir_init(struct tmpfs_inode *dir, struct tmpfs_inode *parent);
void tmpfs_dir_fini(struct tmpfs_inode *dir);
int tmpfs_make(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
	       const struct new_node *node, struct inode **out);
/* Operations of directories that only this core knows. None of them waits. */
int tmpfs_lookup(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		 struct inode **out);
int tmpfs_link(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
	       struct inode *inode);
int tmpfs_unlink(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		 struct inode *inode);
int tmpfs_rmdir(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		struct inode *inode);
/* Links of a far inode that is renamed or replaced are counted by whoever calls. */
int tmpfs_rename(struct vfs_task *t, const struct rename_args *args);
int tmpfs_make_nameless(struct vfs_task *t, struct inode *dir, const struct new_node *node,
			struct inode **out);
/* What @name is in @dir, without a reference; NULL: nothing. */
struct inode *tmpfs_dir_find(const struct inode *dir, const char *name, u32 len);
/* A name comes (0 or -ENOMEM) or goes, and nothing else: links are counted by whoever calls. */
int tmpfs_dir_enter(struct inode *dir, const char *name, u32 len, struct inode *inode);
void tmpfs_dir_take(struct inode *dir, const char *name, u32 len);
/* @inode (a reference is taken) takes the name instead of what has it, whose reference goes. */
void tmpfs_dir_replace(struct inode *dir, const char *name, u32 len, struct inode *inode);
/* The directory @dir is in @parent from now on; it may be far. */
void tmpfs_dir_set_parent(struct inode *dir, struct inode *parent);
void tmpfs_dir_set_far_parent(struct inode *dir, u64 ino);
int tmpfs_set_attr(struct vfs_task *t, struct inode *inode, const struct attr *attr);
/* Take the entry @name away with all that hangs at it, as far as it exists. */
void tmpfs_dir_remove(struct tmpfs_inode *dir, const char *name, u32 len);

/* The name of @inode in @dir: its length; 0: it has none there. */
u32 tmpfs_dir_name(const struct tmpfs_inode *dir, const struct inode *inode, char *name);

/* tmpfs_file.c */
void tmpfs_file_fini(struct tmpfs_inode *inode);

/* tmpfs_options.c: "size=10%,nr_inodes=4k,mode=755". -EINVAL; nothing is changed then. */
int tmpfs_parse_options(const char *options, u64 total_pages, struct tmpfs *fs);
/* fs_type's check_option() */
int tmpfs_check_option(struct vfs *vfs, const char *option);
void tmpfs_show_options(struct superblock *sb, struct text *out);

#endif
