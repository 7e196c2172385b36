/*
 * What messages, calls and contexts cost, in instructions.
 *
 * Made to run with QEMU's -icount, where the time-stamp counter counts the instructions executed:
 * the same every time. Elsewhere the figures are the counter's ticks and mean something else.
 * Needs "tests=1" on the command line, for a doorbell of a core that does not exist.
 *
 *   @bench name=... value=... unit=instructions limit=...
 */
#include <rt/rt.h>
#include <skerry/context.h>
#include <string.h>

#define ROUNDS     2000u
#define WARM_UP    10u
#define NO_CORE_ID 200u /* an APIC id that the machine has not: the sender's cost is the same */
#define CODE_VA    0x10000ul

typedef int work_fn(void);

/* What one round of @work costs, the loop's own cost included; -1 if it failed. */
static s64 measure(work_fn *work)
{
	u64 begin;

	for (u32 i = 0; i < WARM_UP; i++)
		if (work())
			return -1;
	begin = clock_tsc();
	for (u32 i = 0; i < ROUNDS; i++)
		if (work())
			return -1;
	return (s64)((clock_tsc() - begin) / ROUNDS);
}

static int report(const char *name, s64 value, u32 limit)
{
	if (value < 0) {
		printf("bench: %s could not be measured\n", name);
		return 1;
	}
	printf("@bench name=%s value=%ld unit=instructions limit=%u\n", name, value, limit);
	return 0;
}

/* ---- calls ---- */

static int null_call(void)
{
	return sys_null() != CALLS_VERSION;
}

static cap_t server;

static int local_call(void)
{
	struct sys_words words = {.w = {1, 2, 3, 4, 5}};

	return (int)sys_call(server, &words);
}

/* The other domain: tells its endpoint by a call, then answers as fast as it can. */
static int serve(void)
{
	struct sys_words words = {0};
	struct sys_wait got;

	if (sys_call(DOMAIN_SLOT_GIFTS | SEND_CAP(rt_endpoint_new(1)), &words) < 0)
		return 1;
	if (sys_wait(0, WAIT_CALLS, &got) < 0)
		return 1;
	while (sys_reply_wait(0, &got) >= 0)
		;
	return 1;
}

static void take_endpoint(struct rt_call *call, void *arg)
{
	(void)arg;
	server = call->cap;
	call->cap = CAP_NONE;
}

static bool start_server(void)
{
	static const char *const argv[] = {"bin/bench", "serve"};
	static struct rt_task task;
	struct rt_spawn spawn = {.argc = 2, .argv = argv};

	spawn.gift = rt_endpoint_new(1);
	if (rt_serve(take_endpoint, NULL) || rt_spawn(&spawn, &task))
		return false;
	for (u32 i = 0; i < 1000 && server == CAP_NONE; i++)
		rt_sleep_ns(1000000);
	return server != CAP_NONE;
}

/* ---- messages ---- */

#define BATCH 15u /* messages; one acknowledgement each, as in a ring of a page */

static struct ump here, there;

static void ring(void *arg)
{
	(void)arg;
}

static bool make_ump(void)
{
	struct rt_frame frame;
	u8 *regions = rt_frame_map_new(2 * PAGE_SIZE, &frame);

	return regions &&
	       !ump_init(&here, regions, regions + PAGE_SIZE, PAGE_SIZE, 1, ring, NULL) &&
	       !ump_init(&there, regions + PAGE_SIZE, regions, PAGE_SIZE, 1, ring, NULL);
}

static int messages(void)
{
	struct msg m = {.word = {1, 2, 3, 4, 5, 6, 7}};
	int bad = 0;

	for (u32 i = 0; i < BATCH; i++)
		bad |= ump_send(&here, MSG_TYPE(MSG_TEST, 1), m.payload, MSG_PAYLOAD);
	for (u32 i = 0; i < BATCH; i++)
		bad |= ump_recv(&there, &m) - 1;
	return bad;
}

static cap_t bell;

static int doorbell(void)
{
	return (int)sys_doorbell_ring(bell);
}

static bool make_bell(void)
{
	struct sys_words words = {.w = {MON_AUTHORITY}};
	cap_t core = slot_new();

	sys_receive_slot(core);
	if (sys_call(DOMAIN_SLOT_MONITOR, &words) != WAIT_CAP)
		return false;
	bell = slot_new();
	return sys_doorbell_mint(core, NO_CORE_ID, 1, bell) == 0;
}

/* ---- contexts ---- */

static cap_t context;

static int context_exit(void)
{
	return sys_run(context) != EXIT_SYSCALL;
}

static int more_tables(struct vspace *vs)
{
	cap_t table = rt_object_new(CAP_TABLE, 4 * PAGE_SIZE);

	return table == CAP_NONE ? -ENOMEM : (int)sys_aspace_donate(vs->aspace, table);
}

/* A context that does nothing but system calls. */
static bool make_context(void)
{
	static const u8 code[] = {0x0f, 0x05, 0xeb, 0xfc}; /* 1: syscall; jmp 1b */
	cap_t space = rt_object_new(CAP_ASPACE | ASPACE_CONTEXT, ASPACE_BYTES);
	struct rt_frame code_frame, state_frame;
	u8 *page = rt_frame_map_new(PAGE_SIZE, &code_frame);
	struct context_state *state = rt_frame_map_new(PAGE_SIZE, &state_frame);
	struct vspace vs;

	context = rt_object_new(CAP_CONTEXT, CONTEXT_BYTES);
	if (!space || !page || !state || !context)
		return false;
	memcpy(page, code, sizeof(code));
	state->rip = CODE_VA;
	vspace_init(&vs, space, 0, 0, more_tables, NULL);
	return !vspace_map(&vs, CODE_VA, code_frame.cap, 0, PAGE_SIZE, MAP_READ | MAP_EXEC) &&
	       !sys_context_setup(context, space, state_frame.cap, 0);
}

int main(int argc, char **argv)
{
	s64 batch;
	int failed = 0;

	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return serve();
	failed += report("null_call", measure(null_call), 150);
	failed += report("context_exit_and_reentry", make_context() ? measure(context_exit) : -1,
			 300);
	failed += report("local_call_and_reply", start_server() ? measure(local_call) : -1, 500);
	batch = make_ump() ? measure(messages) : -1;
	failed += report("ump_send_and_receive", batch < 0 ? -1 : batch / BATCH, 60);
	failed += report("doorbell_send", make_bell() ? measure(doorbell) : -1, 200);
	return failed;
}
