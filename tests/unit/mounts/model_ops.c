/* See model_ops.h. */
#include "model_ops.h"

#include <stdio.h>

/* How often of 32. */
static const unsigned weights[OPS] = {
	[OP_MOUNT] = 5,   [OP_BENEATH] = 1,    [OP_BIND] = 5,       [OP_MOVE] = 3,
	[OP_UMOUNT] = 7,  [OP_KIND] = 5,       [OP_SET_GROUP] = 2,  [OP_PIVOT] = 1,
	[OP_COPY_NS] = 1, [OP_NS_OF_TREE] = 1, [OP_REMOVE_DIR] = 1,
};

void model_op_choose(struct model_op *op, unsigned (*random)(void *arg, unsigned below), void *arg)
{
	unsigned n = random(arg, 32);

	op->what = 0;
	while (n >= weights[op->what])
		n -= weights[op->what++];
	op->x = random(arg, 1u << 16);
	for (unsigned i = 0; i < 3; i++)
		op->ns[i] = random(arg, 1u << 16);
	for (unsigned i = 0; i < 2; i++) {
		op->mount[i] = random(arg, 1u << 16);
		op->choice[i] = random(arg, 1u << 16);
	}
	if (op->x & 1u << 15)
		op->ns[1] = op->ns[0];
}

/* Namespaces are there without gaps from the first on. */
static unsigned namespaces(const struct model *t)
{
	unsigned n = 0;

	while (n < MODEL_NAMESPACES && t->root[n] != MODEL_NONE)
		n++;
	return n;
}

/* The @n-th mount of the tree at @top, in the order of directories: parents first. */
static int count_to(const struct model *t, int top, unsigned *n)
{
	if (!(*n)--)
		return top;
	for (unsigned dir = 0; dir < MODEL_DIRS; dir++) {
		int child = model_child(t, top, dir);
		int found = child < 0 ? MODEL_NONE : count_to(t, child, n);

		if (found != MODEL_NONE)
			return found;
	}
	return MODEL_NONE;
}

void model_op_find(const struct model *t, const struct model_op *op, struct model_where *at)
{
	for (unsigned i = 0; i < 2; i++) {
		unsigned ns = op->ns[i] % namespaces(t), dir = op->choice[i] % MODEL_DIRS;
		unsigned n = op->mount[i] % model_count(t, (int)ns);

		at->mount[i] = count_to(t, t->root[ns], &n);
		while (!model_is_below(dir, t->m[at->mount[i]].root))
			dir = (dir + 1) % MODEL_DIRS;
		at->dir[i] = dir;
	}
	at->ns = (int)(op->ns[2] % (namespaces(t) + 1) % MODEL_NAMESPACES);
}

int model_op_make(struct model *t, const struct model_op *op, const struct model_where *at)
{
	int a = at->mount[0], b = at->mount[1];
	unsigned a_dir = at->dir[0], b_dir = at->dir[1];
	int from = t->m[a].ns, to = at->ns;

	switch (op->what) {
	case OP_MOUNT:
	case OP_BENEATH:
		return model_mount(t, op_fs(op), b, b_dir, op->what == OP_BENEATH);
	case OP_BIND:
		return model_bind(t, a, a_dir, op_recursive(op), b, b_dir, false);
	case OP_MOVE:
		return model_move(t, a, b, b_dir, op_lazy(op));
	case OP_UMOUNT:
		return model_umount(t, a, op_lazy(op));
	case OP_KIND:
		return model_set_kind(t, a, op_kind(op), op_recursive(op));
	case OP_SET_GROUP:
		return model_set_group(t, a, b);
	case OP_PIVOT:
		return model_pivot_root(t, a, b, a, a_dir);
	case OP_COPY_NS:
		return model_copy_ns(t, from, to, op_owner(op));
	case OP_NS_OF_TREE:
		return model_ns_of_tree(t, from, to, op_owner(op), a, a_dir);
	default:
		model_remove_dir(t, t->m[a].fs, a_dir);
		return 0;
	}
}

/* --- In words --- */

void model_op_print(const struct model_op *op, const struct model_where *at)
{
	static const char *const names[OPS] = {"mount",      "mount beneath", "bind",
					       "move",       "umount",        "set kind of",
					       "set group",  "pivot_root",    "copy of ns",
					       "ns of tree", "remove dir"};

	printf("  %-13s (%d, %u) (%d, %u) fs %u kind %u%s%s owner %u ns %d\n", names[op->what],
	       at->mount[0], at->dir[0], at->mount[1], at->dir[1], op_fs(op), (unsigned)op_kind(op),
	       op_recursive(op) ? " recursive" : "", op_lazy(op) ? " lazy" : "", op_owner(op),
	       at->ns);
}

void model_print(const struct model *t)
{
	for (int i = 0; i < MODEL_MOUNTS; i++) {
		const struct model_mount *m = &t->m[i];

		if (!m->there)
			continue;
		printf("    ns %d: mount %d on (%d, %u) of fs %u from %u", m->ns, i, m->parent,
		       m->point, m->fs, m->root);
		printf(" shared %u master %u%s%s\n", m->group, m->master,
		       m->locked ? " locked" : "", m->unbindable ? " unbindable" : "");
	}
}
