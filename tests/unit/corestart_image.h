/*
 * A boot image for tests of lib/corestart: two small programs, made in memory, in a cpio archive.
 */
#ifndef CORESTART_IMAGE_H
#define CORESTART_IMAGE_H

#include <skerry/types.h>

#define TEST_SEGMENTS 4u

/* A program to be made. Bytes of segment i of the file are test_byte(tag, i, offset). */
struct test_program {
	const char *path;
	u8 tag;
	u64 entry;
	u32 nsegments;
	struct {
		u64 va;
		u32 flags; /* ELF_PF_* */
		u64 filesz;
		u64 memsz;
	} segment[TEST_SEGMENTS];
	/* The trampoline: symbols and contents in segment 1, if not 0. */
	u64 startup_bytes;
};

/** The CPU driver's and the monitor's as they should be. */
struct test_program test_kernel(void);
struct test_program test_monitor(void);

u8 test_byte(u8 tag, u32 segment, u64 offset);

/** Makes an archive of @count programs in malloc()ed memory of exactly *@bytes. */
u8 *test_image(const struct test_program *p, u32 count, u64 *bytes);

/** Where the trampoline begins, from the start of segment 1. */
#define TEST_STARTUP_OFFSET 64u

#endif
