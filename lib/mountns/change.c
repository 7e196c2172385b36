/*
 * Changes of namespaces: where they are made, and making them.
 *
 *   nobody else knows what it concerns -> at once, by lib/mounts
 *   this core is the home              -> under the lock; replicas are told
 *   another core is                    -> MOUNTS_CHANGE: the same there; the answer
 *
 * What is asked for again because its home died has a number by which the new home knows whether
 * it has been made.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdlib.h>

/* --- Making it --- */

static int set_attr(struct mount *top, const struct change *c)
{
	bool recursive = c->how;

	for (struct mount *m = top; m; m = recursive ? mounts_next(m, top) : NULL) {
		int err = mounts_check_flags(m, (m->flags & ~c->clear) | c->set);

		if (err)
			return err;
	}
	if (c->kind) {
		int err = mounts_set_kind(top, (enum mount_kind)(c->kind - 1), recursive);

		if (err)
			return err;
	}
	for (struct mount *m = top; m; m = recursive ? mounts_next(m, top) : NULL) {
		if (c->set | c->clear)
			mounts_set_flags(m, (m->flags & ~c->clear) | c->set);
	}
	return 0;
}

static int perform(struct mountns *m, const struct change *c, struct event *event)
{
	int err;

	switch (c->what) {
	case MOUNTS_ATTACH:
		return mounts_attach(c->a, c->b, c->dir, c->how);
	case MOUNTS_UMOUNT:
		return mounts_umount(c->a, c->users, c->how);
	case MOUNTS_ATTR:
		return set_attr(c->a, c);
	case MOUNTS_SET_GROUP:
		return mounts_set_group(c->a, c->b);
	case MOUNTS_PIVOT:
		err = mounts_pivot_root(c->a, c->b, c->c, c->dir);
		if (err)
			return err;
		event->pivot_ns = c->a->ns->node.key;
		event->pivot_from = c->b->node.key;
		event->pivot_to = c->a->node.key;
		m->env.pivoted(m->env.ctx, c->b, c->a);
		return 0;
	default:
		return -EBADMSG;
	}
}

/* --- Users elsewhere --- */

static bool is_member(const struct mountns *m, const struct mount *mnt, u32 core)
{
	const struct share *s = mnt->ns ? share_find(m, mnt->ns->node.key) : NULL;

	for (u32 i = 0; s && i < s->nmembers; i++) {
		if (s->members[i].core == core)
			return true;
	}
	return false;
}

/* Add the users that the @n mounts of @list have on @core. */
static int add_users_of(struct mountns *m, u32 core, struct mount *const *list, u32 n)
{
	struct bytes args, answer;
	u32 asked = 0, count;
	struct piece p;
	int err;

	args_begin(&args);
	for (u32 i = 0; i < n; i++) {
		const struct shard_mounts_user at = name_mount(list[i]);

		if (!is_member(m, list[i], core))
			continue;
		bytes_put(&args, &at, sizeof(at));
		asked++;
	}
	err = asked ? (int)mountns_call(m, core, MOUNTS_USERS, &args, &answer) : 0;
	if (asked && !err) {
		p = answer_of(&answer);
		for (u32 i = 0; i < n; i++) {
			if (is_member(m, list[i], core) && !piece_read(&p, &count, sizeof(count)))
				list[i]->far_refs += count;
		}
	}
	if (asked)
		bytes_free(&answer);
	bytes_free(&args);
	return err == -EHOSTDOWN ? 0 : err;
}

/* Count the users that decide whether a mount is busy, on all cores; the lock is held. */
static int count_users(struct mountns *m, struct mount *mnt)
{
	u32 n = mounts_umount_asks(mnt, NULL, 0);
	struct mount **list = malloc(n * sizeof(struct mount *));
	int err = list ? 0 : -ENOMEM;

	n = list ? mounts_umount_asks(mnt, list, n) : 0;
	for (u32 i = 0; i < n; i++) {
		list[i]->far_refs = 0;
		mounts_ns_get(list[i]->ns); /* its mounts change under the lock only */
	}
	for (u32 core = 0; core < m->cores && !err; core++) {
		if (core != m->self && shard_lives(m->net, core))
			err = add_users_of(m, core, list, n);
	}
	for (u32 i = 0; i < n; i++) {
		struct mount_ns *ns = list[i]->ns;

		if (err)
			list[i]->far_refs = 0;
		mounts_ns_put(ns);
	}
	free(list);
	return err;
}

s64 users_rx(struct mountns *m, u32 core, struct piece args, struct bytes *answer)
{
	struct shard_mounts_user at;

	(void)core;
	while (!piece_read(&args, &at, sizeof(at))) {
		const struct share *s = share_find(m, at.ns);
		const struct mount *mnt = s && s->ns ? mounts_find(s->ns, at.mount) : NULL;
		u32 users = mnt ? mnt->refs : 0;

		bytes_put(answer, &users, sizeof(users));
	}
	return args.left ? -EBADMSG : 0;
}

/* --- Here --- */

/* Nobody else knows what the change concerns: no lock is needed, and nobody to be told. */
static bool is_ours_alone(const struct mountns *m, const struct change *c)
{
	const struct mount *const involved[] = {c->a, c->b, c->c};

	for (u32 i = 0; i < ARRAY_SIZE(involved); i++) {
		const struct mount *mnt = involved[i];

		if (mnt && mnt->ns && mnt->ns->far)
			return false;
		if (m->nmembers + m->giving && mnt && mnt->ns && mnt->ns->watched)
			return false;
	}
	if (!(m->nmembers + m->giving))
		return true;
	return !(c->b && (c->b->group || c->b->master)) && !mounts_reaches_others(c->a);
}

static bool is_far(const struct mount *mnt)
{
	return mnt && mnt->ns && mnt->ns->far;
}

/* -ESTALE: this is not the home any more. */
static int change_here(struct mountns *m, const struct change *c, const struct shard_id *by)
{
	struct event event = {.by = *by};
	int err = 0;

	if (is_far(c->a) || is_far(c->b) || is_far(c->c))
		err = -ESTALE;
	if (!err && c->what == MOUNTS_UMOUNT && !(c->how & UMOUNT_LAZY) && c->a->ns)
		err = count_users(m, c->a);
	if (!err)
		err = perform(m, c, &event);
	cast(m, &event);
	return err;
}

struct mount *mount_here(const struct mountns *m, const struct shard_mounts_user *at)
{
	const struct mount_ns *ns = at->mount ? ns_here(m, at->ns) : NULL;

	return ns ? mounts_find(ns, at->mount) : NULL;
}

/* Has the home that this one follows made it already? */
static bool is_done(const struct mountns *m, const struct shard_id *by)
{
	for (u32 i = 0; i < m->cores; i++) {
		if (by->id && m->last[i].by.id == by->id && m->last[i].by.core == by->core)
			return true;
	}
	return false;
}

static int read_change(struct mountns *m, struct piece *args, struct shard_mounts_change *w,
		       struct change *c)
{
	struct mount *within;
	void *dir;
	int err;

	*c = (struct change){.what = w->what,
			     .how = w->how,
			     .set = w->set & MOUNT_SETTABLE,
			     .clear = w->clear & MOUNT_SETTABLE,
			     .kind = w->kind,
			     .users = w->users};
	c->a = mount_here(m, &w->a);
	c->b = mount_here(m, &w->b);
	c->c = mount_here(m, &w->c);
	if (w->kind > MOUNT_KIND_UNBINDABLE + 1)
		return -EBADMSG;
	if (!ns_here(m, w->a.ns) || (w->b.ns && !ns_here(m, w->b.ns)))
		return -ESTALE;
	/* It has gone meanwhile, as if it had been before. */
	if (!c->a || (w->b.mount && !c->b) || (w->c.mount && !c->c))
		return -EINVAL;
	if (!args->left)
		return w->what == MOUNTS_ATTACH || w->what == MOUNTS_PIVOT ? -EBADMSG : 0;
	within = c->c ? c->c : c->b;
	err = within ? get_ref(m, REF_DIR, within->sb, args, &dir) : -EBADMSG;
	if (!err)
		c->dir = dir;
	return err;
}

s64 change_rx(struct mountns *m, u32 core, struct piece args, struct bytes *answer)
{
	struct shard_mounts_change w;
	struct change c;
	int err;

	(void)answer;
	if (piece_read(&args, &w, sizeof(w)) || w.by.core != core)
		return -EBADMSG;
	if (is_done(m, &w.by))
		return 0;
	lock(m);
	err = read_change(m, &args, &w, &c);
	/* What has no name is in no namespace: nothing can be done with it. */
	if (!err && ((w.what != MOUNTS_UMOUNT && w.what != MOUNTS_ATTR && !c.b) ||
		     (w.what == MOUNTS_PIVOT && !c.c)))
		err = -EINVAL;
	if (!err)
		err = change_here(m, &c, &w.by);
	if (c.dir)
		m->env.refs.drop(m->env.refs.ctx, REF_DIR, c.dir);
	unlock(m);
	return err;
}

/* --- Asking --- */

struct shard_id change_id(struct mountns *m)
{
	return (struct shard_id){.id = ++m->asked, .core = m->self};
}

struct shard_mounts_user name_mount(const struct mount *mnt)
{
	if (!mnt || !mnt->ns)
		return (struct shard_mounts_user){0};
	return (struct shard_mounts_user){mnt->ns->node.key, mnt->node.key};
}

void put_ref(struct mountns *m, enum ref_kind kind, void *thing, struct superblock *in,
	     struct bytes *out)
{
	u8 *room = malloc(REF_BYTES_MAX);
	s64 n = room ? m->env.refs.put(m->env.refs.ctx, kind, thing, in, room, REF_BYTES_MAX)
		     : -ENOMEM;
	u32 len = n < 0 ? 0 : (u32)n;

	if (n < 0)
		out->broken = true;
	bytes_put(out, &len, sizeof(len));
	bytes_put(out, room, len);
	free(room);
}

int get_ref(struct mountns *m, enum ref_kind kind, struct superblock *in, struct piece *from,
	    void **thing)
{
	u32 len;
	s64 n;

	if (piece_read(from, &len, sizeof(len)) || len > from->left)
		return -EBADMSG;
	n = m->env.refs.get(m->env.refs.ctx, kind, in, from->at, len, thing);
	if (n < 0)
		return (int)n;
	from->at += len;
	from->left -= len;
	return 0;
}

s64 ask_home(struct mountns *m, const struct mount_ns *ns, u16 op, struct bytes *args,
	     struct bytes *answer)
{
	u32 home = mountns_home(m, ns);
	s64 err;

	if (home == m->self)
		return -ESTALE;
	err = mountns_call(m, home, op, args, answer);
	if (err == -EHOSTDOWN) {
		wait_rehomed(m, home);
		err = mountns_home(m, ns) == home ? -EHOSTDOWN : -ESTALE;
	} else if (err == -ESTALE && mountns_home(m, ns) == home) {
		fiber_yield(m->loop); /* word of where it has gone is on its way */
	}
	return err;
}

static int change_there(struct mountns *m, const struct change *c, const struct shard_id *by)
{
	const struct shard_mounts_change w = {
		.by = *by,
		.what = c->what,
		.how = c->how,
		.a = name_mount(c->a),
		.b = name_mount(c->b),
		.c = name_mount(c->c),
		.set = c->set,
		.clear = c->clear,
		.kind = c->kind,
		.users = c->users,
	};
	const struct mount *within = c->c ? c->c : c->b;
	struct bytes args;
	int err;

	args_begin(&args);
	bytes_put(&args, &w, sizeof(w));
	if (c->dir)
		put_ref(m, REF_DIR, c->dir, within->sb, &args);
	err = (int)ask_home(m, c->a->ns, MOUNTS_CHANGE, &args, NULL);
	bytes_free(&args);
	return err;
}

void keep(struct mount_ns *a, struct mount_ns *b)
{
	if (a)
		mounts_ns_get(a);
	if (b)
		mounts_ns_get(b);
}

void keep_no_more(struct mount_ns *a, struct mount_ns *b)
{
	if (a)
		mounts_ns_put(a);
	if (b)
		mounts_ns_put(b);
}

/* Has @mnt not left @ns while somebody waited? */
static bool is_where(const struct mount *mnt, const struct mount_ns *ns)
{
	return mnt->ns && mnt->ns == ns;
}

/* Make the change wherever its home is. What has left its namespace meanwhile has no name. */
static int change_anywhere(struct mountns *m, const struct change *c)
{
	const struct shard_id by = change_id(m);
	struct event nobody = {0};
	int err;

	do {
		/* Who is in these may leave them while this waits. */
		struct mount_ns *a = c->a->ns, *b = c->b ? c->b->ns : NULL;

		if (is_ours_alone(m, c))
			return perform(m, c, &nobody);
		keep(a, b);
		err = a && b ? bring_together(m, a, b) : 0;
		if (err) {
			keep_no_more(a, b);
			continue;
		}
		if (!is_far(c->a) && !is_far(c->b)) {
			lock(m);
			err = change_here(m, c, &by);
			unlock(m);
		} else {
			err = is_where(c->a, a) && (!c->b || is_where(c->b, b)) &&
					      (!c->c || c->c->ns)
				      ? change_there(m, c, &by)
				      : -EINVAL;
		}
		keep_no_more(a, b);
	} while (err == -ESTALE);
	return err;
}

static int change_held(struct mountns *m, const struct change *c)
{
	bool held = hold(m);
	int err = change_anywhere(m, c);

	release(m, held);
	return err;
}

/* A tree in no namespace goes to another core in one that is made for that. */
static int attach_far(struct mountns *m, const struct change *c, void *owner)
{
	struct mount_ns *way = mounts_ns_new(c->a, owner, true);
	int err;

	if (!way)
		return -ENOMEM;
	mount_get(c->a); /* it is the caller's again if this fails */
	err = change_held(m, c);
	if (!err)
		mount_put(c->a);
	mounts_ns_put(way);
	return err;
}

int mountns_attach(struct mountns *m, struct mount *tree, struct mount *parent, struct dentry *dir,
		   u32 how, void *owner)
{
	const struct change c = {
		.what = MOUNTS_ATTACH, .a = tree, .b = parent, .dir = dir, .how = how};

	if (!tree->ns && !tree->parent && is_far(parent))
		return attach_far(m, &c, owner);
	return change_held(m, &c);
}

int mountns_umount(struct mountns *m, struct mount *mnt, u32 users, u32 how)
{
	const struct change c = {.what = MOUNTS_UMOUNT, .a = mnt, .how = how, .users = users};

	return change_held(m, &c);
}

int mountns_set_attr(struct mountns *m, struct mount *mnt, const struct mountns_attr *attr)
{
	const struct change c = {
		.what = MOUNTS_ATTR,
		.a = mnt,
		.how = attr->recursive,
		.set = attr->set,
		.clear = attr->clear,
		.kind = attr->has_kind ? (u32)attr->kind + 1 : 0,
	};

	return change_held(m, &c);
}

int mountns_set_group(struct mountns *m, struct mount *from, struct mount *to)
{
	const struct change c = {.what = MOUNTS_SET_GROUP, .a = from, .b = to};

	return change_held(m, &c);
}

int mountns_pivot_root(struct mountns *m, struct mount *new, struct mount *root, struct mount *old,
		       struct dentry *old_dir)
{
	const struct change c = {
		.what = MOUNTS_PIVOT, .a = new, .b = root, .c = old, .dir = old_dir};

	return change_held(m, &c);
}
