/*
 * Far directories: names are looked up, made and taken away at the directory's home; what is made
 * lives here.
 *
 * A looked up name is believed until the home recalls it. The recall may overtake the answer's
 * fiber here: dir->recalls tells that one came while we waited.
 *
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define TRIES      16u /* of a lookup that finds what is gone the next moment */
#define BATCH_SIZE (32 * KiB)

/* Call @op of @dir's home with @args and the name behind it. */
static s64 ask_name(struct inode *dir, u16 op, const void *args, u32 bytes, const char *name,
		    u32 len, void *answer, u32 room, u32 *got)
{
	const struct shard_in in[] = {{args, bytes}, {name, len}};
	const struct shard_out out = {answer, room};
	struct shard_parts parts = {.in = in, .nin = 2, .out = &out, .nout = answer ? 1 : 0};
	s64 result = shard_call_parts(far_net(dir), far_home_of(dir->ino), op, &parts);

	if (got)
		*got = parts.got;
	if (op != FAR_LOOKUP)
		far_names_changed(dir);
	return result;
}

/* --- Looking up --- */

/* Ask what @name is: 0 or -ENOENT; FAR_LEASED in @found->flags. */
static int ask(struct inode *dir, const char *name, u32 len, struct far_found *found)
{
	struct far_name args = {.dir = far_node_of(dir), .len = len};
	u32 got = 0;
	s64 err = ask_name(dir, FAR_LOOKUP, &args, sizeof(args), name, len, found, sizeof(*found),
			   &got);

	if ((!err || err == -ENOENT) && got < sizeof(*found))
		return -EIO;
	if (!err && !(found->flags & FAR_GIVEN))
		return 0;
	if (!err && !far_attr_is_sane(&found->attr, far_home_of(dir->ino)))
		return -EIO;
	return far_error(err);
}

/* The inode that was found; -ESTALE: it is gone meanwhile. */
static int take_found(struct inode *dir, const struct far_found *found, struct inode **out)
{
	struct far_part *part = dir->sb->part;
	int err;

	if (!(found->flags & FAR_GIVEN)) {
		err = far_inode_by_number(part, found->attr.ino, out);
		/* What is lost with its core can be taken away still. */
		return err == -EIO ? far_inode_lost(part, &found->attr, out) : err;
	}
	err = far_inode_of(part, &found->attr, true, out);
	if (err)
		far_give_back(part, found->attr.ino);
	return err;
}

static int lookup(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		  struct inode **out)
{
	struct far_inode *f = far_inode(dir);
	struct far_found found;
	u32 recalls;
	int err = -ESTALE;

	(void)t;
	for (u32 i = 0; i < TRIES && err == -ESTALE; i++) {
		recalls = f->recalls;
		err = ask(dir, name, len, &found);
		if (!err)
			err = take_found(dir, &found, out);
	}
	if (err == -ESTALE && !dir->nlink)
		return -ENOENT;
	if (err && err != -ENOENT)
		return err;
	if (err)
		*out = NULL;
	return found.flags & FAR_LEASED && f->recalls == recalls ? err : LOOKUP_UNSURE;
}

static bool recheck(struct vfs_task *t, struct inode *dir, struct dentry *dentry)
{
	struct far_found found;
	int err;

	(void)t;
	dentry->check &= (u8)~DENTRY_ASK_DIR; /* a recall that comes meanwhile sets it again */
	err = ask(dir, dentry->name, dentry->len, &found);
	if (err && err != -ENOENT)
		return false;
	if (!err && found.flags & FAR_GIVEN)
		far_give_back(dir->sb->part, found.attr.ino);
	if (!(found.flags & FAR_LEASED))
		dentry->check |= DENTRY_ASK_DIR;
	if (err)
		return !dentry->inode;
	return dentry->inode && dentry->inode->ino == found.attr.ino;
}

/* --- Making --- */

/* Give the own @inode the name: the home of @dir counts itself in. */
static int link_own(struct inode *dir, const char *name, u32 len, struct inode *inode, u32 flags)
{
	struct far_link args = {.dir = far_node_of(dir), .len = len, .flags = flags};
	u32 home = far_home_of(dir->ino);
	s64 err = far_share_give(inode, home);

	if (err)
		return (int)err;
	far_share_attr(inode, &args.attr);
	err = ask_name(dir, FAR_LINK, &args, sizeof(args), name, len, NULL, 0, NULL);
	if (err == -ENOMEM || err == -EBADMSG) /* nothing was taken there */
		far_share_drop(far_share_find(inode), home, 1);
	return far_error(err == -ENOBUFS ? -ENOMEM : err);
}

static int make(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		const struct new_node *node, struct inode **out)
{
	struct inode *inode;
	int err = tmpfs_make_inode(dir->sb, node, &inode);

	(void)t;
	if (err)
		return err;
	if (inode_is(inode, S_IFDIR)) {
		inode->nlink = 2;
		tmpfs_dir_set_parent(inode, dir);
	}
	err = link_own(dir, name, len, inode, FAR_NEW);
	if (!err) {
		*out = inode;
		return 0;
	}
	inode->nlink = 0;
	inode_put(inode);
	return err;
}

static int make_nameless(struct vfs_task *t, struct inode *dir, const struct new_node *node,
			 struct inode **out)
{
	return tmpfs_make_nameless(t, dir, node, out);
}

/* A link is counted first: an inode without any cannot get one again. */
static int link_name(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		     struct inode *inode)
{
	struct far_link args = {.dir = far_node_of(dir), .len = len, .attr.ino = inode->ino};
	s64 err = far_count_link(inode, 1, 0, NULL);

	(void)t;
	if (err)
		return (int)err;
	if (!inode->far) {
		err = link_own(dir, name, len, inode, 0);
	} else {
		args.attr.mode = inode->mode;
		err = far_error(
			ask_name(dir, FAR_LINK, &args, sizeof(args), name, len, NULL, 0, NULL));
	}
	if (err)
		far_count_link(inode, -1, 0, NULL);
	return err == -ENOBUFS ? -ENOMEM : (int)err;
}

/* --- Taking away --- */

static int ask_unlink(struct inode *dir, const char *name, u32 len, struct inode *inode, u32 flags)
{
	struct far_unlink args = {
		.dir = far_node_of(dir), .ino = inode->ino, .len = len, .flags = flags};

	return far_error(ask_name(dir, FAR_UNLINK, &args, sizeof(args), name, len, NULL, 0, NULL));
}

static int unlink_name(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		       struct inode *inode)
{
	int err = ask_unlink(dir, name, len, inode, inode->far ? 0 : FAR_DONE);

	(void)t;
	if (!err && !inode->far)
		far_count_link(inode, -1, 0, NULL);
	return err;
}

static int remove_dir(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		      struct inode *inode)
{
	bool own = !inode->far;
	int err = own ? far_count_link(inode, 0, FAR_REMOVE, NULL) : 0;

	(void)t;
	if (err)
		return err;
	err = ask_unlink(dir, name, len, inode, FAR_DIRECTORY | (own ? FAR_DONE : 0));
	if (err && own)
		far_count_link(inode, 0, FAR_REVIVE, NULL);
	else if (!err && !own)
		inode->nlink = 0;
	return err;
}

const struct inode_ops far_dir_inode_ops = {
	.lookup = lookup,
	.recheck = recheck,
	.make = make,
	.link = link_name,
	.unlink = unlink_name,
	.rmdir = remove_dir,
	.rename = far_rename,
	.tmpfile = make_nameless,
	.refresh = far_refresh,
	.set_attr = far_set_attr,
	.evict = far_evict,
};

/* --- getdents --- */

/* Offer the names in @bytes of an answer. 1: all were taken, 0: there was no room for more. */
static int give_batch(struct dir_context *ctx, const char *at, u32 bytes)
{
	struct far_dirent e;

	while (bytes) {
		if (bytes < sizeof(e))
			return -EIO;
		memcpy(&e, at, sizeof(e));
		if (e.len > VFS_NAME_MAX || e.len > bytes - sizeof(e))
			return -EIO;
		if (!dir_emit(ctx, at + sizeof(e), e.len, e.ino, e.type, e.next))
			return 0;
		at += sizeof(e) + e.len;
		bytes -= (u32)sizeof(e) + e.len;
	}
	return 1;
}

static int give_names(struct vfs_task *t, struct file *file, struct dir_context *ctx)
{
	struct far_io args = {.file = far_node_of(file->inode)};
	char *batch = malloc(BATCH_SIZE);
	s64 err = 1;
	u32 got;

	(void)t;
	if (!batch)
		return -ENOMEM;
	while (err == 1) {
		args.pos = (s64)ctx->pos;
		got = 0;
		err = far_node_ask(file->inode, FAR_READDIR, &args, sizeof(args), batch, BATCH_SIZE,
				   &got);
		if (!err && got)
			err = give_batch(ctx, batch, got);
	}
	free(batch);
	return far_error(err);
}

static s64 seek(struct vfs_task *t, struct file *file, s64 offset, u32 whence)
{
	(void)t;
	return whence > SEEK_CUR ? -EINVAL : file_seek_fixed(file, offset, whence, 0);
}

const struct file_ops far_dir_ops = {.readdir = give_names, .seek = seek, .fsync = fsync_nothing};
