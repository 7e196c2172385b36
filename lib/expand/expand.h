/*
 * Unpacking compressed data, in pieces: gzip (RFC 1952) by zlib, zstd (RFC 8878) by libzstd.
 *
 * The data are in memory and nobody vouches for them. What they become goes to a function, piece by
 * piece, so that it need not fit into memory.
 *
 * Not here: packing; other formats, which are known by name only.
 * Runs in: native domains, host tests. Needs malloc.
 */
#ifndef EXPAND_EXPAND_H
#define EXPAND_EXPAND_H

#include <skerry/types.h>

enum expand_format {
	EXPAND_UNKNOWN,
	EXPAND_GZIP,
	EXPAND_ZSTD,
	/* known, but not unpacked: */
	EXPAND_BZIP2,
	EXPAND_LZMA,
	EXPAND_XZ,
	EXPAND_LZO,
	EXPAND_LZ4,
};

/** The format that data begin with, by their first bytes. */
enum expand_format expand_format(const void *data, u64 len);

/** "gzip", "xz", ... */
const char *expand_name(enum expand_format format);

/** Takes the next @n unpacked bytes. 0, or a negative number, which ends the unpacking. */
typedef int expand_out(void *arg, const u8 *bytes, u64 n);

/**
 * Unpack one member (gzip) or frame (zstd) at the beginning of @data, with its check sums.
 *
 * @used  is set to how many bytes it had
 * @why   is set to what is wrong with the data, in words, at -EINVAL
 * Returns 0; -EINVAL (the data are bad or end early), -ENOSYS (a format that is not unpacked here),
 * -ENOMEM, or what @out said.
 */
int expand(const void *data, u64 len, u64 *used, expand_out *out, void *arg, const char **why);

#endif
