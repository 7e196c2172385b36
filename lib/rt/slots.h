/*
 * Which slots of this domain's table of capabilities are in use: a bitmap, kept by the domain
 * itself, since the CPU driver only knows whether a slot is empty.
 *
 * Runs in: native domains and the monitor. One thread of control.
 */
#ifndef RT_SLOTS_H
#define RT_SLOTS_H

#include <rt/calls.h>

/** Begin with slots @first to @count - 1 free. */
void slots_init(u32 first, u32 count);

/** A free slot, now taken; CAP_NONE if the table is full. */
cap_t slot_new(void);

/** The first of @n consecutive free slots, now taken; CAP_NONE if there are none. */
cap_t slot_new_run(u32 n);

/** How many slots are free. */
u32 slots_left(void);

/** Give back a slot that is empty. CAP_NONE is ignored. */
void slot_put(cap_t slot);

/** Empty a slot, all that derives from it included, and give it back. CAP_NONE is ignored. */
void slot_drop(cap_t slot);

/**
 * Where a capability that comes along with a local call to this domain shall go; CAP_NONE: it is
 * dropped. Holds until changed; who receives one otherwise, for a moment, restores this.
 */
void slot_receive_calls(cap_t slot);
void slot_receive_restore(void);

#endif
