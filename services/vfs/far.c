/*
 * Instances that know each other, and the parts that each has of a file system. See far.h.
 *
 * A part lives as long as the file system: inodes of this core may be in it though nothing here
 * has it mounted. The home knows who uses a part (has mounts of it); when nobody does, its home
 * included, it ends the file system and tells all that have a part.
 *
 *   FAR_SB ->      part made, used   FAR_SB_PUT ->   unused   <- FAR_SB_END   ended -> freed
 *
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"
#include "pseudo.h"

#include <stdlib.h>
#include <string.h>
#include <vfs/text.h>

#define FIRST_BUCKETS 16u
#define TYPE_MAX      32u
#define OPTIONS_MAX   4096u

u32 bit_next(const u64 *bits, u32 from)
{
	for (u32 word = from / 64; word < FAR_CORES / 64; word++) {
		u64 rest = bits[word];

		if (word == from / 64)
			rest &= ~0ul << from % 64;
		if (rest)
			return word * 64 + (u32)__builtin_ctzl(rest);
	}
	return FAR_CORES;
}

int far_error(s64 result)
{
	return result == -EHOSTDOWN || result == -EMSGSIZE || result == -ENOSYS ||
			       result == -EBADMSG
		       ? -EIO
		       : (int)result;
}

void far_wait(struct vfs *vfs, struct fiber_queue *queue)
{
	bool held = fiber_hold_interrupts(vfs->loop, true);

	fiber_wait(vfs->loop, queue, FIBER_FOREVER);
	fiber_hold_interrupts(vfs->loop, held);
}

/* --- Inodes by number --- */

static struct far_known **bucket(const struct far_part *part, u64 ino)
{
	return &part->hash[(ino ^ ino >> FAR_INO_SHIFT) & (part->nbuckets - 1)];
}

struct far_known *far_known_find(const struct far_part *part, u64 ino)
{
	struct far_known *known = part->nbuckets ? *bucket(part, ino) : NULL;

	while (known && known->ino != ino)
		known = known->next;
	return known;
}

static int grow(struct far_part *part)
{
	struct far_part larger = {.nbuckets = MAX(part->nbuckets * 2, FIRST_BUCKETS)};

	larger.hash = calloc(larger.nbuckets, sizeof(struct far_known *));
	if (!larger.hash)
		return part->nbuckets ? 0 : -ENOMEM;
	for (u32 i = 0; i < part->nbuckets; i++) {
		while (part->hash[i]) {
			struct far_known *known = part->hash[i], **to = bucket(&larger, known->ino);

			part->hash[i] = known->next;
			known->next = *to;
			*to = known;
		}
	}
	free(part->hash);
	part->hash = larger.hash;
	part->nbuckets = larger.nbuckets;
	return 0;
}

int far_known_add(struct far_part *part, struct far_known *known)
{
	struct far_known **at;

	if (part->n >= part->nbuckets && grow(part))
		return -ENOMEM;
	at = bucket(part, known->ino);
	known->next = *at;
	*at = known;
	part->n++;
	return 0;
}

void far_known_remove(struct far_part *part, struct far_known *known)
{
	struct far_known **at = bucket(part, known->ino);

	while (*at != known)
		at = &(*at)->next;
	*at = known->next;
	part->n--;
}

/* --- Parts --- */

struct far_part *far_part_find(const struct vfs *vfs, u64 id)
{
	struct far_part *part = vfs->far ? vfs->far->parts : NULL;

	while (part && part->id != id)
		part = part->next;
	return part;
}

static struct far_part *part_new(struct vfs *vfs, u64 id)
{
	struct far_part *part = calloc(1, sizeof(*part));

	if (!part)
		return NULL;
	part->id = id;
	part->home = (u32)(id >> FAR_SB_SHIFT);
	part->next = vfs->far->parts;
	vfs->far->parts = part;
	return part;
}

static void part_free(struct vfs *vfs, struct far_part *part)
{
	struct far_part **at = &vfs->far->parts;

	while (*at != part)
		at = &(*at)->next;
	*at = part->next;
	free(part->hash);
	free(part->options);
	free(part);
}

/* Of which every core has an instance of its own. */
static bool is_local(const struct superblock *sb)
{
	return !sb->ops->number; /* tmpfs has numbers */
}

struct far_part *far_part_of(struct superblock *sb)
{
	struct far_vfs *far = sb->vfs->far;
	struct far_part *part = sb->part;

	if (part || !far)
		return part;
	part = part_new(sb->vfs, (u64)far->core << FAR_SB_SHIFT | ++far->last_id);
	if (!part)
		return NULL;
	part->sb = sb;
	part->local = is_local(sb);
	sb->part = part;
	return part;
}

u64 vfs_sb_id(struct superblock *sb)
{
	const struct far_part *part = far_part_of(sb);

	return part ? part->id : 0;
}

/* --- Attaching: FAR_SB --- */

struct super_answer {
	struct far_super super;
	char text[TYPE_MAX + OPTIONS_MAX];
};

static bool is_sane(const struct far_part *part, const struct super_answer *a, u32 got)
{
	u32 texts = a->super.type_len + a->super.options_len;

	return got >= sizeof(a->super) && a->super.type_len < TYPE_MAX &&
	       a->super.options_len < OPTIONS_MAX && got == sizeof(a->super) + texts &&
	       far_home_of(a->super.root) == part->home;
}

/* An instance of our own of what is not shared. */
static int attach_local(struct vfs *vfs, const struct fs_type *type, const struct far_super *super,
			struct superblock **out)
{
	int err = 0;

	if (!type && super->magic == VFS_NULLFS_MAGIC)
		*out = vfs->first_mnt->mounts->root->sb;
	else if (type)
		err = fs_type_mount(type, vfs, "none", "", out);
	else
		err = -ESTALE;
	if (!err && !(*out)->refs)
		(*out)->dev = super->dev;
	return err;
}

/* A superblock whose root is far. */
static int attach_shared(struct vfs *vfs, struct far_part *part, const struct super_answer *a,
			 const char *type)
{
	struct superblock *sb;
	struct inode *root;
	int err = tmpfs_new_part(vfs, type, a->super.magic, vfs->far->core, &sb);

	if (err)
		return err;
	sb->dev = a->super.dev;
	sb->readonly = a->super.flags & FAR_SB_READONLY;
	sb->nodev = a->super.flags & FAR_SB_NODEV;
	sb->xattrs = a->super.flags & FAR_SB_XATTRS;
	tmpfs_set_limits(sb, a->super.max_pages, a->super.max_inodes);
	part->sb = sb;
	sb->part = part;
	part->options = strndup(a->text + a->super.type_len, a->super.options_len);
	err = part->options ? far_inode_by_number(part, a->super.root, &root) : -ENOMEM;
	if (!err) {
		sb->root = dentry_new_root(sb, root);
		if (!sb->root) {
			inode_put(root);
			err = -ENOMEM;
		}
	}
	if (err) {
		part->sb = NULL;
		tmpfs_free_part(sb);
	}
	return err;
}

static int ask_home(struct vfs *vfs, struct far_part *part)
{
	struct super_answer *a = malloc(sizeof(*a));
	struct fs_type *type;
	char name[TYPE_MAX];
	u32 got = 0;
	s64 err;

	if (!a)
		return -ENOMEM;
	err = shard_call(vfs->far->net, part->home, FAR_SB, &part->id, sizeof(part->id), a,
			 sizeof(*a), &got);
	if (!err && !is_sane(part, a, got))
		err = -EBADMSG;
	if (!err && !part->sb) {
		memcpy(name, a->text, a->super.type_len);
		name[a->super.type_len] = 0;
		type = fs_type_find(vfs, name);
		part->local = a->super.flags & FAR_SB_LOCAL;
		if (part->local)
			err = attach_local(vfs, type, &a->super, &part->sb);
		else
			err = type ? attach_shared(vfs, part, a, type->name) : -ESTALE;
	}
	free(a);
	return (int)err;
}

int vfs_sb_attach(struct vfs *vfs, u64 id, struct superblock **out)
{
	struct far_part *part;
	int err = 0;

	while ((part = far_part_find(vfs, id)) && part->busy)
		far_wait(vfs, &part->ready);
	if (!part && id >> FAR_SB_SHIFT == vfs->far->core)
		return -ESTALE;
	if (!part)
		part = part_new(vfs, id);
	if (!part)
		return -ENOMEM;
	if (!part->sb || (!part->sb->refs && part->home != vfs->far->core && !part->local)) {
		part->busy = true;
		err = ask_home(vfs, part);
		part->busy = false;
		fiber_wake_all(&part->ready);
	}
	if (!err) {
		part->sb->refs++;
		if (part->local && !part->sb->part)
			part->sb->part = part;
		*out = part->sb;
	} else if (!part->sb) {
		part_free(vfs, part);
	}
	return err;
}

static s64 serve_super(struct shard_request *r)
{
	struct vfs *vfs = r->arg;
	const u64 *id = shard_args(r, sizeof(*id));
	struct far_part *part = id ? far_part_find(vfs, *id) : NULL;
	struct superblock *sb = part ? part->sb : NULL;
	struct text options = {0};
	struct far_super super;
	char *answer;

	if (!sb || part->home != vfs->far->core || part->ended)
		return id ? -ESTALE : -EBADMSG;
	if (sb->ops->show_options)
		sb->ops->show_options(sb, &options);
	super = (struct far_super){
		.root = sb->root->inode->ino,
		.dev = sb->dev,
		.magic = sb->magic,
		.flags = (sb->readonly ? FAR_SB_READONLY : 0) | (sb->nodev ? FAR_SB_NODEV : 0) |
			 (sb->xattrs ? FAR_SB_XATTRS : 0) | (part->local ? FAR_SB_LOCAL : 0),
		.type_len = (u32)strlen(sb->type),
		.options_len = (u32)options.len,
	};
	if (!part->local)
		tmpfs_get_limits(sb, &super.max_pages, &super.max_inodes);
	else
		super.root = (u64)part->home << FAR_INO_SHIFT | 1;
	answer = text_error(&options)
			 ? NULL
			 : shard_answer(r, (u32)sizeof(super) + super.type_len + super.options_len);
	if (answer) {
		memcpy(answer, &super, sizeof(super));
		memcpy(answer + sizeof(super), sb->type, super.type_len);
		if (options.len)
			memcpy(answer + sizeof(super) + super.type_len, options.at, options.len);
		bit_set(part->users, r->core);
		bit_set(part->parts, r->core);
	}
	text_free(&options);
	return answer ? 0 : -ENOMEM;
}

/* --- The end --- */

/* Nobody uses the file system any more. */
static void end_super(struct vfs *vfs, struct far_part *part)
{
	struct superblock *sb = part->sb;

	for (u32 c = bit_next(part->parts, 0); c < FAR_CORES; c = bit_next(part->parts, c + 1))
		shard_tell(vfs->far->net, c, FAR_SB_END, &part->id, sizeof(part->id));
	part->ended = true;
	superblock_end(sb);
}

bool far_super_unused(struct superblock *sb)
{
	struct far_part *part = sb->part;
	struct vfs *vfs = sb->vfs;

	if (part->local || part->ended)
		return false;
	if (part->home != vfs->far->core) {
		dentry_shrink(vfs, sb);
		shard_tell(vfs->far->net, part->home, FAR_SB_PUT, &part->id, sizeof(part->id));
		return true;
	}
	if (bit_next(part->users, 0) < FAR_CORES)
		return true;
	for (u32 c = bit_next(part->parts, 0); c < FAR_CORES; c = bit_next(part->parts, c + 1))
		shard_tell(vfs->far->net, c, FAR_SB_END, &part->id, sizeof(part->id));
	part->ended = true;
	return false;
}

static s64 serve_super_put(struct shard_request *r)
{
	struct vfs *vfs = r->arg;
	const u64 *id = shard_args(r, sizeof(*id));
	struct far_part *part = id ? far_part_find(vfs, *id) : NULL;

	if (!part || part->home != vfs->far->core || !part->sb)
		return -ESTALE;
	bit_clear(part->users, r->core);
	if (!part->sb->refs && bit_next(part->users, 0) == FAR_CORES && !part->local)
		end_super(vfs, part);
	return 0;
}

/* Own inodes of the part go when those who refer to them have told so. */
static s64 serve_super_end(struct shard_request *r)
{
	struct vfs *vfs = r->arg;
	const u64 *id = shard_args(r, sizeof(*id));
	struct far_part *part = id ? far_part_find(vfs, *id) : NULL;

	if (!part || part->home != r->core || !part->sb || part->ended)
		return -ESTALE;
	part->ended = true;
	far_part_settle(part);
	return 0;
}

void far_part_settle(struct far_part *part)
{
	if (part->sb && part->ended && !part->ending && !part->sb->refs && !tmpfs_ninodes(part->sb))
		superblock_end(part->sb);
}

/* All that others refer to in @part is referred to no more. */
static void drop_holders(struct far_part *part)
{
	for (u32 i = 0; i < part->nbuckets; i++) {
		struct far_known *known = part->hash[i];

		while (known) {
			struct far_share *share = container_of(known, struct far_share, known);
			bool held = far_home_of(known->ino) == part->sb->vfs->far->core &&
				    share->nholders;

			known = known->next;
			if (!held)
				continue;
			share->nholders = 0;
			inode_put(share->inode);
			known = part->hash[i]; /* the list has changed */
		}
	}
}

void far_part_done(struct superblock *sb)
{
	struct far_part *part = sb->part;

	part->ending = true;
	if (!part->local)
		drop_holders(part);
	sb->part = NULL;
	if (part->sb == sb)
		part_free(sb->vfs, part);
}

/* --- Death of a core --- */

/* What @core referred to in @part. An inode may end with it, and so change the table. */
static bool drop_holder(struct far_part *part, u32 core)
{
	for (u32 i = 0; i < part->nbuckets; i++) {
		for (struct far_known *k = part->hash[i]; k; k = k->next) {
			struct far_share *share = container_of(k, struct far_share, known);

			if (far_home_of(k->ino) != part->sb->vfs->far->core)
				continue;
			far_leases_forget(share, core);
			if (share->inode->locks)
				locks_core_died(share->inode, core);
			if (far_share_drop(share, core, UINT64_MAX))
				return true;
		}
	}
	return false;
}

void vfs_far_core_died(struct vfs *vfs, u32 core)
{
	struct far_part *part = vfs->far->parts, *next;

	for (; part; part = next) {
		next = part->next;
		if (!part->sb || part->local)
			continue;
		while (drop_holder(part, core))
			;
		bit_clear(part->users, core);
		bit_clear(part->parts, core);
		if (part->rename_busy && part->rename_core == core) {
			part->rename_busy = false;
			fiber_wake_one(&part->renamers);
		}
		if (part->home == vfs->far->core && !part->sb->refs && !part->ended &&
		    bit_next(part->users, 0) == FAR_CORES)
			end_super(vfs, part);
	}
}

/* --- The instance --- */

static void core_died(struct shard_net *net, u32 core, void *arg)
{
	(void)net;
	vfs_far_core_died(arg, core);
}

/* Number @number of core 0 is @sb here, if this is core 0. */
static int is_number(struct vfs *vfs, u64 number, struct superblock *sb)
{
	if (vfs->far->core)
		return 0;
	return vfs_sb_id(sb) == number ? 0 : -ENOMEM;
}

int far_well_known(struct vfs *vfs, u64 id, struct superblock **sb)
{
	int err = 0;

	if (vfs->far && vfs->far->core)
		err = vfs_sb_attach(vfs, id, sb);
	if (!err && vfs->far && vfs->far->core)
		(*sb)->refs--; /* the mount's will take its place */
	return err;
}

int vfs_far_join(struct vfs *vfs, struct shard_net *net, u32 ncores)
{
	struct far_vfs *far = calloc(1, sizeof(*far));
	int err;

	if (!far || ncores > FAR_CORES) {
		free(far);
		return ncores > FAR_CORES ? -EINVAL : -ENOMEM;
	}
	far->net = net;
	far->core = shard_self(net);
	far->ncores = ncores;
	vfs->far = far;
	/* File systems mounted from now on get numbers that no other core gives. */
	vfs->next_dev += 1 + far->core - ncores;
	vfs->dev_step = ncores;
	tmpfs_set_core(vfs->shm->sb, far->core);
	tmpfs_set_core(mounts_topmost(vfs->first_mnt->mounts->root)->sb, far->core);
	err = is_number(vfs, FAR_ID_DEVTMPFS, vfs->devtmpfs);
	if (!err)
		err = is_number(vfs, FAR_ID_DEVPTS, devpts_of(vfs));
	if (!err)
		err = shard_serve(net, FAR_SB, serve_super, vfs);
	if (!err)
		err = shard_serve(net, FAR_SB_PUT, serve_super_put, vfs);
	if (!err)
		err = shard_serve(net, FAR_SB_END, serve_super_end, vfs);
	if (!err)
		err = far_serve(vfs);
	if (!err)
		err = shard_on_death(net, core_died, vfs);
	return err;
}

void far_fini(struct vfs *vfs)
{
	struct far_part *part = vfs->far ? vfs->far->parts : NULL;

	if (!vfs->far)
		return;
	for (; part; part = part->next) {
		part->ended = part->ending = true;
		if (part->sb && !part->local)
			drop_holders(part);
	}
	while ((part = vfs->far->parts)) {
		if (part->sb && !part->sb->refs && part->sb->part == part)
			superblock_end(part->sb);
		else
			part_free(vfs, part);
	}
	free(vfs->far);
	vfs->far = NULL;
}
