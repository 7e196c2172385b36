/* See lend.h. */
#include "lend.h"
#include "export.h"
#include "monitor.h"
#include "program.h"
#include <memown/memown.h>
#include <rt/slots.h>
#include <stdlib.h>

#define RANGES     16u /* borrowed at a time */
#define PARTS      64u /* that a range is handed out in */
#define HANDLE     (1ul << 32)
#define OWNER_LENT (PROGRAMS_MAX + 1) /* in mem.h, of blocks that others have */
#define KEEP_SHARE 4u                 /* no more is lent when one part in so many is left */
#define LOW_BYTES  (2 * MEMOWN_GRAIN) /* with less than that left, borrow */

/* A block of our own memory that another core has, or is offered. */
struct lent {
	struct lent *next;
	cap_t block;
	u64 base, bytes;
};

struct borrowed {
	u64 base, bytes; /* no bytes: a free place */
	u64 used;        /* a bit for each part */
	bool going;      /* on its way back */
	struct agreement_request request;
};

/* A frame of a borrowed range. */
struct loan {
	struct loan *next;
	struct borrowed *from;
	u64 parts; /* bits of borrowed.used */
	cap_t frame;
	u32 owner;
};

struct memown lend_memown;

static struct lent *lent;
static struct borrowed ranges[RANGES];
static struct loan *loans;
static bool borrowing;
static u64 own_bytes; /* at the beginning */

/* ---- lending: called by lib/memown ---- */

static bool take(void *ctx, u64 bytes, u64 *base)
{
	struct cap_info info;
	struct lent *l;

	(void)ctx;
	if ((bytes & (bytes - 1)) || mem_free_bytes() < bytes + own_bytes / KEEP_SHARE)
		return false;
	l = calloc(1, sizeof(*l));
	if (!l)
		return false;
	l->block = mem_new(bytes, OWNER_LENT);
	if (l->block == CAP_NONE || sys_cap_info(l->block, &info)) {
		mem_put(l->block);
		free(l);
		return false;
	}
	l->base = *base = info.base;
	l->bytes = bytes;
	l->next = lent;
	lent = l;
	return true;
}

/* Our own memory, or part of it, is back. */
static void take_back(u64 base, u64 bytes)
{
	for (struct lent **at = &lent, *l; (l = *at);) {
		if (l->base < base || l->base + l->bytes > base + bytes) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		mem_put(l->block);
		free(l);
	}
}

/* The borrowed range that begins at @base; at 0 there is none, so that is a free place. */
static struct borrowed *find_range(u64 base)
{
	for (u32 i = 0; i < RANGES; i++)
		if (ranges[i].base == base)
			return &ranges[i];
	return NULL;
}

static void give(void *ctx, u64 base, u64 bytes)
{
	const struct machine_core *own = &self.cores[self.core];
	struct borrowed *place;

	(void)ctx;
	if (base >= own->mem_base && base - own->mem_base < own->mem_bytes) {
		take_back(base, bytes);
		return;
	}
	place = find_range(base);
	if (!place)
		place = find_range(0);
	if (place)
		*place = (struct borrowed){.base = base, .bytes = bytes};
}

/* Inherited: programs of any core may map frames in it. It is in no list that memory is taken from,
 * and a block of our own that the dead core had borrowed stays in that of what others have. */
static void retire(void *ctx, u64 base, u64 bytes)
{
	(void)ctx, (void)base, (void)bytes;
}

static bool may_map(void *ctx, u32 core, u64 base, u64 bytes)
{
	(void)ctx;
	(void)core;
	return export_may_map(base, bytes);
}

/* ---- borrowing ---- */

int lend_borrow(u64 bytes, struct agreement_request *request)
{
	u64 whole = MEMOWN_GRAIN;
	u32 places = 0;

	if (bytes == 0)
		return -EINVAL;
	for (u32 i = 0; i < RANGES; i++)
		places += !ranges[i].bytes;
	if (!places || bytes > own_bytes)
		return -ENOMEM;
	while (whole < bytes)
		whole *= 2;
	return memown_borrow(&lend_memown, whole, agreement_token(request));
}

static void borrow_ended(struct agreement_request *request, s64 status)
{
	(void)request;
	(void)status; /* if nobody has any to spare, who asks next is told so */
	borrowing = false;
}

void lend_check(void)
{
	static struct agreement_request request = {.done = borrow_ended};

	if (borrowing || mem_free_bytes() >= LOW_BYTES || lend_borrowed_bytes())
		return;
	borrowing = lend_borrow(MEMOWN_GRAIN, &request) == 0;
}

u64 lend_borrowed_bytes(void)
{
	u64 bytes = 0;

	for (u32 i = 0; i < RANGES; i++)
		bytes += ranges[i].bytes;
	return bytes;
}

/* ---- giving back ---- */

static void return_ended(struct agreement_request *request, s64 status)
{
	struct borrowed *range = container_of(request, struct borrowed, request);

	if (status == 0)
		*range = (struct borrowed){0};
	/* else give() has made it anew */
}

/* Give a range back of which nothing is used, unless it might be needed soon. */
static void return_range(struct borrowed *range)
{
	if (range->used || range->going || mem_free_bytes() < LOW_BYTES)
		return;
	range->going = true;
	range->request.done = return_ended;
	if (memown_return(&lend_memown, range->base, range->bytes,
			  agreement_token(&range->request)))
		range->going = false; /* it stays; there may be a use for it */
}

/* ---- frames ---- */

/* Bits of @n free parts of @range that follow each other, or 0. */
static u64 find_parts(const struct borrowed *range, u32 n)
{
	u64 bits = n == PARTS ? ~0ul : (1ul << n) - 1;

	for (u32 at = 0; at + n <= PARTS; at++)
		if (!(range->used & bits << at))
			return bits << at;
	return 0;
}

int lend_frame_new(u64 bytes, u32 owner, u64 *handle, cap_t *frame, u64 *got)
{
	struct loan *l = calloc(1, sizeof(*l));
	u64 part = 0;

	if (!l)
		return -ENOMEM;
	for (u32 i = 0; i < RANGES && !l->parts; i++) {
		l->from = &ranges[i];
		part = ranges[i].bytes / PARTS;
		if (part && !ranges[i].going && bytes <= ranges[i].bytes)
			l->parts = find_parts(l->from, (u32)((bytes + part - 1) / part));
	}
	l->frame = l->parts ? slot_new() : CAP_NONE;
	*got = ROUND_UP(bytes, PAGE_SIZE);
	if (l->frame == CAP_NONE ||
	    sys_frame_mint(SLOT_PHYS, l->from->base + part * (u64)__builtin_ctzl(l->parts), *got,
			   l->frame)) {
		slot_put(l->frame);
		free(l);
		return -ENOMEM;
	}
	l->from->used |= l->parts;
	l->owner = owner;
	l->next = loans;
	loans = l;
	*handle = HANDLE | l->frame;
	*frame = l->frame;
	return 0;
}

static void put_loan(struct loan **at)
{
	struct loan *l = *at;

	*at = l->next;
	slot_drop(l->frame); /* and every mapping of it */
	l->from->used &= ~l->parts;
	return_range(l->from);
	free(l);
}

int lend_frame_put(u64 handle, u32 owner)
{
	for (struct loan **at = &loans; *at; at = &(*at)->next) {
		if ((HANDLE | (*at)->frame) != handle || (*at)->owner != owner)
			continue;
		put_loan(at);
		return 0;
	}
	return -EINVAL;
}

void lend_put_all(u32 owner)
{
	for (struct loan **at = &loans; *at;) {
		if ((*at)->owner == owner)
			put_loan(at);
		else
			at = &(*at)->next;
	}
}

int lend_init(const struct agree_config *config, u32 type)
{
	struct memown_ops ops = {.take = take, .give = give, .retire = retire, .may_map = may_map};

	own_bytes = mem_free_bytes();
	return memown_init(&lend_memown, agreement, config, type, &ops);
}
