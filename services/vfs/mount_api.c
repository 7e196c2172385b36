/*
 * open_tree(2), move_mount(2), mount_setattr(2), and new mount namespaces.
 *
 * A detached tree is in an anonymous namespace that the open file keeps: when it is closed, what
 * has not been attached by then is taken apart.
 *
 * Runs in: the personality, host tests. Source: open_tree(2), move_mount(2), mount_setattr(2),
 * mount_namespaces(7).
 */
#include "far_ns.h"
#include "mount_internal.h"

#include <string.h>

#define AT_RECURSIVE_ 0x8000u

/* --- Namespaces --- */

int vfs_new_mnt_ns(struct vfs_task *t, struct fs_context *fs, struct user_ns *owner, bool empty)
{
	struct mount_ns *old = fs->mnt->mounts, *mounts;
	struct mnt_namespace *ns;
	struct mount *root_copy = fs->root.mnt, *cwd_copy = fs->cwd.mnt;
	struct path root = fs->root, cwd = fs->cwd;
	int err;

	owner = owner ? owner : task_user_ns(t);
	err = empty ? mounts_ns_empty(old, owner, false, &mounts)
		    : mountns_ns_copy(t->vfs->mountns, old, owner,
				      (struct mount * *[2]){&root_copy, &cwd_copy}, &mounts);
	if (err)
		return err;
	if (empty) {
		root = cwd = (struct path){mounts->root, mounts->root->root};
	} else {
		root.mnt = root_copy ? root_copy : root.mnt;
		cwd.mnt = cwd_copy ? cwd_copy : cwd.mnt;
	}
	ns = mnt_namespace_of(t->vfs, mounts);
	if (!ns) {
		mounts_ns_put(mounts);
		return -ENOMEM;
	}
	fs_context_enter(fs, ns, &root, &cwd);
	return 0;
}

int vfs_check_enter_mnt_ns(const struct vfs_task *t, const struct ns *ns)
{
	const struct user_ns *own = task_user_ns(t);

	if (!vfs_capable_in(t, ns->owner, VFS_CAP_SYS_ADMIN) ||
	    !vfs_capable_in(t, own, VFS_CAP_SYS_CHROOT) ||
	    !vfs_capable_in(t, own, VFS_CAP_SYS_ADMIN))
		return -EPERM;
	return t->fs->refs == 1 ? 0 : -EINVAL;
}

void vfs_enter_mnt_ns(struct vfs_task *t, struct ns *ns)
{
	struct mnt_namespace *mnt = container_of(ns, struct mnt_namespace, ns);
	struct mount *top = mounts_topmost(mnt->mounts->root);
	struct path root = {top, top->root};

	ns_get(ns);
	fs_context_enter(t->fs, mnt, &root, &root);
}

/* --- open_tree(2) --- */

static void release_detached(struct file *file)
{
	mounts_ns_put(file->private);
}

static const struct file_ops detached_ops = {.release = release_detached};

int mount_open_detached(struct vfs_task *t, struct mount *tree, u64 origin, bool cloexec)
{
	struct mount_ns *ns = tree->ns ? tree->ns : mounts_ns_new(tree, task_user_ns(t), true);
	struct file *file = NULL;
	int err;

	if (!ns) {
		mounts_drop(tree);
		return -ENOMEM;
	}
	ns->origin = origin;
	err = file_alloc(t->vfs, &file);
	if (err) {
		mounts_ns_put(ns);
		return err;
	}
	file->path = (struct path){mount_get(tree), dentry_get(tree->root)};
	file->inode = tree->root->inode;
	file->flags = O_PATH;
	file->mode = FILE_PATH;
	file->ops = &detached_ops;
	file->private = ns;
	return fd_add(t, file, cloexec);
}

/* The identifier of the namespace that what @mnt is a part of was copied from. */
static u64 origin_of(const struct mount *mnt)
{
	if (!mnt->ns)
		return 0;
	return mnt->ns->anonymous ? mnt->ns->origin : mnt->ns->node.key;
}

int mount_open_namespace(struct vfs_task *t, struct mount *tree, bool cloexec)
{
	struct user_ns *owner = task_user_ns(t);
	struct mnt_namespace *ns;
	struct mount_ns *mounts, *way = tree->ns;
	struct file *file;
	int err = mountns_ns_of_tree(t->vfs->mountns, t->fs->mnt->mounts, owner, tree, &mounts);

	if (way)
		mounts_ns_put(way);
	else if (err)
		mounts_drop(tree);
	if (err)
		return err;
	ns = mnt_namespace_of(t->vfs, mounts);
	if (!ns) {
		mounts_ns_put(mounts);
		return -ENOMEM;
	}
	err = ns_open(&ns->ns, 0, &file);
	ns_put(&ns->ns);
	return err ? err : fd_add(t, file, cloexec);
}

static int open_path(struct vfs_task *t, const struct path *path, bool cloexec)
{
	struct file *file;
	int err = file_open_path(t, path, O_PATH, 0, &file);

	return err ? err : fd_add(t, file, cloexec);
}

static int open_copy(struct vfs_task *t, const struct path *path, u32 flags)
{
	bool namespace = flags & OPEN_TREE_NAMESPACE_, cloexec = flags & O_CLOEXEC;
	u64 origin = origin_of(path->mnt);
	struct mount *tree;
	u32 how = 0;
	int err;

	if (namespace && !inode_is(path->dentry->inode, S_IFDIR))
		return -ENOTDIR;
	if (namespace && path->mnt->ns && task_user_ns(t) != path->mnt->ns->owner) {
		/* What is covered for its owner must stay so: all or nothing is copied. */
		if (!(flags & AT_RECURSIVE_) && mounts_has_below(path->mnt, path->dentry))
			return -EINVAL;
		how = COPY_SLAVE | COPY_ALL;
	}
	err = mount_copy(t, path, flags & AT_RECURSIVE_, how, &tree);
	if (err)
		return err;
	return namespace ? mount_open_namespace(t, tree, cloexec)
			 : mount_open_detached(t, tree, origin, cloexec);
}

int vfs_open_tree(struct vfs_task *t, int dirfd, const char *name, u32 flags)
{
	const u32 copy = OPEN_TREE_CLONE_ | OPEN_TREE_NAMESPACE_;
	const u32 known = copy | O_CLOEXEC | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE_ |
			  AT_SYMLINK_NOFOLLOW;
	struct path path;
	int err;

	if (flags & ~known || (flags & copy) == copy || (flags & AT_RECURSIVE_ && !(flags & copy)))
		return -EINVAL;
	if (flags & OPEN_TREE_CLONE_ && !may_mount(t))
		return -EPERM;
	if (flags & OPEN_TREE_NAMESPACE_ && !vfs_capable_in(t, task_user_ns(t), VFS_CAP_SYS_ADMIN))
		return -EPERM;
	err = vfs_walk(t, dirfd, name,
		       (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
			       (flags & AT_EMPTY_PATH ? WALK_EMPTY_PATH : 0),
		       &path);
	if (err)
		return err;
	err = flags & copy ? open_copy(t, &path, flags) : open_path(t, &path, flags & O_CLOEXEC);
	path_put(&path);
	return err;
}

/* --- move_mount(2) --- */

static int set_group(const struct vfs_task *t, const struct path *from, const struct path *to)
{
	int err;

	if (from->dentry != from->mnt->root || to->dentry != to->mnt->root)
		return -EINVAL;
	err = mount_may_change_kind(t, from->mnt);
	if (!err)
		err = mount_may_change_kind(t, to->mnt);
	return err ? err : mountns_set_group(t->vfs->mountns, from->mnt, to->mnt);
}

static u32 walk_flags(u32 flags, u32 links, u32 empty)
{
	return (flags & links ? WALK_FOLLOW : 0) | (flags & empty ? WALK_EMPTY_PATH : 0);
}

int vfs_move_mount(struct vfs_task *t, int from_fd, const char *from_name, int to_fd,
		   const char *to_name, u32 flags)
{
	struct path from, to;
	int err;

	if (!may_mount(t))
		return -EPERM;
	if (flags & ~MOVE_MOUNT_ALL || (flags & MOVE_BENEATH && flags & MOVE_SET_GROUP))
		return -EINVAL;
	err = vfs_walk(t, to_fd, to_name, walk_flags(flags, MOVE_T_SYMLINKS, MOVE_T_EMPTY), &to);
	if (err)
		return err;
	err = vfs_walk(t, from_fd, from_name, walk_flags(flags, MOVE_F_SYMLINKS, MOVE_F_EMPTY),
		       &from);
	if (!err) {
		err = flags & MOVE_SET_GROUP ? set_group(t, &from, &to)
					     : mount_move(t, &from, &to, flags & MOVE_BENEATH);
		path_put(&from);
	}
	path_put(&to);
	return err;
}

/* --- mount_setattr(2) --- */

u32 mount_attr_flags(u64 attr)
{
	static const struct {
		u64 attr;
		u32 flag;
	} same[] = {{MOUNT_ATTR_RDONLY_, VFS_MNT_READONLY},
		    {MOUNT_ATTR_NOSUID_, VFS_MNT_NOSUID},
		    {MOUNT_ATTR_NODEV_, VFS_MNT_NODEV},
		    {MOUNT_ATTR_NOEXEC_, VFS_MNT_NOEXEC},
		    {MOUNT_ATTR_NODIRATIME_, VFS_MNT_NODIRATIME},
		    {MOUNT_ATTR_NOSYMFOLLOW_, VFS_MNT_NOSYMFOLLOW}};
	u32 flags = 0;

	for (u32 i = 0; i < ARRAY_SIZE(same); i++)
		flags |= attr & same[i].attr ? same[i].flag : 0;
	return flags;
}

int mount_attr_atime(u64 attr, u32 *flags)
{
	switch (attr & MOUNT_ATTR__ATIME_) {
	case 0:
		*flags |= VFS_MNT_RELATIME;
		return 0;
	case MOUNT_ATTR_NOATIME_:
		*flags |= VFS_MNT_NOATIME;
		return 0;
	case MOUNT_ATTR_STRICTATIME_:
		return 0;
	default:
		return -EINVAL;
	}
}

static int read_attr(const struct vfs_mount_attr *attr, struct mountns_attr *s)
{
	if (attr->propagation) {
		if (attr->propagation & (MS_REC | MS_SILENT) ||
		    mount_kind_of(attr->propagation, &s->kind))
			return -EINVAL;
		s->has_kind = true;
	}
	if ((attr->set | attr->clear) & ~MOUNT_ATTR_ALL)
		return -EINVAL;
	/* Mounts with other owners' numbers (MOUNT_ATTR_IDMAP): no file system here allows it. */
	if ((attr->set | attr->clear) & MOUNT_ATTR_IDMAP_)
		return -EINVAL;
	s->set = mount_attr_flags(attr->set);
	s->clear = mount_attr_flags(attr->clear);
	if (attr->clear & MOUNT_ATTR__ATIME_) {
		if ((attr->clear & MOUNT_ATTR__ATIME_) != MOUNT_ATTR__ATIME_)
			return -EINVAL;
		s->clear |= VFS_MNT_RELATIME | VFS_MNT_NOATIME;
		return mount_attr_atime(attr->set, &s->set);
	}
	return attr->set & MOUNT_ATTR__ATIME_ ? -EINVAL : 0;
}

static int set_attr_at(struct vfs_task *t, const struct path *at, const struct mountns_attr *s)
{
	struct mount *top = at->mnt;

	if (at->dentry != top->root || !top->ns)
		return -EINVAL;
	if ((top->parent || !top->ns->anonymous) && !mount_is_ours(t, top))
		return -EINVAL;
	for (struct mount *m = top; m; m = s->recursive ? mounts_next(m, top) : NULL) {
		int err = mount_check_flags(m, (m->flags & ~s->clear) | s->set);

		if (err)
			return err;
	}
	return mountns_set_attr(t->vfs->mountns, top, s);
}

int vfs_mount_setattr(struct vfs_task *t, int dirfd, const char *name, u32 flags,
		      const struct vfs_mount_attr *attr)
{
	const u32 known = AT_EMPTY_PATH | AT_RECURSIVE_ | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
	struct mountns_attr s = {0};
	struct path path;
	int err;

	if (flags & ~known)
		return -EINVAL;
	if (!may_mount(t))
		return -EPERM;
	if (!attr->set && !attr->clear && !attr->propagation)
		return 0;
	err = read_attr(attr, &s);
	if (err)
		return err;
	err = vfs_walk(t, dirfd, name,
		       (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
			       (flags & AT_EMPTY_PATH ? WALK_EMPTY_PATH : 0),
		       &path);
	if (err)
		return err;
	s.recursive = flags & AT_RECURSIVE_;
	err = set_attr_at(t, &path, &s);
	path_put(&path);
	return err;
}
