/*
 * Memory that moves between cores: what this core lends to others, and what it has borrowed.
 *
 *   a core's own memory is low -> lib/memown asks others, the nearest first -> the range is ours
 *   frames for programs come out of borrowed ranges when own memory has run out
 *   a borrowed range of which nothing is in use goes back
 *
 * Borrowed memory comes as frames (FRAME_MINT): objects of the CPU driver are made of a core's own
 * memory alone. What was a dead core's is owned by its heir, and kept unused: programs of other
 * cores may still have it mapped in channels to programs that died with their core.
 *
 * Not here: who lends to whom, and who owns what then (lib/memown).
 */
#ifndef MONITOR_LEND_H
#define MONITOR_LEND_H

#include "agreement.h"
#include "mem.h"

/** With the configuration that agree_init() was called with. 0, -EINVAL, -ENOMEM. */
int lend_init(const struct agree_config *config, u32 type);

/** What the ledgers' type gets as its context; for the configuration. */
extern struct memown lend_memown;

/** Borrow @bytes of other cores. As memown_borrow(); the result comes by @request. */
int lend_borrow(u64 bytes, struct agreement_request *request);

/** Borrow, without being asked, if this core's own memory is low. */
void lend_check(void);

/**
 * Take a frame of at least @bytes of borrowed memory for @owner.
 * Returns 0 with its handle, which no block of mem.h has, or -ENOMEM.
 */
int lend_frame_new(u64 bytes, u32 owner, u64 *handle, cap_t *frame, u64 *got);

/** Give it back: 0, or -EINVAL if @owner has no such frame. */
int lend_frame_put(u64 handle, u32 owner);

/** Give back all that @owner has. */
void lend_put_all(u32 owner);

/** Bytes that this core has borrowed. */
u64 lend_borrowed_bytes(void);

#endif
