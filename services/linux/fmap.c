/*
 * Files behind mappings: pages of the page cache, shared with read and write.
 *
 * Also the way back: when a file is cut, its pages leave all mappings of it.
 *
 * Runs in: the personality's domain.
 */
#include "exec.h"
#include "farmem.h"
#include "fmap.h"
#include "ram.h"

#include <errno.h>
#include <stdlib.h>
#include <vfs/file.h>

struct file_backing {
	struct backing backing;
	struct file *file;
	bool exec; /* keeps the file from being written */
};

static const struct backing_ops file_ops;

/*
 * A hole that nobody will write through this mapping is a page of zeros; what is shared fills it,
 * but not ahead of being asked: that would give a file memory nobody wrote to.
 */
static int file_backing_page(struct backing *backing, u64 index, bool shared, bool nowait,
			     struct page **out)
{
	struct file_backing *f = container_of(backing, struct file_backing, backing);
	int err;

	err = file_page(f->file, index, shared && !nowait, out);
	if (err)
		return err == -ERANGE ? -EFAULT : err;
	if (!*out && shared && nowait)
		return -EAGAIN;
	if (!*out) {
		page_get(ram_zero);
		*out = ram_zero;
	}
	return 0;
}

static u32 file_backing_pages(struct backing *backing, u64 index, u32 count, struct page **out)
{
	return file_pages(container_of(backing, struct file_backing, backing)->file, index, count,
			  out);
}

static void file_backing_release(struct backing *backing)
{
	struct file_backing *f = container_of(backing, struct file_backing, backing);
	struct inode *inode = f->file->inode;

	inode->mapping = (void *)((u64)inode->mapping - 1);
	if (f->exec)
		file_put_exec(f->file);
	else
		file_put(f->file);
	free(f);
}

static bool file_backing_resident(struct backing *backing, u64 index)
{
	struct file_backing *f = container_of(backing, struct file_backing, backing);
	struct page *page = NULL;

	if (file_page(f->file, index, false, &page) || !page)
		return false;
	ram_put(page);
	return true;
}

/* For other cores: from the top of its namespace. */
static s64 file_backing_path(struct backing *backing, char *out, u64 size)
{
	const struct file *file = container_of(backing, struct file_backing, backing)->file;
	struct vfs_task nobody = {.vfs = file->path.mnt ? file->path.dentry->sb->vfs : NULL};

	return nobody.vfs ? vfs_path_name(&nobody, &file->path, out, size) : -ENOENT;
}

static const struct backing_ops file_ops = {
	.path = file_backing_path,
	.page = file_backing_page,
	.pages = file_backing_pages,
	.resident = file_backing_resident,
	.release = file_backing_release,
};

static struct backing *new_backing(struct file *file, bool exec)
{
	struct file_backing *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->backing = (struct backing){.ops = &file_ops, .refs = 1};
	f->file = file;
	f->exec = exec;
	/* Of an inode's mappings only the number is kept: cutting a file that is mapped is rare. */
	file->inode->mapping = (void *)((u64)file->inode->mapping + 1);
	return &f->backing;
}

struct backing *backing_new_exec(struct vfs *vfs, struct file *file)
{
	(void)vfs;
	return new_backing(file, true);
}

struct backing *backing_new_file(struct file *file)
{
	struct backing *b = new_backing(file, false);

	if (b)
		file_get(file);
	return b;
}

struct file *backing_file(struct backing *b)
{
	return b && b->ops == &file_ops ? container_of(b, struct file_backing, backing)->file
					: NULL;
}

static void unmap_in(struct mm *mm, const struct inode *inode, u64 first, u64 last)
{
	for (u32 i = 0; i < mm->vmas.count; i++) {
		const struct vma *v = &mm->vmas.list[i];
		struct file *file = backing_file(v->object);

		if (file && file->inode == inode)
			mm_drop_part(mm, v, first, last);
	}
}

bool fmap_is_writable(struct inode *inode)
{
	for (struct process *p = process_from(0); p; p = p->list_next) {
		for (u32 i = 0; p->mm && i < p->mm->vmas.count; i++) {
			const struct vma *v = &p->mm->vmas.list[i];
			struct file *file = backing_file(v->object);

			if (file && file->inode == inode && v->flags & VM_SHARED &&
			    !(v->flags & VM_DENYWRITE))
				return true;
		}
	}
	return false;
}

void fmap_unmap(struct inode *inode, u64 first, u64 last)
{
	if (!inode->mapping)
		return;
	for (struct process *p = process_from(0); p; p = p->list_next) {
		if (p->mm)
			unmap_in(p->mm, inode, first, last);
	}
	farmem_cut(inode, first, last);
}
