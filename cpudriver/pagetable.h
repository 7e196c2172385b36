/* Entries of an address space: finding, setting, and the pages that tables are made of. */
#ifndef PAGETABLE_H
#define PAGETABLE_H

#include "aspace.h"

/** Add the pages of @table, which are zero, to those that tables can be made of. */
void tables_donate(struct aspace *as, struct cap *table);

/** See that no translation of @as that was changed is used any more, now or when it is entered. */
void aspace_flush(struct aspace *as);

/** Whether CR3 holds @as's tables. */
bool aspace_is_loaded(const struct aspace *as);

#endif
