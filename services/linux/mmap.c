/*
 * Making and removing mappings. See mm.h; the system calls are in memory.c.
 */
#include "mm.h"

#include <errno.h>

bool mm_within_limit(const struct mm *mm, u64 bytes)
{
	return mm->total_bytes <= mm->limit_as && bytes <= mm->limit_as - mm->total_bytes;
}

u64 mm_data_bytes(const struct mm *mm)
{
	u64 bytes = 0;

	for (u32 i = 0; i < mm->vmas.count; i++) {
		const struct vma *v = &mm->vmas.list[i];

		if (v->prot & PROT_WRITE && !(v->flags & (VM_SHARED | VM_STACK | VMA_GROWSDOWN)))
			bytes += v->end - v->start;
	}
	return bytes;
}

u64 mm_find_gap(const struct mm *mm, u64 bytes, u64 low)
{
	u64 at = vma_gap(&mm->vmas, MAX(low, MM_LOWEST), mm->mmap_top, bytes, PAGE_SIZE, true);

	if (!at)
		at = vma_gap(&mm->vmas, mm->mmap_top, MM_TOP, bytes, PAGE_SIZE, false);
	return at;
}

/* Bytes between @start and @end that are in ranges. */
static u64 mapped_bytes(const struct mm *mm, u64 start, u64 end)
{
	u64 bytes = 0;

	for (const struct vma *v = vma_find(&mm->vmas, start); v && v->start < end;
	     v = vma_next(&mm->vmas, v))
		bytes += MIN(v->end, end) - MAX(v->start, start);
	return bytes;
}

/* The address a request gets: 0 < address, or a negative errno. */
static s64 choose_address(const struct mm *mm, const struct mm_request *r)
{
	const struct vma *there;
	u64 at;

	if (r->bytes > MM_TOP)
		return -ENOMEM;
	if (r->flags & (LMAP_FIXED | LMAP_FIXED_NOREPLACE)) {
		if (r->addr % PAGE_SIZE)
			return -EINVAL;
		if (r->addr > MM_TOP - r->bytes)
			return -ENOMEM;
		if (r->addr < MM_LOWEST)
			return -EPERM;
		there = vma_find(&mm->vmas, r->addr);
		if (r->flags & LMAP_FIXED_NOREPLACE && there && there->start < r->addr + r->bytes)
			return -EEXIST;
		return (s64)r->addr;
	}
	at = ROUND_UP(r->addr, PAGE_SIZE);
	if (at >= MM_LOWEST && at <= MM_TOP - r->bytes &&
	    vma_gap(&mm->vmas, at, at + r->bytes, r->bytes, PAGE_SIZE, false) == at)
		return (s64)at;
	if (r->flags & LMAP_32BIT)
		at = vma_gap(&mm->vmas, 1 * GiB, 2 * GiB, r->bytes, PAGE_SIZE, false);
	else
		at = mm_find_gap(mm, r->bytes, MM_LOWEST);
	return at ? (s64)at : -ENOMEM;
}

/* More than there is in all, for memory that is the process's own: proc_sys_vm(5), overcommit. */
static bool overcommits(const struct mm_request *r)
{
	return r->prot & PROT_WRITE && !(r->vm & VM_SHARED) && !(r->flags & LMAP_NORESERVE) &&
	       r->bytes > ram_total_bytes();
}

s64 mm_map(struct mm *mm, const struct mm_request *r)
{
	s64 at = choose_address(mm, r);
	u64 old;
	int err;

	if (at < 0)
		return at;
	if (overcommits(r))
		return -ENOMEM;
	old = mapped_bytes(mm, (u64)at, (u64)at + r->bytes);
	if (!mm_within_limit(mm, r->bytes - old))
		return -ENOMEM;
	if (r->prot & PROT_WRITE && !(r->vm & (VM_SHARED | VM_STACK)) &&
	    mm->limit_data != UINT64_MAX && mm_data_bytes(mm) + r->bytes > mm->limit_data)
		return -ENOMEM;
	if (old) {
		err = mm_unmap(mm, (u64)at, (u64)at + r->bytes);
		if (err)
			return err;
	}
	err = vma_insert(&mm->vmas, &(struct vma){
					    .start = (u64)at,
					    .end = (u64)at + r->bytes,
					    .prot = r->prot,
					    .flags = r->vm,
					    .offset = r->backing ? r->offset : 0,
					    .object = r->backing,
				    });
	if (err)
		return err;
	mm->total_bytes += r->bytes;
	return at;
}

int mm_unmap(struct mm *mm, u64 start, u64 end)
{
	u64 bytes = mapped_bytes(mm, start, end);
	int err;

	if (!bytes)
		return 0;
	err = vma_remove(&mm->vmas, start, end);
	if (err)
		return err;
	mm_drop(mm, start, end);
	mm->total_bytes -= bytes;
	return 0;
}
