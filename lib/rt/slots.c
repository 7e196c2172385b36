/* See slots.h. */
#include <rt/slots.h>

static u64 taken[CNODE_SLOTS_MAX / 64];
static u32 slots;
static u32 left;
static u32 hint; /* no slot below it is free */

static bool is_taken(u32 slot)
{
	return taken[slot / 64] >> slot % 64 & 1;
}

static void set_taken(u32 slot, bool value)
{
	u64 bit = 1ul << slot % 64;

	taken[slot / 64] = value ? taken[slot / 64] | bit : taken[slot / 64] & ~bit;
}

void slots_init(u32 first, u32 count)
{
	slots = MIN(count, CNODE_SLOTS_MAX);
	hint = first;
	left = slots - first;
	for (u32 i = 0; i < first; i++)
		set_taken(i, true);
}

cap_t slot_new_run(u32 n)
{
	u32 run = 0;

	while (hint < slots && is_taken(hint))
		hint++;
	for (u32 slot = hint; slot < slots; slot++) {
		run = is_taken(slot) ? 0 : run + 1;
		if (run < n)
			continue;
		for (u32 i = 0; i < n; i++)
			set_taken(slot - i, true);
		left -= n;
		return slot - n + 1;
	}
	return CAP_NONE;
}

u32 slots_left(void)
{
	return left;
}

cap_t slot_new(void)
{
	return slot_new_run(1);
}

void slot_put(cap_t slot)
{
	if (slot == CAP_NONE)
		return;
	assert(is_taken(slot));
	set_taken(slot, false);
	left++;
	hint = MIN(hint, slot);
}

void slot_drop(cap_t slot)
{
	if (slot == CAP_NONE)
		return;
	/* Empty already, when what it derived from was revoked: then both calls just say so. */
	sys_cap_revoke(slot);
	sys_cap_delete(slot);
	slot_put(slot);
}

static cap_t for_calls;

void slot_receive_calls(cap_t slot)
{
	for_calls = slot;
	sys_receive_slot(slot);
}

void slot_receive_restore(void)
{
	sys_receive_slot(for_calls);
}
