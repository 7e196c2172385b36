/* See vspace.h. */
#include <rt/vspace.h>
#include <rt/slots.h>
#include <stdlib.h>

#define LARGE_PAGE (2 * MiB)

struct va_hole {
	struct va_hole *next;
	u64 va;
};

void vspace_init(struct vspace *vs, cap_t aspace, u64 low, u64 high,
		 int (*more_tables)(struct vspace *vs), void *arg)
{
	*vs = (struct vspace){
		.aspace = aspace,
		.more_tables = more_tables,
		.arg = arg,
		.next = low,
		.end = high,
	};
}

int vspace_donate(struct vspace *vs, cap_t ram, u32 pages)
{
	cap_t slot = slot_new();
	int err;

	if (slot == CAP_NONE)
		return -ENOMEM;
	err = (int)sys_retype(ram, CAP_TABLE, pages * PAGE_SIZE, slot);
	if (err)
		goto fail;
	err = (int)sys_aspace_donate(vs->aspace, slot);
	if (err)
		goto fail;
	return 0;
fail:
	slot_drop(slot);
	return err;
}

/* One operation, again while page tables are lacking. Returns pages done or a negative errno. */
static s64 map_some(struct vspace *vs, struct aspace_op op)
{
	for (;;) {
		s64 done = sys_aspace_update(vs->aspace, &op, 1);

		if (done < 0)
			return done;
		if (op.result != -ENOMEM)
			return op.result;
		done = vs->more_tables(vs);
		if (done)
			return done;
	}
}

/* @large  MAP_LARGE if these are large pages, else 0 */
static void unmap(struct vspace *vs, u64 va, u64 pages, u32 large)
{
	while (pages) {
		struct aspace_op op = {
			.op = OP_UNMAP,
			.flags = large,
			.va = va,
			.pages = (u32)MIN(pages, OP_PAGES_MAX),
		};

		sys_aspace_update(vs->aspace, &op, 1);
		va += op.pages * (large ? LARGE_PAGE : PAGE_SIZE);
		pages -= op.pages;
	}
}

int vspace_map(struct vspace *vs, u64 va, cap_t frame, u64 offset, u64 bytes, u32 flags)
{
	u64 size = flags & MAP_LARGE ? LARGE_PAGE : PAGE_SIZE;
	u64 pages = ROUND_UP(bytes, size) / size;
	u64 done = 0;

	while (done < pages) {
		s64 n = map_some(vs, (struct aspace_op){
					     .op = OP_MAP,
					     .flags = flags,
					     .va = va + done * size,
					     .offset = offset + done * size,
					     .pages = (u32)MIN(pages - done, OP_PAGES_MAX),
					     .frame = frame,
				     });

		if (n <= 0) {
			unmap(vs, va, done, flags & MAP_LARGE);
			return n ? (int)n : -EINVAL;
		}
		done += (u64)n;
	}
	return 0;
}

void vspace_unmap(struct vspace *vs, u64 va, u64 bytes)
{
	unmap(vs, va, ROUND_UP(bytes, PAGE_SIZE) / PAGE_SIZE, 0);
}

/* The order of the smallest size that holds @bytes, VSPACE_ORDERS if none does. */
static u32 order_of(u64 bytes)
{
	u32 order = 0;

	while (order < VSPACE_ORDERS && PAGE_SIZE << order < bytes)
		order++;
	return order;
}

static u64 take_va(struct vspace *vs, u32 order)
{
	struct va_hole *hole = vs->holes[order];
	u64 size = PAGE_SIZE << order;
	u64 va;

	if (hole) {
		va = hole->va;
		vs->holes[order] = hole->next;
		free(hole);
		return va;
	}
	va = ROUND_UP(vs->next, size);
	if (va >= vs->end || vs->end - va < size)
		return 0;
	vs->next = va + size;
	return va;
}

static void give_va(struct vspace *vs, u64 va, u32 order)
{
	struct va_hole *hole = malloc(sizeof(*hole));

	if (!hole)
		return; /* these addresses are lost; there are plenty */
	*hole = (struct va_hole){.next = vs->holes[order], .va = va};
	vs->holes[order] = hole;
}

/* Map at an address with @gap bytes in front that stay unmapped. */
static void *attach(struct vspace *vs, cap_t frame, u64 offset, u64 gap, u64 bytes, u32 flags)
{
	u32 order = order_of(gap + bytes);
	u64 va = order < VSPACE_ORDERS ? take_va(vs, order) : 0;

	if (!va)
		return NULL;
	if (vspace_map(vs, va + gap, frame, offset, bytes, flags)) {
		give_va(vs, va, order);
		return NULL;
	}
	return (void *)(va + gap);
}

void *vspace_attach(struct vspace *vs, cap_t frame, u64 offset, u64 bytes, u32 flags)
{
	return attach(vs, frame, offset, 0, bytes, flags);
}

void vspace_detach(struct vspace *vs, void *va, u64 bytes)
{
	vspace_unmap(vs, (u64)va, bytes);
	give_va(vs, (u64)va, order_of(bytes));
}

void *vspace_attach_guarded(struct vspace *vs, cap_t frame, u64 bytes, u32 flags)
{
	return attach(vs, frame, 0, bytes, bytes, flags);
}

void vspace_detach_guarded(struct vspace *vs, void *va, u64 bytes)
{
	vspace_unmap(vs, (u64)va, bytes);
	give_va(vs, (u64)va - bytes, order_of(2 * bytes));
}
