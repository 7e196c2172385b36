/*
 * What other cores ask about this core's inodes and tell about theirs. Arguments are checked here:
 * sizes, numbers, names.
 *
 * Runs in: the personality (each request on a fiber of its own), host tests.
 */
#include "far_internal.h"

#include <stdlib.h>
#include <string.h>
#include <vfs/text.h>

/* The own inode that a call means, with a reference; NULL: there is none (any more). */
static struct inode *own_inode(const struct shard_request *r, const struct far_node *file)
{
	return vfs_own_inode(r->arg, file->sb, file->ino);
}

/* The inode of another core that we have; without a reference. */
static struct inode *known_inode(const struct shard_request *r, u64 sb, u64 ino)
{
	const struct vfs *vfs = r->arg;
	const struct far_part *part = far_part_find(vfs, sb);
	struct far_known *known = part ? far_known_find(part, ino) : NULL;

	if (!known || far_home_of(ino) != r->core || far_home_of(ino) == vfs->far->core)
		return NULL;
	return &container_of(known, struct far_inode, known)->inode;
}

/* The name of @len bytes behind arguments of @size; NULL: it is none. */
static const char *name_behind(const struct shard_request *r, u32 size, u32 at, u32 len)
{
	const char *name = (const char *)r->args + size + at;

	if (!len || len > VFS_NAME_MAX || r->bytes < size + at || r->bytes - size - at < len)
		return NULL;
	if (memchr(name, 0, len) || memchr(name, '/', len) || (len == 1 && *name == '.'))
		return NULL;
	return len == 2 && !memcmp(name, "..", 2) ? NULL : name;
}

/* --- Attributes --- */

static int answer_attr(struct shard_request *r, struct inode *inode)
{
	struct far_attr *attr = shard_answer(r, sizeof(*attr));

	if (!attr)
		return -ENOMEM;
	far_share_attr(inode, attr);
	return 0;
}

static s64 serve_attr(struct shard_request *r)
{
	const struct far_node *file = shard_args(r, sizeof(*file));
	struct inode *inode = file ? own_inode(r, file) : NULL;
	s64 err;

	if (!inode)
		return file ? -ESTALE : -EBADMSG;
	err = far_share_give(inode, r->core);
	if (!err) {
		err = answer_attr(r, inode);
		if (err)
			far_share_drop(far_share_find(inode), r->core, 1);
	}
	inode_put(inode);
	return err;
}

static s64 serve_stat(struct shard_request *r)
{
	const struct far_node *file = shard_args(r, sizeof(*file));
	struct inode *inode = file ? own_inode(r, file) : NULL;
	s64 err;

	if (!inode)
		return file ? -ESTALE : -EBADMSG;
	err = answer_attr(r, inode);
	inode_put(inode);
	return err;
}

static s64 serve_drop(struct shard_request *r)
{
	const struct far_drop *drop = shard_args(r, sizeof(*drop));
	struct inode *inode = drop ? own_inode(r, &drop->file) : NULL;

	if (!inode)
		return drop ? -ESTALE : -EBADMSG;
	if (inode->shared)
		far_share_drop(far_share_find(inode), r->core, drop->count);
	inode_put(inode);
	return 0;
}

static s64 serve_readlink(struct shard_request *r)
{
	const struct far_node *file = shard_args(r, sizeof(*file));
	struct inode *inode = file ? own_inode(r, file) : NULL;
	struct text target = {0};
	s64 err = -EINVAL;
	char *answer;

	if (!inode)
		return file ? -ESTALE : -EBADMSG;
	if (inode->ops->readlink)
		err = inode->ops->readlink(NULL, inode, &target);
	if (!err)
		err = text_error(&target);
	if (!err) {
		answer = shard_answer(r, (u32)target.len);
		if (answer)
			memcpy(answer, target.at, target.len);
		else
			err = -ENOMEM;
	}
	text_free(&target);
	inode_put(inode);
	return err;
}

static struct vfs_time time_of(const struct far_time *time)
{
	return (struct vfs_time){time->sec, time->nsec};
}

static s64 serve_set_attr(struct shard_request *r)
{
	const struct far_set_attr *a = shard_args(r, sizeof(*a));
	struct inode *inode = a ? own_inode(r, &a->file) : NULL;
	struct attr attr;
	s64 err;

	if (!inode)
		return a ? -ESTALE : -EBADMSG;
	attr = (struct attr){.valid = a->valid,
			     .mode = a->mode & 07777,
			     .uid = a->uid,
			     .gid = a->gid,
			     .size = a->size,
			     .atime = time_of(&a->atime),
			     .mtime = time_of(&a->mtime),
			     .ctime = time_of(&a->ctime)};
	if (a->valid & ATTR_SIZE && (!inode_is(inode, S_IFREG) || a->size > INT64_MAX))
		err = -EINVAL;
	else if (a->valid & ATTR_SIZE && inode->writers < 0 && far_use(inode, 1))
		err = -ETXTBSY;
	else
		err = inode->ops->set_attr(NULL, inode, &attr);
	if (!err)
		err = answer_attr(r, inode);
	inode_put(inode);
	return err;
}

static s64 serve_nlink(struct shard_request *r)
{
	const struct far_nlink *a = shard_args(r, sizeof(*a));
	struct inode *inode = a ? own_inode(r, &a->file) : NULL;
	s64 err;

	if (!inode)
		return a ? -ESTALE : -EBADMSG;
	err = far_count_own_link(inode, a->delta, a->flags, a->parent);
	inode_put(inode);
	return err;
}

/* --- Directories --- */

/* The directory of a call about @name, which follows @size bytes of arguments. */
static int find_dir(const struct shard_request *r, const struct far_node *file, struct inode **dir)
{
	*dir = own_inode(r, file);
	if (!*dir)
		return -ESTALE;
	if (inode_is(*dir, S_IFDIR) && far_share_of(*dir))
		return 0;
	inode_put(*dir);
	return inode_is(*dir, S_IFDIR) ? -ENOMEM : -ENOTDIR;
}

/* Tell what @name is, if anything; and remember who asked. */
static s64 look_up(struct shard_request *r, struct inode *dir, const char *name, u32 len)
{
	struct far_found *found = shard_answer(r, sizeof(*found));
	struct far_share *share = far_share_find(dir);
	struct inode *inode = tmpfs_dir_find(dir, name, len);

	if (!found)
		return -ENOMEM;
	*found = (struct far_found){0};
	if (inode && inode->far) {
		found->attr.ino = inode->ino;
		found->attr.mode = inode->mode;
	} else if (inode) {
		if (far_share_give(inode, r->core))
			return -ENOMEM;
		far_share_attr(inode, &found->attr);
		found->flags |= FAR_GIVEN;
	}
	if (dir->sb->stable_dir_cache && !share->busy && share->nleases < FAR_LEASES_MAX &&
	    !far_lease_add(share, far_name_hash(name, len), r->core))
		found->flags |= FAR_LEASED;
	return inode ? 0 : -ENOENT;
}

static s64 serve_lookup(struct shard_request *r)
{
	const struct far_name *a = shard_args(r, sizeof(*a));
	const char *name = a ? name_behind(r, sizeof(*a), 0, a->len) : NULL;
	struct inode *dir;
	s64 err;

	if (!name)
		return -EBADMSG;
	err = find_dir(r, &a->dir, &dir);
	if (err)
		return err;
	err = look_up(r, dir, name, a->len);
	inode_put(dir);
	return err;
}

/* Names on their way into an answer. */
struct names {
	struct dir_context ctx;
	char *at;
	u32 bytes, room;
};

static bool put_name(struct dir_context *ctx, const char *name, u32 len, u64 ino, u32 type,
		     u64 next)
{
	struct names *n = container_of(ctx, struct names, ctx);
	struct far_dirent e = {.ino = ino, .next = next, .type = type, .len = len};

	if (n->room - n->bytes < sizeof(e) + len)
		return false;
	memcpy(n->at + n->bytes, &e, sizeof(e));
	memcpy(n->at + n->bytes + sizeof(e), name, len);
	n->bytes += (u32)sizeof(e) + len;
	return true;
}

static s64 serve_readdir(struct shard_request *r)
{
	const struct far_io *a = shard_args(r, sizeof(*a));
	struct names names = {.ctx.emit = put_name, .room = r->room};
	struct inode *dir = a ? own_inode(r, &a->file) : NULL;
	struct file file = {.inode = dir};
	s64 err;

	if (!dir)
		return a ? -ESTALE : -EBADMSG;
	if (!inode_is(dir, S_IFDIR))
		err = -ENOTDIR;
	else if (!dir->nlink)
		err = -ENOENT;
	else
		err = (names.at = shard_answer(r, r->room)) ? 0 : -ENOMEM;
	if (!err) {
		names.ctx.pos = (u64)a->pos;
		err = tmpfs_dir_ops.readdir(NULL, &file, &names.ctx);
		shard_answer(r, names.bytes);
	}
	inode_put(dir);
	return err;
}

/* The inode that is to get a name, with a reference; -ENOMEM: nothing was taken. */
static int linked_inode(const struct shard_request *r, const struct far_link *a, struct inode **out)
{
	struct far_part *part = far_part_find(r->arg, a->dir.sb);

	if (far_home_of(a->attr.ino) != r->core)
		return far_inode_by_number(part, a->attr.ino, out);
	if (!far_attr_is_sane(&a->attr, r->core))
		return -EBADMSG;
	return far_inode_of(part, &a->attr, true, out);
}

static s64 serve_link(struct shard_request *r)
{
	const struct far_link *a = shard_args(r, sizeof(*a));
	const char *name = a ? name_behind(r, sizeof(*a), 0, a->len) : NULL;
	struct inode *dir, *inode;
	s64 err;

	if (!name)
		return -EBADMSG;
	err = find_dir(r, &a->dir, &dir);
	if (err) { /* what was given cannot be taken */
		if (err != -ENOMEM && far_home_of(a->attr.ino) == r->core)
			err = err == -ESTALE ? -EBADMSG : -ENOMEM;
		return err;
	}
	err = linked_inode(r, a, &inode);
	if (!err) {
		err = far_home_enter(dir, name, a->len, inode, r->core);
		if (err == -ENOMEM)
			err = -ENOBUFS;
		inode_put(inode);
	}
	inode_put(dir);
	return err;
}

static s64 serve_unlink(struct shard_request *r)
{
	const struct far_unlink *a = shard_args(r, sizeof(*a));
	const char *name = a ? name_behind(r, sizeof(*a), 0, a->len) : NULL;
	struct inode *dir;
	s64 err;

	if (!name)
		return -EBADMSG;
	err = find_dir(r, &a->dir, &dir);
	if (err)
		return err;
	err = far_home_unlink(dir, name, a->len, a->ino, r->core, a->flags);
	inode_put(dir);
	return err;
}

/* --- Renames --- */

/* What @name is in the own @dir, if its number is @ino (0: nothing). With a reference. */
static int named_inode(struct inode *dir, const char *name, u32 len, u64 ino, struct inode **out)
{
	struct inode *inode = tmpfs_dir_find(dir, name, len);

	if (inode ? inode->ino != ino : ino != 0)
		return -ENOENT;
	*out = inode ? inode_get(inode) : NULL;
	return 0;
}

static void put_if(struct inode *inode)
{
	if (inode)
		inode_put(inode);
}

static s64 rename_found(struct shard_request *r, const struct far_rename *a,
			struct rename_args *args)
{
	struct far_part *part = args->olddir->sb->part;
	s64 err = named_inode(args->olddir, args->oldname, a->oldlen, a->old, &args->old);

	if (!err && !args->old)
		err = -ENOENT;
	if (!err)
		err = far_inode_by_number(part, a->newdir, &args->newdir);
	if (!err && !inode_is(args->newdir, S_IFDIR))
		err = -ENOTDIR;
	if (!err && !args->newdir->far)
		err = named_inode(args->newdir, args->newname, a->newlen, a->replaced,
				  &args->replaced);
	else if (!err && a->replaced)
		err = far_inode_by_number(part, a->replaced, &args->replaced);
	if (!err && args->exchange && !args->replaced)
		err = -ENOENT;
	if (!err)
		err = far_home_rename(args, r->core);
	put_if(args->replaced);
	put_if(args->newdir);
	put_if(args->old);
	return err;
}

static s64 serve_rename(struct shard_request *r)
{
	const struct far_rename *a = shard_args(r, sizeof(*a));
	struct new_node whiteout = {.mode = S_IFCHR};
	struct rename_args args = {0};
	s64 err;

	if (!a)
		return -EBADMSG;
	whiteout.uid = a->uid;
	whiteout.gid = a->gid;
	if (a->flags & FAR_WHITEOUT)
		args.whiteout = &whiteout;
	args.oldname = name_behind(r, sizeof(*a), 0, a->oldlen);
	args.newname = args.oldname ? name_behind(r, sizeof(*a), a->oldlen, a->newlen) : NULL;
	if (!args.newname)
		return -EBADMSG;
	args.oldlen = a->oldlen;
	args.newlen = a->newlen;
	args.exchange = a->flags & FAR_EXCHANGE;
	err = find_dir(r, &a->olddir, &args.olddir);
	if (err)
		return err;
	err = rename_found(r, a, &args);
	inode_put(args.olddir);
	return err;
}

static s64 serve_enter(struct shard_request *r)
{
	const struct far_enter *a = shard_args(r, sizeof(*a));
	struct rename_args args = {0};
	s64 err;

	if (!a)
		return -EBADMSG;
	args.newname = name_behind(r, sizeof(*a), 0, a->len);
	if (!args.newname)
		return -EBADMSG;
	args.newlen = a->len;
	args.exchange = a->flags & FAR_EXCHANGE;
	err = find_dir(r, &a->dir, &args.newdir);
	if (err)
		return err;
	err = named_inode(args.newdir, args.newname, a->len, a->replaced, &args.replaced);
	if (!err)
		err = far_inode_by_number(args.newdir->sb->part, a->ino, &args.old);
	if (!err)
		err = far_home_rename_in(&args);
	put_if(args.old);
	put_if(args.replaced);
	inode_put(args.newdir);
	return err;
}

static struct far_part *home_part(const struct shard_request *r)
{
	const struct vfs *vfs = r->arg;
	const u64 *id = shard_args(r, sizeof(*id));
	struct far_part *part = id ? far_part_find(vfs, *id) : NULL;

	return part && part->home == vfs->far->core ? part : NULL;
}

static s64 serve_rename_lock(struct shard_request *r)
{
	struct far_part *part = home_part(r);

	if (!part)
		return -ESTALE;
	while (part->rename_busy && !r->cancelled)
		fiber_wait(((struct vfs *)r->arg)->loop, &part->renamers, FIBER_FOREVER);
	if (r->cancelled)
		return -EINTR;
	part->rename_busy = true;
	part->rename_core = r->core;
	return 0;
}

static s64 serve_rename_end(struct shard_request *r)
{
	struct far_part *part = home_part(r);

	if (!part || !part->rename_busy || part->rename_core != r->core)
		return -ESTALE;
	part->rename_busy = false;
	fiber_wake_one(&part->renamers);
	return 0;
}

/* --- What others tell of theirs --- */

static s64 serve_attrs(struct shard_request *r)
{
	const struct far_attrs *a = shard_args(r, sizeof(*a));
	struct inode *inode = a ? known_inode(r, a->sb, a->attr.ino) : NULL;

	if (!inode)
		return a ? 0 : -EBADMSG;
	if (!far_attr_is_sane(&a->attr, r->core))
		return -EBADMSG;
	far_attr_apply(inode, &a->attr);
	return 0;
}

static s64 serve_recall(struct shard_request *r)
{
	const struct far_name *a = shard_args(r, sizeof(*a));
	const char *name = a && a->len ? name_behind(r, sizeof(*a), 0, a->len) : NULL;
	struct inode *dir = a ? known_inode(r, a->dir.sb, a->dir.ino) : NULL;

	if (!a || (a->len && !name))
		return -EBADMSG;
	if (!dir)
		return 0;
	far_inode(dir)->recalls++;
	if (!dir->folder)
		return 0;
	if (name)
		return dentry_recall(dir->folder, name, a->len);
	dentry_recall_all(dir->folder);
	return 0;
}

static s64 serve_gone(struct shard_request *r)
{
	const struct far_name *a = shard_args(r, sizeof(*a));
	const char *name = a ? name_behind(r, sizeof(*a), 0, a->len) : NULL;
	struct inode *dir = name ? known_inode(r, a->dir.sb, a->dir.ino) : NULL;

	if (!name)
		return -EBADMSG;
	if (dir)
		far_dentry_gone(dir, name, a->len, false);
	return 0;
}

static s64 serve_moved(struct shard_request *r)
{
	const struct far_moved *a = shard_args(r, sizeof(*a));
	struct inode *olddir = a ? known_inode(r, a->olddir.sb, a->olddir.ino) : NULL;
	struct inode *newdir = NULL;

	if (!a || !name_behind(r, sizeof(*a), 0, a->oldlen) ||
	    !name_behind(r, sizeof(*a), a->oldlen, a->newlen))
		return -EBADMSG;
	if (!olddir)
		return 0;
	/* Without asking: where the new directory is not known, nothing is cached of it. */
	if (!far_inode_of(olddir->sb->part, &(struct far_attr){.ino = a->newdir}, false, &newdir))
		far_dentry_moved(a, olddir, newdir, (const char *)(a + 1));
	else
		far_dentry_moved(a, olddir, NULL, (const char *)(a + 1));
	put_if(newdir);
	return 0;
}

int far_serve(struct vfs *vfs)
{
	static const struct {
		u16 op;
		shard_handler *handler;
	} all[] = {
		{FAR_ATTR, serve_attr},
		{FAR_STAT, serve_stat},
		{FAR_DROP, serve_drop},
		{FAR_READLINK, serve_readlink},
		{FAR_SET_ATTR, serve_set_attr},
		{FAR_NLINK, serve_nlink},
		{FAR_LOOKUP, serve_lookup},
		{FAR_READDIR, serve_readdir},
		{FAR_LINK, serve_link},
		{FAR_UNLINK, serve_unlink},
		{FAR_RENAME, serve_rename},
		{FAR_ENTER, serve_enter},
		{FAR_BELOW, far_serve_below},
		{FAR_RENAME_LOCK, serve_rename_lock},
		{FAR_RENAME_END, serve_rename_end},
		{FAR_ATTRS, serve_attrs},
		{FAR_RECALL, serve_recall},
		{FAR_GONE, serve_gone},
		{FAR_MOVED, serve_moved},
		{FAR_PAGE, far_serve_page},
		{FAR_PAGES_RECALL, far_serve_page_recall},
		{FAR_USE, far_serve_use},
		{FAR_XATTR, far_serve_xattr},
		{FAR_SET_FLAGS, far_serve_flags},
		{FAR_STATFS, far_serve_statfs},
		{FAR_UNUSED, far_serve_unused},
	};
	int err = far_serve_data(vfs);

	if (!err)
		err = far_serve_locks(vfs);

	for (u32 i = 0; i < ARRAY_SIZE(all) && !err; i++)
		err = shard_serve(vfs->far->net, all[i].op, all[i].handler, vfs);
	return err;
}
