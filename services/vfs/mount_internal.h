/*
 * What the calls about mounts share: mount_calls.c, mount_api.c, fs_config.c, statmount.c. Private
 * to services/vfs.
 */
#ifndef VFS_MOUNT_INTERNAL_H
#define VFS_MOUNT_INTERNAL_H

#include "internal.h"
#include "mount_abi.h"
#include "pseudo.h"

#include <mountns/mountns.h>
#include <sys/mount.h>

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

/* mount.c: what was mounted, as bytes and back. Bytes or -ENOSPC; NULL: no memory. */
struct source;
s64 source_write(const struct source *source, void *out, size_t room);
struct source *source_read(const void *from, size_t bytes);
void source_put(struct source *source);

/*
 * mount_refs.c: file systems and directories as other cores know them: bytes, or an error; and
 * back, with a reference, which may wait.
 */
s64 mount_put_sb(struct vfs *vfs, struct superblock *sb, void *out, size_t room);
s64 mount_get_sb(struct vfs *vfs, const void *in, size_t bytes, struct superblock **out);
s64 mount_put_dir(struct vfs *vfs, struct dentry *dir, void *out, size_t room);
s64 mount_get_dir(struct vfs *vfs, struct superblock *sb, const void *in, size_t bytes,
		  struct dentry **out);

/* Has the directory been removed, or what it is on unmounted? */
bool place_is_gone(const struct path *path);
/* Put a detached mount, or an anonymous tree, on @at. -ENOTDIR; and see mounts_attach(). */
int mount_put_on(struct mount *mnt, const struct path *at, u32 how);
/* The same for a file system that is mounted for the first time. */
int mount_add(struct vfs_task *t, struct mount *mnt, const struct path *at);
/**
 * May a file system of @type be seen in the namespace of @t by a mount with *@flags? One that tells
 * of the whole machine only where a mount of it, with nothing hidden, has been given to the
 * namespace; what is locked of that one is locked in *@flags, too. 0 or -EPERM.
 */
int mount_check_revealing(const struct vfs_task *t, const struct fs_type *type, u32 *flags);
/* A copy of what is at @from, as bind mounts make it; @how: COPY_SLAVE or 0. Of what another core
 * is the home of it is the root of an anonymous namespace, whose reference is the caller's. */
int mount_copy(const struct vfs_task *t, const struct path *from, bool recursive, u32 how,
	       struct mount **out);
/* Give a copy back that was not used. */
void mount_drop(struct mount *copy);
/* Is @mnt in a detached tree that was copied from the namespace of @t, or made new? */
bool mount_is_detached_for(const struct vfs_task *t, const struct mount *mnt);
bool mount_may_copy(const struct vfs_task *t, const struct path *from, bool recursive);
/* The kind that MS_SHARED and its like ask for; -EINVAL: none, several, or something else. */
int mount_kind_of(u64 ms, enum mount_kind *kind);
/* May @mnt have @flags? 0; -EPERM: some are locked; -EBUSY: a file of it is being written. */
int mount_check_flags(const struct mount *mnt, u32 flags);
int mount_may_change_kind(const struct vfs_task *t, const struct mount *mnt);
/* Move a mount, or an anonymous tree, from where it is. */
int mount_move(struct vfs_task *t, const struct path *from, const struct path *to, bool beneath);

/* A descriptor of a detached tree, or of a namespace made of it; the tree is taken over. */
int mount_open_detached(struct vfs_task *t, struct mount *tree, u64 origin, bool cloexec);
int mount_open_namespace(struct vfs_task *t, struct mount *tree, bool cloexec);
/* How a file system writes: of MS_*, those that are told of it (struct superblock's modes). */
#define SB_MODES (MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME)
/* MOUNT_ATTR_* as flags of a mount: those that are not about times; and times, or -EINVAL. */
u32 mount_attr_flags(u64 attr);
int mount_attr_atime(u64 attr, u32 *flags);

#endif
