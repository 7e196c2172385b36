/*
 * Small cpio archives, made in memory, for tests to read and to spoil.
 */
#ifndef CPIO_ARCHIVE_H
#define CPIO_ARCHIVE_H

#include <skerry/types.h>

/* An archive under construction. */
struct archive {
	u8 *bytes;
	size_t len;
};

/* Append an entry whose name takes @namesize bytes, at most 8192 (0: as many as it needs). */
void archive_add(struct archive *a, const char *name, u32 namesize, u32 mode, const char *data);

/* A sound archive of a folder "etc", "./etc/motd" and "sbin/monitor"; the caller frees its bytes.
 */
struct archive new_archive(void);

#endif
