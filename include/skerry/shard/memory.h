/*
 * Memory between cores: what they tell each other of pages that are lent, of objects that are
 * mapped on several cores, and of processes that move.
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

#define MEMORY_OP(number) SHARD_OP(SHARD_MEMORY, number)

/* Pages: farpage.c. */
#define MEMORY_LEND   MEMORY_OP(0x00) /* struct memory_pages: lend them on to .core */
#define MEMORY_RETURN MEMORY_OP(0x01) /* tell; struct memory_pages: loans to .core are over */

/* Objects that are mapped: farmem.c. */
#define MEMORY_OBJECT_PAGES  MEMORY_OP(0x10) /* struct memory_ask; answer: struct page_name[] */
#define MEMORY_OBJECT_LEND   MEMORY_OP(0x11) /* struct memory_object: a reference for .core */
#define MEMORY_OBJECT_RETURN MEMORY_OP(0x12) /* tell; struct memory_object */
#define MEMORY_OBJECT_CUT    MEMORY_OP(0x13) /* struct memory_cut: pages are the object's no more */
#define MEMORY_OBJECT_PATH   MEMORY_OP(0x14) /* struct memory_object; answer: its path */

/* Processes that move: move.c. */
#define MEMORY_MOVE_PIECE MEMORY_OP(0x20) /* struct memory_piece, and bytes of the record */
#define MEMORY_MOVE_MAKE  MEMORY_OP(0x21) /* u64: the move; makes the process of the record */
#define MEMORY_MOVE_RUN   MEMORY_OP(0x22) /* tell; struct memory_run: the process is there now */
#define MEMORY_MOVE_DROP  MEMORY_OP(0x23) /* tell; u64: the move does not come about */

/* Futexes in memory that is shared: farfutex.c. */
#define MEMORY_FUTEX_WAIT MEMORY_OP(0x30) /* struct memory_futex */
#define MEMORY_FUTEX_WAKE MEMORY_OP(0x31)
#define MEMORY_FUTEX_MOVE MEMORY_OP(0x32)

#define PAGE_NAME_ZERO    UINT32_MAX /* as the core: the page of zeros, which every core has */

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

/* An object that is mapped, on its way to another core. */
struct memory_object {
	u64 id; /* the home's number of it; of a MEMORY_KIND_VDSO: which */
	u32 core;
	u32 kind;     /* MEMORY_KIND_* */
	u64 dev, ino; /* of a file, as stat(2) tells them */
};

#define MEMORY_KIND_NONE 0u
#define MEMORY_KIND_FAR  1u
#define MEMORY_KIND_ANON 2u /* the same: shared anonymous memory, whose pages stay */
#define MEMORY_KIND_VDSO 3u /* every core has its own */

static_assert(sizeof(struct memory_object) == 32, "no holes");

/* MEMORY_OBJECT_LEND, MEMORY_OBJECT_RETURN, MEMORY_OBJECT_PATH. */
struct memory_ref {
	u64 id;
	u32 core; /* whose references are meant */
	u32 count;
};

/* MEMORY_OBJECT_PAGES: those in memory of @count pages, the first of which is made if need be. */
struct memory_ask {
	u64 id, index;
	u32 count;
	u32 shared; /* for a shared mapping: a hole becomes a page */
};

#define MEMORY_ASK_MAX 64u

/* In the answer, for what is not in memory. */
#define PAGE_NAME_ABSENT (UINT32_MAX - 1)

/* MEMORY_OBJECT_CUT. */
struct memory_cut {
	u64 id, first, last;
};

/* MEMORY_MOVE_PIECE: bytes of a record, from @offset on. */
struct memory_piece {
	u64 move; /* number that the old core gives */
	u64 offset, whole;
	u32 part; /* 0: the record; 1: what came late */
	u32 bytes;
};

/* The answer to MEMORY_MOVE_MAKE, whose result is 0 if it has been tried. */
struct memory_made {
	s64 status;
};

/* MEMORY_FUTEX_*: a word of a page of the core that is asked. */
struct memory_futex {
	struct page_name page, to; /* to: MOVE */
	u32 offset, to_offset;
	u32 value, bits;
	u32 nwake, nmove;
	u64 deadline_ns; /* WAIT */
};

static_assert(sizeof(struct memory_futex) == 64, "no holes");

struct memory_moved {
	u32 moved;
	u32 zero;
};

#endif
