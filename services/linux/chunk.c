/* See chunk.h. */
#include "chunk.h"

#include <rt/rt.h>
#include <rt/monitor.h>
#include <errno.h>
#include <string.h>

#define CHUNKS_VA  0x0000500000000000ul /* above all that lib/rt maps (DOMAIN_MAP_END) */
#define CHUNK_MIN  (2 * MiB)
#define CHUNK_MAX  (PAGE_SIZE << (RAM_ORDERS - 1))
#define CHUNKS     32768u /* places, of CHUNK_MAX each */
#define LARGE_PAGE (2 * MiB)
#define PART       32u       /* of all memory: what is asked for at a time */
#define KEEP       (4 * MiB) /* free memory that is not given back */
/* Left with the monitor, for what pages do not serve: page tables, the heap. */
#define RESERVE_MIN  (2 * MiB)
#define RESERVE_PART 32u

struct chunk *chunks;

static u64 places[CHUNKS / 64]; /* taken */
static u64 total_pages;

static u64 place_new(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		u32 bit = (u32)__builtin_ctzl(~places[i]);

		if (~places[i]) {
			places[i] |= 1ul << bit;
			return CHUNKS_VA + (64ul * i + bit) * CHUNK_MAX;
		}
	}
	return 0;
}

static void place_put(u64 va)
{
	u64 i = (va - CHUNKS_VA) / CHUNK_MAX;

	places[i / 64] &= ~(1ul << i % 64);
}

u8 *chunk_map(cap_t frame, u64 bytes)
{
	u64 va = place_new();

	if (!va)
		return NULL;
	if (vspace_map(&rt_space, va, frame, 0, bytes, MAP_READ | MAP_WRITE | MAP_LARGE) == 0)
		return (u8 *)va;
	place_put(va);
	return NULL;
}

void chunk_unmap(u8 *base, u64 bytes)
{
	vspace_unmap(&rt_space, (u64)base, bytes);
	place_put((u64)base);
}

static void list_add(struct chunk *chunk)
{
	struct chunk **at = &chunks, *prev = NULL;

	while (*at && *at < chunk) {
		prev = *at;
		at = &prev->next;
	}
	chunk->prev = prev;
	chunk->next = *at;
	if (chunk->next)
		chunk->next->prev = chunk;
	*at = chunk;
}

/* Describe the pages of a chunk that is mapped at @va. */
static void fill(struct chunk *chunk, const struct rt_frame *frame)
{
	u64 n = frame->bytes / PAGE_SIZE;
	u64 first = ROUND_UP(sizeof(*chunk) + n * sizeof(chunk->pages[0]), PAGE_SIZE) / PAGE_SIZE;

	chunk->base = (u8 *)chunk;
	chunk->frame = *frame;
	chunk->far = NULL;
	chunk->address = 0;
	chunk->loans = NULL;
	chunk->npages = n;
	chunk->nusable = n - first;
	chunk->nfree = 0;
	chunk->orders = 0;
	memset(chunk->runs, 0, sizeof(chunk->runs));
	for (u64 i = 0; i < n; i++)
		chunk->pages[i] = (struct ram_page){
			.page = {.data = (u8 *)chunk + i * PAGE_SIZE},
			.chunk = chunk,
		};
	while (first < n) {
		u32 order = (u32)__builtin_ctzl(first);

		ram_add_run(&chunk->pages[first], order);
		first += 1ul << order;
	}
	total_pages += n;
	list_add(chunk);
}

/* A frame as large as is sensible, or as large as there is, but for the reserve. */
static int new_frame(u64 need, struct rt_frame *frame)
{
	u64 bytes = MIN(MAX(ram_total_bytes() / PART, 2 * CHUNK_MIN), CHUNK_MAX), want = need;
	u64 reserve = MAX(ram_total_bytes() / RESERVE_PART, RESERVE_MIN);
	struct sys_words words = {0};

	while (want < bytes)
		want *= 2;
	if (monitor_ask(MON_MEMORY, &words, CAP_NONE) || words.w[1] < reserve)
		return -ENOMEM;
	for (; want >= need; want /= 2) {
		if (want + reserve <= words.w[1] && rt_frame_new(want, frame) == 0)
			return 0;
	}
	return -ENOMEM;
}

int chunk_new(u64 pages)
{
	u64 need = CHUNK_MIN;
	struct rt_frame frame;
	u8 *at;

	while (need < 2 * pages * PAGE_SIZE) /* the first half has what is kept of the pages */
		need *= 2;
	if (need > CHUNK_MAX || new_frame(need, &frame))
		return -ENOMEM;
	at = chunk_map(frame.cap, frame.bytes);
	if (!at) {
		rt_frame_put(&frame);
		return -ENOMEM;
	}
	fill((struct chunk *)at, &frame);
	return 0;
}

static void give_back(struct chunk *chunk)
{
	struct rt_frame frame = chunk->frame;

	ram_remove_runs(chunk);
	total_pages -= chunk->npages;
	if (chunk->prev)
		chunk->prev->next = chunk->next;
	else
		chunks = chunk->next;
	if (chunk->next)
		chunk->next->prev = chunk->prev;
	rt_frame_put(&frame); /* and it is mapped nowhere any more */
	place_put((u64)chunk);
}

void chunk_empty(struct chunk *chunk, u64 others)
{
	if (!chunk->address && others * PAGE_SIZE >= KEEP && others >= chunk->nfree / 2)
		give_back(chunk);
}

bool chunk_trim(void)
{
	struct chunk *next;
	bool any = false;

	for (struct chunk *c = chunks; c; c = next) {
		next = c->next;
		if (c->nfree == c->nusable && !c->address) {
			give_back(c);
			any = true;
		}
	}
	return any;
}

struct ram_page *chunk_page(const void *at)
{
	struct chunk *chunk = (struct chunk *)ROUND_DOWN((u64)at, CHUNK_MAX);

	return &chunk->pages[(u64)((const u8 *)at - (u8 *)chunk) / PAGE_SIZE];
}

u64 chunk_pages(void)
{
	return total_pages;
}
