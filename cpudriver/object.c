/*
 * Making and destroying objects. The memory of each comes from a RAM capability of its creator;
 * nothing here allocates.
 */
#include "object.h"
#include "aspace.h"
#include "context.h"
#include "irq.h"
#include "kernel.h"
#include "syscall.h"
#include "arch/x86_64/apic.h"

struct object_size {
	u64 smallest, largest; /* bytes */
	u64 unit;              /* the size is a multiple of it */
	u64 align;
};

static const struct object_size sizes[CAP_TYPES] = {
	[CAP_RAM] = {PAGE_SIZE, UINT64_MAX, PAGE_SIZE, PAGE_SIZE},
	[CAP_FRAME] = {PAGE_SIZE, UINT64_MAX, PAGE_SIZE, PAGE_SIZE},
	[CAP_TABLE] = {PAGE_SIZE, TABLE_PAGES_MAX *PAGE_SIZE, PAGE_SIZE, PAGE_SIZE},
	[CAP_ASPACE] = {ASPACE_BYTES, ASPACE_BYTES, ASPACE_BYTES, PAGE_SIZE},
	[CAP_CNODE] = {16 * CNODE_SLOT_BYTES, CNODE_SLOTS_MAX *CNODE_SLOT_BYTES, CNODE_SLOT_BYTES,
		       CNODE_SLOT_BYTES},
	[CAP_DOMAIN] = {DOMAIN_BYTES, DOMAIN_BYTES, DOMAIN_BYTES, PAGE_SIZE},
	[CAP_CONTEXT] = {CONTEXT_BYTES, CONTEXT_BYTES, CONTEXT_BYTES, CONTEXT_BYTES},
	[CAP_TIMER] = {TIMER_BYTES, TIMER_BYTES, TIMER_BYTES, TIMER_BYTES},
};

/* Where in @ram an object of @bytes would lie: 0 and *@at, or -ENOMEM. */
static int place(const struct cap *ram, const struct object_size *size, u64 bytes, u64 *at)
{
	u64 align = size->align;
	u64 used = cap_ram_used(ram);
	u64 start;

	/* Memory that could be mapped with large pages is laid out so that it can. */
	if (align == PAGE_SIZE && bytes >= 2 * MiB && bytes % (2 * MiB) == 0)
		align = 2 * MiB;
	start = ROUND_UP(ram->mem.base + used, align);
	if (start - ram->mem.base > ram->mem.bytes ||
	    bytes > ram->mem.bytes - (start - ram->mem.base))
		return -ENOMEM;
	*at = start;
	return 0;
}

static void make(struct cap *out, enum cap_type type, bool for_contexts, u64 at, u64 bytes)
{
	*out = (struct cap){.type = (u8)type, .rights = RIGHTS_ALL, .flags = CAPF_ORIGINAL};
	if (type == CAP_RAM || type == CAP_FRAME) {
		out->mem.base = at;
		out->mem.bytes = bytes;
		return;
	}
	memset(phys_to_virt(at), 0, bytes);
	out->obj.ptr = type == CAP_TABLE ? NULL : phys_to_virt(at);
	out->obj.base = at;
	if (type == CAP_CNODE)
		out->obj.badge = bytes / CNODE_SLOT_BYTES;
	else if (type == CAP_TABLE)
		out->obj.badge = bytes / PAGE_SIZE;
	else if (type == CAP_ASPACE)
		aspace_init(out->obj.ptr, for_contexts);
	else if (type == CAP_DOMAIN)
		domain_init(out->obj.ptr);
}

s64 call_retype(u64 ram, u64 type, u64 bytes, u64 to)
{
	bool for_contexts = type & ASPACE_CONTEXT;
	const struct object_size *size;
	struct cap *from, *dst, made;
	u64 at;
	int err;

	type &= ~(u64)ASPACE_CONTEXT;
	if (type >= CAP_TYPES || !sizes[type].unit || (for_contexts && type != CAP_ASPACE))
		return -ENOTSUP;
	size = &sizes[type];
	if (bytes < size->smallest || bytes > size->largest || bytes % size->unit)
		return -EINVAL;
	err = cap_find((cap_t)ram, CAP_RAM, RIGHT_WRITE, &from);
	if (!err)
		err = cap_find_empty(current, (cap_t)to, &dst);
	if (!err && from->flags & CAPF_DIRTY) /* a revocation was not finished */
		err = -EBUSY;
	if (!err && type == CAP_DOMAIN && domain_count >= DOMAINS_MAX)
		err = -ENOMEM;
	if (!err)
		err = place(from, size, bytes, &at);
	if (err)
		return err;
	make(&made, (enum cap_type)type, for_contexts, at, bytes);
	from->mem.used = at + bytes - from->mem.base;
	cap_insert(dst, &made, from);
	return 0;
}

s64 call_frame_mint(u64 phys, u64 base, u64 bytes, u64 to)
{
	bool device = to & MINT_DEVICE;
	u64 own_end = boot.mem_base + boot.mem_bytes;
	struct cap *from, *dst;
	int err = cap_find((cap_t)phys, CAP_PHYS, 0, &from);

	if (!err)
		err = cap_find_empty(current, (cap_t)to, &dst);
	if (err)
		return err;
	if (bytes == 0 || (base | bytes) % PAGE_SIZE || base + bytes < base ||
	    base + bytes > 1ul << 52)
		return -EINVAL;
	/* Its own memory it gets by RETYPE; the shared texts at its bottom nobody may write. */
	if ((base < own_end && base + bytes > boot.mem_base) || apic_owns(base, bytes))
		return -EPERM;
	cap_insert(dst,
		   &(struct cap){
			   .type = CAP_FRAME,
			   .rights = RIGHTS_ALL,
			   .flags = CAPF_ORIGINAL | CAPF_FOREIGN | (device ? CAPF_DEVICE : 0),
			   .mem = {.base = base, .bytes = bytes},
		   },
		   from);
	return 0;
}

bool object_is_empty(const struct cap *cap)
{
	const struct cap *table = cap->obj.ptr;

	if (cap->type == CAP_CNODE)
		for (u64 i = 0; i < cap->obj.badge; i++)
			if (table[i].type != CAP_NULL)
				return false;
	return true;
}

struct cap *object_first_inside(struct cap *cap)
{
	struct cap *table = cap->obj.ptr;

	if (cap->type != CAP_CNODE)
		return NULL;
	/* With its users dead nobody can fill a slot that was found empty. */
	domain_table_gone(table);
	for (; cap->sweep_va < cap->obj.badge; cap->sweep_va++)
		if (table[cap->sweep_va].type != CAP_NULL)
			return &table[cap->sweep_va];
	return NULL;
}

void object_destroy(struct cap *cap)
{
	switch (cap->type) {
	case CAP_TABLE: /* the page tables in its pages go with them */
		if (cap->obj.ptr)
			aspace_kill(cap->obj.ptr);
		break;
	case CAP_ASPACE:
		aspace_destroy(cap->obj.ptr);
		break;
	case CAP_CNODE:
		domain_table_gone(cap->obj.ptr);
		break;
	case CAP_DOMAIN:
		domain_destroy(cap->obj.ptr);
		break;
	case CAP_CONTEXT:
		context_destroy(cap->obj.ptr);
		break;
	case CAP_TIMER:
		timer_disarm(cap->obj.ptr);
		break;
	case CAP_IRQ:
		irq_free((u32)cap->obj.badge);
		break;
	default:
		break;
	}
}

void object_destroy_reply(struct cap *cap)
{
	ipc_reply_lost(cap->obj.ptr);
}

void object_describe(const struct cap *cap, struct cap_info *info)
{
	switch (cap->type) {
	case CAP_RAM:
		info->used = cap_ram_used(cap);
		/* fallthrough */
	case CAP_FRAME:
	case CAP_IOPORT:
		info->base = cap->mem.base;
		info->bytes = cap->mem.bytes;
		break;
	case CAP_CNODE:
		info->bytes = cap->obj.badge;
		break;
	case CAP_ENDPOINT:
		info->base = cap->obj.badge;
		break;
	case CAP_IRQ:
		info->base = cap->obj.badge + VECTOR_IRQ;
		break;
	default:
		break;
	}
}
