/* Page-table entries and the trampoline's part of a context's root table. */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H

#include <corestart/pte.h>

/** Build the tables that map the trampoline alone. Once, before any context's space. */
void tramp_map_init(void);

/** The entry for slot KERNEL_SLOT of a context's root table. */
u64 tramp_slot_entry(void);

#endif
