/*
 * Homes that move: so that namespaces of two homes, which are about to be connected, have one.
 *
 *   whoever needs it: MOUNTS_GIVE -> the home of one of them, if that is another core
 *   the home, its lock held: MOUNTS_TAKE, with all that is connected -> the other
 *       which is the home from then on, and numbers anew; what it is now <-
 *   the former home is a replica; it tells all others the new numbers, then MOUNTS_MOVED -> all,
 * and who made them; at last the new home, which changes nothing before
 *
 * What is asked of the former home meanwhile waits for its lock, and is asked again elsewhere.
 * If the new home dies before it answers, the old one is the home still: nobody else has heard.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdlib.h>

/* What is given: all that is connected, with a reference each. */
struct gift {
	struct mount_ns **list;
	u32 n;
};

static int gift_take(struct mountns *m, struct mount_ns *ns, struct gift *g)
{
	int err = 0;

	g->n = mounts_ns_connected(ns, NULL, 0);
	g->list = NULL;
	for (u32 room = 0; room < g->n && !err;) {
		struct mount_ns **more = realloc(g->list, g->n * sizeof(struct mount_ns *));

		err = more ? 0 : -ENOMEM;
		g->list = more ? more : g->list;
		room = g->n;
		g->n = err ? 0 : mounts_ns_connected(ns, g->list, room);
	}
	for (u32 i = 0; i < g->n; i++)
		mounts_ns_get(g->list[i]);
	for (u32 i = 0; i < g->n && !err; i++)
		err = share_of(m, g->list[i]) ? 0 : -ENOMEM;
	/* From here on they are changed under the lock only. */
	for (u32 i = 0; i < g->n; i++)
		mounts_ns_watch(g->list[i], true);
	return err;
}

static void gift_drop(struct mountns *m, struct gift *g)
{
	for (u32 i = 0; i < g->n; i++) {
		struct share *s = share_find(m, g->list[i]->node.key);

		if (!s || !s->nmembers)
			mounts_ns_watch(g->list[i], false);
		if (s && !s->nmembers && s->home == m->self && made_by(m, s->node.key) == m->self &&
		    !s->joining)
			share_free(m, s);
		mounts_ns_put(g->list[i]);
	}
	free(g->list);
}

static void write_replicas(struct mountns *m, const struct gift *g, struct bytes *args)
{
	struct shard_mounts_take head = {.number = m->number};
	struct bytes all = {0};

	for (u32 i = 0; i < g->n; i++) {
		struct share *s = share_find(m, g->list[i]->node.key);
		struct shard_mounts_replica r = {s->node.key, 0, m->self, 0};

		r.join = s->join = ++m->joins;
		bytes_put(&all, &r, sizeof(r));
		head.count++;
		for (u32 j = 0; j < s->nmembers; j++, head.count++) {
			r.core = s->members[j].core;
			r.join = s->members[j].join;
			bytes_put(&all, &r, sizeof(r));
		}
	}
	bytes_put(args, &head, sizeof(head));
	bytes_put(args, all.at, all.len);
	args->broken |= all.broken;
	bytes_free(&all);
}

/* Tell @core where those of the gift are that it has, or has made. */
static s64 tell_moved(struct mountns *m, const struct gift *g, u32 core, u32 to)
{
	struct bytes args;
	u32 n = 0;
	s64 err;

	args_begin(&args);
	for (u32 i = 0; i < g->n; i++) {
		const struct share *s = share_find(m, g->list[i]->node.key);
		const struct shard_mounts_replica r = {s->node.key, 0, to, 0};
		bool concerned = made_by(m, s->node.key) == core || core == to;

		for (u32 j = 0; j < s->nmembers; j++)
			concerned |= s->members[j].core == core;
		if (!concerned)
			continue;
		bytes_put(&args, &r, sizeof(r));
		n++;
	}
	err = n ? mountns_call(m, core, MOUNTS_MOVED, &args, NULL) : 0;
	bytes_free(&args);
	return err;
}

s64 moved_rx(struct mountns *m, u32 core, struct piece args, struct bytes *answer)
{
	struct shard_mounts_replica r;

	(void)answer;
	while (!piece_read(&args, &r, sizeof(r))) {
		struct share *s = share_find(m, r.id);

		if (r.core >= m->cores)
			return -EBADMSG;
		if (s && r.core == m->self)
			settled(m, s);
		else if (s && s->home == core)
			s->home = r.core;
	}
	fiber_wake_all(&m->rehomed);
	return 0;
}

/* What was given is a replica here: as the new home has it. */
static int become_replicas(struct mountns *m, const struct gift *g, const struct bytes *answer)
{
	struct mounts_image *image;
	int err = mounts_image_decode(m->all, &m->env.refs, answer->at, answer->len, &image);

	if (err)
		return err;
	err = mounts_image_count(image) == g->n ? 0 : -EBADMSG;
	for (u32 i = 0; i < g->n && !err; i++)
		err = mounts_image_id(image, i) == g->list[i]->node.key ? 0 : -EBADMSG;
	if (!err)
		err = mounts_image_apply(m->all, image, g->list, 0);
	mounts_image_free(image);
	return err;
}

static void given(struct mountns *m, const struct gift *g, u32 to, const struct bytes *answer)
{
	const struct event nothing = {0};
	int err;

	while ((err = become_replicas(m, g, answer)) == -ENOMEM)
		wait_for_memory(m);
	for (u32 i = 0; i < g->n; i++) {
		struct share *s = share_find(m, g->list[i]->node.key);

		s->home = to;
		s->stale = err != 0; /* it is asked for again when it is next needed */
		g->list[i]->far = true;
	}
	cast(m, &nothing); /* the new numbers */
	for (u32 core = 0; core < m->cores; core++) {
		if (core == m->self || core == to || !shard_lives(m->net, core))
			continue;
		while (tell_moved(m, g, core, to) == -ENOMEM)
			wait_for_memory(m);
	}
	for (u32 i = 0; i < g->n; i++) {
		struct share *s = share_find(m, g->list[i]->node.key);

		while (s->nmembers)
			member_drop(m, s, s->nmembers - 1);
	}
	while (tell_moved(m, g, to, to) == -ENOMEM)
		wait_for_memory(m);
}

/* Give @ns, and all that is connected, to @to. -ESTALE: this is not its home any more. */
static int give(struct mountns *m, struct mount_ns *ns, u32 to)
{
	const struct event nothing = {0};
	struct bytes args, answer = {0};
	struct gift g = {0};
	int err;

	args_begin(&args);
	lock(m);
	m->giving++;
	err = ns->far ? -ESTALE : gift_take(m, ns, &g);
	if (!err) {
		write_replicas(m, &g, &args);
		err = image_put(m, g.list, g.n, &args);
	}
	if (!err)
		err = (int)mountns_call(m, to, MOUNTS_TAKE, &args, &answer);
	if (!err)
		given(m, &g, to, &answer);
	gift_drop(m, &g);
	m->giving--;
	cast(m, &nothing);
	unlock(m);
	bytes_free(&args);
	bytes_free(&answer);
	return err;
}

s64 give_rx(struct mountns *m, u32 core, struct piece args, struct bytes *answer)
{
	struct shard_mounts_give w;
	struct mount_ns *ns;
	int err;

	(void)core;
	(void)answer;
	if (piece_read(&args, &w, sizeof(w)) || w.to >= m->cores)
		return -EBADMSG;
	ns = ns_here(m, w.id);
	if (!ns)
		return -ESTALE;
	mounts_ns_get(ns);
	err = w.to == m->self ? 0 : give(m, ns, w.to);
	mounts_ns_put(ns);
	return err;
}

/* --- Taking --- */

static int prepare(struct mountns *m, const struct mounts_image *image, struct mount_ns **list,
		   u32 core)
{
	for (u32 i = 0; i < mounts_image_count(image); i++) {
		u64 id = mounts_image_id(image, i);
		struct share *s = share_find(m, id);

		s = s ? s : share_new(m, id, core);
		if (!s)
			return -ENOMEM;
		list[i] = s->ns;
	}
	return 0;
}

/* @ns is this core's; @made: it has one reference too many. */
static void take_over(struct mountns *m, u32 from, struct mount_ns *ns, bool made,
		      const struct shard_mounts_replica *r, u32 count)
{
	struct share *s = share_find(m, ns->node.key);

	while (made && m->env.arrived(m->env.ctx, ns))
		wait_for_memory(m);
	s->ns = ns;
	ns->shared = true;
	s->home = m->self;
	s->stale = false;
	m->settling += !s->settling;
	s->settling = true;
	s->from = from;
	for (u32 i = 0; i < count; i++) {
		if (r[i].id != ns->node.key || r[i].core == m->self || r[i].core >= m->cores ||
		    !shard_lives(m->net, r[i].core))
			continue;
		while (member_add(m, s, r[i].core, r[i].join))
			wait_for_memory(m);
	}
	if (made)
		mounts_ns_put(ns);
}

s64 take_rx(struct mountns *m, u32 core, struct piece args, struct bytes *answer)
{
	const struct shard_mounts_replica *replicas;
	struct shard_mounts_take w;
	struct mounts_image *image;
	struct mount_ns **list;
	bool *made;
	u32 n;
	int err;

	if (piece_read(&args, &w, sizeof(w)) || w.count > args.left / sizeof(*replicas))
		return -EBADMSG;
	replicas = (const struct shard_mounts_replica *)args.at;
	args.at += w.count * sizeof(*replicas);
	args.left -= w.count * sizeof(*replicas);
	err = mounts_image_decode(m->all, &m->env.refs, args.at, args.left, &image);
	if (err)
		return err;
	n = mounts_image_count(image);
	list = calloc(n + 1, sizeof(struct mount_ns *));
	made = calloc(n + 1, sizeof(*made));
	err = list && made ? prepare(m, image, list, core) : -ENOMEM;
	for (u32 i = 0; i < n && !err; i++)
		made[i] = !list[i];
	if (!err)
		err = mounts_image_apply(m->all, image, list, IMAGE_HOME | IMAGE_RENUMBER);
	if (!err) {
		for (u32 i = 0; i < n; i++)
			take_over(m, core, list[i], made[i], replicas, w.count);
		while (image_put(m, list, n, answer) == -ENOMEM) {
			bytes_free(answer);
			wait_for_memory(m);
		}
	}
	mounts_image_free(image);
	free(list);
	free(made);
	fiber_wake_all(&m->rehomed);
	return err;
}

/* --- Bringing together --- */

/* Does nobody else know @ns and what is connected with it? */
static bool is_exclusive(const struct mountns *m, struct mount_ns *ns)
{
	struct mount_ns *list[16];
	u32 n = mounts_ns_connected(ns, list, ARRAY_SIZE(list));

	if (ns->far || n > ARRAY_SIZE(list))
		return false;
	for (u32 i = 0; i < n; i++) {
		const struct share *s = share_find(m, list[i]->node.key);

		if (s && s->nmembers)
			return false;
	}
	return true;
}

static int have_given(struct mountns *m, struct mount_ns *ns, u32 to)
{
	const struct shard_mounts_give w = {ns->node.key, to, 0};
	struct bytes args;
	int err;

	if (!ns->far)
		return give(m, ns, to);
	args_begin(&args);
	bytes_put(&args, &w, sizeof(w));
	err = (int)ask_home(m, ns, MOUNTS_GIVE, &args, NULL);
	bytes_free(&args);
	return err;
}

int bring_together(struct mountns *m, struct mount_ns *a, struct mount_ns *b)
{
	u32 home_a = mountns_home(m, a), home_b = mountns_home(m, b);

	if (home_a == home_b)
		return 0;
	/* Who is alone goes to the others; else the first to the second. */
	if (!is_exclusive(m, a) && is_exclusive(m, b))
		return have_given(m, b, home_a);
	return have_given(m, a, home_b);
}
