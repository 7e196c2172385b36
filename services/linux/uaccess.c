/* See uaccess.h. */
#include "uaccess.h"
#include "afar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RW_MAX 0x7ffff000ul /* bytes that one call moves: read(2) */

/* Where the page of @addr is in this domain; NULL: it may not be touched so. */
static u8 *page_at(struct mm *mm, u64 addr, bool write)
{
	u64 *entry = pagemap_find(&mm->pages, addr);

	/* What the processor may touch, so may we. */
	if (!entry || !(*entry & (write ? PM_WRITABLE : PM_MAPPED))) {
		if (addr >= MM_TOP || mm_touch(mm, addr, write ? TOUCH_WRITE : TOUCH_READ, &entry))
			return NULL;
	}
	return (u8 *)entry_page(*entry)->data + addr % PAGE_SIZE;
}

u64 mm_copy(struct mm *mm, void *kernel, u64 addr, u64 len, bool write)
{
	u64 done = 0;

	while (done < len) {
		u64 n = MIN(len - done, PAGE_SIZE - (addr + done) % PAGE_SIZE);
		u8 *user = page_at(mm, addr + done, write);

		if (!user) {
			if (mm->far_core)
				done += afar_copy(mm, (u8 *)kernel + done, addr + done, len - done,
						  write);
			break;
		}
		if (write)
			memcpy(user, (u8 *)kernel + done, n);
		else
			memcpy((u8 *)kernel + done, user, n);
		done += n;
	}
	return done;
}

static bool is_user(u64 addr, u64 len)
{
	return addr <= MM_TOP && len <= MM_TOP - addr;
}

int copy_in(struct thread *t, void *to, u64 from, u64 len)
{
	if (!is_user(from, len) || mm_copy(thread_mm(t), to, from, len, false) != len)
		return -EFAULT;
	return 0;
}

int copy_out(struct thread *t, u64 to, const void *from, u64 len)
{
	if (!is_user(to, len) ||
	    mm_copy(thread_mm(t), (void *)(uintptr_t)from, to, len, true) != len)
		return -EFAULT;
	return 0;
}

int clear_out(struct thread *t, u64 to, u64 len)
{
	static const u8 zeros[256];

	while (len) {
		u64 n = MIN(len, sizeof(zeros));
		int err = copy_out(t, to, zeros, n);

		if (err)
			return err;
		to += n;
		len -= n;
	}
	return 0;
}

/*
 * Copies a string, but no more than @n bytes, a word at a time. Returns its length, or @n if it
 * does not end there.
 */
static u64 copy_to_nul(char *to, const char *from, u64 n)
{
	u64 at = 0, word, zeros;

	for (; at + sizeof(word) <= n; at += sizeof(word)) {
		__builtin_memcpy(&word, from + at, sizeof(word));
		__builtin_memcpy(to + at, &word, sizeof(word));
		/* The lowest bit set is that of the first byte that is zero. */
		zeros = (word - 0x0101010101010101ul) & ~word & 0x8080808080808080ul;
		if (zeros)
			return at + (u64)__builtin_ctzl(zeros) / 8;
	}
	for (; at < n; at++) {
		to[at] = from[at];
		if (!to[at])
			break;
	}
	return at;
}

s64 copy_string(struct thread *t, char *to, u64 from, u64 size)
{
	u64 done = 0;

	while (done < size) {
		u64 n = MIN(size - done, PAGE_SIZE - (from + done) % PAGE_SIZE), len;
		const char *user = (const char *)page_at(thread_mm(t), from + done, false);
		char far[256];

		if (!user && thread_mm(t)->far_core) {
			n = MIN(n, sizeof(far));
			user = afar_copy(thread_mm(t), far, from + done, n, false) == n ? far
											: NULL;
		}
		if (!user)
			return -EFAULT;
		len = copy_to_nul(to + done, user, n);
		done += len;
		if (len < n)
			return (s64)done;
	}
	return -ENAMETOOLONG;
}

int copy_in_sized(struct thread *t, void *to, u64 known, u64 from, u64 size, u64 least)
{
	u8 rest[64];

	if (size < least)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	for (u64 at = known; at < size; at += sizeof(rest)) {
		u64 n = MIN(sizeof(rest), size - at);

		if (copy_in(t, rest, from + at, n))
			return -EFAULT;
		for (u64 i = 0; i < n; i++) {
			if (rest[i])
				return -E2BIG;
		}
	}
	memset(to, 0, known);
	return copy_in(t, to, from, MIN(size, known));
}

/* ---- uio ---- */

/* Find the buffer that position @done is in. */
static void seek(struct user_io *io, u64 done)
{
	if (done < io->at_done)
		io->at = 0, io->at_done = 0;
	while (io->at < io->count && done - io->at_done >= io->iov[io->at].len) {
		io->at_done += io->iov[io->at].len;
		io->at++;
	}
}

static size_t copy(struct uio *uio, void *kernel, size_t len, bool in)
{
	struct user_io *io = container_of(uio, struct user_io, uio);
	size_t moved = 0;

	while (moved < len) {
		const struct k_iovec *v;
		u64 offset, n, got;

		seek(io, uio->done + moved);
		if (io->at == io->count)
			break;
		v = &io->iov[io->at];
		offset = uio->done + moved - io->at_done;
		n = MIN(len - moved, v->len - offset);
		got = mm_copy(io->mm, (u8 *)kernel + moved, v->base + offset, n, !in);
		moved += got;
		if (got < n)
			break;
	}
	return moved;
}

static void begin(struct thread *t, struct user_io *io, struct k_iovec *iov, u32 count, u64 bytes)
{
	io->uio = (struct uio){.left = MIN(bytes, RW_MAX), .copy = copy};
	io->mm = thread_mm(t);
	io->iov = iov;
	io->count = count;
	io->at = 0;
	io->at_done = 0;
}

int user_io_one(struct thread *t, struct user_io *io, u64 base, u64 len)
{
	if (!is_user(base, len))
		return -EFAULT;
	io->owned = NULL;
	io->one = (struct k_iovec){base, len};
	begin(t, io, &io->one, 1, len);
	return 0;
}

int user_io_vector(struct thread *t, struct user_io *io, u64 iov, u64 count)
{
	u64 bytes = 0;
	int err = -ENOMEM;

	if (count > IOV_MAX)
		return -EINVAL;
	io->owned = malloc(MAX(count, 1ul) * sizeof(*io->owned));
	if (!io->owned)
		return -ENOMEM;
	err = copy_in(t, io->owned, iov, count * sizeof(*io->owned));
	for (u32 i = 0; i < count && !err; i++) {
		const struct k_iovec *v = &io->owned[i];

		if ((s64)v->len < 0)
			err = -EINVAL;
		else if (!is_user(v->base, MIN(v->len, RW_MAX)))
			err = -EFAULT;
		else
			bytes = MIN(bytes + MIN(v->len, RW_MAX), RW_MAX);
	}
	if (err) {
		free(io->owned);
		return err;
	}
	begin(t, io, io->owned, (u32)count, bytes);
	return 0;
}

void user_io_fini(struct user_io *io)
{
	free(io->owned);
}
