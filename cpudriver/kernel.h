/*
 * What all of the CPU driver knows: this core's identity and its memory. Every core has its own
 * copy of these, as of all data here; none is ever visible to another core's CPU driver.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <bare/bare.h>
#include <skerry/handoff.h>

extern struct handoff boot; /* this core's hand-off, copied */

extern char _text[], _etext[], _rodata[], _erodata[], _data[], _end[];
extern char kernel_stack_top[];

/** Where physical address @phys of this core's own memory is mapped. */
static inline void *phys_to_virt(u64 phys)
{
	return (void *)(PHYSMAP_BASE + (phys - boot.mem_base));
}

/** The physical address behind a pointer into the physmap. */
static inline u64 virt_to_phys(const void *va)
{
	return (u64)va - PHYSMAP_BASE + boot.mem_base;
}

/** Whether all of the range is this core's own and in its physmap. */
static inline bool phys_is_own(u64 phys, u64 bytes)
{
	u64 end = boot.mem_base + boot.mem_bytes;

	return phys >= boot.physmap_start && phys < end && bytes <= end - phys;
}

/** Copy from and to the current domain's memory. Returns 0 or -EFAULT. */
int user_read(void *to, u64 from, u64 bytes);
int user_write(u64 to, const void *from, u64 bytes);

#endif
