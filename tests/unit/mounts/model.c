/* See model.h. */
#include "model.h"

#include <errno.h>
#include <string.h>

#define EACH(t, i)                                                                                 \
	for (int i = 0; i < MODEL_MOUNTS; i++)                                                     \
		if ((t)->m[i].there)

/* --- What there is --- */

unsigned model_above(unsigned dir)
{
	static const unsigned above[MODEL_DIRS] = {0, 0, 0, 1, 1, 2, 3};

	return above[dir];
}

bool model_is_below(unsigned dir, unsigned above)
{
	while (dir && dir != above)
		dir = model_above(dir);
	return dir == above;
}

void model_begin(struct model *t, unsigned max)
{
	memset(t, 0, sizeof(*t));
	t->max = max;
	for (int i = 0; i < MODEL_NAMESPACES; i++)
		t->root[i] = MODEL_NONE;
	t->m[0] = (struct model_mount){.there = true, .parent = MODEL_NONE};
	t->root[0] = 0;
}

int model_child(const struct model *t, int parent, unsigned dir)
{
	EACH(t, i)
	{
		if (t->m[i].parent == parent && t->m[i].point == dir)
			return i;
	}
	return MODEL_NONE;
}

unsigned model_count(const struct model *t, int ns)
{
	unsigned n = 0;

	EACH(t, i)
	n += t->m[i].ns == ns;
	return n;
}

unsigned model_master_of(const struct model *t, unsigned group)
{
	EACH(t, i)
	{
		if (t->m[i].group == group)
			return t->m[i].master;
	}
	return 0;
}

/* Is @mnt @top, or on it, or on what is on it? */
static bool is_in(const struct model *t, int mnt, int top)
{
	while (mnt != MODEL_NONE && mnt != top)
		mnt = t->m[mnt].parent;
	return mnt != MODEL_NONE;
}

static int topmost(const struct model *t, int mnt)
{
	int above;

	while ((above = model_child(t, mnt, t->m[mnt].root)) != MODEL_NONE)
		mnt = above;
	return mnt;
}

/* How many steps a change in @group takes to @mnt: 0 to members; -1: it does not get there. */
static int distance(const struct model *t, int mnt, unsigned group)
{
	unsigned g = t->m[mnt].group ? t->m[mnt].group : t->m[mnt].master;
	int steps = t->m[mnt].group ? 0 : 1;

	for (; g && group; g = model_master_of(t, g), steps++) {
		if (g == group)
			return steps;
	}
	return -1;
}

static bool has_unbindable(const struct model *t, int top)
{
	EACH(t, i)
	{
		if (t->m[i].unbindable && is_in(t, i, top))
			return true;
	}
	return false;
}

/* Is something locked on @mnt, at or below @dir? */
static bool has_locked(const struct model *t, int mnt, unsigned dir)
{
	EACH(t, i)
	{
		if (t->m[i].parent == mnt && t->m[i].locked && model_is_below(t->m[i].point, dir))
			return true;
	}
	return false;
}

/* --- Groups --- */

/* @mnt sends to nobody and receives from nobody. Who received from it alone receives from whom it
 * received. */
static void make_private(struct model *t, int mnt)
{
	unsigned group = t->m[mnt].group, master = t->m[mnt].master;
	bool last = group != 0;

	t->m[mnt].group = t->m[mnt].master = 0;
	EACH(t, i)
	last &= t->m[i].group != group;
	if (!last)
		return;
	EACH(t, i)
	{
		if (t->m[i].master == group)
			t->m[i].master = master;
	}
}

static void make_slave(struct model *t, int mnt)
{
	unsigned group = t->m[mnt].group, master = t->m[mnt].master;
	bool alone = true;

	if (!group)
		return;
	EACH(t, i)
	alone &= t->m[i].group != group || i == mnt;
	make_private(t, mnt);
	t->m[mnt].master = alone ? master : group;
}

static void make_shared(struct model *t, int mnt)
{
	if (!t->m[mnt].group)
		t->m[mnt].group = ++t->groups;
	t->m[mnt].unbindable = false;
}

static void set_kind(struct model *t, int mnt, enum model_kind kind)
{
	if (kind == MODEL_SHARED) {
		make_shared(t, mnt);
	} else if (kind == MODEL_SLAVE) {
		make_slave(t, mnt); /* what is unbindable stays so */
	} else {
		make_private(t, mnt);
		t->m[mnt].unbindable = kind == MODEL_UNBINDABLE;
	}
}

int model_set_kind(struct model *t, int top, enum model_kind kind, bool recursive)
{
	EACH(t, i)
	{
		if (i == top || (recursive && is_in(t, i, top)))
			set_kind(t, i, kind);
	}
	return 0;
}

int model_set_group(struct model *t, int from, int to)
{
	const struct model_mount *f = &t->m[from];
	struct model_mount *m = &t->m[to];

	if (f->fs != m->fs || !model_is_below(m->root, f->root) || m->group || m->master ||
	    m->unbindable || (!f->group && !f->master) || has_locked(t, from, m->root))
		return -EINVAL;
	m->group = f->group;
	m->master = f->master;
	return 0;
}

/* --- Rows --- */

static void remove_row(struct model *t, int mnt)
{
	make_private(t, mnt);
	t->m[mnt].there = false;
}

static void remove_tree(struct model *t, int top)
{
	bool in[MODEL_MOUNTS] = {false};

	EACH(t, i)
	in[i] = is_in(t, i, top);
	for (int i = 0; i < MODEL_MOUNTS; i++) {
		if (in[i])
			remove_row(t, i);
	}
}

static int new_row(struct model *t, struct model_mount m)
{
	for (int i = 0; i < MODEL_MOUNTS; i++) {
		if (t->m[i].there)
			continue;
		t->m[i] = m;
		t->m[i].there = true;
		t->m[i].ns = t->m[i].parent = MODEL_NONE;
		return i;
	}
	return MODEL_NONE;
}

enum copying {
	SAME,          /* in the groups of the original */
	RECEIVES,      /* from the original */
	RECEIVES_SENDS /* ... and in a group of its own */
};

static int copy_row(struct model *t, int mnt, enum copying how)
{
	int copy = new_row(t, t->m[mnt]);

	if (copy != MODEL_NONE && how != SAME && t->m[copy].group) {
		t->m[copy].master = t->m[copy].group;
		t->m[copy].group = 0;
	}
	if (copy != MODEL_NONE && how == RECEIVES_SENDS)
		t->m[copy].group = ++t->groups;
	return copy;
}

/*
 * Copies of @mnt from @dir on and, with @recursive, of what is on it, on its way nowhere yet; the
 * root is not locked. -EPERM: what would be left out is locked. -ENOSPC: more than there is room.
 */
static int copy_tree(struct model *t, int mnt, unsigned dir, bool recursive, bool unbindable,
		     enum copying how)
{
	int copy_of[MODEL_MOUNTS], root = copy_row(t, mnt, how);
	struct model before = *t;

	if (root == MODEL_NONE)
		return -ENOSPC;
	for (int i = 0; i < MODEL_MOUNTS; i++)
		copy_of[i] = MODEL_NONE;
	copy_of[mnt] = root;
	t->m[root].root = dir;
	t->m[root].locked = false;
	/* Parents before what is on them: until a look at all rows finds nothing more. */
	for (bool again = recursive; again;) {
		again = false;
		EACH(&before, i)
		{
			const struct model_mount *m = &before.m[i];

			if (copy_of[i] != MODEL_NONE || m->parent == MODEL_NONE ||
			    copy_of[m->parent] == MODEL_NONE || i == mnt)
				continue;
			if (m->parent == mnt && !model_is_below(m->point, dir))
				continue;
			if (m->unbindable && !unbindable && m->locked)
				return -EPERM;
			if (m->unbindable && !unbindable)
				continue;
			copy_of[i] = copy_row(t, i, how);
			if (copy_of[i] == MODEL_NONE)
				return -ENOSPC;
			t->m[copy_of[i]].parent = copy_of[m->parent];
			again = true;
		}
	}
	return root;
}

static void enter(struct model *t, int top, int ns)
{
	EACH(t, i)
	{
		if (is_in(t, i, top))
			t->m[i].ns = ns;
	}
}

static void lock_below(struct model *t, int top)
{
	EACH(t, i)
	t->m[i].locked |= i != top && is_in(t, i, top);
}

/* Put @mnt there, with what is there already on top of it. */
static void place(struct model *t, int mnt, int parent, unsigned dir)
{
	int above = model_child(t, parent, dir), top;

	t->m[mnt].parent = parent;
	t->m[mnt].point = dir;
	if (above == MODEL_NONE)
		return;
	t->m[above].parent = MODEL_NONE;
	top = topmost(t, mnt);
	t->m[above].parent = top;
	t->m[above].point = t->m[top].root;
}

/* --- Mounting and moving --- */

static bool would_cover(const struct model *t, int parent, unsigned dir, int mnt)
{
	return t->m[parent].group && t->m[mnt].root == dir &&
	       distance(t, mnt, t->m[parent].group) >= 0;
}

static int check_source(const struct model *t, int tree, int parent)
{
	const struct model_mount *m = &t->m[tree];

	if (m->ns == MODEL_NONE)
		return 0;
	if (m->ns != t->m[parent].ns || m->parent == MODEL_NONE || m->locked)
		return -EINVAL;
	return t->m[m->parent].group ? -EINVAL : 0;
}

static int check_beneath(const struct model *t, int tree, int parent, unsigned dir)
{
	int above = model_child(t, parent, dir);

	if (above == MODEL_NONE || is_in(t, tree, above) || would_cover(t, parent, dir, above))
		return -EINVAL;
	if (t->m[tree].ns != MODEL_NONE && would_cover(t, parent, dir, tree))
		return -EINVAL;
	return 0;
}

/* A place that a change spreads to, with the copy that will be there. */
struct target {
	int mnt, copy;
};

/* A copy that a member of @group got, or what it is a copy of; MODEL_NONE: there is none. */
static int copy_in(const struct model *t, unsigned group, const struct target *list, int n)
{
	for (int i = 0; i < n; i++) {
		if (t->m[list[i].mnt].group == group)
			return list[i].copy;
	}
	return MODEL_NONE;
}

/* The copy for @q: of what the nearest group has that it receives from, or is in. */
static int copy_for(struct model *t, const struct model *before, int q, const struct target *list,
		    int n)
{
	unsigned g = before->m[q].group ? before->m[q].group : before->m[q].master;
	bool farther = !before->m[q].group;
	int from;

	while ((from = copy_in(before, g, list, n)) == MODEL_NONE) {
		g = model_master_of(before, g);
		farther = true;
	}
	return copy_tree(t, from, t->m[from].root, true, true,
			 !farther             ? SAME
			 : before->m[q].group ? RECEIVES_SENDS
					      : RECEIVES);
}

/*
 * Copies of @list[0].copy for all that a change on (@list[0].mnt, @dir) spreads to, behind it in
 * @list: nearer ones first, because those farther away receive from them. How many there are then.
 */
static int make_copies(struct model *t, unsigned dir, struct target *list)
{
	const struct model before = *t;
	int n = 1, away[MODEL_MOUNTS], most = -1;

	EACH(&before, q)
	{
		away[q] = distance(&before, q, before.m[list[0].mnt].group);
		if (q == list[0].mnt || before.m[q].ns == MODEL_NONE ||
		    !model_is_below(dir, before.m[q].root))
			away[q] = -1;
		most = away[q] > most ? away[q] : most;
	}
	for (int step = 0; step <= most; step++) {
		EACH(&before, q)
		{
			int copy;

			if (away[q] != step)
				continue;
			copy = copy_for(t, &before, q, list, n);
			if (copy < 0)
				return copy;
			enter(t, copy, before.m[q].ns);
			if (model_count(t, before.m[q].ns) > t->max)
				return -ENOSPC;
			list[n++] = (struct target){q, copy};
		}
	}
	return n;
}

static int attach(struct model *t, int tree, int parent, unsigned dir, bool beneath)
{
	struct target list[MODEL_MOUNTS] = {{parent, tree}};
	bool moved = t->m[tree].ns != MODEL_NONE;
	int err = check_source(t, tree, parent), above, n;

	if (!err && beneath)
		err = check_beneath(t, tree, parent, dir);
	if (err)
		return err;
	while (!beneath && (above = model_child(t, parent, dir)) != MODEL_NONE) {
		parent = above;
		dir = t->m[above].root;
	}
	list[0].mnt = parent;
	if (t->m[parent].group && has_unbindable(t, tree))
		return -EINVAL;
	if (is_in(t, parent, tree))
		return -ELOOP;

	if (t->m[parent].group) {
		EACH(t, i)
		{
			if (is_in(t, i, tree))
				make_shared(t, i);
		}
	}
	n = make_copies(t, dir, list);
	if (n < 0)
		return n;
	if (moved)
		t->m[tree].parent = MODEL_NONE;
	enter(t, tree, t->m[parent].ns);
	if (model_count(t, t->m[parent].ns) > t->max && !moved)
		return -ENOSPC;
	above = model_child(t, parent, dir);
	if (above != MODEL_NONE && t->m[above].locked) {
		t->m[above].locked = false;
		t->m[tree].locked = true;
	}
	for (int i = 0; i < n; i++) {
		if (i && t->owner[t->m[list[i].mnt].ns] != t->owner[t->m[parent].ns])
			lock_below(t, list[i].copy);
		place(t, list[i].copy, list[i].mnt, dir);
	}
	return 0;
}

/* What @work says: if it is an error, all is as it was in @before. */
static int decide(struct model *t, const struct model *before, int err)
{
	if (err < 0)
		*t = *before;
	return err < 0 ? err : 0;
}

int model_mount(struct model *t, unsigned fs, int parent, unsigned dir, bool beneath)
{
	const struct model before = *t;
	int tree = new_row(t, (struct model_mount){.fs = fs});

	return decide(t, &before, tree < 0 ? -ENOSPC : attach(t, tree, parent, dir, beneath));
}

static int bindable(const struct model *t, int from, unsigned dir, bool recursive)
{
	if (t->m[from].unbindable || (!recursive && has_locked(t, from, dir)))
		return -EINVAL;
	return 0;
}

int model_bind(struct model *t, int from, unsigned from_dir, bool recursive, int parent,
	       unsigned dir, bool beneath)
{
	const struct model before = *t;
	int tree = bindable(t, from, from_dir, recursive);

	if (!tree)
		tree = copy_tree(t, from, from_dir, recursive, false, SAME);
	return decide(t, &before, tree < 0 ? tree : attach(t, tree, parent, dir, beneath));
}

int model_move(struct model *t, int mnt, int parent, unsigned dir, bool beneath)
{
	const struct model before = *t;

	return decide(t, &before, attach(t, mnt, parent, dir, beneath));
}

/* --- Unmounting --- */

/*
 * Must @mnt, which would go, stay? What goes is marked in @goes. It must if it hides something
 * and what it is on stays; or if what is on it, elsewhere than on its root, stays; or if what goes
 * from there has something on its root that stays, which would come to be there.
 */
static bool must_stay(const struct model *t, int mnt, const bool *goes)
{
	if (t->m[mnt].locked && !goes[t->m[mnt].parent])
		return true;
	EACH(t, i)
	{
		if (t->m[i].parent != mnt || t->m[i].point == t->m[mnt].root)
			continue;
		for (int on = i; on != MODEL_NONE; on = model_child(t, on, t->m[on].root)) {
			if (!goes[on])
				return true;
		}
	}
	return false;
}

/* All that goes with the tree of @top: the most that may. */
static void mark(const struct model *t, int top, bool *goes)
{
	bool given[MODEL_MOUNTS] = {false};
	bool again = true;

	EACH(t, i)
	given[i] = goes[i] = is_in(t, i, top);
	EACH(t, i)
	{
		unsigned group =
			given[i] && t->m[i].parent != MODEL_NONE ? t->m[t->m[i].parent].group : 0;

		if (!group)
			continue;
		EACH(t, c)
		{
			if (t->m[c].parent != MODEL_NONE && t->m[c].point == t->m[i].point &&
			    distance(t, t->m[c].parent, group) >= 0)
				goes[c] = true;
		}
	}
	while (again) {
		again = false;
		EACH(t, i)
		{
			if (goes[i] && !given[i] && must_stay(t, i, goes)) {
				goes[i] = false;
				again = true;
			}
		}
	}
}

int model_umount(struct model *t, int mnt, bool lazy)
{
	bool goes[MODEL_MOUNTS] = {false};
	int up;

	if (t->m[mnt].parent == MODEL_NONE || t->m[mnt].locked)
		return -EINVAL;
	EACH(t, i)
	{
		if (!lazy && t->m[i].parent == mnt)
			return -EBUSY;
	}
	mark(t, mnt, goes);
	/* What is on the root of what goes, and stays, comes to be where that was. */
	EACH(t, i)
	{
		if (goes[i] || t->m[i].parent == MODEL_NONE || !goes[t->m[i].parent])
			continue;
		up = t->m[i].parent;
		while (goes[t->m[up].parent])
			up = t->m[up].parent;
		t->m[i].point = t->m[up].point;
		t->m[i].parent = t->m[up].parent;
	}
	for (int i = 0; i < MODEL_MOUNTS; i++) {
		if (goes[i])
			remove_row(t, i);
	}
	return 0;
}

void model_remove_dir(struct model *t, unsigned fs, unsigned dir)
{
	for (int i = 0; i < MODEL_MOUNTS; i++) {
		const struct model_mount *m = &t->m[i];

		if (m->there && m->parent != MODEL_NONE && t->m[m->parent].fs == fs &&
		    m->point == dir)
			remove_tree(t, i);
	}
}

/* --- Namespaces --- */

static bool is_reachable(const struct model *t, int mnt, unsigned dir, int from)
{
	while (mnt != from && t->m[mnt].parent != MODEL_NONE) {
		dir = t->m[mnt].point;
		mnt = t->m[mnt].parent;
	}
	return mnt == from && model_is_below(dir, t->m[from].root);
}

int model_pivot_root(struct model *t, int new, int root, int old, unsigned old_dir)
{
	int above, parent = t->m[root].parent, was_on = t->m[new].parent;

	while ((above = model_child(t, old, old_dir)) != MODEL_NONE) {
		old = above;
		old_dir = t->m[above].root;
	}
	/* A root is its own parent here. */
	if (t->m[old].group || t->m[was_on == MODEL_NONE ? new : was_on].group ||
	    t->m[parent == MODEL_NONE ? root : parent].group)
		return -EINVAL;
	if (t->m[new].ns != t->m[root].ns || t->m[old].ns != t->m[root].ns || t->m[new].locked)
		return -EINVAL;
	if (new == root || old == root)
		return -EBUSY;
	if (parent == MODEL_NONE || was_on == MODEL_NONE)
		return -EINVAL;
	if (!is_reachable(t, old, old_dir, new) || !is_reachable(t, new, t->m[new].root, root))
		return -EINVAL;
	t->m[new].locked = t->m[root].locked;
	t->m[root].locked = false;
	t->m[new].parent = parent;
	t->m[new].point = t->m[root].point;
	t->m[root].parent = old;
	t->m[root].point = old_dir;
	return 0;
}

static void set_ns(struct model *t, int ns, int root, unsigned owner)
{
	if (t->root[ns] != MODEL_NONE)
		remove_tree(t, t->root[ns]);
	t->root[ns] = root;
	t->owner[ns] = owner;
	enter(t, root, ns);
}

int model_copy_ns(struct model *t, int from, int to, unsigned owner)
{
	bool other = owner != t->owner[from];
	int root = copy_tree(t, t->root[from], t->m[t->root[from]].root, true, true,
			     other ? RECEIVES : SAME);

	if (other)
		lock_below(t, root);
	set_ns(t, to, root, owner);
	return 0;
}

int model_ns_of_tree(struct model *t, int from, int to, unsigned owner, int mnt, unsigned dir)
{
	const struct model before = *t;
	struct model_mount root = t->m[t->root[from]];
	bool locked = owner != t->owner[from];
	int tree = bindable(t, mnt, dir, true), below;
	unsigned n = 0;

	if (!tree)
		tree = copy_tree(t, mnt, dir, true, false, SAME);
	if (tree < 0)
		return decide(t, &before, tree);
	EACH(t, i)
	locked |= t->m[i].locked && i != t->root[from] && is_in(t, topmost(t, t->root[from]), i);
	root.group = root.master = 0;
	root.unbindable = root.locked = false;
	below = new_row(t, root);
	if (locked) {
		lock_below(t, tree);
		t->m[tree].locked = true;
	}
	place(t, tree, below, t->m[below].root);
	EACH(t, i)
	n += is_in(t, i, below);
	if (n > t->max)
		return decide(t, &before, -ENOSPC);
	set_ns(t, to, below, owner);
	return 0;
}
