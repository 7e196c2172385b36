/*
 * Random changes from random cores: one at a time, beside one instance of lib/mounts that does the
 * same; then many at a time; then while cores die.
 */
#include "sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What is to be done: chosen by the numbers of slots, mounts (in order) and directories. */
struct op {
	u32 what, core, x;
	u32 slot[2], mount[2], dir[2], to;
};

/* The same, where it is to be done. */
struct place {
	struct core *c; /* NULL: the model */
	struct world *w;
	struct mount_ns **slots;
	struct mount *m[2];
	struct dentry *dir[2];
};

static void choose(struct op *op)
{
	*op = (struct op){
		.what = sim_pick(20), .core = sim_pick(SIM_CORES), .x = sim_pick(1u << 16)};
	for (u32 i = 0; i < 2; i++) {
		op->slot[i] = sim_pick(SIM_SLOTS);
		op->mount[i] = sim_pick(1u << 16);
		op->dir[i] = sim_pick(1u << 16);
	}
	if (sim_pick(2))
		op->slot[1] = op->slot[0];
	op->to = sim_pick(SIM_SLOTS);
}

static void pick(struct place *p, const struct op *op, u32 i)
{
	struct mount_ns *ns = p->slots[op->slot[i]];
	const struct dentry *up;
	u32 dir = op->dir[i];

	p->m[i] = ns->root;
	for (u32 n = op->mount[i] % ns->nmounts; n; n--)
		p->m[i] = mounts_next(p->m[i], ns->root);
	do {
		p->dir[i] = dir_at(p->m[i], dir++ % WORLD_DIRS);
		for (up = p->dir[i]; up && up != p->m[i]->root;)
			up = up->parent;
	} while (!up);
	mount_get(p->m[i]);
}

/* --- Each change, here or in the model --- */

static int attach(const struct place *p, struct mount *tree, u32 how)
{
	void *owner = &p->w->owners[0];

	return p->c ? mountns_attach(p->c->m, tree, p->m[1], p->dir[1], how, owner)
		    : mounts_attach(tree, p->m[1], p->dir[1], how);
}

static int mount_new(const struct place *p, const struct op *op)
{
	struct superblock *sb = &p->w->fs[op->x / 8 % WORLD_FILESYSTEMS];
	struct mount *tree = mounts_new(p->w->all, sb, &sb->dir[ROOT], NULL, 0);
	int err;

	REQUIRE(tree != NULL);
	err = attach(p, tree, op->x & 7 ? 0 : ATTACH_BENEATH);
	if (err)
		mounts_drop(tree);
	return err;
}

static int copy(const struct place *p, const struct op *op, struct mount **tree)
{
	u32 how = op->x & 8 ? COPY_RECURSIVE : 0;

	return p->c ? mountns_copy(p->c->m, p->m[0], p->dir[0], how, &p->w->owners[0], tree)
		    : mounts_copy(p->m[0], p->dir[0], how, tree);
}

static int bind(const struct place *p, const struct op *op)
{
	struct mount_ns *way;
	struct mount *tree;
	int err = copy(p, op, &tree);

	if (err)
		return err;
	way = tree->ns;
	err = attach(p, tree, 0);
	if (way)
		mounts_ns_put(way);
	else if (err)
		mounts_drop(tree);
	return err;
}

static int set_attr(const struct place *p, const struct op *op)
{
	struct mountns_attr a = {.recursive = op->x & 64};

	if (op->x & 3) {
		a.has_kind = true;
		a.kind = op->x / 4 % 7 == 3 ? MOUNT_KIND_UNBINDABLE : op->x / 4 % 3;
	} else {
		a.set = MOUNT_NOSUID;
		a.clear = MOUNT_NODEV;
	}
	if (p->c)
		return mountns_set_attr(p->c->m, p->m[0], &a);
	if (a.has_kind)
		return mounts_set_kind(p->m[0], a.kind, a.recursive);
	for (struct mount *m = p->m[0]; m; m = a.recursive ? mounts_next(m, p->m[0]) : NULL) {
		if (mounts_check_flags(m, (m->flags & ~a.clear) | a.set))
			return -EPERM;
	}
	for (struct mount *m = p->m[0]; m; m = a.recursive ? mounts_next(m, p->m[0]) : NULL)
		mounts_set_flags(m, (m->flags & ~a.clear) | a.set);
	return 0;
}

static int new_namespace(const struct place *p, const struct op *op, struct mount_ns **out)
{
	struct mount_ns *from = p->slots[op->slot[0]], *way;
	void *owner = &p->w->owners[op->x / 16 % 3];
	struct mount *none[2] = {NULL, NULL}, *tree;
	int err;

	if (op->x & 4096) {
		err = p->c ? mountns_ns_copy(p->c->m, from, owner,
					     (struct mount * *[2]){&none[0], &none[1]}, out)
			   : mounts_ns_copy(from, owner, out);
		return err;
	}
	err = copy(p, op, &tree);
	if (err)
		return err;
	way = tree->ns;
	err = p->c ? mountns_ns_of_tree(p->c->m, from, owner, tree, out)
		   : mounts_ns_of_tree(from, owner, tree, out);
	if (way)
		mounts_ns_put(way);
	else if (err)
		mounts_drop(tree);
	return err;
}

static int make(const struct place *p, const struct op *op)
{
	struct mount_ns *ns;
	int err = new_namespace(p, op, &ns);

	if (err)
		return err;
	if (p->c) {
		sim_replace(op->core, op->to, ns);
	} else {
		if (sim.model_slot[op->to])
			mounts_ns_put(sim.model_slot[op->to]);
		sim.model_slot[op->to] = ns;
	}
	return 0;
}

/* Somebody's working directory is there. */
static int use(const struct place *p, const struct op *op)
{
	struct mount **at = p->c ? &p->c->used : &sim.model_used[op->core], *old = *at;

	*at = mount_get(p->m[0]);
	if (old)
		mount_put(old);
	return 0;
}

static int change(const struct place *p, const struct op *op)
{
	struct mountns *m = p->c ? p->c->m : NULL;
	u32 lazy = op->x & 1 ? UMOUNT_LAZY : 0;

	switch (op->what) {
	case 0:
	case 1:
	case 2:
	case 3:
		return mount_new(p, op);
	case 4:
	case 5:
		return bind(p, op);
	case 6:
		return attach(p, p->m[0], 0);
	case 7:
	case 8:
	case 9:
	case 10:
		return m ? mountns_umount(m, p->m[0], 1 + (p->m[0] == p->m[1]), lazy)
			 : mounts_umount(p->m[0], 1 + (p->m[0] == p->m[1]), lazy);
	case 11:
	case 12:
	case 13:
	case 14:
		return set_attr(p, op);
	case 15:
		return m ? mountns_set_group(m, p->m[0], p->m[1])
			 : mounts_set_group(p->m[0], p->m[1]);
	case 16:
		return m ? mountns_pivot_root(m, p->m[0], p->m[1], p->m[0], p->dir[0])
			 : mounts_pivot_root(p->m[0], p->m[1], p->m[0], p->dir[0]);
	case 17:
		return use(p, op);
	default:
		return make(p, op);
	}
}

static int change_at(struct place *p, const struct op *op)
{
	int err;

	if (op->what >= 6 && op->what < 18 && op->what != 15 && op->what != 16 && !p->m[0])
		return -ENOENT;
	err = change(p, op);
	mount_put(p->m[0]);
	mount_put(p->m[1]);
	return err;
}

/* Do it on the core that was chosen. -ENOENT: there is no such namespace any more. */
static int do_there(const struct op *op)
{
	struct core *c = &sim.core[op->core];
	struct place p = {.c = c, .w = &c->w, .slots = c->slot};

	if (!sim_open(op->core, op->slot[0]) || !sim_open(op->core, op->slot[1]))
		return -ENOENT;
	if (!c->slot[op->slot[0]] || !c->slot[op->slot[0]]->nmounts ||
	    !c->slot[op->slot[1]]->nmounts)
		return -ENOENT;
	pick(&p, op, 0);
	pick(&p, op, 1);
	return change_at(&p, op);
}

static int do_in_model(const struct op *op)
{
	struct place p = {.w = &sim.model, .slots = sim.model_slot};

	if (!p.slots[op->slot[0]] || !p.slots[op->slot[1]])
		return -ENOENT;
	pick(&p, op, 0);
	pick(&p, op, 1);
	return change_at(&p, op);
}

static u32 steps(u32 usual)
{
	const char *s = getenv("SKERRY_STEPS");

	return s ? (u32)strtoul(s, NULL, 0) : usual;
}

/* --- One at a time --- */

static void one_at_a_time(void)
{
	for (u32 i = steps(4000); i; i--) {
		struct op op;
		int err, want;

		choose(&op);
		err = do_there(&op);
		want = do_in_model(&op);
		CHECK_EQUAL(err, want);
		sim.done += !err;
		sim.refused += !!err;
		if (sim_pick(4) == 0)
			sim_leave(sim_pick(SIM_CORES), op.slot[0]);
		if (err != want) {
			printf("change %u on core %u, slots %u %u: %d, not %d\n", op.what, op.core,
			       op.slot[0], op.slot[1], err, want);
			return;
		}
		sim_forget_unused();
		sim_check_replicas();
		sim_check_model();
	}
	CHECK(sim.done > sim.refused / 8);
	printf("%u changes, %u refused\n", sim.done, sim.refused);
}

TEST(changes_from_any_core_are_as_if_there_was_one)
{
	sim_run(one_at_a_time);
}
