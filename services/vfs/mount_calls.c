/*
 * mount(2), umount2(2), pivot_root(2): from names to changes of the tree of mounts.
 *
 * Checks come in Linux's order, as its errors show it; what concerns the tree alone lib/mounts
 * checks.
 *
 * Runs in: the personality, host tests. Source: mount(2), umount(2), pivot_root(2).
 */
#include "mount_internal.h"

#include <string.h>

#define MS_PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define MS_ATIMES      (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)

/* The flags of a mount that @ms asks for; a remount that names no times keeps those of @old. */
static u32 mount_flags(u64 ms, u32 old)
{
	static const struct {
		u64 ms;
		u32 flag;
	} same[] = {{MS_RDONLY, VFS_MNT_READONLY},
		    {MS_NOSUID, VFS_MNT_NOSUID},
		    {MS_NODEV, VFS_MNT_NODEV},
		    {MS_NOEXEC, VFS_MNT_NOEXEC},
		    {MS_NOATIME, VFS_MNT_NOATIME},
		    {MS_NODIRATIME, VFS_MNT_NODIRATIME},
		    {MS_NOSYMFOLLOW, VFS_MNT_NOSYMFOLLOW}};
	u32 flags = ms & MS_NOATIME ? 0 : VFS_MNT_RELATIME;

	for (u32 i = 0; i < ARRAY_SIZE(same); i++)
		flags |= ms & same[i].ms ? same[i].flag : 0;
	if (ms & MS_STRICTATIME)
		flags &= ~(VFS_MNT_RELATIME | VFS_MNT_NOATIME);
	if ((ms & MS_REMOUNT) && !(ms & MS_ATIMES))
		flags = (flags & ~MOUNT_ATIME) | (old & MOUNT_ATIME);
	return flags;
}

static bool is_root_of_mount(const struct path *path)
{
	return path->dentry == path->mnt->root;
}

bool place_is_gone(const struct path *path)
{
	const struct dentry *d = path->dentry;

	return (d->parent != d && !d->hashed) || !path->mnt->ns;
}

/* fs.mount-max holds from now on. */
static void take_limit(struct vfs *vfs)
{
	mounts_set_max(vfs->mounts, (u32)vfs->tunables.mount_max);
}

int mount_put_on(struct mount *mnt, const struct path *at, u32 how)
{
	if (inode_is(mnt->root->inode, S_IFDIR) != inode_is(at->dentry->inode, S_IFDIR))
		return -ENOTDIR;
	take_limit(mnt->sb->vfs);
	return mountns_attach(mnt->sb->vfs->mountns, mnt, at->mnt, at->dentry, how,
			      at->mnt->ns ? at->mnt->ns->owner : NULL);
}

/* --- mount(2) --- */

static int mount_type(struct vfs_task *t, const char *source, const char *name, u64 ms,
		      const char *options, struct mount **out)
{
	const struct fs_type *type = fs_type_find(t->vfs, name);
	u32 flags = mount_flags(ms & ~(u64)MS_REMOUNT, 0);
	struct superblock *sb;
	int err;

	if (!type)
		return -ENODEV;
	err = fs_type_mount_for(t, type, source, options, &sb);
	if (err)
		return err;
	if (!sb->refs++) { /* one that is there already stays as it is */
		sb->readonly = ms & MS_RDONLY;
		sb->modes = ms & SB_MODES;
	}
	err = mount_check_revealing(t, type, &flags);
	*out = err ? NULL : mount_make(sb, sb->root, source, flags);
	superblock_put(sb);
	return *out || err ? err : -ENOMEM;
}

/* Does a locked mount hide something of @mnt? What it is on may be empty. */
static bool is_hidden_in_part(const struct mount *mnt)
{
	for (const struct mount *m = mnt->children; m; m = m->next) {
		if (m->flags & MOUNT_LOCKED && !pseudo_is_empty(m->point->inode))
			return true;
	}
	return false;
}

/* Is @mnt, which is there, at least as strict in what is locked as @flags would be? */
static bool shows_as_much(const struct mount *mnt, u32 flags, u32 *locks)
{
	*locks = mnt->flags & (MOUNT_LOCK_READONLY | MOUNT_LOCK_ATIME);
	if (mnt->sb->readonly)
		*locks |= MOUNT_LOCK_READONLY;
	if (*locks & MOUNT_LOCK_READONLY && !(flags & MOUNT_READONLY))
		return false;
	if (*locks & MOUNT_LOCK_ATIME && (mnt->flags ^ flags) & MOUNT_ATIME)
		return false;
	return mnt->root == mnt->sb->root && !is_hidden_in_part(mnt);
}

int mount_check_revealing(const struct vfs_task *t, const struct fs_type *type, u32 *flags)
{
	const struct mnt_namespace *ns = t->fs->mnt;
	struct mount *mnt;
	u32 locks;

	if (!type->revealing || !ns->ns.owner || !ns->ns.owner->parent)
		return 0;
	for (u64 id = 0; (mnt = mounts_after(ns->mounts, id)); id = mnt->node.key) {
		if (!strcmp(mnt->sb->type, type->name) && shows_as_much(mnt, *flags, &locks)) {
			*flags |= locks;
			return 0;
		}
	}
	return -EPERM;
}

int mount_add(struct vfs_task *t, struct mount *mnt, const struct path *at)
{
	if (place_is_gone(at))
		return -ENOENT;
	if (!mount_is_ours(t, at->mnt))
		return -EINVAL;
	if (at->mnt->sb == mnt->sb && is_root_of_mount(at))
		return -EBUSY;
	return mount_put_on(mnt, at, 0);
}

static int new_mount(struct vfs_task *t, const char *source, const struct path *at,
		     const char *type, u64 ms, const char *options)
{
	struct mount *mnt;
	int err;

	if (!type)
		return -EINVAL;
	err = mount_type(t, source && *source ? source : "none", type, ms, options, &mnt);
	if (err)
		return err;
	err = mount_add(t, mnt, at);
	if (err)
		mounts_drop(mnt);
	return err;
}

bool mount_is_detached_for(const struct vfs_task *t, const struct mount *mnt)
{
	const struct mount_ns *ns = mnt->ns;

	return ns && ns->anonymous && (!ns->origin || ns->origin == t->fs->mnt->mounts->node.key);
}

bool mount_may_copy(const struct vfs_task *t, const struct path *from, bool recursive)
{
	if (mount_is_ours(t, from->mnt) || mount_is_detached_for(t, from->mnt))
		return true;
	/* A namespace's file, wherever it is seen; but not what is mounted on it elsewhere. */
	return ns_of_inode(from->dentry->inode) && (!recursive || from->mnt == t->vfs->nsfs);
}

int mount_copy(const struct vfs_task *t, const struct path *from, bool recursive, u32 how,
	       struct mount **out)
{
	int err;

	if (from->mnt->flags & MOUNT_UNBINDABLE)
		return -EINVAL;
	if (!mount_may_copy(t, from, recursive))
		return -EINVAL;
	err = mountns_copy(t->vfs->mountns, from->mnt, from->dentry,
			   how | COPY_NS_FILES | (recursive ? COPY_RECURSIVE : 0),
			   t->fs->mnt->mounts->owner, out);
	if (!err && ns_of_inode(from->dentry->inode) &&
	    ns_of_inode(from->dentry->inode)->type == NS_MNT)
		(*out)->flags |= MOUNT_NS_FILE;
	return err;
}

void mount_drop(struct mount *copy)
{
	if (copy->ns)
		mounts_ns_put(copy->ns);
	else
		mounts_drop(copy);
}

/* A namespace's file is bound in older namespaces only, so that none keeps itself alive. */
static bool would_pin_itself(const struct vfs_task *t, const struct dentry *dentry)
{
	const struct ns *ns = ns_of_inode(dentry->inode);

	return ns && ns->type == NS_MNT && ns->id <= t->fs->mnt->ns.id;
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
	if (would_pin_itself(t, from.dentry))
		err = -EINVAL;
	else if (place_is_gone(at))
		err = -ENOENT;
	else if (!mount_is_ours(t, at->mnt))
		err = -EINVAL;
	if (!err)
		err = mount_copy(t, &from, ms & MS_REC, 0, &mnt);
	if (!err) {
		struct mount_ns *way = mnt->ns;

		err = mount_put_on(mnt, at, 0);
		if (way)
			mounts_ns_put(way);
		else if (err)
			mounts_drop(mnt);
	}
	path_put(&from);
	return err;
}

int mount_check_flags(const struct mount *mnt, u32 flags)
{
	int err = mounts_check_flags(mnt, flags);

	if (!err && flags & ~mnt->flags & VFS_MNT_READONLY && mnt->writers)
		err = -EBUSY;
	return err;
}

/* MS_REMOUNT with MS_BIND: the mount's flags; without: those of the file system, too. */
static int remount(struct vfs_task *t, const struct path *at, u64 ms, const char *options)
{
	struct superblock *sb = at->mnt->sb;
	u32 flags = mount_flags(ms, at->mnt->flags);
	int err;

	if (!mount_is_ours(t, at->mnt) || !is_root_of_mount(at))
		return -EINVAL;
	err = mount_check_flags(at->mnt, flags);
	if (err)
		return err;
	if (!(ms & MS_BIND)) {
		if (sb->internal)
			return -EINVAL;
		if (!vfs_capable_in(t, sb->owner, VFS_CAP_SYS_ADMIN))
			return -EPERM;
		if (ms & MS_RDONLY && !sb->readonly && sb->writers)
			return -EBUSY;
		if (sb->ops->remount)
			err = sb->ops->remount(sb, options);
		if (err)
			return err;
		sb->readonly = ms & MS_RDONLY;
		sb->modes = (sb->modes & MS_DIRSYNC) | (ms & SB_MODES & ~(u64)MS_DIRSYNC);
	}
	return mountns_set_attr(t->vfs->mountns, at->mnt,
				&(struct mountns_attr){.set = flags, .clear = MOUNT_SETTABLE});
}

int mount_kind_of(u64 ms, enum mount_kind *kind)
{
	switch (ms & ~(u64)(MS_REC | MS_SILENT)) {
	case MS_SHARED:
		*kind = MOUNT_SHARED;
		return 0;
	case MS_PRIVATE:
		*kind = MOUNT_PRIVATE;
		return 0;
	case MS_SLAVE:
		*kind = MOUNT_SLAVE;
		return 0;
	case MS_UNBINDABLE:
		*kind = MOUNT_KIND_UNBINDABLE;
		return 0;
	default:
		return -EINVAL;
	}
}

int mount_may_change_kind(const struct vfs_task *t, const struct mount *mnt)
{
	if (!mnt->ns)
		return -EINVAL;
	return vfs_capable_in(t, mnt->ns->owner, VFS_CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static int change_kind(const struct vfs_task *t, const struct path *at, u64 ms)
{
	enum mount_kind kind;
	int err;

	if (!is_root_of_mount(at) || mount_kind_of(ms, &kind))
		return -EINVAL;
	err = mount_may_change_kind(t, at->mnt);
	if (err)
		return err;
	return mountns_set_attr(
		t->vfs->mountns, at->mnt,
		&(struct mountns_attr){.has_kind = true, .kind = kind, .recursive = ms & MS_REC});
}

int mount_move(struct vfs_task *t, const struct path *from, const struct path *to, bool beneath)
{
	struct mount *parent = to->mnt;
	struct dentry *point = to->dentry;

	if (place_is_gone(to))
		return -ENOENT;
	if (beneath) {
		/* Beneath what is mounted there, which may be the caller's own root. */
		if (!is_root_of_mount(to) || !to->mnt->parent)
			return -EINVAL;
		parent = to->mnt->parent;
		point = to->mnt->point;
	}
	if (!is_root_of_mount(from))
		return -EINVAL;
	if (mount_is_ours(t, from->mnt) ? !mount_is_ours(t, to->mnt)
					: !from->mnt->ns || !from->mnt->ns->anonymous)
		return -EINVAL;
	if (!to->mnt->ns || (!mount_is_ours(t, to->mnt) && !to->mnt->ns->anonymous))
		return -EINVAL;
	if (inode_is(from->dentry->inode, S_IFDIR) != inode_is(to->dentry->inode, S_IFDIR))
		return -EINVAL;
	take_limit(t->vfs);
	return mountns_attach(t->vfs->mountns, from->mnt, parent, point,
			      beneath ? ATTACH_BENEATH : 0, NULL);
}

static int move_named(struct vfs_task *t, const char *source, const struct path *at)
{
	struct path from;
	int err;

	if (!source || !*source)
		return -EINVAL;
	err = vfs_walk(t, AT_FDCWD, source, WALK_FOLLOW, &from);
	if (err)
		return err;
	err = mount_move(t, &from, at, false);
	path_put(&from);
	return err;
}

int vfs_mount(struct vfs_task *t, const char *source, const char *target, const char *type,
	      u64 flags, const char *options)
{
	struct path at;
	int err;

	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~(u64)MS_MGC_MSK;
	options = options ? options : "";
	err = vfs_walk(t, AT_FDCWD, target, WALK_FOLLOW, &at);
	if (err)
		return err;
	if (!may_mount(t))
		err = -EPERM;
	else if (flags & MS_REMOUNT)
		err = remount(t, &at, flags, options);
	else if (flags & MS_BIND)
		err = bind_mount(t, source, &at, flags);
	else if (flags & MS_PROPAGATION)
		err = change_kind(t, &at, flags);
	else if (flags & MS_MOVE)
		err = move_named(t, source, &at);
	else
		err = new_mount(t, source, &at, type, flags, options);
	path_put(&at);
	return err;
}

/* --- umount2(2) --- */

/* MNT_EXPIRE: the first call marks a mount that nobody uses, the second unmounts it. */
static int expire(struct vfs_task *t, struct mount *mnt, u32 users, u32 flags)
{
	if (mnt == t->fs->root.mnt || flags & (MNT_FORCE | MNT_DETACH))
		return -EINVAL;
	if (mnt->refs > users)
		return -EBUSY;
	return mnt->flags & MOUNT_MARKED ? 0 : -EAGAIN;
}

static int umount_at(struct vfs_task *t, const struct path *at, u32 flags)
{
	struct mount *mnt = at->mnt;
	int err = 0;

	if (!may_mount(t))
		return -EPERM;
	if (!is_root_of_mount(at) || !mount_is_ours(t, mnt) || mnt->flags & MOUNT_LOCKED)
		return -EINVAL;
	if (flags & MNT_FORCE && !vfs_capable_in(t, mnt->sb->owner, VFS_CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & MNT_EXPIRE)
		err = expire(t, mnt, 1, flags);
	if (err)
		return err;
	if (mnt == t->fs->root.mnt && !(flags & MNT_DETACH)) {
		/* Nobody can unmount the root; as close to it as can be is to write no more. */
		if (!vfs_capable_in(t, mnt->sb->owner, VFS_CAP_SYS_ADMIN))
			return -EPERM;
		if (mnt->sb->internal)
			return -EINVAL;
		if (mnt->sb->writers)
			return -EBUSY;
		mnt->sb->readonly = true;
		return 0;
	}
	return mountns_umount(t->vfs->mountns, mnt, 1, flags & MNT_DETACH ? UMOUNT_LAZY : 0);
}

int vfs_umount(struct vfs_task *t, const char *target, u32 flags)
{
	const u32 known = MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW;
	struct mount *mnt;
	struct path at;
	int err;

	if (flags & ~known)
		return -EINVAL;
	err = vfs_walk(t, AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &at);
	if (err)
		return err;
	mount_cross_down(&at); /* "." is where one is, which may be covered */
	mnt = at.mnt;
	err = umount_at(t, &at, flags);
	path_put(&at);
	if (err == -EAGAIN) /* it is where it was; any use takes the mark away */
		mnt->flags |= MOUNT_MARKED;
	return err;
}

/* --- pivot_root(2) --- */

static int pivot(struct vfs_task *t, const struct path *new, const struct path *old)
{
	struct path root = t->fs->root;
	int err;

	if (place_is_gone(old) || place_is_gone(new))
		return -ENOENT;
	if (!mount_is_ours(t, root.mnt) || !mount_is_ours(t, new->mnt))
		return -EINVAL;
	/* That they are on the same mount comes first: lib/mounts says so. */
	if (new->mnt != root.mnt && old->mnt != root.mnt &&
	    (!is_root_of_mount(&root) || !is_root_of_mount(new)))
		return -EINVAL;
	path_get(&root);
	err = mountns_pivot_root(t->vfs->mountns, new->mnt, root.mnt, old->mnt, old->dentry);
	path_put(&root);
	return err;
}

int vfs_pivot_root(struct vfs_task *t, const char *new_root, const char *put_old)
{
	const u32 how = WALK_FOLLOW | WALK_DIRECTORY;
	struct path new, old;
	int err;

	if (!may_mount(t))
		return -EPERM;
	err = vfs_walk(t, AT_FDCWD, new_root, how, &new);
	if (err)
		return err;
	err = vfs_walk(t, AT_FDCWD, put_old, how, &old);
	if (!err) {
		err = pivot(t, &new, &old);
		path_put(&old);
	}
	path_put(&new);
	return err;
}
