/*
 * See moverecord.h: pages, objects that are mapped, open files.
 */
#include "farmem.h"
#include "farpage.h"
#include "moverecord.h"

#include <errno.h>
#include <rt/rt.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX (MM_TOP / PAGE_SIZE)

/* At the beginning of a record. */
struct goods_head {
	u64 npages;
	u32 nobjects, nfds;
	u64 fd_owner;
};

/* ---- the old core ---- */

static u32 object_number(const struct goods *g, const struct backing *b)
{
	for (u32 i = 0; b && i < g->nobjects; i++) {
		if (g->backings[i] == b)
			return i + 1;
	}
	return 0;
}

static void add_object(struct goods *g, struct backing *b)
{
	if (b && !object_number(g, b))
		g->backings[g->nobjects++] = b;
}

/* All objects that @mm maps, each once. */
static int find_objects(const struct mm *mm, struct goods *g)
{
	u64 most = mm->vmas.count + 1;

	g->backings = calloc(most, sizeof(struct backing *));
	g->objects = calloc(most, sizeof(g->objects[0]));
	if (!g->backings || !g->objects)
		return -ENOMEM;
	for (u32 i = 0; i < mm->vmas.count; i++)
		add_object(g, mm->vmas.list[i].object);
	add_object(g, mm->exe);
	return 0;
}

struct finder {
	struct goods *g;
	const struct vma *vma;
};

static void find_in_group(struct group *group, void *arg)
{
	struct finder *f = arg;

	for (u32 i = 0; i < GROUP_PAGES; i++) {
		u64 addr = group->base + i * PAGE_SIZE, entry = group->entry[i];
		struct page *page = entry_page(entry);

		if (!entry || page == ram_zero || addr < f->vma->start || addr >= f->vma->end)
			continue;
		f->g->at[f->g->npages] = addr | (page->refs == 1 ? entry & PM_ANON : 0);
		f->g->pages[f->g->npages++] = page;
	}
}

static int find_pages(struct mm *mm, struct goods *g)
{
	u64 most = mm->pages.npages;
	struct finder f = {.g = g};

	g->at = calloc(most + 1, sizeof(g->at[0]));
	g->pages = calloc(most + 1, sizeof(struct page *));
	g->names = calloc(most + 1, sizeof(g->names[0]));
	if (!g->at || !g->pages || !g->names)
		return -ENOMEM;
	for (u32 i = 0; i < mm->vmas.count; i++) {
		f.vma = &mm->vmas.list[i];
		if (!(f.vma->flags & VM_VDSO))
			pagemap_walk(&mm->pages, f.vma->start, f.vma->end, find_in_group, &f);
	}
	return 0;
}

static int lend_objects(struct goods *g)
{
	u32 done = 0;
	int err = 0;

	while (done < g->nobjects && !err) {
		err = backing_export(g->backings[done], g->core, &g->objects[done]);
		if (!err)
			done++;
	}
	while (err && done--)
		backing_unexport(&g->objects[done], g->core);
	return err;
}

int goods_export(const struct process *p, u32 core, struct goods *g)
{
	struct fd_table *files = p->threads->vfs.files;
	int err;

	*g = (struct goods){.core = core};
	err = find_objects(p->mm, g);
	if (!err)
		err = find_pages(p->mm, g);
	if (err)
		goto fail;
	g->nfds = fd_table_count(files);
	g->fds = calloc(g->nfds + 1, sizeof(g->fds[0]));
	err = g->fds ? lend_objects(g) : -ENOMEM;
	if (err)
		goto fail;
	err = pages_lend(g->pages, (u32)g->npages, core, g->names);
	if (err)
		goto fail_objects;
	err = fd_table_export(files, core, g->fds);
	if (!err)
		return 0;
	pages_unlend(g->names, (u32)g->npages, core);
fail_objects:
	for (u32 i = 0; i < g->nobjects; i++)
		backing_unexport(&g->objects[i], core);
fail:
	goods_free(g);
	return err;
}

void goods_unexport(const struct process *p, struct goods *g)
{
	pages_unlend(g->names, (u32)g->npages, g->core);
	for (u32 i = 0; i < g->nobjects; i++)
		backing_unexport(&g->objects[i], g->core);
	fd_table_unexport(p->threads->vfs.vfs, g->fds, g->nfds, g->core);
}

void goods_free(struct goods *g)
{
	free(g->backings);
	free(g->objects);
	free(g->at);
	free(g->pages);
	free(g->names);
	free(g->fds);
	*g = (struct goods){0};
}

void goods_write(const struct process *p, const struct goods *g, struct record *r)
{
	struct goods_head head = {
		.npages = g->npages,
		.nobjects = g->nobjects,
		.nfds = g->nfds,
		.fd_owner = fd_table_owner(p->threads->vfs.files),
	};

	record_put(r, &head, sizeof(head));
	record_put(r, g->objects, g->nobjects * sizeof(g->objects[0]));
	record_put(r, g->at, g->npages * sizeof(g->at[0]));
	record_put(r, g->names, g->npages * sizeof(g->names[0]));
	record_put(r, g->fds, g->nfds * sizeof(g->fds[0]));
}

/* ---- the new core ---- */

static int take_objects(struct arrived *a, const struct memory_object *objects, u32 n)
{
	int err = a->backings ? 0 : -ENOMEM;

	for (u32 i = 0; i < n; i++) {
		if (err) {
			backing_unexport(&objects[i], domain_start()->core);
			continue;
		}
		err = backing_import(&objects[i], &a->backings[i]);
		if (!err)
			a->nobjects++;
	}
	return err;
}

static int take_pages(struct arrived *a, const struct page_name *names, u64 n)
{
	int err = -ENOMEM;

	if (a->pages)
		err = pages_borrow(names, (u32)n, a->pages);
	else
		pages_unlend(names, (u32)n, domain_start()->core);
	if (!err)
		a->npages = n;
	return err;
}

int goods_read(struct vfs *vfs, struct record *r, struct arrived *a)
{
	const struct goods_head *head = record_next(r, sizeof(*head));
	const struct memory_object *objects;
	const struct page_name *names;
	const struct fd_desc *fds;
	int err, fd_err, page_err;

	*a = (struct arrived){0};
	if (!head || head->npages > PAGES_MAX)
		return -EBADMSG;
	objects = record_next(r, head->nobjects * sizeof(*objects));
	a->at = record_next(r, head->npages * sizeof(a->at[0]));
	names = record_next(r, head->npages * sizeof(*names));
	fds = record_next(r, head->nfds * sizeof(*fds));
	if (r->failed)
		return -EBADMSG;
	a->backings = calloc(head->nobjects + 1, sizeof(struct backing *));
	a->pages = calloc(head->npages + 1, sizeof(struct page *));
	err = take_objects(a, objects, head->nobjects);
	page_err = take_pages(a, names, head->npages);
	fd_err = fd_table_import(vfs, fds, head->nfds, head->fd_owner, &a->files);
	if (fd_err)
		a->files = NULL;
	err = err ? err : (page_err ? page_err : fd_err);
	if (err)
		arrived_free(a);
	return err;
}

void arrived_free(struct arrived *a)
{
	for (u32 i = 0; i < a->nobjects; i++)
		backing_put(a->backings[i]);
	for (u64 i = 0; i < a->npages; i++) {
		if (a->pages[i])
			ram_put(a->pages[i]);
	}
	if (a->files)
		fd_table_put(NULL, a->files);
	free(a->backings);
	free(a->pages);
	*a = (struct arrived){0};
}

/* ---- address spaces ---- */

struct moved_mm {
	u64 brk_start, brk, mmap_top;
	u64 code_start, code_end, data_start, data_end, stack_start;
	u64 args_start, args_end, env_start, env_end;
	u64 vdso;
	u32 membarrier, mdwe;
	bool no_huge, merge, lock_future;
	u64 peak_pages, minor_faults;
	u32 exe; /* number of the object, from 1 */
	u32 auxv_words;
	u64 auxv[48];
	u32 nvmas;
};

struct moved_vma {
	u64 start, end, offset;
	u32 prot, flags, object;
};

void mm_write(const struct mm *mm, const struct goods *g, struct record *r)
{
	struct moved_mm m = {
		.brk_start = mm->brk_start,
		.brk = mm->brk,
		.mmap_top = mm->mmap_top,
		.code_start = mm->code_start,
		.code_end = mm->code_end,
		.data_start = mm->data_start,
		.data_end = mm->data_end,
		.stack_start = mm->stack_start,
		.args_start = mm->args_start,
		.args_end = mm->args_end,
		.env_start = mm->env_start,
		.env_end = mm->env_end,
		.vdso = mm->vdso,
		.membarrier = mm->membarrier,
		.mdwe = mm->mdwe,
		.no_huge = mm->no_huge,
		.merge = mm->merge,
		.lock_future = mm->lock_future,
		.peak_pages = mm->peak_pages,
		.minor_faults = mm->minor_faults,
		.exe = object_number(g, mm->exe),
		.auxv_words = mm->auxv_words,
		.nvmas = mm->vmas.count,
	};

	memcpy(m.auxv, mm->auxv, sizeof(m.auxv));
	record_put(r, &m, sizeof(m));
	for (u32 i = 0; i < mm->vmas.count; i++) {
		const struct vma *v = &mm->vmas.list[i];
		struct moved_vma vma = {v->start, v->end,   v->offset,
					v->prot,  v->flags, object_number(g, v->object)};

		record_put(r, &vma, sizeof(vma));
	}
}

static void set_fields(struct mm *mm, const struct moved_mm *m)
{
	mm->brk_start = m->brk_start;
	mm->brk = m->brk;
	mm->mmap_top = m->mmap_top;
	mm->code_start = m->code_start;
	mm->code_end = m->code_end;
	mm->data_start = m->data_start;
	mm->data_end = m->data_end;
	mm->stack_start = m->stack_start;
	mm->args_start = m->args_start;
	mm->args_end = m->args_end;
	mm->env_start = m->env_start;
	mm->env_end = m->env_end;
	mm->vdso = m->vdso;
	mm->membarrier = m->membarrier;
	mm->mdwe = m->mdwe;
	mm->no_huge = m->no_huge;
	mm->merge = m->merge;
	mm->lock_future = m->lock_future;
	mm->peak_pages = m->peak_pages;
	mm->minor_faults = m->minor_faults;
	mm->auxv_words = MIN(m->auxv_words, (u32)ARRAY_SIZE(mm->auxv));
	memcpy(mm->auxv, m->auxv, sizeof(mm->auxv));
}

static int add_ranges(struct mm *mm, u32 n, struct record *r, const struct arrived *a)
{
	int err = 0;

	for (u32 i = 0; i < n && !err; i++) {
		const struct moved_vma *v = record_next(r, sizeof(*v));

		if (!v || v->object > a->nobjects || v->end > MM_TOP || v->start >= v->end)
			return -EBADMSG;
		err = vma_insert(&mm->vmas,
				 &(struct vma){
					 .start = v->start,
					 .end = v->end,
					 .prot = v->prot,
					 .flags = v->flags,
					 .offset = v->offset,
					 .object = v->object ? a->backings[v->object - 1] : NULL,
				 });
		mm->total_bytes += v->end - v->start;
	}
	return err;
}

/* The pages pass to the map. */
static int add_pages(struct mm *mm, struct arrived *a)
{
	for (u64 i = 0; i < a->npages; i++) {
		u64 addr = ROUND_DOWN(a->at[i], PAGE_SIZE);
		u64 *entry = addr < MM_TOP ? pagemap_make(&mm->pages, addr) : NULL;

		if (!entry)
			return -ENOMEM;
		pagemap_set(&mm->pages, entry, a->pages[i], a->at[i] & PM_ANON);
		a->pages[i] = NULL;
	}
	return 0;
}

struct mm *mm_read(struct record *r, struct arrived *a)
{
	const struct moved_mm *m = record_next(r, sizeof(*m));
	struct mm *mm = m && m->exe <= a->nobjects ? mm_new() : NULL;

	if (!mm)
		return NULL;
	set_fields(mm, m);
	if (m->exe) {
		mm->exe = a->backings[m->exe - 1];
		backing_get(mm->exe);
	}
	if (add_ranges(mm, m->nvmas, r, a) || add_pages(mm, a)) {
		mm_put(mm);
		return NULL;
	}
	return mm;
}
