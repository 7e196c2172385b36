/*
 * Memory of a process: its life, and its copy for a child. See mm.h.
 */
#include "mm.h"
#include "huge.h"

#include <errno.h>
#include <stdlib.h>

void backing_put(struct backing *b)
{
	if (b && --b->refs == 0)
		b->ops->release(b);
}

static void get_object(void *object)
{
	backing_get(object);
}

static void put_object(void *object)
{
	backing_put(object);
}

static const struct vma_ops vma_ops = {.get = get_object, .put = put_object};

/* ---- shared anonymous memory ---- */

struct anonymous {
	struct backing backing;
	u64 bytes;
	struct pagemap pages;
};

static int anonymous_page(struct backing *backing, u64 index, bool shared, bool nowait,
			  struct page **out)
{
	struct anonymous *a = container_of(backing, struct anonymous, backing);
	u64 *entry;

	(void)shared;
	(void)nowait;
	if (index * PAGE_SIZE >= a->bytes)
		return -EFAULT;
	entry = pagemap_make(&a->pages, index * PAGE_SIZE);
	if (!entry)
		return -ENOMEM;
	if (!*entry) {
		struct page *page = ram_new_zeroed();

		if (!page)
			return -ENOMEM;
		pagemap_set(&a->pages, entry, page, 0);
	}
	*out = entry_page(*entry);
	page_get(*out);
	return 0;
}

static void anonymous_release(struct backing *backing)
{
	struct anonymous *a = container_of(backing, struct anonymous, backing);

	pagemap_fini(&a->pages);
	free(a);
}

static bool anonymous_resident(struct backing *backing, u64 index)
{
	struct anonymous *a = container_of(backing, struct anonymous, backing);
	const u64 *entry = pagemap_find(&a->pages, index * PAGE_SIZE);

	return entry && *entry;
}

static const struct backing_ops anonymous_ops = {
	.page = anonymous_page,
	.resident = anonymous_resident,
	.release = anonymous_release,
};

struct backing *backing_new_anonymous(u64 bytes)
{
	struct anonymous *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->backing = (struct backing){.ops = &anonymous_ops, .refs = 1};
	a->bytes = bytes;
	return &a->backing;
}

/* ---- life ---- */

struct mm *mm_new(void)
{
	struct mm *mm = calloc(1, sizeof(*mm));

	if (!mm)
		return NULL;
	mm->space = space_new();
	if (!mm->space) {
		free(mm);
		return NULL;
	}
	mm->users = 1;
	vma_map_init(&mm->vmas, &vma_ops);
	mm->limit_as = mm->limit_data = UINT64_MAX;
	mm->limit_stack = 8 * MiB;
	return mm;
}

void mm_put(struct mm *mm)
{
	if (!mm || --mm->users)
		return;
	huge_forget(mm);
	space_put(mm->space); /* before its pages can become somebody else's */
	pagemap_fini(&mm->pages);
	vma_map_fini(&mm->vmas);
	backing_put(mm->exe);
	free(mm);
}

/* ---- what the processor's tables hold ---- */

struct change {
	struct batch batch;
	u64 start, end;
	u32 op;   /* OP_UNMAP or OP_PROTECT */
	u64 flag; /* entries with it are concerned: PM_MAPPED or PM_WRITABLE */
};

/* One operation a run of entries that are concerned. */
static void change_group(struct group *g, void *arg)
{
	struct change *c = arg;
	u32 run = 0;

	for (u32 i = 0; i <= GROUP_PAGES; i++) {
		u64 addr = g->base + i * PAGE_SIZE;

		if (i < GROUP_PAGES && g->entry[i] & c->flag && addr >= c->start && addr < c->end) {
			g->entry[i] &=
				c->op == OP_UNMAP ? ~(PM_MAPPED | PM_WRITABLE) : ~PM_WRITABLE;
			run++;
		} else if (run) {
			batch_change(&c->batch, c->op, addr - run * PAGE_SIZE, run);
			run = 0;
		}
	}
}

static void change_mapped(struct mm *mm, u64 start, u64 end, u32 op)
{
	struct change change;

	if (mm->nhuge)
		huge_split(mm, start, end);
	change.batch.space = mm->space;
	change.batch.count = 0;
	change.start = start;
	change.end = end;
	change.op = op;
	change.flag = op == OP_UNMAP ? PM_MAPPED : PM_WRITABLE;
	pagemap_walk(&mm->pages, start, end, change_group, &change);
	batch_flush(&change.batch);
}

void mm_forget(struct mm *mm, u64 start, u64 end)
{
	change_mapped(mm, start, end, OP_UNMAP);
}

void mm_drop(struct mm *mm, u64 start, u64 end)
{
	mm_forget(mm, start, end);
	pagemap_drop(&mm->pages, start, end);
}

/* ---- fork ---- */

struct copy {
	struct mm *from, *to;
	const struct vma *vma;
	int err;
};

static void copy_group(struct group *g, void *arg)
{
	struct copy *c = arg;

	for (u32 i = 0; i < GROUP_PAGES && !c->err; i++) {
		u64 addr = g->base + i * PAGE_SIZE;
		struct page *page = entry_page(g->entry[i]);
		u64 *entry;

		if (!page || addr < c->vma->start || addr >= c->vma->end)
			continue;
		entry = pagemap_make(&c->to->pages, addr);
		if (!entry) {
			c->err = -ENOMEM;
			return;
		}
		page_get(page);
		pagemap_set(&c->to->pages, entry, page, g->entry[i] & PM_ANON);
	}
}

/* Pages of shared mappings are found again by faults. */
static int copy_pages(struct mm *to, struct mm *from)
{
	struct copy copy = {.from = from, .to = to};

	for (u32 i = 0; i < from->vmas.count && !copy.err; i++) {
		copy.vma = &from->vmas.list[i];
		if (copy.vma->flags & (VM_SHARED | VM_DONTFORK | VM_WIPEONFORK))
			continue;
		if (copy.vma->prot & PROT_WRITE)
			change_mapped(from, copy.vma->start, copy.vma->end, OP_PROTECT);
		pagemap_walk(&from->pages, copy.vma->start, copy.vma->end, copy_group, &copy);
	}
	return copy.err;
}

struct mm *mm_fork(struct mm *from)
{
	struct mm *mm = mm_new();
	struct vma_map vmas;
	struct space *space;

	if (!mm)
		return NULL;
	space = mm->space;
	vmas = mm->vmas;
	*mm = *from;
	mm->users = 1;
	mm->lock_future = false;
	if (mm->mdwe & 2) /* MDWE_NO_INHERIT */
		mm->mdwe = 0;
	mm->vmas = vmas;
	mm->space = space;
	mm->pages = (struct pagemap){0};
	mm->nhuge = 0;
	mm->minor_faults = 0;
	if (mm->exe)
		backing_get(mm->exe);
	if (vma_copy(&mm->vmas, &from->vmas, VM_DONTFORK) || copy_pages(mm, from)) {
		mm_put(mm);
		return NULL;
	}
	mm->total_bytes = 0;
	vma_flag(&mm->vmas, 0, MM_TOP, ~VM_LOCKED, 0); /* locks are not inherited */
	for (u32 i = 0; i < mm->vmas.count; i++)
		mm->total_bytes += mm->vmas.list[i].end - mm->vmas.list[i].start;
	return mm;
}
