/* See export.h. */
#include "export.h"
#include "lend.h"
#include "monitor.h"
#include "timer.h"
#include <memown/memown.h>
#include <rt/slots.h>
#include <stdlib.h>

#define RETRY_NS     10000000ul
#define OWNER_EXPORT (PROGRAMS_MAX + 2) /* in mem.h, of frames whose program has died */

struct export
{
	struct export *next;
	u32 owner; /* number of the program; 0: it has died */
	cap_t block;
	u64 base, bytes;
	bool revoking;
	struct agreement_request request;
	struct agreement_request *then;
};

struct import {
	struct import *next;
	u32 owner; /* 0: it has died */
	u32 number;
	u32 core;
	struct agree_range range;
	cap_t frame; /* CAP_NONE: asked for, or taken back */
	bool answered;
	struct agreement_request request;
	struct agreement_request *then;
};

static struct export *exports;
static struct import *imports;
static struct timer retry_timer;

static void clean_up(struct timer *timer);

/* ---- exports ---- */

static struct export *find_export(u64 handle)
{
	struct export *e = exports;

	while (e && e->block != handle)
		e = e->next;
	return e;
}

bool export_holds(u64 handle)
{
	return find_export(handle) != NULL;
}

int export_new(const struct program *owner, u64 handle, u64 *base, u64 *bytes)
{
	struct cap_info info;
	struct export *e;

	if (!mem_is_owned(handle, owner->number) || handle == owner->block ||
	    sys_cap_info((cap_t)handle, &info))
		return -EINVAL;
	if (find_export(handle))
		return -EALREADY;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->owner = owner->number;
	e->block = (cap_t)handle;
	e->base = *base = info.base;
	e->bytes = *bytes = mem_bytes(e->block);
	e->next = exports;
	exports = e;
	return 0;
}

bool export_may_map(u64 base, u64 bytes)
{
	const struct export *e = exports;

	while (e && (e->base != base || e->bytes != bytes))
		e = e->next;
	return e && !e->revoking;
}

static void revoked(struct agreement_request *request, s64 status)
{
	struct export *e = container_of(request, struct export, request), **at = &exports;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	if (e->owner == 0)
		mem_put(e->block);
	if (e->then)
		e->then->done(e->then, status);
	free(e);
}

static int revoke(struct export *e, struct agreement_request *then)
{
	int err;

	e->request.done = revoked;
	e->revoking = true;
	err = memown_revoke(&lend_memown, e->base, e->bytes, agreement_token(&e->request));
	if (err)
		e->revoking = false;
	else
		e->then = then;
	return err;
}

int export_revoke(const struct program *owner, u64 handle, struct agreement_request *then)
{
	struct export *e = find_export(handle);

	if (!e || e->owner != owner->number)
		return -EINVAL;
	return e->revoking ? -EALREADY : revoke(e, then);
}

/* ---- imports ---- */

static void free_import(struct import *i)
{
	struct import **at = &imports;

	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	slot_drop(i->frame); /* and every mapping of it */
	free(i);
}

void export_unmap(const struct agree_range *range)
{
	for (struct import *i = imports; i; i = i->next) {
		if (i->range.base >= range->base + range->bytes ||
		    range->base >= i->range.base + i->range.bytes)
			continue;
		while (i->frame != CAP_NONE && sys_cap_revoke(i->frame) == -EAGAIN)
			;
		slot_drop(i->frame);
		i->frame = CAP_NONE;
	}
}

/* The owner's monitor has recorded this core, or refused. */
static void recorded(struct agreement_request *request, s64 status)
{
	struct import *i = container_of(request, struct import, request);
	const struct agree_range *r = &i->range;

	i->answered = true;
	if (status == 0) {
		i->frame = slot_new();
		if (i->frame == CAP_NONE ||
		    sys_frame_mint(SLOT_PHYS, r->base, r->bytes, i->frame)) {
			slot_put(i->frame);
			i->frame = CAP_NONE;
			memown_drop(&lend_memown, i->core, r->base, r->bytes);
			status = -ENOMEM;
		}
	}
	i->then->done(i->then, status);
	if (status)
		free_import(i);
	else if (!i->owner)
		clean_up(NULL); /* its program has died */
}

int import_new(const struct program *owner, u32 number, u32 core, const struct agree_range *range,
	       struct agreement_request *then)
{
	struct import *i;
	int err;

	if (range->base % PAGE_SIZE || range->bytes % PAGE_SIZE)
		return -EINVAL;
	i = calloc(1, sizeof(*i));
	if (!i)
		return -ENOMEM;
	i->owner = owner->number;
	i->number = number;
	i->core = core;
	i->range = *range;
	i->request.done = recorded;
	i->then = then;
	i->next = imports;
	imports = i;
	err = memown_map(&lend_memown, core, range->base, range->bytes,
			 agreement_token(&i->request));
	if (err)
		free_import(i);
	return err;
}

cap_t import_frame(const struct program *owner, u32 number)
{
	const struct import *i = imports;

	while (i && (i->owner != owner->number || i->number != number))
		i = i->next;
	return i ? i->frame : CAP_NONE;
}

/* ---- programs that die ---- */

/* Let go of what nobody owns any more, as far as there is room for the messages. */
static void clean_up(struct timer *timer)
{
	bool again = false;
	struct import *next;

	(void)timer;
	for (struct import *i = imports; i; i = next) {
		next = i->next;
		if (i->owner || !i->answered)
			continue;
		slot_drop(i->frame);
		i->frame = CAP_NONE;
		if (memown_drop(&lend_memown, i->core, i->range.base, i->range.bytes) == -EAGAIN)
			again = true;
		else
			free_import(i);
	}
	for (struct export *e = exports; e; e = e->next)
		if (!e->owner && !e->revoking && revoke(e, NULL))
			again = true;
	if (again)
		timer_start(&retry_timer, RETRY_NS, clean_up);
}

void export_program_died(const struct program *owner)
{
	for (struct import *i = imports; i; i = i->next)
		if (i->owner == owner->number)
			i->owner = 0;
	for (struct export *e = exports; e; e = e->next) {
		if (e->owner != owner->number)
			continue;
		e->owner = 0;
		mem_hand_over(e->block, OWNER_EXPORT);
	}
	clean_up(NULL);
}
