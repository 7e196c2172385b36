/*
 * Reading and writing the memory of processes, page by page through their page maps: never
 * through their address spaces. A bad pointer is -EFAULT, whatever it points at.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_UACCESS_H
#define LINUX_UACCESS_H

#include "mm.h"
#include "process.h"
#include <vfs/uio.h>

/** How many of @len bytes could be moved between @kernel and @addr of @mm. May wait. */
u64 mm_copy(struct mm *mm, void *kernel, u64 addr, u64 len, bool write);

/** All or -EFAULT (and then perhaps some). */
int copy_in(struct thread *t, void *to, u64 from, u64 len);
int copy_out(struct thread *t, u64 to, const void *from, u64 len);
int clear_out(struct thread *t, u64 to, u64 len);

/**
 * A structure that has grown and may grow: the first @known bytes of @size, zeros for what is not
 * there. -EINVAL: @size is below @least; -E2BIG: bytes we do not know are not zero; -EFAULT.
 */
int copy_in_sized(struct thread *t, void *to, u64 known, u64 from, u64 size, u64 least);

/** A string with its NUL: its length without, -EFAULT, or -ENAMETOOLONG (@size is too small). */
s64 copy_string(struct thread *t, char *to, u64 from, u64 size);

#define IOV_MAX 1024u

struct k_iovec {
	u64 base, len;
};

/* A uio over buffers of a process. */
struct user_io {
	struct uio uio; /* first */
	struct mm *mm;
	struct k_iovec one, *iov, *owned;
	u32 count;
	u32 at; /* buffer of the last position, and where it begins */
	u64 at_done;
};

/** One buffer; lengths over what Linux moves at once are cut. -EFAULT: not a user address. */
int user_io_one(struct thread *t, struct user_io *io, u64 base, u64 len);

/** An array of struct iovec. 0, -EINVAL (too many, negative or overflowing lengths), -EFAULT, ...
 */
int user_io_vector(struct thread *t, struct user_io *io, u64 iov, u64 count);
void user_io_fini(struct user_io *io);

#endif
