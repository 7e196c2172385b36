/* See ram.h. */
#include "ram.h"

#include <rt/rt.h>
#include <stdlib.h>
#include <string.h>

#define CHUNKS_VA  0x0000500000000000ul /* above all that lib/rt maps (DOMAIN_MAP_END) */
#define CHUNK_MIN  (2 * MiB)
#define CHUNK_MAX  (64 * MiB)
#define LARGE_PAGE (2 * MiB)

struct ram_page {
	struct page page; /* first: the rest of the personality knows this only */
	struct chunk *chunk;
	struct ram_page *next;  /* while free */
} __attribute__((aligned(16))); /* the low bits are the page map's: pagemap.h */

struct chunk {
	struct rt_frame frame;
	u8 *va;
};

struct page *ram_zero;

static struct ram_page *free_pages;
static struct ram_page *fresh, *fresh_end; /* of the newest chunk: never used */
static u64 total_pages, used_pages;
static u64 next_va = CHUNKS_VA;
static u64 next_bytes = 2 * CHUNK_MIN;

/* Map a chunk with large pages. Its tables are one per GiB, which the runtime gets. */
static int map_chunk(const struct rt_frame *frame, u64 va)
{
	struct aspace_op op = {
		.op = OP_MAP,
		.flags = MAP_READ | MAP_WRITE | MAP_LARGE,
		.va = va,
		.pages = (u32)(frame->bytes / LARGE_PAGE),
		.frame = frame->cap,
	};
	s64 done = sys_aspace_update(DOMAIN_SLOT_SPACE, &op, 1);

	if (done == 1)
		return 0;
	if (op.result != -ENOMEM || rt_space.more_tables(&rt_space))
		return -ENOMEM;
	return sys_aspace_update(DOMAIN_SLOT_SPACE, &op, 1) == 1 ? 0 : -ENOMEM;
}

/* Take a chunk: as large as wanted, or as large as there is. */
static int grow(void)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk));
	struct ram_page *pages = NULL;
	u64 bytes = next_bytes, n;

	if (!chunk)
		return -ENOMEM;
	while (rt_frame_new(bytes, &chunk->frame)) {
		bytes /= 2;
		if (bytes < CHUNK_MIN)
			goto no_frame;
	}
	n = chunk->frame.bytes / PAGE_SIZE;
	pages = calloc(n, sizeof(*pages));
	if (!pages || map_chunk(&chunk->frame, next_va))
		goto no_pages;
	chunk->va = (u8 *)next_va;
	for (u64 i = 0; i < n; i++)
		pages[i] = (struct ram_page){
			.page = {.data = chunk->va + i * PAGE_SIZE},
			.chunk = chunk,
		};
	next_va += ROUND_UP(chunk->frame.bytes, LARGE_PAGE);
	next_bytes = MIN(next_bytes * 2, CHUNK_MAX);
	for (; fresh < fresh_end; fresh++) {
		fresh->next = free_pages;
		free_pages = fresh;
	}
	fresh = pages;
	fresh_end = pages + n;
	total_pages += n;
	return 0;
no_pages:
	free(pages);
	rt_frame_put(&chunk->frame);
no_frame:
	free(chunk);
	return -ENOMEM;
}

struct page *ram_new(void)
{
	struct ram_page *page = free_pages;

	if (page) {
		free_pages = page->next;
	} else {
		if (fresh == fresh_end && grow())
			return NULL;
		page = fresh++;
	}
	page->page.refs = 1;
	used_pages++;
	return &page->page;
}

struct page *ram_new_zeroed(void)
{
	struct page *page = ram_new();

	if (page)
		memset(page->data, 0, PAGE_SIZE);
	return page;
}

void ram_free(struct page *page)
{
	struct ram_page *p = container_of(page, struct ram_page, page);

	p->next = free_pages;
	free_pages = p;
	used_pages--;
}

void ram_put(struct page *page)
{
	if (--page->refs == 0)
		ram_free(page);
}

cap_t ram_frame(const struct page *page, u64 *offset)
{
	const struct chunk *chunk = container_of(page, struct ram_page, page)->chunk;

	*offset = (u64)((u8 *)page->data - chunk->va);
	return chunk->frame.cap;
}

u64 ram_count(void)
{
	return total_pages;
}

u64 ram_free_count(void)
{
	return total_pages - used_pages;
}

int ram_init(void)
{
	ram_zero = ram_new_zeroed();
	return ram_zero ? 0 : -ENOMEM;
}
