/*
 * See ram.h: pages, runs of pages, and what joins them. Chunks are chunk.c's.
 *
 * Most requests are for one page: these are kept in a list of their own, filled from runs and
 * emptied into them in portions.
 */
#include "chunk.h"
#include "farpage.h"

#include <rt/monitor.h>
#include <rt/rt.h>
#include <errno.h>
#include <string.h>

#define HOT_FILL 4u   /* order of the run that single pages are cut from */
#define HOT_MAX  128u /* single pages that are kept */

struct page *ram_zero;

static struct ram_page *hot; /* free single pages, the last used first */
static u64 nhot, nfree;      /* nfree: pages in runs */

/* ---- runs ---- */

static u64 index_of(const struct ram_page *p)
{
	return (u64)(p - p->chunk->pages);
}

static void list_add(struct ram_page *p, u32 order)
{
	struct ram_page **first = &p->chunk->runs[order];

	p->order = (u8)order;
	p->is_run = true;
	p->prev = NULL;
	p->next = *first;
	if (p->next)
		p->next->prev = p;
	*first = p;
	p->chunk->orders |= 1u << order;
	p->chunk->nfree += 1ul << order;
	nfree += 1ul << order;
}

static void list_remove(struct ram_page *p)
{
	if (p->prev)
		p->prev->next = p->next;
	else
		p->chunk->runs[p->order] = p->next;
	if (p->next)
		p->next->prev = p->prev;
	if (!p->chunk->runs[p->order])
		p->chunk->orders &= ~(1u << p->order);
	p->is_run = false;
	p->chunk->nfree -= 1ul << p->order;
	nfree -= 1ul << p->order;
}

/* The buddy of a run if it is free, whole, and may be joined. */
static struct ram_page *free_buddy(struct ram_page *p, u32 order)
{
	u64 at = index_of(p) ^ 1ul << order;
	struct ram_page *buddy = &p->chunk->pages[at];

	if (order + 1 >= RAM_ORDERS || at + (1ul << order) > p->chunk->npages)
		return NULL;
	return buddy->is_run && buddy->order == order ? buddy : NULL;
}

void ram_add_run(struct ram_page *p, u32 order)
{
	struct ram_page *buddy;

	while ((buddy = free_buddy(p, order))) {
		list_remove(buddy);
		p = MIN(p, buddy);
		order++;
	}
	list_add(p, order);
}

void ram_remove_runs(struct chunk *chunk)
{
	for (u64 i = 0; i < chunk->npages; i++) {
		if (chunk->pages[i].is_run)
			list_remove(&chunk->pages[i]);
	}
}

/* A run of the chunk has become free: perhaps all of it is. */
static void give_run(struct ram_page *p, u32 order)
{
	struct chunk *chunk = p->chunk;

	ram_add_run(p, order);
	if (chunk->nfree == chunk->nusable)
		chunk_empty(chunk, nfree - chunk->nfree);
}

/*
 * A run of the order, cut from a larger one where need be; NULL if there is none. Of the first
 * chunk that has one: so what is used for long gathers there, and the last ones empty.
 */
static struct ram_page *take_run(u32 order)
{
	struct chunk *chunk = chunks;
	struct ram_page *p;
	u32 have;

	while (chunk && !(chunk->orders >> order))
		chunk = chunk->next;
	if (!chunk)
		return NULL;
	have = order + (u32)__builtin_ctz(chunk->orders >> order);
	p = chunk->runs[have];
	list_remove(p);
	while (have-- > order)
		list_add(p + (1ul << have), have);
	return p;
}

/* ---- single pages ---- */

static void hot_add(struct ram_page *p)
{
	p->next = hot;
	hot = p;
	nhot++;
}

static bool hot_fill(void)
{
	u32 order = HOT_FILL;
	struct ram_page *p = take_run(order);

	while (!p && order > 0)
		p = take_run(--order);
	for (u64 n = p ? 1ul << order : 0; n > 0; n--)
		hot_add(p + n - 1); /* so that they are taken in ascending order */
	return p;
}

/* Give single pages back to the runs, but for @keep. */
static void hot_drain(u64 keep)
{
	struct ram_page **at = &hot, *p;

	for (u64 i = 0; i < keep && *at; i++)
		at = &(*at)->next;
	p = *at;
	*at = NULL;
	while (p) {
		struct ram_page *next = p->next;

		nhot--;
		give_run(p, 0);
		p = next;
	}
}

struct page *ram_new(void)
{
	struct ram_page *p;

	if (!hot && !hot_fill() && (chunk_new(1) || !hot_fill()))
		return NULL;
	p = hot;
	hot = p->next;
	nhot--;
	p->page.refs = 1;
	return &p->page;
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
	if (unlikely(page_is_far(page))) {
		farpage_free(page);
		return;
	}
	hot_add(container_of(page, struct ram_page, page));
	if (nhot > HOT_MAX)
		hot_drain(HOT_MAX / 2);
}

void ram_put(struct page *page)
{
	if (--page->refs == 0)
		ram_free(page);
}

/* ---- several pages ---- */

static struct ram_page *new_run(u32 order)
{
	struct ram_page *p = order < RAM_ORDERS ? take_run(order) : NULL;

	if (p || order >= RAM_ORDERS)
		return p;
	hot_drain(0); /* there may be one that single pages keep apart */
	p = take_run(order);
	if (!p && chunk_new(1ul << order) == 0)
		p = take_run(order);
	return p;
}

struct page *ram_new_run(u32 order)
{
	struct ram_page *p = new_run(order);

	for (u64 i = 0; p && i < 1ul << order; i++)
		p[i].page.refs = 1;
	return p ? &p->page : NULL;
}

struct page *ram_run_page(struct page *page, u32 n)
{
	return &(container_of(page, struct ram_page, page) + n)->page;
}

static u32 order_of(u64 pages)
{
	return pages > 1 ? 64 - (u32)__builtin_clzl(pages - 1) : 0;
}

/* The largest runs that a range of a chunk is made of. */
static void give_range(struct ram_page *p, u64 n)
{
	while (n > 0) {
		u64 at = index_of(p);
		u32 order = at ? (u32)__builtin_ctzl(at) : RAM_ORDERS - 1;

		while (1ul << order > n)
			order--;
		n -= 1ul << order;
		give_run(p, order); /* if the chunk goes, this was the last of it */
		p += 1ul << order;
	}
}

void *ram_block_new(u64 bytes)
{
	u64 pages = ROUND_UP(bytes, PAGE_SIZE) / PAGE_SIZE;
	u32 order = order_of(pages);
	struct ram_page *p = new_run(order);

	if (!p)
		return NULL;
	if (pages < 1ul << order)
		give_range(p + pages, (1ul << order) - pages);
	return p->page.data;
}

void ram_block_put(void *block, u64 bytes)
{
	if (block)
		give_range(chunk_page(block), ROUND_UP(bytes, PAGE_SIZE) / PAGE_SIZE);
}

/* ---- what there is ---- */

cap_t ram_frame(const struct page *page, u64 *offset)
{
	const struct chunk *chunk = container_of(page, struct ram_page, page)->chunk;

	*offset = (u64)((u8 *)page->data - chunk->base);
	return chunk->frame.cap;
}

u64 ram_count(void)
{
	return chunk_pages();
}

u64 ram_free_count(void)
{
	return nfree + nhot;
}

static u64 at_monitor(void)
{
	struct sys_words words = {0};

	return monitor_ask(MON_MEMORY, &words, CAP_NONE) == 0 ? words.w[1] : 0;
}

u64 ram_free_bytes(void)
{
	return ram_free_count() * PAGE_SIZE + at_monitor();
}

u64 ram_total_bytes(void)
{
	static u64 total; /* what there was when it was asked first: nothing was used by then */

	if (!total)
		total = ram_count() * PAGE_SIZE + at_monitor();
	return total;
}

static bool trim(void)
{
	hot_drain(0);
	return chunk_trim();
}

int ram_init(void)
{
	memory_on_shortage(trim);
	ram_total_bytes();
	ram_zero = ram_new_zeroed();
	return ram_zero ? 0 : -ENOMEM;
}
