/*
 * System calls about memory.
 *
 * Runs in: the personality's domain. Source: mmap(2), mprotect(2), mremap(2), madvise(2), brk(2),
 * mincore(2), msync(2), mlock(2).
 */
#include "exec.h"
#include "mm.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <vfs/file.h>

#define PROT_KNOWN                                                                                 \
	(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN | PROT_GROWSUP | 8u /* PROT_SEM */)

/* ---- brk ---- */

s64 sys_brk(struct thread *t, const u64 *a)
{
	struct mm *mm = thread_mm(t);
	u64 old = ROUND_UP(mm->brk, PAGE_SIZE), new = ROUND_UP(a[0], PAGE_SIZE);
	s64 at;

	if (a[0] < mm->brk_start || a[0] > MM_TOP)
		return (s64)mm->brk;
	if (new < old && mm_unmap(mm, new, old))
		return (s64)mm->brk;
	if (new > old) {
		if (mm->limit_data != UINT64_MAX &&
		    a[0] - mm->brk_start + (mm->data_end - mm->data_start) > mm->limit_data)
			return (s64)mm->brk;
		at = mm_map(mm, &(struct mm_request){
					.addr = old,
					.bytes = new - old,
					.prot = PROT_READ | PROT_WRITE,
					.flags = LMAP_FIXED | LMAP_FIXED_NOREPLACE,
					.vm = VM_HEAP,
				});
		if (at < 0)
			return (s64)mm->brk;
	}
	mm->brk = a[0];
	return (s64)mm->brk;
}

/* ---- mmap ---- */

static int check_map_flags(u64 bytes, u32 flags)
{
	u32 type = flags & LMAP_TYPE;

	if (!bytes)
		return -EINVAL;
	if (type != LMAP_SHARED && type != LMAP_PRIVATE && type != LMAP_SHARED_VALIDATE)
		return -EINVAL;
	if (flags & LMAP_HUGETLB)
		return -EINVAL; /* no pool of huge pages: as with nr_hugepages 0, but for ENOMEM */
	if (bytes > MM_TOP)
		return -ENOMEM;
	return 0;
}

/* Memory that is shared with the children. */
static int map_shared(struct mm_request *r)
{
	r->offset = 0;
	r->backing = backing_new_anonymous(r->bytes);
	return r->backing ? 0 : -ENOMEM;
}

/* The file behind a mapping: its backing in @r, and what mprotect may not give. */
static int map_file(struct thread *t, int fd, u32 flags, struct mm_request *r)
{
	bool shared = (flags & LMAP_TYPE) != LMAP_PRIVATE;
	struct file *file = fd_get_real(&t->vfs, fd);
	int err;

	if (!file)
		return -EBADF;
	err = file_check_mmap(&t->vfs, file, shared, r->prot);
	if (err == FILE_MAPS_ZEROS) {
		file_put(file);
		return shared ? map_shared(r) : 0;
	}
	if (!err && shared && !(file->mode & FILE_WRITE))
		r->vm |= VM_DENYWRITE;
	if (!err) {
		r->backing = backing_new_file(file);
		err = r->backing ? 0 : -ENOMEM;
	}
	file_put(file);
	return err;
}

static void populate(struct mm *mm, u64 start, u64 bytes, u32 how)
{
	for (u64 at = start; at < start + bytes; at += PAGE_SIZE) {
		if (mm_fault(mm, at, how))
			return;
	}
}

s64 sys_mmap(struct thread *t, const u64 *a)
{
	u32 flags = (u32)a[3];
	struct mm_request r = {
		.addr = a[0],
		.bytes = ROUND_UP(a[1], PAGE_SIZE),
		.prot = (u32)a[2] & (PROT_READ | PROT_WRITE | PROT_EXEC),
		.flags = flags,
		.offset = a[5],
	};
	s64 at;
	int err = a[5] % PAGE_SIZE ? -EINVAL : check_map_flags(a[1], flags);

	if (err)
		return err;
	if (r.bytes == 0 || r.bytes > MM_TOP)
		return -ENOMEM;
	if ((flags & LMAP_TYPE) != LMAP_PRIVATE)
		r.vm |= VM_SHARED;
	if (flags & LMAP_GROWSDOWN)
		r.vm |= VMA_GROWSDOWN;
	if (flags & LMAP_LOCKED)
		r.vm |= VM_LOCKED;
	if (!(flags & LMAP_ANONYMOUS)) {
		if (a[5] + r.bytes < a[5])
			return -EOVERFLOW;
		err = map_file(t, (int)a[4], flags, &r);
	} else if (r.vm & VM_SHARED) {
		err = map_shared(&r);
	}
	if (err)
		return err;
	at = mm_map(thread_mm(t), &r);
	backing_put(r.backing);
	if (at > 0 && flags & (LMAP_POPULATE | LMAP_LOCKED) && r.prot)
		populate(thread_mm(t), (u64)at, r.bytes,
			 r.prot & PROT_WRITE ? TOUCH_WRITE : TOUCH_READ);
	return at;
}

s64 sys_munmap(struct thread *t, const u64 *a)
{
	u64 bytes = ROUND_UP(a[1], PAGE_SIZE);

	if (a[0] % PAGE_SIZE || !bytes || a[0] > MM_TOP || bytes > MM_TOP - a[0])
		return -EINVAL;
	return mm_unmap(thread_mm(t), a[0], a[0] + bytes);
}

/* Start, and end on a page, of a range given by a program; 1: it is empty. */
static int check_range(const u64 *a, u64 *end)
{
	if (a[0] % PAGE_SIZE)
		return -EINVAL;
	*end = a[0] + ROUND_UP(a[1], PAGE_SIZE);
	if (*end == a[0])
		return a[1] ? -ENOMEM : 1;
	return *end < a[0] || *end > MM_TOP ? -ENOMEM : 0;
}

s64 sys_mprotect(struct thread *t, const u64 *a)
{
	struct mm *mm = thread_mm(t);
	u32 prot = (u32)a[2] & (PROT_READ | PROT_WRITE | PROT_EXEC);
	u64 end, start = a[0];
	int err;

	if (a[2] & ~(u64)PROT_KNOWN || (a[2] & PROT_GROWSDOWN && a[2] & PROT_GROWSUP))
		return -EINVAL;
	err = check_range(a, &end);
	if (err)
		return err < 0 ? err : 0;
	if (a[2] & PROT_GROWSDOWN) {
		const struct vma *vma = vma_at(&mm->vmas, start);

		if (!vma || !(vma->flags & VMA_GROWSDOWN))
			return -EINVAL;
		start = vma->start;
	}
	if (!vma_covers(&mm->vmas, start, end))
		return -ENOMEM;
	for (const struct vma *v = vma_find(&mm->vmas, start); v && v->start < end;
	     v = vma_next(&mm->vmas, v)) {
		if (prot & PROT_WRITE && v->flags & VM_DENYWRITE)
			return -EACCES;
	}
	err = vma_change(&mm->vmas, start, end, prot, UINT32_MAX, 0);
	if (!err)
		mm_forget(mm, start, end);
	return err;
}

/* ---- mremap ---- */

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
	return move(mm, vma, a[0], old, new, a[3] & MREMAP_FIXED ? a[4] : 0, (u32)a[3]);
}

/* ---- advice and the rest ---- */

static int advise(struct mm *mm, u64 start, u64 end, s32 advice)
{
	switch (advice) {
	case MADV_DONTNEED:
		for (const struct vma *v = vma_find(&mm->vmas, start); v && v->start < end;
		     v = vma_next(&mm->vmas, v)) {
			if (v->flags & VM_LOCKED)
				return -EINVAL;
		}
		mm_drop(mm, start, end);
		return 0;
	case MADV_DONTFORK:
		return vma_flag(&mm->vmas, start, end, UINT32_MAX, VM_DONTFORK);
	case MADV_DOFORK:
		return vma_flag(&mm->vmas, start, end, ~VM_DONTFORK, 0);
	case MADV_WIPEONFORK:
		for (const struct vma *v = vma_find(&mm->vmas, start); v && v->start < end;
		     v = vma_next(&mm->vmas, v)) {
			if (v->object)
				return -EINVAL;
		}
		return vma_flag(&mm->vmas, start, end, UINT32_MAX, VM_WIPEONFORK);
	case MADV_KEEPONFORK:
		return vma_flag(&mm->vmas, start, end, ~VM_WIPEONFORK, 0);
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		for (u64 at = start; at < end; at += PAGE_SIZE) {
			int err = mm_fault(
				mm, at, advice == MADV_POPULATE_WRITE ? TOUCH_WRITE : TOUCH_READ);

			if (err)
				return err == TOUCH_NOMEM ? -ENOMEM : -EFAULT;
		}
		return 0;
	default: /* hints: nothing has to happen */
		return 0;
	}
}

static bool is_advice(s32 advice)
{
	return (advice >= MADV_NORMAL && advice <= MADV_DONTNEED) || advice == MADV_FREE ||
	       (advice >= MADV_DONTFORK && advice <= MADV_DOFORK) ||
	       (advice >= MADV_HUGEPAGE && advice <= MADV_POPULATE_WRITE);
}

s64 sys_madvise(struct thread *t, const u64 *a)
{
	struct mm *mm = thread_mm(t);
	s32 advice = (s32)a[2];
	u64 end;
	int err;

	if (!is_advice(advice))
		return -EINVAL;
	err = check_range(a, &end);
	if (err)
		return err > 0 ? 0 : -EINVAL;
	if (advice == MADV_FREE) {
		const struct vma *v = vma_find(&mm->vmas, a[0]);

		if (v && v->object)
			return -EINVAL;
		advice = MADV_DONTNEED; /* freed at once: a program cannot tell */
	}
	err = advise(mm, a[0], end, advice);
	/* What is mapped was advised, even if not all is. */
	return err ? err : (vma_covers(&mm->vmas, a[0], end) ? 0 : -ENOMEM);
}

s64 sys_mincore(struct thread *t, const u64 *a)
{
	struct mm *mm = thread_mm(t);
	u64 end;
	int err = check_range(a, &end);

	if (err)
		return err > 0 ? 0 : err;
	if (!vma_covers(&mm->vmas, a[0], end))
		return -ENOMEM;
	for (u64 at = a[0]; at < end; at += PAGE_SIZE) {
		const u64 *entry = pagemap_find(&mm->pages, at);
		u8 resident = entry && *entry;

		if (copy_out(t, a[2] + (at - a[0]) / PAGE_SIZE, &resident, 1))
			return -EFAULT;
	}
	return 0;
}

s64 sys_msync(struct thread *t, const u64 *a)
{
	u64 end;
	int err;

	if (a[2] & ~7ul || (a[2] & MS_ASYNC && a[2] & MS_SYNC))
		return -EINVAL;
	err = check_range(a, &end);
	if (err)
		return err > 0 ? 0 : err;
	if (!vma_covers(&thread_mm(t)->vmas, a[0], end))
		return -ENOMEM;
	if (a[2] & MS_INVALIDATE) {
		for (const struct vma *v = vma_find(&thread_mm(t)->vmas, a[0]); v && v->start < end;
		     v = vma_next(&thread_mm(t)->vmas, v)) {
			if (v->flags & VM_LOCKED)
				return -EBUSY;
		}
	}
	return 0; /* the page cache is the file: all file systems so far are in memory */
}

/* Nothing is ever taken away from memory: locking makes pages come now. */
static s64 lock(struct thread *t, const u64 *a, bool on, bool now)
{
	struct mm *mm = thread_mm(t);
	u64 start = ROUND_DOWN(a[0], PAGE_SIZE), end = ROUND_UP(a[0] + a[1], PAGE_SIZE);
	int err;

	if (end < start || end > MM_TOP)
		return -EINVAL;
	if (on && !capable(t, CAP_IPC_LOCK) && end - start > t->process->limits[RLIMIT_MEMLOCK].cur)
		return t->process->limits[RLIMIT_MEMLOCK].cur ? -ENOMEM : -EPERM;
	if (!vma_covers(&mm->vmas, start, end))
		return -ENOMEM;
	err = vma_flag(&mm->vmas, start, end, on ? UINT32_MAX : ~VM_LOCKED, on ? VM_LOCKED : 0);
	for (u64 at = start; on && now && !err && at < end; at += PAGE_SIZE) {
		const struct vma *v = vma_at(&mm->vmas, at);

		if (v->prot)
			mm_fault(mm, at, v->prot & PROT_WRITE ? TOUCH_WRITE : TOUCH_READ);
	}
	return err;
}

s64 sys_mlock(struct thread *t, const u64 *a)
{
	return lock(t, a, true, true);
}

s64 sys_mlock2(struct thread *t, const u64 *a)
{
	return a[2] & ~1ul ? -EINVAL : lock(t, a, true, !a[2]);
}

s64 sys_munlock(struct thread *t, const u64 *a)
{
	return lock(t, a, false, false);
}
