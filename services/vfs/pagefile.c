/*
 * Reading and writing regular files through their pages, which inode->ops->page gives: the same
 * pages that mappings show.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <signal.h>
#include <string.h>

int fsync_nothing(struct vfs_task *t, struct file *file, bool data_only)
{
	(void)t;
	(void)file;
	(void)data_only;
	return 0;
}

s64 pagefile_read(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct inode *inode = file->inode;
	size_t before = uio->done;
	s64 err = 0;

	while (uio->left && (u64)*pos < inode->size) {
		size_t in_page = (u64)*pos % PAGE_SIZE, want, got;
		struct page *page;

		err = inode->ops->page(inode, (u64)*pos / PAGE_SIZE, false, &page);
		if (err)
			break;
		want = MIN(MIN(PAGE_SIZE - in_page, inode->size - (u64)*pos), uio->left);
		if (page) {
			got = uio_put(uio, (char *)page->data + in_page, want);
			page_put(t->vfs, page);
		} else {
			got = uio_put_zero(uio, want);
		}
		*pos += (s64)got;
		if (got < want) {
			err = -EFAULT;
			break;
		}
	}
	if (!(file->flags & O_NOATIME))
		path_accessed(&file->path);
	return uio->done > before ? (s64)(uio->done - before) : err;
}

void pagefile_zero(struct inode *inode, u64 from, u64 to)
{
	struct page *page;

	if (from >= to || inode->ops->page(inode, from / PAGE_SIZE, false, &page) || !page)
		return;
	memset((char *)page->data + from % PAGE_SIZE, 0, to - from);
	page_put(inode->sb->vfs, page);
}

/* Where a write of @uio begins, and how much of it the limits allow. */
static int check_write(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	if (uio->append ? uio->append > 0 : file->flags & O_APPEND)
		*pos = (s64)file->inode->size;
	if (!uio->left)
		return 0;
	if ((u64)*pos >= t->fsize_limit) {
		t->vfs->env->signal_task(t->vfs->arg, t, SIGXFSZ);
		return -EFBIG;
	}
	if (*pos >= INT64_MAX - (s64)PAGE_SIZE)
		return -EFBIG;
	uio->left = MIN(uio->left, t->fsize_limit - (u64)*pos);
	uio->left = MIN(uio->left, (u64)(INT64_MAX - (s64)PAGE_SIZE - *pos));
	return 0;
}

/* What a mapping left behind the end of the file must not become part of it. */
static void clean_tail(struct inode *inode, u64 pos)
{
	if (pos > inode->size)
		pagefile_zero(inode, inode->size, MIN(pos, ROUND_UP(inode->size, PAGE_SIZE)));
}

s64 pagefile_write(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct inode *inode = file->inode;
	size_t before = uio->done;
	s64 err = check_write(t, file, uio, pos);

	if (!err && uio->left && inode->seals)
		err = seals_check_write(inode, (u64)*pos + uio->left);
	if (err || !uio->left)
		return err;
	file_modified(t, file);
	clean_tail(inode, (u64)*pos);
	while (uio->left) {
		size_t in_page = (u64)*pos % PAGE_SIZE;
		size_t want = MIN(PAGE_SIZE - in_page, uio->left), got;
		struct page *page;

		err = inode->ops->page(inode, (u64)*pos / PAGE_SIZE, true, &page);
		if (err)
			break;
		got = uio_take(uio, (char *)page->data + in_page, want);
		page_put(t->vfs, page);
		*pos += (s64)got;
		inode->size = MAX(inode->size, (u64)*pos);
		if (got < want) {
			err = -EFAULT;
			break;
		}
	}
	return uio->done > before ? (s64)(uio->done - before) : err;
}
