/*
 * malloc and its relatives (stdlib.h), by lib/heap, over memory that the program finds.
 *
 * Runs in: native domains and the monitor.
 */
#ifndef RT_MALLOC_H
#define RT_MALLOC_H

#include <rt/vspace.h>

/* Where the heap grows: consecutive addresses, so that pieces join. */
struct malloc_source {
	struct vspace *space;
	u64 next, end;
	/* Take a frame of at least @bytes; sets how many it has. 0 or a negative errno. */
	int (*frame_new)(u64 bytes, cap_t *frame, u64 *got);
	cap_t spare; /* a frame that is not mapped yet */
	u64 spare_bytes;
};

/** Before the first malloc. @source stays in use. */
void malloc_init(struct malloc_source *source);

#endif
