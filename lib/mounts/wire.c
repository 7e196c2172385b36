/*
 * Images as bytes: numbers in this processor's order, references as their user writes them, each
 * with its length before it.
 *
 *   head; groups, masters before slaves; for each namespace: itself, its owner, its mounts
 *   mount: itself; file system, root, source; unless it is a root: the point it is on
 *
 * Runs in: the personality, host tests.
 */
#include "image_internal.h"

#include <errno.h>
#include <string.h>

#define WIRE_MAGIC     0x6d6e7431u
#define WIRE_ANONYMOUS 0x01u
#define WIRE_FLAGS                                                                                 \
	(MOUNT_SETTABLE | MOUNT_LOCK_READONLY | MOUNT_LOCK_NOSUID | MOUNT_LOCK_NODEV |             \
	 MOUNT_LOCK_NOEXEC | MOUNT_LOCK_ATIME | MOUNT_LOCKED | MOUNT_UNBINDABLE | MOUNT_NS_FILE)

struct wire_head {
	u32 magic, nspaces, nmounts, ngroups;
};

struct wire_group {
	u32 id, master;
};

struct wire_ns {
	u64 id, event, origin;
	u32 inum, flags, count, zero;
};

struct wire_mount {
	u64 id;
	u32 small, flags, parent, group, master, zero;
};

static_assert(sizeof(struct wire_ns) == 40 && sizeof(struct wire_mount) == 32, "no holes");

/* --- Encoding --- */

struct writer {
	const struct mounts_env *env;
	const struct mounts_refs *refs;
	u8 *at;
	size_t len, room;
	int err; /* the first; then nothing is written any more */
};

static void reserve(struct writer *w, size_t bytes)
{
	size_t room = MAX(w->room, 4096ul);
	u8 *at;

	while (room - w->len < bytes)
		room *= 2;
	if (w->err || room == w->room)
		return;
	at = w->env->alloc(w->env->ctx, room);
	if (!at) {
		w->err = -ENOMEM;
		return;
	}
	if (w->at) {
		memcpy(at, w->at, w->len);
		w->env->free(w->env->ctx, w->at, w->room);
	}
	w->at = at;
	w->room = room;
}

static void write(struct writer *w, const void *from, size_t bytes)
{
	reserve(w, bytes);
	if (w->err)
		return;
	memcpy(w->at + w->len, from, bytes);
	w->len += bytes;
}

static void write_ref(struct writer *w, enum ref_kind kind, void *thing, struct superblock *in)
{
	u32 len = 0;
	s64 n;

	reserve(w, sizeof(len) + REF_BYTES_MAX);
	if (w->err)
		return;
	n = w->refs->put(w->refs->ctx, kind, thing, in, w->at + w->len + sizeof(len),
			 REF_BYTES_MAX);
	if (n < 0) {
		w->err = (int)n;
		return;
	}
	len = (u32)n;
	write(w, &len, sizeof(len));
	w->len += len;
}

static void write_mount(struct writer *w, const struct image_mount *m)
{
	const struct wire_mount wire = {
		.id = m->id,
		.small = m->small,
		.flags = m->flags & WIRE_FLAGS,
		.parent = m->parent,
		.group = m->group,
		.master = m->master,
	};

	write(w, &wire, sizeof(wire));
	write_ref(w, REF_SUPERBLOCK, m->sb, NULL);
	write_ref(w, REF_DIR, m->root, m->sb);
	write_ref(w, REF_SOURCE, m->source, NULL);
}

static void write_ns(struct writer *w, const struct mounts_image *image, const struct image_ns *ns)
{
	const struct wire_ns wire = {
		.id = ns->id,
		.event = ns->event,
		.origin = ns->origin,
		.inum = ns->inum,
		.flags = ns->anonymous ? WIRE_ANONYMOUS : 0,
		.count = ns->count,
	};
	const struct image_mount *mounts = &image->mount[ns->first];

	write(w, &wire, sizeof(wire));
	write_ref(w, REF_OWNER, ns->owner, NULL);
	for (u32 i = 0; i < ns->count; i++) {
		write_mount(w, &mounts[i]);
		if (mounts[i].parent != NO_SLOT)
			write_ref(w, REF_DIR, mounts[i].point, mounts[mounts[i].parent].sb);
	}
}

int mounts_image_encode(const struct mounts_image *image, const struct mounts_refs *refs, u8 **out,
			size_t *len, size_t *room)
{
	const struct wire_head head = {WIRE_MAGIC, image->nspaces, image->nmounts, image->ngroups};
	struct writer w = {.env = &image->all->env, .refs = refs};

	write(&w, &head, sizeof(head));
	for (u32 i = 0; i < image->ngroups; i++) {
		const struct wire_group wire = {image->group[i].id, image->group[i].master};

		write(&w, &wire, sizeof(wire));
	}
	for (u32 i = 0; i < image->nspaces; i++)
		write_ns(&w, image, &image->space[i]);
	if (w.err && w.at)
		w.env->free(w.env->ctx, w.at, w.room);
	*out = w.at;
	*len = w.len;
	*room = w.room;
	return w.err;
}

void mounts_bytes_free(struct mounts *all, u8 *at, size_t room)
{
	all->env.free(all->env.ctx, at, room);
}

/* --- Decoding --- */

struct reader {
	const struct mounts_refs *refs;
	const u8 *at;
	size_t left;
};

static int read(struct reader *r, void *to, size_t bytes)
{
	if (r->left < bytes)
		return -EBADMSG;
	memcpy(to, r->at, bytes);
	r->at += bytes;
	r->left -= bytes;
	return 0;
}

static int read_ref(struct reader *r, enum ref_kind kind, struct superblock *in, void **thing)
{
	u32 len;
	s64 n;

	if (read(r, &len, sizeof(len)) || len > r->left)
		return -EBADMSG;
	n = r->refs->get(r->refs->ctx, kind, in, r->at, len, thing);
	if (n < 0)
		return (int)n;
	if (n != (s64)len) {
		r->refs->drop(r->refs->ctx, kind, *thing);
		*thing = NULL;
		return -EBADMSG;
	}
	r->at += len;
	r->left -= len;
	return 0;
}

static int read_groups(struct reader *r, struct mounts_image *image)
{
	struct order_node *ids = NULL;

	for (u32 i = 0; i < image->ngroups; i++) {
		struct image_group *group = &image->group[i];
		struct wire_group wire;

		if (read(r, &wire, sizeof(wire)) || wire.master > i || !wire.id ||
		    order_find(ids, wire.id))
			return -EBADMSG;
		*group = (struct image_group){.id = wire.id, .master = wire.master};
		group->node.key = wire.id;
		order_insert(&ids, &group->node);
	}
	return 0;
}

/* What a mount names, or nothing of it. */
static int read_mount_refs(struct reader *r, struct image_mount *m)
{
	void *sb, *root, *source;
	int err = read_ref(r, REF_SUPERBLOCK, NULL, &sb);

	if (err)
		return err;
	err = read_ref(r, REF_DIR, sb, &root);
	if (!err) {
		err = read_ref(r, REF_SOURCE, NULL, &source);
		if (err)
			r->refs->drop(r->refs->ctx, REF_DIR, root);
	}
	if (err) {
		r->refs->drop(r->refs->ctx, REF_SUPERBLOCK, sb);
		return err;
	}
	m->sb = sb;
	m->root = root;
	m->source = source;
	return 0;
}

/* All mounts that have been read: by identifier, and by place. */
struct seen {
	struct order_node *ids, *places;
};

/* Is @m where it can be: below what is mounted, and there alone? */
static bool is_well_placed(const struct mounts_image *image, const struct image_ns *ns,
			   struct image_mount *m, struct seen *seen)
{
	const struct image_mount *parent = &image->mount[ns->first + m->parent];

	/* Two numbers in one: they are odd multiples, so different places differ. */
	m->place.key = (u64)(uintptr_t)m->point * 0x9e3779b97f4a7c15ul ^
		       (u64)(uintptr_t)parent * 0xd6e8feb86659fd93ul;
	if (!dir_is_below(image->all, m->point, parent->root) ||
	    order_find(seen->places, m->place.key))
		return false;
	order_insert(&seen->places, &m->place);
	return true;
}

/* A group is of one file system. */
static bool is_of_group(const struct mounts_image *image, const struct image_mount *m)
{
	struct image_group *group;

	if (!m->group)
		return true;
	group = &image->group[m->group - 1];
	if (!group->sb)
		group->sb = m->sb;
	return group->sb == m->sb;
}

/* The @at-th mount of @ns. */
static int read_mount(struct reader *r, const struct mounts_image *image, const struct image_ns *ns,
		      u32 at, struct seen *seen)
{
	struct image_mount *first = &image->mount[ns->first], *m = first + at;
	struct wire_mount wire;
	void *point;
	int err;

	if (read(r, &wire, sizeof(wire)) || wire.flags & ~WIRE_FLAGS || !wire.id || !wire.small)
		return -EBADMSG;
	if (wire.group > image->ngroups || wire.master > image->ngroups ||
	    (wire.group && wire.master) || (at ? wire.parent >= at : wire.parent != NO_SLOT))
		return -EBADMSG;
	if (order_find(seen->ids, wire.id))
		return -EBADMSG;
	err = read_mount_refs(r, m);
	if (err)
		return err;
	m->id = m->node.key = wire.id;
	m->small = wire.small;
	m->flags = wire.flags;
	m->parent = wire.parent;
	m->group = wire.group;
	m->master = wire.master;
	order_insert(&seen->ids, &m->node);
	if (!is_of_group(image, m))
		return -EBADMSG;
	if (!at)
		return 0;
	err = read_ref(r, REF_DIR, first[m->parent].sb, &point);
	if (err)
		return err;
	m->point = point;
	return is_well_placed(image, ns, m, seen) ? 0 : -EBADMSG;
}

static int read_ns(struct reader *r, struct mounts_image *image, u32 i, u32 *at, struct seen *seen)
{
	struct image_ns *ns = &image->space[i];
	struct wire_ns wire;
	int err;

	if (read(r, &wire, sizeof(wire)) || !wire.id || wire.count > image->nmounts - *at ||
	    wire.flags & ~WIRE_ANONYMOUS)
		return -EBADMSG;
	for (u32 j = 0; j < i; j++) {
		if (image->space[j].id == wire.id)
			return -EBADMSG;
	}
	*ns = (struct image_ns){
		.id = wire.id,
		.event = wire.event,
		.origin = wire.origin,
		.inum = wire.inum,
		.anonymous = wire.flags & WIRE_ANONYMOUS,
		.first = *at,
		.count = wire.count,
	};
	err = read_ref(r, REF_OWNER, NULL, &ns->owner);
	for (u32 j = 0; j < ns->count && !err; j++)
		err = read_mount(r, image, ns, j, seen);
	*at += ns->count;
	return err;
}

int mounts_image_decode(struct mounts *all, const struct mounts_refs *refs, const void *in,
			size_t bytes, struct mounts_image **out)
{
	struct reader r = {.refs = refs, .at = in, .left = bytes};
	struct mounts_image *image;
	struct seen seen = {0};
	struct wire_head head;
	u32 at = 0;
	int err;

	if (read(&r, &head, sizeof(head)) || head.magic != WIRE_MAGIC ||
	    head.nspaces > bytes / sizeof(struct wire_ns) ||
	    head.nmounts > bytes / sizeof(struct wire_mount) ||
	    head.ngroups > bytes / sizeof(struct wire_group))
		return -EBADMSG;
	image = image_new(all, head.nspaces, head.nmounts, head.ngroups);
	if (!image)
		return -ENOMEM;
	err = read_groups(&r, image);
	for (u32 i = 0; i < image->nspaces && !err; i++)
		err = read_ns(&r, image, i, &at, &seen);
	if (!err && (r.left || at != image->nmounts))
		err = -EBADMSG;
	if (err)
		mounts_image_free(image);
	else
		*out = image;
	return err;
}
