/*
 * Futexes in memory of other cores: all who wait for one wait at the home of its page, those of
 * other cores by a call to it that lasts as long.
 *
 * Runs in: the personality's domain.
 */
#include "farpage.h"
#include "futex.h"
#include "signal.h"

#include <errno.h>
#include <rt/rt.h>
#include <shard/shard.h>
#include <stdlib.h>

static struct shard_net *net;

static struct memory_futex describe(const struct futex_key *key)
{
	struct memory_futex m = {.offset = (u32)key->offset};

	page_identity(key->where, &m.page);
	return m;
}

/* ---- asking the home ---- */

s64 farfutex_wait(const struct futex_key *key, u32 value, u32 bits, u64 deadline_ns)
{
	struct memory_futex m = describe(key);
	s64 err;

	m.value = value;
	m.bits = bits;
	m.deadline_ns = deadline_ns;
	err = shard_call_intr(net, m.page.core, MEMORY_FUTEX_WAIT, &m, sizeof(m), NULL, 0, NULL);
	return err == -EHOSTDOWN ? -EFAULT : err;
}

u32 farfutex_wake(const struct futex_key *key, u32 n, u32 bits)
{
	struct memory_futex m = describe(key);
	s64 woken;

	m.nwake = n;
	m.bits = bits;
	woken = shard_call(net, m.page.core, MEMORY_FUTEX_WAKE, &m, sizeof(m), NULL, 0, NULL);
	return woken > 0 ? (u32)woken : 0;
}

void farfutex_wake_late(const struct futex_key *key, u32 n)
{
	struct memory_futex m = describe(key);

	m.nwake = n;
	m.bits = UINT32_MAX;
	shard_tell(net, m.page.core, MEMORY_FUTEX_WAKE, &m, sizeof(m));
}

/* Where the two have no home in common, those who should move are woken: they find out. */
s64 farfutex_move(const struct futex_key *from, const struct futex_key *to, u32 nwake, u32 nmove,
		  u32 *moved)
{
	struct memory_futex m = describe(from);
	struct memory_moved answer = {0};
	u32 woken;
	s64 err;

	*moved = 0;
	if (from->far && to->far) {
		page_identity(to->where, &m.to);
		m.to_offset = (u32)to->offset;
	}
	if (!from->far || !to->far || m.to.core != m.page.core) {
		woken = futex_wake_key(from, nwake, UINT32_MAX);
		if (woken == nwake)
			*moved = futex_wake_key(from, nmove, UINT32_MAX);
		return woken;
	}
	m.nwake = nwake;
	m.nmove = nmove;
	err = shard_call(net, m.page.core, MEMORY_FUTEX_MOVE, &m, sizeof(m), &answer,
			 sizeof(answer), NULL);
	*moved = answer.moved;
	return err;
}

/* ---- the home ---- */

/* The key of a page of ours, which gets a reference; -EBADMSG: it is none. */
static int key_of(const struct page_name *name, u32 offset, struct futex_key *key)
{
	struct page *page = page_of_name(name);

	if (!page || offset % 4 || offset >= PAGE_SIZE)
		return -EBADMSG;
	*key = (struct futex_key){.where = page_get(page), .offset = offset};
	return 0;
}

static void key_put(const struct futex_key *key)
{
	ram_put((struct page *)(uintptr_t)key->where);
}

static s64 serve_wait(struct shard_request *r)
{
	const struct memory_futex *m = shard_args(r, sizeof(*m));
	struct fiber_queue queue = {0};
	struct futex_waiter w = {.queue = &queue};
	struct futex_key key;
	const u32 *word;
	s64 err = m ? key_of(&m->page, m->offset, &key) : -EBADMSG;

	if (err)
		return err;
	w.key = key;
	w.bits = m->bits;
	word = (const u32 *)((const struct page *)key.where)->data + m->offset / 4;
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != m->value) {
		err = -EAGAIN;
	} else {
		futex_waiter_add(&w);
		err = fiber_wait(&rt_loop, &queue, m->deadline_ns);
		if (w.woken)
			err = 0;
		else
			futex_waiter_remove(&w);
	}
	key_put(&key);
	return err;
}

static s64 serve_wake(struct shard_request *r)
{
	const struct memory_futex *m = shard_args(r, sizeof(*m));
	struct futex_key key;
	s64 n = m ? key_of(&m->page, m->offset, &key) : -EBADMSG;

	if (n)
		return n;
	n = futex_wake_key(&key, m->nwake, m->bits);
	key_put(&key);
	return n;
}

static s64 serve_move(struct shard_request *r)
{
	const struct memory_futex *m = shard_args(r, sizeof(*m));
	struct memory_moved *answer = shard_answer(r, sizeof(*answer));
	struct futex_key from, to;
	s64 err = m && answer ? key_of(&m->page, m->offset, &from) : -EBADMSG;

	if (err)
		return err;
	err = key_of(&m->to, m->to_offset, &to);
	if (!err) {
		*answer = (struct memory_moved){0};
		err = futex_move(&from, &to, m->nwake, m->nmove, &answer->moved);
		key_put(&to);
	}
	key_put(&from);
	return err;
}

/* ---- several at once ---- */

struct far_waiter {
	struct far_waiter *next;
	struct futex_waiter *w;
	struct fiber *fiber;
	u32 value;
	bool began, ended;
	s64 result;
};

static void wait_for_one(void *arg)
{
	struct far_waiter *f = arg;

	f->fiber = fiber_self(&rt_loop);
	f->began = true;
	f->result = farfutex_wait(&f->w->key, f->value, f->w->bits, FIBER_FOREVER);
	f->fiber = NULL;
	f->ended = true;
	f->w->woken |= f->result == 0;
	fiber_wake_all(f->w->queue);
}

int farfutex_begin(struct far_waiter **list, struct futex_waiter *w, u32 value)
{
	struct far_waiter *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->w = w;
	f->value = value;
	if (rt_fiber_start(wait_for_one, f)) {
		free(f);
		return -ENOMEM;
	}
	f->next = *list;
	*list = f;
	return 0;
}

s64 farfutex_state(const struct far_waiter *list)
{
	for (; list; list = list->next) {
		if (list->ended && list->result)
			return list->result;
	}
	return 0;
}

void farfutex_end(struct far_waiter *list)
{
	bool held = fiber_hold_interrupts(&rt_loop, true);

	while (list) {
		struct far_waiter *f = list;

		while (!f->began)
			fiber_yield(&rt_loop);
		if (f->fiber)
			fiber_interrupt(f->fiber);
		while (!f->ended)
			fiber_wait(&rt_loop, f->w->queue, FIBER_FOREVER);
		list = f->next;
		free(f);
	}
	fiber_hold_interrupts(&rt_loop, held);
}

int farfutex_init(struct shard_net *shard_net)
{
	int err;

	net = shard_net;
	err = shard_serve(net, MEMORY_FUTEX_WAIT, serve_wait, NULL);
	if (!err)
		err = shard_serve(net, MEMORY_FUTEX_WAKE, serve_wake, NULL);
	return err ? err : shard_serve(net, MEMORY_FUTEX_MOVE, serve_move, NULL);
}
