/*
 * File systems whose files are made when they are read: what procfs and sysfs share. Private to
 * services/vfs.
 *
 * A tree of nodes, made from tables of struct proc_entry, says what there is; inodes come and go
 * as they are looked up. A node may serve for every process: then the inode knows which.
 */
#ifndef VFS_PSEUDO_H
#define VFS_PSEUDO_H

#include "internal.h"
#include <vfs/proc.h>

struct pseudo_node {
	const char *name; /* @len bytes */
	u32 len, ino;
	u32 last_ino;                                    /* of a root: the highest below it */
	u32 mode;                                        /* with type */
	struct pseudo_node *parent, *children, *sibling; /* in order of addition */
	const struct proc_entry *entry;                  /* NULL: a folder */
	void *arg;                                       /* of its functions */
	const struct inode_ops *ops;
	const struct file_ops *fops;
};

struct pseudo_inode {
	struct inode inode; /* first */
	const struct pseudo_node *node;
	u32 pid; /* 0: none */
	int fd;  /* in /proc/PID/fd */
};

static inline struct pseudo_inode *pseudo_inode(struct inode *inode)
{
	return container_of(inode, struct pseudo_inode, inode);
}

/* The root of a tree, with inode number 1. NULL: no memory. */
struct pseudo_node *pseudo_root(const struct inode_ops *ops, const struct file_ops *fops);
void pseudo_free(struct pseudo_node *root);
/*
 * Add what @entry describes below @root, and the folders on the way. Files' functions get @arg.
 * 0, -ENOMEM, -EEXIST; folders that were made stay.
 */
int pseudo_add(struct pseudo_node *root, const struct proc_entry *entry, void *arg);
/* A folder at @path, made if it is not there; NULL: no memory, or not a folder. */
struct pseudo_node *pseudo_folder(struct pseudo_node *root, const char *path, size_t len);
const struct pseudo_node *pseudo_child(const struct pseudo_node *dir, const char *name, u32 len);

/* An inode of @node. 0 or -ENOMEM. */
int pseudo_inode_new(struct superblock *sb, const struct pseudo_node *node, u32 pid,
		     struct inode **out);
/* A superblock over @root. */
int pseudo_mount(struct vfs *vfs, const char *type, u32 magic, const struct pseudo_node *root,
		 struct superblock **out);

/* Operations of plain nodes. */
extern const struct inode_ops pseudo_folder_ops, pseudo_file_inode_ops, pseudo_link_ops,
	pseudo_magic_ops;
extern const struct file_ops pseudo_folder_file_ops, pseudo_text_ops;

int pseudo_lookup(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		  struct inode **out);
/* Emit ".", ".." and the children of the folder. False: no room. */
bool pseudo_emit_children(struct file *file, struct dir_context *ctx);
/* read(2) of @text. */
s64 pseudo_give(const struct text *text, struct uio *uio, s64 *pos);
/* Is this a folder in which there is nothing, and never will be? */
bool pseudo_is_empty(const struct inode *inode);
s64 pseudo_seek(struct vfs_task *t, struct file *file, s64 offset, u32 whence);

/* proc_far.c: the text of a node's file, and writing it, wherever its process lives. */
int pseudo_show(const struct pseudo_inode *pi, struct vfs_task *t, struct text *out);
int pseudo_store(const struct pseudo_inode *pi, struct vfs_task *t, const char *text, size_t len);
bool pseudo_is_far(const struct pseudo_inode *pi); /* of a process on another core */
int pseudo_far_link(const struct pseudo_inode *pi, struct vfs_task *t, struct text *out);

/* procfs.c: what changes for inodes of processes. */
int proc_refresh(struct vfs_task *t, struct inode *inode);
bool proc_revalidate(struct vfs_task *t, struct dentry *dentry);
int proc_permission(struct vfs_task *t, struct inode *inode, u32 may);

#endif
