/*
 * A reader of cpio archives in the "new ASCII" format (newc), the format of the boot image.
 *
 * The archive is bytes in memory that nobody vouches for: every header is checked before it is
 * used, and an error names its cause and the byte where the entry with it begins. Nothing is
 * copied or allocated; entries point into the archive.
 *
 * An entry is a header of 110 bytes (magic and 13 numbers of 8 hexadecimal digits), its name,
 * padding, its data, padding. Padding brings the distance from the start of the archive to a
 * multiple of 4. namesize counts the NUL that ends the name, and may count more NULs after it:
 * hake uses them to bring the data of programs to page boundaries.
 *
 * Not here: writing (hake does), other formats. Names are given as they are; whoever makes files
 * of them must deal with "..".
 * Runs in: the loader, the CPU driver, native domains, the build host. Needs memcmp and
 * strcmp.
 *
 * Source: cpio(5); Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 */
#ifndef CPIO_CPIO_H
#define CPIO_CPIO_H

#include <skerry/types.h>

/* What is wrong with an archive, in words by cpio_strerror(). */
enum cpio_error {
	CPIO_OK,
	CPIO_BAD_MAGIC,  /* no "070701" where an entry must begin */
	CPIO_BAD_NUMBER, /* something else than hexadecimal digits in a header */
	CPIO_BAD_NAME,   /* empty, without an end, or followed by something else than NULs */
	CPIO_TRUNCATED,  /* the header, name or data goes beyond the archive */
	CPIO_NO_TRAILER, /* the archive ends without the entry that closes it */
	CPIO_NOT_FOUND   /* no entry has the path (cpio_find() only) */
};

/* A position in an archive. Private but for the fields marked 'public'. */
struct cpio {
	const u8 *image;
	u64 len;
	u64 next;              /* offset of the next entry */
	u64 error_offset;      /* public: where the entry with the error begins */
	enum cpio_error error; /* public: why cpio_next() returned false; CPIO_OK: at the end */
};

/* One file, folder, link or device of an archive. */
struct cpio_entry {
	const char *name; /* in the archive, NUL-terminated */
	const u8 *data; /* in the archive, @size bytes; a symbolic link's is its target, without NUL
			 */
	u64 offset;     /* of the data in the archive */
	u32 size;
	u32 mode; /* as st_mode, with the type */
	u32 ino;
	u32 uid;
	u32 gid;
	u32 nlink; /* of several hard links, the last entry alone has the data */
	u32 mtime; /* seconds since 1970 */
	u32 rdev_major;
	u32 rdev_minor;
};

#define CPIO_TRAILER      "TRAILER!!!" /* the name of the entry that closes an archive */

#define CPIO_TYPE_MASK    0170000u /* of cpio_entry's mode */
#define CPIO_TYPE_FILE    0100000u
#define CPIO_TYPE_FOLDER  0040000u
#define CPIO_TYPE_SYMLINK 0120000u

#define CPIO_HEADER_BYTES 110u

/* A header's numbers, for whoever gets an archive in pieces. */
struct cpio_header {
	struct cpio_entry entry; /* without name, data, offset */
	u32 namesize;            /* with all NULs */
	u32 dev_major, dev_minor;
	u32 check;   /* sum of the data's bytes, if @summed */
	bool summed; /* format "070702" */
};

/** Decode the CPIO_HEADER_BYTES at @bytes. CPIO_OK, CPIO_BAD_MAGIC, CPIO_BAD_NUMBER. */
enum cpio_error cpio_decode_header(const void *bytes, struct cpio_header *header);

/** Whether the @namesize bytes at @name are a name: not empty, NULs at its end only. */
enum cpio_error cpio_check_name(const void *name, u32 namesize);

/* Begin to read the archive of @len bytes at @image, which must stay and must not change. */
void cpio_begin(struct cpio *cpio, const void *image, u64 len);

/**
 * Read the next entry.
 *
 * Returns false at the end of the archive, and at an error: then @cpio->error and
 * @cpio->error_offset tell which and where, and further calls return false as well.
 */
bool cpio_next(struct cpio *cpio, struct cpio_entry *entry);

/**
 * Read a whole archive to see whether it is sound.
 *
 * @where  is set to the offset of the entry with the error, if there is one
 */
enum cpio_error cpio_check(const void *image, u64 len, u64 *where);

/**
 * Find an entry by path. "/" and "./" at the beginning of either name do not count.
 *
 * @where  is set to the offset of the entry with an error, if there is one before the path
 * Returns CPIO_OK, CPIO_NOT_FOUND, or what is wrong with the archive.
 */
enum cpio_error cpio_find(const void *image, u64 len, const char *path, struct cpio_entry *entry,
			  u64 *where);

/* What to tell a person: "ends in the middle of an entry". Never NULL. */
const char *cpio_strerror(enum cpio_error error);

#endif
