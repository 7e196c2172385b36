/*
 * The lists of free chunks by size. Private to lib/heap.
 */
#ifndef HEAP_LISTS_H
#define HEAP_LISTS_H

#include <heap/chunk.h>
#include <heap/heap.h>

/* Put a free chunk, whose size is set, into its list, or take it out. */
void heap_list_add(struct heap *heap, struct heap_chunk *chunk);
void heap_list_remove(struct heap *heap, struct heap_chunk *chunk);

/* A free chunk of at least @size, still in its list; NULL if there is none. */
struct heap_chunk *heap_list_find(struct heap *heap, u64 size);

#endif
