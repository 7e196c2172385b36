/*
 * tmpfs: files in memory, up to a limit of pages and inodes. Also rootfs, ramfs, and what devtmpfs
 * and devpts are inside.
 *
 * An inode is held by each of its names (struct tmpfs_entry) and by dentries; it goes with the
 * last of them.
 *
 * Source: tmpfs(5).
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"
#include "tmpfs.h"

#include <stdlib.h>
#include <string.h>
#include <vfs/text.h>

/* User attributes share the room for inodes: so many bytes count as one, as in Linux. */
#define INODE_BYTES 1024u

int tmpfs_charge_inode(struct tmpfs *fs)
{
	if (fs->max_inodes && fs->ninodes + fs->xattr_bytes / INODE_BYTES >= fs->max_inodes)
		return -ENOSPC;
	fs->ninodes++;
	return 0;
}

void tmpfs_uncharge_inode(struct tmpfs *fs)
{
	fs->ninodes--;
}

static int link_text(struct vfs_task *t, struct inode *inode, struct text *out)
{
	(void)t;
	text_puts(out, tmpfs_inode(inode)->target);
	return 0;
}

int tmpfs_set_attr(struct vfs_task *t, struct inode *inode, const struct attr *attr)
{
	(void)t;
	inode_set_attr(inode, attr);
	return 0;
}

const struct inode_ops tmpfs_link_inode_ops = {
	.readlink = link_text, .set_attr = tmpfs_set_attr, .evict = tmpfs_evict};
const struct inode_ops tmpfs_special_inode_ops = {.set_attr = tmpfs_set_attr, .evict = tmpfs_evict};

/* --- Handles: few inodes have one, so those that do are in a list --- */

static struct tmpfs_numbered **numbered_at(struct tmpfs *fs, u64 ino)
{
	struct tmpfs_numbered **at = &fs->numbered;

	while (*at && (*at)->inode->ino != ino)
		at = &(*at)->next;
	return at;
}

static int number(struct inode *inode)
{
	struct tmpfs *fs = tmpfs_of(inode);
	struct tmpfs_numbered *n;

	if (inode->numbered)
		return 0;
	n = malloc(sizeof(*n));
	if (!n)
		return -ENOMEM;
	*n = (struct tmpfs_numbered){fs->numbered, inode};
	fs->numbered = n;
	inode->numbered = true;
	return 0;
}

static struct inode *by_number(struct superblock *sb, u64 ino)
{
	struct tmpfs_numbered *n = *numbered_at(sb->private, ino);

	return n && n->inode->nlink ? inode_get(n->inode) : NULL;
}

static void forget_number(struct inode *inode)
{
	struct tmpfs_numbered **at = numbered_at(tmpfs_of(inode), inode->ino), *n = *at;

	*at = n->next;
	free(n);
}

static int name_of_folder(struct inode *dir, struct inode **parent, char *name, u32 *len)
{
	struct tmpfs_inode *above = tmpfs_inode(dir)->dir.parent;

	if (!dir->nlink)
		return -ESTALE;
	if (!above)
		return -ESTALE;
	*len = tmpfs_dir_name(above, dir, name);
	*parent = &above->inode;
	return *len ? 0 : -ESTALE;
}

void tmpfs_evict(struct inode *inode)
{
	struct tmpfs_inode *ti = tmpfs_inode(inode);

	if (inode->numbered)
		forget_number(inode);

	if (inode_is(inode, S_IFREG))
		tmpfs_file_fini(ti);
	else if (inode_is(inode, S_IFDIR))
		tmpfs_dir_fini(ti);
	else if (inode_is(inode, S_IFLNK))
		free(ti->target);
	tmpfs_uncharge_inode(tmpfs_of(inode));
	inode_free(inode);
}

static const struct inode_ops *ops_of(u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return &tmpfs_file_inode_ops;
	case S_IFDIR:
		return &tmpfs_dir_inode_ops;
	case S_IFLNK:
		return &tmpfs_link_inode_ops;
	default:
		return &tmpfs_special_inode_ops;
	}
}

int tmpfs_make_inode(struct superblock *sb, const struct new_node *node, struct inode **out)
{
	struct tmpfs *fs = sb->private;
	struct tmpfs_inode *ti;
	struct inode *inode;
	char *target = NULL;

	if (tmpfs_charge_inode(fs))
		return -ENOSPC;
	if ((node->mode & S_IFMT) == S_IFLNK) {
		target = strdup(node->target);
		if (!target)
			goto fail;
	}
	inode = inode_new(sb, ops_of(node->mode), node->mode, sizeof(*ti));
	if (!inode)
		goto fail;
	ti = tmpfs_inode(inode);
	inode->ino = ++fs->next_ino;
	inode->uid = node->uid;
	inode->gid = node->gid;
	inode->rdev = node->rdev;
	if (inode_is(inode, S_IFREG)) {
		inode->fops = &tmpfs_file_ops;
		inode->seals = SEAL_SEAL;
	} else if (inode_is(inode, S_IFDIR)) {
		inode->fops = &tmpfs_dir_ops;
		tmpfs_dir_init(ti, ti);
	} else if (target) {
		ti->target = target;
		inode->size = strlen(target);
	}
	*out = inode;
	return 0;

fail:
	free(target);
	tmpfs_uncharge_inode(fs);
	return -ENOMEM;
}

static int statfs(struct superblock *sb, struct vfs_statfs *st)
{
	struct tmpfs *fs = sb->private;

	if (sb->part && sb->part->home != sb->vfs->far->core)
		return far_statfs(sb, st);
	if (fs->max_pages) {
		st->blocks = fs->max_pages;
		st->bfree = st->bavail = fs->max_pages - MIN(fs->npages, fs->max_pages);
	}
	if (fs->max_inodes) {
		st->files = fs->max_inodes;
		st->ffree = fs->max_inodes - MIN(fs->ninodes, fs->max_inodes);
	}
	return 0;
}

static void put(struct superblock *sb)
{
	free(sb->private);
}

static int remount(struct superblock *sb, const char *options)
{
	struct tmpfs *fs = sb->private, changed = *fs;
	int err = tmpfs_parse_options(options, sb->vfs->env->total_pages, &changed);

	if (err)
		return err;
	/* Limits below what is used, and limits where there were none, as tmpfs(5) says. */
	if (changed.max_pages && (changed.max_pages < fs->npages || !fs->max_pages))
		return -EINVAL;
	if (changed.max_inodes && (changed.max_inodes < fs->ninodes || !fs->max_inodes))
		return -EINVAL;
	fs->max_pages = changed.max_pages;
	fs->max_inodes = changed.max_inodes;
	return 0;
}

static int charge_xattr(struct superblock *sb, s64 bytes)
{
	struct tmpfs *fs = sb->private;
	u64 used = fs->xattr_bytes + (u64)bytes;

	if (bytes > 0 && fs->max_inodes && used / INODE_BYTES >= fs->max_inodes - fs->ninodes)
		return -ENOSPC;
	fs->xattr_bytes = used;
	return 0;
}

static const struct superblock_ops super_ops = {.statfs = statfs,
						.show_options = tmpfs_show_options,
						.put = put,
						.remount = remount,
						.charge_xattr = charge_xattr,
						.number = number,
						.by_number = by_number,
						.name_of_folder = name_of_folder};

static void fill_super(struct superblock *sb, struct tmpfs *fs)
{
	sb->private = fs;
	sb->stable_dir_cache = true;
}

int tmpfs_new(struct vfs *vfs, const char *type, u32 magic, const char *options,
	      struct superblock **out)
{
	struct tmpfs *fs = calloc(1, sizeof(*fs));
	struct superblock *sb = superblock_new(vfs, &super_ops, type, magic);
	struct new_node node = {0};
	struct inode *inode;
	int err = -ENOMEM;

	if (!fs || !sb)
		goto fail;
	fs->mode = strcmp(type, "tmpfs") ? 0755 : 01777;
	fs->max_pages = fs->max_inodes = vfs->env->total_pages / 2;
	err = tmpfs_parse_options(options, vfs->env->total_pages, fs);
	if (err)
		goto fail;
	fill_super(sb, fs);
	if (vfs->far)
		fs->next_ino = (u64)vfs->far->core << FAR_INO_SHIFT;
	sb->xattrs = strcmp(type, "ramfs") != 0;
	node.mode = S_IFDIR | fs->mode;
	node.uid = fs->uid;
	node.gid = fs->gid;
	err = tmpfs_make_inode(sb, &node, &inode);
	if (err)
		goto fail;
	inode->nlink = 2;
	sb->root = dentry_new_root(sb, inode);
	if (!sb->root) {
		inode_put(inode);
		err = -ENOMEM;
		goto fail;
	}
	*out = sb;
	return 0;

fail:
	free(fs);
	if (sb)
		superblock_free(sb);
	return err;
}

/* --- Several cores --- */

int tmpfs_new_part(struct vfs *vfs, const char *type, u32 magic, u32 core, struct superblock **out)
{
	struct tmpfs *fs = calloc(1, sizeof(*fs));
	struct superblock *sb = superblock_new(vfs, &super_ops, type, magic);

	if (!fs || !sb) {
		free(fs);
		if (sb)
			superblock_free(sb);
		return -ENOMEM;
	}
	fs->next_ino = (u64)core << FAR_INO_SHIFT;
	fill_super(sb, fs);
	*out = sb;
	return 0;
}

void tmpfs_free_part(struct superblock *sb)
{
	free(sb->private);
	superblock_free(sb);
}

void tmpfs_set_core(struct superblock *sb, u32 core)
{
	struct tmpfs *fs = sb->private;

	fs->next_ino |= (u64)core << FAR_INO_SHIFT;
	sb->root->inode->ino |= (u64)core << FAR_INO_SHIFT;
	tmpfs_dir_set_parent(sb->root->inode, sb->root->inode);
}

void tmpfs_get_limits(const struct superblock *sb, u64 *pages, u64 *inodes)
{
	const struct tmpfs *fs = sb->private;

	*pages = fs->max_pages;
	*inodes = fs->max_inodes;
}

void tmpfs_set_limits(struct superblock *sb, u64 pages, u64 inodes)
{
	struct tmpfs *fs = sb->private;

	fs->max_pages = pages;
	fs->max_inodes = inodes;
}

u64 tmpfs_ninodes(const struct superblock *sb)
{
	return ((const struct tmpfs *)sb->private)->ninodes;
}

int tmpfs_add_node(struct superblock *sb, struct inode *dir, const char *name,
		   const struct new_node *node, struct inode **out)
{
	struct inode *inode;
	int err;

	dir = dir ? dir : sb->root->inode;
	err = dir->ops->make(NULL, dir, name, (u32)strlen(name), node, &inode);
	if (err)
		return err;
	if (dir == sb->root->inode)
		dentry_forget(sb->root, name, (u32)strlen(name)); /* a negative one */
	if (out)
		*out = inode;
	else
		inode_put(inode);
	return 0;
}

void tmpfs_remove_node(struct superblock *sb, const char *name)
{
	tmpfs_dir_remove(tmpfs_inode(sb->root->inode), name, (u32)strlen(name));
	dentry_forget(sb->root, name, (u32)strlen(name));
}

static int mount(struct vfs *vfs, void *arg, const char *source, const char *options,
		 struct superblock **out)
{
	(void)source;
	return tmpfs_new(vfs, arg, VFS_TMPFS_MAGIC, options, out);
}

int tmpfs_register(struct vfs *vfs)
{
	static const char *const names[] = {"rootfs", "tmpfs", "ramfs"};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		struct fs_type *type = calloc(1, sizeof(*type));

		if (!type)
			return -ENOMEM;
		*type = (struct fs_type){.name = names[i],
					 .nodev = true,
					 .mount = mount,
					 .anybody = true,
					 .check_option = tmpfs_check_option,
					 .arg = (void *)names[i]};
		vfs_register_fs(vfs, type);
	}
	return 0;
}
