/* See mem.h. */
#include "mem.h"
#include "monitor.h"
#include <rt/slots.h>
#include <string.h>

#define MIN_ORDER     12u /* one page */
#define ORDERS        (MEM_MAX_ORDER + 1)
#define NO_BLOCK      0u
#define RESERVE_BYTES (1 * MiB) /* for the monitor alone */
#define RESERVE_SLOTS 64u
#define ZERO_BYTES    (2 * MiB) /* mapped at a time to be zeroed */

enum block_state { BLOCK_NONE, BLOCK_FREE, BLOCK_USED, BLOCK_SPLIT };

/* Indexed by slot, so that a block needs no memory of its own. */
struct block {
	u8 order;
	u8 state : 7;
	u8 dirty : 1; /* somebody had it, and may have written to it */
	u16 owner;
	u16 parent; /* NO_BLOCK: a piece of SLOT_RAM */
	u16 buddy;
	u16 next, prev; /* free blocks of one order */
	u16 object;     /* all of it made into one, or 0 */
};

struct vspace mem_space;
static struct block blocks[MONITOR_SLOTS];
static u16 free_list[ORDERS];
static u64 total_bytes, free_bytes;
static cap_t first_page;

/* ---- lists of free blocks ---- */

static void list_add(u16 b)
{
	struct block *block = &blocks[b];

	block->state = BLOCK_FREE;
	block->owner = 0;
	block->prev = NO_BLOCK;
	block->next = free_list[block->order];
	if (block->next)
		blocks[block->next].prev = b;
	free_list[block->order] = b;
	free_bytes += 1ul << block->order;
}

static void list_remove(u16 b)
{
	struct block *block = &blocks[b];

	if (block->prev)
		blocks[block->prev].next = block->next;
	else
		free_list[block->order] = block->next;
	if (block->next)
		blocks[block->next].prev = block->prev;
	free_bytes -= 1ul << block->order;
}

/* ---- splitting and joining ---- */

/* Make two free blocks of a free one. 0 or -ENOMEM (no slots), then nothing has changed. */
static int split(u16 b)
{
	struct block *block = &blocks[b];
	u64 half = 1ul << (block->order - 1);
	cap_t one = slot_new(), two = slot_new();

	if (one == CAP_NONE || two == CAP_NONE)
		goto fail;
	if (sys_retype(b, CAP_RAM, half, one) || sys_retype(b, CAP_RAM, half, two))
		goto fail;
	list_remove(b);
	block->state = BLOCK_SPLIT;
	blocks[one] = (struct block){
		.order = block->order - 1, .dirty = block->dirty, .parent = b, .buddy = (u16)two};
	blocks[two] = (struct block){
		.order = block->order - 1, .dirty = block->dirty, .parent = b, .buddy = (u16)one};
	list_add((u16)two);
	list_add((u16)one);
	return 0;
fail:
	slot_drop(one);
	slot_drop(two);
	return -ENOMEM;
}

/* The block has become free: join it with its buddy as long as that is free, too. */
static void join(u16 b)
{
	list_add(b);
	while (blocks[b].parent && blocks[blocks[b].buddy].state == BLOCK_FREE) {
		u16 buddy = blocks[b].buddy, parent = blocks[b].parent;

		list_remove(b);
		list_remove(buddy);
		blocks[b].state = blocks[buddy].state = BLOCK_NONE;
		blocks[parent].dirty = blocks[b].dirty || blocks[buddy].dirty;
		slot_drop(b);
		slot_drop(buddy);
		list_add(parent);
		b = parent;
	}
}

/* ---- zeroing ---- */

static int zero_frame(cap_t frame, u64 bytes)
{
	for (u64 done = 0; done < bytes; done += ZERO_BYTES) {
		u64 n = MIN(bytes - done, ZERO_BYTES);
		void *window = vspace_attach(&mem_space, frame, done, n, MAP_READ | MAP_WRITE);

		if (!window)
			return -ENOMEM;
		memset(window, 0, n);
		vspace_detach(&mem_space, window, n);
	}
	return 0;
}

/* Zero all of a block, of which nothing is made. 0 or -ENOMEM. */
static int zero_block(cap_t block)
{
	cap_t frame = slot_new();
	int err = -ENOMEM;

	if (frame != CAP_NONE && !sys_retype(block, CAP_FRAME, mem_bytes(block), frame))
		err = zero_frame(frame, mem_bytes(block));
	slot_drop(frame);
	return err;
}

/* ---- what others see ---- */

/* A free block of at least @bytes, now in use; CAP_NONE if there is none. */
static cap_t take(u64 bytes)
{
	u32 order = MIN_ORDER, have;
	u16 b;

	while (order < ORDERS && 1ul << order < bytes)
		order++;
	for (have = order; have < ORDERS && !free_list[have]; have++)
		;
	if (have >= ORDERS)
		return CAP_NONE;
	for (; have > order; have--)
		if (split(free_list[have]))
			return CAP_NONE;
	b = free_list[order];
	list_remove(b);
	blocks[b].state = BLOCK_USED;
	blocks[b].object = CAP_NONE;
	return b;
}

bool mem_is_scarce(u64 bytes)
{
	return slots_left() < RESERVE_SLOTS || free_bytes < RESERVE_BYTES ||
	       bytes > free_bytes - RESERVE_BYTES;
}

cap_t mem_new(u64 bytes, u32 owner)
{
	cap_t b;

	if (owner != MEM_OWNER_MONITOR && mem_is_scarce(bytes))
		return CAP_NONE;
	b = take(bytes);
	if (b == CAP_NONE)
		return CAP_NONE;
	if (owner != MEM_OWNER_MONITOR && blocks[b].dirty && zero_block(b)) {
		join((u16)b);
		return CAP_NONE;
	}
	blocks[b].owner = (u16)owner;
	blocks[b].dirty = true;
	return b;
}

void mem_put(cap_t block)
{
	if (block == CAP_NONE)
		return;
	assert(blocks[block].state == BLOCK_USED);
	sys_cap_revoke(block); /* empties the object's slot, too */
	slot_put(blocks[block].object);
	join((u16)block);
}

void mem_hand_over(cap_t block, u32 owner)
{
	blocks[block].owner = (u16)owner;
}

void mem_put_all(u32 owner)
{
	for (u32 b = 1; b < MONITOR_SLOTS; b++)
		if (mem_is_owned(b, owner))
			mem_put(b);
}

bool mem_is_owned(u64 block, u32 owner)
{
	return block < MONITOR_SLOTS && blocks[block].state == BLOCK_USED &&
	       blocks[block].owner == owner;
}

u64 mem_bytes(cap_t block)
{
	return 1ul << blocks[block].order;
}

u64 mem_free_bytes(void)
{
	return free_bytes;
}

u64 mem_used_bytes(void)
{
	return total_bytes - free_bytes;
}

u64 mem_owner_bytes(u32 owner)
{
	u64 bytes = 0;

	for (u32 b = 1; b < MONITOR_SLOTS; b++)
		if (mem_is_owned(b, owner))
			bytes += mem_bytes(b);
	return bytes;
}

cap_t mem_object(cap_t block, u32 type)
{
	cap_t slot = slot_new();

	if (slot == CAP_NONE)
		return CAP_NONE;
	if (sys_retype(block, type, mem_bytes(block), slot)) {
		slot_put(slot);
		return CAP_NONE;
	}
	blocks[block].object = (u16)slot;
	return slot;
}

int mem_frame_new(u64 bytes, u32 owner, struct mem_frame *out)
{
	struct mem_frame f = {.block = mem_new(bytes, owner)};
	struct cap_info info;

	if (f.block == CAP_NONE)
		return -ENOMEM;
	f.bytes = mem_bytes(f.block);
	f.frame = mem_object(f.block, CAP_FRAME);
	if (f.frame == CAP_NONE || sys_cap_info(f.frame, &info) || zero_frame(f.frame, f.bytes)) {
		mem_put(f.block);
		return -ENOMEM;
	}
	f.phys = info.base;
	*out = f;
	return 0;
}

void mem_frame_put(struct mem_frame *frame)
{
	mem_put(frame->block);
	*frame = (struct mem_frame){0};
}

/* ---- the beginning ---- */

/* The monitor's page tables come out of its own memory, 8 pages at a time. */
static int more_tables(struct vspace *vs)
{
	cap_t block = mem_new(8 * PAGE_SIZE, MEM_OWNER_MONITOR);
	int err = block == CAP_NONE ? -ENOMEM : vspace_donate(vs, block, 8);

	if (err)
		mem_put(block);
	return err;
}

/* Cut SLOT_RAM into the largest aligned powers of two: ascending ones, then descending. */
static void cut(u64 base, u64 end)
{
	while (base < end) {
		u32 order = MIN((u32)__builtin_ctzl(base), MEM_MAX_ORDER);
		cap_t slot;

		while (1ul << order > end - base)
			order--;
		slot = slot_new();
		if (slot == CAP_NONE || sys_retype(SLOT_RAM, CAP_RAM, 1ul << order, slot))
			rt_panic("monitor: cannot cut its memory at 0x%lx", base);
		blocks[slot] = (struct block){.order = (u8)order};
		list_add((u16)slot);
		base += 1ul << order;
	}
}

cap_t mem_first_page(void)
{
	return first_page;
}

void mem_init(void)
{
	struct cap_info ram;

	if (sys_cap_info(SLOT_RAM, &ram))
		rt_panic("monitor: no memory");
	first_page = slot_new();
	if (ram.base != self.boot->free_base || ram.used ||
	    sys_retype(SLOT_RAM, CAP_FRAME, PAGE_SIZE, first_page))
		rt_panic("monitor: its memory does not begin where it should");
	cut(ram.base + PAGE_SIZE, ROUND_DOWN(ram.base + ram.bytes, PAGE_SIZE));
	total_bytes = free_bytes;
	vspace_init(&mem_space, SLOT_ASPACE, MONITOR_MAP_VA, MONITOR_MAP_END, more_tables, NULL);
}
