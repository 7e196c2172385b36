/*
 * What a mount refers to, as other cores know it: file systems, directories, owners, sources.
 *
 * The superblock of nsfs is not shared: a directory of it is a namespace's file, and named by that.
 *
 * Runs in: the personality, host tests.
 */
#include "far.h"
#include "far_ns.h"
#include "mount_internal.h"

#include <stdlib.h>
#include <string.h>

#define NSFS_ID UINT64_MAX /* no file system's */

s64 mount_put_sb(struct vfs *vfs, struct superblock *sb, void *out, size_t room)
{
	u64 id = sb == vfs->nsfs->sb ? NSFS_ID : vfs_sb_id(sb);

	if (!id || room < sizeof(id))
		return id ? -ENOSPC : -ENOMEM;
	memcpy(out, &id, sizeof(id));
	return sizeof(id);
}

s64 mount_get_sb(struct vfs *vfs, const void *in, size_t bytes, struct superblock **out)
{
	u64 id;
	int err;

	if (bytes != sizeof(id))
		return -EBADMSG;
	memcpy(&id, in, sizeof(id));
	if (id == NSFS_ID) {
		vfs->nsfs->sb->refs++;
		*out = vfs->nsfs->sb;
		return sizeof(id);
	}
	err = vfs_sb_attach(vfs, id, out);
	return err ? err : (s64)sizeof(id);
}

s64 mount_put_dir(struct vfs *vfs, struct dentry *dir, void *out, size_t room)
{
	struct ns *ns = ns_of_inode(dir->inode);
	struct far_place place;
	struct far_ns_ref ref;
	int err;

	if (room < sizeof(place) || room < sizeof(ref))
		return -ENOSPC;
	if (ns && dir->sb == vfs->nsfs->sb) {
		far_ns_name(ns, &ref);
		memcpy(out, &ref, sizeof(ref));
		return sizeof(ref);
	}
	err = vfs_place_export(dir, &place, (char *)out + sizeof(place), room - sizeof(place));
	if (err)
		return err;
	memcpy(out, &place, sizeof(place));
	return (s64)(sizeof(place) + place.len);
}

s64 mount_get_dir(struct vfs *vfs, struct superblock *sb, const void *in, size_t bytes,
		  struct dentry **out)
{
	struct vfs_task nobody = {.vfs = vfs};
	struct far_place place;
	struct far_ns_ref ref;
	struct path path;
	struct ns *ns;
	char *names;
	int err;

	if (sb == vfs->nsfs->sb) {
		if (bytes < sizeof(ref))
			return -EBADMSG;
		memcpy(&ref, in, sizeof(ref));
		err = far_ns_find(vfs, &ref, &ns);
		if (err)
			return err;
		err = ns_path(ns, &path);
		ns_put(ns);
		if (err)
			return err;
		mount_put(path.mnt);
		*out = path.dentry;
		return sizeof(ref);
	}
	if (bytes < sizeof(place))
		return -EBADMSG;
	memcpy(&place, in, sizeof(place));
	if (place.len > bytes - sizeof(place))
		return -EBADMSG;
	names = malloc(place.len + 1);
	if (!names)
		return -ENOMEM;
	memcpy(names, (const char *)in + sizeof(place), place.len);
	names[place.len] = 0;
	nobody.cred.caps = UINT64_MAX;
	err = vfs_place_import(&nobody, &place, names, out);
	free(names);
	return err ? err : (s64)(sizeof(place) + place.len);
}

static s64 put_owner(struct user_ns *user, void *out)
{
	struct far_ns_ref ref;

	far_ns_name(&user->ns, &ref);
	memcpy(out, &ref, sizeof(ref));
	return sizeof(ref);
}

static s64 get_owner(struct vfs *vfs, const void *in, size_t bytes, void **out)
{
	struct far_ns_ref ref;
	struct ns *ns;
	int err;

	if (bytes != sizeof(ref))
		return -EBADMSG;
	memcpy(&ref, in, sizeof(ref));
	err = ref.type == NS_USER ? far_ns_find(vfs, &ref, &ns) : -EBADMSG;
	if (err)
		return err;
	*out = container_of(ns, struct user_ns, ns);
	return sizeof(ref);
}

static s64 put(void *ctx, enum ref_kind kind, void *thing, struct superblock *in, void *out,
	       size_t room)
{
	struct vfs *vfs = ctx;

	(void)in;
	switch (kind) {
	case REF_SUPERBLOCK:
		return mount_put_sb(vfs, thing, out, room);
	case REF_DIR:
		return mount_put_dir(vfs, thing, out, room);
	case REF_SOURCE:
		return source_write(thing, out, room);
	default:
		return put_owner(thing, out);
	}
}

static s64 get(void *ctx, enum ref_kind kind, struct superblock *in, const void *from, size_t bytes,
	       void **thing)
{
	struct vfs *vfs = ctx;
	struct superblock *sb = NULL;
	struct dentry *dir;
	s64 n;

	switch (kind) {
	case REF_SUPERBLOCK:
		n = mount_get_sb(vfs, from, bytes, &sb);
		*thing = sb;
		return n;
	case REF_DIR:
		n = mount_get_dir(vfs, in, from, bytes, &dir);
		if (n >= 0 && dir->sb != in) {
			dentry_put(dir);
			return -EBADMSG;
		}
		*thing = dir;
		return n;
	case REF_SOURCE:
		*thing = source_read(from, bytes);
		return *thing ? (s64)bytes : -ENOMEM;
	default:
		return get_owner(vfs, from, bytes, thing);
	}
}

static void drop(void *ctx, enum ref_kind kind, void *thing)
{
	(void)ctx;
	switch (kind) {
	case REF_SUPERBLOCK:
		superblock_put(thing);
		break;
	case REF_DIR:
		dentry_put(thing);
		break;
	case REF_SOURCE:
		source_put(thing);
		break;
	default:
		ns_put(&((struct user_ns *)thing)->ns);
	}
}

static int arrived(void *ctx, struct mount_ns *ns)
{
	(void)ctx;
	(void)ns; /* its object is made when somebody here is in it: mnt_namespace_of() */
	return 0;
}

static void pivoted(void *ctx, struct mount *from, struct mount *to)
{
	const struct path a = {from, from->root}, b = {to, to->root};

	fs_contexts_move(ctx, &a, &b);
}

int mount_refs_init(struct vfs *vfs)
{
	const struct mountns_env env = {
		.refs = {.put = put, .get = get, .drop = drop, .ctx = vfs},
		.arrived = arrived,
		.pivoted = pivoted,
		.ctx = vfs,
	};

	vfs->mountns = mountns_new(vfs->mounts, &env);
	return vfs->mountns ? 0 : -ENOMEM;
}
