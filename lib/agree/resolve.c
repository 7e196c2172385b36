/*
 * A transaction whose coordinator died, or whose home changed after it committed.
 *
 * Each home of an object that is still locked finds the outcome for itself, by asking the homes
 * of all the others:
 *
 *   prepared:   --TXN_RESOLVE to all others-->   prepared, committed or unknown?
 *               one has committed: commit. None has: abort.
 *   committed:  --TXN_COMMIT to all others-->    when all have answered, release the object
 *
 * This cannot go wrong. The coordinator has stopped, and every core has ceased to listen to it
 * before the view was agreed on, so no order to commit is still on its way; and a home that
 * committed keeps the lock until every other home has too. So if none is found committed, none
 * ever will be, and all come to the same answer whatever the order they ask in. An object that
 * died with its replicas has no say: nobody is left who saw it.
 *
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

struct agree_resolve {
	u64 id;
	u32 pending;
	bool some_committed;
	u32 count;
	struct agree_request req[AGREE_TXN_MAX];
};

/* Must the home of an object with @lock find out, or tell, by itself? */
bool resolve_needed(const struct agree *a, const struct agree_lock *lock)
{
	if (lock->resolve)
		return false;
	return core_set_has(&a->view.buried, lock->parts->coordinator) ||
	       (lock->inherited && lock->committed);
}

/* All others have answered. */
static void conclude(struct agree *a, struct agree_object *o, const struct agree_resolve *s)
{
	struct agree_lock *lock = o->lock;

	if (!lock->committed && !lock->wish) {
		lock->wish = s->some_committed ? AGREE_TXN_COMMIT : AGREE_TXN_ABORT;
		lock->wish_from = (u16)a->cfg.self;
		lock->wish_req = 0; /* nobody waits */
	} else if (s->count && s->req[0].type == AGREE_TXN_COMMIT) {
		lock->released = true;
	} else if (!s->count && lock->committed) {
		lock->released = true;
	}
	object_kick(a, o);
}

static void answered(struct agree *a, void *arg, s64 status)
{
	struct agree_resolve *s = arg;
	struct agree_object *o = object_find(a, s->id);

	if (status == AGREE_TXN_IS_COMMITTED)
		s->some_committed = true;
	if (--s->pending)
		return;
	o->lock->resolve = NULL;
	conclude(a, o, s);
	agree_free(a, s, sizeof(*s));
}

/* Ask, or tell, the homes of the other objects. Without memory, the next tick tries again. */
void resolve_start(struct agree *a, struct agree_object *o)
{
	struct agree_lock *lock = o->lock;
	const struct agree_parts *parts = lock->parts;
	struct agree_resolve *s = agree_alloc(a, sizeof(*s));

	if (!s) {
		a->short_of_memory = true;
		return;
	}
	s->id = o->id;
	lock->resolve = s;
	for (u32 i = 0; i < parts->count; i++) {
		struct agree_request *r = &s->req[s->count];

		if (parts->id[i] == o->id || agree_id_birth(parts->id[i]) >= a->ncores)
			continue;
		*r = (struct agree_request){.type = lock->committed ? AGREE_TXN_COMMIT
								    : AGREE_TXN_RESOLVE,
					    .obj = parts->id[i],
					    .txn = parts->txn,
					    .done = answered,
					    .arg = s};
		request_start(a, r);
		s->count++;
	}
	s->pending = s->count;
	if (s->count)
		return;
	lock->resolve = NULL;
	conclude(a, o, s);
	agree_free(a, s, sizeof(*s));
}

/* The object goes, and its questions with it. */
void resolve_forget(struct agree *a, struct agree_lock *lock)
{
	struct agree_resolve *s = lock->resolve;

	if (!s)
		return;
	for (u32 i = 0; i < s->count; i++)
		request_cancel(a, &s->req[i]);
	agree_free(a, s, sizeof(*s));
	lock->resolve = NULL;
}
