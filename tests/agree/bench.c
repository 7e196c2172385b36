/*
 * What agreement costs, in messages: a change of an object that all cores share, a two-phase
 * commit over several homes, unmapping a frame that all cores map. As functions of the number of
 * cores, for each way to send: one core after the other (unicast), the home to all (flat), and
 * the tree over sockets.
 *
 *   messages  lines of cache sent, in all
 *   hops      the longest chain of messages that wait for each other
 *   path      the same with work counted: 1 to send a line and 1 to receive one, at each core one
 *             after the other. What a caller waits, if lines themselves take no time.
 *   busiest   lines that the busiest core sends and receives
 *
 * No time is measured here: the figures are exact and the same on every machine.
 *
 * usage: agree-bench [--csv]
 */
#include <stdio.h>

#include "net.h"

static struct net n;
static bool csv;

static const char *const strategies[] = {"tree", "flat", "unicast"};

struct cost {
	u64 messages, hops, path, busiest;
};

/* Something to measure: begin() puts it to work at core 0 with token 0. */
struct task {
	const char *name;
	u32 homes;
	bool shared;
	void (*prepare)(const struct task *t);
	void (*begin)(const struct task *t);
};

static u64 objects[AGREE_TXN_MAX];

static void make_objects(const struct task *t)
{
	for (u32 i = 0; i < t->homes; i++) {
		objects[i] = net_map(&n, i * n.ncores / t->homes);
		if (t->shared)
			net_share_all(&n, objects[i], n.ncores);
	}
}

static void begin_change(const struct task *t)
{
	(void)t;
	net_set(&n, 0, objects[0], 0, 1, 0);
}

static void begin_txn(const struct task *t)
{
	static struct map_op op = {.value = 1};
	struct agree_part parts[AGREE_TXN_MAX];

	for (u32 i = 0; i < t->homes; i++)
		parts[i] = (struct agree_part){objects[i], &op, sizeof(op)};
	if (agree_txn(n.core[0].agree, parts, t->homes, 0))
		fprintf(stderr, "agree-bench: the transaction was refused\n");
}

static void map_everywhere(const struct task *t)
{
	(void)t;
	n.core[0].free = 0;
	for (u32 core = 1; core < n.ncores; core++)
		memown_map(&n.core[core].memown, 0, 0, PAGE_SIZE, 1);
	net_run(&n);
}

static void begin_unmap(const struct task *t)
{
	(void)t;
	memown_revoke(&n.core[0].memown, 0, PAGE_SIZE, 0);
}

static struct cost measure(const struct task *t, u32 cores, enum agree_strategy strategy)
{
	struct cost c = {0};

	net_start(&n, cores, MAX(cores / 4, 1u), strategy);
	t->prepare(t);
	net_run(&n);
	n.lines = 0;
	n.send_cost = 1;
	n.receive_cost = 1;
	for (u32 core = 0; core < cores; core++) {
		n.core[core].clock = n.core[core].handled = 0;
		n.core[core].depth = 0;
	}
	n.result[0][0] = NET_WAITS;
	t->begin(t);
	net_run(&n);
	if (n.result[0][0] != 0)
		fprintf(stderr, "agree-bench: %s over %u cores did not succeed\n", t->name, cores);
	c.messages = n.lines;
	c.hops = n.answered_depth[0][0];
	c.path = n.answered_at[0][0];
	for (u32 core = 0; core < cores; core++)
		c.busiest = MAX(c.busiest, n.core[core].handled);
	net_end(&n);
	return c;
}

static void print(const struct task *t, u32 cores, const char *strategy, const struct cost *c)
{
	static const char *const unit[] = {"messages", "hops", "steps", "lines"};
	const u64 value[] = {c->messages, c->hops, c->path, c->busiest};
	static const char *const figure[] = {"messages", "hops", "path", "busiest"};

	if (csv) {
		printf("%s,%u,%u,%s,%lu,%lu,%lu,%lu\n", t->name, t->homes, cores, strategy,
		       c->messages, c->hops, c->path, c->busiest);
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(value); i++)
		printf("@bench name=%s_%u_cores_%s_%s value=%lu unit=%s\n", t->name, cores,
		       strategy, figure[i], value[i], unit[i]);
}

static const struct task tasks[] = {
	{"change", 1, true, make_objects, begin_change},
	{"unmap", 1, true, map_everywhere, begin_unmap},
	{"commit_2_homes", 2, true, make_objects, begin_txn},
	{"commit_4_homes", 4, true, make_objects, begin_txn},
	{"commit_8_homes", 8, true, make_objects, begin_txn},
};

/* Transactions on exclusive objects: no replicas, so no way to send them. */
static const struct task alone[] = {
	{"commit_2_exclusive", 2, false, make_objects, begin_txn},
	{"commit_4_exclusive", 4, false, make_objects, begin_txn},
	{"commit_8_exclusive", 8, false, make_objects, begin_txn},
};

static void measure_creating(void)
{
	u64 id;

	net_start(&n, 64, 16, AGREE_TREE);
	id = net_map(&n, 5);
	net_set(&n, 5, id, 0, 1, 0);
	net_run(&n);
	if (csv)
		printf("create,1,64,none,%lu,0,0,0\n", n.lines);
	else
		printf("@bench name=create_exclusive_messages value=%lu unit=messages limit=0\n",
		       n.lines);
	net_end(&n);
}

int main(int argc, char **argv)
{
	csv = argc == 2 && !strcmp(argv[1], "--csv");
	if (argc > 1 && !csv) {
		fprintf(stderr, "usage: agree-bench [--csv]\n");
		return 2;
	}
	if (csv)
		printf("what,homes,cores,strategy,messages,hops,path,busiest\n");
	measure_creating();
	for (u32 i = 0; i < ARRAY_SIZE(tasks); i++) {
		for (u32 cores = MAX(2u, tasks[i].homes); cores <= NET_CORES; cores *= 2) {
			for (u32 s = 0; s < ARRAY_SIZE(strategies); s++) {
				struct cost c = measure(&tasks[i], cores, (enum agree_strategy)s);

				print(&tasks[i], cores, strategies[s], &c);
			}
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(alone); i++) {
		struct cost c = measure(&alone[i], 64, AGREE_TREE);

		print(&alone[i], 64, "none", &c);
	}
	return 0;
}
