/* See malloc.h. */
#include <rt/malloc.h>
#include <rt/panic.h>
#include <heap/heap.h>
#include <stdlib.h>

#define GROW_BYTES (32 * KiB) /* at least, so that frames are few */

static struct heap heap;

/* A frame that is not mapped in the end stays with the program: there is no way to shrink. */
static void *more(void *arg, size_t bytes, size_t *got)
{
	struct malloc_source *source = arg;
	u64 va = source->next, size = 0;
	cap_t frame;

	if (source->frame_new(MAX(bytes, GROW_BYTES), &frame, &size))
		return NULL;
	if (size > source->end - va ||
	    vspace_map(source->space, va, frame, 0, size, MAP_READ | MAP_WRITE))
		return NULL;
	source->next += size;
	*got = size;
	return (void *)va;
}

static void broken(void *arg, const char *what, const void *block)
{
	(void)arg;
	rt_panic("heap: block %p: %s", block, what);
}

void malloc_init(struct malloc_source *source)
{
	heap_init(&heap, &(struct heap_source){.more = more, .broken = broken, .arg = source});
}

void *malloc(size_t bytes)
{
	return heap_alloc(&heap, bytes);
}

void *calloc(size_t count, size_t bytes)
{
	return heap_calloc(&heap, count, bytes);
}

void *realloc(void *block, size_t bytes)
{
	return heap_realloc(&heap, block, bytes);
}

void *aligned_alloc(size_t align, size_t bytes)
{
	return heap_aligned_alloc(&heap, align, bytes);
}

void free(void *block)
{
	heap_free(&heap, block);
}
