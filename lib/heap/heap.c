/*
 * Allocating and freeing: cutting chunks and joining them again.
 *
 * A free chunk's neighbours are in use, always; what changes chunks (split(), release(),
 * grow()) restores that before it returns.
 *
 * Not here: the lists of free chunks (lists.c), checking (check.c).
 * Runs in: native domains, host tests.
 */
#include <heap/chunk.h>
#include <heap/heap.h>
#include <heap/lists.h>

#include <string.h>

void heap_init(struct heap *heap, const struct heap_source *source)
{
	*heap = (struct heap){.source = *source};
}

/* The size of a chunk for a block of @bytes; 0 if that is too much. */
static u64 chunk_bytes(size_t bytes)
{
	if (bytes > HEAP_MAX_BYTES)
		return 0;
	return MAX(ROUND_UP(bytes + CHUNK_OVERHEAD, HEAP_ALIGN), (u64)CHUNK_MIN);
}

/* Make @chunk, whose size and CHUNK_PREV_USED are set, a free one, joined with its neighbours. */
static void release(struct heap *heap, struct heap_chunk *chunk)
{
	struct heap_chunk *next = chunk_next(chunk);
	u64 size = chunk_size(chunk);

	if (!(next->size & CHUNK_USED)) {
		heap_list_remove(heap, next);
		size += chunk_size(next);
	}
	if (!(chunk->size & CHUNK_PREV_USED)) {
		chunk = chunk_prev(chunk);
		heap_list_remove(heap, chunk);
		size += chunk_size(chunk);
	}
	chunk->size = size | CHUNK_PREV_USED;
	next = chunk_next(chunk);
	next->prev_size = size;
	next->size &= ~CHUNK_PREV_USED;
	heap_list_add(heap, chunk);
}

/* Cut what @chunk, which is in use, has beyond @size off and release it, if it makes a chunk. */
static void split(struct heap *heap, struct heap_chunk *chunk, u64 size)
{
	u64 rest = chunk_size(chunk) - size;
	struct heap_chunk *tail = chunk_at(chunk, size);

	if (rest < CHUNK_MIN)
		return;
	chunk->size = size | (chunk->size & CHUNK_FLAGS);
	tail->size = rest | CHUNK_PREV_USED;
	heap->used_bytes -= rest;
	release(heap, tail);
}

/* Take @chunk, which is free and in no list, into use. */
static void take(struct heap *heap, struct heap_chunk *chunk)
{
	chunk->size |= CHUNK_USED;
	chunk_next(chunk)->size |= CHUNK_PREV_USED;
	heap->used_bytes += chunk_size(chunk);
	heap->nblocks++;
}

/* The chunks of @size that are kept; NULL: so large ones are not. */
static struct heap_kept *kept_of(struct heap *heap, u64 size)
{
	return size <= HEAP_KEPT_BYTES ? &heap->kept[size / HEAP_ALIGN] : NULL;
}

/* @chunk, which is in use, is to be given out again as it is. False: there are enough of its size.
 */
static bool keep(struct heap *heap, struct heap_chunk *chunk)
{
	struct heap_kept *kept = kept_of(heap, chunk_size(chunk));

	if (!kept || kept->n == HEAP_KEPT_MOST)
		return false;
	chunk->size |= CHUNK_KEPT;
	chunk->next_free = kept->first;
	kept->first = chunk;
	kept->n++;
	return true;
}

/* A chunk that was kept, in use again; NULL: there is none of @size. */
static struct heap_chunk *take_kept(struct heap *heap, u64 size)
{
	struct heap_kept *kept = kept_of(heap, size);
	struct heap_chunk *chunk;

	if (!kept || !kept->first)
		return NULL;
	chunk = kept->first;
	kept->first = chunk->next_free;
	kept->n--;
	chunk->size &= ~CHUNK_KEPT;
	heap->used_bytes += size;
	heap->nblocks++;
	return chunk;
}

void heap_trim(struct heap *heap)
{
	for (u32 i = 0; i < ARRAY_SIZE(heap->kept); i++) {
		struct heap_kept *kept = &heap->kept[i];

		while (kept->first) {
			struct heap_chunk *chunk = kept->first;

			kept->first = chunk->next_free;
			chunk->size &= ~(CHUNK_KEPT | CHUNK_USED);
			release(heap, chunk);
		}
		kept->n = 0;
	}
}

/* Write an end mark behind the last chunk of @region and release @first, which spans all to it. */
static void add_chunk(struct heap *heap, struct heap_region *region, struct heap_chunk *first,
		      u64 flags)
{
	struct heap_chunk *mark = chunk_at(region->end - CHUNK_HEADER, 0);

	first->size = (u64)((u8 *)mark - (u8 *)first) | flags;
	mark->size = CHUNK_USED;
	release(heap, first);
}

/* Ask the source for memory for a chunk of @size. False if it has none. */
static bool grow(struct heap *heap, u64 size)
{
	struct heap_region *last = heap->regions;
	size_t got = 0;
	u8 *memory = heap->source.more(heap->source.arg, size + REGION_HEADER + CHUNK_HEADER, &got);
	struct heap_chunk *mark;

	if (!memory)
		return false;
	heap->total_bytes += got;
	got = ROUND_DOWN(MIN(got, HEAP_MAX_BYTES), HEAP_ALIGN); /* what the lists can hold */
	if (last && last->end == memory) { /* the old end mark becomes the new chunk's header */
		mark = chunk_at(last->end - CHUNK_HEADER, 0);
		last->end += got;
		add_chunk(heap, last, mark, mark->size & CHUNK_PREV_USED);
		return true;
	}
	heap->regions = (struct heap_region *)memory;
	*heap->regions = (struct heap_region){.next = last, .end = memory + got};
	add_chunk(heap, heap->regions, chunk_at(memory, REGION_HEADER), CHUNK_PREV_USED);
	return true;
}

/* A free chunk of at least @size, still in its list; NULL: there is no memory. */
static struct heap_chunk *find(struct heap *heap, u64 size)
{
	struct heap_chunk *chunk = heap_list_find(heap, size);

	if (!chunk) {
		heap_trim(heap);
		chunk = heap_list_find(heap, size);
	}
	if (!chunk && grow(heap, size))
		chunk = heap_list_find(heap, size);
	return chunk;
}

void *heap_alloc(struct heap *heap, size_t bytes)
{
	u64 size = chunk_bytes(bytes);
	struct heap_chunk *chunk;

	if (size == 0)
		return NULL;
	chunk = take_kept(heap, size);
	if (chunk)
		return chunk_block(chunk);
	chunk = find(heap, size);
	if (!chunk)
		return NULL;
	heap_list_remove(heap, chunk);
	take(heap, chunk);
	split(heap, chunk, size);
	return chunk_block(chunk);
}

void *heap_calloc(struct heap *heap, size_t count, size_t bytes)
{
	size_t all;
	void *block;

	if (__builtin_mul_overflow(count, bytes, &all))
		return NULL;
	block = heap_alloc(heap, all);
	return block ? memset(block, 0, all) : NULL;
}

void *heap_aligned_alloc(struct heap *heap, size_t align, size_t bytes)
{
	struct heap_chunk *chunk, *front;
	u8 *block, *aligned;

	if (align == 0 || (align & (align - 1)) != 0 || align > HEAP_MAX_BYTES)
		return NULL;
	if (align <= HEAP_ALIGN)
		return heap_alloc(heap, bytes);
	if (bytes > HEAP_MAX_BYTES)
		return NULL;
	/* Room to move up, by enough to leave a chunk in front. */
	block = heap_alloc(heap, chunk_bytes(bytes) + align + CHUNK_MIN);
	if (!block)
		return NULL;
	aligned = (u8 *)ROUND_UP((uintptr_t)block, align);
	if (aligned != block && aligned - block < (ptrdiff_t)CHUNK_MIN)
		aligned += align;
	chunk = block_chunk(aligned);
	if (aligned != block) {
		front = block_chunk(block);
		chunk->size = (chunk_size(front) - (u64)(aligned - block)) | CHUNK_USED;
		front->size = (u64)(aligned - block) | (front->size & CHUNK_PREV_USED);
		heap->used_bytes -= chunk_size(front);
		release(heap, front);
	}
	split(heap, chunk, chunk_bytes(bytes));
	return aligned;
}

/* Its flag may have been overwritten with its size. */
static bool is_kept(const struct heap_chunk *chunk)
{
	return (chunk->size & CHUNK_KEPT) && chunk_size(chunk) <= HEAP_KEPT_BYTES;
}

/* Is there, before @block, the header of a chunk in use? Says so to the source if not. */
static bool sound(const struct heap *heap, const void *block)
{
	const struct heap_chunk *chunk = block_chunk(block);
	const char *what = NULL;

	if ((uintptr_t)block % HEAP_ALIGN != 0)
		what = "no block of the heap";
	else if (!(chunk->size & CHUNK_USED) || is_kept(chunk))
		what = "block freed twice";
	else if (chunk_size(chunk) < CHUNK_MIN || chunk_size(chunk) > heap->used_bytes)
		what = "size before the block overwritten";
	else if (!(chunk_next(chunk)->size & CHUNK_PREV_USED))
		what = "memory behind the block overwritten";
	if (what && heap->source.broken)
		heap->source.broken(heap->source.arg, what, block);
	return what == NULL;
}

void heap_free(struct heap *heap, void *block)
{
	struct heap_chunk *chunk;

	if (!block || !sound(heap, block))
		return;
	chunk = block_chunk(block);
	heap->used_bytes -= chunk_size(chunk);
	heap->nblocks--;
	if (keep(heap, chunk))
		return;
	chunk->size &= ~CHUNK_USED;
	release(heap, chunk);
}

/* Let @chunk have its next neighbour as well, if that is free and makes it reach @size. */
static bool extend(struct heap *heap, struct heap_chunk *chunk, u64 size)
{
	struct heap_chunk *next = chunk_next(chunk);

	if ((next->size & CHUNK_USED) || chunk_size(chunk) + chunk_size(next) < size)
		return false;
	heap_list_remove(heap, next);
	heap->used_bytes += chunk_size(next);
	chunk->size += chunk_size(next);
	chunk_next(chunk)->size |= CHUNK_PREV_USED;
	return true;
}

void *heap_realloc(struct heap *heap, void *block, size_t bytes)
{
	u64 size = chunk_bytes(bytes);
	struct heap_chunk *chunk;
	void *moved;

	if (!block)
		return heap_alloc(heap, bytes);
	if (size == 0 || !sound(heap, block))
		return NULL;
	chunk = block_chunk(block);
	if (chunk_size(chunk) >= size || extend(heap, chunk, size)) {
		split(heap, chunk, size);
		return block;
	}
	moved = heap_alloc(heap, bytes);
	if (!moved)
		return NULL;
	memcpy(moved, block, heap_usable_bytes(block));
	heap_free(heap, block);
	return moved;
}

size_t heap_usable_bytes(const void *block)
{
	return block ? chunk_size(block_chunk(block)) - CHUNK_OVERHEAD : 0;
}
