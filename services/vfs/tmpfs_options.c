/*
 * Mount options of tmpfs: parsed from text nobody vouches for, and shown in /proc/mounts.
 *
 * Source: tmpfs(5).
 * Runs in: the personality, host tests, the fuzzer.
 */
#include "far_internal.h"

#include <string.h>
#include <vfs/text.h>

/* A number in base 8 or 10 that is all of [@s, @end) but a suffix, which *@s is set to. */
static bool parse_number(const char **s, const char *end, u32 base, u64 *out)
{
	const char *begin = *s;
	u64 n = 0;

	while (*s < end && **s >= '0' && (u32)(**s - '0') < base) {
		if (__builtin_mul_overflow(n, (u64)base, &n) ||
		    __builtin_add_overflow(n, (u64)(**s - '0'), &n))
			return false;
		(*s)++;
	}
	*out = n;
	return *s > begin;
}

/* "64", "64k", "2M", "1g"; with @total also "50%". */
static bool parse_size(const char *s, const char *end, u64 total, u64 *out)
{
	static const char suffixes[] = "kmgtpe";
	const char *suffix;
	u64 n;

	if (!parse_number(&s, end, 10, &n))
		return false;
	if (s < end && *s == '%' && total) {
		if (__builtin_mul_overflow(n, total, &n))
			return false;
		n /= 100;
		s++;
	} else if (s < end && (suffix = strchr(suffixes, *s | 0x20)) && *suffix) {
		u32 shift = 10 * (u32)(suffix - suffixes + 1);

		if (shift >= 64 || n << shift >> shift != n)
			return false;
		n <<= shift;
		s++;
	}
	*out = n;
	return s == end;
}

static bool parse_u32(const char *s, const char *end, u32 base, u32 *out)
{
	u64 n;

	if (!parse_number(&s, end, base, &n) || s != end || n > UINT32_MAX)
		return false;
	*out = (u32)n;
	return true;
}

static bool is(const char *option, size_t len, const char *name)
{
	return strlen(name) == len && memcmp(option, name, len) == 0;
}

/* One option, [@s, @end), with "=value" or without. */
static bool parse_option(const char *s, const char *end, u64 total_pages, struct tmpfs *fs)
{
	const char *equals = memchr(s, '=', (size_t)(end - s));
	size_t len = (size_t)((equals ? equals : end) - s);
	const char *value = equals ? equals + 1 : end;
	u64 bytes;

	if (is(s, len, "size")) {
		if (!parse_size(value, end, total_pages * PAGE_SIZE, &bytes))
			return false;
		fs->max_pages = bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0);
		return true;
	}
	if (is(s, len, "nr_blocks"))
		return parse_size(value, end, 0, &fs->max_pages);
	if (is(s, len, "nr_inodes"))
		return parse_size(value, end, 0, &fs->max_inodes);
	if (is(s, len, "mode")) {
		if (!parse_u32(value, end, 8, &fs->mode))
			return false;
		fs->mode &= 07777;
		return true;
	}
	if (is(s, len, "uid"))
		return parse_u32(value, end, 10, &fs->uid);
	if (is(s, len, "gid"))
		return parse_u32(value, end, 10, &fs->gid);
	return is(s, len, "inode64") || is(s, len, "inode32");
}

int tmpfs_parse_options(const char *options, u64 total_pages, struct tmpfs *fs)
{
	struct tmpfs parsed = *fs;

	while (*options) {
		const char *end = strchr(options, ',');

		if (!end)
			end = options + strlen(options);
		if (end > options && !parse_option(options, end, total_pages, &parsed))
			return -EINVAL;
		options = *end ? end + 1 : end;
	}
	*fs = parsed;
	return 0;
}

int tmpfs_check_option(struct vfs *vfs, const char *option)
{
	static const char *const known[] = {"size", "nr_blocks", "nr_inodes", "mode",
					    "uid",  "gid",       "inode64",   "inode32"};
	size_t len = strcspn(option, "=");
	struct tmpfs fs = {0};

	for (u32 i = 0; i < ARRAY_SIZE(known); i++) {
		if (is(option, len, known[i]))
			return tmpfs_parse_options(option, vfs->env->total_pages, &fs);
	}
	return -ENODATA;
}

void tmpfs_show_options(struct superblock *sb, struct text *out)
{
	const struct tmpfs *fs = sb->private;
	u64 usual = sb->vfs->env->total_pages / 2;

	if (sb->part && sb->part->options) { /* its home has said so */
		text_puts(out, sb->part->options);
		return;
	}
	if (fs->max_pages != usual)
		text_printf(out, ",size=%luk", fs->max_pages * (PAGE_SIZE / KiB));
	if (fs->max_inodes != usual)
		text_printf(out, ",nr_inodes=%lu", fs->max_inodes);
	if (fs->mode != 01777)
		text_printf(out, ",mode=%03o", fs->mode);
	if (fs->uid)
		text_printf(out, ",uid=%u", fs->uid);
	if (fs->gid)
		text_printf(out, ",gid=%u", fs->gid);
	text_puts(out, ",inode64");
}
