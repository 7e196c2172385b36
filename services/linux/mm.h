/*
 * The memory of a process: ranges (lib/vma), pages (pagemap.h), and what the processor sees of
 * them (space.h).
 *
 *   mm_new -> users hold references -> last mm_put: everything is returned
 *
 * A page gets into the page map when somebody touches it, by a fault of the process or by the
 * personality copying (uaccess.h): both go through mm_touch(). It gets into the processor's tables
 * by faults only, with its neighbours. What the tables hold is always a part of what the page map
 * holds, with the same rights or fewer.
 *
 * Writing to private memory: a page with PM_ANON and one reference is the process's own. Every
 * other page is copied first.
 *
 * Not here: the system calls (memory.c), files (fmap.c makes their backings).
 * Runs in: the personality's domain.
 */
#ifndef LINUX_MM_H
#define LINUX_MM_H

#include "abi/mman.h"
#include "pagemap.h"
#include "space.h"
#include <vma/vma.h>

/* Flags of a range, beside VMA_GROWSDOWN. */
#define VM_SHARED     1u
#define VM_LOCKED     2u
#define VM_DONTFORK   4u
#define VM_WIPEONFORK 8u
#define VM_HEAP       16u /* grown by brk */
#define VM_DENYWRITE  32u /* shared, of a file that is not open for writing: mprotect is refused */
#define VM_STACK      64u
#define VM_VDSO       128u
#define VM_SEALED     256u
#define VM_GUARD      512u /* touching it is a fault, whatever its rights */
#define VM_HUGE       1024u
#define VM_NOHUGE     2048u
#define VM_DONTDUMP   4096u

#define HUGE_BYTES    (2 * MiB)

#define MM_TOP        0x00007ffffffff000ul /* TASK_SIZE_MAX */
#define MM_LOWEST     0x10000ul            /* vm.mmap_min_addr */

/* How a page is touched. */
#define TOUCH_READ  0u
#define TOUCH_WRITE 1u
#define TOUCH_EXEC  2u

/* Why not: what the signal says. */
#define TOUCH_MAPERR (-1)
#define TOUCH_ACCERR (-2)
#define TOUCH_BUS    (-3) /* beyond the end of the file */
#define TOUCH_NOMEM  (-4)

struct backing;

/* Where the pages of a mapping come from that is no private anonymous one. */
struct backing_ops {
	/*
	 * The page at @index (of PAGE_SIZE), with a reference for the caller; may wait unless
	 * @nowait (then -EAGAIN). @shared: for a shared mapping: a hole becomes a page.
	 * Returns 0, -EFAULT (beyond the end), -ENOMEM, -EIO, -EINTR.
	 */
	int (*page)(struct backing *backing, u64 index, bool shared, bool nowait,
		    struct page **out);
	/*
	 * The @count pages from @index on that are in memory, without references, NULL for others:
	 * neighbours of one that is needed. Returns how many there are. May be NULL.
	 */
	u32 (*pages)(struct backing *backing, u64 index, u32 count, struct page **out);
	void (*release)(struct backing *backing);
	/* Whether the page at @index is in memory without being asked for; NULL: it is not. */
	bool (*resident)(struct backing *backing, u64 index);
	/* The path, for /proc/PID/maps; may be NULL. */
	s64 (*path)(struct backing *backing, char *out, u64 size);
	/* Device and inode, for the same. May be NULL. */
	void (*ident)(struct backing *backing, u64 *dev, u64 *ino);
};

struct backing {
	const struct backing_ops *ops;
	u32 refs;
};

struct mm {
	u32 users;
	u32 far_core, far_tid; /* of a stub (afar.h): 1 + the core that has the memory; 0 */
	struct vma_map vmas;
	struct pagemap pages;
	struct space *space;
	u64 total_bytes; /* of all ranges */
	u64 brk_start, brk;
	u64 mmap_top; /* ranges are given out below it */
	u64 code_start, code_end, data_start, data_end, stack_start;
	u64 args_start, args_end, env_start, env_end;
	u64 vdso;
	u32 membarrier;                        /* what it is registered for: membarrier(2) */
	bool no_huge;                          /* PR_SET_THP_DISABLE */
	bool merge;                            /* PR_SET_MEMORY_MERGE */
	u32 mdwe;                              /* PR_SET_MDWE */
	bool lock_future;                      /* mlockall(MCL_FUTURE) */
	u64 limit_as, limit_data, limit_stack; /* RLIMIT_*, bytes */
	u64 peak_pages;
	u64 nhuge; /* large pages that are mapped: huge.h */
	u64 minor_faults;
	struct backing *exe; /* the program's file, or NULL */
	u32 auxv_words;
	u64 auxv[48];
};

/** A new backing has one reference. */
static inline void backing_get(struct backing *backing)
{
	backing->refs++;
}

void backing_put(struct backing *backing);

/** Shared anonymous memory of at most @bytes; NULL: no memory. */
struct backing *backing_new_anonymous(u64 bytes);

struct mm *mm_new(void);
void mm_put(struct mm *mm);

/** A copy for a child: private pages are shared until either writes. NULL: no memory. */
struct mm *mm_fork(struct mm *from);

/**
 * Make sure that @addr has a page that may be touched so. May wait (files).
 * @entry  is set to its entry, good until the next wait or change
 * Returns 0 or TOUCH_*.
 */
int mm_touch(struct mm *mm, u64 addr, u32 how, u64 **entry);

/** A page fault of the process at @addr: touch, and map what is around. 0 or TOUCH_*. */
int mm_fault(struct mm *mm, u64 addr, u32 how);

/**
 * What a program that begins will touch soon: pages of [@start, @end) get into the page map, those
 * that are to be written as its own; what cannot be had is left to a fault.
 */
void mm_prefault(struct mm *mm, u64 start, u64 end, u32 how);

/** Put up to @pages of what the page map has into the processor's tables, ahead of faults. */
void mm_map_present(struct mm *mm, u32 pages);

/** A mapping to be made; see mmap(2). */
struct mm_request {
	u64 addr, bytes;
	u32 prot;
	u32 flags;               /* MAP_SHARED ... of abi/mman.h: FIXED, FIXED_NOREPLACE */
	u32 vm;                  /* VM_*, VMA_GROWSDOWN */
	struct backing *backing; /* or NULL */
	u64 offset;
};

/** Returns the address, -ENOMEM, -EINVAL, -EEXIST, -EPERM. */
s64 mm_map(struct mm *mm, const struct mm_request *request);

/** @start, @end on pages. 0 or -ENOMEM. */
int mm_unmap(struct mm *mm, u64 start, u64 end);

/** Take from the processor's tables what is mapped there: it comes back by faults. */
void mm_forget(struct mm *mm, u64 start, u64 end);

/** Drop the pages: private memory is zero, or the file's, afterwards. */
void mm_drop(struct mm *mm, u64 start, u64 end);

/** Drop pages @first to @last of what @vma maps, as far as it does. */
void mm_drop_part(struct mm *mm, const struct vma *vma, u64 first, u64 last);

/** Whether @bytes more are within the limit on address space. */
bool mm_within_limit(const struct mm *mm, u64 bytes);

/** Bytes of ranges that count as data: private, writable, not the stack. */
u64 mm_data_bytes(const struct mm *mm);

/** Bytes of ranges that are locked: lock.c. */
u64 mm_locked_bytes(const struct mm *mm);

/** Where @bytes are free, or 0. */
u64 mm_find_gap(const struct mm *mm, u64 bytes, u64 low);

#endif
