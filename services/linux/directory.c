/* See directory.h. */
#include "directory.h"
#include "process.h"

#include <errno.h>
#include <shard/shard.h>
#include <skerry/shard/process.h>
#include <stdlib.h>
#include <string.h>

static struct shard_net *net; /* NULL: there are no other cores */

/* What core 0 has said of blocks that others have: 1 + the core. Leases do not end but by death. */
static u16 *homes;
static u32 nhomes;

static u32 self(void)
{
	return process_numbers.core;
}

/* ---- homes ---- */

int directory_lease(void)
{
	u32 blocks = PID_LEASE_BLOCKS;
	s64 first;

	if (!net || self() == 0)
		return -ENOMEM;
	first = shard_call(net, 0, PROCESS_LEASE, &blocks, sizeof(blocks), NULL, 0, NULL);
	if (first <= 0)
		return first ? (int)first : -ENOMEM;
	return numbers_add(&process_numbers, (u32)first, blocks);
}

static void remember(u32 number, u32 core)
{
	u32 block = number / PID_BLOCK;

	if (block >= nhomes) {
		u32 n = (u32)(process_pid_max / PID_BLOCK) + 1;
		u16 *all = block < n ? realloc(homes, n * sizeof(*homes)) : NULL;

		if (!all)
			return;
		memset(all + nhomes, 0, (n - nhomes) * sizeof(*homes));
		homes = all;
		nhomes = n;
	}
	homes[block] = (u16)(core + 1);
}

int directory_home(u32 number)
{
	struct process_number ask = {.number = number};
	s64 core;

	if (!net || numbers_is_home(&process_numbers, number))
		return (int)self();
	if (self() == 0)
		return (int)numbers_owner(&process_numbers, number);
	if (number / PID_BLOCK < nhomes && homes[number / PID_BLOCK])
		return homes[number / PID_BLOCK] - 1;
	core = shard_call(net, 0, PROCESS_HOME, &ask, sizeof(ask), NULL, 0, NULL);
	if (core > 0)
		remember(number, (u32)core);
	return (int)core;
}

/* Where it lives, as its home knows. */
static int where_at_home(u32 number)
{
	const struct number *e = numbers_find(&process_numbers, number);

	if (e && e->away)
		return e->away - 1;
	return e && e->uses[NUMBER_TASK] ? (int)self() : -ESRCH;
}

int directory_where(u32 number)
{
	struct process_number ask = {.number = number};
	const struct number *e = numbers_find(&process_numbers, number);
	int home;

	if (e && e->uses[NUMBER_TASK] && !process_is_elsewhere(number))
		return (int)self();
	if (!number || number >= process_pid_max)
		return -ESRCH;
	home = directory_home(number);
	if (home < 0)
		return home;
	if (home == (int)self())
		return where_at_home(number);
	return (int)shard_call(net, (u32)home, PROCESS_WHERE, &ask, sizeof(ask), NULL, 0, NULL);
}

/*
 * Tell a number's home without waiting: it may have to be asked for first. Then core 0, which
 * knows, passes it on.
 */
static void tell_home(u16 op, const struct process_number *what)
{
	u32 block = what->number / PID_BLOCK, home = 0;

	if (!net)
		return;
	if (self() == 0)
		home = numbers_owner(&process_numbers, what->number);
	else if (block < nhomes && homes[block])
		home = homes[block] - 1u;
	shard_tell(net, home, op, what, sizeof(*what));
}

void directory_is_here(u32 number, u32 moves)
{
	struct process_number what = {.number = number, .core = self(), .moves = moves};

	if (numbers_is_home(&process_numbers, number))
		numbers_set_away(&process_numbers, number, self(), moves);
	else
		tell_home(PROCESS_LIVES, &what);
}

void directory_is_left_to(u32 number, u32 heir)
{
	struct process_number what = {.number = number, .core = heir, .moves = UINT32_MAX};

	if (numbers_is_home(&process_numbers, number))
		numbers_set_away(&process_numbers, number, heir, UINT32_MAX);
	else
		tell_home(PROCESS_LIVES, &what);
}

void directory_is_gone(u32 number)
{
	if (!numbers_is_home(&process_numbers, number))
		tell_home(PROCESS_GONE, &(struct process_number){.number = number});
	else
		numbers_free_away(&process_numbers, number);
}

/* ---- members ---- */

void directory_join_more(u32 number, enum number_use use)
{
	struct process_number what = {.number = number, .use = use, .core = self()};
	struct number *e = numbers_find(&process_numbers, number);
	bool first = !e || !e->uses[use];

	if (!numbers_get(&process_numbers, number, use) && first && net &&
	    !numbers_is_home(&process_numbers, number))
		tell_home(PROCESS_JOIN, &what);
}

int directory_join(u32 number, enum number_use use)
{
	struct process_number what = {.number = number, .use = use, .core = self()};
	struct number *e = numbers_find(&process_numbers, number);
	bool first = !e || !e->uses[use];
	int err = numbers_get(&process_numbers, number, use), home;

	if (err || !first || !net)
		return err;
	home = directory_home(number);
	if (home >= 0 && home != (int)self())
		err = (int)shard_call(net, (u32)home, PROCESS_JOIN, &what, sizeof(what), NULL, 0,
				      NULL);
	if (home < 0 || err)
		numbers_put(&process_numbers, number, use);
	return home < 0 ? home : err;
}

void directory_leave(u32 number, enum number_use use)
{
	struct process_number what = {.number = number, .use = use, .core = self()};

	if (numbers_put(&process_numbers, number, use) && net &&
	    !numbers_is_home(&process_numbers, number))
		tell_home(PROCESS_LEAVE, &what);
}

/* Of which cores the home knows members. */
static void members_at_home(u32 number, enum number_use use, struct core_set *out)
{
	const struct number *e = numbers_find(&process_numbers, number);

	*out = (struct core_set){0};
	if (e && e->others[use])
		*out = *e->others[use];
	if (e && e->uses[use])
		out->bits[self() / 64] |= 1ul << self() % 64;
}

int directory_members(u32 number, enum number_use use, struct core_set *out)
{
	struct process_number ask = {.number = number, .use = use};
	int home = directory_home(number);

	if (home < 0)
		return home;
	if (home != (int)self())
		return (int)shard_call(net, (u32)home, PROCESS_MEMBERS, &ask, sizeof(ask), out,
				       sizeof(*out), NULL);
	members_at_home(number, use, out);
	return 0;
}

/* ---- what others ask ---- */

static s64 serve_lease(struct shard_request *r)
{
	const u32 *blocks = shard_args(r, sizeof(*blocks));
	u32 first;

	if (!blocks)
		return -EBADMSG;
	if (self() != 0)
		return -EINVAL;
	first = numbers_lease(&process_numbers, r->core, *blocks);
	return first ? (s64)first : -EAGAIN;
}

static s64 serve_home(struct shard_request *r)
{
	const struct process_number *ask = shard_args(r, sizeof(*ask));

	if (!ask)
		return -EBADMSG;
	return self() == 0 ? (s64)numbers_owner(&process_numbers, ask->number) : -EINVAL;
}

static s64 serve_where(struct shard_request *r)
{
	const struct process_number *ask = shard_args(r, sizeof(*ask));

	return ask ? where_at_home(ask->number) : -EBADMSG;
}

/* News for the home of a number; at core 0, perhaps for another core. */
static s64 serve_news(struct shard_request *r)
{
	const struct process_number *what = shard_args(r, sizeof(*what));

	if (!what || what->core >= shard_cores(r->net) ||
	    (what->use != NUMBER_GROUP && what->use != NUMBER_SESSION && what->use != 0))
		return -EBADMSG;
	/* What a dead core was the home of is core 0's, even if that has not heard of it yet. */
	if (!numbers_is_home(&process_numbers, what->number) &&
	    (self() != 0 || shard_lives(net, numbers_owner(&process_numbers, what->number)))) {
		if (self() == 0)
			tell_home(r->op, what);
		return 0;
	}
	switch (r->op) {
	case PROCESS_LIVES:
		return numbers_set_away(&process_numbers, what->number, what->core, what->moves);
	case PROCESS_GONE:
		numbers_free_away(&process_numbers, what->number);
		return 0;
	case PROCESS_JOIN:
		return numbers_join(&process_numbers, what->number, what->use, what->core);
	default:
		numbers_leave(&process_numbers, what->number, what->use, what->core);
		return 0;
	}
}

static s64 serve_members(struct shard_request *r)
{
	const struct process_number *ask = shard_args(r, sizeof(*ask));
	struct core_set *out;

	if (!ask || (ask->use != NUMBER_GROUP && ask->use != NUMBER_SESSION))
		return -EBADMSG;
	out = shard_answer(r, sizeof(*out));
	if (!out)
		return -ENOMEM;
	members_at_home(ask->number, ask->use, out);
	return 0;
}

/* ---- the death of a core ---- */

static void ignore(u32 number, void *arg)
{
	(void)number, (void)arg;
}

/* Core 0 is the home now of what the dead core was: tell it what it cannot know. */
static void tell_again(const struct number *e, void *arg)
{
	struct process_number what = {.number = e->number, .core = self(), .moves = e->moves};

	(void)arg;
	if (numbers_is_home(&process_numbers, e->number))
		return;
	if (e->uses[NUMBER_TASK])
		shard_tell(net, 0, PROCESS_LIVES, &what, sizeof(what));
	for (what.use = NUMBER_GROUP; what.use < NUMBER_USES; what.use++) {
		if (e->uses[what.use])
			shard_tell(net, 0, PROCESS_JOIN, &what, sizeof(what));
	}
}

static void core_died(struct shard_net *with, u32 core, void *arg)
{
	(void)with, (void)arg;
	numbers_core_died(&process_numbers, core, ignore, NULL);
	for (u32 i = 0; i < nhomes; i++) {
		if (homes[i] == core + 1)
			homes[i] = 0;
	}
	if (self() != 0)
		numbers_each(&process_numbers, tell_again, NULL);
}

int directory_init(struct shard_net *with)
{
	static const struct {
		u16 op;
		shard_handler *handler;
	} served[] = {
		{PROCESS_LEASE, serve_lease}, {PROCESS_HOME, serve_home},
		{PROCESS_WHERE, serve_where}, {PROCESS_LIVES, serve_news},
		{PROCESS_GONE, serve_news},   {PROCESS_JOIN, serve_news},
		{PROCESS_LEAVE, serve_news},  {PROCESS_MEMBERS, serve_members},
	};
	int err = 0;

	net = with;
	for (u32 i = 0; i < ARRAY_SIZE(served) && !err; i++)
		err = shard_serve(net, served[i].op, served[i].handler, NULL);
	if (!err)
		err = shard_on_death(net, core_died, NULL);
	return err;
}
