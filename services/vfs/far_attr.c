/*
 * What few ask for of far files and file systems: extended attributes, flags, room. Nothing of it
 * is kept here but whether a file has extended attributes at all, which exec wants to know.
 *
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"
#include "xattr.h"

#include <string.h>

/* --- Here --- */

s64 far_xattr(const struct inode *inode, u32 what, u32 flags, const char *name, void *value,
	      size_t size)
{
	bool set = what == FAR_XATTR_SET;
	u32 bytes = (u32)MIN(size, SHARD_BYTES_MAX);
	struct far_xattr args = {.file = far_node_of(inode),
				 .what = what,
				 .flags = flags,
				 .name_len = (u32)strlen(name),
				 .size = bytes};
	const struct shard_in in[] = {
		{&args, sizeof(args)}, {name, args.name_len}, {value, set ? bytes : 0}};
	const struct shard_out out = {value, set ? 0 : bytes};
	struct shard_parts parts = {.in = in, .nin = 3, .out = &out, .nout = 1};

	if (!far_inode(inode)->has_xattrs && what == FAR_XATTR_GET)
		return -ENODATA;
	if (!far_inode(inode)->has_xattrs && what == FAR_XATTR_LIST)
		return 0;
	return far_error(
		shard_call_parts(far_net(inode), far_home_of(inode->ino), FAR_XATTR, &parts));
}

int far_set_flags(struct inode *inode, u32 flags)
{
	struct far_set_flags args = {.file = far_node_of(inode), .value = flags};

	return far_error(far_node_ask(inode, FAR_SET_FLAGS, &args, sizeof(args), NULL, 0, NULL));
}

int far_statfs(struct superblock *sb, struct vfs_statfs *st)
{
	const struct far_part *part = sb->part;
	struct far_statfs answer;
	u32 got = 0;
	s64 err = shard_call(sb->vfs->far->net, part->home, FAR_STATFS, &part->id, sizeof(part->id),
			     &answer, sizeof(answer), &got);

	if (err || got < sizeof(answer))
		return err ? far_error(err) : -EIO;
	st->blocks = answer.blocks;
	st->bfree = answer.bfree;
	st->bavail = answer.bavail;
	st->files = answer.files;
	st->ffree = answer.ffree;
	return 0;
}

/* --- At the home --- */

static s64 perform_xattr(struct shard_request *r, const struct far_xattr *a, struct inode *inode,
			 const char *name)
{
	const char *value = (const char *)(a + 1) + a->name_len;
	u32 room = MIN(a->size, r->room);
	char *answer = NULL;
	s64 n;

	if (a->what == FAR_XATTR_SET)
		return inode_xattr_set(inode, name, value, a->size, a->flags);
	if (a->what == FAR_XATTR_REMOVE)
		return inode_xattr_remove(inode, name);
	if (room) {
		answer = shard_answer(r, room);
		if (!answer)
			return -ENOMEM;
	}
	n = a->what == FAR_XATTR_GET ? inode_xattr(inode, name, answer, room)
				     : inode_xattr_list(inode, a->flags, answer, room);
	if (answer)
		shard_answer(r, n > 0 ? (u32)MIN(n, room) : 0);
	return n;
}

s64 far_serve_xattr(struct shard_request *r)
{
	const struct far_xattr *a = shard_args(r, sizeof(*a));
	char name[VFS_NAME_MAX + 1];
	struct inode *inode;
	u64 behind;
	s64 n;

	if (!a || a->name_len > VFS_NAME_MAX || a->what > FAR_XATTR_LIST)
		return -EBADMSG;
	behind = a->name_len + (a->what == FAR_XATTR_SET ? (u64)a->size : 0);
	if (r->bytes - sizeof(*a) < behind)
		return -EBADMSG;
	memcpy(name, a + 1, a->name_len);
	name[a->name_len] = 0;
	inode = vfs_own_inode(r->arg, a->file.sb, a->file.ino);
	if (!inode)
		return -ESTALE;
	n = perform_xattr(r, a, inode, name);
	inode_put(inode);
	return n;
}

s64 far_serve_flags(struct shard_request *r)
{
	const struct far_set_flags *a = shard_args(r, sizeof(*a));
	struct inode *inode = a ? vfs_own_inode(r->arg, a->file.sb, a->file.ino) : NULL;
	s64 err;

	if (!inode)
		return a ? -ESTALE : -EBADMSG;
	err = inode_set_flags(inode, a->value);
	inode_put(inode);
	return err;
}

s64 far_serve_statfs(struct shard_request *r)
{
	const struct vfs *vfs = r->arg;
	const u64 *id = shard_args(r, sizeof(*id));
	struct far_part *part = id ? far_part_find(vfs, *id) : NULL;
	struct far_statfs *answer;
	struct vfs_statfs st = {0};

	if (!part || part->home != vfs->far->core || !part->sb || !part->sb->ops->statfs)
		return -ESTALE;
	answer = shard_answer(r, sizeof(*answer));
	if (!answer)
		return -ENOMEM;
	part->sb->ops->statfs(part->sb, &st);
	*answer = (struct far_statfs){st.blocks, st.bfree, st.bavail, st.files, st.ffree};
	return 0;
}
