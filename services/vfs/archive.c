/*
 * A stream of cpio entries that comes in pieces of any size: the states of a reader.
 *
 *   between -> header -> name -> padding -> data -> padding -> header ...
 *      ^                   |
 *      +-------------------+  the name is the closing entry's
 *
 * An entry is decoded before anything of it is believed (lib/cpio). Zeros between archives are
 * skipped; a header begins at a multiple of 4.
 *
 * Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 * Not here: what becomes of an entry (initramfs.c), compression.
 * Runs in: the personality, host tests, the fuzzer.
 */
#include "initramfs.h"

#include <string.h>

#define ALIGN 4u

static s64 bad(struct archive *a, const char *why)
{
	unpacking_bad(a->u, why);
	return -EINVAL;
}

static void enter(struct archive *a, enum archive_state state, u64 left)
{
	a->state = state;
	a->left = left;
	a->have = 0;
}

static u64 padding(const struct archive *a)
{
	return ROUND_UP(a->at, ALIGN) - a->at;
}

/* Collect what the state waits for. Returns how much of @len that takes. */
static u64 gather(struct archive *a, const u8 *bytes, u64 len)
{
	u64 n = MIN(len, a->left);

	memcpy(a->bytes + a->have, bytes, n);
	a->have += (u32)n;
	a->left -= n;
	return n;
}

static int take_header(struct archive *a)
{
	enum cpio_error err = cpio_decode_header(a->bytes, &a->header);

	if (err)
		return (int)bad(a, cpio_strerror(err));
	if (a->header.namesize == 0 || a->header.namesize > ARCHIVE_NAME_MAX)
		return (int)bad(a, "has an entry with an empty name, or one that is too long");
	enter(a, ARCHIVE_NAME, a->header.namesize);
	return 0;
}

static int take_name(struct archive *a)
{
	enum cpio_error err = cpio_check_name(a->bytes, a->header.namesize);

	if (err)
		return (int)bad(a, cpio_strerror(err));
	if (strcmp((const char *)a->bytes, CPIO_TRAILER) == 0) {
		unpacking_closed(a->u);
		enter(a, ARCHIVE_BETWEEN, 0);
		return 0;
	}
	a->header.entry.name = (const char *)a->bytes;
	enter(a, ARCHIVE_NAME_PADDING, padding(a));
	return 0;
}

static int finish_entry(struct archive *a)
{
	if (a->header.summed && (a->header.entry.mode & S_IFMT) == S_IFREG &&
	    a->sum != a->header.check)
		return (int)bad(a, "has an entry whose data do not have its sum");
	enter(a, ARCHIVE_DATA_PADDING, padding(a));
	return unpacking_end(a->u);
}

static int begin_data(struct archive *a)
{
	enter(a, ARCHIVE_DATA, a->header.entry.size);
	a->sum = 0;
	return unpacking_begin(a->u, a, &a->header.entry);
}

/* The state has all that it waits for. */
static int advance(struct archive *a)
{
	switch (a->state) {
	case ARCHIVE_HEADER:
		return take_header(a);
	case ARCHIVE_NAME:
		return take_name(a);
	case ARCHIVE_NAME_PADDING:
		return begin_data(a);
	case ARCHIVE_DATA:
		return finish_entry(a);
	default:
		a->entry_at = a->at;
		enter(a, ARCHIVE_HEADER, CPIO_HEADER_BYTES);
		return 0;
	}
}

static int take_data(struct archive *a, const u8 *bytes, u64 n)
{
	a->left -= n;
	if (a->header.summed) {
		for (u64 i = 0; i < n; i++)
			a->sum += bytes[i];
	}
	return unpacking_data(a->u, bytes, n);
}

static s64 skip_zeros(struct archive *a, const u8 *bytes, u64 len)
{
	u64 n = 0;

	while (n < len && bytes[n] == 0)
		n++;
	a->at += n;
	if (n == len)
		return (s64)n;
	a->entry_at = a->at;
	if (a->at % ALIGN)
		return bad(a, "has an archive that does not begin at a multiple of 4");
	enter(a, ARCHIVE_HEADER, CPIO_HEADER_BYTES);
	return (s64)n;
}

/* Take what the state can use, at least one byte of it. */
static s64 take_some(struct archive *a, const u8 *bytes, u64 len)
{
	u64 n = MIN(len, a->left);
	int err = 0;

	switch (a->state) {
	case ARCHIVE_BETWEEN:
		return skip_zeros(a, bytes, len);
	case ARCHIVE_HEADER:
	case ARCHIVE_NAME:
		n = gather(a, bytes, len);
		break;
	case ARCHIVE_DATA:
		err = n ? take_data(a, bytes, n) : 0;
		break;
	default:
		a->left -= n;
	}
	a->at += n;
	/* States that wait for nothing are passed at once, so that an end is seen as one. */
	while (!err && !a->left && a->state != ARCHIVE_BETWEEN)
		err = advance(a);
	return err ? err : (s64)n;
}

s64 archive_take(struct archive *a, const u8 *bytes, u64 len)
{
	u64 done = 0;

	while (done < len) {
		bool was_between = a->state == ARCHIVE_BETWEEN;
		s64 n = take_some(a, bytes + done, len - done);

		if (n < 0)
			return n;
		done += (u64)n;
		if (a->state == ARCHIVE_BETWEEN && !was_between)
			break;
	}
	return (s64)done;
}

bool archive_may_begin(const struct archive *a)
{
	return a->state == ARCHIVE_BETWEEN || (a->state == ARCHIVE_HEADER && !a->have);
}

int archive_end(struct archive *a)
{
	if (a->state == ARCHIVE_BETWEEN)
		return 0;
	return (int)bad(a, cpio_strerror(archive_may_begin(a) ? CPIO_NO_TRAILER : CPIO_TRUNCATED));
}
