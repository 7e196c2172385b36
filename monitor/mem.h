/*
 * This core's memory: RAM capabilities in powers of two, split and joined by the buddy method.
 *
 * A block is known by the slot of its RAM capability. Whoever has a block makes objects out of it;
 * mem_put() revokes them all, so memory comes back whatever was done with it.
 *
 *   free --mem_new--> used --mem_put--> free, joined with its buddy if that is free too
 *    \----(too large)--> split, both halves are blocks
 *
 * What somebody had is zeroed before a program gets it. A reserve of memory and slots is the
 * monitor's own: programs can use up all the rest without stopping it.
 *
 * Not here: memory of other cores (FRAME_MINT), ownership of ranges between cores.
 */
#ifndef MONITOR_MEM_H
#define MONITOR_MEM_H

#include <rt/vspace.h>

#define MEM_OWNER_MONITOR 0u  /* owners are numbers that mean something to the caller */
#define MEM_MAX_ORDER     30u /* the largest block: 1 GiB */

/** Take all of SLOT_RAM. */
void mem_init(void);

/** The frame of its first page, which lies where other cores can work it out (door.h). */
cap_t mem_first_page(void);

/**
 * Take a block of @bytes, rounded up to a power of two, for @owner.
 * Returns its RAM capability, or CAP_NONE: not enough memory, or slots, beyond the reserve.
 */
cap_t mem_new(u64 bytes, u32 owner);

/** Whether @bytes more for a program would touch the reserve. */
bool mem_is_scarce(u64 bytes);

/** Give a block back, with all that was made of it. CAP_NONE is ignored. */
void mem_put(cap_t block);

/** A used block is @owner's from now on. */
void mem_hand_over(cap_t block, u32 owner);

/** Give back all that @owner has. */
void mem_put_all(u32 owner);

/** Whether @block is a block of @owner's: slots are numbers that programs may make up. */
bool mem_is_owned(u64 block, u32 owner);

u64 mem_bytes(cap_t block);
u64 mem_free_bytes(void);
u64 mem_owner_bytes(u32 owner);
/** All that is in use, blocks of programs included. */
u64 mem_used_bytes(void);

/**
 * Make all of a block into one object of @type. Its capability goes with the block.
 * Returns its slot, or CAP_NONE: no slot, or RETYPE refused.
 */
cap_t mem_object(cap_t block, u32 type);

/* A block made into one frame. */
struct mem_frame {
	cap_t block;
	cap_t frame;
	u64 phys;
	u64 bytes;
};

/** Take a frame for @owner, all of it zeroed. 0 or -ENOMEM. */
int mem_frame_new(u64 bytes, u32 owner, struct mem_frame *out);
void mem_frame_put(struct mem_frame *frame);

/** The monitor's own address space. */
extern struct vspace mem_space;

#endif
