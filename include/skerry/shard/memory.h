/*
 * Memory between cores: what they tell each other of pages that are lent, of objects that are mapped
 * on several cores, and of processes that move.
 *
 * A page is named by the core whose memory it is (its home), the frame of that core's monitor that
 * it is part of, and its place in there. A name goes along with a loan: the home counts one
 * reference of the page for the core that the name is made for, until that core gives it back or
 * dies. So a name is used up by whoever receives it: it borrows the page, or gives it back.
 *
 * Who sends what, and when: services/linux/farpage.h, farmem.h, move.h.
 */
#ifndef SKERRY_SHARD_MEMORY_H
#define SKERRY_SHARD_MEMORY_H

#include <skerry/shard.h>

#define MEMORY_OP(number)    SHARD_OP(SHARD_MEMORY, number)

/* Pages: farpage.c. */
#define MEMORY_LEND          MEMORY_OP(0x00) /* struct memory_pages: lend them on to .core */
#define MEMORY_RETURN        MEMORY_OP(0x01) /* tell; struct memory_pages: loans to .core are over */

/* Objects that are mapped: farmem.c. */
#define MEMORY_OBJECT_PAGES  MEMORY_OP(0x10) /* struct memory_ask; answer: struct page_name[] */
#define MEMORY_OBJECT_LEND   MEMORY_OP(0x11) /* struct memory_object: a reference for .core */
#define MEMORY_OBJECT_RETURN MEMORY_OP(0x12) /* tell; struct memory_object */
#define MEMORY_OBJECT_CUT    MEMORY_OP(0x13) /* struct memory_cut: pages are the object's no more */
#define MEMORY_OBJECT_PATH   MEMORY_OP(0x14) /* struct memory_object; answer: its path */

/* Processes that move: move.c. */
#define MEMORY_MOVE_PIECE    MEMORY_OP(0x20) /* struct memory_piece, and bytes of the record */
#define MEMORY_MOVE_MAKE     MEMORY_OP(0x21) /* u64: the move; makes the process of the record */
#define MEMORY_MOVE_RUN      MEMORY_OP(0x22) /* tell; struct memory_run: the process is there now */
#define MEMORY_MOVE_DROP     MEMORY_OP(0x23) /* tell; u64: the move does not come about */

/* Futexes in memory that is shared: farfutex.c. */
#define MEMORY_FUTEX_WAIT    MEMORY_OP(0x30) /* struct memory_futex */
#define MEMORY_FUTEX_WAKE    MEMORY_OP(0x31)
#define MEMORY_FUTEX_MOVE    MEMORY_OP(0x32)

#define PAGE_NAME_ZERO       UINT32_MAX /* as the core: the page of zeros, which every core has */

struct page_name {
	u64 frame;  /* its address (skerry/monitor.h, EXPORT) + the binary logarithm of its size */
	u32 core;   /* the home */
	u32 number; /* of the page in the frame */
};

static_assert(sizeof(struct page_name) == 16, "no holes");

/* MEMORY_LEND, MEMORY_RETURN: of the core that is asked, all of them. */
struct memory_pages {
	u32 core;
	u32 count;
	struct page_name page[];
};

#define MEMORY_PAGES_MAX 2048u /* in one message */

static_assert(sizeof(struct memory_pages) + MEMORY_PAGES_MAX * sizeof(struct page_name) <=
		      SHARD_BYTES_MAX,
	      "fits");

#endif
