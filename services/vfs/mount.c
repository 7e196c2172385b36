/*
 * The VFS's side of lib/mounts: what a mount refers to here, superblocks, types of file systems,
 * and the mounts an instance begins with.
 *
 * An instance's first namespace has an empty root that cannot be written (nullfs), and the root
 * file system on it, as Linux has since 7.0: so the root file system can be moved away by
 * pivot_root(2), and a new namespace can be empty.
 *
 * Not here: mount(2) and its relatives (mount_calls.c, mount_api.c), /proc (mount_show.c).
 * Runs in: the personality, host tests.
 */
#include "mount_abi.h"
#include "mount_internal.h"
#include "pseudo.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/text.h>

/* What was mounted, as its user named it: shared by a mount and its copies. */
struct source {
	u32 refs;
	char name[];
};

const char *mount_source(const struct mount *mnt)
{
	return ((const struct source *)mnt->source)->name;
}

/* --- What lib/mounts needs --- */

static void *zalloc(void *ctx, size_t bytes)
{
	(void)ctx;
	return calloc(1, bytes);
}

static void give_back(void *ctx, void *p, size_t bytes)
{
	(void)ctx;
	(void)bytes;
	free(p);
}

static struct dentry *parent_of(void *ctx, const struct dentry *dir)
{
	(void)ctx;
	return dir->parent == dir ? NULL : dir->parent;
}

static void dir_get(void *ctx, struct dentry *dir)
{
	(void)ctx;
	dentry_get(dir);
}

static void dir_put(void *ctx, struct dentry *dir)
{
	(void)ctx;
	dentry_put(dir);
}

static void refs_get(void *ctx, struct superblock *sb, struct dentry *root, void *source)
{
	(void)ctx;
	sb->refs++;
	dentry_get(root);
	((struct source *)source)->refs++;
}

void source_put(struct source *source)
{
	if (--source->refs == 0)
		free(source);
}

s64 source_write(const struct source *source, void *out, size_t room)
{
	size_t len = strlen(source->name);

	if (len > room)
		return -ENOSPC;
	memcpy(out, source->name, len);
	return (s64)len;
}

struct source *source_read(const void *from, size_t bytes)
{
	struct source *source = malloc(sizeof(*source) + bytes + 1);

	if (!source)
		return NULL;
	source->refs = 1;
	memcpy(source->name, from, bytes);
	source->name[bytes] = 0;
	return source;
}

static void refs_put(void *ctx, struct superblock *sb, struct dentry *root, void *source)
{
	(void)ctx;
	dentry_put(root);
	superblock_put(sb);
	source_put(source);
}

static u64 next_ns_id(void *ctx)
{
	struct vfs *vfs = ctx;

	return vfs->first_mnt ? vfs_new_ns_id(vfs) : VFS_FIRST_MNT_ID;
}

static void owner_get(void *ctx, void *owner)
{
	(void)ctx;
	ns_get(&((struct user_ns *)owner)->ns);
}

static void owner_put(void *ctx, void *owner)
{
	(void)ctx;
	ns_put(&((struct user_ns *)owner)->ns);
}

static void changed(void *ctx, void *arg)
{
	struct mnt_namespace *ns = arg;

	(void)ctx;
	if (ns)
		wait_wake(&ns->changed, POLLERR | POLLPRI);
}

static void ended(void *ctx, struct mount_ns *ns)
{
	mountns_ended(((struct vfs *)ctx)->mountns, ns);
}

static void touched(void *ctx)
{
	mountns_touched(((struct vfs *)ctx)->mountns);
}

/* --- Mounts --- */

struct mount *mount_make(struct superblock *sb, struct dentry *root, const char *source, u32 flags)
{
	struct source *name = source_read(source, strlen(source));
	struct mount *mnt;

	if (!name)
		return NULL;
	mnt = mounts_new(sb->vfs->mounts, sb, root, name, flags);
	source_put(name);
	return mnt;
}

void mount_cross_down(struct path *path)
{
	struct mount *child;
	struct path to;

	while (path->dentry->point.here && (child = mounts_child(path->mnt, path->dentry))) {
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

bool mount_is_ours(const struct vfs_task *t, const struct mount *mnt)
{
	return mnt->ns == t->fs->mnt->mounts;
}

bool mount_may_suid(const struct vfs_task *t, const struct mount *mnt)
{
	const struct user_ns *owner = mnt->sb->owner ? mnt->sb->owner : &t->vfs->user_ns;
	const struct user_ns *ns = task_user_ns(t);

	if (mnt->flags & VFS_MNT_NOSUID || !mount_is_ours(t, mnt))
		return false;
	while (ns && ns != owner)
		ns = ns->parent;
	return ns != NULL;
}

bool may_mount(const struct vfs_task *t)
{
	return vfs_capable_in(t, t->fs->mnt->ns.owner, VFS_CAP_SYS_ADMIN);
}

/* --- Superblocks --- */

void superblock_put(struct superblock *sb)
{
	if (--sb->refs)
		return;
	if (!sb->part || !far_super_unused(sb))
		superblock_end(sb);
}

void superblock_end(struct superblock *sb)
{
	dentry_shrink(sb->vfs, sb);
	dentry_put(sb->root);
	dentry_shrink(sb->vfs, sb);
	if (sb->part)
		far_part_done(sb);
	if (sb->ops->put)
		sb->ops->put(sb);
	if (sb->owner)
		ns_put(&sb->owner->ns);
	superblock_free(sb);
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
	vfs->next_dev += vfs->dev_step;
	sb->dev = VFS_DEV(0, vfs->next_dev);
	return sb;
}

void superblock_free(struct superblock *sb)
{
	free(sb);
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

void vfs_unregister_fs(struct vfs *vfs, struct fs_type *type)
{
	struct fs_type **at = &vfs->types;

	while (*at && *at != type)
		at = &(*at)->next;
	if (*at)
		*at = type->next;
}

int fs_type_mount(const struct fs_type *type, struct vfs *vfs, const char *source,
		  const char *options, struct superblock **out)
{
	return type->mount(vfs, type->arg, source, options, out);
}

/* The root of a new tmpfs is that of who mounts it, unless the options say otherwise. */
static int own_options(const struct vfs_task *t, const struct fs_type *type, const char *options,
		       struct text *out)
{
	if (type->check_option && (t->cred.fsuid || t->cred.fsgid))
		text_printf(out, "uid=%u,gid=%u,", t->cred.fsuid, t->cred.fsgid);
	text_puts(out, options);
	return text_error(out);
}

/* In which user namespace must @t have CAP_SYS_ADMIN to mount @type? NULL: the first. */
static struct user_ns *mounter_ns(const struct vfs_task *t, const struct fs_type *type)
{
	const struct vfs_env *env = t->vfs->env;

	if (!type->anybody)
		return NULL;
	if (!type->of)
		return task_user_ns(t);
	return env->ns_of ? env->ns_of(t->vfs->arg, t, type->of)->owner : NULL;
}

int fs_type_mount_for(struct vfs_task *t, const struct fs_type *type, const char *source,
		      const char *options, struct superblock **out)
{
	struct user_ns *own = task_user_ns(t);
	struct text all = {0};
	int err;

	if (!vfs_capable_in(t, mounter_ns(t, type), VFS_CAP_SYS_ADMIN))
		return -EPERM;
	err = own_options(t, type, options, &all);
	if (!err)
		err = fs_type_mount(type, t->vfs, source, all.at ? all.at : "", out);
	text_free(&all);
	if (err || (*out)->refs)
		return err;
	if (type->begin)
		type->begin(t, *out);
	if (!own->parent)
		return 0;
	(*out)->owner = own;
	ns_get(&own->ns);
	(*out)->nodev = true;
	return 0;
}

struct fs_type *fs_type_find(struct vfs *vfs, const char *name)
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

/* --- The instance's own mounts --- */

static void end_mounts(struct ns *ns)
{
	struct mnt_namespace *mnt = container_of(ns, struct mnt_namespace, ns);

	mnt->mounts->arg = NULL;
	mounts_ns_put(mnt->mounts);
	free(mnt);
}

struct mnt_namespace *mnt_namespace_new(struct vfs *vfs, u32 inum, struct user_ns *owner, u64 id)
{
	struct mnt_namespace *ns = calloc(1, sizeof(*ns));

	if (ns)
		ns_begin(vfs, &ns->ns, NS_MNT, inum, id, owner, end_mounts);
	return ns;
}

void mnt_namespace_fill(struct mnt_namespace *ns, struct mount_ns *mounts)
{
	ns->mounts = mounts;
	mounts->arg = ns;
	mounts->inum = ns->ns.inum;
}

/* A superblock's own mount that is in no namespace. */
static int mount_inside(struct vfs *vfs, struct superblock *sb, const char *name, u32 flags,
			struct mount **out)
{
	(void)vfs;
	sb->refs++;
	sb->internal = true;
	*out = mount_make(sb, sb->root, name, flags);
	superblock_put(sb);
	return *out ? 0 : -ENOMEM;
}

/* The empty root, with the root file system on it. */
static int first_namespace(struct vfs *vfs)
{
	struct superblock *null, *root;
	struct mount *mnt;
	struct mount_ns *ns;
	int err;

	vfs->nullfs = pseudo_root(&pseudo_folder_ops, &pseudo_folder_file_ops);
	if (!vfs->nullfs)
		return -ENOMEM;
	err = pseudo_mount(vfs, "nullfs", VFS_NULLFS_MAGIC, vfs->nullfs, &null);
	if (err)
		return err;
	null->root->inode->nlink = 0; /* nothing can be made in it */
	err = mount_inside(vfs, null, "nullfs", 0, &mnt);
	if (err)
		return err;
	ns = mounts_ns_new(mnt, &vfs->user_ns, false);
	if (!ns) {
		mount_put(mnt);
		return -ENOMEM;
	}
	vfs->first_mnt = mnt_namespace_new(vfs, VFS_FIRST_MNT_INUM, NULL, VFS_FIRST_MNT_ID);
	if (!vfs->first_mnt) {
		mounts_ns_put(ns);
		return -ENOMEM;
	}
	mnt_namespace_fill(vfs->first_mnt, ns);
	err = fs_type_mount(fs_type_find(vfs, "rootfs"), vfs, "rootfs", "", &root);
	if (err)
		return err;
	err = mount_inside(vfs, root, "rootfs", 0, &mnt);
	root->internal = false; /* it is what users begin with */
	if (err)
		return err;
	err = mounts_attach(mnt, ns->root, ns->root->root, 0);
	if (err)
		mount_put(mnt);
	return err;
}

int mount_first(struct vfs *vfs)
{
	const struct mounts_env env = {
		.alloc = zalloc,
		.free = give_back,
		.dir_offset = offsetof(struct dentry, point),
		.parent = parent_of,
		.dir_get = dir_get,
		.dir_put = dir_put,
		.mount_get = refs_get,
		.mount_put = refs_put,
		.new_ns_id = next_ns_id,
		.owner_get = owner_get,
		.owner_put = owner_put,
		.changed = changed,
		.ended = ended,
		.touched = touched,
		.ctx = vfs,
	};
	struct superblock *sb;
	int err;

	ns_first(vfs);
	vfs->mounts = mounts_create(&env, VFS_MOUNT_ID_BASE);
	if (!vfs->mounts)
		return -ENOMEM;
	err = mount_refs_init(vfs);
	if (!err)
		err = first_namespace(vfs);
	if (!err)
		err = tmpfs_new(vfs, "anon", VFS_PIPEFS_MAGIC, "", &sb);
	if (!err)
		err = mount_inside(vfs, sb, "anon", VFS_MNT_NOATIME, &vfs->anon);
	if (!err)
		err = tmpfs_new(vfs, "tmpfs", VFS_TMPFS_MAGIC, "size=0,nr_inodes=0", &sb);
	if (!err)
		err = mount_inside(vfs, sb, "tmpfs", VFS_MNT_NOATIME, &vfs->shm);
	if (!err)
		err = tmpfs_new(vfs, "nsfs", VFS_NSFS_MAGIC, "", &sb);
	if (!err)
		err = mount_inside(vfs, sb, "nsfs", 0, &vfs->nsfs);
	return err;
}

void mount_last(struct vfs *vfs)
{
	if (vfs->first_mnt)
		ns_put(&vfs->first_mnt->ns);
	if (vfs->nsfs)
		mount_put(vfs->nsfs);
	if (vfs->anon)
		mount_put(vfs->anon);
	if (vfs->shm)
		mount_put(vfs->shm);
	if (vfs->mountns)
		mountns_free(vfs->mountns);
	if (vfs->mounts)
		mounts_destroy(vfs->mounts);
	if (vfs->nullfs)
		pseudo_free(vfs->nullfs);
}
