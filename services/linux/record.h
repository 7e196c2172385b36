/*
 * Bytes that grow, and that are read in the order they were written: what a process that moves is
 * described by (move.h).
 *
 * Every part begins at a multiple of 8. A failure to get memory, or to read what is not there, is
 * kept: it is asked for once, at the end.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_RECORD_H
#define LINUX_RECORD_H

#include <skerry/types.h>

/* All zero is an empty one. */
struct record {
	u8 *at;
	u64 bytes, room;
	u64 done; /* that have been read */
	bool failed;
};

/** @bytes more, to be filled; NULL: no memory. Good until the next one. */
void *record_add(struct record *r, u64 bytes);
void record_put(struct record *r, const void *part, u64 bytes);

/** The next @bytes; NULL: there are not so many. */
const void *record_next(struct record *r, u64 bytes);
bool record_get(struct record *r, void *part, u64 bytes);

void record_free(struct record *r);

#endif
