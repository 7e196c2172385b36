/*
 * Namespaces that are made of others: copies, and trees that become one.
 *
 * A copy of what is private is this core's own, whoever is the home of the original: nothing is
 * asked. A copy of what is shared belongs to its groups, and so to the home of those; this core
 * gets a replica of it.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

static bool must_lock(const struct mountns *m)
{
	return m->nmembers + m->giving;
}

/* --- Here --- */

static int make_tree(struct mount *mnt, struct dentry *dir, u32 how, void *owner,
		     struct mount_ns **out)
{
	struct mount *tree;
	int err = mounts_copy(mnt, dir, how, &tree);

	if (err)
		return err;
	*out = mounts_ns_new(tree, owner, true);
	if (!*out)
		mounts_drop(tree);
	return *out ? 0 : -ENOMEM;
}

/* @tree is in no namespace, or the root of an anonymous one, which is empty afterwards. */
static int make_of_tree(struct mount_ns *ns, void *owner, struct mount *tree, struct mount_ns **out)
{
	bool anonymous = tree->ns != NULL;
	int err;

	if (tree->parent || (anonymous && !tree->ns->anonymous))
		return -EINVAL;
	if (anonymous)
		mount_get(tree);
	err = mounts_ns_of_tree(ns, owner, tree, out);
	if (err && anonymous)
		mount_put(tree);
	return err;
}

static int make_here(struct mountns *m, struct piece *args, const struct shard_mounts_change *w,
		     struct mount_ns **out, struct shard_mounts_made *made)
{
	struct mount_ns *ns = ns_here(m, w->a.ns);
	struct mount *mnt = mount_here(m, &w->a), *copy;
	void *owner, *dir;
	int err;

	if (!ns)
		return -ESTALE;
	if (w->what != MOUNTS_COPY_NS && !mnt)
		return -EINVAL;
	err = get_ref(m, REF_OWNER, NULL, args, &owner);
	if (err)
		return err;
	if (w->what == MOUNTS_COPY_NS) {
		err = mounts_ns_copy(ns, owner, out);
		for (u32 i = 0; i < ARRAY_SIZE(made->places) && !err; i++) {
			mnt = mounts_find(ns, w->places[i]);
			copy = mnt ? mounts_copy_of(mnt, *out) : NULL;
			made->places[i] = copy ? copy->node.key : 0;
		}
	} else if (w->what == MOUNTS_COPY_TREE) {
		err = get_ref(m, REF_DIR, mnt->sb, args, &dir);
		if (!err) {
			err = make_tree(mnt, dir, w->how, owner, out);
			m->env.refs.drop(m->env.refs.ctx, REF_DIR, dir);
		}
	} else {
		struct mount_ns *of = ns_here(m, w->b.ns);

		err = of ? make_of_tree(of, owner, mnt, out) : -ESTALE;
	}
	m->env.refs.drop(m->env.refs.ctx, REF_OWNER, owner);
	return err;
}

s64 make_rx(struct mountns *m, u32 core, struct piece args, struct bytes *answer)
{
	const struct event nothing = {0};
	struct shard_mounts_made made = {0};
	struct shard_mounts_change w;
	struct mount_ns *ns;
	struct share *s;
	int err;

	if (piece_read(&args, &w, sizeof(w)))
		return -EBADMSG;
	lock(m);
	err = make_here(m, &args, &w, &ns, &made);
	if (!err) {
		if (!ns->anonymous)
			err = m->env.arrived(m->env.ctx, ns);
		s = err ? NULL : share_of(m, ns);
		err = err ? err : s ? member_add(m, s, core, w.join) : -ENOMEM;
		made.id = ns->node.key;
		mounts_ns_put(ns); /* the asker's is left */
		if (!err)
			bytes_put(answer, &made, sizeof(made));
	}
	cast(m, &nothing);
	unlock(m);
	return err;
}

/* --- Asking --- */

/* Have the home of @ns make something, and open it here. */
static int make_there(struct mountns *m, struct mount_ns *ns, struct shard_mounts_change *w,
		      struct bytes *args, struct shard_mounts_made *made, struct mount_ns **out)
{
	u32 home = mountns_home(m, ns);
	struct bytes answer = {0};
	struct piece p;
	int err = (int)ask_home(m, ns, MOUNTS_MAKE, args, &answer);

	p = answer_of(&answer);
	if (!err)
		err = piece_read(&p, made, sizeof(*made));
	bytes_free(&answer);
	if (err)
		return err;
	err = mountns_open(m, home, made->id, out);
	if (err) {
		const struct shard_mounts_replica r = {made->id, w->join, m->self, 0};

		(void)mountns_tell(m, home, MOUNTS_DROP, &r, sizeof(r));
	}
	return err;
}

/* --- Copies of namespaces --- */

static int copy_here(struct mountns *m, struct mount_ns *ns, void *owner, struct mount **places[2],
		     struct mount_ns **out)
{
	bool locked = must_lock(m) && mounts_ns_spreads(ns);
	int err = 0;

	if (locked)
		lock(m);
	if (locked && ns->far)
		err = -ESTALE;
	if (!err)
		err = mounts_ns_copy(ns, owner, out);
	for (u32 i = 0; i < 2 && !err; i++) {
		struct mount *copy = *places[i] ? mounts_copy_of(*places[i], *out) : NULL;

		*places[i] = copy;
	}
	if (locked)
		unlock(m);
	return err;
}

static int copy_there(struct mountns *m, struct mount_ns *ns, void *owner, struct mount **places[2],
		      struct mount_ns **out)
{
	struct shard_mounts_change w = {.what = MOUNTS_COPY_NS, .a = {.ns = ns->node.key}};
	struct shard_mounts_made made;
	struct bytes args;
	int err;

	for (u32 i = 0; i < 2; i++)
		w.places[i] = *places[i] ? (*places[i])->node.key : 0;
	args_begin(&args);
	bytes_put(&args, &w, sizeof(w));
	put_ref(m, REF_OWNER, owner, NULL, &args);
	err = make_there(m, ns, &w, &args, &made, out);
	bytes_free(&args);
	for (u32 i = 0; i < 2 && !err; i++)
		*places[i] = made.places[i] ? mounts_find(*out, made.places[i]) : NULL;
	return err;
}

int mountns_ns_copy(struct mountns *m, struct mount_ns *ns, void *owner, struct mount **places[2],
		    struct mount_ns **out)
{
	bool held = hold(m);
	int err;

	keep(ns, NULL);
	do {
		err = ns->far && mounts_ns_spreads(ns) ? copy_there(m, ns, owner, places, out)
						       : copy_here(m, ns, owner, places, out);
	} while (err == -ESTALE);
	keep_no_more(ns, NULL);
	release(m, held);
	return err;
}

/* --- Copies of trees --- */

static bool has_groups(struct mount *top)
{
	for (struct mount *m = top; m; m = mounts_next(m, top)) {
		if (m->group || m->master)
			return true;
	}
	return false;
}

static int copy_tree_there(struct mountns *m, struct mount *mnt, struct dentry *dir, u32 how,
			   void *owner, struct mount **out)
{
	struct shard_mounts_change w = {.what = MOUNTS_COPY_TREE, .how = how, .a = name_mount(mnt)};
	struct shard_mounts_made made;
	struct mount_ns *ns;
	struct bytes args;
	int err;

	args_begin(&args);
	bytes_put(&args, &w, sizeof(w));
	put_ref(m, REF_OWNER, owner, NULL, &args);
	put_ref(m, REF_DIR, dir, mnt->sb, &args);
	err = make_there(m, mnt->ns, &w, &args, &made, &ns);
	bytes_free(&args);
	if (!err)
		*out = ns->root;
	return err;
}

static int copy_tree_here(struct mountns *m, struct mount *mnt, struct dentry *dir, u32 how,
			  struct mount **out)
{
	bool locked = must_lock(m) && has_groups(mnt);
	int err = 0;

	if (locked)
		lock(m);
	if (locked && mnt->ns && mnt->ns->far)
		err = -ESTALE;
	if (!err)
		err = mounts_copy(mnt, dir, how, out);
	if (locked)
		unlock(m);
	return err;
}

int mountns_copy(struct mountns *m, struct mount *mnt, struct dentry *dir, u32 how, void *owner,
		 struct mount **out)
{
	struct mount_ns *ns = mnt->ns;
	bool held = hold(m);
	int err;

	keep(ns, NULL);
	do {
		if (mnt->ns && mnt->ns->far && has_groups(mnt))
			err = copy_tree_there(m, mnt, dir, how, owner, out);
		else
			err = copy_tree_here(m, mnt, dir, how, out);
	} while (err == -ESTALE);
	keep_no_more(ns, NULL);
	release(m, held);
	return err;
}

/* --- Trees that become namespaces --- */

static int of_tree_there(struct mountns *m, struct mount_ns *ns, void *owner, struct mount *tree,
			 struct mount_ns **out)
{
	struct shard_mounts_change w = {
		.what = MOUNTS_NS_OF_TREE, .a = name_mount(tree), .b = {.ns = ns->node.key}};
	struct shard_mounts_made made;
	struct bytes args;
	int err;

	args_begin(&args);
	bytes_put(&args, &w, sizeof(w));
	put_ref(m, REF_OWNER, owner, NULL, &args);
	err = make_there(m, tree->ns, &w, &args, &made, out);
	bytes_free(&args);
	return err;
}

int mountns_ns_of_tree(struct mountns *m, struct mount_ns *ns, void *owner, struct mount *tree,
		       struct mount_ns **out)
{
	struct mount_ns *way = tree->ns;
	bool held = hold(m);
	int err;

	keep(ns, way);
	do {
		bool far = tree->ns && tree->ns->far;

		err = far ? bring_together(m, tree->ns, ns) : 0;
		if (!err)
			err = far ? of_tree_there(m, ns, owner, tree, out)
				  : make_of_tree(ns, owner, tree, out);
	} while (err == -ESTALE);
	keep_no_more(ns, way);
	release(m, held);
	return err;
}
