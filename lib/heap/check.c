/*
 * Examining a heap: every chunk of every region, then every list.
 *
 * Runs in: native domains, host tests.
 */
#include <heap/chunk.h>
#include <heap/heap.h>

/* What walking the chunks counts, to be compared with the heap's own counts and its lists. */
struct census {
	u64 used_bytes;
	u64 nused;
	u64 nkept;
	u64 nfree;
};

static const char *check_chunk(const struct heap_chunk *chunk, const u8 *end, bool prev_used,
			       struct census *census)
{
	u64 size = chunk_size(chunk);

	if (size < CHUNK_MIN || size > (u64)(end - (const u8 *)chunk))
		return "a chunk reaches beyond its region";
	if (prev_used != ((chunk->size & CHUNK_PREV_USED) != 0))
		return "a chunk is wrong about the one before it";
	if (chunk->size & CHUNK_KEPT) {
		census->nkept++;
		return chunk->size & CHUNK_USED ? NULL : "a chunk that is kept is not in use";
	}
	if (chunk->size & CHUNK_USED) {
		census->used_bytes += size;
		census->nused++;
		return NULL;
	}
	if (!prev_used)
		return "two free chunks side by side";
	if (chunk_next(chunk)->prev_size != size)
		return "a free chunk has another size at its end";
	census->nfree++;
	return NULL;
}

static const char *check_region(const struct heap_region *region, struct census *census)
{
	const u8 *mark = region->end - CHUNK_HEADER;
	const struct heap_chunk *chunk = chunk_at(region, REGION_HEADER);
	bool prev_used = true;

	while ((const u8 *)chunk < mark) {
		const char *wrong = check_chunk(chunk, mark, prev_used, census);

		if (wrong)
			return wrong;
		prev_used = chunk->size & CHUNK_USED;
		chunk = chunk_next(chunk);
	}
	if (chunk->size != (CHUNK_USED | (prev_used ? CHUNK_PREV_USED : 0)))
		return "the end mark of a region is damaged";
	return NULL;
}

static const char *check_list(const struct heap *heap, u32 power, u32 step, u64 *nfree)
{
	const struct heap_chunk *prev = NULL;

	for (const struct heap_chunk *c = heap->free[power][step]; c; c = c->next_free) {
		u32 p, s;

		size_class(chunk_size(c), &p, &s);
		if (c->size & CHUNK_USED)
			return "a chunk in use is in a list of free ones";
		if (p != power || s != step)
			return "a free chunk is in the list of another size";
		if (c->prev_free != prev)
			return "a list of free chunks is broken";
		prev = c;
		++*nfree;
	}
	if ((heap->steps[power] >> step & 1) != (prev != NULL))
		return "the bitmap disagrees with a list";
	return NULL;
}

/* The chunks that are kept: as many as were found in the regions, each in the list of its size. */
static const char *check_kept(const struct heap *heap, u64 nfound)
{
	u64 n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(heap->kept); i++) {
		u64 left = heap->kept[i].n;

		for (const struct heap_chunk *c = heap->kept[i].first; c; c = c->next_free) {
			if (chunk_size(c) != i * HEAP_ALIGN || !(c->size & CHUNK_KEPT) || !left)
				return "a list of kept chunks is broken";
			left--;
			n++;
		}
		if (left)
			return "a list of kept chunks is too short";
	}
	return n == nfound ? NULL : "a kept chunk is in no list";
}

const char *heap_check(const struct heap *heap)
{
	struct census census = {0};
	const char *wrong = NULL;
	u64 nfree = 0;

	for (const struct heap_region *r = heap->regions; r && !wrong; r = r->next)
		wrong = check_region(r, &census);
	for (u32 power = 0; power < HEAP_POWERS && !wrong; power++) {
		for (u32 step = 0; step < HEAP_STEPS && !wrong; step++)
			wrong = check_list(heap, power, step, &nfree);
		if (!wrong && (heap->powers >> power & 1) != (heap->steps[power] != 0))
			wrong = "the bitmap disagrees with the lists";
	}
	if (!wrong)
		wrong = check_kept(heap, census.nkept);
	if (wrong)
		return wrong;
	if (nfree != census.nfree)
		return "a free chunk is in no list";
	if (census.nused != heap->nblocks || census.used_bytes != heap->used_bytes)
		return "the counts disagree with the chunks";
	return NULL;
}
