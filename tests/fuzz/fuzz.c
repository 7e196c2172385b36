/*
 * What all fuzzers share. See fuzz.h.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void fuzz_fail(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

u64 fuzz_touch(const void *bytes, u64 len)
{
	const u8 *byte = bytes;
	u64 sum = 0;

	for (u64 i = 0; i < len; i++)
		sum += byte[i];
	return sum;
}
