/*
 * Between the two halves of unpacking an initramfs: archive.c finds out where entries begin and
 * end, initramfs.c makes files of them. Private to services/vfs.
 */
#ifndef VFS_INITRAMFS_H
#define VFS_INITRAMFS_H

#include "internal.h"

#include <cpio/cpio.h>

struct unpacking;

/* archive.c */

/* Names may be followed by NULs, which bring the data of programs to a page. */
#define ARCHIVE_NAME_MAX (2 * VFS_PATH_MAX)

/* One stream of entries that comes in pieces. All zero but for @u: nothing has come. */
struct archive {
	struct unpacking *u; /* who is told */
	enum archive_state {
		ARCHIVE_BETWEEN, /* before the first entry, or behind a closing one */
		ARCHIVE_HEADER,
		ARCHIVE_NAME,
		ARCHIVE_NAME_PADDING,
		ARCHIVE_DATA,
		ARCHIVE_DATA_PADDING,
	} state;
	u64 at;       /* offset of the next byte */
	u64 entry_at; /* where the present entry began */
	u64 left;     /* bytes that the present state waits for */
	u32 have;     /* ... and how many of them lie in @bytes */
	u32 sum;      /* of the data so far */
	struct cpio_header header;
	u8 bytes[ARCHIVE_NAME_MAX]; /* header, then name */
};

/**
 * Take bytes of the stream; entries are handed on as they come.
 *
 * Returns how many bytes it took: all, or fewer because an archive has closed behind them; or
 * what a function below said; or -EINVAL, having told the reason by unpacking_bad().
 */
s64 archive_take(struct archive *a, const u8 *bytes, u64 len);

/** Whether another archive may begin here: between entries. */
bool archive_may_begin(const struct archive *a);

/** No more bytes come. 0, or -EINVAL as above. */
int archive_end(struct archive *a);

/* initramfs.c */

/** An entry begins: @e has its name, and is valid until unpacking_end(). 0 or -errno. */
int unpacking_begin(struct unpacking *u, const struct archive *a, const struct cpio_entry *e);
/** @n more bytes of its data. 0 or -errno. */
int unpacking_data(struct unpacking *u, const u8 *bytes, u64 n);
/** All its data have come. 0 or -errno. */
int unpacking_end(struct unpacking *u);
/** An archive is closed: numbers of files begin anew. */
void unpacking_closed(struct unpacking *u);
/** Something is wrong with the form of the archive. */
void unpacking_bad(struct unpacking *u, const char *why);

#endif
