/*
 * The memory of processes in /proc: maps, smaps.
 *
 * Runs in: the personality's domain. Source: proc_pid_maps(5), proc_pid_smaps(5).
 */
#include "exec.h"
#include "procfiles.h"

#include <errno.h>

#define NAME_COLUMN 73u /* where names begin in maps, unless the line is longer */

static const char *range_name(const struct mm *mm, const struct vma *v)
{
	if (v->start <= mm->brk && v->end >= mm->brk_start && v->flags & VM_HEAP)
		return "[heap]";
	return v->flags & VM_STACK ? "[stack]" : NULL;
}

/* One line, as maps has them. */
static void show_range(struct vfs_task *reader, const struct mm *mm, const struct vma *v,
		       struct text *out)
{
	struct backing *backing = v->object;
	struct file *file = backing_file(backing);
	const char *name = range_name(mm, v);
	u32 dev = file ? file->inode->sb->dev : 0;
	char path[VFS_PATH_MAX];
	size_t begin = out->len;

	text_printf(out, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", v->start, v->end,
		    v->prot & PROT_READ ? 'r' : '-', v->prot & PROT_WRITE ? 'w' : '-',
		    v->prot & PROT_EXEC ? 'x' : '-', v->flags & VM_SHARED ? 's' : 'p', v->offset,
		    VFS_MAJOR(dev), VFS_MINOR(dev), file ? file->inode->ino : 0);
	if (file && vfs_path_name(reader, &file->path, path, sizeof(path)) > 0)
		name = path;
	else if (backing && backing->ops->path &&
		 backing->ops->path(backing, path, sizeof(path)) > 0)
		name = path;
	while (name && out->len - begin < NAME_COLUMN && !text_error(out))
		text_puts(out, " ");
	text_printf(out, "%s\n", name ? name : "");
}

int proc_show_maps(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct process *p = process_find(pid);

	(void)arg;
	if (!proc_may_look(NULL, reader, pid))
		return -EACCES;
	for (u32 i = 0; p && p->mm && i < p->mm->vmas.count; i++)
		show_range(reader, p->mm, &p->mm->vmas.list[i], out);
	return 0;
}

/* Pages of a range, by who has them. */
struct pages {
	u64 bytes, rss, shared, own, anonymous, huge, pss_bytes, locked;
};

static void count_page(u64 entry, struct pages *sum)
{
	const struct page *page = entry_page(entry);

	sum->rss++;
	if (page->refs > 1)
		sum->shared++;
	else
		sum->own++;
	sum->anonymous += entry & PM_ANON ? 1 : 0;
	sum->huge += entry & PM_HUGE ? 1 : 0;
	sum->pss_bytes += PAGE_SIZE / MAX(page->refs, 1u);
}

static void count_range(const struct mm *mm, const struct vma *v, struct pages *sum)
{
	sum->bytes += v->end - v->start;
	for (u64 i = 0; i < mm->pages.nslots; i++) {
		for (const struct group *g = mm->pages.slots[i]; g; g = g->next) {
			for (u32 k = 0; k < GROUP_PAGES; k++) {
				u64 at = g->base + k * PAGE_SIZE;

				if (g->entry[k] && at >= v->start && at < v->end)
					count_page(g->entry[k], sum);
			}
		}
	}
	if (v->flags & VM_LOCKED)
		sum->locked = sum->pss_bytes;
}

static void show_pages(const struct pages *p, struct text *out)
{
	text_printf(out, "Rss:            %8lu kB\nPss:            %8lu kB\n", p->rss * 4,
		    p->pss_bytes / KiB);
	text_printf(out, "Pss_Dirty:      %8lu kB\nShared_Clean:   %8u kB\n", p->pss_bytes / KiB,
		    0);
	text_printf(out, "Shared_Dirty:   %8lu kB\nPrivate_Clean:  %8u kB\n", p->shared * 4, 0);
	text_printf(out, "Private_Dirty:  %8lu kB\nReferenced:     %8lu kB\n", p->own * 4,
		    p->rss * 4);
	text_printf(out, "Anonymous:      %8lu kB\nKSM:            %8u kB\n", p->anonymous * 4, 0);
	text_printf(out, "LazyFree:       %8u kB\nAnonHugePages:  %8lu kB\n", 0, p->huge * 4);
	text_printf(out, "ShmemPmdMapped: %8u kB\nFilePmdMapped:  %8u kB\n", 0, 0);
	text_printf(out, "Shared_Hugetlb: %8u kB\nPrivate_Hugetlb:%8u kB\n", 0, 0);
	text_printf(out, "Swap:           %8u kB\nSwapPss:        %8u kB\n", 0, 0);
	text_printf(out, "Locked:         %8lu kB\n", p->locked / KiB);
}

static void show_flags(const struct vma *v, struct text *out)
{
	text_printf(out, "THPeligible:    %8u\nVmFlags: %s%s%s%smr mw me %s\n", 0,
		    v->prot & PROT_READ ? "rd " : "", v->prot & PROT_WRITE ? "wr " : "",
		    v->prot & PROT_EXEC ? "ex " : "", v->flags & VM_SHARED ? "sh " : "",
		    v->flags & VM_LOCKED ? "lo " : "");
}

int proc_show_smaps(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct process *p = process_find(pid);

	(void)arg;
	if (!proc_may_look(NULL, reader, pid))
		return -EACCES;
	for (u32 i = 0; p && p->mm && i < p->mm->vmas.count; i++) {
		const struct vma *v = &p->mm->vmas.list[i];
		struct pages pages = {0};

		show_range(reader, p->mm, v, out);
		count_range(p->mm, v, &pages);
		text_printf(out, "Size:           %8lu kB\nKernelPageSize: %8u kB\n",
			    pages.bytes / KiB, 4);
		text_printf(out, "MMUPageSize:    %8u kB\n", 4);
		show_pages(&pages, out);
		show_flags(v, out);
	}
	return 0;
}

int proc_show_rollup(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct process *p = process_find(pid);
	const struct vma_map *vmas;
	struct pages sum = {0};

	(void)arg;
	if (!proc_may_look(NULL, reader, pid))
		return -EACCES;
	if (!p || !p->mm || !p->mm->vmas.count)
		return -ESRCH;
	vmas = &p->mm->vmas;
	for (u32 i = 0; i < vmas->count; i++)
		count_range(p->mm, &vmas->list[i], &sum);
	text_printf(out, "%08lx-%08lx ---p 00000000 00:00 0 ", vmas->list[0].start,
		    vmas->list[vmas->count - 1].end);
	text_puts(out, "                         [rollup]\n");
	show_pages(&sum, out);
	return 0;
}
