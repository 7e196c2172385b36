/*
 * See far_place.h: places on their way to another core.
 *
 *   where the mount is: in a namespace, one of the instance's own, or nowhere any more; then where
 *   in its file system
 *
 * Runs in: the personality, host tests.
 */
#include "far_ns.h"
#include "far_place.h"
#include "mount_internal.h"

#include <string.h>

enum { IN_NAMESPACE = 1, OF_ANON, OF_SHM, OF_NSFS, DETACHED };

struct wire_place {
	u32 where;
	u32 home;      /* of the namespace */
	u64 ns, mount; /* identifiers */
	u32 bytes;     /* of the directory that follows */
	u32 sb_bytes;  /* DETACHED: of the file system, the root, and the source that go before */
	u32 root_bytes, source_bytes;
	u32 flags;
	u32 zero;
};

static_assert(sizeof(struct wire_place) == 48, "no holes");

/* Parts that follow each other in one room. */
struct parts {
	u8 *at;
	size_t left;
	s64 err;
};

static u32 part(struct parts *p, s64 n)
{
	if (n < 0)
		p->err = n;
	if (p->err)
		return 0;
	p->at += n;
	p->left -= (size_t)n;
	return (u32)n;
}

static void export_detached(struct vfs *vfs, struct mount *mnt, struct wire_place *w,
			    struct parts *p)
{
	w->where = DETACHED;
	w->flags = mnt->flags & MOUNT_SETTABLE;
	w->sb_bytes = part(p, mount_put_sb(vfs, mnt->sb, p->at, p->left));
	w->root_bytes = part(p, mount_put_dir(vfs, mnt->root, p->at, p->left));
	w->source_bytes = part(p, source_write(mnt->source, p->at, p->left));
}

s64 far_place_export(struct vfs *vfs, u32 core, const struct path *path, void *out, size_t room)
{
	struct wire_place w = {0};
	struct parts p = {.at = (u8 *)out + sizeof(w), .left = room - sizeof(w)};
	struct mount *mnt = path->mnt;

	(void)core;
	if (room < sizeof(w))
		return -ENOSPC;
	if (mnt == vfs->anon || mnt == vfs->shm || mnt == vfs->nsfs) {
		w.where = mnt == vfs->anon ? OF_ANON : mnt == vfs->shm ? OF_SHM : OF_NSFS;
	} else if (mnt->ns) {
		w.where = IN_NAMESPACE;
		w.ns = mounts_ns_identify(mnt->ns);
		w.mount = mnt->node.key;
		w.home = mountns_home(vfs->mountns, mnt->ns);
	} else {
		export_detached(vfs, mnt, &w, &p);
	}
	w.bytes = part(&p, mount_put_dir(vfs, path->dentry, p.at, p.left));
	if (p.err)
		return p.err;
	memcpy(out, &w, sizeof(w));
	return p.at - (u8 *)out;
}

static int import_detached(struct vfs *vfs, const struct wire_place *w, const u8 *in,
			   struct mount **out)
{
	struct superblock *sb;
	struct source *source;
	struct dentry *root;
	s64 n = mount_get_sb(vfs, in, w->sb_bytes, &sb);

	if (n < 0)
		return (int)n;
	n = mount_get_dir(vfs, sb, in + w->sb_bytes, w->root_bytes, &root);
	if (n >= 0) {
		source = source_read(in + w->sb_bytes + w->root_bytes, w->source_bytes);
		*out = source ? mounts_new(vfs->mounts, sb, root, source, w->flags) : NULL;
		n = *out ? 0 : -ENOMEM;
		if (source)
			source_put(source);
		dentry_put(root);
	}
	superblock_put(sb);
	return (int)n;
}

static int import_mount(struct vfs *vfs, const struct wire_place *w, const u8 *in,
			struct mount **out)
{
	struct mount_ns *ns;
	int err;

	switch (w->where) {
	case OF_ANON:
		*out = mount_get(vfs->anon);
		return 0;
	case OF_SHM:
		*out = mount_get(vfs->shm);
		return 0;
	case OF_NSFS:
		*out = mount_get(vfs->nsfs);
		return 0;
	case DETACHED:
		return import_detached(vfs, w, in, out);
	case IN_NAMESPACE:
		break;
	default:
		return -EBADMSG;
	}
	err = mountns_open(vfs->mountns, w->home, w->ns, &ns);
	if (err)
		return err;
	*out = mounts_find(ns, w->mount);
	if (*out)
		mount_get(*out);
	mounts_ns_put(ns);
	return *out ? 0 : -ESTALE;
}

s64 far_place_import(struct vfs *vfs, const void *in, size_t bytes, struct path *out)
{
	const u8 *at = (const u8 *)in + sizeof(struct wire_place);
	struct wire_place w;
	u64 before;
	s64 n;

	if (bytes < sizeof(w))
		return -EBADMSG;
	memcpy(&w, in, sizeof(w));
	bytes -= sizeof(w);
	before = (u64)w.sb_bytes + w.root_bytes + w.source_bytes;
	if (before > bytes || w.bytes > bytes - before || (before && w.where != DETACHED))
		return -EBADMSG;
	n = import_mount(vfs, &w, at, &out->mnt);
	if (n)
		return n;
	n = mount_get_dir(vfs, out->mnt->sb, at + before, w.bytes, &out->dentry);
	if (n >= 0 && out->dentry->sb != out->mnt->sb) {
		dentry_put(out->dentry);
		n = -EBADMSG;
	}
	if (n < 0) {
		mount_put(out->mnt);
		return n;
	}
	return (s64)(sizeof(w) + before + w.bytes);
}
