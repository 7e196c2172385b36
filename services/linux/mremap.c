/*
 * Moving and resizing mappings: mremap, remap_file_pages.
 *
 * Runs in: the personality's domain. Source: mremap(2), remap_file_pages(2).
 */
#include "memory.h"
#include "syscall.h"

#include <errno.h>

struct moving {
	struct mm *mm;
	u64 from, to, bytes;
	int err;
};

static void move_pages(struct moving *m)
{
	struct mm *mm = m->mm;

	mm_forget(mm, m->from, m->from + m->bytes);
	for (u64 done = 0; done < m->bytes; done += PAGE_SIZE) {
		u64 *old = pagemap_find(&mm->pages, m->from + done), *new;

		if (!old) {
			done = ROUND_DOWN(m->from + done, GROUP_BYTES) + GROUP_BYTES - m->from -
			       PAGE_SIZE;
			continue;
		}
		if (!*old)
			continue;
		new = pagemap_make(&mm->pages, m->to + done);
		if (!new)
			continue; /* the page is lost to a lack of memory: zero, or the file's */
		page_get(entry_page(*old));
		pagemap_set(&mm->pages, new, entry_page(*old), *old & PM_ANON);
	}
}

/* Map the same somewhere else and move the pages. */
static s64 move(struct mm *mm, const struct vma *vma, u64 from, u64 old_bytes, u64 new_bytes,
		u64 to, u32 flags)
{
	struct mm_request r = {
		.addr = to,
		.bytes = new_bytes,
		.prot = vma->prot,
		.flags = flags & MREMAP_FIXED ? LMAP_FIXED : 0,
		.vm = vma->flags & ~VMA_GROWSDOWN,
		.backing = vma->object,
		.offset = vma->offset + (from - vma->start),
	};
	struct moving m = {.mm = mm, .from = from, .bytes = MIN(old_bytes, new_bytes)};
	s64 at;
	int err;

	if (r.backing)
		backing_get(r.backing);
	at = mm_map(mm, &r);
	backing_put(r.backing);
	if (at < 0)
		return at;
	m.to = (u64)at;
	move_pages(&m);
	if (flags & MREMAP_DONTUNMAP) {
		mm_drop(mm, from, from + old_bytes);
		return at;
	}
	err = mm_unmap(mm, from, from + old_bytes);
	return err ? err : at;
}

/* Make the range at its end larger, if there is room. */
static s64 grow(struct mm *mm, const struct vma *vma, u64 addr, u64 old_bytes, u64 new_bytes)
{
	struct vma more = *vma;

	more.start = addr + old_bytes;
	more.end = addr + new_bytes;
	more.offset = vma->offset + (more.start - vma->start);
	if (more.start != vma->end || more.end > MM_TOP ||
	    vma_gap(&mm->vmas, more.start, more.end, more.end - more.start, PAGE_SIZE, false) !=
		    more.start)
		return -ENOMEM;
	if (!mm_within_limit(mm, new_bytes - old_bytes) || vma_insert(&mm->vmas, &more))
		return -ENOMEM;
	mm->total_bytes += new_bytes - old_bytes;
	return (s64)addr;
}

static int check_mremap(const u64 *a)
{
	u64 old = ROUND_UP(a[1], PAGE_SIZE), new = ROUND_UP(a[2], PAGE_SIZE);

	if (a[3] & ~7ul || a[0] % PAGE_SIZE || !new)
		return -EINVAL;
	if (a[3] & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(a[3] & MREMAP_MAYMOVE))
		return -EINVAL;
	if (a[3] & MREMAP_DONTUNMAP && old != new)
		return -EINVAL;
	if (a[3] & MREMAP_DONTUNMAP && a[4] % PAGE_SIZE)
		return -EINVAL;
	if (a[3] & MREMAP_FIXED && (a[4] % PAGE_SIZE || new > MM_TOP || a[4] > MM_TOP - new ||
				    (a[4] < a[0] + old && a[0] < a[4] + new)))
		return -EINVAL;
	return 0;
}

s64 sys_mremap(struct thread *t, const u64 *a)
{
	struct mm *mm = thread_mm(t);
	u64 old = ROUND_UP(a[1], PAGE_SIZE), new = ROUND_UP(a[2], PAGE_SIZE);
	const struct vma *vma;
	int err = check_mremap(a);
	s64 at;

	if (err)
		return err;
	vma = vma_at(&mm->vmas, a[0]);
	if (!vma)
		return -EFAULT;
	if (!old && !(vma->flags & VM_SHARED))
		return -EINVAL;
	if (mm_is_sealed(mm, a[0], a[0] + old) ||
	    (a[3] & MREMAP_FIXED && mm_is_sealed(mm, a[4], a[4] + new)))
		return -EPERM;
	if (new > old && vma->flags &VM_LOCKED) {
		err = memory_may_lock(t, new - old);
		if (err)
			return err;
	}
	if (!(a[3] & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && old >= new) {
		err = mm_unmap(mm, a[0] + new, a[0] + old);
		return err ? err : (s64)a[0];
	}
	if (old > vma->end - a[0])
		return -EFAULT;
	if (!(a[3] & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && old) {
		at = grow(mm, vma, a[0], old, new);
		if (at > 0)
			return at;
	}
	if (!(a[3] & MREMAP_MAYMOVE))
		return -ENOMEM;
	return move(mm, vma, a[0], old, new, a[3] & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? a[4] : 0,
		    (u32)a[3]);
}

/* Pages of a shared mapping in another order: a mapping of that part in its place. */
s64 sys_remap_file_pages(struct thread *t, const u64 *a)
{
	struct mm *mm = thread_mm(t);
	u64 start = ROUND_DOWN(a[0], PAGE_SIZE), bytes = ROUND_DOWN(a[1], PAGE_SIZE);
	struct mm_request r = {.addr = start, .bytes = bytes, .flags = LMAP_FIXED};
	const struct vma *v;
	s64 at;

	if (a[2] || start + bytes <= start || a[3] + bytes / PAGE_SIZE < a[3] ||
	    a[3] > UINT64_MAX / PAGE_SIZE)
		return -EINVAL;
	v = vma_at(&mm->vmas, start);
	if (!v || !(v->flags & VM_SHARED) || start + bytes > v->end)
		return -EINVAL;
	if (v->flags & VM_SEALED)
		return -EPERM;
	r.prot = v->prot;
	r.vm = v->flags;
	r.offset = a[3] * PAGE_SIZE;
	r.backing = v->object;
	backing_get(r.backing);
	at = mm_map(mm, &r);
	backing_put(r.backing);
	return at < 0 ? at : 0;
}
