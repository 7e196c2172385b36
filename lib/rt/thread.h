/*
 * The block that FS points at: enough of a thread for musl's pure code, which keeps errno in it.
 */
#ifndef RT_THREAD_H
#define RT_THREAD_H

#include <skerry/types.h>

/** Point FS at this program's block; before the first line of other code. */
void thread_init(void);

#endif
