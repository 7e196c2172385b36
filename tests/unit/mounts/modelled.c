/*
 * Random changes, of a world and of the model (model.h): after each, both have the same namespaces,
 * and both have refused the same for the same reason. A row of changes after which they have not is
 * made shorter for as long as they still differ, and shown.
 */
#include "model_ops.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unit.h>

#define MOUNTS_MAX 40u

struct both {
	struct world w;
	struct model t;
	struct mount_ns *ns[MODEL_NAMESPACES];
	struct mount *mount[MODEL_MOUNTS]; /* by row */
	u32 done, refused;
};

static struct both both;

/* --- Are they the same? --- */

struct names {
	u32 of_model[2 * MODEL_MOUNTS], of_world[2 * MODEL_MOUNTS];
	u32 n;
};

static bool same_name(struct names *g, u32 model, const struct mount_group *group)
{
	u32 world = group ? group->id : 0;

	for (u32 i = 0; i < g->n; i++) {
		if (g->of_model[i] == model || g->of_world[i] == world)
			return g->of_model[i] == model && g->of_world[i] == world;
	}
	g->of_model[g->n] = model;
	g->of_world[g->n++] = world;
	return !model == !world;
}

static bool same_mount(int row, const struct mount *mnt, struct names *g)
{
	const struct model_mount *m = &both.t.m[row];
	const struct superblock *sb = &both.w.fs[m->fs];

	return mnt->sb == sb && mnt->root == &sb->dir[m->root] &&
	       same_name(g, m->group, mnt->group) && same_name(g, m->master, mount_master(mnt)) &&
	       m->locked == !!(mnt->flags & MOUNT_LOCKED) &&
	       m->unbindable == !!(mnt->flags & MOUNT_UNBINDABLE);
}

static bool same_tree(int row, struct mount *mnt, struct names *g)
{
	u32 n = 0;

	if (!same_mount(row, mnt, g))
		return false;
	both.mount[row] = mnt;
	for (u32 dir = 0; dir < WORLD_DIRS; dir++) {
		int child = model_child(&both.t, row, dir);
		struct mount *c = on(mnt, dir);

		if ((child < 0) != !c)
			return false;
		if (c && !same_tree(child, c, g))
			return false;
		n += c != NULL;
	}
	return n == mnt->nchildren;
}

static bool same(void)
{
	struct names g = {.n = 1}; /* none is none */

	for (u32 i = 0; i < MODEL_NAMESPACES; i++) {
		if ((both.t.root[i] < 0) != !both.ns[i])
			return false;
		if (both.ns[i] && !same_tree(both.t.root[i], both.ns[i]->root, &g))
			return false;
	}
	return true;
}

/* --- The same changes in the world --- */

static int put_on(struct mount *tree, struct mount *parent, struct dentry *dir, bool beneath)
{
	int err = mounts_attach(tree, parent, dir, beneath ? ATTACH_BENEATH : 0);

	if (err)
		mounts_drop(tree);
	return err;
}

static int bind(const struct model_op *op, struct mount *const *m, struct dentry *const *dir)
{
	struct mount *tree;
	int err = mounts_copy(m[0], dir[0], op_recursive(op) ? COPY_RECURSIVE : 0, &tree);

	return err ? err : put_on(tree, m[1], dir[1], false);
}

static int replace(const struct model_op *op, struct mount *mnt, struct dentry *dir, int ns)
{
	struct mount_ns **to = &both.ns[ns], *new;
	void *owner = &both.w.owners[op_owner(op)];
	struct mount *tree;
	int err;

	if (op->what == OP_COPY_NS) {
		err = mounts_ns_copy(mnt->ns, owner, &new);
	} else {
		err = mounts_copy(mnt, dir, COPY_RECURSIVE, &tree);
		if (err)
			return err;
		err = mounts_ns_of_tree(mnt->ns, owner, tree, &new);
		if (err)
			mounts_drop(tree);
	}
	if (!err && new->nmounts > MOUNTS_MAX) {
		mounts_ns_put(new);
		err = -ENOSPC;
	}
	if (err)
		return err;
	if (*to)
		mounts_ns_put(*to);
	*to = new;
	return 0;
}

static int make_in_world(const struct model_op *op, const struct model_where *at)
{
	static const enum mount_kind kinds[] = {MOUNT_PRIVATE, MOUNT_SHARED, MOUNT_SLAVE,
						MOUNT_KIND_UNBINDABLE};
	struct superblock *sb = &both.w.fs[op_fs(op)];
	struct mount *m[2], *new;
	struct dentry *dir[2];

	for (u32 i = 0; i < 2; i++) {
		m[i] = both.mount[at->mount[i]];
		dir[i] = dir_at(m[i], at->dir[i]);
	}
	switch (op->what) {
	case OP_MOUNT:
	case OP_BENEATH:
		new = mounts_new(both.w.all, sb, &sb->dir[ROOT], NULL, 0);
		REQUIRE(new != NULL);
		return put_on(new, m[1], dir[1], op->what == OP_BENEATH);
	case OP_BIND:
		return bind(op, m, dir);
	case OP_MOVE:
		return mounts_attach(m[0], m[1], dir[1], op_lazy(op) ? ATTACH_BENEATH : 0);
	case OP_UMOUNT:
		return mounts_umount(m[0], 0, op_lazy(op) ? UMOUNT_LAZY : 0);
	case OP_KIND:
		return mounts_set_kind(m[0], kinds[op_kind(op)], op_recursive(op));
	case OP_SET_GROUP:
		return mounts_set_group(m[0], m[1]);
	case OP_PIVOT:
		return mounts_pivot_root(m[0], m[1], m[0], dir[0]);
	case OP_REMOVE_DIR:
		mounts_dir_removed(both.w.all, dir[0]);
		return 0;
	default:
		return replace(op, m[0], dir[0], at->ns);
	}
}

/* --- Rows of changes --- */

static void begin(void)
{
	memset(&both, 0, sizeof(both));
	world_begin(&both.w);
	mounts_set_max(both.w.all, MOUNTS_MAX);
	both.ns[0] = both.w.ns;
	both.w.ns = NULL;
	model_begin(&both.t, MOUNTS_MAX);
	CHECK(same());
}

static void end(void)
{
	for (u32 i = 0; i < MODEL_NAMESPACES; i++) {
		if (both.ns[i])
			mounts_ns_put(both.ns[i]);
	}
	world_end(&both.w);
}

/* Make a change; false: then they differ. @print: say what is done. */
static bool make(const struct model_op *op, bool print)
{
	struct model_where at;
	int err, want;

	model_op_find(&both.t, op, &at);
	err = make_in_world(op, &at);
	want = model_op_make(&both.t, op, &at);
	if (print)
		model_op_print(op, &at);
	if (print && err != want)
		printf("    %d, the model says %d\n", err, want);
	both.done += !err;
	both.refused += err != 0;
	return err == want && same();
}

/* How many changes of @list there are until they differ; @n + 1: they do not. */
static u32 differ_after(const struct model_op *list, u32 n)
{
	u32 i = 0;

	begin();
	while (i < n && make(&list[i], false))
		i++;
	end();
	return i + 1;
}

/* Leave out what is not needed for them to differ. */
static u32 shorten(struct model_op *list, u32 n)
{
	struct model_op *fewer = malloc(n * sizeof(*fewer));

	REQUIRE(fewer != NULL);
	for (u32 piece = n / 2; piece; piece /= 2) {
		for (u32 at = 0; at + piece <= n;) {
			u32 until;

			memcpy(fewer, list, at * sizeof(*list));
			memcpy(fewer + at, list + at + piece, (n - at - piece) * sizeof(*list));
			until = differ_after(fewer, n - piece);
			if (until > n - piece) {
				at += piece;
				continue;
			}
			n = until;
			memcpy(list, fewer, n * sizeof(*list));
		}
	}
	free(fewer);
	return n;
}

static void show(const struct model_op *list, u32 n)
{
	begin();
	for (u32 i = 0; i < n; i++) {
		if (i + 1 == n) {
			printf("  before the last change:\n");
			model_print(&both.t);
		}
		(void)make(&list[i], true);
	}
	printf("  then, in the model:\n");
	model_print(&both.t);
	end();
}

static unsigned pick(void *arg, unsigned below)
{
	return (unsigned)(unit_random(arg) >> 32) % below;
}

static bool run(u64 seed, u32 n)
{
	struct model_op *list = malloc(n * sizeof(*list));
	u32 at = 0;
	bool ok = true;

	REQUIRE(list != NULL);
	begin();
	while (ok && at < n) {
		model_op_choose(&list[at], pick, &seed);
		ok = make(&list[at++], false);
		if (at % 16 == 0)
			world_check(&both.w);
	}
	end();
	if (!ok) {
		at = shorten(list, at);
		show(list, at);
	}
	free(list);
	return ok;
}

static u64 number(const char *name, u64 usual)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : usual;
}

TEST(random_changes_are_as_the_model_says)
{
	u64 seed = number("SKERRY_SEED", 20261123), rows = number("SKERRY_ROWS", 20);
	u32 steps = (u32)number("SKERRY_STEPS", 500);
	u64 done = 0, refused = 0;

	for (u64 i = 0; i < rows; i++) {
		bool ok = run((seed + i) * 2 + 1, steps);

		CHECK(ok);
		done += both.done;
		refused += both.refused;
		if (!ok) {
			printf("seed %lu\n", seed + i);
			return;
		}
	}
	printf("%lu changes, %lu refused\n", done, refused);
	CHECK(done > refused / 4);
}
