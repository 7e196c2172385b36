/*
 * See expand.h. The first bytes of the formats are those that Linux goes by (lib/decompress.c
 * there); each format's own document names them, too.
 */
#include <expand/expand.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define OUT_BYTES   (256 * KiB)
#define GZIP_WINDOW (15 + 16) /* the largest window; a gzip header, not zlib's */

static const struct {
	u8 bytes[4];
	u8 len;
	enum expand_format format;
	const char *name;
} formats[] = {
	{{0x1f, 0x8b}, 2, EXPAND_GZIP, "gzip"},
	{{0x1f, 0x9e}, 2, EXPAND_GZIP, "gzip"},
	{{0x28, 0xb5, 0x2f, 0xfd}, 4, EXPAND_ZSTD, "zstd"},
	{{0x42, 0x5a}, 2, EXPAND_BZIP2, "bzip2"},
	{{0x5d, 0x00}, 2, EXPAND_LZMA, "lzma"},
	{{0xfd, 0x37}, 2, EXPAND_XZ, "xz"},
	{{0x89, 0x4c}, 2, EXPAND_LZO, "lzo"},
	{{0x02, 0x21}, 2, EXPAND_LZ4, "lz4"},
};

enum expand_format expand_format(const void *data, u64 len)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (len >= formats[i].len && memcmp(data, formats[i].bytes, formats[i].len) == 0)
			return formats[i].format;
	}
	return EXPAND_UNKNOWN;
}

const char *expand_name(enum expand_format format)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (formats[i].format == format)
			return formats[i].name;
	}
	return "an unknown format";
}

/* What is being unpacked, and where it goes. */
struct job {
	const u8 *data;
	u64 len, used;
	u8 *bytes; /* OUT_BYTES for one piece of the output */
	expand_out *out;
	void *arg;
	const char *why;
};

static int bad(struct job *job, const char *why)
{
	job->why = why;
	return -EINVAL;
}

/* ---- gzip ---- */

static int gzip_step(struct job *job, z_stream *z, bool *end)
{
	u64 given = MIN(job->len - job->used, (u64)UINT_MAX / 2);
	int err;

	z->next_in = (u8 *)job->data + job->used;
	z->avail_in = (uInt)given;
	z->next_out = job->bytes;
	z->avail_out = OUT_BYTES;
	err = inflate(z, Z_NO_FLUSH);
	job->used += given - z->avail_in;
	*end = err == Z_STREAM_END;
	if (err == Z_MEM_ERROR)
		return -ENOMEM;
	if (err == Z_BUF_ERROR || (err == Z_OK && job->used == job->len && z->avail_out))
		return bad(job, "the compressed data end too early");
	if (err != Z_OK && err != Z_STREAM_END)
		return bad(job, z->msg ? z->msg : "the compressed data are damaged");
	return job->out(job->arg, job->bytes, OUT_BYTES - z->avail_out);
}

static int gzip(struct job *job)
{
	z_stream z = {0};
	bool end = false;
	int err = 0;

	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return -ENOMEM;
	while (!err && !end)
		err = gzip_step(job, &z, &end);
	inflateEnd(&z);
	return err;
}

/* ---- zstd ---- */

static int zstd_step(struct job *job, ZSTD_DStream *z, bool *end)
{
	ZSTD_inBuffer in = {job->data, job->len, job->used};
	ZSTD_outBuffer out = {job->bytes, OUT_BYTES, 0};
	size_t left = ZSTD_decompressStream(z, &out, &in);

	job->used = in.pos;
	*end = left == 0;
	if (ZSTD_isError(left) && ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
		return -ENOMEM;
	if (ZSTD_isError(left))
		return bad(job, ZSTD_getErrorName(left));
	if (left && in.pos == in.size && out.pos < out.size)
		return bad(job, "the compressed data end too early");
	return out.pos ? job->out(job->arg, job->bytes, out.pos) : 0;
}

static int zstd(struct job *job)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	bool end = false;
	int err = z ? 0 : -ENOMEM;

	while (!err && !end)
		err = zstd_step(job, z, &end);
	ZSTD_freeDStream(z);
	return err;
}

/* ---- both ---- */

int expand(const void *data, u64 len, u64 *used, expand_out *out, void *arg, const char **why)
{
	struct job job = {.data = data, .len = len, .out = out, .arg = arg, .why = ""};
	enum expand_format format = expand_format(data, len);
	int err;

	*used = 0;
	*why = "";
	if (format != EXPAND_GZIP && format != EXPAND_ZSTD)
		return -ENOSYS;
	job.bytes = malloc(OUT_BYTES);
	if (!job.bytes)
		return -ENOMEM;
	err = format == EXPAND_GZIP ? gzip(&job) : zstd(&job);
	free(job.bytes);
	*used = job.used;
	*why = job.why;
	return err;
}
