/* See huge.h. */
#include "huge.h"

#include <string.h>

#define HUGE_ORDER  9u
#define HUGE_PAGES  (1u << HUGE_ORDER)
#define HUGE_GROUPS (HUGE_PAGES / GROUP_PAGES)

static u64 mapped; /* large pages */

u64 huge_bytes(void)
{
	return mapped * HUGE_BYTES;
}

/* Whether the range around may have a large page at @base. */
static bool fits(const struct mm *mm, const struct vma *v, u64 base)
{
	return v && !v->object && v->prot & PROT_WRITE && !mm->no_huge && v->start <= base &&
	       base + HUGE_BYTES <= v->end &&
	       !(v->flags & (VM_SHARED | VM_STACK | VM_NOHUGE | VM_GUARD | VMA_GROWSDOWN));
}

/* Nothing may be there; makes the groups. False: something is, or no memory. */
static bool make_groups(struct mm *mm, u64 base)
{
	for (u32 i = 0; i < HUGE_GROUPS; i++) {
		const struct group *g = pagemap_group(&mm->pages, base + i * GROUP_BYTES);

		for (u32 k = 0; g && k < GROUP_PAGES; k++) {
			if (g->entry[k])
				return false;
		}
	}
	for (u32 i = 0; i < HUGE_GROUPS; i++) {
		if (!pagemap_make(&mm->pages, base + i * GROUP_BYTES))
			return false;
	}
	return true;
}

/* All 512 entries are those of the run, with these flags. */
static void set_flags(struct mm *mm, u64 base, u64 clear, u64 set)
{
	for (u32 i = 0; i < HUGE_GROUPS; i++) {
		struct group *g = pagemap_group(&mm->pages, base + i * GROUP_BYTES);

		for (u32 k = 0; k < GROUP_PAGES; k++)
			g->entry[k] = (g->entry[k] & ~clear) | set;
	}
}

static void fill(struct mm *mm, u64 base, struct page *run)
{
	for (u32 i = 0; i < HUGE_PAGES; i++) {
		u64 *entry = pagemap_find(&mm->pages, base + i * PAGE_SIZE);

		pagemap_set(&mm->pages, entry, ram_run_page(run, i), PM_ANON);
	}
}

/* A quarter of the memory is left for those who need less. */
static bool is_plenty(void)
{
	return ram_free_bytes() > MAX(ram_total_bytes() / 4, 8 * HUGE_BYTES);
}

bool huge_fault(struct mm *mm, u64 addr)
{
	u64 base = ROUND_DOWN(addr, HUGE_BYTES);
	const struct vma *v = vma_at(&mm->vmas, addr);
	struct page *run;
	u32 flags;

	if (!fits(mm, v, base) || !is_plenty() || !make_groups(mm, base))
		return false;
	run = ram_new_run(HUGE_ORDER);
	if (!run)
		return false;
	memset(run->data, 0, HUGE_BYTES);
	fill(mm, base, run);
	flags = MAP_READ | MAP_WRITE | (v->prot & PROT_EXEC ? MAP_EXEC : 0);
	if (space_map_large(mm->space, base, run, flags))
		return false; /* the pages are there: they are mapped one by one */
	set_flags(mm, base, 0, PM_MAPPED | PM_WRITABLE | PM_HUGE);
	mm->nhuge++;
	mapped++;
	return true;
}

struct split {
	struct mm *mm;
	struct batch batch;
};

static void split_group(struct group *g, void *arg)
{
	struct split *s = arg;

	if (g->base % HUGE_BYTES || !(g->entry[0] & PM_HUGE))
		return;
	batch_unmap_large(&s->batch, g->base);
	set_flags(s->mm, g->base, PM_HUGE | PM_MAPPED | PM_WRITABLE, 0);
	s->mm->nhuge--;
	mapped--;
}

void huge_split(struct mm *mm, u64 start, u64 end)
{
	struct split split;

	split.mm = mm;
	batch_init(&split.batch, mm->space);
	pagemap_walk(&mm->pages, ROUND_DOWN(start, HUGE_BYTES), end, split_group, &split);
	batch_flush(&split.batch);
}

void huge_forget(struct mm *mm)
{
	mapped -= mm->nhuge;
	mm->nhuge = 0;
}
