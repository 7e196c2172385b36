/*
 * Linux's numbers about memory (mmap(2), mremap(2), madvise(2), msync(2); x86-64).
 */
#ifndef LINUX_ABI_MMAN_H
#define LINUX_ABI_MMAN_H

#define PROT_NONE            0u
#define PROT_READ            1u
#define PROT_WRITE           2u
#define PROT_EXEC            4u
#define PROT_GROWSDOWN       0x01000000u
#define PROT_GROWSUP         0x02000000u

#define LMAP_SHARED          0x01u
#define LMAP_PRIVATE         0x02u
#define LMAP_SHARED_VALIDATE 0x03u
#define LMAP_TYPE            0x0fu
#define LMAP_FIXED           0x10u
#define LMAP_ANONYMOUS       0x20u
#define LMAP_32BIT           0x40u
#define LMAP_GROWSDOWN       0x100u
#define LMAP_LOCKED          0x2000u
#define LMAP_NORESERVE       0x4000u
#define LMAP_POPULATE        0x8000u
#define LMAP_STACK           0x20000u
#define LMAP_HUGETLB         0x40000u
#define LMAP_FIXED_NOREPLACE 0x100000u
/* What MAP_SHARED_VALIDATE knows: all but MAP_SYNC, which needs memory that lasts. */
#define LMAP_KNOWN           0x7c17f9ffu

#define MREMAP_MAYMOVE       1u
#define MREMAP_FIXED         2u
#define MREMAP_DONTUNMAP     4u

#define MADV_NORMAL          0
#define MADV_RANDOM          1
#define MADV_SEQUENTIAL      2
#define MADV_WILLNEED        3
#define MADV_DONTNEED        4
#define MADV_FREE            8
#define MADV_REMOVE          9
#define MADV_DONTFORK        10
#define MADV_DOFORK          11
#define MADV_MERGEABLE       12
#define MADV_UNMERGEABLE     13
#define MADV_HUGEPAGE        14
#define MADV_NOHUGEPAGE      15
#define MADV_DONTDUMP        16
#define MADV_DODUMP          17
#define MADV_WIPEONFORK      18
#define MADV_KEEPONFORK      19
#define MADV_COLD            20
#define MADV_PAGEOUT         21
#define MADV_POPULATE_READ   22
#define MADV_POPULATE_WRITE  23
#define MADV_DONTNEED_LOCKED 24
#define MADV_COLLAPSE        25
#define MADV_GUARD_INSTALL   102
#define MADV_GUARD_REMOVE    103

#define MS_ASYNC             1u
#define MS_INVALIDATE        2u
#define MS_SYNC              4u

#endif
