/*
 * Far inodes: each stands here for an inode of another core, as long as something here refers to
 * it; there is one for each number (its part's table). Its home counts how often it was given to
 * us, and is told when we let it go, so that a giving under way is not missed:
 *
 *   home: gives (given++)  ->  here: received++  ...  last reference gone: FAR_DROP received
 *
 * Attributes that a walk needs (mode, owners, flags, links) are kept true by the home (FAR_ATTRS);
 * size and times are asked for when somebody wants them.
 *
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"

#include <stdlib.h>
#include <vfs/text.h>

u32 inode_home(const struct inode *inode)
{
	return inode->far ? far_home_of(inode->ino) : UINT32_MAX;
}

/* --- Attributes --- */

static struct vfs_time time_of(const struct far_time *time)
{
	return (struct vfs_time){time->sec, time->nsec};
}

bool far_attr_is_sane(const struct far_attr *attr, u32 home)
{
	u32 type = attr->mode & S_IFMT;

	return far_home_of(attr->ino) == home && !(attr->mode >> 16) &&
	       (type == S_IFREG || type == S_IFDIR || type == S_IFLNK || type == S_IFCHR ||
		type == S_IFBLK || type == S_IFIFO || type == S_IFSOCK);
}

/* Answers overtake each other, and what the home tells: the version says what is newer. */
void far_attr_apply(struct inode *inode, const struct far_attr *attr)
{
	struct far_inode *f = far_inode(inode);

	if ((inode->mode ^ attr->mode) & S_IFMT)
		return; /* nonsense: a file's type does not change */
	inode->size = attr->size;
	inode->blocks = attr->blocks;
	inode->atime = time_of(&attr->atime);
	inode->mtime = time_of(&attr->mtime);
	inode->ctime = time_of(&attr->ctime);
	inode->btime = time_of(&attr->btime);
	if ((s32)(attr->version - f->version) < 0)
		return;
	f->version = attr->version;
	inode->mode = attr->mode;
	inode->nlink = attr->nlink;
	inode->uid = attr->uid;
	inode->gid = attr->gid;
	inode->rdev = attr->rdev;
	inode->flags = attr->flags;
	inode->seals = attr->seals;
	inode->linkable = attr->bits & FAR_LINKABLE;
	f->has_xattrs = attr->bits & FAR_HAS_XATTRS;
}

static const struct inode_ops *ops_of(u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return &far_file_inode_ops;
	case S_IFDIR:
		return &far_dir_inode_ops;
	case S_IFLNK:
		return &far_link_inode_ops;
	default:
		return &far_special_inode_ops;
	}
}

/* --- Finding and making --- */

static int far_new(struct far_part *part, const struct far_attr *attr, struct inode **out)
{
	struct inode *inode =
		inode_new(part->sb, ops_of(attr->mode), attr->mode, sizeof(struct far_inode));
	struct far_inode *f;

	if (!inode)
		return -ENOMEM;
	f = far_inode(inode);
	inode->ino = f->known.ino = attr->ino;
	inode->far = true;
	if (inode_is(inode, S_IFREG))
		inode->fops = &far_file_ops;
	else if (inode_is(inode, S_IFDIR))
		inode->fops = &far_dir_ops;
	else if (inode_is(inode, S_IFIFO))
		inode->fops = &far_fifo_ops;
	f->version = attr->version;
	far_attr_apply(inode, attr);
	if (far_known_add(part, &f->known)) {
		inode_free(inode);
		return -ENOMEM;
	}
	*out = inode;
	return 0;
}

/* Our own inode @ino, which others know. */
static int own_inode(struct far_part *part, u64 ino, struct inode **out)
{
	struct far_known *known = far_known_find(part, ino);

	if (!known && ino == part->sb->root->inode->ino)
		*out = inode_get(part->sb->root->inode);
	else if (!known)
		return -ESTALE;
	else
		*out = inode_get(container_of(known, struct far_share, known)->inode);
	return 0;
}

struct inode *vfs_own_inode(struct vfs *vfs, u64 sb, u64 ino)
{
	struct far_part *part = far_part_find(vfs, sb);
	struct inode *inode;

	if (!part || !part->sb || part->local || far_home_of(ino) != vfs->far->core)
		return NULL;
	return own_inode(part, ino, &inode) ? NULL : inode;
}

int far_inode_of(struct far_part *part, const struct far_attr *attr, bool given, struct inode **out)
{
	struct far_known *known;
	int err;

	if (far_home_of(attr->ino) == part->sb->vfs->far->core)
		return own_inode(part, attr->ino, out);
	known = far_known_find(part, attr->ino);
	if (known) {
		*out = inode_get(&container_of(known, struct far_inode, known)->inode);
		if (given)
			far_attr_apply(*out, attr);
	} else if (!given) {
		return -ENOENT;
	} else {
		err = far_new(part, attr, out);
		if (err)
			return err;
	}
	if (given)
		far_inode(*out)->received++;
	return 0;
}

void far_give_back(struct far_part *part, u64 ino)
{
	struct far_drop drop = {{part->id, ino}, 1};

	shard_tell(part->sb->vfs->far->net, far_home_of(ino), FAR_DROP, &drop, sizeof(drop));
}

int far_inode_lost(struct far_part *part, const struct far_attr *attr, struct inode **out)
{
	u32 home = far_home_of(attr->ino);

	if (shard_lives(part->sb->vfs->far->net, home) || !far_attr_is_sane(attr, home))
		return -EIO;
	return far_new(part, attr, out);
}

int far_inode_by_number(struct far_part *part, u64 ino, struct inode **out)
{
	struct far_node file = {part->id, ino};
	struct far_attr attr = {.ino = ino};
	u32 got = 0;
	s64 err = far_inode_of(part, &attr, false, out);

	if (err != -ENOENT)
		return (int)err;
	err = shard_call(part->sb->vfs->far->net, far_home_of(ino), FAR_ATTR, &file, sizeof(file),
			 &attr, sizeof(attr), &got);
	if (err)
		return far_error(err);
	if (got < sizeof(attr) || attr.ino != ino || !far_attr_is_sane(&attr, far_home_of(ino)))
		return -EIO;
	err = far_inode_of(part, &attr, true, out);
	if (err)
		far_give_back(part, ino);
	return (int)err;
}

void far_evict(struct inode *inode)
{
	struct far_inode *f = far_inode(inode);
	struct far_drop drop = {far_node_of(inode), f->received};

	far_known_remove(inode->sb->part, &f->known);
	far_pages_drop(inode, 0, PAGE_MAP_MAX - 1);
	far_use_end(inode);
	if (f->received)
		shard_tell(far_net(inode), far_home_of(inode->ino), FAR_DROP, &drop, sizeof(drop));
	free(f->target);
	inode_free(inode);
}

/* --- Operations of all types --- */

s64 far_node_ask(const struct inode *inode, u16 op, const void *args, u32 bytes, void *answer,
		 u32 room, u32 *got)
{
	return shard_call(far_net(inode), far_home_of(inode->ino), op, args, bytes, answer, room,
			  got);
}

static int take_attr(struct inode *inode, s64 err, const struct far_attr *attr, u32 got)
{
	if (err)
		return far_error(err);
	if (got < sizeof(*attr) || attr->ino != inode->ino)
		return -EIO;
	far_attr_apply(inode, attr);
	return 0;
}

int far_refresh(struct vfs_task *t, struct inode *inode)
{
	struct far_node file = far_node_of(inode);
	struct far_attr attr;
	u32 got = 0;
	s64 err = far_node_ask(inode, FAR_STAT, &file, sizeof(file), &attr, sizeof(attr), &got);

	(void)t;
	return take_attr(inode, err, &attr, got);
}

static struct far_time far_time(struct vfs_time time)
{
	return (struct far_time){time.sec, time.nsec, 0};
}

int far_set_attr(struct vfs_task *t, struct inode *inode, const struct attr *a)
{
	struct far_set_attr args = {
		.file = far_node_of(inode),
		.valid = a->valid,
		.mode = a->mode,
		.uid = a->uid,
		.gid = a->gid,
		.size = a->size,
		.atime = far_time(a->atime),
		.mtime = far_time(a->mtime),
		.ctime = far_time(a->ctime),
	};
	struct far_attr attr;
	u32 got = 0;
	s64 err = far_node_ask(inode, FAR_SET_ATTR, &args, sizeof(args), &attr, sizeof(attr), &got);

	(void)t;
	return take_attr(inode, err, &attr, got);
}

/* A link's target does not change: it is asked for once. */
static int far_readlink(struct vfs_task *t, struct inode *inode, struct text *out)
{
	struct far_inode *f = far_inode(inode);
	struct far_node file = far_node_of(inode);
	char *target;
	u32 got = 0;
	s64 err = 0;

	(void)t;
	if (!f->target) {
		target = malloc(VFS_PATH_MAX);
		if (!target)
			return -ENOMEM;
		err = far_node_ask(inode, FAR_READLINK, &file, sizeof(file), target, VFS_PATH_MAX,
				   &got);
		if (!err && !f->target) {
			f->target = target;
			f->target_len = got;
		} else {
			free(target);
		}
	}
	if (!err)
		text_put(out, f->target, f->target_len);
	return far_error(err);
}

const struct inode_ops far_link_inode_ops = {.readlink = far_readlink,
					     .refresh = far_refresh,
					     .set_attr = far_set_attr,
					     .evict = far_evict};
const struct inode_ops far_special_inode_ops = {
	.refresh = far_refresh, .set_attr = far_set_attr, .evict = far_evict};
