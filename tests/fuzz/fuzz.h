/*
 * What a fuzzer is made of: a target, and sound samples to start from.
 *
 * Each reader of untrusted bytes has one file here (elf.c, cpio.c, acpi.c) with these two
 * functions. They are linked either with libFuzzer (by tests/fuzz/run, if clang has it), which
 * finds its way by coverage, or with mutate.c, which changes the samples at random.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <skerry/types.h>

#define FUZZ_MAX_BYTES (32 * KiB) /* of an input */

/* Read @len bytes of input in every way there is. Returns 0; aborts if a rule is broken. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

/* Write sample @n (from 0) to @out, FUZZ_MAX_BYTES large; returns its length, 0: no more. */
size_t fuzz_sample(u32 n, u8 *out);

/* Something that must hold for every input. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fuzz_fail(__FILE__, __LINE__, #condition);                                 \
	} while (0)

/* Say which rule was broken, and abort. */
_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* Look at each of @len bytes, so that a sanitizer sees where they are. Returns a sum of them. */
u64 fuzz_touch(const void *bytes, u64 len);

#endif
