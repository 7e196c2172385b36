/*
 * Advice about memory, and what is known of it: madvise, process_madvise, mincore, msync.
 *
 * Runs in: the personality's domain. Source: madvise(2), process_madvise(2), mincore(2), msync(2).
 */
#include "exec.h"
#include "memory.h"
#include "misc.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <vfs/file.h>

/* What each advice does to a range. */
enum effect {
	UNKNOWN,
	HINT,     /* nothing has to happen */
	FLAG,     /* flags of the range */
	DROP,     /* pages go */
	POPULATE, /* pages come */
	OTHER,
};

static const struct advice {
	u8 effect;
	bool destroys; /* content: not on sealed memory that cannot be written */
	u32 set, clear;
} advices[] = {
	[MADV_NORMAL] = {HINT},
	[MADV_RANDOM] = {HINT},
	[MADV_SEQUENTIAL] = {HINT},
	[MADV_WILLNEED] = {HINT},
	[MADV_DONTNEED] = {DROP, true},
	[MADV_FREE] = {DROP, true},
	[MADV_REMOVE] = {OTHER, true},
	[MADV_DONTFORK] = {FLAG, true, .set = VM_DONTFORK},
	[MADV_DOFORK] = {FLAG, .clear = VM_DONTFORK},
	[MADV_MERGEABLE] = {HINT},
	[MADV_UNMERGEABLE] = {HINT},
	[MADV_HUGEPAGE] = {FLAG, .set = VM_HUGE, .clear = VM_NOHUGE},
	[MADV_NOHUGEPAGE] = {FLAG, .set = VM_NOHUGE, .clear = VM_HUGE},
	[MADV_DONTDUMP] = {FLAG, .set = VM_DONTDUMP},
	[MADV_DODUMP] = {FLAG, .clear = VM_DONTDUMP},
	[MADV_WIPEONFORK] = {FLAG, true, .set = VM_WIPEONFORK},
	[MADV_KEEPONFORK] = {FLAG, .clear = VM_WIPEONFORK},
	[MADV_COLD] = {HINT},
	[MADV_PAGEOUT] = {HINT},
	[MADV_POPULATE_READ] = {POPULATE},
	[MADV_POPULATE_WRITE] = {POPULATE},
	[MADV_DONTNEED_LOCKED] = {DROP, true},
	[MADV_COLLAPSE] = {OTHER},
	[MADV_GUARD_INSTALL] = {OTHER, true},
	[MADV_GUARD_REMOVE] = {FLAG, .clear = VM_GUARD},
};

static const struct advice *advice_of(s32 number)
{
	if (number < 0 || number >= (s32)ARRAY_SIZE(advices) || !advices[number].effect)
		return NULL;
	return &advices[number];
}

/* Whether one range may be advised so: 0 or an error. */
static int check(const struct vma *v, s32 number, const struct advice *advice)
{
	bool anonymous = !v->object && !(v->flags & VM_SHARED);

	if (v->flags & VM_SEALED && advice->destroys && anonymous && !(v->prot & PROT_WRITE))
		return -EPERM;
	switch (number) {
	case MADV_DONTNEED:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return v->flags & VM_LOCKED ? -EINVAL : 0;
	case MADV_FREE:
	case MADV_WIPEONFORK:
		return anonymous ? 0 : -EINVAL;
	case MADV_GUARD_INSTALL:
		return v->flags & VM_LOCKED ? -EINVAL : 0;
	case MADV_REMOVE:
		if (v->flags & VM_LOCKED || !backing_file(v->object))
			return -EINVAL;
		return v->flags & VM_SHARED && v->prot & PROT_WRITE ? 0 : -EACCES;
	default:
		return 0;
	}
}

/* A hole in the file, where it is mapped. */
static int remove_pages(struct thread *t, const struct vma *v, u64 start, u64 end)
{
	struct file *file = backing_file(v->object);
	u64 offset = v->offset + (start - v->start);

	if (!file->ops->fallocate)
		return -EOPNOTSUPP;
	return file->ops->fallocate(&t->vfs, file, 3 /* PUNCH_HOLE, KEEP_SIZE */, offset,
				    end - start);
}

/* The part of one range; afterwards @v may be gone. */
static int advise_one(struct thread *t, struct mm *mm, const struct vma *v, u64 start, u64 end,
		      s32 number)
{
	const struct advice *advice = &advices[number];
	u32 how = number == MADV_POPULATE_WRITE ? TOUCH_WRITE : TOUCH_READ;
	int err;

	switch (advice->effect) {
	case FLAG:
		return vma_flag(&mm->vmas, start, end, ~advice->clear, advice->set);
	case DROP: /* freed at once, where Linux may do it later: a program cannot tell */
		mm_drop(mm, start, end);
		return 0;
	case POPULATE:
		for (u64 at = start; at < end; at += PAGE_SIZE) {
			err = mm_fault(mm, at, how);
			if (err)
				return err == TOUCH_NOMEM    ? -ENOMEM
				       : err == TOUCH_ACCERR ? -EINVAL
							     : -EFAULT;
		}
		return 0;
	case OTHER:
		break;
	default:
		return 0;
	}
	if (number == MADV_REMOVE)
		return remove_pages(t, v, start, end);
	if (number == MADV_COLLAPSE)
		return end - start < HUGE_BYTES ? -EINVAL : 0;
	err = vma_flag(&mm->vmas, start, end, UINT32_MAX, VM_GUARD);
	if (!err)
		mm_drop(mm, start, end);
	return err;
}

/* What is mapped is advised, even if not all is. */
static int advise(struct thread *t, struct mm *mm, u64 start, u64 end, s32 number)
{
	const struct advice *advice = &advices[number];
	bool covered = vma_covers(&mm->vmas, start, end);
	u64 at = start;

	if (advice->effect == POPULATE && !covered)
		return -ENOMEM;
	while (at < end) {
		const struct vma *v = vma_find(&mm->vmas, at);
		u64 from, to;
		int err;

		if (!v || v->start >= end)
			break;
		from = MAX(v->start, at);
		to = MIN(v->end, end);
		err = check(v, number, advice);
		if (!err)
			err = advise_one(t, mm, v, from, to, number);
		if (err)
			return err;
		at = to;
	}
	return covered ? 0 : -ENOMEM;
}

s64 sys_madvise(struct thread *t, const u64 *a)
{
	s32 number = (s32)a[2];
	u64 end;
	int err;

	if (!advice_of(number))
		return number == 100 || number == 101
			       ? (capable(t, VFS_CAP_SYS_ADMIN) ? -EINVAL : -EPERM)
			       : -EINVAL;
	err = memory_range(a, &end);
	if (err)
		return err > 0 ? 0 : -EINVAL;
	return advise(t, thread_mm(t), a[0], end, number);
}

/* ---- of another process ---- */

static bool may_be_remote(s32 number)
{
	return number == MADV_COLD || number == MADV_PAGEOUT || number == MADV_WILLNEED ||
	       number == MADV_COLLAPSE;
}

static s64 advise_vector(struct thread *t, struct mm *mm, const struct k_iovec *iov, u64 count,
			 s32 number)
{
	s64 done = 0;

	for (u64 i = 0; i < count; i++) {
		const u64 range[2] = {iov[i].base, iov[i].len};
		u64 end;
		int err = memory_range(range, &end);

		if (!err)
			err = advise(t, mm, range[0], end, number);
		else
			err = err > 0 ? 0 : -EINVAL;
		if (err)
			return done ? done : err;
		done += (s64)range[1];
	}
	return done;
}

s64 sys_process_madvise(struct thread *t, const u64 *a)
{
	s32 number = (s32)a[3];
	struct user_io io;
	struct process *p;
	struct mm *mm;
	s64 n;

	if (a[4])
		return -EINVAL;
	n = user_io_vector(t, &io, a[1], a[2]);
	if (n)
		return n;
	n = pidfd_process(t, (int)a[0], &p, NULL);
	if (!n && !p)
		n = -ESRCH;
	if (!n && (!advice_of(number) || (p != t->process && !may_be_remote(number))))
		n = -EINVAL;
	if (!n && !process_may_inspect(t, p))
		n = -EPERM;
	if (!n && (p != t->process && !capable(t, CAP_SYS_NICE)))
		n = -EPERM;
	if (!n && !p->mm)
		n = -ESRCH;
	if (!n) {
		mm = p->mm;
		mm->users++;
		n = advise_vector(t, mm, io.iov, io.count, number);
		mm_put(mm);
	}
	user_io_fini(&io);
	return n;
}

/* ---- what is there ---- */

/* A page of a file that is in memory counts, even if this process has not touched it. */
static bool is_resident(struct mm *mm, const struct vma *v, u64 at)
{
	const u64 *entry = pagemap_find(&mm->pages, at);
	struct backing *backing = v->object;

	if (entry && *entry)
		return true;
	return backing && backing->ops->resident &&
	       backing->ops->resident(backing, (v->offset + (at - v->start)) / PAGE_SIZE);
}

s64 sys_mincore(struct thread *t, const u64 *a)
{
	struct mm *mm = thread_mm(t);
	u64 end;
	int err;

	if (a[0] % PAGE_SIZE)
		return -EINVAL;
	err = memory_range(a, &end);
	if (err)
		return err > 0 ? 0 : err;
	if (!vma_covers(&mm->vmas, a[0], end))
		return -ENOMEM;
	for (u64 at = a[0]; at < end; at += PAGE_SIZE) {
		const struct vma *v = vma_at(&mm->vmas, at);
		u8 resident = v && is_resident(mm, v, at);

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
	err = memory_range(a, &end);
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
