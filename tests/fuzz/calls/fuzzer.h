/* The domain that makes random calls: what it is given, and what it counts. */
#ifndef FUZZER_H
#define FUZZER_H

#include <skerry/types.h>

#define FUZZER_SLOTS 64u

/* Its slots; it fills the others itself. */
#define FUZZER_SLOT_RAM   1u
#define FUZZER_SLOT_FRAME 2u
#define FUZZER_SLOT_SPACE 3u
#define FUZZER_SLOT_SELF  4u
#define FUZZER_SLOT_PEER  5u
#define FUZZER_SLOT_FREE  8u

extern u64 fuzzer_calls; /* made, over all rounds */
extern u64 fuzzer_done;  /* that did not return an error */

/** Where it begins. */
void fuzzer_main(u64 seed);

#endif
