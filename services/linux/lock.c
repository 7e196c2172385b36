/*
 * Locking memory. Nothing is ever taken away from memory here: locking makes pages come now, is
 * counted, and limited.
 *
 * Runs in: the personality's domain. Source: mlock(2), mseal(2).
 */
#include "memory.h"
#include "syscall.h"

#include <errno.h>

#define MCL_CURRENT 1u
#define MCL_FUTURE  2u
#define MCL_ONFAULT 4u

static u64 locked_bytes(const struct mm *mm)
{
	u64 bytes = 0;

	for (u32 i = 0; i < mm->vmas.count; i++) {
		const struct vma *v = &mm->vmas.list[i];

		bytes += v->flags & VM_LOCKED ? v->end - v->start : 0;
	}
	return bytes;
}

u64 mm_locked_bytes(const struct mm *mm)
{
	return locked_bytes(mm);
}

static bool may_lock_at_all(const struct thread *t)
{
	return t->process->limits[RLIMIT_MEMLOCK].cur || capable(t, CAP_IPC_LOCK);
}

static bool within_limit(const struct thread *t, u64 bytes)
{
	return bytes <= t->process->limits[RLIMIT_MEMLOCK].cur || capable(t, CAP_IPC_LOCK);
}

int memory_may_lock(const struct thread *t, u64 bytes)
{
	if (!may_lock_at_all(t))
		return -EPERM;
	return within_limit(t, locked_bytes(thread_mm(t)) + bytes) ? 0 : -EAGAIN;
}

void memory_populate(struct mm *mm, u64 start, u64 end)
{
	for (u64 at = start; at < end; at += PAGE_SIZE) {
		const struct vma *v = vma_at(&mm->vmas, at);
		bool own = v && v->prot & PROT_WRITE && !(v->flags & VM_SHARED);

		if (v && v->prot && mm_fault(mm, at, own ? TOUCH_WRITE : TOUCH_READ))
			return;
	}
}

/* Bytes of the range that are not locked yet. */
static u64 unlocked_bytes(const struct mm *mm, u64 start, u64 end)
{
	u64 bytes = 0;

	for (const struct vma *v = vma_find(&mm->vmas, start); v && v->start < end;
	     v = vma_next(&mm->vmas, v)) {
		if (!(v->flags & VM_LOCKED))
			bytes += MIN(v->end, end) - MAX(v->start, start);
	}
	return bytes;
}

static s64 lock(struct thread *t, const u64 *a, bool on, bool now)
{
	struct mm *mm = thread_mm(t);
	u64 start = ROUND_DOWN(a[0], PAGE_SIZE), end = ROUND_UP(a[0] + a[1], PAGE_SIZE);
	int err;

	if (on && !may_lock_at_all(t))
		return -EPERM;
	if (end < start || end > MM_TOP)
		return on && end >= start ? -ENOMEM : -EINVAL;
	if (on && !within_limit(t, locked_bytes(mm) + unlocked_bytes(mm, start, end)))
		return -ENOMEM;
	if (start == end)
		return 0;
	if (!vma_covers(&mm->vmas, start, end))
		return -ENOMEM;
	err = vma_flag(&mm->vmas, start, end, on ? UINT32_MAX : ~VM_LOCKED, on ? VM_LOCKED : 0);
	if (!err && on && now)
		memory_populate(mm, start, end);
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

s64 sys_mlockall(struct thread *t, const u64 *a)
{
	struct mm *mm = thread_mm(t);
	u32 flags = (u32)a[0];
	int err = 0;

	if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!may_lock_at_all(t))
		return -EPERM;
	if (flags & MCL_CURRENT && !within_limit(t, mm->total_bytes))
		return -ENOMEM;
	mm->lock_future = flags & MCL_FUTURE;
	if (flags & MCL_CURRENT)
		err = vma_flag(&mm->vmas, 0, MM_TOP, UINT32_MAX, VM_LOCKED);
	for (u32 i = 0; !err && flags & MCL_CURRENT && !(flags & MCL_ONFAULT) && i < mm->vmas.count;
	     i++) {
		u64 start = mm->vmas.list[i].start;

		memory_populate(mm, start, mm->vmas.list[i].end);
	}
	return err;
}

s64 sys_munlockall(struct thread *t, const u64 *a)
{
	struct mm *mm = thread_mm(t);

	(void)a;
	mm->lock_future = false;
	return vma_flag(&mm->vmas, 0, MM_TOP, ~VM_LOCKED, 0);
}

/* ---- sealing ---- */

bool mm_is_sealed(const struct mm *mm, u64 start, u64 end)
{
	for (const struct vma *v = vma_find(&mm->vmas, start); v && v->start < end;
	     v = vma_next(&mm->vmas, v)) {
		if (v->flags & VM_SEALED)
			return true;
	}
	return false;
}

s64 sys_mseal(struct thread *t, const u64 *a)
{
	struct mm *mm = thread_mm(t);
	u64 end;
	int err;

	if (a[2])
		return -EINVAL;
	err = memory_range(a, &end);
	if (err)
		return err > 0 ? 0 : -EINVAL;
	if (!vma_covers(&mm->vmas, a[0], end))
		return -ENOMEM;
	return vma_flag(&mm->vmas, a[0], end, UINT32_MAX, VM_SEALED);
}
