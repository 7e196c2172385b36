/*
 * Random calls of the CPU driver, by a domain that holds a few of every kind of capability.
 *
 * Round by round a fuzzer domain is made out of one block of RAM, makes random calls for a while,
 * is stopped, and all that it made is revoked with it. What must hold: the core goes on, and after
 * every round the block is whole again. The seed is printed; the same seed makes the same calls.
 *
 * Usage: bin/fuzz-calls SEED CALLS
 */
#include "fuzzer.h"
#include <rt/rt.h>
#include <stdlib.h>
#include <testing.h>

#define BLOCK_BYTES (4 * MiB)
#define ROUND_NS    (20000000ul)
#define BIT_DEATH   (DOMAIN_BIT_USER + 1)

/* Slots of this domain, one run. */
enum { CNODE, DOMAIN, RAM, FRAME, SPACE, ENDPOINT, SLOTS };

static cap_t base;
static u64 seed = 1, calls = 1000000;
static u8 stack[64 * KiB] __attribute__((aligned(16)));

static s64 revoke_all(cap_t slot)
{
	s64 err;

	do
		err = sys_cap_revoke(slot);
	while (err == -EAGAIN);
	return err;
}

/* The fuzzer runs in this program's address space, with a table of its own. */
static s64 start_fuzzer(cap_t ram, u64 seed)
{
	struct domain_setup setup = {
		.aspace = DOMAIN_SLOT_SPACE,
		.cnode = base + CNODE,
		.entry = (u64)fuzzer_main,
		.stack = (u64)stack + sizeof(stack) - 8,
		.arg = seed,
		.priority = PRIORITY_DEFAULT - 1,
		.death_bit = BIT_DEATH,
		.name = "fuzzer",
	};
	s64 err = sys_retype(ram, CAP_CNODE, FUZZER_SLOTS * CNODE_SLOT_BYTES, base + CNODE);

	err = err ? err : sys_retype(ram, CAP_DOMAIN, DOMAIN_BYTES, base + DOMAIN);
	err = err ? err : sys_retype(ram, CAP_RAM, MiB, base + RAM);
	err = err ? err : sys_retype(ram, CAP_FRAME, 4 * PAGE_SIZE, base + FRAME);
	err = err ? err : sys_retype(ram, CAP_ASPACE, ASPACE_BYTES, base + SPACE);
	err = err ? err : sys_domain_setup(base + DOMAIN, &setup);
	for (u32 i = 0; i < 3 && !err; i++)
		err = sys_cap_put(base + DOMAIN, FUZZER_SLOT_RAM + i, base + RAM + i, RIGHTS_ALL);
	err = err ? err : sys_cap_put(base + DOMAIN, FUZZER_SLOT_SELF, base + DOMAIN, RIGHTS_ALL);
	err = err ? err
		  : sys_cap_copy(base + ENDPOINT, DOMAIN_SLOT_SELF, RIGHT_CALL | RIGHT_GRANT, 0);
	err = err ? err
		  : sys_cap_put(base + DOMAIN, FUZZER_SLOT_PEER, base + ENDPOINT,
				RIGHT_CALL | RIGHT_GRANT);
	return err ? err : sys_domain_start(base + DOMAIN);
}

static s64 one_round(cap_t ram, u64 seed)
{
	s64 err = start_fuzzer(ram, seed);

	if (!err)
		rt_sleep_ns(ROUND_NS);
	err = err ? err : revoke_all(base + ENDPOINT);
	err = err ? err : sys_cap_delete(base + ENDPOINT);
	return err ? err : revoke_all(ram);
}

/* All of the block can be had again in one piece. */
static bool block_is_whole(cap_t ram)
{
	struct cap_info info;

	return sys_cap_info(ram, &info) == 0 && info.used == 0 && info.bytes == BLOCK_BYTES;
}

static void random_calls_harm_nobody(void)
{
	struct rt_frame block;
	u64 rounds = 0;

	REQUIRE_EQUAL(rt_ram_new(BLOCK_BYTES, &block), 0);
	base = slot_new_run(SLOTS);
	REQUIRE(base != CAP_NONE);
	while (fuzzer_calls < calls) {
		REQUIRE_EQUAL(one_round(block.cap, seed + rounds++), 0);
		REQUIRE(block_is_whole(block.cap));
	}
	test_note("seed %lu, %lu rounds, %lu calls, %lu of them done", seed, rounds, fuzzer_calls,
		  fuzzer_done);
	CHECK(fuzzer_done > calls / 100);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {TEST(random_calls_harm_nobody)};

	if (argc > 1)
		seed = strtoul(argv[1], NULL, 0);
	if (argc > 2)
		calls = strtoul(argv[2], NULL, 0);
	return tests_run(tests, ARRAY_SIZE(tests), 1, argv);
}
