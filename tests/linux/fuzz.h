/*
 * What the fuzzer's parent (fuzz.c) and its children (fuzz-child.c) share.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>

#define FUZZER       61234 /* whose user children are */
#define FUZZ_CALLS   2000  /* of a child */
#define FOLDER       "/tmp/linux-fuzz.d"
#define WITNESS_FILE "/tmp/linux-fuzz.witness"

struct progress {
	uint64_t calls;
};

/** Spread the bits of a number, so that neighbours have nothing in common. */
uint64_t fuzz_mix(uint64_t n);

/** Become a child that makes random calls; says how many in @progress. */
_Noreturn void fuzz_child(uint64_t seed, volatile struct progress *progress);

#endif
