/*
 * Random calls with random arguments, of which enough are plausible to get past the first check.
 * It does not wait for anything, so that it is busy while it lives.
 */
#include "fuzzer.h"
#include <rt/calls.h>

u64 fuzzer_calls, fuzzer_done;

static u64 state;
static u8 scratch[16 * KiB] __attribute__((aligned(4096)));

/* xorshift64 (Marsaglia, 2003) */
static u64 random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static u64 random_slot(void)
{
	return random() % (FUZZER_SLOTS * 5 / 8);
}

static u64 random_argument(void)
{
	static const u64 edges[] = {0, UINT64_MAX, RIGHTS_ALL, 64, 1024, 1ul << 47, 1ul << 63};

	switch (random() % 12) {
	case 0:
		return random();
	case 1:
		return (u64)scratch + random() % sizeof(scratch);
	case 2:
		return PAGE_SIZE << random() % 10;
	case 3:
		return edges[random() % ARRAY_SIZE(edges)];
	case 4:
		return random_slot() | random_slot() << 32;
	default:
		return random_slot();
	}
}

static u64 fill_map_operations(void)
{
	struct aspace_op *ops = (struct aspace_op *)scratch;

	for (u32 i = 0; i < ASPACE_OPS; i++) {
		ops[i] = (struct aspace_op){
			.op = (u32)(random() % 7),
			.flags = (u32)(random() % 64),
			.va = 0x20000000ul + random() % 1024 * PAGE_SIZE * (random() % 3 ? 1 : 512),
			.offset = random() % 5 * PAGE_SIZE,
			.pages = (u32)(random() % 8 + (random() % 50 ? 0 : OP_PAGES_MAX)),
			.frame = (cap_t)random_slot(),
		};
	}
	return (u64)ops;
}

static u64 fill_setup(void)
{
	struct domain_setup *s = (struct domain_setup *)scratch;

	*s = (struct domain_setup){
		.aspace = (cap_t)random_slot(),
		.cnode = (cap_t)random_slot(),
		.entry = random() % 2 ? 0x400000 : random_argument(),
		.stack = random_argument(),
		.priority = (u32)(random() % (PRIORITY_DEFAULT + 1)),
		.death_bit = (u32)(random() % 66),
		.image_offset = random() % PAGE_SIZE,
	};
	return (u64)s;
}

/* Arguments of RETYPE that make every kind of object now and then. */
static void fill_retype(u64 *a)
{
	static const u32 sizes[] = {[CAP_RAM] = PAGE_SIZE,         [CAP_FRAME] = PAGE_SIZE,
				    [CAP_TABLE] = 2 * PAGE_SIZE,   [CAP_ASPACE] = ASPACE_BYTES,
				    [CAP_CNODE] = PAGE_SIZE,       [CAP_DOMAIN] = DOMAIN_BYTES,
				    [CAP_CONTEXT] = CONTEXT_BYTES, [CAP_TIMER] = TIMER_BYTES};
	u64 type = random() % ARRAY_SIZE(sizes);

	a[0] = random() % 4 ? FUZZER_SLOT_RAM : random_slot();
	a[1] = type == CAP_ASPACE && random() % 2 ? type | ASPACE_CONTEXT : type;
	a[2] = random() % 8 ? sizes[type] << (random() % 4 == 0) : random_argument();
	a[3] = FUZZER_SLOT_FREE + random() % (FUZZER_SLOTS / 2);
}

/* Calls that would end its work, and those that would only fill the log. */
static bool is_dull(u64 call, u64 first)
{
	switch (call) {
	case CALL_WAIT:
	case CALL_REPLY_WAIT:
	case CALL_LOG_WRITE:
		return true;
	case CALL_DOMAIN_EXIT:
		return random() % 1000;
	case CALL_DOMAIN_STOP:
		return first == FUZZER_SLOT_SELF && random() % 100;
	case CALL_CAP_REVOKE:
		return first == FUZZER_SLOT_RAM && random() % 20;
	case CALL_CALL:
		return random() % 4;
	default:
		return false;
	}
}

static void make_call(void)
{
	u64 call = random() % (CALL_COUNT + 2);
	u64 a[5];

	for (u32 i = 0; i < ARRAY_SIZE(a); i++)
		a[i] = random_argument();
	if (call == CALL_RETYPE)
		fill_retype(a);
	else if (call == CALL_ASPACE_UPDATE && random() % 8)
		a[1] = fill_map_operations();
	else if (call == CALL_DOMAIN_SETUP && random() % 8)
		a[1] = fill_setup();
	if (is_dull(call, a[0]))
		return;
	fuzzer_calls++;
	if (sys_any((u32)call, a) >= 0)
		fuzzer_done++;
}

void fuzzer_main(u64 seed)
{
	state = seed * 0x9e3779b97f4a7c15ul | 1;
	for (;;)
		make_call();
}
