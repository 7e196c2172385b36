/*
 * Data on its way between the VFS and whoever called, in one direction: a user's buffers (the
 * personality copies straight between page cache and user pages) or memory of this domain.
 *
 * Runs in: the personality, host tests.
 */
#ifndef VFS_UIO_H
#define VFS_UIO_H

#include <skerry/types.h>

struct uio {
	size_t done; /* bytes moved so far */
	size_t left; /* bytes wanted still */
	/*
	 * Move @len bytes at position @done of the caller's buffers to (@in: from) @kernel.
	 * Returns how many could be moved; fewer than @len means a bad address. Does not
	 * change @done and @left. May block (a page fault). The two sides may be one page: a
	 * file written from its own mapping.
	 */
	size_t (*copy)(struct uio *uio, void *kernel, size_t len, bool in);
	void *base; /* of uio_kernel() */
	/* May not block: RWF_NOWAIT or an open file with O_NONBLOCK. */
	bool nowait;
	s32 append; /* RWF_APPEND: 1, RWF_NOAPPEND: -1; 0: as the open file has it */
};

/* A uio over @len bytes of this domain's memory. */
void uio_kernel(struct uio *uio, void *base, size_t len);

/* Give the caller up to @len bytes; returns how many it took (limited by @left, or a fault). */
size_t uio_put(struct uio *uio, const void *from, size_t len);

/* Give the caller up to @len zero bytes. */
size_t uio_put_zero(struct uio *uio, size_t len);

/* Take up to @len bytes from the caller. */
size_t uio_take(struct uio *uio, void *to, size_t len);

/* Step over up to @len bytes without moving them. */
size_t uio_skip(struct uio *uio, size_t len);

#endif
