/*
 * Reading newc archives. See cpio.h for the format.
 *
 * An entry is decoded completely (decode()) before anything of it is believed: its parts are
 * located by decode_layout(), which compares without overflow because all sizes have 32 bits and
 * all offsets 64.
 *
 * Runs in: the loader, the CPU driver, native domains, the build host.
 */
#include <cpio/cpio.h>

#include <string.h>

#define MAGIC_BYTES  6u
#define DIGITS       8u
#define HEADER_BYTES CPIO_HEADER_BYTES
#define PADDING      4u

/* The numbers of a header, in their order. */
enum {
	INO,
	MODE,
	UID,
	GID,
	NLINK,
	MTIME,
	FILESIZE,
	DEV_MAJOR,
	DEV_MINOR,
	RDEV_MAJOR,
	RDEV_MINOR,
	NAMESIZE,
	CHECK,
	FIELDS
};

static_assert(MAGIC_BYTES + DIGITS * FIELDS == CPIO_HEADER_BYTES, "the header's layout");

static const char magic[MAGIC_BYTES + 1] = "070701";
static const char summed_magic[MAGIC_BYTES + 1] = "070702";

static const char *const error_text[] = {
	[CPIO_OK] = "is fine",
	[CPIO_BAD_MAGIC] = "has no newc entry where one must begin",
	[CPIO_BAD_NUMBER] = "has an entry with a number that is not hexadecimal",
	[CPIO_BAD_NAME] = "has an entry whose name is empty or does not end",
	[CPIO_TRUNCATED] = "ends in the middle of an entry",
	[CPIO_NO_TRAILER] = "ends without its closing entry",
	[CPIO_NOT_FOUND] = "has no such file",
};

const char *cpio_strerror(enum cpio_error error)
{
	if ((size_t)error >= ARRAY_SIZE(error_text))
		return "has an unknown error";
	return error_text[error];
}

void cpio_begin(struct cpio *cpio, const void *image, u64 len)
{
	*cpio = (struct cpio){.image = image, .len = len};
}

static int hex_digit(u8 c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static enum cpio_error decode_numbers(const u8 *header, u32 number[FIELDS])
{
	for (u32 f = 0; f < FIELDS; f++) {
		number[f] = 0;
		for (u32 d = 0; d < DIGITS; d++) {
			int digit = hex_digit(header[MAGIC_BYTES + f * DIGITS + d]);

			if (digit < 0)
				return CPIO_BAD_NUMBER;
			number[f] = number[f] << 4 | (u32)digit;
		}
	}
	return CPIO_OK;
}

enum cpio_error cpio_check_name(const void *bytes, u32 namesize)
{
	const u8 *name = bytes;
	u32 end = 0;

	while (end < namesize && name[end] != '\0')
		end++;
	if (end == 0 || end == namesize)
		return CPIO_BAD_NAME;
	while (end < namesize) {
		if (name[end++] != '\0')
			return CPIO_BAD_NAME;
	}
	return CPIO_OK;
}

static void fill_entry(struct cpio_entry *entry, const u32 number[FIELDS])
{
	entry->size = number[FILESIZE];
	entry->mode = number[MODE];
	entry->ino = number[INO];
	entry->uid = number[UID];
	entry->gid = number[GID];
	entry->nlink = number[NLINK];
	entry->mtime = number[MTIME];
	entry->rdev_major = number[RDEV_MAJOR];
	entry->rdev_minor = number[RDEV_MINOR];
}

enum cpio_error cpio_decode_header(const void *bytes, struct cpio_header *header)
{
	u32 number[FIELDS];
	enum cpio_error err;

	*header = (struct cpio_header){.summed = memcmp(bytes, summed_magic, MAGIC_BYTES) == 0};
	if (!header->summed && memcmp(bytes, magic, MAGIC_BYTES) != 0)
		return CPIO_BAD_MAGIC;
	err = decode_numbers(bytes, number);
	if (err)
		return err;
	fill_entry(&header->entry, number);
	header->namesize = number[NAMESIZE];
	header->dev_major = number[DEV_MAJOR];
	header->dev_minor = number[DEV_MINOR];
	header->check = number[CHECK];
	return CPIO_OK;
}

/* Locate name and data of the entry at @at; @next is where the entry after it begins. */
static enum cpio_error decode_layout(const struct cpio *cpio, u64 at, const u32 number[FIELDS],
				     struct cpio_entry *entry, u64 *next)
{
	u64 name = at + HEADER_BYTES;
	u64 data = ROUND_UP(name + number[NAMESIZE], PADDING);
	u64 end = data + number[FILESIZE];
	enum cpio_error err;

	if (number[NAMESIZE] == 0)
		return CPIO_BAD_NAME;
	if (name + number[NAMESIZE] > cpio->len || (number[FILESIZE] != 0 && end > cpio->len))
		return CPIO_TRUNCATED;
	err = cpio_check_name(cpio->image + name, number[NAMESIZE]);
	if (err)
		return err;
	entry->name = (const char *)cpio->image + name;
	entry->offset = MIN(data, cpio->len);
	entry->data = cpio->image + entry->offset;
	*next = ROUND_UP(end, PADDING);
	return CPIO_OK;
}

/* Decode the entry at @at, with no effect on @cpio. */
static enum cpio_error decode(const struct cpio *cpio, u64 at, struct cpio_entry *entry, u64 *next)
{
	u32 number[FIELDS];
	enum cpio_error err;

	if (at >= cpio->len)
		return CPIO_NO_TRAILER;
	if (memcmp(cpio->image + at, magic, MIN(cpio->len - at, MAGIC_BYTES)) != 0)
		return CPIO_BAD_MAGIC;
	if (cpio->len - at < HEADER_BYTES)
		return CPIO_TRUNCATED;
	err = decode_numbers(cpio->image + at, number);
	if (!err)
		err = decode_layout(cpio, at, number, entry, next);
	if (err)
		return err;
	fill_entry(entry, number);
	return CPIO_OK;
}

bool cpio_next(struct cpio *cpio, struct cpio_entry *entry)
{
	struct cpio_entry e;
	u64 next;

	if (cpio->error)
		return false;
	cpio->error = decode(cpio, cpio->next, &e, &next);
	if (cpio->error) {
		cpio->error_offset = cpio->next;
		return false;
	}
	if (strcmp(e.name, CPIO_TRAILER) == 0)
		return false; /* and again at the next call: the position stays */
	cpio->next = next;
	*entry = e;
	return true;
}

enum cpio_error cpio_check(const void *image, u64 len, u64 *where)
{
	struct cpio_entry entry;
	struct cpio cpio;

	cpio_begin(&cpio, image, len);
	while (cpio_next(&cpio, &entry))
		;
	if (cpio.error)
		*where = cpio.error_offset;
	return cpio.error;
}

/* @path without the "/" and "./" that it begins with. */
static const char *plain_path(const char *path)
{
	for (;;) {
		if (path[0] == '/')
			path++;
		else if (path[0] == '.' && path[1] == '/')
			path += 2;
		else
			return path;
	}
}

enum cpio_error cpio_find(const void *image, u64 len, const char *path, struct cpio_entry *entry,
			  u64 *where)
{
	struct cpio cpio;

	path = plain_path(path);
	cpio_begin(&cpio, image, len);
	while (cpio_next(&cpio, entry)) {
		if (strcmp(plain_path(entry->name), path) == 0)
			return CPIO_OK;
	}
	if (!cpio.error)
		return CPIO_NOT_FOUND;
	*where = cpio.error_offset;
	return cpio.error;
}
