/*
 * Chunks: how the memory of a heap is cut. Private to lib/heap.
 *
 *   chunk:  | size of the previous chunk, if free | own size and flags | block ... |
 *                                                                      ^ multiple of 16
 *
 * The first word belongs to the previous chunk's block while that is in use, so a block costs 8
 * bytes. A region of memory is a row of chunks and an end mark: a chunk in use of size 0.
 */
#ifndef HEAP_CHUNK_H
#define HEAP_CHUNK_H

#include <heap/heap.h>

struct heap_chunk {
	u64 prev_size; /* only if the previous chunk is free */
	u64 size;      /* of the chunk, a multiple of 16, with the flags below */
	/* If free. A block begins here otherwise. */
	struct heap_chunk *next_free;
	struct heap_chunk *prev_free;
};

#define CHUNK_USED      1ul
#define CHUNK_PREV_USED 2ul
#define CHUNK_KEPT      4ul /* freed, but still in use for its neighbours */
#define CHUNK_FLAGS     15ul
#define CHUNK_HEADER    16u /* before the block */
#define CHUNK_OVERHEAD  8u  /* chunk size minus usable size of the block */
#define CHUNK_MIN       32u

/* A piece of memory from the source. */
struct heap_region {
	struct heap_region *next;
	u8 *end; /* of the memory; the end mark is before it */
};

#define REGION_HEADER ROUND_UP(sizeof(struct heap_region), HEAP_ALIGN)

static inline u64 chunk_size(const struct heap_chunk *chunk)
{
	return chunk->size & ~CHUNK_FLAGS;
}

static inline struct heap_chunk *chunk_at(const void *base, u64 offset)
{
	return (struct heap_chunk *)((u8 *)base + offset);
}

static inline struct heap_chunk *chunk_next(const struct heap_chunk *chunk)
{
	return chunk_at(chunk, chunk_size(chunk));
}

/* Only if the previous chunk is free. */
static inline struct heap_chunk *chunk_prev(const struct heap_chunk *chunk)
{
	return (struct heap_chunk *)((u8 *)chunk - chunk->prev_size);
}

static inline void *chunk_block(struct heap_chunk *chunk)
{
	return (u8 *)chunk + CHUNK_HEADER;
}

static inline struct heap_chunk *block_chunk(const void *block)
{
	return (struct heap_chunk *)((u8 *)block - CHUNK_HEADER);
}

/* The list that a free chunk of @size, at least CHUNK_MIN, is in. */
static inline void size_class(u64 size, u32 *power, u32 *step)
{
	const u32 small = 8; /* log2 of the size from which steps are wider than 16 bytes */

	if (size < 1ul << small) {
		*power = 0;
		*step = (u32)(size / HEAP_ALIGN);
		return;
	}
	*power = 63 - (u32)__builtin_clzl(size);
	*step = (u32)(size >> (*power - 4)) & (HEAP_STEPS - 1);
	*power -= small - 1;
}

#endif
