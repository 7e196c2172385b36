/*
 * Namespaces that other cores know, and replicas.
 *
 *   share_open: MOUNTS_OPEN -> the home lists the asker, an image <-; applied: a replica
 *   cast:       the home -> MOUNTS_UPDATE to each core with replicas of what has changed; applied
 *   ended:      the last user here is gone: MOUNTS_DROP -> the home lists the core no more
 *
 * An update may come while a core opens a namespace that it had and dropped before, from a time
 * before the home has heard of either: each opening has a number (join), which updates name.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdlib.h>

#define RETRY_NS 1000000u /* until there may be memory */

struct share *share_find(const struct mountns *m, u64 id)
{
	return (struct share *)order_find(m->shares, id);
}

struct share *share_new(struct mountns *m, u64 id, u32 home)
{
	struct share *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->node.key = id;
	s->home = home;
	order_insert(&m->shares, &s->node);
	return s;
}

void share_free(struct mountns *m, struct share *s)
{
	if (s->ns)
		s->ns->shared = false;
	settled(m, s);
	order_remove(&m->shares, &s->node);
	free(s->members);
	free(s);
}

struct share *share_of(struct mountns *m, struct mount_ns *ns)
{
	u64 id = mounts_ns_identify(ns);
	struct share *s = share_find(m, id);

	if (!s)
		s = share_new(m, id, m->self);
	if (s && !s->ns) {
		s->ns = ns;
		ns->shared = true;
	}
	return s;
}

u32 made_by(const struct mountns *m, u64 id)
{
	u64 core = id >> MOUNTS_CORE_SHIFT;

	return core < m->cores ? (u32)core : UINT32_MAX;
}

int member_add(struct mountns *m, struct share *s, u32 core, u64 join)
{
	struct member *more;

	for (u32 i = 0; i < s->nmembers; i++) {
		if (s->members[i].core == core) {
			s->members[i].join = MAX(join, s->members[i].join);
			return 0;
		}
	}
	if (s->nmembers == s->room) {
		u32 room = s->room ? 2 * s->room : 4;

		more = realloc(s->members, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->members = more;
		s->room = room;
	}
	s->members[s->nmembers++] = (struct member){core, join};
	m->nmembers++;
	mounts_ns_get(s->ns);
	mounts_ns_watch(s->ns, true);
	return 0;
}

void member_drop(struct mountns *m, struct share *s, u32 i)
{
	s->members[i] = s->members[--s->nmembers];
	m->nmembers--;
	if (!s->nmembers)
		mounts_ns_watch(s->ns, false);
	mounts_ns_put(s->ns); /* which may end the share */
}

struct mount_ns *ns_here(const struct mountns *m, u64 id)
{
	const struct share *s = share_find(m, id);
	struct mount_ns *ns = s ? s->ns : mounts_ns_find(m->all, id);

	return ns && !ns->far && !(s && s->stale) ? ns : NULL;
}

u32 mountns_home(const struct mountns *m, const struct mount_ns *ns)
{
	const struct share *s = ns->far ? share_find(m, ns->node.key) : NULL;

	return s ? s->home : m->self;
}

/* --- Waiting --- */

bool hold(const struct mountns *m)
{
	return m->net && fiber_hold_interrupts(m->loop, true);
}

void release(const struct mountns *m, bool held)
{
	if (m->net)
		fiber_hold_interrupts(m->loop, held);
}

void lock(struct mountns *m)
{
	while (m->held || m->settling)
		fiber_wait(m->loop, &m->lock_wait, FIBER_FOREVER);
	m->held = true;
}

/* For what was changed without the lock, or has become dirty since it was told of. */
static void flush_soon(struct mountns *m)
{
	(void)mountns_tell(m, m->self, MOUNTS_FLUSH, NULL, 0);
}

void mountns_touched(struct mountns *m)
{
	if (m->held)
		m->again = true;
	else
		flush_soon(m);
}

void unlock(struct mountns *m)
{
	m->held = false;
	if (m->again)
		flush_soon(m);
	fiber_wake_one(&m->lock_wait);
}

void wait_for_memory(const struct mountns *m)
{
	fiber_sleep_until(m->loop, m->loop->io->now_ns(m->loop->io_arg) + RETRY_NS);
}

void settled(struct mountns *m, struct share *s)
{
	if (!s->settling)
		return;
	s->settling = false;
	if (!--m->settling && !m->held)
		fiber_wake_one(&m->lock_wait);
}

/* --- Images --- */

int image_put(struct mountns *m, struct mount_ns *const *list, u32 n, struct bytes *out)
{
	struct mounts_image *image;
	size_t len, room;
	u8 *at;
	int err = mounts_image_take(list, n, &image);

	if (err)
		return err;
	err = mounts_image_encode(image, &m->env.refs, &at, &len, &room);
	mounts_image_free(image);
	if (err)
		return err;
	bytes_put(out, at, len);
	mounts_bytes_free(m->all, at, room);
	return out->broken ? -ENOMEM : 0;
}

/* --- Opening --- */

static int become_replica(struct mountns *m, struct share *s, const struct bytes *answer)
{
	struct mounts_image *image;
	struct mount_ns *ns = s->ns;
	int err = mounts_image_decode(m->all, &m->env.refs, answer->at, answer->len, &image);

	if (err)
		return err;
	if (mounts_image_count(image) != 1 || mounts_image_id(image, 0) != s->node.key)
		err = -EBADMSG;
	if (!err && s->ns && !s->stale) { /* this core has become its home meanwhile */
		mounts_ns_get(s->ns);
		mounts_image_free(image);
		return 0;
	}
	if (!err)
		err = mounts_image_apply(m->all, image, &ns, 0);
	mounts_image_free(image);
	if (err)
		return err;
	if (s->stale) {
		s->stale = false;
		mounts_ns_get(ns);
		return 0;
	}
	err = m->env.arrived(m->env.ctx, ns);
	if (err) {
		mounts_ns_put(ns);
		return err;
	}
	s->ns = ns;
	ns->shared = true;
	return 0;
}

static void drop_tell(struct mountns *m, u32 home, u64 id, u64 join)
{
	const struct shard_mounts_replica replica = {id, join, m->self, 0};

	(void)mountns_tell(m, home, MOUNTS_DROP, &replica, sizeof(replica));
}

/* Ask @s's home once. -ESTALE: it is another, which s->home is now; or there is none. */
static int ask_to_open(struct mountns *m, struct share *s)
{
	struct shard_mounts_ref ref = {s->node.key, s->join};
	u32 home = s->home;
	struct bytes args, answer;
	s64 err;
	u32 other;

	if (home == m->self)
		return -ENOENT;
	args_begin(&args);
	bytes_put(&args, &ref, sizeof(ref));
	err = mountns_call(m, home, MOUNTS_OPEN, &args, &answer);
	bytes_free(&args);
	if (err == -ESTALE) {
		struct piece p = answer_of(&answer);

		if (piece_read(&p, &other, sizeof(other)) || other >= m->cores || other == home)
			err = -ENOENT;
		else if (s->home == home)
			s->home = other;
	} else if (!err) {
		err = become_replica(m, s, &answer);
		if (err)
			drop_tell(m, home, s->node.key, s->join);
	}
	bytes_free(&answer);
	return (int)err;
}

static int join(struct mountns *m, struct share *s)
{
	int err;

	s->joining = true;
	s->join = ++m->joins;
	do {
		u32 home = s->home;

		err = ask_to_open(m, s);
		if (err && s->ns && !s->stale) { /* it has come by another way */
			mounts_ns_get(s->ns);
			err = 0;
		} else if (err == -EHOSTDOWN && s->home == home) {
			wait_rehomed(m, home);
			if (s->home == home)
				break;
			err = -ESTALE;
		}
	} while (err == -ESTALE);
	s->joining = false;
	fiber_wake_all(&s->joined);
	if (err && !s->ns && made_by(m, s->node.key) != m->self)
		share_free(m, s);
	return err;
}

int mountns_open(struct mountns *m, u32 hint, u64 id, struct mount_ns **out)
{
	bool held = hold(m);
	struct share *s;
	int err = 0;

	if (hint == MOUNTNS_ANY)
		hint = made_by(m, id);
	for (;;) {
		s = share_find(m, id);
		if (!s || !s->joining)
			break;
		fiber_wait(m->loop, &s->joined, FIBER_FOREVER);
	}
	*out = s ? s->ns : mounts_ns_find(m->all, id);
	if (*out && !(s && s->stale)) {
		mounts_ns_get(*out);
	} else if (!s && (hint == m->self || hint >= m->cores)) {
		err = -ENOENT;
	} else {
		s = s ? s : share_new(m, id, hint);
		err = s ? join(m, s) : -ENOMEM;
		if (!err)
			*out = s->ns;
	}
	release(m, held);
	return err;
}

s64 open_rx(struct mountns *m, u32 core, struct piece args, struct bytes *answer)
{
	struct shard_mounts_ref ref;
	struct mount_ns *ns;
	struct share *s;
	int err;

	if (piece_read(&args, &ref, sizeof(ref)))
		return -EBADMSG;
	lock(m);
	ns = ns_here(m, ref.id);
	s = ns ? share_of(m, ns) : share_find(m, ref.id);
	if (!ns) {
		if (s)
			bytes_put(answer, &s->home, sizeof(s->home));
		err = s ? -ESTALE : -ENOENT;
	} else {
		err = s ? member_add(m, s, core, ref.join) : -ENOMEM;
		if (!err) {
			err = image_put(m, &ns, 1, answer);
			for (u32 i = 0; err && i < s->nmembers; i++) {
				if (s->members[i].core == core) {
					member_drop(m, s, i);
					break;
				}
			}
		}
		if (err)
			answer->len = 0;
	}
	unlock(m);
	return err;
}

/* --- Dropping --- */

void mountns_ended(struct mountns *m, struct mount_ns *ns)
{
	struct share *s = share_find(m, ns->node.key);
	u32 maker = made_by(m, ns->node.key);
	const struct shard_mounts_ref ref = {ns->node.key, 0};

	if (!s || s->ns != ns)
		return;
	s->ns = NULL;
	ns->shared = false;
	if (ns->far)
		drop_tell(m, s->home, s->node.key, s->join);
	else if (maker != m->self && maker < m->cores)
		(void)mountns_tell(m, maker, MOUNTS_ENDED, &ref, sizeof(ref));
	/* Who made it knows where it is. */
	if (!s->joining && !(ns->far && maker == m->self))
		share_free(m, s);
}

s64 drop_rx(struct mountns *m, u32 core, struct piece args, struct bytes *answer)
{
	struct shard_mounts_replica r;
	struct share *s;

	(void)core;
	(void)answer;
	if (piece_read(&args, &r, sizeof(r)))
		return -EBADMSG;
	s = share_find(m, r.id);
	if (s && s->home != m->self) /* it has moved meanwhile */
		return mountns_tell(m, s->home, MOUNTS_DROP, &r, sizeof(r));
	for (u32 i = 0; s && i < s->nmembers; i++) {
		if (s->members[i].core == r.core && s->members[i].join == r.join) {
			member_drop(m, s, i);
			break;
		}
	}
	return 0;
}

s64 ended_rx(struct mountns *m, u32 core, struct piece args, struct bytes *answer)
{
	struct shard_mounts_ref ref;
	struct share *s;

	(void)answer;
	if (piece_read(&args, &ref, sizeof(ref)))
		return -EBADMSG;
	s = share_find(m, ref.id);
	if (s && !s->ns && !s->joining && s->home == core)
		share_free(m, s);
	return 0;
}

/* --- Bringing up to date --- */

/* Those of @dirty that @core has replicas of, and how it calls them. */
static u32 of_core(const struct mountns *m, u32 core, struct mount_ns *const *dirty, u32 n,
		   struct mount_ns **list, struct bytes *refs)
{
	u32 count = 0;

	for (u32 i = 0; i < n; i++) {
		const struct share *s = share_find(m, dirty[i]->node.key);

		for (u32 j = 0; s && j < s->nmembers; j++) {
			const struct shard_mounts_ref ref = {s->node.key, s->members[j].join};

			if (s->members[j].core != core)
				continue;
			list[count++] = dirty[i];
			bytes_put(refs, &ref, sizeof(ref));
		}
	}
	return count;
}

/* -ENOMEM: to be tried again. */
static s64 update(struct mountns *m, u32 core, struct mount_ns *const *dirty, u32 n,
		  const struct event *event)
{
	struct shard_mounts_update head = {.number = m->number,
					   .by = event->by,
					   .pivot_ns = event->pivot_ns,
					   .pivot_from = event->pivot_from,
					   .pivot_to = event->pivot_to};
	struct mount_ns **list = malloc(n * sizeof(struct mount_ns *));
	struct bytes refs = {0}, args;
	s64 err = list ? 0 : -ENOMEM;

	args_begin(&args);
	if (!err) {
		head.count = of_core(m, core, dirty, n, list, &refs);
		bytes_put(&args, &head, sizeof(head));
		bytes_put(&args, refs.at, refs.len);
		args.broken |= refs.broken;
		if (head.count)
			err = image_put(m, list, head.count, &args);
	}
	if (!err && head.count)
		err = mountns_call(m, core, MOUNTS_UPDATE, &args, NULL);
	bytes_free(&args);
	bytes_free(&refs);
	free(list);
	return err;
}

static struct mount_ns **take_dirty(struct mountns *m, u32 *n)
{
	struct mount_ns **list = NULL, *ns;
	u32 room = 0;

	for (*n = 0; (ns = mounts_next_dirty(m->all)); ++*n) {
		while (*n == room) {
			struct mount_ns **more =
				realloc(list, (room + 16) * sizeof(struct mount_ns *));

			mounts_ns_get(ns);
			if (!more)
				wait_for_memory(m);
			else
				room += 16;
			list = more ? more : list;
			mounts_ns_put(ns);
		}
		list[*n] = mounts_ns_get(ns);
	}
	return list;
}

void cast(struct mountns *m, const struct event *event)
{
	struct mount_ns **dirty;
	u32 n;

	m->again = false;
	dirty = take_dirty(m, &n);
	if (n)
		m->number++;
	for (u32 core = 0; n && core < m->cores; core++) {
		if (core == m->self || !shard_lives(m->net, core))
			continue;
		while (update(m, core, dirty, n, event) == -ENOMEM)
			wait_for_memory(m);
	}
	while (n)
		mounts_ns_put(dirty[--n]);
	free(dirty);
}

/* Which namespaces of an update are replicas here; the others are left alone. */
static void pick_replicas(struct mountns *m, u32 core, struct mounts_image *image,
			  const struct shard_mounts_ref *refs, u32 count, struct mount_ns **list)
{
	for (u32 i = 0; i < count; i++) {
		struct share *s;

		for (;;) {
			s = share_find(m, refs[i].id);
			if (!s || !s->joining || s->join != refs[i].join)
				break;
			fiber_wait(m->loop, &s->joined, FIBER_FOREVER);
		}
		(void)core;
	}
	/* From here on nothing waits. */
	for (u32 i = 0; i < count; i++) {
		const struct share *s = share_find(m, refs[i].id);
		bool known = s && s->ns && s->ns->far && !s->stale && s->home == core &&
			     s->join == refs[i].join;

		list[i] = known ? s->ns : NULL;
		if (!known)
			mounts_image_skip(image, i);
	}
}

static void pivot(struct mountns *m, const struct shard_mounts_update *u)
{
	const struct share *s = u->pivot_ns ? share_find(m, u->pivot_ns) : NULL;
	struct mount *from = s && s->ns ? mounts_find(s->ns, u->pivot_from) : NULL;
	struct mount *to = from ? mounts_find(s->ns, u->pivot_to) : NULL;

	if (to)
		m->env.pivoted(m->env.ctx, from, to);
}

s64 update_rx(struct mountns *m, u32 core, struct piece args, struct bytes *answer)
{
	const struct shard_mounts_ref *refs;
	struct shard_mounts_update u;
	struct mounts_image *image;
	struct mount_ns **list;
	int err;

	(void)answer;
	if (piece_read(&args, &u, sizeof(u)) || u.count > args.left / sizeof(*refs))
		return -EBADMSG;
	refs = (const struct shard_mounts_ref *)args.at;
	args.at += u.count * sizeof(*refs);
	args.left -= u.count * sizeof(*refs);
	err = mounts_image_decode(m->all, &m->env.refs, args.at, args.left, &image);
	if (err)
		return err;
	list = calloc(u.count + 1, sizeof(struct mount_ns *));
	if (!list || mounts_image_count(image) != u.count) {
		err = list ? -EBADMSG : -ENOMEM;
	} else {
		for (u32 i = 0; i < u.count && !err; i++)
			err = mounts_image_id(image, i) == refs[i].id ? 0 : -EBADMSG;
	}
	if (!err) {
		pick_replicas(m, core, image, refs, u.count, list);
		err = mounts_image_apply(m->all, image, list, 0);
	}
	if (!err) {
		pivot(m, &u);
		m->last[core] = (struct last_change){u.number, u.by};
	}
	free(list);
	mounts_image_free(image);
	return err;
}

/* --- All of them --- */

s64 flush_rx(struct mountns *m, u32 core, struct piece args, struct bytes *answer)
{
	const struct event nothing = {0};

	(void)args;
	(void)answer;
	if (core != m->self)
		return -EBADMSG;
	lock(m);
	cast(m, &nothing);
	unlock(m);
	return 0;
}

int mountns_first(struct mountns *m, struct mount_ns *ns)
{
	struct share *s;

	if (!m->self)
		return 0;
	s = share_new(m, ns->node.key, 0);
	if (!s)
		return -ENOMEM;
	s->ns = ns;
	s->stale = true;
	ns->shared = true;
	return 0;
}

struct mountns *mountns_new(struct mounts *all, const struct mountns_env *env)
{
	struct mountns *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->all = all;
	m->env = *env;
	m->cores = 1;
	return m;
}

int mountns_connect(struct mountns *m, struct shard_net *net, struct fiber_loop *loop)
{
	u32 cores = shard_cores(net);
	int err;

	m->last = calloc(cores, sizeof(*m->last));
	if (!m->last)
		return -ENOMEM;
	m->net = net;
	m->loop = loop;
	m->self = shard_self(net);
	m->cores = cores;
	mounts_set_core(m->all, m->self);
	err = pieces_serve(m);
	return err ? err : shard_on_death(net, core_died, m);
}

void mountns_free(struct mountns *m)
{
	while (m->shares)
		share_free(m, (struct share *)m->shares);
	pieces_free(m);
	free(m->last);
	free(m);
}
