/*
 * Memory of a process: its life, and its copy for a child. See mm.h.
 */
#include "mm.h"
#include "huge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static u32 anonymous_pages(struct backing *backing, u64 index, u32 count, struct page **out)
{
	struct anonymous *a = container_of(backing, struct anonymous, backing);
	u32 found = 0;

	for (u32 i = 0; i < count; i++) {
		const u64 *entry = pagemap_find(&a->pages, (index + i) * PAGE_SIZE);

		out[i] = entry ? entry_page(*entry) : NULL;
		found += out[i] != NULL;
	}
	return found;
}

static const struct backing_ops anonymous_ops = {
	.page = anonymous_page,
	.pages = anonymous_pages,
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
	batch_init(&change.batch, mm->space);
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

void mm_drop_part(struct mm *mm, const struct vma *v, u64 first, u64 last)
{
	u64 from = v->offset / PAGE_SIZE, pages = (v->end - v->start) / PAGE_SIZE;
	u64 low, high;

	if (last < from || first >= from + pages)
		return;
	low = first > from ? first - from : 0;
	high = MIN(last - from, pages - 1) + 1;
	mm_drop(mm, v->start + low * PAGE_SIZE, v->start + high * PAGE_SIZE);
}

/* ---- fork ---- */

/* Pages that a child finds mapped: as many as make a small program. */
#define FORK_MAP_PAGES 256u

/*
 * Pages that the parent has written since it last forked are copied at once if they are so few:
 * both will soon write to most of them, and each would fault, at several times the cost of a copy.
 */
#define COPY_FEW 8u

struct copy {
	struct mm *to;
	const struct vma *vma;
	u32 nwritten; /* how many the parent may write to; where the first are, there and here: */
	struct {
		const u64 *from;
		u64 *to;
	} written[COPY_FEW];
	int err;
};

static void note_written(struct copy *c, const u64 *from, u64 *to)
{
	if (c->nwritten < COPY_FEW) {
		c->written[c->nwritten].from = from;
		c->written[c->nwritten].to = to;
	}
	c->nwritten++;
}

/* The child has the same pages. */
static void copy_group(struct group *g, void *arg)
{
	struct copy *c = arg;
	u32 first = c->vma->start > g->base ? (u32)((c->vma->start - g->base) / PAGE_SIZE) : 0;
	u32 end = (u32)MIN((c->vma->end - g->base) / PAGE_SIZE, (u64)GROUP_PAGES);
	struct group *to = NULL;

	for (u32 i = first; i < end && !c->err; i++) {
		u64 entry = g->entry[i];

		if (!entry)
			continue;
		if (!to)
			to = pagemap_make_group(&c->to->pages, g->base);
		if (!to) {
			c->err = -ENOMEM;
			return;
		}
		page_get(entry_page(entry));
		to->entry[i] = (u64)entry_page(entry) | (entry & PM_ANON);
		c->to->pages.npages++;
		if (entry & PM_WRITABLE)
			note_written(c, &g->entry[i], &to->entry[i]);
	}
}

/* False: not all of them. */
static bool copy_written(struct copy *c)
{
	for (u32 i = 0; i < c->nwritten; i++) {
		struct page *page = ram_new();

		if (!page)
			return false;
		memcpy(page->data, entry_page(*c->written[i].from)->data, PAGE_SIZE);
		pagemap_set(&c->to->pages, c->written[i].to, page, PM_ANON);
	}
	return true;
}

static bool is_copied(const struct vma *vma)
{
	return !(vma->flags & (VM_SHARED | VM_DONTFORK | VM_WIPEONFORK));
}

/* Pages of shared mappings are found again by faults. */
static int copy_pages(struct mm *to, struct mm *from)
{
	struct copy copy = {.to = to};

	for (u32 i = 0; i < from->vmas.count && !copy.err; i++) {
		copy.vma = &from->vmas.list[i];
		if (is_copied(copy.vma))
			pagemap_walk(&from->pages, copy.vma->start, copy.vma->end, copy_group,
				     &copy);
	}
	if (!copy.err && copy.nwritten <= COPY_FEW && copy_written(&copy))
		return 0;
	for (u32 i = 0; i < from->vmas.count; i++) {
		const struct vma *vma = &from->vmas.list[i];

		if (is_copied(vma) && vma->prot & PROT_WRITE)
			change_mapped(from, vma->start, vma->end, OP_PROTECT);
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
	mm_map_present(mm, FORK_MAP_PAGES);
	for (u32 i = 0; i < mm->vmas.count; i++)
		mm->total_bytes += mm->vmas.list[i].end - mm->vmas.list[i].start;
	return mm;
}
