/*
 * statmount(2), listmount(2), listns(2): mounts and namespaces by number.
 *
 * A mount is told of if it can be reached from the caller's root, or the caller has CAP_SYS_ADMIN
 * over the namespace it is in.
 *
 * Runs in: the personality, host tests. Source: statmount(2), listmount(2), <linux/mount.h> and
 * <linux/nsfs.h> of Linux 7.3.
 */
#include "mount_internal.h"

#include <stdlib.h>
#include <string.h>
#include <vfs/text.h>

/* Whose mounts are asked for, and from where they must be reachable. */
struct asked {
	struct mount_ns *ns;
	struct path root;
	bool privileged;
};

static struct mount_ns *ns_by_fd(struct vfs_task *t, int fd, int *err)
{
	struct file *file = fd_get(t, fd);
	const struct ns *ns = file ? ns_of_file(file) : NULL;
	struct mount_ns *mounts = NULL;

	*err = file ? -EINVAL : -EBADF;
	if (ns && ns->type == NS_MNT) {
		mounts = container_of(ns, struct mnt_namespace, ns)->mounts;
		*err = 0;
	}
	if (file)
		file_put(file);
	return mounts; /* good until somebody blocks: the caller does not */
}

static int find_ns(struct vfs_task *t, const struct mnt_id_req_abi *req, struct asked *a)
{
	struct mount *top;
	int err = 0;

	if (req->fd && req->mnt_ns_id)
		return -EINVAL;
	if (req->mnt_ns_id)
		a->ns = mounts_ns_find(t->vfs->mounts, req->mnt_ns_id);
	else if (req->fd)
		a->ns = ns_by_fd(t, (int)req->fd, &err);
	else
		a->ns = t->fs->mnt->mounts;
	if (!a->ns)
		return err ? err : -ENOENT;
	a->privileged = vfs_capable_in(t, a->ns->owner, VFS_CAP_SYS_ADMIN);
	if (a->ns == t->fs->mnt->mounts) {
		a->root = t->fs->root;
		return 0;
	}
	if (!a->privileged)
		return -ENOENT;
	top = mounts_topmost(a->ns->root);
	a->root = (struct path){top, top->root};
	return 0;
}

static bool is_reachable(const struct mount *mnt, const struct path *root)
{
	return mounts_is_below(mnt, mnt->root, root->mnt, root->dentry);
}

/* --- statmount(2) --- */

struct stating {
	struct vfs_task *t;
	struct mount *mnt;
	struct path root;
	u64 want;
	struct statmount_abi *sm;
	struct text *strings;
};

static u64 attr_of(u32 flags)
{
	static const struct {
		u32 flag;
		u64 attr;
	} same[] = {{VFS_MNT_READONLY, MOUNT_ATTR_RDONLY_},
		    {VFS_MNT_NOSUID, MOUNT_ATTR_NOSUID_},
		    {VFS_MNT_NODEV, MOUNT_ATTR_NODEV_},
		    {VFS_MNT_NOEXEC, MOUNT_ATTR_NOEXEC_},
		    {VFS_MNT_NODIRATIME, MOUNT_ATTR_NODIRATIME_},
		    {VFS_MNT_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW_}};
	u64 attr = 0;

	for (u32 i = 0; i < ARRAY_SIZE(same); i++)
		attr |= flags & same[i].flag ? same[i].attr : 0;
	if (flags & VFS_MNT_NOATIME)
		attr |= MOUNT_ATTR_NOATIME_;
	else if (!(flags & VFS_MNT_RELATIME))
		attr |= MOUNT_ATTR_STRICTATIME_;
	return attr;
}

static void stat_basic(const struct stating *s)
{
	const struct mount *mnt = s->mnt, *parent = mnt->parent ? mnt->parent : mnt;
	const struct mount_group *master = mount_master(mnt);
	struct statmount_abi *sm = s->sm;

	sm->mnt_id = mnt->node.key;
	sm->mnt_id_old = mnt->id;
	sm->mnt_parent_id = parent->node.key;
	sm->mnt_parent_id_old = parent->id;
	sm->mnt_attr = attr_of(mnt->flags);
	sm->mnt_propagation = (mnt->group ? MS_SHARED : 0) | (master ? MS_SLAVE : 0) |
			      (mnt->flags & MOUNT_UNBINDABLE ? MS_UNBINDABLE : 0);
	if (!sm->mnt_propagation)
		sm->mnt_propagation = MS_PRIVATE;
	sm->mnt_peer_group = mnt->group ? mnt->group->id : 0;
	sm->mnt_master = master ? master->id : 0;
}

static void stat_numbers(const struct stating *s)
{
	const struct superblock *sb = s->mnt->sb;
	struct statmount_abi *sm = s->sm;

	sm->mask = s->want & (STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC | STATMOUNT_PROPAGATE_FROM |
			      STATMOUNT_SUPPORTED_MASK);
	if (s->want & STATMOUNT_SB_BASIC) {
		sm->sb_dev_major = VFS_MAJOR(sb->dev);
		sm->sb_dev_minor = VFS_MINOR(sb->dev);
		sm->sb_magic = sb->magic;
		sm->sb_flags = (sb->readonly ? MS_RDONLY : 0) | sb->modes;
	}
	if (s->want & STATMOUNT_MNT_BASIC)
		stat_basic(s);
	if (s->want & STATMOUNT_PROPAGATE_FROM && s->root.mnt)
		sm->propagate_from = mount_propagates_from(s->mnt, &s->root);
	if (s->want & STATMOUNT_MNT_NS_ID && s->mnt->ns && !s->mnt->ns->anonymous) {
		sm->mask |= STATMOUNT_MNT_NS_ID;
		sm->mnt_ns_id = s->mnt->ns->node.key;
	}
	if (s->want & STATMOUNT_SUPPORTED_MASK)
		sm->supported_mask = STATMOUNT_ALL;
}

/* The name of the mount's place as seen from the root that counts. */
static void put_point(const struct stating *s, struct text *out)
{
	struct path at = {s->mnt, s->mnt->root};
	char *name;

	if (!s->root.mnt || !is_reachable(s->mnt, &s->root))
		return;
	name = malloc(VFS_PATH_MAX);
	if (name && vfs_path_name_from(&s->root, &at, name, VFS_PATH_MAX) > 0)
		text_puts(out, name);
	out->broken |= !name;
	free(name);
}

static void put_options(const struct stating *s, struct text *out, bool array)
{
	struct text all = {0};
	const char *from;
	u32 n = 0;

	mount_show_options(s->mnt, &all);
	from = all.at && *all.at == ',' ? all.at + 1 : all.at;
	for (; from && *from; from++) {
		bool split = array && *from == ',';

		n += split;
		text_put(out, split ? "" : from, 1);
	}
	if (array)
		s->sm->opt_num = out->len ? n + 1 : 0;
	text_free(&all);
}

/* A string of one field; what is empty is left out. */
static void stat_string(const struct stating *s, u32 bit)
{
	struct statmount_abi *sm = s->sm;
	struct text one = {0};
	u32 *where = NULL;

	switch (bit) {
	case STATMOUNT_FS_TYPE:
		where = &sm->fs_type;
		text_puts(&one, s->mnt->sb->type);
		break;
	case STATMOUNT_MNT_ROOT:
		where = &sm->mnt_root;
		mount_show_root(s->mnt, &one);
		break;
	case STATMOUNT_MNT_POINT:
		where = &sm->mnt_point;
		put_point(s, &one);
		break;
	case STATMOUNT_MNT_OPTS:
		where = &sm->mnt_opts;
		put_options(s, &one, false);
		break;
	case STATMOUNT_OPT_ARRAY:
		where = &sm->opt_array;
		put_options(s, &one, true);
		break;
	case STATMOUNT_SB_SOURCE:
		where = &sm->sb_source;
		text_escape(&one, mount_source(s->mnt), "");
		break;
	default:
		break;
	}
	if (where && one.len) {
		if (!s->strings->len)
			text_put(s->strings, "", 1); /* place 0 is the empty string */
		*where = (u32)s->strings->len;
		sm->mask |= bit;
		text_put(s->strings, one.at, one.len);
		text_put(s->strings, "", 1);
	}
	s->strings->broken |= one.broken;
	text_free(&one);
}

static int find_mount(struct vfs_task *t, const struct mnt_id_req_abi *req, struct stating *s)
{
	struct asked a;
	int err;

	if (req->mnt_id <= VFS_MOUNT_ID_BASE)
		return -EINVAL;
	err = find_ns(t, req, &a);
	if (err)
		return err;
	s->mnt = mounts_find(a.ns, req->mnt_id);
	if (!s->mnt)
		return -ENOENT;
	s->root = a.root;
	return is_reachable(s->mnt, &a.root) || a.privileged ? 0 : -EPERM;
}

/* STATMOUNT_BY_FD: the mount that a file is on, even if it is in no namespace. */
static int find_mount_by_fd(struct vfs_task *t, const struct mnt_id_req_abi *req, struct stating *s)
{
	struct file *file;

	if (req->mnt_id || req->mnt_ns_id)
		return -EINVAL;
	file = fd_get(t, (int)req->fd);
	if (!file)
		return -EBADF;
	s->mnt = file->path.mnt;
	if (mount_is_ours(t, s->mnt))
		s->root = t->fs->root;
	file_put(file);
	return 0;
}

s64 vfs_statmount(struct vfs_task *t, const struct mnt_id_req_abi *req, u32 flags, u64 room,
		  struct statmount_abi *sm, struct text *strings)
{
	struct stating s = {.t = t, .want = req->param, .sm = sm, .strings = strings};
	int err;

	err = flags & STATMOUNT_BY_FD_ ? find_mount_by_fd(t, req, &s) : find_mount(t, req, &s);
	if (err)
		return err;
	mount_get(s.mnt);
	*sm = (struct statmount_abi){0};
	stat_numbers(&s);
	for (u32 bit = 1; bit < STATMOUNT_ALL; bit <<= 1) {
		if (s.want & bit)
			stat_string(&s, bit);
	}
	mount_put(s.mnt);
	err = text_error(strings);
	if (err)
		return err;
	sm->size = (u32)(MIN(room, sizeof(*sm)) + strings->len);
	return strings->len && room < sizeof(*sm) + strings->len ? -EOVERFLOW : 0;
}

/* --- listmount(2) --- */

s64 vfs_listmount(struct vfs_task *t, const struct mnt_id_req_abi *req, bool reverse, u64 *ids,
		  u64 room)
{
	struct asked a;
	struct path top;
	u64 last = req->param, n = 0;
	struct mount *m;
	int err;

	if ((last && last <= VFS_MOUNT_ID_BASE) || req->mnt_id <= VFS_MOUNT_ID_BASE)
		return -EINVAL;
	err = find_ns(t, req, &a);
	if (err)
		return err;
	top = a.root;
	if (req->mnt_id != LSMT_ROOT_) {
		top.mnt = mounts_find(a.ns, req->mnt_id);
		if (!top.mnt)
			return -ENOENT;
		top.dentry = top.mnt->root;
	}
	if (!mounts_is_below(top.mnt, top.dentry, a.root.mnt, a.root.dentry) && !a.privileged)
		return -EPERM;
	if (reverse && !last)
		last = UINT64_MAX;
	while (n < room) {
		m = reverse ? mounts_before(a.ns, last) : mounts_after(a.ns, last);
		if (!m)
			break;
		last = m->node.key;
		if (last != req->mnt_id && is_reachable(m, &top))
			ids[n++] = last;
	}
	return (s64)n;
}

/* --- listns(2) --- */

s64 vfs_listns(struct vfs_task *t, const struct ns_id_req_abi *req, u64 *ids, u64 room)
{
	const u32 known =
		NS_TIME | NS_MNT | NS_CGROUP | NS_UTS | NS_IPC | NS_USER | NS_PID | NS_NET;
	const struct user_ns *own = task_user_ns(t);
	u64 owner = req->user_ns_id, n = 0;
	bool found = !owner;

	if (req->spare || req->spare2 || req->ns_type & ~known)
		return -EINVAL;
	if (owner == LISTNS_CURRENT_USER_)
		owner = own->ns.id;
	for (const struct ns *ns = t->vfs->first_ns; ns; ns = ns->next)
		found |= ns->type == NS_USER && ns->id == owner;
	if (owner && !found)
		return -EINVAL;
	for (const struct ns *ns = t->vfs->first_ns; ns && n < room; ns = ns->next) {
		const struct user_ns *of = ns->owner ? ns->owner : &t->vfs->user_ns;

		if (ns->id <= req->ns_id || (req->ns_type && !(req->ns_type & ns->type)))
			continue;
		if (owner && (of->ns.id != owner || ns == &t->vfs->user_ns.ns))
			continue;
		if (vfs_capable_in(t, of, VFS_CAP_SYS_ADMIN) || ns == &t->fs->mnt->ns ||
		    ns == &own->ns)
			ids[n++] = ns->id;
	}
	return (s64)n;
}
