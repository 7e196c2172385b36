/* See memory.h. */
#include <rt/memory.h>
#include <rt/malloc.h>
#include <rt/monitor.h>
#include <rt/slots.h>
#include <string.h>

#define TABLE_PAGES 8u /* page tables that are fetched at a time */

struct vspace rt_space;
static cap_t object_ram = DOMAIN_SLOT_RAM;
static struct malloc_source heap_source;

static bool (*give_some_back)(void);

void memory_on_shortage(bool (*give_back)(void))
{
	give_some_back = give_back;
}

/* One request for memory of any type; if there is none, once more when some was given back. */
static int ask_memory(u32 type, u64 bytes, struct rt_frame *out)
{
	struct sys_words words = {.w = {0, type, bytes}};
	s64 result = monitor_ask_cap(MON_ALLOC, &words, &out->cap);

	if (result == -ENOMEM && give_some_back && give_some_back()) {
		words = (struct sys_words){.w = {0, type, bytes}};
		result = monitor_ask_cap(MON_ALLOC, &words, &out->cap);
	}
	if (result < 0)
		return (int)result;
	out->handle = words.w[1];
	out->bytes = words.w[2];
	return 0;
}

int rt_frame_new(u64 bytes, struct rt_frame *frame)
{
	return ask_memory(CAP_FRAME, bytes, frame);
}

int rt_ram_new(u64 bytes, struct rt_frame *ram)
{
	return ask_memory(CAP_RAM, bytes, ram);
}

void rt_frame_put(struct rt_frame *frame)
{
	monitor_ask_simple(MON_FREE, frame->handle, 0, 0, 0);
	slot_put(frame->cap); /* the monitor has revoked it */
	*frame = (struct rt_frame){0};
}

void *rt_frame_map_new(u64 bytes, struct rt_frame *frame)
{
	void *va;

	if (rt_frame_new(bytes, frame))
		return NULL;
	va = vspace_attach(&rt_space, frame->cap, 0, frame->bytes, MAP_READ | MAP_WRITE);
	if (!va) {
		rt_frame_put(frame);
		return NULL;
	}
	memset(va, 0, frame->bytes);
	return va;
}

cap_t rt_object_new(u32 type, u64 bytes)
{
	cap_t slot = slot_new();
	struct rt_frame more;
	s64 err;

	if (slot == CAP_NONE)
		return CAP_NONE;
	err = sys_retype(object_ram, type, bytes, slot);
	if (err == -ENOMEM && rt_ram_new(MAX(bytes, DOMAIN_RAM_BYTES), &more) == 0) {
		object_ram = more.cap; /* what is left of the old one stays unused */
		err = sys_retype(object_ram, type, bytes, slot);
	}
	if (!err)
		return slot;
	slot_put(slot);
	return CAP_NONE;
}

static int more_tables(struct vspace *vs)
{
	cap_t table = rt_object_new(CAP_TABLE, TABLE_PAGES * PAGE_SIZE);

	if (table == CAP_NONE)
		return -ENOMEM;
	return (int)sys_aspace_donate(vs->aspace, table);
}

static int heap_frame(u64 bytes, cap_t *frame, u64 *got)
{
	struct rt_frame f;
	int err = rt_frame_new(bytes, &f);

	if (!err) {
		*frame = f.cap;
		*got = f.bytes;
	}
	return err;
}

void memory_init(void)
{
	vspace_init(&rt_space, DOMAIN_SLOT_SPACE, DOMAIN_MAP_VA, DOMAIN_MAP_END, more_tables, NULL);
	heap_source = (struct malloc_source){
		.space = &rt_space,
		.next = DOMAIN_HEAP_VA,
		.end = DOMAIN_MAP_VA,
		.frame_new = heap_frame,
	};
	malloc_init(&heap_source);
}
