/*
 * System calls about memory.
 *
 * Not here: mremap.c, advice.c, lock.c.
 * Runs in: the personality's domain. Source: mmap(2), mprotect(2), munmap(2), brk(2).
 */
#include "exec.h"
#include "memory.h"
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
					.vm = VM_HEAP | (mm->lock_future ? VM_LOCKED : 0),
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
	if (type == LMAP_SHARED_VALIDATE && flags & ~LMAP_KNOWN)
		return -EOPNOTSUPP;
	if (flags & LMAP_HUGETLB) /* the pool of huge pages is empty */
		return flags & LMAP_ANONYMOUS ? -ENOMEM : -EINVAL;
	if (bytes > MM_TOP)
		return -ENOMEM;
	return 0;
}

/* Memory that is shared with the children. */
static int map_shared(struct mm_request *r)
{
	r->offset = 0;
	if (!(r->flags & LMAP_NORESERVE) && r->bytes > ram_total_bytes())
		return -ENOMEM;
	r->backing = backing_new_anonymous(r->bytes);
	return r->backing ? 0 : -ENOMEM;
}

/* More at once than the machine has is refused (vm.overcommit_memory 0: proc_sys_vm(5)). */
static bool is_too_much(const struct mm_request *r)
{
	bool accounted = r->prot & PROT_WRITE && !(r->vm & VM_SHARED);

	if (r->vm & VM_SHARED && r->flags & LMAP_ANONYMOUS)
		accounted = true;
	return accounted && !(r->flags & LMAP_NORESERVE) && r->bytes > ram_total_bytes();
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
	if (!err && shared &&
	    (!(file->mode & FILE_WRITE) || file->inode->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE)))
		r->vm |= VM_DENYWRITE;
	if (!err) {
		r->backing = backing_new_file(file);
		err = r->backing ? 0 : -ENOMEM;
	}
	file_put(file);
	return err;
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
	if (r.prot & PROT_READ && t->personality & READ_IMPLIES_EXEC)
		r.prot |= PROT_EXEC;
	if (thread_mm(t)->mdwe && r.prot & PROT_WRITE && r.prot & PROT_EXEC)
		return -EACCES;
	if (flags & LMAP_LOCKED)
		err = memory_may_lock(t, r.bytes);
	if (err)
		return err;
	if ((flags & LMAP_TYPE) != LMAP_PRIVATE)
		r.vm |= VM_SHARED;
	if (flags & LMAP_GROWSDOWN)
		r.vm |= VMA_GROWSDOWN;
	if (flags & LMAP_LOCKED || thread_mm(t)->lock_future)
		r.vm |= VM_LOCKED;
	if (!(flags & LMAP_ANONYMOUS)) {
		if (a[5] + r.bytes < a[5])
			return -EOVERFLOW;
		err = map_file(t, (int)a[4], flags, &r);
	} else if (r.vm & VM_SHARED) {
		err = map_shared(&r);
	}
	if (!err && is_too_much(&r))
		err = -ENOMEM;
	if (!err && flags & LMAP_FIXED && mm_is_sealed(thread_mm(t), a[0], a[0] + r.bytes))
		err = -EPERM;
	if (err) {
		backing_put(r.backing);
		return err;
	}
	at = mm_map(thread_mm(t), &r);
	backing_put(r.backing);
	if (at > 0 && (flags & LMAP_POPULATE || r.vm & VM_LOCKED) && r.prot)
		memory_populate(thread_mm(t), (u64)at, (u64)at + r.bytes);
	return at;
}

s64 sys_munmap(struct thread *t, const u64 *a)
{
	u64 bytes = ROUND_UP(a[1], PAGE_SIZE);

	if (a[0] % PAGE_SIZE || !bytes || a[0] > MM_TOP || bytes > MM_TOP - a[0])
		return -EINVAL;
	if (mm_is_sealed(thread_mm(t), a[0], a[0] + bytes))
		return -EPERM;
	return mm_unmap(thread_mm(t), a[0], a[0] + bytes);
}

int memory_range(const u64 *a, u64 *end)
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

	if (prot & PROT_READ && t->personality & READ_IMPLIES_EXEC)
		prot |= PROT_EXEC;
	if (a[2] & ~(u64)PROT_KNOWN || (a[2] & PROT_GROWSDOWN && a[2] & PROT_GROWSUP))
		return -EINVAL;
	err = memory_range(a, &end);
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
	if (mm_is_sealed(mm, start, end))
		return -EPERM;
	for (const struct vma *v = vma_find(&mm->vmas, start); v && v->start < end;
	     v = vma_next(&mm->vmas, v)) {
		if (prot & PROT_WRITE && v->flags & VM_DENYWRITE)
			return -EACCES;
		if (mm->mdwe && prot & PROT_EXEC && !(v->prot & PROT_EXEC))
			return -EACCES;
	}
	err = vma_change(&mm->vmas, start, end, prot, UINT32_MAX, 0);
	if (!err)
		mm_forget(mm, start, end);
	return err;
}
