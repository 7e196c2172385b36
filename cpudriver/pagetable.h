/* Entries of an address space: finding, setting, and the pages that tables are made of. */
#ifndef PAGETABLE_H
#define PAGETABLE_H

#include "aspace.h"

/** Add a page of this core's memory to those that tables can be made of. */
void table_put(struct aspace *as, u64 phys);

/** See that no translation of @as that was changed is used any more, now or when it is entered. */
void aspace_flush(struct aspace *as);

/** Whether CR3 holds @as's tables. */
bool aspace_is_loaded(const struct aspace *as);

#endif
