/*
 * Trees of nodes for procfs and sysfs, and their folders and links. See pseudo.h.
 *
 * Runs in: the personality, host tests.
 */
#include "pseudo.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

struct pseudo_node *pseudo_root(const struct inode_ops *ops, const struct file_ops *fops)
{
	struct pseudo_node *root = calloc(1, sizeof(*root));

	if (!root)
		return NULL;
	*root = (struct pseudo_node){.name = "/",
				     .len = 1,
				     .ino = 1,
				     .last_ino = 1,
				     .mode = S_IFDIR | 0555,
				     .ops = ops,
				     .fops = fops};
	root->parent = root;
	return root;
}

void pseudo_free(struct pseudo_node *root)
{
	while (root->children) {
		struct pseudo_node *child = root->children;

		root->children = child->sibling;
		pseudo_free(child); /* as deep as the tables' names */
	}
	free(root);
}

const struct pseudo_node *pseudo_child(const struct pseudo_node *dir, const char *name, u32 len)
{
	const struct pseudo_node *child = dir->children;

	while (child && (child->len != len || memcmp(child->name, name, len)))
		child = child->sibling;
	return child;
}

static struct pseudo_node *add_child(struct pseudo_node *dir, const char *name, u32 len, u32 mode)
{
	struct pseudo_node *node = calloc(1, sizeof(*node)), **last = &dir->children;
	struct pseudo_node *root = dir;

	if (!node)
		return NULL;
	while (root->parent != root)
		root = root->parent;
	*node = (struct pseudo_node){
		.name = name, .len = len, .mode = mode, .parent = dir, .ino = ++root->last_ino};
	while (*last)
		last = &(*last)->sibling;
	*last = node;
	return node;
}

struct pseudo_node *pseudo_folder(struct pseudo_node *root, const char *path, size_t len)
{
	struct pseudo_node *dir = root;

	while (len) {
		const char *slash = memchr(path, '/', len);
		size_t name = slash ? (size_t)(slash - path) : len;
		struct pseudo_node *next = (struct pseudo_node *)pseudo_child(dir, path, (u32)name);

		if (!next) {
			next = add_child(dir, path, (u32)name, S_IFDIR | 0555);
			if (!next)
				return NULL;
			next->ops = &pseudo_folder_ops;
			next->fops = &pseudo_folder_file_ops;
		}
		if ((next->mode & S_IFMT) != S_IFDIR)
			return NULL;
		dir = next;
		path += name + (slash ? 1 : 0);
		len -= name + (slash ? 1 : 0);
	}
	return dir;
}

int pseudo_add(struct pseudo_node *root, const struct proc_entry *entry, void *arg)
{
	const char *slash = strrchr(entry->name, '/');
	const char *name = slash ? slash + 1 : entry->name;
	struct pseudo_node *dir, *node;

	dir = pseudo_folder(root, entry->name, slash ? (size_t)(slash - entry->name) : 0);
	if (!dir)
		return -ENOMEM;
	if (pseudo_child(dir, name, (u32)strlen(name)))
		return -EEXIST;
	node = add_child(dir, name, (u32)strlen(name), entry->mode);
	if (!node)
		return -ENOMEM;
	if (!(entry->mode & S_IFMT))
		node->mode |= S_IFREG;
	node->entry = entry;
	node->arg = arg;
	if ((node->mode & S_IFMT) == S_IFLNK)
		node->ops = entry->follow ? &pseudo_magic_ops : &pseudo_link_ops;
	else
		node->ops = &pseudo_file_inode_ops;
	node->fops = entry->fops ? entry->fops : &pseudo_text_ops;
	return 0;
}

bool pseudo_is_empty(const struct inode *inode)
{
	return inode->ops == &pseudo_folder_ops &&
	       !container_of(inode, struct pseudo_inode, inode)->node->children;
}

/* --- Inodes --- */

int pseudo_inode_new(struct superblock *sb, const struct pseudo_node *node, u32 pid,
		     struct inode **out)
{
	struct inode *inode = inode_new(sb, node->ops, node->mode, sizeof(struct pseudo_inode));

	if (!inode)
		return -ENOMEM;
	pseudo_inode(inode)->node = node;
	pseudo_inode(inode)->pid = pid;
	inode->fops = node->fops;
	inode->ino = (u64)pid << 40 | (u64)node->ino << 24;
	if (!pid)
		inode->ino >>= 24;
	if (inode_is(inode, S_IFDIR)) {
		inode->nlink = 2;
		for (const struct pseudo_node *c = node->children; c; c = c->sibling)
			inode->nlink += (c->mode & S_IFMT) == S_IFDIR;
	}
	*out = inode;
	return 0;
}

int pseudo_lookup(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		  struct inode **out)
{
	const struct pseudo_inode *pi = pseudo_inode(dir);
	const struct pseudo_node *child = pseudo_child(pi->node, name, len);
	int err;

	if (!child)
		return -ENOENT;
	err = pseudo_inode_new(dir->sb, child, pi->pid, out);
	if (!err && pi->pid)
		proc_refresh(t, *out);
	return err;
}

/* Positions: 0 and 1 are "." and "..", then the children by number. */
bool pseudo_emit_children(struct file *file, struct dir_context *ctx)
{
	const struct pseudo_inode *pi = pseudo_inode(file->inode);
	const struct pseudo_node *node = pi->node;
	u64 pos = 2;

	if (ctx->pos == 0 && !dir_emit(ctx, ".", 1, file->inode->ino, DT_DIR, 1))
		return false;
	if (ctx->pos == 1 &&
	    !dir_emit(ctx, "..", 2, file->path.dentry->parent->inode->ino, DT_DIR, 2))
		return false;
	for (const struct pseudo_node *c = node->children; c; c = c->sibling, pos++) {
		u64 ino = pi->pid ? (u64)pi->pid << 40 | (u64)c->ino << 24 : c->ino;

		if (pos >= ctx->pos &&
		    !dir_emit(ctx, c->name, c->len, ino, (c->mode & S_IFMT) >> 12, pos + 1))
			return false;
	}
	ctx->pos = MAX(ctx->pos, pos);
	return true;
}

static int give_names(struct vfs_task *t, struct file *file, struct dir_context *ctx)
{
	(void)t;
	pseudo_emit_children(file, ctx);
	return 0;
}

s64 pseudo_seek(struct vfs_task *t, struct file *file, s64 offset, u32 whence)
{
	(void)t;
	return whence > SEEK_CUR ? -EINVAL : file_seek_fixed(file, offset, whence, 0);
}

static int link_text(struct vfs_task *t, struct inode *inode, struct text *out)
{
	return pseudo_show(pseudo_inode(inode), t, out);
}

static int follow(struct vfs_task *t, struct inode *inode, struct path *out)
{
	const struct pseudo_inode *pi = pseudo_inode(inode);

	return pi->node->entry->follow(pi->node->arg, t, pi->pid, out);
}

/* What readlink(2) says of a magic link: the name of where it leads. */
static int magic_text(struct vfs_task *t, struct inode *inode, struct text *out)
{
	struct path path;
	char *name;
	s64 len;
	int err = pseudo_far_link(pseudo_inode(inode), t, out);

	if (err != -EREMOTE)
		return err;
	err = inode->ops->follow(t, inode, &path);
	if (err)
		return err;
	name = malloc(VFS_PATH_MAX);
	len = name ? vfs_path_name(t, &path, name, VFS_PATH_MAX) : -ENOMEM;
	if (len >= 0)
		text_put(out, name, (size_t)len);
	free(name);
	path_put(&path);
	return len < 0 ? (int)len : 0;
}

int pseudo_magic_text(struct vfs_task *t, struct inode *inode, struct text *out)
{
	return magic_text(t, inode, out);
}

/* chmod and its like: not for these. */
static int refuse_attr(struct vfs_task *t, struct inode *inode, const struct attr *attr)
{
	(void)t;
	(void)inode;
	/* open with O_TRUNC, which shells do for ">", has nothing to cut off. */
	return attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM : 0;
}

const struct inode_ops pseudo_folder_ops = {.lookup = pseudo_lookup,
					    .refresh = proc_refresh,
					    .revalidate = proc_revalidate,
					    .permission = proc_permission,
					    .set_attr = refuse_attr};
const struct inode_ops pseudo_file_inode_ops = {.refresh = proc_refresh,
						.revalidate = proc_revalidate,
						.permission = proc_permission,
						.set_attr = refuse_attr};
const struct inode_ops pseudo_link_ops = {.readlink = link_text,
					  .refresh = proc_refresh,
					  .revalidate = proc_revalidate,
					  .set_attr = refuse_attr};
const struct inode_ops pseudo_magic_ops = {.readlink = magic_text,
					   .follow = follow,
					   .refresh = proc_refresh,
					   .revalidate = proc_revalidate,
					   .set_attr = refuse_attr};
const struct file_ops pseudo_folder_file_ops = {
	.readdir = give_names, .seek = pseudo_seek, .fsync = fsync_nothing};

/* --- Superblocks --- */

static const struct superblock_ops super_ops = {0};

int pseudo_mount(struct vfs *vfs, const char *type, u32 magic, const struct pseudo_node *root,
		 struct superblock **out)
{
	struct superblock *sb = superblock_new(vfs, &super_ops, type, magic);
	struct inode *inode;

	if (!sb)
		return -ENOMEM;
	if (pseudo_inode_new(sb, root, 0, &inode)) {
		superblock_free(sb);
		return -ENOMEM;
	}
	sb->root = dentry_new_root(sb, inode);
	if (!sb->root) {
		inode_put(inode);
		superblock_free(sb);
		return -ENOMEM;
	}
	*out = sb;
	return 0;
}
