/*
 * Memory of this core: frames from the monitor, mapped where there is room; malloc (lib/heap) on
 * top of them; and objects of the CPU driver, made out of the domain's own small RAM.
 *
 * Runs in: native domains.
 */
#ifndef RT_MEMORY_H
#define RT_MEMORY_H

#include <rt/vspace.h>

/* Memory that the monitor gave. */
struct rt_frame {
	cap_t cap;
	u64 handle; /* by which it goes back */
	u64 bytes;
};

/** This domain's address space. */
extern struct vspace rt_space;

/** Before anything else of this file. */
void memory_init(void);

/** Have @give_back called when there is no memory; it says whether it gave any back. */
void memory_on_shortage(bool (*give_back)(void));

/** Get a frame of at least @bytes; its content is undefined. 0 or -ENOMEM, -EINVAL. */
int rt_frame_new(u64 bytes, struct rt_frame *frame);

/** Give it back; every mapping and copy of it is gone. */
void rt_frame_put(struct rt_frame *frame);

/** A frame that is mapped, and zeroed. NULL if there is no memory. */
void *rt_frame_map_new(u64 bytes, struct rt_frame *frame);

/** Get RAM, to make objects of. */
int rt_ram_new(u64 bytes, struct rt_frame *ram);

/** Make an object (see RETYPE) in a fresh slot, CAP_NONE on failure (no memory or no slot). */
cap_t rt_object_new(u32 type, u64 bytes);

#endif
