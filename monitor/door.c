/* See door.h. */
#include "door.h"
#include "mem.h"
#include "monitor.h"
#include "start.h"
#include <rt/slots.h>
#include <string.h>

#define DOORS (PAGE_SIZE / sizeof(u64))

/* A word: the number of a page above, and below it the stamp, which no older boot has left. */
#define STAMP_BITS 24u
#define STAMP_MASK ((1ul << STAMP_BITS) - 1)

static u64 *own;

static u64 stamp(void)
{
	return (self.boot->tsc_start >> 8 & STAMP_MASK) | 1;
}

void door_show(u32 core, u64 phys)
{
	if (core < DOORS)
		__atomic_store_n(&own[core], phys / PAGE_SIZE << STAMP_BITS | stamp(),
				 __ATOMIC_RELEASE);
}

u64 door_look(u32 core)
{
	u64 phys = self.cores[core].mem_base + start_built_bytes(core) - PAGE_SIZE, word = 0;
	cap_t frame = slot_new();
	const u64 *page;

	if (frame == CAP_NONE)
		return 0;
	if (self.core < DOORS && !sys_frame_mint(SLOT_PHYS, phys, PAGE_SIZE, frame)) {
		page = vspace_attach(&mem_space, frame, 0, PAGE_SIZE, MAP_READ);
		if (page) {
			word = __atomic_load_n(&page[self.core], __ATOMIC_ACQUIRE);
			vspace_detach(&mem_space, (void *)page, PAGE_SIZE);
		}
	}
	slot_drop(frame);
	return (word & STAMP_MASK) == stamp() ? (word >> STAMP_BITS) * PAGE_SIZE : 0;
}

void door_knock(u32 core)
{
	cap_t bell = slot_new();

	if (bell == CAP_NONE)
		return; /* who wants a link tries again */
	if (!sys_doorbell_mint(SLOT_CORE, self.cores[core].apic_id, DOOR_BELL, bell))
		sys_doorbell_ring(bell);
	slot_drop(bell);
}

void door_init(void)
{
	cap_t frame = mem_first_page();

	own = vspace_attach(&mem_space, frame, 0, PAGE_SIZE, MAP_READ | MAP_WRITE);
	if (!own || sys_doorbell_bind(SLOT_CORE, DOOR_BELL, SLOT_DOMAIN, EVENT_KNOCK))
		rt_panic("monitor: no door");
	memset(own, 0, PAGE_SIZE);
}
