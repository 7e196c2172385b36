/*
 * Regular files of tmpfs: a map of pages, with holes.
 *
 * Runs in: the personality, host tests.
 */
#include "tmpfs.h"

#include <unistd.h>

static int page(struct inode *inode, u64 index, bool make, struct page **out)
{
	struct page_map *pages = &tmpfs_inode(inode)->pages;
	struct tmpfs *fs = tmpfs_of(inode);
	struct page *page = page_map_find(pages, index);

	if (page || !make) {
		*out = page ? page_get(page) : NULL;
		return 0;
	}
	if (fs->max_pages && fs->npages >= fs->max_pages)
		return -ENOSPC;
	page = page_new(inode->sb->vfs);
	if (!page)
		return -ENOMEM;
	if (page_map_add(pages, index, page)) {
		page_put(inode->sb->vfs, page);
		return -ENOMEM;
	}
	fs->npages++;
	inode->sb->vfs->file_pages++;
	inode->blocks += PAGE_SIZE / 512;
	*out = page_get(page);
	return 0;
}

static u32 pages(struct inode *inode, u64 index, u32 count, struct page **out)
{
	return page_map_find_some(&tmpfs_inode(inode)->pages, index, count, out);
}

/* Drop the pages from @first to @last; no mapping shows them any more. */
static void drop_pages(struct inode *inode, u64 first, u64 last)
{
	struct vfs *vfs = inode->sb->vfs;
	struct page_map *pages = &tmpfs_inode(inode)->pages;
	u64 index = first;
	struct page *page;

	if (first > last)
		return;
	if (inode->shared)
		far_pages_cut(inode, first, last);
	if (inode->mapping)
		vfs->env->unmap(vfs->arg, inode, first, last);
	while ((page = page_map_next(pages, &index)) && index <= last) {
		page_put(vfs, page_map_take(pages, index));
		tmpfs_of(inode)->npages--;
		vfs->file_pages--;
		inode->blocks -= PAGE_SIZE / 512;
	}
}

void tmpfs_file_fini(struct tmpfs_inode *ti)
{
	drop_pages(&ti->inode, 0, PAGE_MAP_MAX - 1);
}

static void set_size(struct inode *inode, u64 size)
{
	u64 smaller = MIN(size, inode->size);

	if (size < inode->size)
		drop_pages(inode, ROUND_UP(size, PAGE_SIZE) / PAGE_SIZE, PAGE_MAP_MAX - 1);
	pagefile_zero(inode, smaller, ROUND_UP(smaller, PAGE_SIZE));
	inode->size = size;
}

static int set_attr(struct vfs_task *t, struct inode *inode, const struct attr *attr)
{
	int err = attr->valid & ATTR_SIZE ? seals_check_size(inode, attr->size) : 0;

	(void)t;
	if (!err && attr->valid & ATTR_MODE && inode->seals & SEAL_EXEC &&
	    (inode->mode ^ attr->mode) & 0111)
		err = -EPERM;
	if (err)
		return err;
	if (attr->valid & ATTR_SIZE)
		set_size(inode, attr->size);
	inode_set_attr(inode, attr);
	return 0;
}

const struct inode_ops tmpfs_file_inode_ops = {
	.page = page, .pages = pages, .set_attr = set_attr, .evict = tmpfs_evict};

/* --- Open files --- */

/* SEEK_DATA, SEEK_HOLE. On its own, so that other seeks do not save the registers it needs. */
static __attribute__((noinline)) s64 seek_data(struct file *file, s64 offset, u32 whence)
{
	struct inode *inode = file->inode;
	struct page_map *pages = &tmpfs_inode(inode)->pages;
	u64 index = (u64)offset / PAGE_SIZE, at;

	if (offset < 0 || (u64)offset >= inode->size)
		return -ENXIO;
	if (whence == SEEK_DATA) {
		at = page_map_next(pages, &index) ? index * PAGE_SIZE : inode->size;
		if (at >= inode->size)
			return -ENXIO;
	} else {
		at = MIN(page_map_hole(pages, index) * PAGE_SIZE, inode->size);
	}
	file->pos = (s64)MAX(at, (u64)offset);
	return file->pos;
}

static s64 seek(struct vfs_task *t, struct file *file, s64 offset, u32 whence)
{
	(void)t;
	return whence == SEEK_DATA || whence == SEEK_HOLE
		       ? seek_data(file, offset, whence)
		       : file_seek_fixed(file, offset, whence, file->inode->size);
}

static void punch(struct inode *inode, u64 offset, u64 end)
{
	u64 first = ROUND_UP(offset, PAGE_SIZE), last = ROUND_DOWN(end, PAGE_SIZE);

	if (first > last) { /* within a page */
		pagefile_zero(inode, offset, end);
		return;
	}
	pagefile_zero(inode, offset, first);
	pagefile_zero(inode, last, end);
	if (last > first)
		drop_pages(inode, first / PAGE_SIZE, last / PAGE_SIZE - 1);
}

/* Give every page of the range memory; all or nothing. */
static int allocate(struct inode *inode, u64 offset, u64 end)
{
	u64 first = offset / PAGE_SIZE, last = (end - 1) / PAGE_SIZE, index = first;
	struct page_map made = {0};
	struct page *p;
	int err = 0;

	for (; index <= last && !err; index++) {
		bool had = page_map_find(&tmpfs_inode(inode)->pages, index);

		err = page(inode, index, true, &p);
		if (err)
			break;
		if (had || page_map_add(&made, index, p))
			page_put(inode->sb->vfs, p);
	}
	index = 0;
	while ((p = page_map_next(&made, &index))) {
		page_put(inode->sb->vfs, page_map_take(&made, index));
		if (err)
			drop_pages(inode, index, index);
	}
	return err;
}

#define PUNCH_HOLE 0x02u /* FALLOC_FL_PUNCH_HOLE, FALLOC_FL_KEEP_SIZE of fallocate(2) */
#define KEEP_SIZE  0x01u

static int fallocate_range(struct vfs_task *t, struct file *file, u32 mode, u64 offset, u64 len)
{
	struct inode *inode = file->inode;
	struct tmpfs *fs = tmpfs_of(inode);
	u64 end = offset + len;
	int err;

	if (mode & PUNCH_HOLE && inode->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE))
		return -EPERM;
	if (mode & PUNCH_HOLE) {
		punch(inode, offset, end);
		file_modified(t, file);
		return 0;
	}
	if (!(mode & KEEP_SIZE) && end > inode->size && end > t->fsize_limit)
		return -EFBIG;
	if (!(mode & KEEP_SIZE) && end > inode->size && inode->seals & SEAL_GROW)
		return -EPERM;
	/* As Linux: more than the file system can ever hold is refused before it is tried. */
	if (fs->max_pages && len / PAGE_SIZE > fs->max_pages)
		return -ENOSPC;
	err = allocate(inode, offset, end);
	if (err)
		return err;
	if (!(mode & KEEP_SIZE) && end > inode->size)
		set_size(inode, end);
	file_modified(t, file);
	return 0;
}

const struct file_ops tmpfs_file_ops = {
	.read = pagefile_read,
	.write = pagefile_write,
	.seek = seek,
	.fallocate = fallocate_range,
	.fsync = fsync_nothing,
};
