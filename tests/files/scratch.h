/*
 * A folder of its own for a case, and shorthands.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>

/** Make an empty folder and go there. */
void scratch(void);

/** Make a file of that text; -1 and errno if it cannot be. */
int make(const char *name, const char *text);

/** The whole of a small file; "" if it cannot be read. */
const char *text_of(const char *name);

#endif
