/* See agreed.h. */
#include "agreed.h"
#include "agreement.h"
#include "cmdline.h"
#include "export.h"
#include "lend.h"
#include "monitor.h"
#include "timer.h"
#include <agree/map.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_NS 10000000ul /* of dropping names, after want of memory */

/* A request whose answer takes other cores. */
struct asked {
	struct agreement_request request;
	struct asked *next;
	u32 number;
	u32 owner; /* number of the program; 0: it is gone */
	bool done;
	struct owned_name *name; /* that will be the owner's if all goes well */
	struct notice notice;
};

struct owned_name {
	struct agreement_request request; /* to drop it */
	struct owned_name *next;
	u32 owner; /* 0: to be dropped */
	bool dropping;
	char name[NAME_MAX_BYTES];
};

static struct asked *asked;
static struct owned_name *owned;
static u32 last_number;
static struct timer retry_timer;

/* ---- names of programs that end ---- */

static void forget_name(struct owned_name *n)
{
	struct owned_name **at = &owned;

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	free(n);
}

static void drop_names(struct timer *timer);

static void dropped(struct agreement_request *request, s64 status)
{
	struct owned_name *n = container_of(request, struct owned_name, request);

	n->dropping = false;
	if (status == -ENOMEM)
		timer_start(&retry_timer, RETRY_NS, drop_names);
	else
		forget_name(n);
}

static void drop_names(struct timer *timer)
{
	(void)timer;
	for (struct owned_name *n = owned; n; n = n->next) {
		if (n->owner || n->dropping)
			continue;
		n->request.done = dropped;
		if (names_unregister(&agreement_names, n->name, agreement_token(&n->request)))
			timer_start(&retry_timer, RETRY_NS, drop_names);
		else
			n->dropping = true;
	}
}

static struct owned_name *find_name(u32 owner, const char *name)
{
	struct owned_name *n = owned;

	while (n && (n->owner != owner || strcmp(n->name, name) != 0))
		n = n->next;
	return n;
}

/* ---- requests under way ---- */

static void take_out(struct asked *a)
{
	struct asked **at = &asked;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	free(a);
}

/* Those whose notice has been taken, or whose owner is gone. */
static void forget_answered(void)
{
	struct asked *next;

	for (struct asked *a = asked; a; a = next) {
		next = a->next;
		if (a->done && !a->notice.queued)
			take_out(a);
	}
}

static void answered(struct agreement_request *request, s64 status)
{
	struct asked *a = container_of(request, struct asked, request);
	struct program *owner = program_by_number(a->owner);

	a->done = true;
	if (a->name && status == 0) {
		a->name->owner = a->owner;
		a->name->next = owned;
		owned = a->name;
		if (!a->owner) /* it ended meanwhile */
			drop_names(NULL);
	} else {
		free(a->name);
	}
	a->notice.what = NOTICE_AGREED;
	a->notice.object = a->number;
	a->notice.a = (u64)status;
	if (owner)
		program_notify(owner, &a->notice);
}

static struct asked *new_asked(const struct program *owner)
{
	struct asked *a;

	forget_answered();
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->request.done = answered;
	a->number = ++last_number & 0x7fffffff;
	a->owner = owner->number;
	a->next = asked;
	asked = a;
	return a;
}

/* The library has taken the request (0), or refused it. Returns the answer's w0. */
static s64 began(struct asked *a, s64 err)
{
	if (!err)
		return a->number;
	free(a->name);
	take_out(a);
	return err;
}

void agreed_program_died(struct program *owner)
{
	for (struct asked *a = asked; a; a = a->next) {
		if (a->owner != owner->number)
			continue;
		a->owner = 0;
		a->notice.queued = false;
	}
	for (struct owned_name *n = owned; n; n = n->next)
		if (n->owner == owner->number)
			n->owner = 0;
	drop_names(NULL);
}

/* ---- names ---- */

static s64 register_name(struct program *from, const u64 *w, const char *name)
{
	struct name_value value = {{w[1], w[2]}};
	struct asked *a;

	if (!memchr(name, 0, NAME_MAX_BYTES))
		return -EINVAL;
	a = new_asked(from);
	if (!a)
		return -ENOMEM;
	a->name = calloc(1, sizeof(*a->name));
	if (!a->name)
		return began(a, -ENOMEM);
	strcpy(a->name->name, name);
	return began(a,
		     names_register(&agreement_names, name, &value, agreement_token(&a->request)));
}

static s64 unregister_name(struct program *from, const char *name)
{
	struct owned_name *n =
		memchr(name, 0, NAME_MAX_BYTES) ? find_name(from->number, name) : NULL;

	if (!n)
		return -ENOENT;
	n->owner = 0;
	drop_names(NULL);
	return 0;
}

static s64 look_up_name(struct program *from, u64 *w, const char *name)
{
	struct name_value value;
	struct asked *a;
	u32 owner;
	int err;

	if (!memchr(name, 0, NAME_MAX_BYTES))
		return -EINVAL;
	a = new_asked(from);
	if (!a)
		return -ENOMEM;
	err = names_lookup(&agreement_names, name, &value, &owner, agreement_token(&a->request));
	if (err == -EINPROGRESS)
		return a->number;
	take_out(a);
	if (err)
		return err;
	w[1] = value.word[0];
	w[2] = value.word[1];
	w[3] = owner;
	return 0;
}

/* ---- memory ---- */

static s64 borrow(struct program *from, const u64 *w)
{
	struct asked *a = new_asked(from);

	return a ? began(a, lend_borrow(w[1], &a->request)) : -ENOMEM;
}

static s64 import(struct program *from, const u64 *w)
{
	struct agree_range range = {w[2], w[3]};
	struct asked *a = new_asked(from);

	return a ? began(a, import_new(from, a->number, (u32)MIN(w[1], UINT32_MAX), &range,
				       &a->request))
		 : -ENOMEM;
}

static s64 revoke(struct program *from, const u64 *w)
{
	struct asked *a = new_asked(from);

	return a ? began(a, export_revoke(from, w[1], &a->request)) : -ENOMEM;
}

/* ---- objects, for tests ---- */

static s64 read_object(u64 *w)
{
	const void *state = agree_state(agreement, w[2]);

	if (!state)
		return -ENOENT;
	if (w[3] >= MAP_SLOTS)
		return -EINVAL;
	w[1] = map_get(state, (u32)w[3]);
	return 0;
}

static s64 tell_of_object(u64 *w)
{
	struct agree_info info;
	int err = agree_info(agreement, w[2], &info);

	if (err)
		return err;
	w[1] = info.seq;
	w[2] = info.home;
	w[3] = info.members;
	w[4] = info.exclusive;
	return 0;
}

static struct map_op set_key(u64 key, u64 value)
{
	return (struct map_op){.key = (u32)MIN(key, MAP_SLOTS), .value = value};
}

/* Set one key of several maps to one value, in all of them or in none. */
static int change_all(const struct mon_parts *what, u64 token)
{
	struct mon_parts parts = *what;
	struct map_op op = set_key(parts.key, parts.value);
	struct agree_part part[MON_PARTS];

	if (parts.count > MON_PARTS)
		return -EINVAL;
	for (u32 i = 0; i < parts.count; i++)
		part[i] = (struct agree_part){parts.object[i], &op, sizeof(op)};
	return agree_txn(agreement, part, parts.count, token);
}

static s64 serve_object(struct program *from, u64 *w, const void *page)
{
	u64 what = w[1], id = w[2];
	struct map_op op = set_key(w[3], w[4]);
	struct asked *a;
	u64 token;

	if (!cmdline_number("faults", 0))
		return -EPERM;
	if (what == OBJECT_CREATE)
		return agree_create(agreement, AGREEMENT_MAP, NULL, &w[1]);
	if (what == OBJECT_READ)
		return read_object(w);
	if (what == OBJECT_INFO)
		return tell_of_object(w);
	a = new_asked(from);
	if (!a)
		return -ENOMEM;
	token = agreement_token(&a->request);
	switch (what) {
	case OBJECT_SHARE:
		return began(a, agree_share(agreement, id, token));
	case OBJECT_CHANGE:
		return began(a, agree_change(agreement, id, &op, sizeof(op), token));
	case OBJECT_LEAVE:
		return began(a, agree_leave(agreement, id, token));
	case OBJECT_DESTROY:
		return began(a, agree_destroy(agreement, id, token));
	case OBJECT_CHANGE_ALL:
		return began(a, change_all(page, token));
	default:
		return began(a, -EINVAL);
	}
}

/* ---- all of them ---- */

static s64 serve_live(u64 *w)
{
	if (w[1] >= self.ncores)
		return -EINVAL;
	w[1] = !core_set_has(agree_dead(agreement), (u32)w[1]);
	w[2] = agree_epoch(agreement);
	return (s64)w[1];
}

s64 agreed_serve(struct program *from, u64 *w, const void *page)
{
	switch (w[0]) {
	case MON_NAME_REGISTER:
		return register_name(from, w, page);
	case MON_NAME_UNREGISTER:
		return unregister_name(from, page);
	case MON_NAME_LOOKUP:
		return look_up_name(from, w, page);
	case MON_BORROW:
		return borrow(from, w);
	case MON_IMPORT:
		return import(from, w);
	case MON_REVOKE:
		return revoke(from, w);
	case MON_OBJECT:
		return serve_object(from, w, page);
	default:
		return serve_live(w);
	}
}
