/*
 * What a proxy without a place in the tree is open on: attributes and pages, which the home is
 * asked for, and opening it once more (/proc/PID/fd).
 *
 * Runs in: the personality, host tests.
 */
#include "far_file_internal.h"

#include <stdlib.h>
#include <vfs/far.h>

static struct far_file *far_of(const struct inode *inode)
{
	return ((const struct far_inode *)inode)->far;
}

static struct file_time wire_time(struct vfs_time time)
{
	return (struct file_time){.sec = time.sec, .nsec = time.nsec};
}

static struct vfs_time time_of(struct file_time time)
{
	return (struct vfs_time){.sec = time.sec, .nsec = time.nsec};
}

void far_attr_of(const struct inode *inode, struct file_attr *attr)
{
	*attr = (struct file_attr){.ino = inode->ino,
				   .size = inode->size,
				   .blocks = inode->blocks,
				   .mode = inode->mode,
				   .nlink = inode->nlink,
				   .uid = inode->uid,
				   .gid = inode->gid,
				   .rdev = inode->rdev,
				   .seals = inode->seals,
				   .flags = inode->flags,
				   .atime = wire_time(inode->atime),
				   .mtime = wire_time(inode->mtime),
				   .ctime = wire_time(inode->ctime),
				   .btime = wire_time(inode->btime)};
}

static int refresh(struct vfs_task *t, struct inode *inode)
{
	struct far_file *far = far_of(inode);
	struct file_attr attr;
	struct far_call call = {.op = FILES_STAT, .out = &attr, .room = sizeof(attr)};
	s64 err;

	if (!far)
		return 0; /* closed: what was told last */
	err = far_ask(t, far, &call);
	if (err)
		return (int)err;
	if (call.got != sizeof(attr) || (attr.mode & S_IFMT) != (inode->mode & S_IFMT))
		return -EIO;
	inode->size = attr.size;
	inode->blocks = attr.blocks;
	inode->mode = attr.mode;
	inode->nlink = attr.nlink;
	inode->uid = attr.uid;
	inode->gid = attr.gid;
	inode->seals = attr.seals;
	inode->flags = attr.flags;
	inode->atime = time_of(attr.atime);
	inode->mtime = time_of(attr.mtime);
	inode->ctime = time_of(attr.ctime);
	inode->btime = time_of(attr.btime);
	return 0;
}

static int set_attr(struct vfs_task *t, struct inode *inode, const struct attr *attr)
{
	struct far_file *far = far_of(inode);
	struct file_attr wire = {.size = attr->size,
				 .mode = attr->mode,
				 .uid = attr->uid,
				 .gid = attr->gid,
				 .atime = wire_time(attr->atime),
				 .mtime = wire_time(attr->mtime),
				 .ctime = wire_time(attr->ctime)};
	struct far_call call = {.op = FILES_SET_ATTR,
				.ask.what = attr->valid,
				.data = &wire,
				.bytes = sizeof(wire)};
	s64 err = far ? far_ask(t, far, &call) : -EIO;

	return err ? (int)err : refresh(t, inode);
}

static int get_page(struct inode *inode, u64 index, bool make, struct page **out)
{
	const struct vfs *vfs = inode->sb->vfs;
	struct far_file *far = far_of(inode);
	u8 name[VFS_PAGE_NAME];
	struct far_call call = {.op = FILES_PAGE,
				.ask = {.pos = (s64)index, .what = make},
				.out = name,
				.room = sizeof(name)};
	s64 n;

	if (!far || !(far->traits & FILE_HAS_PAGES) || !vfs->env->page_borrow)
		return -ENODEV;
	n = far_ask(NULL, far, &call);
	*out = NULL;
	if (n <= 0)
		return (int)n;
	if (call.got != sizeof(name))
		return -EIO;
	return vfs->env->page_borrow(vfs->arg, name, out);
}

static void evict(struct inode *inode)
{
	inode_free(inode);
}

const struct inode_ops far_inode_ops = {
	.refresh = refresh, .set_attr = set_attr, .page = get_page, .evict = evict};

/* /proc/PID/fd/N: what the proxy is open on is opened again, at its home. */
static int reopen(struct vfs_task *t, struct inode *inode, struct file *file)
{
	struct far_file *far = far_of(inode);
	struct file_desc desc;
	struct far_call call = {.op = FILES_REOPEN,
				.interruptible = true,
				.ask = {.what = file->flags, .flags = file->mode},
				.out = &desc,
				.room = sizeof(desc)};
	s64 err;

	if (!far)
		return -ENXIO;
	err = far_ask(t, far, &call);
	return err ? (int)err : far_opened(far->all, file, &call);
}

const struct file_ops far_reopen_ops = {.open = reopen};

int far_opened(struct far_files *all, struct file *file, const struct far_call *call)
{
	const struct file_desc *desc = call->out;

	if (call->got != sizeof(*desc) || !desc_is_good(all, desc) ||
	    desc->kind != FILE_KIND_PROXY || desc->home == all->self)
		return -EIO;
	return far_attach(all, file, desc);
}

/* A FIFO that lives on another core: its pipe is there. */
static int open_fifo(struct vfs_task *t, struct inode *inode, struct file *file)
{
	struct far_files *all = t->vfs->far_files;
	struct file_desc desc;
	struct far_call call = {.op = FILES_OPEN,
				.interruptible = true,
				.ask = {.what = file->flags, .flags = file->mode},
				.out = &desc,
				.room = sizeof(desc)};
	u8 *place = all ? malloc(FAR_PLACE_MAX) : NULL;
	s64 n;

	if (!place)
		return all ? -ENOMEM : -EIO;
	n = far_place_export(t->vfs, inode_home(inode), &file->path, place, FAR_PLACE_MAX);
	if (n > 0) {
		call.data = place;
		call.bytes = (u32)n;
		n = far_ask_core(all, t, inode_home(inode), &call);
	}
	free(place);
	return n ? (int)n : far_opened(all, file, &call);
}

const struct file_ops far_fifo_ops = {.open = open_fifo};

bool far_device_core(const struct vfs *vfs, u32 rdev, u32 *core)
{
	const struct far_files *all = vfs->far_files;
	u32 major = VFS_MAJOR(rdev);

	if (!all || all->self == all->devices || (major != 4 && major != 5 && major != 136))
		return false;
	*core = all->devices;
	return true;
}

int far_open_device(struct vfs_task *t, u32 core, struct inode *inode, struct file *file)
{
	struct far_files *all = t->vfs->far_files;
	struct file_desc desc;
	struct far_call call = {
		.op = FILES_OPEN_DEVICE,
		.interruptible = true,
		.ask = {.what = file->flags, .flags = file->mode, .arg = inode->rdev},
		.out = &desc,
		.room = sizeof(desc)};
	s64 err = far_ask_core(all, t, core, &call);

	return err ? (int)err : far_opened(all, file, &call);
}
