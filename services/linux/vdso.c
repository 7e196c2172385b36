/* See vdso.h. */
#include "vdso.h"
#include "random.h"
#include "timer.h"

#include <errno.h>
#include <rt/rt.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_PAGES_MAX 4u

extern const u8 vdso_image[];
extern const u64 vdso_image_bytes;

/* Two objects of pages that are never written by processes: the data, and the code. */
struct pages {
	struct backing backing;
	const char *name;
	u32 count;
	struct page *page[IMAGE_PAGES_MAX];
};

static struct vvar *vvar;

static int pages_page(struct backing *backing, u64 index, bool shared, bool nowait,
		      struct page **out)
{
	struct pages *p = container_of(backing, struct pages, backing);

	(void)shared;
	(void)nowait;
	if (index >= p->count)
		return -EFAULT;
	*out = page_get(p->page[index]);
	return 0;
}

static u32 pages_pages(struct backing *backing, u64 index, u32 count, struct page **out)
{
	const struct pages *p = container_of(backing, struct pages, backing);
	u32 found = 0;

	for (u32 i = 0; i < count; i++) {
		out[i] = index + i < p->count ? p->page[index + i] : NULL;
		found += out[i] != NULL;
	}
	return found;
}

/* They are kept for the next program. */
static void pages_release(struct backing *backing)
{
	backing->refs = 1;
}

static s64 pages_path(struct backing *backing, char *out, u64 size)
{
	const struct pages *p = container_of(backing, struct pages, backing);
	u64 len = strlen(p->name);

	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(out, p->name, len + 1);
	return (s64)len;
}

static const struct backing_ops pages_ops = {
	.page = pages_page,
	.pages = pages_pages,
	.release = pages_release,
	.path = pages_path,
};

static struct pages data = {.backing = {&pages_ops, 1}, .name = "[vvar]", .count = 1};
/* Of those who are in other time namespaces than the first. */
static struct pages asking = {.backing = {&pages_ops, 1}, .name = "[vvar]", .count = 1};
static struct pages code = {.backing = {&pages_ops, 1}, .name = "[vdso]"};

const struct vvar *vdso_vvar(void)
{
	return vvar;
}

struct vvar *vdso_begin(void)
{
	vvar->seq++;
	__asm__ volatile("" : : : "memory");
	return vvar;
}

void vdso_end(void)
{
	__asm__ volatile("" : : : "memory");
	vvar->seq++;
}

int vdso_init(void)
{
	assert(vdso_image_bytes <= IMAGE_PAGES_MAX * PAGE_SIZE);
	data.page[0] = ram_new_zeroed();
	if (!data.page[0])
		return -ENOMEM;
	code.count = (u32)(vdso_image_bytes / PAGE_SIZE);
	for (u32 i = 0; i < code.count; i++) {
		code.page[i] = ram_new();
		if (!code.page[i])
			return -ENOMEM;
		memcpy(code.page[i]->data, vdso_image + i * PAGE_SIZE, PAGE_SIZE);
	}
	vvar = data.page[0]->data;
	vvar->core = domain_start()->core;
	vvar->node = domain_start()->node;
	vvar->coarse_ns = TIMER_COARSE_NS;
	clock_scale(&vvar->tsc_zero, &vvar->ns_per_tick);
	asking.page[0] = ram_new_zeroed();
	if (!asking.page[0])
		return -ENOMEM;
	*(struct vvar *)asking.page[0]->data =
		(struct vvar){.core = vvar->core, .node = vvar->node, .ask = 1};
	return 0;
}

struct backing *vdso_backing(u32 which)
{
	if (which > 1)
		return NULL;
	return which ? &code.backing : &data.backing;
}

int vdso_which(const struct backing *backing)
{
	if (backing == &data.backing)
		return 0;
	return backing == &code.backing ? 1 : -1;
}

static int map(struct mm *mm, u64 at, struct pages *p, u32 prot)
{
	s64 result = mm_map(mm, &(struct mm_request){
					.addr = at,
					.bytes = p->count * PAGE_SIZE,
					.prot = prot,
					.flags = LMAP_FIXED,
					.vm = VM_VDSO,
					.backing = &p->backing,
				});

	return result < 0 ? (int)result : 0;
}

int vdso_map(struct mm *mm)
{
	u64 bytes = (1 + code.count) * PAGE_SIZE, at = mm_find_gap(mm, bytes, MM_LOWEST);
	int err;

	if (!at)
		return -ENOMEM;
	err = map(mm, at, &data, PROT_READ);
	if (!err)
		err = map(mm, at + PAGE_SIZE, &code, PROT_READ | PROT_EXEC);
	if (err)
		return err;
	mm->vdso = at + PAGE_SIZE;
	mm_prefault(mm, mm->vdso, at + bytes, TOUCH_READ);
	return 0;
}

int vdso_ask(struct mm *mm)
{
	for (u32 i = 0; i < mm->vmas.count; i++) {
		const struct vma *v = &mm->vmas.list[i];

		if (v->object == &data.backing)
			return map(mm, v->start, &asking, PROT_READ);
	}
	return 0;
}
