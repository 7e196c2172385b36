/*
 * A heap: malloc and its relatives over memory that is asked for in large pieces.
 *
 * Native domains use it as their malloc. All operations take bounded time, but for asking for
 * more memory. A heap that runs out says NULL and stays as it was.
 *
 * Memory is cut into chunks, which have their size before them and, when free, behind them, so
 * that neighbours that are free become one. Free chunks hang in lists by size (two levels: powers
 * of two, then 16 steps between them), of which a bitmap tells which are not empty. Of each small
 * size some chunks are kept as they are when they are freed, and given out again without any of
 * that: they count as free, but join their neighbours only when memory is wanted (heap_trim()).
 *
 * A heap belongs to one thread of control. Pieces are never given back.
 *
 * Source of the lists: Masmano, Ripoll, Crespo, Real, "TLSF: a new dynamic memory allocator for
 * real-time systems", ECRTS 2004.
 * Runs in: native domains, host tests.
 */
#ifndef HEAP_HEAP_H
#define HEAP_HEAP_H

#include <skerry/types.h>

#define HEAP_ALIGN     16ul        /* of every block */
#define HEAP_MAX_BYTES (1ul << 46) /* of a request */

#define HEAP_STEPS     16u /* size classes for each power of two */
#define HEAP_POWERS    40u

/* Where memory comes from, and who is told of damage. */
struct heap_source {
	/*
	 * Give at least @bytes (a multiple of HEAP_ALIGN) of zeroed or any other memory.
	 *
	 * Sets @got to what it gave. Memory that follows the last piece directly extends it.
	 * Returns its address, aligned to HEAP_ALIGN; NULL if there is none.
	 */
	void *(*more)(void *arg, size_t bytes, size_t *got);
	/* Told when freed memory is no block, or was overwritten; @what says which. The heap then
	 * leaves @block alone. NULL: it is not told. */
	void (*broken)(void *arg, const char *what, const void *block);
	void *arg;
};

struct heap_chunk;

#define HEAP_KEPT_BYTES 512u /* of the largest chunk that is kept */
#define HEAP_KEPT_MOST  16u  /* of each size */

/* Chunks of one size that are kept; linked by next_free. */
struct heap_kept {
	struct heap_chunk *first;
	u64 n;
};

/* A heap. Private but for the counts. */
struct heap {
	struct heap_source source;
	u64 total_bytes; /* public: taken from the source */
	u64 used_bytes;  /* public: in blocks, with what is before and between them */
	u64 nblocks;     /* public: allocated and not freed */
	u64 powers;      /* bit p: some list of power p is not empty */
	u16 steps[HEAP_POWERS];
	struct heap_chunk *free[HEAP_POWERS][HEAP_STEPS];
	struct heap_kept kept[HEAP_KEPT_BYTES / HEAP_ALIGN + 1]; /* by size / HEAP_ALIGN */
	struct heap_region *regions;
};

/* Prepare an empty heap; memory comes from @source, which is copied. */
void heap_init(struct heap *heap, const struct heap_source *source);

/* Allocate @bytes (0 counts as 1), aligned to HEAP_ALIGN; NULL if there is no memory. */
void *heap_alloc(struct heap *heap, size_t bytes);

/* The same for @count elements of @bytes, filled with zeros. NULL also if the product overflows. */
void *heap_calloc(struct heap *heap, size_t count, size_t bytes);

/**
 * Change the size of a block, in place if its neighbour allows, else by moving it.
 *
 * @block  NULL: as heap_alloc()
 * Returns the block, with as much of its contents as fits; NULL if there is no memory: then the
 * old block is as it was.
 */
void *heap_realloc(struct heap *heap, void *block, size_t bytes);

/* Allocate at a multiple of @align, a power of two. NULL if it is none or there is no memory. */
void *heap_aligned_alloc(struct heap *heap, size_t align, size_t bytes);

/* Free a block; NULL is none. */
void heap_free(struct heap *heap, void *block);

/* Let all chunks that are kept join their neighbours. Done by itself before memory is asked for. */
void heap_trim(struct heap *heap);

/* How many bytes of @block may be used: at least what was asked for. */
size_t heap_usable_bytes(const void *block);

/**
 * Examine all of the heap's structure. For tests, and when damage is suspected; slow.
 *
 * Returns NULL, or what is wrong.
 */
const char *heap_check(const struct heap *heap);

#endif
