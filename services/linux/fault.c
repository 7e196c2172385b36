/*
 * Touching memory: finding or making the page of an address, and page faults. See mm.h.
 */
#include "mm.h"
#include "huge.h"

#include <errno.h>
#include <string.h>

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
	if (*entry & PM_ANON && page->refs == 1)
		return 0;
	copy = copy_page(page);
	if (!copy)
		return TOUCH_NOMEM;
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

static u32 map_flags(const struct vma *vma, u64 entry, bool write)
{
	u32 flags = MAP_READ;

	if (vma->prot & PROT_EXEC)
		flags |= MAP_EXEC;
	if (vma->prot & PROT_WRITE &&
	    (vma->flags & VM_SHARED ? write : (entry & PM_ANON && entry_page(entry)->refs == 1)))
		flags |= MAP_WRITE;
	return flags;
}

/* Neighbours in the file that are in memory come along. */
static void fill_around(struct mm *mm, const struct vma *vma, u64 addr)
{
	u64 start = MAX(ROUND_DOWN(addr, GROUP_BYTES), vma->start);
	u64 end = MIN(ROUND_DOWN(addr, GROUP_BYTES) + GROUP_BYTES, vma->end);
	struct backing *backing = vma->object;

	for (u64 at = start; at < end; at += PAGE_SIZE) {
		u64 *entry = pagemap_find(&mm->pages, at);
		u64 index = (vma->offset + (at - vma->start)) / PAGE_SIZE;
		struct page *page;

		if (!*entry &&
		    backing->ops->page(backing, index, vma->flags & VM_SHARED, true, &page) == 0)
			pagemap_set(&mm->pages, entry, page, 0);
	}
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

/* Put the page of @addr, and those around it that are there, into the processor's tables. */
static int map_around(struct mm *mm, const struct vma *vma, u64 addr, bool write)
{
	struct group *g = pagemap_group(&mm->pages, addr);
	u64 page_va = ROUND_DOWN(addr, PAGE_SIZE);
	struct batch batch;
	int err = 0;

	batch.space = mm->space;
	batch.count = 0;
	for (u32 i = 0; i < GROUP_PAGES && !err; i++) {
		u64 va = g->base + i * PAGE_SIZE, *entry = &g->entry[i];
		bool wanted = va == page_va;
		u32 flags;

		if (!*entry || (*entry & PM_MAPPED && !wanted) || va < vma->start || va >= vma->end)
			continue;
		flags = map_flags(vma, *entry, write && wanted);
		err = batch_map(&batch, va, entry_page(*entry),
				flags | (*entry & PM_MAPPED ? MAP_REPLACE : 0));
		*entry |= PM_MAPPED | (flags & MAP_WRITE ? PM_WRITABLE : 0);
	}
	if (!err)
		err = batch_flush(&batch);
	if (err) /* some may be mapped, and the tables must not hold more than the map says */
		mm_forget(mm, g->base, g->base + GROUP_BYTES);
	return err ? TOUCH_NOMEM : 0;
}

int mm_fault(struct mm *mm, u64 addr, u32 how)
{
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
	mm->minor_faults++;
	if (vma->object)
		fill_around(mm, vma, addr);
	else if (how == TOUCH_WRITE)
		fill_ahead(mm, vma, addr);
	err = map_around(mm, vma, addr, how == TOUCH_WRITE);
	mm->peak_pages = MAX(mm->peak_pages, mm->pages.npages);
	return err;
}
