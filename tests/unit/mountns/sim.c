/* See sim.h. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK_BYTES (256 * KiB)
#define TURNS       4000
#define TEXT_BYTES  (1u << 16)

struct sim sim;
struct fiber_loop sim_loop;
struct shard_loopback *sim_net;

static u64 clock_ns;

static u64 now_ns(void *arg)
{
	(void)arg;
	return clock_ns++;
}

static u64 wait_events(void *arg, u64 mask, u64 deadline_ns)
{
	(void)arg;
	(void)mask;
	if (deadline_ns != FIBER_FOREVER && deadline_ns > clock_ns)
		clock_ns = deadline_ns;
	return 0;
}

static const struct fiber_io io = {.now_ns = now_ns, .wait_events = wait_events};

struct started {
	struct fiber fiber;
	_Alignas(16) u8 stack[STACK_BYTES];
};

static void ended(struct fiber *fiber)
{
	free(container_of(fiber, struct started, fiber));
}

void sim_start(void (*entry)(void *arg), void *arg)
{
	struct started *s = malloc(sizeof(*s));

	REQUIRE(s != NULL);
	CHECK_EQUAL(fiber_start(&sim_loop, &s->fiber, s->stack, STACK_BYTES, entry, arg, ended), 0);
}

void sim_settle(void)
{
	for (u32 i = 0; i < TURNS; i++)
		fiber_yield(&sim_loop);
}

/* What was told before is heard. */
static void sim_yield(void)
{
	for (u32 i = 0; i < 200; i++)
		fiber_yield(&sim_loop);
}

u32 sim_pick(u32 n)
{
	return (u32)(unit_random(&sim.random) >> 32) % n;
}

/* --- A core --- */

static int arrived(void *ctx, struct mount_ns *ns)
{
	(void)ctx;
	(void)ns;
	return 0;
}

static void pivoted(void *ctx, struct mount *from, struct mount *to)
{
	(void)ctx;
	CHECK(from->ns && from->ns == to->ns);
}

static void ns_ended(void *arg, struct mount_ns *ns)
{
	mountns_ended(((struct core *)arg)->m, ns);
}

static void touched(void *arg)
{
	mountns_touched(((struct core *)arg)->m);
}

static void core_begin(u32 i)
{
	struct core *c = &sim.core[i];
	struct mountns_env env = {.arrived = arrived, .pivoted = pivoted, .ctx = c};

	world_begin(&c->w);
	env.refs = world_refs(&c->w);
	mounts_set_max(c->w.all, SIM_MOUNTS_MAX);
	c->w.ns_ids |= (u64)i << MOUNTS_CORE_SHIFT;
	c->m = mountns_new(c->w.all, &env);
	REQUIRE(c->m != NULL);
	REQUIRE(!mountns_connect(c->m, shard_loopback_net(sim_net, i), &sim_loop));
	REQUIRE(!mountns_first(c->m, c->w.ns));
	c->w.ended = ns_ended;
	c->w.touched = touched;
	c->w.arg = c;
}

static void begin(void)
{
	const char *seed = getenv("SKERRY_SEED");

	memset(&sim, 0, sizeof(sim));
	sim.random = seed ? strtoul(seed, NULL, 0) | 1 : 20261123;
	for (u32 i = 0; i < SIM_CORES; i++)
		core_begin(i);
	world_begin(&sim.model);
	mounts_set_max(sim.model.all, SIM_MOUNTS_MAX);
	sim.id[0] = sim.model.ns->node.key;
	sim.core[0].slot[0] = mounts_ns_get(sim.core[0].w.ns);
	sim.model_slot[0] = mounts_ns_get(sim.model.ns);
}

static void end(void)
{
	for (u32 i = 0; i < SIM_CORES; i++) {
		struct core *c = &sim.core[i];

		if (c->used)
			mount_put(c->used);
		for (u32 slot = 0; slot < SIM_SLOTS; slot++)
			sim_leave(i, slot);
		if (sim.model_used[i])
			mount_put(sim.model_used[i]);
	}
	for (u32 slot = 0; slot < SIM_SLOTS; slot++) {
		if (sim.model_slot[slot])
			mounts_ns_put(sim.model_slot[slot]);
	}
	for (u32 i = 1; i < SIM_CORES; i++) {
		mounts_ns_put(sim.core[i].w.ns);
		sim.core[i].w.ns = NULL;
	}
	sim_settle();
}

static void end_worlds(void)
{
	for (u32 i = 0; i < SIM_CORES; i++) {
		if (sim.core[i].dead) { /* what it had is nobody's */
			continue;
		}
		world_end(&sim.core[i].w);
		mountns_free(sim.core[i].m);
	}
	world_end(&sim.model);
}

static void run_test(void *arg)
{
	void (**test)(void) = arg;

	begin();
	(*test)();
	sim_settle();
	end();
	shard_loopback_free(sim_net);
}

void sim_run(void (*test)(void))
{
	fiber_loop_init(&sim_loop, &io, NULL);
	sim_net = shard_loopback_new(&sim_loop, SIM_CORES);
	REQUIRE(sim_net != NULL);
	sim_start(run_test, &test);
	CHECK_EQUAL(fiber_loop_run(&sim_loop), 0);
	end_worlds();
}

/* --- Slots --- */

void sim_leave(u32 core, u32 slot)
{
	struct mount_ns *ns = sim.core[core].slot[slot];

	sim.core[core].slot[slot] = NULL;
	if (ns)
		mounts_ns_put(ns);
}

struct mount_ns *sim_open(u32 core, u32 slot)
{
	struct mount_ns *ns, **at = &sim.core[core].slot[slot];
	u64 id = sim.id[slot];

	if (*at && (*at)->node.key != id)
		sim_leave(core, slot);
	if (*at || !id)
		return *at;
	if (mountns_open(sim.core[core].m, MOUNTNS_ANY, id, &ns))
		return NULL;
	if (*at || sim.id[slot] != id) /* somebody was faster */
		mounts_ns_put(ns);
	else
		*at = ns;
	return *at;
}

void sim_replace(u32 core, u32 slot, struct mount_ns *ns)
{
	sim.id[slot] = ns->node.key;
	for (u32 i = 0; i < SIM_CORES; i++) {
		if (!sim.core[i].dead)
			sim_leave(i, slot);
	}
	sim.core[core].slot[slot] = ns;
}

void sim_forget_unused(void)
{
	for (u32 slot = 0; slot < SIM_SLOTS; slot++) {
		bool used = sim.core[0].w.ns && sim.core[0].w.ns->node.key == sim.id[slot];

		for (u32 i = 0; i < SIM_CORES; i++)
			used |= sim.core[i].slot[slot] != NULL;
		if (used || !sim.model_slot[slot])
			continue;
		mounts_ns_put(sim.model_slot[slot]);
		sim.model_slot[slot] = NULL;
		sim.id[slot] = 0;
	}
	sim_yield();
}

/* --- Checks --- */

static void require_same(const char *have, const char *want, const char *what, u32 slot)
{
	if (!strcmp(have, want))
		return;
	printf("%s, slot %u: have\n%swant\n%s", what, slot, have, want);
	REQUIRE(!what);
}

static u32 find_home(u32 slot)
{
	u32 home = SIM_CORES;

	for (u32 i = 0; i < SIM_CORES; i++) {
		const struct mount_ns *ns = mounts_ns_find(sim.core[i].w.all, sim.id[slot]);

		if (sim.core[i].dead || !ns || ns->far)
			continue;
		if (ns == sim.core[i].w.ns && i) /* never opened there */
			continue;
		CHECK(home == SIM_CORES);
		home = i;
	}
	return home;
}

void sim_check_replicas(void)
{
	static char at_home[TEXT_BYTES], here[TEXT_BYTES];

	for (u32 slot = 0; slot < SIM_SLOTS; slot++) {
		u32 home = sim.id[slot] ? find_home(slot) : SIM_CORES;
		struct mount_ns *ns;

		if (home == SIM_CORES)
			continue;
		ns = mounts_ns_find(sim.core[home].w.all, sim.id[slot]);
		world_describe_ns(&sim.core[home].w, ns, at_home, sizeof(at_home));
		for (u32 i = 0; i < SIM_CORES; i++) {
			const struct mount_ns *replica = sim.core[i].slot[slot];

			if (sim.core[i].dead || !replica || replica->node.key != sim.id[slot])
				continue;
			CHECK(i == home || replica->far);
			world_describe_ns(&sim.core[i].w, replica, here, sizeof(here));
			require_same(here, at_home, "replica", slot);
		}
	}
	for (u32 i = 0; i < SIM_CORES; i++) {
		if (!sim.core[i].dead)
			world_check(&sim.core[i].w);
	}
}

/* Groups by the order in which they are met. */
struct groups {
	u32 id[4096];
	u32 n;
};

static u32 number_of_group(struct groups *g, const struct mount_group *group)
{
	if (!group)
		return 0;
	for (u32 i = 0; i < g->n; i++) {
		if (g->id[i] == group->id)
			return i + 1;
	}
	g->id[g->n++] = group->id;
	return g->n;
}

static int where(const struct world *w, const struct dentry *dir)
{
	return dir ? (int)((u32)(dir->sb - w->fs) * WORLD_DIRS + (u32)(dir - dir->sb->dir)) : -1;
}

static size_t describe(const struct world *w, const struct mount_ns *ns, struct groups *g,
		       char *buf, size_t size)
{
	size_t n = 0;

	for (struct mount *m = ns->root; m; m = mounts_next(m, ns->root)) {
		n += (size_t)snprintf(buf + n, size - n, "%d on %d of %d: %x %u %u\n",
				      where(w, m->root), where(w, m->point),
				      m->parent ? where(w, m->parent->root) : -1,
				      m->flags & ~MOUNT_MARKED, number_of_group(g, m->group),
				      number_of_group(g, mount_master(m)));
		REQUIRE(n < size);
	}
	return n;
}

void sim_check_model(void)
{
	static char want[TEXT_BYTES], have[TEXT_BYTES];
	static struct groups want_groups, have_groups;

	want_groups.n = have_groups.n = 0;
	for (u32 slot = 0; slot < SIM_SLOTS; slot++) {
		u32 home = sim.id[slot] ? find_home(slot) : SIM_CORES;

		if (!sim.model_slot[slot])
			continue;
		REQUIRE(home < SIM_CORES);
		describe(&sim.model, sim.model_slot[slot], &want_groups, want, sizeof(want));
		describe(&sim.core[home].w, mounts_ns_find(sim.core[home].w.all, sim.id[slot]),
			 &have_groups, have, sizeof(have));
		require_same(have, want, "model", slot);
	}
}
