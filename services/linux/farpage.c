/*
 * See farpage.h. In the order of a page's way: lent, lent on, borrowed, returned; then death.
 */
#include "farpage.h"
#include "chunk.h"

#include <rt/agreed.h>
#include <rt/rt.h>
#include <shard/shard.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_BITS    63ul /* of a name's frame: the logarithm of its bytes */
#define RETURNS_MANY 256u /* that are not collected any longer */
#define RETURN_NS    5000000ul
#define CHUNK_LISTS  64u

/* Of one chunk of ours, to one core. */
struct loans {
	struct loans *next;
	u32 core;
	u32 count[]; /* by page */
};

/* A chunk of another core. */
struct far_chunk {
	struct far_chunk *next;
	u64 frame; /* as in names */
	u32 core;
	bool ready;                 /* it is mapped */
	struct fiber_queue waiting; /* for that */
	cap_t cap;
	struct chunk *chunk;
	struct ram_page *page[]; /* those that are borrowed */
};

static struct shard_net *net;
static struct far_chunk *far_chunks[CHUNK_LISTS]; /* by core */
static struct ram_page *returns;                  /* that the homes have not been told of */
static u32 nreturns;
static struct fiber_queue returner;
static u64 nlent, nborrowed;

u64 farpage_lent(void)
{
	return nlent;
}

u64 farpage_borrowed(void)
{
	return nborrowed;
}

/* ---- names ---- */

static u64 frame_bytes(u64 frame)
{
	return 1ul << (frame & SIZE_BITS);
}

static u32 number_of(const struct ram_page *p)
{
	return (u32)((u64)((u8 *)p->page.data - p->chunk->base) / PAGE_SIZE);
}

static struct ram_page *ram_page(const struct page *page)
{
	return container_of((struct page *)(uintptr_t)page, struct ram_page, page);
}

void page_identity(const struct page *page, struct page_name *name)
{
	const struct ram_page *p = ram_page(page);
	const struct chunk *c = p->chunk;

	if (page == ram_zero)
		*name = (struct page_name){.core = PAGE_NAME_ZERO};
	else if (c->far)
		*name = (struct page_name){c->far->frame, c->far->core, number_of(p)};
	else
		*name = (struct page_name){c->address | (u64)__builtin_ctzl(c->frame.bytes),
					   domain_start()->core, number_of(p)};
}

/* The page of ours with that name, if it is in use. */
static struct ram_page *own_page(const struct page_name *name)
{
	struct chunk *c = chunks;

	while (c && (c->address | (u64)__builtin_ctzl(c->frame.bytes)) != name->frame)
		c = c->next;
	if (!c || name->number < c->npages - c->nusable || name->number >= c->npages)
		return NULL;
	return c->pages[name->number].page.refs ? &c->pages[name->number] : NULL;
}

struct page *page_of_name(const struct page_name *name)
{
	struct ram_page *p = own_page(name);

	return p ? &p->page : NULL;
}

/* ---- home: lending ---- */

static struct loans *find_loans(const struct chunk *c, u32 core)
{
	struct loans *l = c->loans;

	while (l && l->core != core)
		l = l->next;
	return l;
}

static struct loans *make_loans(struct chunk *c, u32 core)
{
	struct loans *l = find_loans(c, core);

	if (l)
		return l;
	if (!c->address && rt_frame_export(&c->frame, &c->address))
		return NULL;
	l = calloc(1, sizeof(*l) + c->npages * sizeof(l->count[0]));
	if (!l)
		return NULL;
	l->core = core;
	l->next = c->loans;
	c->loans = l;
	return l;
}

static int lend_own(struct ram_page *p, u32 core, struct page_name *name)
{
	struct loans *l = make_loans(p->chunk, core);

	if (!l)
		return -ENOMEM;
	l->count[number_of(p)]++;
	page_get(&p->page);
	nlent++;
	page_identity(&p->page, name);
	return 0;
}

/* A loan to @core is over. What was no loan changes nothing. */
static void loan_over(const struct page_name *name, u32 core)
{
	struct ram_page *p = own_page(name);
	struct loans *l = p ? find_loans(p->chunk, core) : NULL;

	if (!l || !l->count[name->number])
		return;
	l->count[name->number]--;
	nlent--;
	ram_put(&p->page);
}

/* Tell a home that loans to @core are over. -ENOMEM: it was not told. */
static int tell_over(u32 home, const struct page_name *names, u32 n, u32 core)
{
	u32 bytes = sizeof(struct memory_pages) + n * (u32)sizeof(*names);
	struct memory_pages *m = malloc(bytes);
	int err = m ? 0 : -ENOMEM;

	if (m) {
		m->core = core;
		m->count = n;
		memcpy(m->page, names, n * sizeof(*names));
		err = shard_tell(net, home, MEMORY_RETURN, m, bytes);
	}
	free(m);
	return err;
}

/* The length of what begins @names and has the same home. */
static u32 same_home(const struct page_name *names, u32 n)
{
	u32 i = 1;

	while (i < n && i < MEMORY_PAGES_MAX && names[i].core == names[0].core)
		i++;
	return i;
}

void pages_unlend(const struct page_name *names, u32 n, u32 core)
{
	u32 self = domain_start()->core;

	for (u32 i = 0; i < n;) {
		u32 home = names[i].core, some = same_home(names + i, n - i);

		if (home == self) {
			for (u32 k = i; k < i + some; k++)
				loan_over(&names[k], core);
		} else if (home != PAGE_NAME_ZERO && home != core) {
			tell_over(home, names + i, some, core);
		}
		i += some;
	}
}

/* ---- lending, lending on ---- */

/* Far pages of one home, whose names are complete: have them lent to @core. */
static int lend_on(const struct page_name *names, u32 n, u32 core)
{
	struct memory_pages head = {.core = core, .count = n};
	struct shard_in in[] = {{&head, sizeof(head)}, {names, n * (u32)sizeof(*names)}};
	struct shard_parts parts = {.in = in, .nin = ARRAY_SIZE(in)};

	return (int)shard_call_parts(net, names[0].core, MEMORY_LEND, &parts);
}

int pages_lend(struct page *const *pages, u32 n, u32 core, struct page_name *names)
{
	u32 self = domain_start()->core, lent = 0;
	int err = 0;

	for (u32 i = 0; i < n; i++)
		page_identity(pages[i], &names[i]);
	while (lent < n && !err) {
		u32 home = names[lent].core, some = same_home(names + lent, n - lent);

		if (home == self) {
			some = 1;
			err = lend_own(ram_page(pages[lent]), core, &names[lent]);
		} else if (home != PAGE_NAME_ZERO && home != core) {
			err = lend_on(names + lent, some, core);
		}
		if (!err)
			lent += some;
	}
	if (err)
		pages_unlend(names, lent, core);
	return err;
}

int page_lend(struct page *page, u32 core, struct page_name *name)
{
	return pages_lend(&page, 1, core, name);
}

static const struct memory_pages *pages_of(const struct shard_request *r)
{
	const struct memory_pages *m = shard_args(r, sizeof(*m));

	if (!m || m->count > MEMORY_PAGES_MAX || m->core >= shard_cores(r->net) ||
	    r->bytes != sizeof(*m) + m->count * sizeof(m->page[0]))
		return NULL;
	return m;
}

/* Only what the one who asks has borrowed itself. */
static s64 serve_lend(struct shard_request *r)
{
	const struct memory_pages *m = pages_of(r);
	struct page_name name;
	int err = m ? 0 : -EBADMSG;

	for (u32 i = 0; !err && i < m->count; i++) {
		struct ram_page *p = own_page(&m->page[i]);
		const struct loans *l = p ? find_loans(p->chunk, r->core) : NULL;

		if (l && m->page[i].core == domain_start()->core && l->count[m->page[i].number])
			err = lend_own(p, m->core, &name);
		else
			err = -EBADMSG;
		if (err)
			pages_unlend(m->page, i, m->core);
	}
	return err;
}

/* ---- borrowing ---- */

static struct far_chunk *find_chunk(u32 core, u64 frame)
{
	struct far_chunk *f = far_chunks[core % CHUNK_LISTS];

	while (f && (f->core != core || f->frame != frame))
		f = f->next;
	return f;
}

static struct far_chunk *new_chunk(u32 core, u64 frame)
{
	u64 npages = frame_bytes(frame) / PAGE_SIZE;
	struct far_chunk *f = calloc(1, sizeof(*f) + npages * sizeof(f->page[0]));

	if (!f)
		return NULL;
	f->chunk = calloc(1, sizeof(*f->chunk));
	if (!f->chunk) {
		free(f);
		return NULL;
	}
	f->core = core;
	f->frame = frame;
	f->chunk->far = f;
	f->chunk->npages = npages;
	f->next = far_chunks[core % CHUNK_LISTS];
	far_chunks[core % CHUNK_LISTS] = f;
	return f;
}

static void chunk_fini(struct far_chunk *f)
{
	struct far_chunk **at = &far_chunks[f->core % CHUNK_LISTS];

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	fiber_wake_all(&f->waiting);
	free(f->chunk);
	free(f);
}

static int import(struct far_chunk *f)
{
	u64 bytes = frame_bytes(f->frame);
	int err = rt_frame_import(f->core, f->frame & ~SIZE_BITS, bytes, &f->cap);

	if (err)
		return err;
	f->chunk->frame = (struct rt_frame){.cap = f->cap, .bytes = bytes};
	f->chunk->base = chunk_map(f->cap, bytes);
	return f->chunk->base ? 0 : -ENOMEM;
}

/* The chunk of a name, mapped. */
static int need_chunk(const struct page_name *name, struct far_chunk **out)
{
	u64 bytes = frame_bytes(name->frame);
	struct far_chunk *f;
	int err;

	if (bytes < 2 * MiB || bytes > PAGE_SIZE << (RAM_ORDERS - 1) ||
	    name->number >= bytes / PAGE_SIZE || name->core >= shard_cores(net))
		return -EBADMSG;
	while ((f = find_chunk(name->core, name->frame)) && !f->ready) {
		/* A signal is for the call that came here. */
		bool held = fiber_hold_interrupts(&rt_loop, true);

		fiber_wait(&rt_loop, &f->waiting, FIBER_FOREVER);
		fiber_hold_interrupts(&rt_loop, held);
	}
	if (!f) {
		f = new_chunk(name->core, name->frame);
		if (!f)
			return -ENOMEM;
		err = import(f);
		if (err) {
			chunk_fini(f);
			return err;
		}
		f->ready = true;
		fiber_wake_all(&f->waiting);
	}
	*out = f;
	return 0;
}

static struct ram_page *new_page(struct far_chunk *f, u32 number)
{
	struct ram_page *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->page.data = f->chunk->base + number * PAGE_SIZE;
	p->page.flags = PAGE_FAR;
	p->page.refs = 1;
	p->chunk = f->chunk;
	f->page[number] = p;
	nborrowed++;
	return p;
}

/* One name; it is used up only if this succeeds. */
static int borrow(const struct page_name *name, struct page **out)
{
	struct far_chunk *f;
	struct ram_page *p;
	int err;

	if (name->core == PAGE_NAME_ZERO) {
		*out = page_get(ram_zero);
		return 0;
	}
	if (name->core == domain_start()->core) {
		p = own_page(name);
		if (p)
			*out = page_get(&p->page);
		return p ? 0 : -EBADMSG;
	}
	err = need_chunk(name, &f);
	if (err)
		return err;
	p = f->page[name->number];
	if (p) {
		page_get(&p->page);
		tell_over(name->core, name, 1, domain_start()->core); /* one loan is enough */
	} else {
		p = new_page(f, name->number);
	}
	if (p)
		*out = &p->page;
	return p ? 0 : -ENOMEM;
}

int pages_borrow(const struct page_name *names, u32 n, struct page **out)
{
	u32 done = 0;
	int err = 0;

	while (done < n && !err) {
		err = borrow(&names[done], &out[done]);
		if (!err)
			done++;
	}
	if (!err)
		return 0;
	pages_unlend(names + done, n - done, domain_start()->core);
	while (done--)
		ram_put(out[done]);
	return err;
}

int page_borrow(const struct page_name *name, struct page **out)
{
	return pages_borrow(name, 1, out);
}

/* ---- returning ---- */

/* The first return and others to its home; takes them out of the list. */
static u32 take_returns(struct page_name *names, struct ram_page **taken)
{
	struct ram_page **at = &returns;
	u32 home = returns->chunk->far->core, n = 0;

	*taken = NULL;
	while (*at && n < RETURNS_MANY) {
		struct ram_page *p = *at;

		if (p->chunk->far->core != home) {
			at = &p->next;
			continue;
		}
		page_identity(&p->page, &names[n++]);
		*at = p->next;
		p->next = *taken;
		*taken = p;
	}
	nreturns -= n;
	return n;
}

/* -ENOMEM: there are some left, to be tried again. */
static int send_returns(void)
{
	struct page_name names[RETURNS_MANY];
	u32 self = domain_start()->core;

	while (returns) {
		struct ram_page *taken;
		u32 n = take_returns(names, &taken);
		int err = tell_over(names[0].core, names, n, self);

		while (taken) {
			struct ram_page *p = taken;

			taken = p->next;
			if (err != -ENOMEM) {
				free(p);
				continue;
			}
			p->next = returns;
			returns = p;
			nreturns++;
		}
		if (err == -ENOMEM)
			return err;
	}
	return 0;
}

static void return_late(void *arg)
{
	(void)arg;
	for (;;) {
		if (!returns)
			fiber_wait(&rt_loop, &returner, FIBER_FOREVER);
		rt_sleep_ns(RETURN_NS);
		send_returns();
	}
}

void farpage_free(struct page *page)
{
	struct ram_page *p = ram_page(page);

	p->chunk->far->page[number_of(p)] = NULL;
	nborrowed--;
	p->next = returns;
	returns = p;
	nreturns++;
	fiber_wake_one(&returner);
}

static s64 serve_return(struct shard_request *r)
{
	const struct memory_pages *m = pages_of(r);

	if (!m)
		return -EBADMSG;
	for (u32 i = 0; i < m->count; i++)
		loan_over(&m->page[i], m->core);
	return 0;
}

/* ---- death ---- */

static void loans_end(struct chunk *c, u32 core)
{
	struct loans **at = &c->loans, *l;

	while (*at && (*at)->core != core)
		at = &(*at)->next;
	l = *at;
	if (!l)
		return;
	*at = l->next;
	for (u64 i = 0; i < c->npages; i++) {
		nlent -= l->count[i];
		while (l->count[i]--)
			ram_put(&c->pages[i].page);
	}
	free(l);
}

static void core_died(struct shard_net *of, u32 core, void *arg)
{
	(void)of;
	(void)arg;
	for (struct chunk *c = chunks; c; c = c->next)
		loans_end(c, core); /* exported chunks stay when they are empty */
}

int farpage_init(struct shard_net *shard_net)
{
	int err;

	net = shard_net;
	err = shard_serve(net, MEMORY_LEND, serve_lend, NULL);
	if (!err)
		err = shard_serve(net, MEMORY_RETURN, serve_return, NULL);
	if (!err)
		err = shard_on_death(net, core_died, NULL);
	if (!err)
		err = rt_fiber_start(return_late, NULL);
	return err;
}
