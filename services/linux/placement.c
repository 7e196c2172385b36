/* See placement.h. */
#include "placement.h"
#include "affinity.h"
#include "boot.h"
#include "bootwords.h"
#include "move.h"
#include "sched.h"
#include "shard.h"
#include "topology.h"

#include <errno.h>
#include <rt/rt.h>
#include <skerry/shard/control.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_NS    500000000ul  /* that a core was idle so long ago says something */
#define FIRST_NS    50000000ul   /* between two looks at whether this core is idle ... */
#define LAST_NS     5000000000ul /* ... growing to this while it is */
#define FAR_PENALTY 256u         /* of a core of another node, by distance */

static u64 *idle_ns; /* when each core last said that it is idle; 0: never */
static u32 *nearest; /* the other cores, the nearest first */
static u32 nothers;
static bool balance; /* linux.balance=1 */
static u64 spread;   /* state of chance; 0: no spreading */

/* How far @core is: the distance of its node, then that in numbers. */
static u32 distance_to(u32 core)
{
	u32 self = linux_core();
	u32 far = topology_distance(topology_place(self).node, topology_place(core).node);

	return far * FAR_PENALTY * 2 + (core > self ? core - self : self - core);
}

static int nearer(const void *a, const void *b)
{
	u32 x = distance_to(*(const u32 *)a), y = distance_to(*(const u32 *)b);

	return x < y ? -1 : x > y;
}

/* ---- choosing ---- */

static u64 chance(void)
{
	spread ^= spread >> 12;
	spread ^= spread << 25;
	spread ^= spread >> 27;
	return spread * 0x2545f4914f6cdd1d;
}

/* One of @cpus by chance. */
static u32 any_of(const struct cpu_set *cpus)
{
	u32 n = 0, pick;

	for (u32 i = 0; i < linux_cores(); i++)
		n += cpu_set_has(cpus, i);
	pick = n ? (u32)(chance() >> 33) % n : 0;
	for (u32 i = 0; i < linux_cores(); i++) {
		if (cpu_set_has(cpus, i) && !pick--)
			return i;
	}
	return linux_core();
}

/* The nearest of @cpus that was idle lately; this core if there is none. Its news is used up. */
static u32 idle_one(const struct cpu_set *cpus)
{
	u64 now = clock_now_ns();

	for (u32 i = 0; i < nothers; i++) {
		u32 core = nearest[i];

		if (!cpu_set_has(cpus, core) || !idle_ns[core] || now - idle_ns[core] > FRESH_NS)
			continue;
		idle_ns[core] = 0;
		return core;
	}
	return linux_core();
}

void placement_obey(struct process *p, const struct cpu_set *cpus)
{
	u32 core = linux_core();

	if (cpu_set_has(cpus, core) || !shards)
		return;
	core = idle_one(cpus);
	for (u32 i = 0; i < nothers && !cpu_set_has(cpus, core); i++)
		core = nearest[i];
	process_move(p, core);
}

static void go_by_chance(struct process *p)
{
	struct cpu_set cpus;

	if (p->pid != 1 && affinity_of_process(p, &cpus))
		process_move(p, any_of(&cpus));
}

void placement_forked(struct process *p)
{
	if (spread)
		go_by_chance(p);
}

static bool wants_to_run(const struct process *p)
{
	for (const struct thread *t = p->threads; t; t = t->next) {
		if (t->queued)
			return true;
	}
	return false;
}

/* How many threads want to run here, without the parent of @p: it is about to wait for it. */
static u32 load_beside(const struct process *p)
{
	return sched_runnable() - (p->parent && !p->parent->far && wants_to_run(p->parent));
}

void placement_execed(struct process *p)
{
	struct cpu_set cpus;
	u32 core;

	if (spread) {
		go_by_chance(p);
		return;
	}
	if (!balance || !shards || p->pid == 1 || load_beside(p) < 2 ||
	    !affinity_of_process(p, &cpus))
		return;
	core = idle_one(&cpus);
	if (core != linux_core())
		process_move(p, core);
}

/* ---- idle cores ---- */

/* @core has nothing to do: send it a process if there are more than one here that could run. */
static void give_work(u32 core)
{
	struct cpu_set cpus;

	if (spread || sched_runnable() < 2)
		return;
	for (struct process *p = process_from(2); p; p = p->list_next) {
		if (p->far || !wants_to_run(p) || process_cannot_move(p) ||
		    !affinity_of_process(p, &cpus) || !cpu_set_has(&cpus, core))
			continue;
		idle_ns[core] = 0;
		process_move(p, core);
		return;
	}
}

static s64 serve_idle(struct shard_request *r)
{
	idle_ns[r->core] = clock_now_ns();
	give_work(r->core);
	return 0;
}

/* Look from time to time whether there is nothing to do here, and tell the next core so. */
static void watch_idle(void *arg)
{
	u64 period_ns = FIRST_NS;
	u32 next = 0;

	(void)arg;
	for (;;) {
		rt_sleep_ns(period_ns);
		if (sched_runnable()) {
			period_ns = FIRST_NS;
			next = 0;
			continue;
		}
		shard_tell(shards, nearest[next++ % nothers], CONTROL_IDLE, NULL, 0);
		period_ns = MIN(2 * period_ns, LAST_NS);
	}
}

static void read_words(void)
{
	char *word = bootwords_value(kernel_cmdline, "linux.balance");

	balance = word && strcmp(word, "1") == 0;
	free(word);
	word = bootwords_value(kernel_cmdline, "linux.spread");

	if (word) {
		spread = strtoul(word, NULL, 0) * 0x9e3779b97f4a7c15 + linux_core() + 1;
		spread += !spread;
	}
	free(word);
}

int placement_init(struct shard_net *net)
{
	int err;

	nothers = linux_cores() - 1;
	idle_ns = calloc(linux_cores(), sizeof(*idle_ns));
	nearest = calloc(linux_cores(), sizeof(*nearest));
	if (!idle_ns || !nearest)
		return -ENOMEM;
	for (u32 i = 0, n = 0; i < linux_cores(); i++) {
		if (i != linux_core())
			nearest[n++] = i;
	}
	qsort(nearest, nothers, sizeof(*nearest), nearer);
	read_words();
	err = shard_serve(net, CONTROL_IDLE, serve_idle, NULL);
	if (err || spread || !balance)
		return err;
	return rt_fiber_start(watch_idle, NULL);
}
