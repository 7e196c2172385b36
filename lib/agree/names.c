/*
 * Names: see names.h.
 *
 * The directory is a list, in the order of registration. An entry's memory is set aside before
 * the change that needs it is made, so a replica that lacks it leaves instead of failing.
 *
 * Runs in: the monitor, and host programs.
 */
#include <errno.h>

#include <agree/names.h>

#define NAMES_ROOT AGREE_ID(0, 1)

#define NAMES_ADD  1u
#define NAMES_DROP 2u

struct names_op {
	u32 what; /* NAMES_* */
	u32 reserved;
	char name[NAME_MAX_BYTES];
	struct name_value value;
};

struct entry {
	struct entry *next;
	u32 owner;
	char name[NAME_MAX_BYTES];
	struct name_value value;
};

struct directory {
	struct agree_memory *memory;
	struct entry *first, **end;
	struct entry *spare; /* set aside by reserve */
	u32 count;
};

/* As in a snapshot. */
struct record {
	u32 owner;
	u32 reserved;
	char name[NAME_MAX_BYTES];
	struct name_value value;
};

/* The type. */

static void *directory_create(void *ctx, u64 id, const void *arg)
{
	struct agree_memory *memory = ctx;
	struct directory *d = memory->alloc(memory->ctx, sizeof(*d));

	(void)id;
	(void)arg;
	if (!d)
		return NULL;
	d->memory = memory;
	d->end = &d->first;
	return d;
}

static void free_list(struct directory *d, struct entry *e)
{
	while (e) {
		struct entry *next = e->next;

		d->memory->free(d->memory->ctx, e, sizeof(*e));
		e = next;
	}
}

static void directory_destroy(void *state)
{
	struct directory *d = state;

	free_list(d, d->first);
	free_list(d, d->spare);
	d->memory->free(d->memory->ctx, d, sizeof(*d));
}

static struct entry *find(const struct directory *d, const char *name)
{
	struct entry *e = d->first;

	while (e && strncmp(e->name, name, NAME_MAX_BYTES))
		e = e->next;
	return e;
}

/* Read @op. False if it makes no sense. */
static bool decode(const struct agree_op *op, struct names_op *n)
{
	if (op->len != sizeof(*n))
		return false;
	memcpy(n, op->data, sizeof(*n));
	return (n->what == NAMES_ADD || n->what == NAMES_DROP) && n->name[0] &&
	       memchr(n->name, 0, sizeof(n->name));
}

static int directory_check(const void *state, const struct agree_op *op)
{
	const struct directory *d = state;
	struct names_op n;
	struct entry *e;

	if (!decode(op, &n))
		return -EINVAL;
	e = find(d, n.name);
	if (n.what == NAMES_DROP)
		return !e ? -ENOENT : e->owner != op->origin ? -EPERM : 0;
	if (e)
		return -EEXIST;
	return d->count >= NAMES_MAX ? -ENOSPC : 0;
}

static int directory_reserve(void *state, const struct agree_op *op)
{
	struct directory *d = state;
	struct names_op n;
	struct entry *e;

	if (!decode(op, &n) || n.what != NAMES_ADD)
		return 0;
	e = d->memory->alloc(d->memory->ctx, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->next = d->spare;
	d->spare = e;
	return 0;
}

static void directory_release(void *state, const struct agree_op *op)
{
	struct directory *d = state;
	struct entry *e = d->spare;
	struct names_op n;

	if (!decode(op, &n) || n.what != NAMES_ADD || !e)
		return;
	d->spare = e->next;
	d->memory->free(d->memory->ctx, e, sizeof(*e));
}

static void append(struct directory *d, struct entry *e)
{
	e->next = NULL;
	*d->end = e;
	d->end = &e->next;
	d->count++;
}

static void drop(struct directory *d, struct entry **at)
{
	struct entry *e = *at;

	*at = e->next;
	if (!e->next)
		d->end = at;
	d->count--;
	d->memory->free(d->memory->ctx, e, sizeof(*e));
}

static void directory_perform(void *state, const struct agree_op *op)
{
	struct directory *d = state;
	struct entry **at = &d->first, *e = d->spare;
	struct names_op n;

	if (!decode(op, &n))
		return;
	if (n.what == NAMES_ADD && e) {
		d->spare = e->next;
		e->owner = op->origin;
		memcpy(e->name, n.name, sizeof(e->name));
		e->value = n.value;
		append(d, e);
		return;
	}
	while (*at && strncmp((*at)->name, n.name, NAME_MAX_BYTES))
		at = &(*at)->next;
	if (*at)
		drop(d, at);
}

static void directory_member_died(void *state, u32 core, const struct core_set *members)
{
	struct directory *d = state;
	struct entry **at = &d->first;

	(void)members;
	while (*at) {
		if ((*at)->owner == core)
			drop(d, at);
		else
			at = &(*at)->next;
	}
}

static u32 directory_snapshot(const void *state, u64 *cursor, void *buf, u32 cap)
{
	const struct directory *d = state;
	struct entry *e = d->first;
	u32 len = 0;

	for (u64 i = 0; e && i < *cursor; i++)
		e = e->next;
	for (; e && len + sizeof(struct record) <= cap; e = e->next, (*cursor)++) {
		struct record r = {.owner = e->owner, .value = e->value};

		memcpy(r.name, e->name, sizeof(r.name));
		memcpy((u8 *)buf + len, &r, sizeof(r));
		len += sizeof(r);
	}
	return len;
}

static int directory_install(void *state, const void *record, u32 len)
{
	struct directory *d = state;
	struct record r;

	if (len % sizeof(r))
		return -EINVAL;
	for (u32 at = 0; at < len; at += sizeof(r)) {
		struct entry *e = d->memory->alloc(d->memory->ctx, sizeof(*e));

		if (!e)
			return -ENOMEM;
		memcpy(&r, (const u8 *)record + at, sizeof(r));
		e->owner = r.owner;
		e->value = r.value;
		memcpy(e->name, r.name, sizeof(e->name));
		append(d, e);
	}
	return 0;
}

const struct agree_type names_type = {
	.name = "names",
	.create = directory_create,
	.destroy = directory_destroy,
	.check = directory_check,
	.reserve = directory_reserve,
	.release = directory_release,
	.perform = directory_perform,
	.snapshot = directory_snapshot,
	.install = directory_install,
	.member_died = directory_member_died,
};

/* The service. */

/* A request that waits for a replica of the directory, or for a change of it. */
struct names_request {
	struct names_request *next;
	struct names *names;
	u64 token;
	bool changes; /* there is an operation to make when it has come */
	struct names_op op;
};

static u32 heir(const struct agree *a, u64 id)
{
	(void)id;
	return agree_leader(a);
}

int names_init(struct names *n, struct agree *a, u32 type)
{
	n->agree = a;
	n->root = (struct agree_wellknown){.id = NAMES_ROOT, .type = type, .heir = heir};
	return agree_wellknown(a, &n->root);
}

static void request_free(struct names *n, struct names_request *w)
{
	struct names_request **at = &n->requests;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	agree_free(n->agree, w, sizeof(*w));
}

void names_fini(struct names *n)
{
	while (n->requests)
		request_free(n, n->requests);
}

static void finish(struct agree *a, void *arg, s64 status)
{
	struct names_request *w = arg;
	struct agree_out o = {.kind = AGREE_OUT_RESULT,
			      .core = (u16)agree_self(a),
			      .token = w->token,
			      .status = status};

	agree_out_add(a, &o);
	request_free(w->names, w);
}

/* There is a replica of the directory now, or there will be none. */
static void opened(struct agree *a, void *arg, s64 status)
{
	struct names_request *w = arg;

	if (status == -EEXIST)
		status = 0;
	if (!status && w->changes) {
		status = agree_change_call(a, NAMES_ROOT, &w->op, sizeof(w->op), finish, w);
		if (!status)
			return;
	}
	finish(a, w, status);
}

/* Take @op up, or just get a replica if it is NULL. */
static int begin(struct names *n, const struct names_op *op, u64 token)
{
	struct agree *a = n->agree;
	struct names_request *w = agree_alloc(a, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->names = n;
	w->next = n->requests;
	n->requests = w;
	w->token = token;
	w->changes = op != NULL;
	if (op)
		w->op = *op;
	if (op && agree_state(a, NAMES_ROOT))
		err = agree_change_call(a, NAMES_ROOT, op, sizeof(*op), finish, w);
	else
		err = agree_share_call(a, NAMES_ROOT, opened, w);
	if (err)
		request_free(n, w);
	return err;
}

static int make_op(struct names_op *op, u32 what, const char *name)
{
	size_t len = strnlen(name, NAME_MAX_BYTES);

	if (len == 0 || len == NAME_MAX_BYTES)
		return -EINVAL;
	memset(op, 0, sizeof(*op));
	op->what = what;
	memcpy(op->name, name, len);
	return 0;
}

int names_register(struct names *n, const char *name, const struct name_value *v, u64 token)
{
	struct names_op op;
	int err = make_op(&op, NAMES_ADD, name);

	op.value = *v;
	return err ? err : begin(n, &op, token);
}

int names_unregister(struct names *n, const char *name, u64 token)
{
	struct names_op op;
	int err = make_op(&op, NAMES_DROP, name);

	return err ? err : begin(n, &op, token);
}

int names_lookup(struct names *n, const char *name, struct name_value *v, u32 *owner, u64 token)
{
	const struct directory *d = agree_state(n->agree, NAMES_ROOT);
	struct entry *e;
	int err;

	if (!d) {
		err = begin(n, NULL, token);
		return err ? err : -EINPROGRESS;
	}
	e = find(d, name);
	if (!e)
		return -ENOENT;
	*v = e->value;
	*owner = e->owner;
	return 0;
}
