/*
 * The lists of free chunks by size: a bit in heap->powers for every power of two that has free
 * chunks, and in heap->steps[power] one for every list of it that is not empty.
 *
 * Runs in: native domains, host tests.
 */
#include <heap/lists.h>

void heap_list_add(struct heap *heap, struct heap_chunk *chunk)
{
	struct heap_chunk **list;
	u32 power, step;

	size_class(chunk_size(chunk), &power, &step);
	list = &heap->free[power][step];
	chunk->prev_free = NULL;
	chunk->next_free = *list;
	if (*list)
		(*list)->prev_free = chunk;
	*list = chunk;
	heap->steps[power] |= (u16)(1u << step);
	heap->powers |= 1ul << power;
}

void heap_list_remove(struct heap *heap, struct heap_chunk *chunk)
{
	u32 power, step;

	if (chunk->next_free)
		chunk->next_free->prev_free = chunk->prev_free;
	if (chunk->prev_free) {
		chunk->prev_free->next_free = chunk->next_free;
		return;
	}
	size_class(chunk_size(chunk), &power, &step);
	heap->free[power][step] = chunk->next_free;
	if (chunk->next_free)
		return;
	heap->steps[power] &= (u16) ~(1u << step);
	if (heap->steps[power] == 0)
		heap->powers &= ~(1ul << power);
}

struct heap_chunk *heap_list_find(struct heap *heap, u64 size)
{
	struct heap_chunk *chunk;
	u32 power, step, steps;
	u64 powers;

	/* Of the list that @size itself belongs to, the first chunk may do. In those above it, all
	 * do. */
	size_class(size, &power, &step);
	chunk = heap->free[power][step];
	if (chunk && chunk_size(chunk) >= size)
		return chunk;
	steps = heap->steps[power] & (~1u << step);
	if (steps == 0) {
		powers = heap->powers & (~1ul << power);
		if (powers == 0)
			return NULL;
		power = (u32)__builtin_ctzl(powers);
		steps = heap->steps[power];
	}
	return heap->free[power][__builtin_ctz(steps)];
}
