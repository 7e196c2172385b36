/* See malloc.h. */
#include <rt/malloc.h>
#include <rt/panic.h>
#include <heap/heap.h>
#include <stdlib.h>

/* What is asked for at a time: a part of what there is, so that frames are few. */
#define GROW_MIN  (32 * KiB)
#define GROW_MAX  (16 * MiB)
#define GROW_PART 4u

static struct heap heap;

/* A frame of at least @bytes; more if there is plenty. 0 or a negative errno. */
static int new_frame(struct malloc_source *source, u64 bytes, cap_t *frame, u64 *size)
{
	u64 more = MIN(MAX(heap.total_bytes / GROW_PART, GROW_MIN), GROW_MAX);

	if (source->spare_bytes >= bytes) {
		*frame = source->spare;
		*size = source->spare_bytes;
		source->spare_bytes = 0;
		return 0;
	}
	if (bytes < more && source->frame_new(more, frame, size) == 0)
		return 0;
	return source->frame_new(bytes, frame, size);
}

/* A frame that cannot be mapped now, for want of page tables, is kept for the next time. */
static void *more(void *arg, size_t bytes, size_t *got)
{
	struct malloc_source *source = arg;
	u64 va = source->next, size = 0;
	cap_t frame;

	if (source->end - va < bytes || new_frame(source, bytes, &frame, &size))
		return NULL;
	if (size > source->end - va ||
	    vspace_map(source->space, va, frame, 0, size, MAP_READ | MAP_WRITE)) {
		source->spare = frame;
		source->spare_bytes = size;
		return NULL;
	}
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
