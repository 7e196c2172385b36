/*
 * Homes that died. The lowest core that lives, the heir, becomes the home of all that the dead one
 * was home of and anybody has a replica of.
 *
 *   every core: MOUNTS_CLAIM: what it has of the dead, how far it has heard -> the heir
 *   the heir, when all who live have claimed: of each namespace the newest state is the state
 *       what the claimed are now <-; applied
 *
 * If the heir dies, all claim from the next. Whoever dies meanwhile is not waited for.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdlib.h>

/* What one core has of a dead one, at the heir. */
struct claim {
	struct claim *next;
	u32 core, dead;
	bool done;
	struct shard_mounts_claim head;
	const struct shard_mounts_ref *refs;
	struct mounts_image *image; /* NULL: nothing */
	struct fiber_queue queue;
};

static u32 heir_of(const struct mountns *m)
{
	u32 core = 0;

	while (core < m->self && !shard_lives(m->net, core))
		core++;
	return core;
}

/* --- Claiming --- */

/* The replicas of what @dead was home of. */
static u32 list_replicas(const struct mountns *m, u32 dead, struct mount_ns **list, u32 room)
{
	struct order_node *at = order_after(m->shares, 0);
	u32 n = 0;

	for (; at; at = order_after(m->shares, at->key)) {
		const struct share *s = (const struct share *)at;

		if (s->home != dead || !s->ns || s->stale)
			continue;
		if (n < room)
			list[n] = s->ns;
		n++;
	}
	return n;
}

static void write_claim(struct mountns *m, u32 dead, struct mount_ns *const *list, u32 n,
			struct bytes *args)
{
	const struct shard_mounts_claim head = {
		.number = m->last[dead].number,
		.by = m->last[dead].by,
		.core = dead,
		.count = n,
	};

	args_begin(args);
	bytes_put(args, &head, sizeof(head));
	for (u32 i = 0; i < n; i++) {
		struct share *s = share_find(m, list[i]->node.key);
		const struct shard_mounts_ref ref = {s->node.key, s->join = ++m->joins};

		bytes_put(args, &ref, sizeof(ref));
	}
	if (n && image_put(m, list, n, args))
		args->broken = true;
}

/* What this core claimed is the heir's now, as it says. */
static int be_replicas(struct mountns *m, struct mount_ns **list, u32 n, const struct bytes *answer)
{
	struct mounts_image *image;
	int err = mounts_image_decode(m->all, &m->env.refs, answer->at, answer->len, &image);

	if (err)
		return err;
	err = mounts_image_count(image) == n ? 0 : -EBADMSG;
	for (u32 i = 0; i < n && !err; i++)
		err = mounts_image_id(image, i) == list[i]->node.key ? 0 : -EBADMSG;
	if (!err)
		err = mounts_image_apply(m->all, image, list, 0);
	mounts_image_free(image);
	return err;
}

static void follow(struct mountns *m, u32 dead, u32 heir)
{
	struct order_node *at = order_after(m->shares, 0);

	for (; at; at = order_after(m->shares, at->key)) {
		struct share *s = (struct share *)at;

		if (s->home == dead && (heir != m->self || s->stale || !s->ns))
			s->home = heir;
	}
	fiber_wake_all(&m->rehomed);
}

/* -EHOSTDOWN: the heir has died, too; -ENOMEM: to be tried again. */
static int claim_once(struct mountns *m, u32 dead)
{
	u32 n = list_replicas(m, dead, NULL, 0), heir = heir_of(m);
	struct mount_ns **list = calloc(n + 1, sizeof(struct mount_ns *));
	struct bytes args, answer = {0};
	int err;

	if (!list)
		return -ENOMEM;
	n = list_replicas(m, dead, list, n);
	for (u32 i = 0; i < n; i++)
		mounts_ns_get(list[i]);
	write_claim(m, dead, list, n, &args);
	err = (int)mountns_call(m, heir, MOUNTS_CLAIM, &args, &answer);
	if (!err && n && heir != m->self) {
		while ((err = be_replicas(m, list, n, &answer)) == -ENOMEM)
			wait_for_memory(m);
		for (u32 i = 0; i < n; i++)
			share_find(m, list[i]->node.key)->stale = err != 0;
		err = 0;
	}
	if (!err)
		follow(m, dead, heir);
	for (u32 i = 0; i < n; i++)
		mounts_ns_put(list[i]);
	free(list);
	bytes_free(&args);
	bytes_free(&answer);
	return err;
}

/* --- The heir --- */

static bool all_have_claimed(const struct mountns *m, u32 dead)
{
	for (u32 core = 0; core < m->cores; core++) {
		const struct claim *c = m->claims;

		while (c && (c->core != core || c->dead != dead))
			c = c->next;
		if (!c && shard_lives(m->net, core))
			return false;
	}
	return true;
}

/* Those of @dead, the newest first. */
static u32 in_order(const struct mountns *m, u32 dead, struct claim **list)
{
	u32 n = 0;

	for (struct claim *c = m->claims; c; c = c->next) {
		u32 at = n;

		if (c->dead != dead || c->done || !c->image)
			continue;
		for (n++; at && list[at - 1]->head.number < c->head.number; at--)
			list[at] = list[at - 1];
		list[at] = c;
	}
	return n;
}

static bool has(const struct claim *c, u64 id)
{
	for (u32 i = 0; i < c->head.count; i++) {
		if (c->refs[i].id == id)
			return true;
	}
	return false;
}

/* Only the newest state of each namespace is left. */
static void skip_older(struct claim *const *list, u32 n)
{
	for (u32 i = 1; i < n; i++) {
		for (u32 j = 0; j < list[i]->head.count; j++) {
			for (u32 k = 0; k < i; k++) {
				if (has(list[k], list[i]->refs[j].id))
					mounts_image_skip(list[i]->image, j);
			}
		}
	}
}

static void inherit_one(struct mountns *m, struct share *s, struct mount_ns *ns, bool made,
			struct claim *const *list, u32 n)
{
	while (made && m->env.arrived(m->env.ctx, ns))
		wait_for_memory(m);
	s->ns = ns;
	ns->shared = true;
	s->home = m->self;
	s->stale = false;
	for (u32 i = 0; i < n; i++) {
		for (u32 j = 0; j < list[i]->head.count; j++) {
			const struct shard_mounts_ref *ref = &list[i]->refs[j];

			if (ref->id != s->node.key || list[i]->core == m->self ||
			    !shard_lives(m->net, list[i]->core))
				continue;
			while (member_add(m, s, list[i]->core, ref->join))
				wait_for_memory(m);
		}
	}
	if (made)
		mounts_ns_put(ns);
}

/* Be the home of all in @image. 0, -ENOMEM, -EBADMSG. */
static int inherit(struct mountns *m, u32 dead, struct mounts_image *image,
		   struct claim *const *list, u32 n)
{
	u32 count = mounts_image_count(image);
	struct mount_ns **spaces = calloc(count + 1, sizeof(struct mount_ns *));
	bool *made = calloc(count + 1, sizeof(*made));
	int err = spaces && made ? 0 : -ENOMEM;

	for (u32 i = 0; i < count && !err; i++) {
		u64 id = mounts_image_id(image, i);
		struct share *s = share_find(m, id);

		s = s ? s : share_new(m, id, dead);
		err = s ? 0 : -ENOMEM;
		spaces[i] = s ? s->ns : NULL;
		made[i] = !spaces[i];
	}
	if (!err)
		err = mounts_image_apply(m->all, image, spaces, IMAGE_HOME);
	for (u32 i = 0; i < count && !err; i++)
		inherit_one(m, share_find(m, spaces[i]->node.key), spaces[i], made[i], list, n);
	free(spaces);
	free(made);
	return err;
}

static void take_inheritance(struct mountns *m, u32 dead)
{
	struct claim **list = NULL;
	struct mounts_image **images = NULL, *all;
	u32 n = 0;

	lock(m);
	while (!list || !images) {
		free(list);
		free(images);
		list = calloc(m->cores, sizeof(struct claim *));
		images = calloc(m->cores, sizeof(struct mounts_image *));
		if (!list || !images)
			wait_for_memory(m);
	}
	n = in_order(m, dead, list);
	skip_older(list, n);
	for (u32 i = 0; i < n; i++)
		images[i] = list[i]->image;
	if (n) {
		m->last[dead] = (struct last_change){list[0]->head.number, list[0]->head.by};
		while (mounts_image_merge(images, n, &all))
			wait_for_memory(m);
		while (inherit(m, dead, all, list, n) == -ENOMEM)
			wait_for_memory(m);
		mounts_image_free(all);
	}
	for (struct claim *c = m->claims; c; c = c->next) {
		if (c->dead != dead)
			continue;
		c->done = true;
		fiber_wake_all(&c->queue);
	}
	free(list);
	free(images);
	unlock(m);
}

static void claim_free(struct mountns *m, struct claim *c)
{
	struct claim **at = &m->claims;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	if (c->image)
		mounts_image_free(c->image);
	free(c);
}

/* What the namespaces that were claimed are now. */
static int tell_claimer(struct mountns *m, const struct claim *c, struct bytes *answer)
{
	struct mount_ns **list = calloc(c->head.count + 1, sizeof(struct mount_ns *));
	int err = list ? 0 : -ENOMEM;

	for (u32 i = 0; i < c->head.count && !err; i++) {
		list[i] = ns_here(m, c->refs[i].id);
		err = list[i] ? 0 : -ESTALE;
	}
	if (!err && c->head.count)
		err = image_put(m, list, c->head.count, answer);
	free(list);
	return err;
}

s64 claim_rx(struct mountns *m, u32 core, struct piece args, struct bytes *answer)
{
	struct claim *c = calloc(1, sizeof(*c));
	int err = 0;

	if (!c)
		return -ENOMEM;
	if (piece_read(&args, &c->head, sizeof(c->head)) || c->head.core >= m->cores ||
	    c->head.count > args.left / sizeof(*c->refs)) {
		free(c);
		return -EBADMSG;
	}
	c->core = core;
	c->dead = c->head.core;
	c->refs = (const struct shard_mounts_ref *)args.at;
	args.at += c->head.count * sizeof(*c->refs);
	args.left -= c->head.count * sizeof(*c->refs);
	if (c->head.count)
		err = mounts_image_decode(m->all, &m->env.refs, args.at, args.left, &c->image);
	if (err) {
		free(c);
		return err;
	}
	c->next = m->claims;
	m->claims = c;
	if (!shard_lives(m->net, c->dead) && all_have_claimed(m, c->dead))
		take_inheritance(m, c->dead);
	while (!c->done)
		fiber_wait(m->loop, &c->queue, FIBER_FOREVER);
	while (core != m->self && (err = tell_claimer(m, c, answer)) == -ENOMEM)
		wait_for_memory(m);
	claim_free(m, c);
	return err;
}

/* --- When a core has died --- */

static void forget_members(struct mountns *m, u32 core)
{
	struct order_node *at;
	u64 id = 0;

	while ((at = order_after(m->shares, id))) {
		struct share *s = (struct share *)at;

		id = at->key;
		for (u32 i = 0; i < s->nmembers; i++) {
			if (s->members[i].core == core) {
				member_drop(m, s, i); /* which may end it */
				break;
			}
		}
	}
}

/* Others may have waited for the dead one's claim alone. */
static void claims_without(struct mountns *m)
{
	for (struct claim *c = m->claims; c; c = c->next) {
		if (!c->done && all_have_claimed(m, c->dead)) {
			take_inheritance(m, c->dead);
			c = m->claims;
			if (!c)
				return;
		}
	}
}

/* What it gave is this core's, though not all may have heard so. */
static void settle_from(struct mountns *m, u32 core)
{
	struct order_node *at = order_after(m->shares, 0);

	for (; at; at = order_after(m->shares, at->key)) {
		struct share *s = (struct share *)at;

		if (s->settling && s->from == core)
			settled(m, s);
	}
}

void core_died(struct shard_net *net, u32 core, void *arg)
{
	struct mountns *m = arg;
	bool held = hold(m);
	int err;

	(void)net;
	pieces_core_died(m, core);
	settle_from(m, core);
	lock(m);
	forget_members(m, core);
	unlock(m);
	claims_without(m);
	do {
		err = claim_once(m, core);
		if (err == -ENOMEM)
			wait_for_memory(m);
	} while (err == -ENOMEM || err == -EHOSTDOWN);
	m->last[core].number = UINT64_MAX; /* nobody is its heir any more */
	fiber_wake_all(&m->rehomed);
	release(m, held);
}

void wait_rehomed(struct mountns *m, u32 core)
{
	while (m->last[core].number != UINT64_MAX)
		fiber_wait(m->loop, &m->rehomed, FIBER_FOREVER);
}
