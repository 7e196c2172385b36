/*
 * See farmem.h. First the home's side, then that of the others.
 */
#include "farmem.h"
#include "exec.h"
#include "farpage.h"
#include "vdso.h"

#include <errno.h>
#include <rt/rt.h>
#include <shard/handles.h>
#include <shard/shard.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES 4096u
#define ASK_PAGES      16u /* at a time */

static struct shard_net *net;

/* ---- home: objects that others know ---- */

struct holder {
	struct holder *next;
	u32 core;
	u64 refs;
};

struct lent {
	struct lent *next;
	struct backing *backing; /* a reference */
	u64 id;
	struct holder *holders; /* never none */
};

static struct shard_handles handles; /* of struct lent */
static struct lent *lents;

static struct lent *find_lent(const struct backing *backing)
{
	struct lent *l = lents;

	while (l && l->backing != backing)
		l = l->next;
	return l;
}

static void lent_free(struct lent *l)
{
	struct lent **at = &lents;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	shard_handle_drop(&handles, l->id);
	backing_put(l->backing);
	free(l);
}

static struct lent *lent_new(struct backing *backing)
{
	struct lent *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->id = shard_handle_new(&handles, l);
	if (!l->id) {
		free(l);
		return NULL;
	}
	backing_get(backing);
	l->backing = backing;
	l->next = lents;
	lents = l;
	return l;
}

/* One more reference of @core; @l goes if that fails and nobody else has one. */
static int hold(struct lent *l, u32 core)
{
	struct holder *h = l->holders;

	while (h && h->core != core)
		h = h->next;
	if (!h) {
		h = calloc(1, sizeof(*h));
		if (!h) {
			if (!l->holders)
				lent_free(l);
			return -ENOMEM;
		}
		h->core = core;
		h->next = l->holders;
		l->holders = h;
	}
	h->refs++;
	return 0;
}

static void let_go(struct lent *l, u32 core, u64 refs)
{
	struct holder **at = &l->holders, *h;

	while (*at && (*at)->core != core)
		at = &(*at)->next;
	h = *at;
	if (!h)
		return;
	h->refs -= MIN(h->refs, refs);
	if (h->refs)
		return;
	*at = h->next;
	free(h);
	if (!l->holders)
		lent_free(l);
}

static const struct memory_ref *ref_of(const struct shard_request *r, struct lent **l)
{
	const struct memory_ref *ref = shard_args(r, sizeof(*ref));

	if (!ref || ref->core >= shard_cores(r->net))
		return NULL;
	*l = shard_handle_get(&handles, ref->id);
	return ref;
}

static s64 serve_lend(struct shard_request *r)
{
	struct lent *l;
	const struct memory_ref *ref = ref_of(r, &l);

	if (!ref)
		return -EBADMSG;
	return l ? hold(l, ref->core) : -ESTALE;
}

static s64 serve_return(struct shard_request *r)
{
	struct lent *l;
	const struct memory_ref *ref = ref_of(r, &l);

	if (!ref)
		return -EBADMSG;
	if (l)
		let_go(l, ref->core, ref->count);
	return 0;
}

static s64 serve_path(struct shard_request *r)
{
	struct lent *l;
	const struct memory_ref *ref = ref_of(r, &l);
	char *path;
	s64 n;

	if (!ref)
		return -EBADMSG;
	if (!l || !l->backing->ops->path)
		return -ESTALE;
	path = shard_answer(r, MIN(r->room, PATH_MAX_BYTES));
	if (!path)
		return -ENOMEM;
	n = l->backing->ops->path(l->backing, path, MIN(r->room, PATH_MAX_BYTES));
	return n;
}

/* The pages that are asked for, with a reference each; absent ones are NULL. */
static int get_pages(struct backing *b, const struct memory_ask *ask, struct page **pages)
{
	int err = b->ops->page(b, ask->index, ask->shared, false, &pages[0]);

	if (err)
		return err;
	if (ask->count > 1 && b->ops->pages)
		b->ops->pages(b, ask->index + 1, ask->count - 1, pages + 1);
	for (u32 i = 1; i < ask->count; i++) {
		if (pages[i])
			page_get(pages[i]);
	}
	return 0;
}

/* Lend those that are there. */
static int lend_pages(struct page **pages, u32 n, u32 core, struct page_name *names)
{
	int err = 0;

	for (u32 i = 0; i < n && !err; i++) {
		names[i] = (struct page_name){.core = PAGE_NAME_ABSENT};
		if (!pages[i])
			continue;
		err = page_lend(pages[i], core, &names[i]);
		if (err) {
			names[i] = (struct page_name){.core = PAGE_NAME_ABSENT};
			err = i ? 0 : err;
		}
	}
	return err;
}

static s64 serve_pages(struct shard_request *r)
{
	const struct memory_ask *ask = shard_args(r, sizeof(*ask));
	struct page *pages[MEMORY_ASK_MAX] = {0};
	struct page_name *names;
	struct backing *b;
	struct lent *l;
	int err;

	if (!ask || ask->count < 1 || ask->count > MEMORY_ASK_MAX ||
	    ask->index > UINT64_MAX / PAGE_SIZE - MEMORY_ASK_MAX)
		return -EBADMSG;
	l = shard_handle_get(&handles, ask->id);
	if (!l)
		return -ESTALE;
	b = l->backing;
	backing_get(b);
	names = shard_answer(r, ask->count * (u32)sizeof(*names));
	err = names ? get_pages(b, ask, pages) : -ENOMEM;
	if (!err)
		err = lend_pages(pages, ask->count, r->core, names);
	for (u32 i = 0; i < ask->count; i++) {
		if (pages[i])
			ram_put(pages[i]);
	}
	backing_put(b);
	return err;
}

void farmem_cut(const struct inode *inode, u64 first, u64 last)
{
	for (const struct lent *l = lents; l; l = l->next) {
		const struct file *file = backing_file(l->backing);
		struct memory_cut cut = {l->id, first, last};

		if (!file || file->inode != inode)
			continue;
		for (const struct holder *h = l->holders; h; h = h->next)
			shard_tell(net, h->core, MEMORY_OBJECT_CUT, &cut, sizeof(cut));
	}
}

/* ---- the others: far objects ---- */

struct far_backing {
	struct backing backing;
	struct far_backing *next;
	struct memory_object object;
	struct pagemap pages; /* that have been asked for */
	u64 cuts;             /* how often pages were cut off */
};

static struct far_backing *fars;

static struct far_backing *far_of(struct backing *backing)
{
	return container_of(backing, struct far_backing, backing);
}

static struct far_backing *find_far(u32 core, u64 id)
{
	struct far_backing *f = fars;

	while (f && (f->object.core != core || f->object.id != id))
		f = f->next;
	return f;
}

/* Keep what has come; the first is the one that was asked for. */
static void keep_pages(struct far_backing *f, u64 index, struct page **pages, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		u64 *entry;

		if (!pages[i] || pages[i] == ram_zero)
			continue;
		entry = pagemap_make(&f->pages, (index + i) * PAGE_SIZE);
		if (entry && !*entry)
			pagemap_add(&f->pages, entry, page_get(pages[i]), 0);
	}
}

/* Ask the home. @pages get references; -ESTALE: there was a cut meanwhile, ask again. */
static int ask_pages(struct far_backing *f, u64 index, bool shared, struct page **pages, u32 n)
{
	struct memory_ask ask = {f->object.id, index, n, shared};
	struct page_name names[ASK_PAGES];
	u64 cuts = f->cuts;
	u32 got = 0;
	s64 err = shard_call(net, f->object.core, MEMORY_OBJECT_PAGES, &ask, sizeof(ask), names,
			     n * (u32)sizeof(names[0]), &got);

	if (!err && got != n * sizeof(names[0]))
		err = -EIO;
	for (u32 i = 0; i < n && !err; i++) {
		pages[i] = NULL;
		if (names[i].core == PAGE_NAME_ABSENT)
			continue;
		if (page_borrow(&names[i], &pages[i]) && !i)
			err = -ENOMEM; /* of the others we may have none */
	}
	if (err)
		return err == -ESTALE || err == -EHOSTDOWN ? -EIO : (int)err;
	return cuts == f->cuts && pages[0] ? 0 : -ESTALE;
}

static int far_page(struct backing *backing, u64 index, bool shared, bool nowait, struct page **out)
{
	struct far_backing *f = far_of(backing);
	struct page *pages[ASK_PAGES] = {0};
	int err;

	do {
		const u64 *entry = pagemap_find(&f->pages, index * PAGE_SIZE);

		if (entry && *entry) {
			*out = page_get(entry_page(*entry));
			return 0;
		}
		if (nowait)
			return -EAGAIN;
		memset(pages, 0, sizeof(pages));
		backing_get(backing);
		err = ask_pages(f, index, shared, pages, ASK_PAGES);
		if (!err)
			keep_pages(f, index, pages, ASK_PAGES);
		backing_put(backing);
		for (u32 i = err ? 0 : 1; i < ASK_PAGES; i++) {
			if (pages[i])
				ram_put(pages[i]);
		}
	} while (err == -ESTALE);
	if (!err)
		*out = pages[0];
	return err;
}

static u32 far_pages(struct backing *backing, u64 index, u32 count, struct page **out)
{
	struct far_backing *f = far_of(backing);
	u32 found = 0;

	for (u32 i = 0; i < count; i++) {
		const u64 *entry = pagemap_find(&f->pages, (index + i) * PAGE_SIZE);

		out[i] = entry ? entry_page(*entry) : NULL;
		found += out[i] != NULL;
	}
	return found;
}

static bool far_resident(struct backing *backing, u64 index)
{
	const u64 *entry = pagemap_find(&far_of(backing)->pages, index * PAGE_SIZE);

	return entry && *entry;
}

static void tell_over(const struct memory_object *object, u32 core)
{
	struct memory_ref ref = {object->id, core, 1};

	shard_tell(net, object->core, MEMORY_OBJECT_RETURN, &ref, sizeof(ref));
}

static void far_release(struct backing *backing)
{
	struct far_backing *f = far_of(backing), **at = &fars;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	pagemap_fini(&f->pages);
	tell_over(&f->object, domain_start()->core);
	free(f);
}

static s64 far_path(struct backing *backing, char *out, u64 size)
{
	const struct memory_object *o = &far_of(backing)->object;
	struct memory_ref ref = {o->id, domain_start()->core, 0};
	s64 n;

	backing_get(backing);
	n = shard_call(net, o->core, MEMORY_OBJECT_PATH, &ref, sizeof(ref), out,
		       (u32)MIN(size, PATH_MAX_BYTES), NULL);
	backing_put(backing);
	if (n >= 0 && (u64)n < size)
		out[n] = 0;
	return n >= 0 && (u64)n >= size ? -ENAMETOOLONG : n;
}

static void far_ident(struct backing *backing, u64 *dev, u64 *ino)
{
	const struct memory_object *o = &far_of(backing)->object;

	*dev = o->dev;
	*ino = o->ino;
}

static const struct backing_ops far_ops = {
	.page = far_page,
	.pages = far_pages,
	.resident = far_resident,
	.release = far_release,
	.path = far_path,
	.ident = far_ident,
};

static const struct backing_ops far_ops_nameless = {
	.page = far_page,
	.pages = far_pages,
	.resident = far_resident,
	.release = far_release,
};

static bool is_far(const struct backing *b)
{
	return b->ops == &far_ops || b->ops == &far_ops_nameless;
}

static s64 serve_cut(struct shard_request *r)
{
	const struct memory_cut *cut = shard_args(r, sizeof(*cut));
	struct far_backing *f = cut ? find_far(r->core, cut->id) : NULL;

	if (!cut || cut->first > cut->last)
		return -EBADMSG;
	if (!f)
		return 0;
	f->cuts++;
	pagemap_drop(&f->pages, MIN(cut->first, UINT64_MAX / PAGE_SIZE - 1) * PAGE_SIZE,
		     MIN(cut->last + 1, UINT64_MAX / PAGE_SIZE) * PAGE_SIZE);
	for (struct process *p = process_from(0); p; p = p->list_next) {
		for (u32 i = 0; p->mm && i < p->mm->vmas.count; i++) {
			if (p->mm->vmas.list[i].object == &f->backing)
				mm_drop_part(p->mm, &p->mm->vmas.list[i], cut->first, cut->last);
		}
	}
	return 0;
}

/* ---- there and back ---- */

int backing_export(struct backing *b, u32 core, struct memory_object *out)
{
	struct lent *l;
	int err;

	*out = (struct memory_object){0};
	if (vdso_which(b) >= 0) {
		*out = (struct memory_object){.kind = MEMORY_KIND_VDSO, .id = (u64)vdso_which(b)};
		return 0;
	}
	if (is_far(b)) {
		struct memory_ref ref = {far_of(b)->object.id, core, 1};

		*out = far_of(b)->object;
		if (out->core == core)
			return 0;
		return (int)shard_call(net, out->core, MEMORY_OBJECT_LEND, &ref, sizeof(ref), NULL,
				       0, NULL);
	}
	l = find_lent(b);
	if (!l)
		l = lent_new(b);
	err = l ? hold(l, core) : -ENOMEM;
	if (err)
		return err;
	out->id = l->id;
	out->core = domain_start()->core;
	out->kind = b->ops->path ? MEMORY_KIND_FAR : MEMORY_KIND_ANON;
	if (b->ops->ident)
		b->ops->ident(b, &out->dev, &out->ino);
	return 0;
}

void backing_unexport(const struct memory_object *o, u32 core)
{
	struct lent *l;

	if (o->kind != MEMORY_KIND_FAR && o->kind != MEMORY_KIND_ANON)
		return;
	if (o->core != domain_start()->core) {
		if (o->core != core)
			tell_over(o, core);
		return;
	}
	l = shard_handle_get(&handles, o->id);
	if (l && core != o->core)
		let_go(l, core, 1);
}

static struct backing *far_new(const struct memory_object *o)
{
	struct far_backing *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->backing.ops = o->kind == MEMORY_KIND_FAR ? &far_ops : &far_ops_nameless;
	f->backing.refs = 1;
	f->object = *o;
	f->next = fars;
	fars = f;
	return &f->backing;
}

int backing_import(const struct memory_object *o, struct backing **out)
{
	struct far_backing *f;
	struct lent *l;

	*out = NULL;
	if (o->kind == MEMORY_KIND_VDSO) {
		*out = vdso_backing((u32)o->id);
		if (*out)
			backing_get(*out);
		return *out ? 0 : -EBADMSG;
	}
	if ((o->kind != MEMORY_KIND_FAR && o->kind != MEMORY_KIND_ANON) ||
	    o->core >= shard_cores(net))
		return -EBADMSG;
	if (o->core == domain_start()->core) {
		l = shard_handle_get(&handles, o->id);
		if (!l)
			return -EBADMSG;
		backing_get(l->backing);
		*out = l->backing;
		return 0;
	}
	f = find_far(o->core, o->id);
	if (f) {
		tell_over(o, domain_start()->core); /* one reference is enough */
		backing_get(&f->backing);
		*out = &f->backing;
		return 0;
	}
	*out = far_new(o);
	if (!*out)
		tell_over(o, domain_start()->core);
	return *out ? 0 : -ENOMEM;
}

static void core_died(struct shard_net *of, u32 core, void *arg)
{
	struct lent *next;

	(void)of;
	(void)arg;
	for (struct lent *l = lents; l; l = next) {
		next = l->next;
		let_go(l, core, UINT64_MAX);
	}
}

int farmem_init(struct shard_net *shard_net)
{
	static const struct {
		u16 op;
		shard_handler *handler;
	} served[] = {
		{MEMORY_OBJECT_PAGES, serve_pages},   {MEMORY_OBJECT_LEND, serve_lend},
		{MEMORY_OBJECT_RETURN, serve_return}, {MEMORY_OBJECT_CUT, serve_cut},
		{MEMORY_OBJECT_PATH, serve_path},
	};
	int err = 0;

	net = shard_net;
	for (u32 i = 0; i < ARRAY_SIZE(served) && !err; i++)
		err = shard_serve(net, served[i].op, served[i].handler, NULL);
	return err ? err : shard_on_death(net, core_died, NULL);
}
