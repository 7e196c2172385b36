/*
 * Many fibers on eight cores call each other at random, nested, with little space under way, while
 * cores die: every call ends, with the right answer or -EHOSTDOWN of a core that is dead, tells
 * arrive once and in order, and nothing is leaked (the address sanitizer looks).
 */
#include <string.h>

#include "world.h"

#define CORES     8u
#define FIBERS    6u /* of each core */
#define ROUNDS    400u
#define OP_SUM    SHARD_OP(SHARD_FILES, 1)
#define OP_NUMBER SHARD_OP(SHARD_FILES, 2)

static u64 state;
static u64 told[CORES][CORES], heard[CORES][CORES];
static bool dead[CORES];
static u32 nended, nburied;

struct sum {
	u32 depth, bytes;
	u8 data[3000];
};

static u32 random_below(u32 n)
{
	return (u32)(unit_random(&state) >> 20) % n;
}

static u64 sum_of(const struct sum *s)
{
	u64 sum = 0;

	for (u32 i = 0; i < s->bytes; i++)
		sum += s->data[i] * (i + 1ul);
	return sum;
}

/* The sum of the data; often by way of another core. */
static s64 serve_sum(struct shard_request *r)
{
	struct sum s = {0};
	u64 *answer = shard_answer(r, sizeof(*answer));
	s64 result = 0;

	memcpy(&s, r->args, r->bytes);
	REQUIRE(answer != NULL);
	if (random_below(4) == 0)
		fiber_sleep_until(&world_loop, random_below(1000));
	if (s.depth) {
		u32 core = random_below(CORES);

		s.depth--;
		result = shard_call(r->net, core, OP_SUM, &s, r->bytes, answer, 8, NULL);
		CHECK(result == 0 || result == -EHOSTDOWN);
		if (result == 0)
			return 0;
	}
	*answer = sum_of(&s);
	return 0;
}

static s64 serve_number(struct shard_request *r)
{
	u64 number;

	memcpy(&number, r->args, sizeof(number));
	heard[shard_self(r->net)][r->core]++;
	CHECK_EQUAL(number, heard[shard_self(r->net)][r->core]);
	return 0;
}

static void one_round(u32 self)
{
	struct sum s = {.depth = random_below(4), .bytes = random_below(sizeof(s.data))};
	u32 core = random_below(CORES), got = 0;
	u64 answer = 0, number = told[core][self] + 1;
	s64 result;

	for (u32 i = 0; i < s.bytes; i++)
		s.data[i] = (u8)unit_random(&state);
	if (shard_tell(net_of(self), core, OP_NUMBER, &number, sizeof(number)) == 0)
		told[core][self]++;
	if (random_below(50) == 0)
		fiber_interrupt(fiber_self(&world_loop));
	result = shard_call_intr(net_of(self), core, OP_SUM, &s,
				 (u32)offsetof(struct sum, data) + s.bytes, &answer, 8, &got);
	fiber_clear_interrupt(fiber_self(&world_loop));
	if (dead[self] || result == -EHOSTDOWN) {
		CHECK(dead[self] || dead[core]);
		return;
	}
	CHECK_EQUAL(result, 0);
	CHECK_EQUAL(got, 8);
	CHECK_EQUAL(answer, sum_of(&s));
}

static void client(void *arg)
{
	u32 self = (u32)(uintptr_t)arg;

	for (u32 i = 0; i < ROUNDS && !dead[self]; i++) {
		one_round(self);
		if (random_below(8) == 0)
			fiber_yield(&world_loop);
	}
	nended++;
}

static void buried(struct shard_net *net, u32 core, void *arg)
{
	(void)arg;
	(void)core;
	nburied += !dead[shard_self(net)];
}

static void kill_core(u32 core)
{
	dead[core] = true;
	shard_loopback_kill(world, core);
	for (u32 other = 0; other < CORES; other++)
		shard_net_died(net_of(core), other); /* its own fibers are to end, too */
}

static void storm(void)
{
	u32 cores_dead = 0, wanted = 0;

	for (u32 core = 0; core < CORES; core++) {
		shard_serve(net_of(core), OP_SUM, serve_sum, NULL);
		shard_serve(net_of(core), OP_NUMBER, serve_number, NULL);
		shard_on_death(net_of(core), buried, NULL);
		for (u32 i = 0; i < FIBERS; i++)
			world_start(client, (void *)(uintptr_t)core);
	}
	shard_loopback_limit(world, 1 + random_below(20));
	while (nended < CORES * FIBERS) {
		u32 core = random_below(CORES);

		fiber_yield(&world_loop);
		if (random_below(600) == 0 && cores_dead < 3 && !dead[core]) {
			kill_core(core);
			wanted += CORES - ++cores_dead;
		}
		shard_loopback_hold(world, core, random_below(3) == 0);
	}
	for (u32 core = 0; core < CORES; core++)
		shard_loopback_hold(world, core, false);
	for (u32 i = 0; i < 50; i++)
		world_settle();
	CHECK_EQUAL(nburied, wanted);
	for (u32 a = 0; a < CORES; a++) {
		for (u32 b = 0; b < CORES; b++)
			CHECK(dead[a] || dead[b] || told[a][b] == heard[a][b]);
	}
}

TEST(random_calls_among_eight_cores_of_which_some_die)
{
	for (u64 seed = 1; seed <= 8; seed++) {
		state = seed;
		memset(told, 0, sizeof(told));
		memset(heard, 0, sizeof(heard));
		memset(dead, 0, sizeof(dead));
		nended = nburied = 0;
		world_run(CORES, storm);
	}
}
