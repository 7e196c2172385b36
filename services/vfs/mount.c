/*
 * The tree of mounts, and the types of file systems.
 *
 * One tree for the instance; every mount is private. A mount in the tree holds its parent and the
 * dentry it covers, and has one reference of its own for being attached.
 *
 * Not here: namespaces and propagation, which replace the tree later.
 * Runs in: the personality, host tests.
 * Source: mount(2), umount(2), proc_pid_mountinfo(5).
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <vfs/text.h>

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

struct mount *mount_get(struct mount *mnt)
{
	mnt->refs++;
	return mnt;
}

void superblock_put(struct superblock *sb)
{
	if (--sb->refs)
		return;
	dentry_shrink(sb->vfs, sb);
	dentry_put(sb->root);
	dentry_shrink(sb->vfs, sb);
	if (sb->ops->put)
		sb->ops->put(sb);
	superblock_free(sb);
}

void mount_put(struct mount *mnt)
{
	if (--mnt->refs)
		return;
	dentry_put(mnt->root);
	superblock_put(mnt->sb);
	free(mnt->source);
	free(mnt);
}

struct superblock *superblock_new(struct vfs *vfs, const struct superblock_ops *ops,
				  const char *type, u32 magic)
{
	struct superblock *sb = calloc(1, sizeof(*sb));

	if (!sb)
		return NULL;
	sb->vfs = vfs;
	sb->ops = ops;
	sb->type = type;
	sb->magic = magic;
	vfs->next_dev++;
	sb->dev = VFS_DEV(0, vfs->next_dev);
	return sb;
}

void superblock_free(struct superblock *sb)
{
	free(sb);
}

/* A detached mount of @root, with one reference. Takes over nothing. */
static struct mount *mount_new(struct superblock *sb, struct dentry *root, const char *source,
			       u32 flags)
{
	struct mount *mnt = calloc(1, sizeof(*mnt));
	char *copy = strdup(source);

	if (!mnt || !copy) {
		free(mnt);
		free(copy);
		return NULL;
	}
	mnt->sb = sb;
	sb->refs++;
	mnt->root = dentry_get(root);
	mnt->source = copy;
	mnt->flags = flags;
	mnt->refs = 1;
	mnt->id = ++sb->vfs->next_mount;
	return mnt;
}

/* Put @mnt, whose reference goes to the tree, on top of @at. */
static void attach(struct mount *mnt, const struct path *at)
{
	struct mount **last = &at->mnt->children;

	mnt->parent = mount_get(at->mnt);
	mnt->point = dentry_get(at->dentry);
	mnt->point->mounts++;
	while (*last)
		last = &(*last)->sibling;
	*last = mnt;
	mnt->sibling = NULL;
	mnt->attached = true;
}

/* Take @mnt out of the tree; the tree's reference becomes the caller's. */
static void detach(struct mount *mnt)
{
	struct mount **at = &mnt->parent->children;

	while (*at != mnt)
		at = &(*at)->sibling;
	*at = mnt->sibling;
	mnt->point->mounts--;
	dentry_put(mnt->point);
	mount_put(mnt->parent);
	mnt->parent = NULL;
	mnt->point = NULL;
	mnt->attached = false;
}

void mount_cross_down(struct path *path)
{
	while (path->dentry->mounts) {
		struct mount *child = path->mnt->children;
		struct path to;

		while (child && child->point != path->dentry)
			child = child->sibling;
		if (!child)
			return;
		to = (struct path){child, child->root};
		path_get(&to);
		path_put(path);
		*path = to;
	}
}

bool mount_is_readonly(const struct mount *mnt)
{
	return (mnt->flags & VFS_MNT_READONLY) || mnt->sb->readonly;
}

/* --- Types --- */

void vfs_register_fs(struct vfs *vfs, struct fs_type *type)
{
	struct fs_type **at = &vfs->types;

	while (*at)
		at = &(*at)->next;
	type->next = NULL;
	*at = type;
}

static struct fs_type *find_type(struct vfs *vfs, const char *name)
{
	struct fs_type *type = vfs->types;

	while (type && strcmp(type->name, name))
		type = type->next;
	return type;
}

void vfs_show_filesystems(struct vfs *vfs, struct text *out)
{
	for (struct fs_type *type = vfs->types; type; type = type->next)
		text_printf(out, "%s\t%s\n", type->nodev ? "nodev" : "", type->name);
}

/* --- Mounting --- */

static u32 mount_flags(u64 ms)
{
	u32 flags = 0;

	if (!(ms & MS_NOATIME))
		flags |= VFS_MNT_RELATIME;
	if (ms & MS_STRICTATIME)
		flags &= ~VFS_MNT_RELATIME;
	flags |= ms & MS_NOSUID ? VFS_MNT_NOSUID : 0;
	flags |= ms & MS_NODEV ? VFS_MNT_NODEV : 0;
	flags |= ms & MS_NOEXEC ? VFS_MNT_NOEXEC : 0;
	flags |= ms & MS_NOATIME ? VFS_MNT_NOATIME : 0;
	flags |= ms & MS_NODIRATIME ? VFS_MNT_NODIRATIME : 0;
	flags |= ms & MS_RDONLY ? VFS_MNT_READONLY : 0;
	flags |= ms & MS_NOSYMFOLLOW ? VFS_MNT_NOSYMFOLLOW : 0;
	return flags;
}

/* A new superblock mounted nowhere. */
static int mount_type(struct vfs *vfs, const char *source, const char *name, u64 ms,
		      const char *options, struct mount **out)
{
	struct fs_type *type = find_type(vfs, name);
	struct superblock *sb;
	int err;

	if (!type)
		return -ENODEV;
	err = type->mount(vfs, type->arg, source, options, &sb);
	if (err)
		return err;
	sb->refs++;
	if (ms & MS_RDONLY)
		sb->readonly = true;
	*out = mount_new(sb, sb->root, source, mount_flags(ms & ~(u64)MS_RDONLY));
	superblock_put(sb);
	return *out ? 0 : -ENOMEM;
}

static int new_mount(struct vfs_task *t, const char *source, const struct path *at,
		     const char *type, u64 ms, const char *options)
{
	struct mount *mnt;
	int err;

	if (!type)
		return -EINVAL;
	if (!inode_is(at->dentry->inode, S_IFDIR))
		return -ENOTDIR;
	if (!at->dentry->inode->nlink)
		return -ENOENT;
	err = mount_type(t->vfs, source && *source ? source : "none", type, ms, options, &mnt);
	if (err)
		return err;
	attach(mnt, at);
	return 0;
}

static void destroy_tree(struct mount *mnt);

/* A copy of @mnt from @root on, with what is mounted below when @deep; NULL: no memory. */
static struct mount *copy_tree(struct mount *mnt, struct dentry *root, bool deep)
{
	struct mount *copy = mount_new(mnt->sb, root, mnt->source, mnt->flags);

	if (!copy)
		return NULL;
	for (struct mount *child = mnt->children; deep && child; child = child->sibling) {
		struct path at = {copy, child->point};
		struct mount *below;

		if (!dentry_is_below(child->point, root))
			continue;
		below = copy_tree(child, child->root, true);
		if (!below) {
			destroy_tree(copy);
			return NULL;
		}
		attach(below, &at);
	}
	return copy;
}

/* Take a detached tree apart and give its references back. */
static void destroy_tree(struct mount *mnt)
{
	struct mount *at = mnt;

	for (;;) {
		struct mount *parent;

		while (at->children)
			at = at->children;
		if (at == mnt)
			break;
		parent = at->parent;
		detach(at);
		mount_put(at);
		at = parent;
	}
	mount_put(mnt);
}

static bool in_tree(const struct mount *mnt)
{
	return mnt->attached || mnt == mnt->sb->vfs->root;
}

static int bind_mount(struct vfs_task *t, const char *source, const struct path *at, u64 ms)
{
	struct path from;
	struct mount *mnt;
	int err;

	if (!source || !*source)
		return -EINVAL;
	err = vfs_walk(t, AT_FDCWD, source, WALK_FOLLOW, &from);
	if (err)
		return err;
	if (inode_is(from.dentry->inode, S_IFDIR) != inode_is(at->dentry->inode, S_IFDIR))
		err = -ENOTDIR;
	else if (!in_tree(from.mnt))
		err = -EINVAL;
	if (!err) {
		mnt = copy_tree(from.mnt, from.dentry, ms & MS_REC);
		if (mnt)
			attach(mnt, at);
		else
			err = -ENOMEM;
	}
	path_put(&from);
	return err;
}

static int remount(const struct path *at, u64 ms, const char *options)
{
	struct superblock *sb = at->mnt->sb;
	int err = 0;

	if (at->dentry != at->mnt->root)
		return -EINVAL;
	if (!(ms & MS_BIND)) {
		if (sb->ops->remount)
			err = sb->ops->remount(sb, options);
		if (err)
			return err;
		sb->readonly = ms & MS_RDONLY;
		ms &= ~(u64)MS_RDONLY;
	}
	at->mnt->flags = mount_flags(ms);
	return 0;
}

static int move_tree(struct vfs_task *t, const char *source, const struct path *at)
{
	struct path from;
	int err;

	if (!source || !*source)
		return -EINVAL;
	err = vfs_walk(t, AT_FDCWD, source, WALK_FOLLOW, &from);
	if (err)
		return err;
	if (from.dentry != from.mnt->root || !from.mnt->attached)
		err = -EINVAL;
	else if (inode_is(from.dentry->inode, S_IFDIR) != inode_is(at->dentry->inode, S_IFDIR))
		err = -EINVAL;
	for (struct mount *m = at->mnt; !err && m; m = m->parent) {
		if (m == from.mnt)
			err = -ELOOP;
	}
	if (!err) {
		detach(from.mnt);
		attach(from.mnt, at);
	}
	path_put(&from);
	return err;
}

int vfs_mount(struct vfs_task *t, const char *source, const char *target, const char *type,
	      u64 flags, const char *options)
{
	const u64 propagation = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
	struct path at;
	int err;

	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~(u64)MS_MGC_MSK;
	options = options ? options : "";
	err = vfs_walk(t, AT_FDCWD, target, WALK_FOLLOW, &at);
	if (err)
		return err;
	if (!vfs_capable(t, VFS_CAP_SYS_ADMIN))
		err = -EPERM;
	else if (!in_tree(at.mnt)) /* nothing would ever take it apart again */
		err = -EINVAL;
	else if (flags & MS_REMOUNT)
		err = remount(&at, flags, options);
	else if (flags & MS_BIND)
		err = bind_mount(t, source, &at, flags);
	else if (flags & propagation) /* every mount is private, and nothing else */
		err = (flags & propagation) == MS_PRIVATE && at.dentry == at.mnt->root ? 0
										       : -EINVAL;
	else if (flags & MS_MOVE)
		err = move_tree(t, source, &at);
	else
		err = new_mount(t, source, &at, type, flags, options);
	path_put(&at);
	return err;
}

int vfs_umount(struct vfs_task *t, const char *target, u32 flags)
{
	const u32 known = MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW;
	struct path at;
	struct mount *mnt;
	int err;

	if (flags & ~known)
		return -EINVAL;
	err = vfs_walk(t, AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &at);
	if (err)
		return err;
	mnt = at.mnt;
	/* One reference is the tree's, the other that of @at. */
	if (at.dentry != mnt->root || !mnt->attached)
		err = -EINVAL;
	else if (!vfs_capable(t, VFS_CAP_SYS_ADMIN))
		err = -EPERM;
	else if (flags & MNT_EXPIRE) /* a mark that the next call may find: not kept */
		err = flags & (MNT_FORCE | MNT_DETACH) ? -EINVAL : -EAGAIN;
	else if (!(flags & MNT_DETACH) && (mnt->refs > 2 || mnt->children))
		err = -EBUSY;
	if (!err) {
		detach(mnt);
		destroy_tree(mnt);
	}
	path_put(&at);
	return err;
}

/* --- /proc --- */

static void show_flags(const struct mount *mnt, struct text *out)
{
	static const struct {
		u32 flag;
		const char *name;
	} names[] = {
		{VFS_MNT_NOSUID, ",nosuid"},           {VFS_MNT_NODEV, ",nodev"},
		{VFS_MNT_NOEXEC, ",noexec"},           {VFS_MNT_NOATIME, ",noatime"},
		{VFS_MNT_NODIRATIME, ",nodiratime"},   {VFS_MNT_RELATIME, ",relatime"},
		{VFS_MNT_NOSYMFOLLOW, ",nosymfollow"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (mnt->flags & names[i].flag)
			text_puts(out, names[i].name);
	}
}

/* Where in its file system @mnt begins. */
static void show_root(const struct mount *mnt, struct text *out)
{
	struct text path = {0};

	for (struct dentry *d = mnt->root; d != mnt->sb->root; d = d->parent) {
		struct text longer = {0};

		text_puts(&longer, "/");
		text_escape(&longer, d->name, "");
		text_puts(&longer, path.at ? path.at : "");
		text_free(&path);
		path = longer;
	}
	text_puts(out, path.at ? path.at : "/");
	text_free(&path);
}

static void show_options(const struct mount *mnt, struct text *out)
{
	if (mnt->sb->ops->show_options)
		mnt->sb->ops->show_options(mnt->sb, out);
}

/* A line of /proc/PID/mounts. */
static void show_mount(const struct mount *mnt, const char *point, struct text *out)
{
	text_escape(out, mnt->source, "#");
	text_puts(out, " ");
	text_escape(out, point, "");
	text_printf(out, " %s %s", mnt->sb->type, mount_is_readonly(mnt) ? "ro" : "rw");
	show_flags(mnt, out);
	show_options(mnt, out);
	text_puts(out, " 0 0\n");
}

/* A line of /proc/PID/mountinfo. */
static void show_mountinfo(const struct mount *mnt, const char *point, struct text *out)
{
	const struct superblock *sb = mnt->sb;

	text_printf(out, "%u %u %u:%u ", mnt->id, mnt->parent ? mnt->parent->id : mnt->id,
		    VFS_MAJOR(sb->dev), VFS_MINOR(sb->dev));
	show_root(mnt, out);
	text_puts(out, " ");
	text_escape(out, point, "");
	text_puts(out, mnt->flags & VFS_MNT_READONLY ? " ro" : " rw");
	show_flags(mnt, out);
	text_printf(out, " - %s ", sb->type);
	text_escape(out, mnt->source, "");
	text_puts(out, sb->readonly ? " ro" : " rw");
	show_options(mnt, out);
	text_puts(out, "\n");
}

/* The mount that follows @mnt in the order of the tree; NULL: it was the last. */
static struct mount *next_mount(struct mount *mnt)
{
	if (mnt->children)
		return mnt->children;
	while (mnt && !mnt->sibling)
		mnt = mnt->parent;
	return mnt ? mnt->sibling : NULL;
}

void vfs_show_mounts(struct vfs_task *t, struct text *out, bool info)
{
	static const char unreachable[] = "(unreachable)";
	char *point = malloc(VFS_PATH_MAX);

	out->broken |= !point;
	for (struct mount *mnt = t->vfs->root; point && mnt; mnt = next_mount(mnt)) {
		struct path root = {mnt, mnt->root};

		if (vfs_path_name(t, &root, point, VFS_PATH_MAX) > 0 &&
		    strncmp(point, unreachable, sizeof(unreachable) - 1))
			(info ? show_mountinfo : show_mount)(mnt, point, out);
	}
	free(point);
}

/* --- The instance's own mounts --- */

int mount_first(struct vfs *vfs)
{
	struct superblock *sb;
	int err = mount_type(vfs, "rootfs", "rootfs", 0, "", &vfs->root);

	if (err)
		return err;
	err = tmpfs_new(vfs, "anon", VFS_PIPEFS_MAGIC, "", &sb);
	if (err)
		return err;
	sb->refs++;
	vfs->anon = mount_new(sb, sb->root, "anon", VFS_MNT_NOATIME);
	superblock_put(sb);
	return vfs->anon ? 0 : -ENOMEM;
}

void mount_last(struct vfs *vfs)
{
	if (vfs->root)
		destroy_tree(vfs->root);
	if (vfs->anon)
		mount_put(vfs->anon);
}
