/* See numbers.h. */
#include "numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 256u

int numbers_init(struct numbers *n, u32 core, u64 *max)
{
	*n = (struct numbers){.core = core, .max = max, .nslots = SLOTS_FIRST};
	n->next_lease = 1024 / PID_BLOCK; /* low numbers stay core 0's */
	n->slots = calloc(n->nslots, sizeof(struct number *));
	return n->slots ? 0 : -ENOMEM;
}

static void number_end(struct number *e)
{
	for (u32 i = 0; i < NUMBER_USES; i++)
		free(e->others[i]);
	free(e);
}

void numbers_fini(struct numbers *n)
{
	for (u32 i = 0; i < n->nslots; i++) {
		struct number *next;

		for (struct number *e = n->slots[i]; e; e = next) {
			next = e->next;
			number_end(e);
		}
	}
	free(n->slots);
	free(n->blocks);
	free(n->owner);
}

/* ---- the table ---- */

struct number *numbers_find(const struct numbers *n, u32 number)
{
	struct number *e = n->slots[number % n->nslots];

	while (e && e->number != number)
		e = e->next;
	return e;
}

/* Twice as many slots; without memory, longer chains. */
static void grow(struct numbers *n)
{
	u32 nslots = n->nslots * 2;
	struct number **slots = calloc(nslots, sizeof(struct number *));

	if (!slots)
		return;
	for (u32 i = 0; i < n->nslots; i++) {
		struct number *next;

		for (struct number *e = n->slots[i]; e; e = next) {
			next = e->next;
			e->next = slots[e->number % nslots];
			slots[e->number % nslots] = e;
		}
	}
	free(n->slots);
	n->slots = slots;
	n->nslots = nslots;
}

static struct number *make(struct numbers *n, u32 number)
{
	struct number *e = numbers_find(n, number);

	if (e)
		return e;
	if (n->count >= n->nslots)
		grow(n);
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->number = number;
	e->next = n->slots[number % n->nslots];
	n->slots[number % n->nslots] = e;
	n->count++;
	return e;
}

bool core_set_is_empty(const struct core_set *set)
{
	for (u32 i = 0; i < ARRAY_SIZE(set->bits); i++) {
		if (set->bits[i])
			return false;
	}
	return true;
}

static bool is_used(const struct number *e)
{
	bool used = e->away;

	for (u32 i = 0; i < NUMBER_USES; i++)
		used |= e->uses[i] || e->others[i];
	return used;
}

/* Forget what is known of a number that nothing uses. */
static void settle(struct numbers *n, struct number *e)
{
	struct number **at = &n->slots[e->number % n->nslots];

	if (is_used(e))
		return;
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	n->count--;
	number_end(e);
}

bool numbers_in_use(const struct numbers *n, u32 number)
{
	return numbers_find(n, number);
}

int numbers_get(struct numbers *n, u32 number, enum number_use use)
{
	struct number *e = make(n, number);

	if (!e)
		return -ENOMEM;
	e->uses[use]++;
	return 0;
}

bool numbers_put(struct numbers *n, u32 number, enum number_use use)
{
	struct number *e = numbers_find(n, number);
	bool last = --e->uses[use] == 0;

	if (last)
		settle(n, e);
	return last;
}

/* ---- giving numbers ---- */

static u16 leased_to(const struct numbers *n, u32 number)
{
	return number / PID_BLOCK < n->nowner ? n->owner[number / PID_BLOCK] : 0;
}

static u32 new_of_all(struct numbers *n)
{
	for (u64 i = 0; i < *n->max; i++) {
		n->last = n->last + 1 < *n->max ? n->last + 1 : PID_RESERVED;
		if (leased_to(n, n->last))
			n->last |= PID_BLOCK - 1; /* on to the next block */
		else if (!numbers_in_use(n, n->last))
			return n->last;
	}
	return 0;
}

/* Here last counts through the leased blocks. */
static u32 new_of_leased(struct numbers *n)
{
	u32 total = n->nblocks * PID_BLOCK;

	for (u32 i = 0; i < total; i++) {
		u32 number;

		n->last = n->last + 1 < total ? n->last + 1 : 0;
		number = n->blocks[n->last / PID_BLOCK] * PID_BLOCK + n->last % PID_BLOCK;
		if (number < *n->max && !numbers_in_use(n, number))
			return number;
	}
	return 0;
}

u32 numbers_new(struct numbers *n)
{
	u32 number = n->core ? new_of_leased(n) : new_of_all(n);

	n->newest = number ? number : n->newest;
	return number;
}

bool numbers_is_home(const struct numbers *n, u32 number)
{
	if (n->core == 0)
		return !leased_to(n, number);
	for (u32 i = 0; i < n->nblocks; i++) {
		if (n->blocks[i] == number / PID_BLOCK)
			return true;
	}
	return false;
}

/* ---- leases ---- */

static bool block_is_free(const struct numbers *n, u32 block)
{
	if (leased_to(n, block * PID_BLOCK))
		return false;
	for (u32 i = 0; i < PID_BLOCK; i++) {
		if (numbers_in_use(n, block * PID_BLOCK + i))
			return false;
	}
	return true;
}

static bool run_is_free(const struct numbers *n, u32 first, u32 blocks)
{
	for (u32 i = 0; i < blocks; i++) {
		if (!block_is_free(n, first + i))
			return false;
	}
	return true;
}

static bool make_room(struct numbers *n, u32 nowner)
{
	u16 *owner;

	if (nowner <= n->nowner)
		return true;
	owner = realloc(n->owner, nowner * sizeof(*owner));
	if (!owner)
		return false;
	memset(owner + n->nowner, 0, (nowner - n->nowner) * sizeof(*owner));
	n->owner = owner;
	n->nowner = nowner;
	return true;
}

u32 numbers_lease(struct numbers *n, u32 core, u32 blocks)
{
	u32 all = (u32)(*n->max / PID_BLOCK), low = (PID_RESERVED + PID_BLOCK - 1) / PID_BLOCK;

	if (core == 0 || core >= NUMBERS_CORES_MAX || !blocks || blocks > all)
		return 0;
	for (u32 tries = 0; tries < all; tries++) {
		u32 first = n->next_lease;

		if (first < low || first + blocks > all)
			first = low;
		n->next_lease = first + 1;
		if (first + blocks > all || !run_is_free(n, first, blocks))
			continue;
		if (!make_room(n, first + blocks))
			return 0;
		for (u32 i = 0; i < blocks; i++)
			n->owner[first + i] = (u16)(core + 1);
		n->next_lease = first + blocks;
		return first;
	}
	return 0;
}

u32 numbers_owner(const struct numbers *n, u32 number)
{
	u16 owner = leased_to(n, number);

	return owner ? owner - 1u : 0;
}

int numbers_add(struct numbers *n, u32 first, u32 blocks)
{
	u32 *all = realloc(n->blocks, (n->nblocks + blocks) * sizeof(*all));

	if (!all)
		return -ENOMEM;
	n->blocks = all;
	n->last = n->nblocks * PID_BLOCK - 1; /* the next is the first of these */
	for (u32 i = 0; i < blocks; i++)
		all[n->nblocks++] = first + i;
	return 0;
}

/* ---- at home ---- */

int numbers_set_away(struct numbers *n, u32 number, u32 core, u32 moves)
{
	struct number *e = make(n, number);

	if (!e)
		return -ENOMEM;
	if (moves < e->moves)
		return 0;
	e->moves = moves;
	e->away = core == n->core ? 0 : (u16)(core + 1);
	settle(n, e);
	return 0;
}

void numbers_free_away(struct numbers *n, u32 number)
{
	struct number *e = numbers_find(n, number);

	if (!e)
		return;
	e->away = 0;
	settle(n, e);
}

int numbers_join(struct numbers *n, u32 number, enum number_use use, u32 core)
{
	struct number *e = make(n, number);

	if (!e)
		return -ENOMEM;
	if (!e->others[use])
		e->others[use] = calloc(1, sizeof(struct core_set));
	if (!e->others[use]) {
		settle(n, e);
		return -ENOMEM;
	}
	e->others[use]->bits[core / 64] |= 1ul << core % 64;
	return 0;
}

void numbers_leave(struct numbers *n, u32 number, enum number_use use, u32 core)
{
	struct number *e = numbers_find(n, number);

	if (!e || !e->others[use])
		return;
	e->others[use]->bits[core / 64] &= ~(1ul << core % 64);
	if (!core_set_is_empty(e->others[use]))
		return;
	free(e->others[use]);
	e->others[use] = NULL;
	settle(n, e);
}

void numbers_core_died(struct numbers *n, u32 core, void (*gone)(u32 number, void *arg), void *arg)
{
	for (u32 i = 0; i < n->nowner; i++) {
		if (n->owner[i] == core + 1)
			n->owner[i] = 0;
	}
	for (u32 i = 0; i < n->nslots; i++) {
		struct number *next;

		for (struct number *e = n->slots[i]; e; e = next) {
			u32 number = e->number;
			bool lived = e->away == core + 1;

			next = e->next;
			if (lived)
				e->away = 0;
			for (u32 use = NUMBER_GROUP; use < NUMBER_USES; use++) {
				struct core_set *set = e->others[use];

				if (!core_set_has(set, core))
					continue;
				set->bits[core / 64] &= ~(1ul << core % 64);
				if (core_set_is_empty(set)) {
					free(set);
					e->others[use] = NULL;
				}
			}
			settle(n, e);
			if (lived)
				gone(number, arg);
		}
	}
}

void numbers_each(const struct numbers *n, void (*fn)(const struct number *e, void *arg), void *arg)
{
	for (u32 i = 0; i < n->nslots; i++) {
		for (const struct number *e = n->slots[i]; e; e = e->next)
			fn(e, arg);
	}
}
