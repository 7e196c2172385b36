/*
 * Random bytes: the ChaCha20 stream cipher as a generator, seeded by RDRAND where the processor has
 * it and by the time-stamp counter, with a fresh key after every request.
 *
 * Runs in: the personality's domain. Source: RFC 8439, 2.3; Bernstein, "Fast-key-erasure
 * random-number generators" (2017).
 */
#ifndef LINUX_RANDOM_H
#define LINUX_RANDOM_H

#include <skerry/types.h>

void random_init(void);
void random_bytes(void *to, u64 len);

/** Stir something in that others may not know: times of interrupts, what is written to the device.
 */
void random_stir(u64 value);

#endif
