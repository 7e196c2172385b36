/*
 * Touching memory: finding or making the page of an address, and page faults. See mm.h.
 */
#include "mm.h"
#include "farpage.h"
#include "huge.h"

#include <errno.h>
#include <string.h>

#define AROUND_BYTES (4 * GROUP_BYTES)

struct range {
	u64 start, end; /* on pages */
};

/* ---- may it be touched so? ---- */

static bool prot_allows(u32 prot, u32 how)
{
	if (how == TOUCH_WRITE)
		return prot & PROT_WRITE;
	if (how == TOUCH_EXEC)
		return prot & PROT_EXEC;
	return prot & (PROT_READ | PROT_WRITE | PROT_EXEC); /* writable memory is readable: SDM */
}

/* A stack grows towards @addr if its limit, its guard and the limit on memory let it. */
static bool grow_stack(struct mm *mm, struct vma *vma, u64 addr)
{
	u64 start = ROUND_DOWN(addr, PAGE_SIZE);
	const struct vma *below = vma > mm->vmas.list ? vma - 1 : NULL;

	if (!(vma->flags & VMA_GROWSDOWN) || vma->end - start > mm->limit_stack ||
	    start < MM_LOWEST || !mm_within_limit(mm, vma->start - start))
		return false;
	if (below && below->prot && start < below->end + VMA_GUARD)
		return false;
	if (below && start < below->end)
		return false;
	mm->total_bytes += vma->start - start;
	vma_grow_down(vma, start);
	return true;
}

static int check(struct mm *mm, u64 addr, u32 how, struct vma **out)
{
	struct vma *vma = vma_find(&mm->vmas, addr);

	if (!vma || (vma->start > addr && !grow_stack(mm, vma, addr)))
		return TOUCH_MAPERR;
	if (vma->flags & VM_GUARD)
		return TOUCH_MAPERR;
	if (!prot_allows(vma->prot, how))
		return TOUCH_ACCERR;
	*out = vma;
	return 0;
}

/* ---- its page ---- */

static struct page *copy_page(const struct page *from)
{
	struct page *page;

	if (from == ram_zero)
		return ram_new_zeroed();
	page = ram_new();
	if (page)
		memcpy(page->data, from->data, PAGE_SIZE);
	return page;
}

static int touch_error(int err)
{
	return err == -ENOMEM ? TOUCH_NOMEM : TOUCH_BUS;
}

/* The page of the object behind @vma at @addr; waits, so @vma is not to be used afterwards. */
static int backing_page(const struct vma *vma, u64 addr, struct page **page)
{
	struct backing *backing = vma->object;
	u64 index = (vma->offset + (addr - vma->start)) / PAGE_SIZE;
	int err;

	backing_get(backing);
	err = backing->ops->page(backing, index, vma->flags & VM_SHARED, false, page);
	backing_put(backing);
	return err ? touch_error(err) : 0;
}

/* Whether the range is still there that a page was fetched for. */
static bool still_there(struct mm *mm, const struct vma *old, u64 addr)
{
	const struct vma *now = vma_at(&mm->vmas, addr);

	return now && now->object == old->object && now->prot == old->prot &&
	       now->flags == old->flags && now->offset - now->start == old->offset - old->start;
}

/* Fill an empty entry. -EAGAIN: the map has changed meanwhile. */
static int fill(struct mm *mm, const struct vma *vma, u64 addr, bool write, u64 *entry)
{
	struct vma old = *vma;
	struct page *page, *copy;
	int err;

	if (!old.object) {
		page = write ? ram_new_zeroed() : ram_zero;
		if (!page)
			return TOUCH_NOMEM;
		if (!write)
			page_get(page);
		pagemap_set(&mm->pages, entry, page, write ? PM_ANON : 0);
		return 0;
	}
	err = backing_page(vma, addr, &page);
	if (err)
		return err;
	if (*entry || !still_there(mm, &old, addr)) {
		ram_put(page);
		return -EAGAIN;
	}
	if (!write || old.flags & VM_SHARED) {
		pagemap_set(&mm->pages, entry, page, 0);
		return 0;
	}
	copy = copy_page(page);
	ram_put(page);
	if (!copy)
		return TOUCH_NOMEM;
	pagemap_set(&mm->pages, entry, copy, PM_ANON);
	return 0;
}

/* The entry is to be written to: make a page of private memory the process's own. */
static int own(struct mm *mm, const struct vma *vma, u64 addr, u64 *entry)
{
	struct page *page = entry_page(*entry), *copy;
	bool mapped = *entry & PM_MAPPED;

	if (vma->flags & VM_SHARED)
		return 0;
	if (*entry & PM_ANON && page->refs == 1 && !page_is_far(page))
		return 0;
	copy = copy_page(page);
	if (!copy) /* what has come with the process may stay where it is */
		return *entry & PM_ANON && page->refs == 1 ? 0 : TOUCH_NOMEM;
	if (mapped)
		mm_forget(mm, ROUND_DOWN(addr, PAGE_SIZE), ROUND_DOWN(addr, PAGE_SIZE) + PAGE_SIZE);
	pagemap_set(&mm->pages, entry, copy, PM_ANON);
	return 0;
}

static int touch(struct mm *mm, u64 addr, u32 how, u64 **entry, struct vma **vma)
{
	for (;;) {
		int err = check(mm, addr, how, vma);

		if (err)
			return err;
		*entry = pagemap_make(&mm->pages, addr);
		if (!*entry)
			return TOUCH_NOMEM;
		if (**entry)
			return how == TOUCH_WRITE ? own(mm, *vma, addr, *entry) : 0;
		err = fill(mm, *vma, addr, how == TOUCH_WRITE, *entry);
		if (err != -EAGAIN) {
			*vma = vma_at(&mm->vmas, addr);
			return err;
		}
	}
}

int mm_touch(struct mm *mm, u64 addr, u32 how, u64 **entry)
{
	struct vma *vma;

	return touch(mm, addr, how, entry, &vma);
}

/* ---- mapping it ---- */

/* What every page of @vma may have; writing is for some. */
static u32 common_flags(const struct vma *vma)
{
	return MAP_READ | (vma->prot & PROT_EXEC ? MAP_EXEC : 0);
}

/* Whether writing to the page needs no fault: it is private, nobody else's, and near. */
static bool is_own(const struct vma *vma, u64 entry)
{
	return vma->prot & PROT_WRITE && !(vma->flags & VM_SHARED) && entry & PM_ANON &&
	       entry_page(entry)->refs == 1 && !page_is_far(entry_page(entry));
}

/*
 * What comes along with the page at @addr: its group; of an object that is read, several groups, as
 * its pages are there already and mapping one more costs little beside a fault.
 */
static struct range around(const struct vma *vma, u64 addr, u32 how)
{
	u64 bytes = vma->object && how != TOUCH_WRITE ? AROUND_BYTES : GROUP_BYTES;
	u64 start = ROUND_DOWN(addr, bytes);

	return (struct range){MAX(start, vma->start), MIN(start + bytes, vma->end)};
}

/* The part of @r in the group at @base. */
static struct range in_group(struct range r, u64 base)
{
	return (struct range){MAX(r.start, base), MIN(r.end, base + GROUP_BYTES)};
}

/* The pages of an object in @r, a part of one group, that are in memory. */
static void fill_group(struct mm *mm, const struct vma *vma, struct range r)
{
	const struct backing_ops *ops = ((struct backing *)vma->object)->ops;
	u64 index = (vma->offset + (r.start - vma->start)) / PAGE_SIZE, *entry;
	u32 n = (u32)((r.end - r.start) / PAGE_SIZE);
	struct page *pages[GROUP_PAGES];
	struct group *g;

	if (!ops->pages(vma->object, index, n, pages))
		return;
	g = pagemap_make_group(&mm->pages, r.start);
	if (!g)
		return;
	entry = group_entry(g, r.start);
	for (u32 i = 0; i < n; i++) {
		if (pages[i] && !entry[i])
			pagemap_add(&mm->pages, &entry[i], page_get(pages[i]), 0);
	}
}

static void fill_around(struct mm *mm, const struct vma *vma, struct range r)
{
	if (!((struct backing *)vma->object)->ops->pages)
		return;
	for (u64 base = ROUND_DOWN(r.start, GROUP_BYTES); base < r.end; base += GROUP_BYTES)
		fill_group(mm, vma, in_group(r, base));
}

/* Private memory that is written page after page gets some pages ahead: a fault costs more than the
 * zeros do. What cannot be had is left to a fault of its own. */
static void fill_ahead(struct mm *mm, const struct vma *vma, u64 addr)
{
	u64 first = ROUND_DOWN(addr, PAGE_SIZE), end;
	const u64 *before;

	if (first == vma->start)
		return;
	before = pagemap_find(&mm->pages, first - PAGE_SIZE);
	if (!before || !(*before & PM_ANON))
		return;
	end = MIN(ROUND_DOWN(addr, GROUP_BYTES) + GROUP_BYTES, vma->end);
	for (u64 at = first + PAGE_SIZE; at < end; at += PAGE_SIZE) {
		u64 *entry = pagemap_find(&mm->pages, at);
		struct page *page;

		if (*entry)
			return;
		page = ram_new_zeroed();
		if (!page)
			return;
		pagemap_set(&mm->pages, entry, page, PM_ANON);
	}
}

/* Of @r, a part of the group, the pages that are not mapped. */
static int map_group(struct batch *b, struct group *g, const struct vma *vma, struct range r)
{
	u64 *entry = group_entry(g, r.start);
	u32 common = common_flags(vma);
	int err = 0;

	for (u64 va = r.start; va < r.end && !err; va += PAGE_SIZE, entry++) {
		u64 e = *entry;
		bool own;

		if (!e || e & PM_MAPPED)
			continue;
		own = e & PM_ANON && is_own(vma, e);
		*entry = e | (own ? PM_MAPPED | PM_WRITABLE : PM_MAPPED);
		err = batch_map(b, va, entry_page(e), own ? common | MAP_WRITE : common);
	}
	return err;
}

/* The page that a fault is about. */
static int map_wanted(struct batch *b, const struct vma *vma, u64 va, u64 *entry, bool write)
{
	u32 flags = common_flags(vma);
	int err;

	if (write || is_own(vma, *entry))
		flags |= MAP_WRITE;
	err = batch_map(b, va, entry_page(*entry), flags | (*entry & PM_MAPPED ? MAP_REPLACE : 0));
	*entry |= PM_MAPPED | (flags & MAP_WRITE ? PM_WRITABLE : 0);
	return err;
}

/* Put the page of @addr, and those in @r that are there, into the processor's tables. */
static int map_around(struct mm *mm, const struct vma *vma, u64 addr, bool write, struct range r)
{
	struct batch batch;
	int err;

	batch_init(&batch, mm->space);
	err = map_wanted(&batch, vma, ROUND_DOWN(addr, PAGE_SIZE), pagemap_find(&mm->pages, addr),
			 write);
	for (u64 base = ROUND_DOWN(r.start, GROUP_BYTES); base < r.end && !err;
	     base += GROUP_BYTES) {
		struct group *g = pagemap_group(&mm->pages, base);

		if (g)
			err = map_group(&batch, g, vma, in_group(r, base));
	}
	if (!err)
		err = batch_flush(&batch);
	if (err) /* some may be mapped, and the tables must not hold more than the map says */
		mm_forget(mm, r.start, r.end);
	return err ? TOUCH_NOMEM : 0;
}

int mm_fault(struct mm *mm, u64 addr, u32 how)
{
	struct range r;
	struct vma *vma;
	u64 *entry;
	int err;

	if (addr >= MM_TOP)
		return TOUCH_MAPERR;
	if (how == TOUCH_WRITE && huge_fault(mm, addr)) {
		mm->minor_faults++;
		mm->peak_pages = MAX(mm->peak_pages, mm->pages.npages);
		return 0;
	}
	err = touch(mm, addr, how, &entry, &vma);
	if (err || !vma)
		return err;
	if (*entry & PM_HUGE) /* it is mapped, with all the rights of its range */
		return 0;
	mm->minor_faults++;
	r = around(vma, addr, how);
	if (vma->object)
		fill_around(mm, vma, r);
	else if (how == TOUCH_WRITE)
		fill_ahead(mm, vma, addr);
	err = map_around(mm, vma, addr, how == TOUCH_WRITE, r);
	mm->peak_pages = MAX(mm->peak_pages, mm->pages.npages);
	return err;
}

/* ---- ahead of faults ---- */

void mm_prefault(struct mm *mm, u64 start, u64 end, u32 how)
{
	const struct vma *vma = vma_at(&mm->vmas, start);
	u64 *entry;

	if (vma && vma->object && how != TOUCH_WRITE) {
		fill_around(mm, vma, (struct range){start, MIN(end, vma->end)});
		return;
	}
	for (u64 at = start; at < end; at += PAGE_SIZE) {
		if (mm_touch(mm, at, how, &entry))
			return;
	}
}

struct present {
	struct batch batch;
	const struct vma *vma;
	u32 pages; /* that may be mapped */
	int err;
};

static void map_present(struct group *g, void *arg)
{
	struct present *p = arg;
	struct range r = in_group((struct range){p->vma->start, p->vma->end}, g->base);

	if (!p->err && p->batch.mapped < p->pages)
		p->err = map_group(&p->batch, g, p->vma, r);
}

void mm_map_present(struct mm *mm, u32 pages)
{
	struct present p;

	batch_init(&p.batch, mm->space);
	p.pages = pages;
	p.err = 0;
	for (u32 i = 0; i < mm->vmas.count; i++) {
		p.vma = &mm->vmas.list[i];
		if (!prot_allows(p.vma->prot, TOUCH_READ))
			continue;
		pagemap_walk(&mm->pages, p.vma->start, p.vma->end, map_present, &p);
	}
	if (!p.err)
		p.err = batch_flush(&p.batch);
	if (p.err)
		mm_forget(mm, 0, MM_TOP);
}
