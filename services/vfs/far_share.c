/*
 * What the home of an inode remembers of those on other cores who refer to it: how often it was
 * given to each, and, of a directory, which names each may have cached. And how they are told.
 *
 * An inode gets a share when it is first given away; its operations are exchanged for ones that
 * tell of changes, so that an inode nobody else knows costs nothing.
 *
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"
#include "xattr.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 8u

/* --- Who refers to it --- */

struct far_share *far_share_find(const struct inode *inode)
{
	return container_of(far_known_find(inode->sb->part, inode->ino), struct far_share, known);
}

static const struct inode_ops *ops_of(const struct inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		return &far_share_file_ops;
	case S_IFDIR:
		return &far_share_dir_ops;
	case S_IFLNK:
		return &far_share_link_ops;
	default:
		return &far_share_special_ops;
	}
}

struct far_share *far_share_of(struct inode *inode)
{
	struct far_part *part = far_part_of(inode->sb);
	struct far_share *share;

	if (inode->shared)
		return far_share_find(inode);
	if (!part)
		return NULL;
	share = calloc(1, sizeof(*share));
	if (!share)
		return NULL;
	share->known.ino = inode->ino;
	share->inode = inode;
	if (far_known_add(part, &share->known)) {
		free(share);
		return NULL;
	}
	inode->shared = true;
	inode->ops = ops_of(inode);
	return share;
}

void far_share_evict(struct inode *inode)
{
	struct far_share *share = far_share_find(inode);
	struct far_part *part = inode->sb->part;

	far_known_remove(part, &share->known);
	inode->shared = false;
	for (u32 i = 0; i < share->nbuckets; i++) {
		while (share->leases[i]) {
			struct far_lease *lease = share->leases[i];

			share->leases[i] = lease->next;
			free(lease);
		}
	}
	free(share->leases);
	free(share->holders);
	free(share);
	tmpfs_evict(inode);
	far_part_settle(part);
}

int far_share_give(struct inode *inode, u32 core)
{
	struct far_share *share = far_share_of(inode);
	u32 i = 0;

	if (!share)
		return -ENOMEM;
	while (i < share->nholders && share->holders[i].core != core)
		i++;
	if (i == share->room) {
		u32 room = share->room ? share->room * 2 : 2;
		struct far_holder *more = realloc(share->holders, room * sizeof(struct far_holder));

		if (!more)
			return -ENOMEM;
		share->holders = more;
		share->room = room;
	}
	if (i == share->nholders) {
		if (!share->nholders++)
			inode_get(inode);
		share->holders[i] = (struct far_holder){.core = core};
	}
	share->holders[i].given++;
	return 0;
}

bool far_share_drop(struct far_share *share, u32 core, u64 count)
{
	u32 i = 0;

	while (i < share->nholders && share->holders[i].core != core)
		i++;
	if (i == share->nholders)
		return false;
	share->holders[i].given -= MIN(count, share->holders[i].given);
	if (share->holders[i].given)
		return false;
	share->inode->writers -= share->holders[i].uses;
	share->holders[i] = share->holders[--share->nholders];
	if (!share->nholders)
		inode_put(share->inode);
	return true;
}

/* --- Attributes --- */

static struct far_time far_time(struct vfs_time time)
{
	return (struct far_time){time.sec, time.nsec, 0};
}

void far_share_attr(struct inode *inode, struct far_attr *attr)
{
	*attr = (struct far_attr){
		.ino = inode->ino,
		.size = inode->size,
		.blocks = inode->blocks,
		.atime = far_time(inode->atime),
		.mtime = far_time(inode->mtime),
		.ctime = far_time(inode->ctime),
		.btime = far_time(inode->btime),
		.mode = inode->mode,
		.nlink = inode->nlink,
		.uid = inode->uid,
		.gid = inode->gid,
		.rdev = inode->rdev,
		.flags = inode->flags,
		.seals = inode->seals,
		.version = inode->shared ? far_share_find(inode)->version : 0,
		.bits = (inode->xattrs ? FAR_HAS_XATTRS : 0) | (inode->linkable ? FAR_LINKABLE : 0),
	};
}

void far_share_tell(struct inode *inode)
{
	struct far_share *share = far_share_find(inode);
	struct far_attrs args = {.sb = inode->sb->part->id};
	u64 tell[FAR_CORES / 64] = {0};

	share->version++;
	far_share_attr(inode, &args.attr);
	for (u32 i = 0; i < share->nholders; i++)
		bit_set(tell, share->holders[i].core);
	inode_get(inode);
	for (u32 c = bit_next(tell, 0); c < FAR_CORES; c = bit_next(tell, c + 1))
		shard_call(far_net(inode), c, FAR_ATTRS, &args, sizeof(args), NULL, 0, NULL);
	inode_put(inode);
}

int far_share_set_attr(struct vfs_task *t, struct inode *inode, const struct attr *attr)
{
	const struct inode_ops *ops =
		inode_is(inode, S_IFREG) ? &tmpfs_file_inode_ops : &tmpfs_special_inode_ops;
	int err = ops->set_attr(t, inode, attr);

	if (!err && attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		far_share_tell(inode);
	return err;
}

static int readlink_target(struct vfs_task *t, struct inode *inode, struct text *out)
{
	return tmpfs_link_inode_ops.readlink(t, inode, out);
}

const struct inode_ops far_share_link_ops = {
	.readlink = readlink_target, .set_attr = far_share_set_attr, .evict = far_share_evict};
const struct inode_ops far_share_special_ops = {.set_attr = far_share_set_attr,
						.evict = far_share_evict};

static int file_page_of(struct inode *inode, u64 index, bool make, struct page **out)
{
	return tmpfs_file_inode_ops.page(inode, index, make, out);
}

static u32 file_pages_of(struct inode *inode, u64 index, u32 count, struct page **out)
{
	return tmpfs_file_inode_ops.pages(inode, index, count, out);
}

const struct inode_ops far_share_file_ops = {.page = file_page_of,
					     .pages = file_pages_of,
					     .set_attr = far_share_set_attr,
					     .evict = far_share_evict};

/* --- Leases of names --- */

u32 far_name_hash(const char *name, u32 len)
{
	u32 h = 2166136261u; /* FNV-1a */

	for (u32 i = 0; i < len; i++)
		h = (h ^ (u8)name[i]) * 16777619u;
	return h;
}

static struct far_lease **lease_bucket(const struct far_share *share, u32 hash)
{
	return &share->leases[hash & (share->nbuckets - 1)];
}

static int grow_leases(struct far_share *share)
{
	struct far_share larger = {.nbuckets = MAX(share->nbuckets * 2, FIRST_BUCKETS)};

	larger.leases = calloc(larger.nbuckets, sizeof(struct far_lease *));
	if (!larger.leases)
		return share->nbuckets ? 0 : -ENOMEM;
	for (u32 i = 0; i < share->nbuckets; i++) {
		while (share->leases[i]) {
			struct far_lease *lease = share->leases[i];
			struct far_lease **to = lease_bucket(&larger, lease->hash);

			share->leases[i] = lease->next;
			lease->next = *to;
			*to = lease;
		}
	}
	free(share->leases);
	share->leases = larger.leases;
	share->nbuckets = larger.nbuckets;
	return 0;
}

int far_lease_add(struct far_share *share, u32 hash, u32 core)
{
	struct far_lease *lease = share->nbuckets ? *lease_bucket(share, hash) : NULL, **at;

	while (lease && (lease->hash != hash || lease->core != core))
		lease = lease->next;
	if (lease)
		return 0;
	if (share->nleases >= share->nbuckets && grow_leases(share))
		return -ENOMEM;
	lease = malloc(sizeof(*lease));
	if (!lease)
		return -ENOMEM;
	at = lease_bucket(share, hash);
	*lease = (struct far_lease){*at, hash, core};
	*at = lease;
	share->nleases++;
	return 0;
}

/* Which leases are meant. */
struct lease_choice {
	u32 hash, core;
	bool any_hash, any_core, other_cores;
};

static bool is_meant(const struct lease_choice *c, const struct far_lease *lease)
{
	if (!c->any_hash && lease->hash != c->hash)
		return false;
	return c->any_core || (lease->core == c->core) != c->other_cores;
}

/* Those of a bucket that are meant end; their cores go to @cores. */
static void take_leases(struct far_share *share, struct far_lease **at,
			const struct lease_choice *c, u64 *cores)
{
	while (*at) {
		struct far_lease *lease = *at;

		if (!is_meant(c, lease)) {
			at = &lease->next;
			continue;
		}
		bit_set(cores, lease->core);
		*at = lease->next;
		free(lease);
		share->nleases--;
	}
}

static void take_all_leases(struct far_share *share, const struct lease_choice *c, u64 *cores)
{
	for (u32 i = 0; i < share->nbuckets; i++)
		take_leases(share, &share->leases[i], c, cores);
}

void far_leases_forget(struct far_share *share, u32 core)
{
	const struct lease_choice all_of_core = {.any_hash = true, .core = core};
	u64 cores[FAR_CORES / 64] = {0};

	take_all_leases(share, &all_of_core, cores);
}

/* --- Changing a directory --- */

void far_dir_lock(struct inode *dir)
{
	struct far_share *share = far_share_find(dir);

	inode_get(dir);
	while (share->busy)
		far_wait(dir->sb->vfs, &share->waiters);
	share->busy = true;
}

void far_dir_unlock(struct inode *dir)
{
	struct far_share *share = far_share_find(dir);

	share->busy = false;
	fiber_wake_one(&share->waiters);
	inode_put(dir);
}

static s64 tell_name(struct inode *dir, u32 core, u16 op, const char *name, u32 len)
{
	struct far_name args = {.dir = far_node_of(dir), .len = len};
	const struct shard_in in[] = {{&args, sizeof(args)}, {name, len}};
	struct shard_parts parts = {.in = in, .nin = 2};

	return shard_call_parts(far_net(dir), core, op, &parts);
}

/* There are too many names that others may have cached: they forget all. */
static void recall_all(struct inode *dir, struct far_share *share)
{
	const struct lease_choice all = {.any_hash = true, .any_core = true};
	u64 cores[FAR_CORES / 64] = {0};

	take_all_leases(share, &all, cores);
	for (u32 c = bit_next(cores, 0); c < FAR_CORES; c = bit_next(cores, c + 1))
		tell_name(dir, c, FAR_RECALL, "", 0);
}

int far_recall(struct inode *dir, const char *name, u32 len, u32 asker, u64 *kept)
{
	struct far_share *share = far_share_find(dir);
	const struct lease_choice others = {
		.hash = far_name_hash(name, len), .core = asker, .other_cores = true};
	u64 cores[FAR_CORES / 64] = {0};

	if (share->nleases > FAR_LEASES_MAX)
		recall_all(dir, share);
	if (asker != dir->sb->vfs->far->core && far_lease_add(share, others.hash, asker))
		return -ENOMEM;
	if (share->nleases)
		take_leases(share, lease_bucket(share, others.hash), &others, cores);
	for (u32 c = bit_next(cores, 0); c < FAR_CORES; c = bit_next(cores, c + 1)) {
		if (tell_name(dir, c, FAR_RECALL, name, len) == 1)
			bit_set(kept, c);
	}
	return 0;
}

void far_tell_gone(struct inode *dir, const char *name, u32 len, const u64 *kept)
{
	for (u32 c = bit_next(kept, 0); c < FAR_CORES; c = bit_next(kept, c + 1))
		tell_name(dir, c, FAR_GONE, name, len);
}
