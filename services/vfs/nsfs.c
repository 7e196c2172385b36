/*
 * nsfs: files that stand for namespaces. Each lookup makes a new inode, of the namespace's number;
 * all are of one superblock that is mounted nowhere.
 *
 * Runs in: the personality, host tests. Source: namespaces(7), ioctl_nsfs(2).
 */
#include "internal.h"

#include <stdlib.h>

static void evict(struct inode *inode)
{
	ns_put(inode->private);
	inode_free(inode);
}

static int open_ns(struct vfs_task *t, struct inode *inode, struct file *file)
{
	(void)t;
	(void)inode;
	return file->mode & FILE_WRITE ? -EPERM : 0;
}

static int ns_ioctl(struct vfs_task *t, struct file *file, u32 cmd, u64 arg)
{
	return nsfs_ioctl(t, ns_of_inode(file->inode), cmd, arg);
}

static const struct inode_ops inode_ops = {.evict = evict};
static const struct file_ops file_ops = {.open = open_ns, .ioctl = ns_ioctl};

int ns_path(struct ns *ns, struct path *out)
{
	struct mount *mnt = ns->vfs->nsfs;
	struct inode *inode = inode_new(mnt->sb, &inode_ops, S_IFREG | 0444, sizeof(*inode));

	if (!inode)
		return -ENOMEM;
	inode->ino = ns->inum;
	inode->fops = &file_ops;
	inode->private = ns_get(ns);
	out->dentry = dentry_new_numbered(mnt->sb, inode, ns_name(ns->type), ns->inum);
	if (!out->dentry) {
		inode_put(inode);
		return -ENOMEM;
	}
	out->mnt = mount_get(mnt);
	return 0;
}

int ns_open(struct ns *ns, u32 flags, struct file **out)
{
	struct file *file = NULL;
	struct path path;
	int err = ns_path(ns, &path);

	if (err)
		return err;
	err = file_alloc(ns->vfs, &file);
	if (err) {
		path_put(&path);
		return err;
	}
	file->path = path;
	file->inode = path.dentry->inode;
	file->ops = &file_ops;
	file->mode = FILE_READ;
	file->flags = flags & (u32)O_NONBLOCK;
	*out = file;
	return 0;
}

struct ns *ns_of_inode(const struct inode *inode)
{
	return inode->ops == &inode_ops ? inode->private : NULL;
}

struct ns *ns_of_file(const struct file *file)
{
	return file->inode ? ns_of_inode(file->inode) : NULL;
}

/* --- ioctl_nsfs(2) --- */

#define NS_GET_USERNS      0xb701u
#define NS_GET_PARENT      0xb702u
#define NS_GET_NSTYPE      0xb703u
#define NS_GET_OWNER_UID   0xb704u
#define NS_GET_MNTNS_ID    0x8008b705u
#define NS_GET_PID_FROM    0x8004b706u
#define NS_GET_TGID_FROM   0x8004b707u
#define NS_GET_PID_IN      0x8004b708u
#define NS_GET_TGID_IN     0x8004b709u
#define NS_MNT_GET_INFO    0xb70au /* with the structure's size, and a direction */
#define NS_MNT_GET_NEXT    0xb70bu
#define NS_MNT_GET_PREV    0xb70cu
#define NS_GET_ID          0x8008b70du
#define IOC_NUMBER(cmd)    ((cmd)&0xffffu)
#define IOC_SIZE(cmd)      ((cmd) >> 16 & 0x3fffu)
#define IOC_DIRECTION(cmd) ((cmd) >> 30)

/* struct mnt_ns_info */
struct mnt_ns_info {
	u32 size;
	u32 nr_mounts;
	u64 mnt_ns_id;
};

static int give(struct vfs_task *t, u64 to, const void *from, size_t len)
{
	return t->vfs->env->user_write(t->vfs->arg, t, to, from, len);
}

static int give_fd(struct vfs_task *t, struct ns *ns)
{
	struct file *file;
	int err = ns_open(ns, 0, &file);

	return err ? err : fd_add(t, file, true);
}

static bool is_in(const struct user_ns *ns, const struct user_ns *above)
{
	while (ns && ns != above)
		ns = ns->parent;
	return ns != NULL;
}

/* A user namespace that is the caller's own or below it; NULL: none. */
static int give_user_ns(struct vfs_task *t, struct user_ns *ns)
{
	return ns && is_in(ns, task_user_ns(t)) ? give_fd(t, &ns->ns) : -EPERM;
}

static int get_parent(struct vfs_task *t, struct ns *ns)
{
	if (ns->type == NS_USER)
		return give_user_ns(t, container_of(ns, struct user_ns, ns)->parent);
	if (ns->type != NS_PID)
		return -EINVAL;
	if (t->vfs->env->pid_ns_parent)
		ns = t->vfs->env->pid_ns_parent(t->vfs->arg, t, ns);
	else
		ns = NULL;
	return ns ? give_fd(t, ns) : -EPERM;
}

/* What a process or thread is called in @ns, or who is meant there by a number. */
static int translate(struct vfs_task *t, struct ns *ns, u32 cmd, u64 arg)
{
	bool in = cmd == NS_GET_PID_IN || cmd == NS_GET_TGID_IN;
	bool group = cmd == NS_GET_TGID_IN || cmd == NS_GET_TGID_FROM;

	if (ns->type != NS_PID)
		return -EINVAL;
	if (!t->vfs->env->pid_ns_translate)
		return -ESRCH;
	return (int)t->vfs->env->pid_ns_translate(t->vfs->arg, t, ns, (u32)arg, in, group);
}

static int get_owner_uid(struct vfs_task *t, const struct ns *ns, u64 arg)
{
	u32 uid;

	if (ns->type != NS_USER)
		return -EINVAL;
	uid = user_ns_show(task_user_ns(t), container_of(ns, struct user_ns, ns)->uid, MAP_USERS);
	return give(t, arg, &uid, sizeof(uid));
}

static int tell_about(struct vfs_task *t, const struct ns *ns, u32 cmd, u64 arg)
{
	const struct mount_ns *mounts = container_of(ns, struct mnt_namespace, ns)->mounts;
	struct mnt_ns_info info = {.size = sizeof(info), .mnt_ns_id = ns->id};

	info.nr_mounts = mounts->nmounts ? mounts->nmounts - 1 : 0; /* its root is not counted */
	return give(t, arg, &info, MIN(IOC_SIZE(cmd), sizeof(info)));
}

/* The next namespace of mounts, or the one before, that the caller may enter; and about it. */
static int step(struct vfs_task *t, const struct ns *ns, u32 cmd, u64 arg)
{
	bool next = IOC_NUMBER(cmd) == IOC_NUMBER(NS_MNT_GET_NEXT);
	struct ns *at = next ? ns->next : ns->prev;
	int err;

	while (at && (at->type != NS_MNT || !vfs_capable_in(t, at->owner, VFS_CAP_SYS_ADMIN)))
		at = next ? at->next : at->prev;
	if (!at)
		return -ENOENT;
	err = arg ? tell_about(t, at, cmd, arg) : 0;
	return err ? err : give_fd(t, at);
}

static int mnt_ioctl(struct vfs_task *t, const struct ns *ns, u32 cmd, u64 arg)
{
	if (IOC_DIRECTION(cmd) != 2)
		return -ENOTTY;
	if (ns->type != NS_MNT)
		return -EINVAL;
	if (IOC_NUMBER(cmd) != NS_MNT_GET_INFO)
		return IOC_SIZE(cmd) < sizeof(struct mnt_ns_info) ? -EINVAL : step(t, ns, cmd, arg);
	if (!arg || IOC_SIZE(cmd) < sizeof(struct mnt_ns_info))
		return -EINVAL;
	return tell_about(t, ns, cmd, arg);
}

int nsfs_ioctl(struct vfs_task *t, struct ns *ns, u32 cmd, u64 arg)
{
	switch (cmd) {
	case NS_GET_USERNS:
		return give_user_ns(t, ns->owner                   ? ns->owner
				       : ns == &t->vfs->user_ns.ns ? NULL
								   : &t->vfs->user_ns);
	case NS_GET_PARENT:
		return get_parent(t, ns);
	case NS_GET_NSTYPE:
		return (int)ns->type;
	case NS_GET_OWNER_UID:
		return get_owner_uid(t, ns, arg);
	case NS_GET_MNTNS_ID:
		if (ns->type != NS_MNT)
			return -EINVAL;
		return give(t, arg, &ns->id, sizeof(ns->id));
	case NS_GET_PID_FROM:
	case NS_GET_TGID_FROM:
	case NS_GET_PID_IN:
	case NS_GET_TGID_IN:
		return translate(t, ns, cmd, arg);
	case NS_GET_ID:
		return give(t, arg, &ns->id, sizeof(ns->id));
	default:
		break;
	}
	switch (IOC_NUMBER(cmd)) {
	case NS_MNT_GET_INFO:
	case NS_MNT_GET_NEXT:
	case NS_MNT_GET_PREV:
		return mnt_ioctl(t, ns, cmd, arg);
	default:
		return -ENOTTY;
	}
}
