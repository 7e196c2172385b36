/* Bits of page-table entries, of every level (Intel SDM vol. 3A, 4.5). */
#ifndef CORESTART_PTE_H
#define CORESTART_PTE_H

#include <skerry/types.h>

#define PTE_PRESENT  0x1ul
#define PTE_WRITE    0x2ul
#define PTE_USER     0x4ul
#define PTE_UNCACHED 0x18ul /* PWT and PCD: UC in the default PAT */
#define PTE_ACCESSED 0x20ul
#define PTE_DIRTY    0x40ul
#define PTE_LARGE    0x80ul
#define PTE_NX       (1ul << 63)

/** The physical address in an entry. */
static inline u64 pte_phys(u64 pte)
{
	return pte & 0x000ffffffffff000ul;
}

#endif
