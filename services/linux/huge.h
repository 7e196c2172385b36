/*
 * 2 MiB pages of private anonymous memory.
 *
 * Only the processor's tables have them: the page map keeps 512 entries, whose pages lie in a row.
 * So everything but mapping goes page by page, and a large page that is to be changed in part is
 * just taken out of the tables: it comes back as small ones.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_HUGE_H
#define LINUX_HUGE_H

#include "mm.h"

/** The process writes at @addr, where there is nothing yet: map a large page, if one fits. */
bool huge_fault(struct mm *mm, u64 addr);

/** Take large pages that have a part in the range out of the tables. */
void huge_split(struct mm *mm, u64 start, u64 end);

/** @mm is going away. */
void huge_forget(struct mm *mm);

/** How many bytes are mapped so, in all processes. */
u64 huge_bytes(void);

#endif
