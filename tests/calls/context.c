/* Contexts: foreign code that runs, and everything that ends a run. */
#include "calls.h"
#include "foreign.h"
#include <skerry/context.h>
#include <skerry/handoff.h>

#define CODE_VA     0x10000ul
#define DATA_VA     0x20000ul
#define UNMAPPED    0x50000ul
#define BIT         (DOMAIN_BIT_USER + 3)
#define WRITE_FAULT 6 /* error code: user, write, not present (SDM vol. 3A, 4.7) */

/* Offsets in the XSAVE area (SDM vol. 1, 13.4). */
#define XMM_OFFSET     160u
#define XSTATE_BV      512u
#define XSTATE_SSE_X87 3u

static struct {
	cap_t space, context;
	struct context_state *state;
	struct rt_frame state_frame, code_frame, data_frame;
	volatile u64 *data;
	struct vspace vs;
} c;

static int more_tables(struct vspace *vs)
{
	cap_t table = rt_object_new(CAP_TABLE, 4 * PAGE_SIZE);

	return table == CAP_NONE ? -ENOMEM : (int)sys_aspace_donate(vs->aspace, table);
}

/* Where a piece of foreign code is in the page, which begins with the first one. */
static u64 offset_of(const u8 *code)
{
	return (u64)code - (u64)foreign_syscall;
}

/* One context with a page of code and a page of data; made by the first test. */
static bool make_context(void)
{
	u8 *code;

	if (c.state)
		return true;
	c.space = rt_object_new(CAP_ASPACE | ASPACE_CONTEXT, ASPACE_BYTES);
	c.context = rt_object_new(CAP_CONTEXT, CONTEXT_BYTES);
	code = rt_frame_map_new(PAGE_SIZE, &c.code_frame);
	c.data = rt_frame_map_new(PAGE_SIZE, &c.data_frame);
	c.state = rt_frame_map_new(PAGE_SIZE, &c.state_frame);
	if (!c.space || !c.context || !code || !c.data || !c.state)
		return false;
	memcpy(code, foreign_syscall, offset_of(foreign_end));
	vspace_init(&c.vs, c.space, 0, 0, more_tables, NULL);
	return !vspace_map(&c.vs, CODE_VA, c.code_frame.cap, 0, PAGE_SIZE, MAP_READ | MAP_EXEC) &&
	       !vspace_map(&c.vs, DATA_VA, c.data_frame.cap, 0, PAGE_SIZE, MAP_READ | MAP_WRITE) &&
	       !sys_context_setup(c.context, c.space, c.state_frame.cap, 0);
}

/* Begin with fresh registers at @code. */
static struct context_state *at(const u8 *code)
{
	memset(c.state, 0, sizeof(*c.state));
	c.state->rip = CODE_VA + offset_of(code);
	c.state->rsp = DATA_VA + PAGE_SIZE;
	return c.state;
}

/* Run until the context itself ends the run: events of this program's may come in between. */
static s64 run(void)
{
	s64 reason;

	while ((reason = sys_run(c.context)) == EXIT_EVENT)
		rt_sleep_ns(1000);
	return reason;
}

static void system_call_ends_the_run_and_can_be_answered(void)
{
	struct context_state *st;

	REQUIRE(make_context());
	st = at(foreign_syscall);
	st->rax = 39;
	st->rdi = 0x1111;
	CHECK_EQUAL(run(), EXIT_SYSCALL);
	CHECK_EQUAL(st->reason, EXIT_SYSCALL);
	CHECK_EQUAL(st->rax, 39);
	CHECK_EQUAL(st->rdi, 0x1111);
	CHECK_EQUAL(st->rip, CODE_VA + 2);
	CHECK_EQUAL(st->rcx, CODE_VA + 2);
	st->rax = 4711;
	CHECK_EQUAL(run(), EXIT_SYSCALL);
	CHECK_EQUAL(st->rbx, 4711);
	CHECK_EQUAL(st->rax, 60);
}

static void page_fault_ends_the_run_and_can_be_resolved(void)
{
	struct context_state *st;
	struct rt_frame frame;
	volatile u64 *page = rt_frame_map_new(PAGE_SIZE, &frame);

	REQUIRE(make_context());
	st = at(foreign_write);
	st->rdi = UNMAPPED + 8;
	st->rsi = 77;
	CHECK_EQUAL(run(), EXIT_FAULT);
	CHECK_EQUAL(st->address, UNMAPPED + 8);
	CHECK_EQUAL(st->error, WRITE_FAULT);
	CHECK_EQUAL(st->rip, CODE_VA + offset_of(foreign_write));
	REQUIRE_EQUAL(vspace_map(&c.vs, UNMAPPED, frame.cap, 0, PAGE_SIZE, MAP_READ | MAP_WRITE),
		      0);
	CHECK_EQUAL(run(), EXIT_SYSCALL);
	CHECK_EQUAL(page[1], 77);
	vspace_unmap(&c.vs, UNMAPPED, PAGE_SIZE);
	vspace_detach(&rt_space, (void *)page, frame.bytes);
	rt_frame_put(&frame);
}

static void unmapped_page_faults_again(void)
{
	struct context_state *st;

	REQUIRE(make_context());
	st = at(foreign_write);
	st->rdi = UNMAPPED;
	CHECK_EQUAL(run(), EXIT_FAULT);
	CHECK_EQUAL(st->address, UNMAPPED);
}

static s64 change(u32 op, u64 va, cap_t frame)
{
	struct aspace_op o = {.op = op,
			      .flags = op == OP_MAP ? MAP_READ : 0,
			      .va = va,
			      .pages = 1,
			      .frame = frame};

	if (op == OP_CLEAR)
		o.va = o.pages = 0;
	sys_aspace_update(c.space, &o, 1);
	return o.result;
}

/* Each page in a corner of its own takes three tables: without the old ones they do not suffice. */
static void clearing_a_space_unmaps_all_and_frees_its_tables(void)
{
	struct context_state *st;

	REQUIRE(make_context());
	for (u64 i = 1; i <= 8; i++) {
		u64 va = i << 39;

		CHECK_EQUAL(change(OP_CLEAR, 0, CAP_NONE), 0);
		CHECK_EQUAL(change(OP_QUERY, (i - 1) << 39, CAP_NONE), -ENOENT);
		CHECK_EQUAL(change(OP_MAP, va, c.data_frame.cap), 1);
		CHECK(change(OP_QUERY, va, CAP_NONE) & QUERY_PRESENT);
	}
	at(foreign_syscall);
	CHECK_EQUAL(run(), EXIT_FAULT);
	CHECK_EQUAL(change(OP_CLEAR, 0, CAP_NONE), 0);
	CHECK_EQUAL(vspace_map(&c.vs, CODE_VA, c.code_frame.cap, 0, PAGE_SIZE, MAP_READ | MAP_EXEC),
		    0);
	CHECK_EQUAL(vspace_map(&c.vs, DATA_VA, c.data_frame.cap, 0, PAGE_SIZE,
			       MAP_READ | MAP_WRITE),
		    0);
	st = at(foreign_syscall);
	CHECK_EQUAL(run(), EXIT_SYSCALL);
	CHECK_EQUAL(st->rip, CODE_VA + 2);
}

static void exceptions_end_the_run_with_their_vector(void)
{
	struct context_state *st;

	REQUIRE(make_context());
	st = at(foreign_ud2);
	CHECK_EQUAL(run(), EXIT_EXCEPTION);
	CHECK_EQUAL(st->vector, 6);
	CHECK_EQUAL(st->rip, CODE_VA + offset_of(foreign_ud2));
	at(foreign_hlt);
	CHECK_EQUAL(run(), EXIT_EXCEPTION);
	CHECK_EQUAL(st->vector, 13);
	at(foreign_out);
	CHECK_EQUAL(run(), EXIT_EXCEPTION);
	CHECK_EQUAL(st->vector, 13);
}

static void event_ends_the_run_of_a_loop(void)
{
	cap_t timer = rt_object_new(CAP_TIMER, TIMER_BYTES);
	struct context_state *st;
	u64 begin = clock_now_ns(), events;

	REQUIRE(make_context());
	st = at(foreign_loop);
	sys_timer_set(timer, BIT, clock_to_tsc(begin + 20000000));
	while (fiber_wait_events(&rt_loop, 1ul << BIT, clock_now_ns() + 1, &events))
		CHECK_EQUAL(sys_run(c.context), EXIT_EVENT);
	CHECK(clock_now_ns() - begin >= 20000000);
	CHECK(st->rax > 0);
	CHECK(st->rip >= CODE_VA && st->rip < CODE_VA + PAGE_SIZE);
	slot_drop(timer);
}

static void registers_are_kept(void)
{
	struct context_state *st;
	u64 *reg;

	REQUIRE(make_context());
	st = at(foreign_syscall);
	/* rax to r15 in the state's order; the code must find its stack pointer as it is. */
	reg = &st->rax;
	for (u64 i = 0; i < 16; i++)
		reg[i] = 0x010101010101 * (i + 1);
	st->fs_base = 0x123456000;
	st->gs_base = 0x654321000;
	CHECK_EQUAL(run(), EXIT_SYSCALL);
	for (u64 i = 0; i < 16; i++)
		if (i != 2 && i != 11) /* rcx and r11 are the SYSCALL instruction's */
			CHECK_EQUAL(reg[i], 0x010101010101 * (i + 1));
	CHECK_EQUAL(st->fs_base, 0x123456000);
	CHECK_EQUAL(st->gs_base, 0x654321000);
}

static void vector_registers_are_kept_and_separate(void)
{
	struct context_state *st;
	u64 *xmm;

	REQUIRE(make_context());
	st = at(foreign_xmm);
	xmm = (u64 *)(st->xstate + XMM_OFFSET);
	*(u64 *)(st->xstate + XSTATE_BV) = XSTATE_SSE_X87;
	*(u32 *)(st->xstate + 24) = 0x1f80; /* MXCSR at its default */
	xmm[0] = 21;
	xmm[2 * 15] = 0xfeed;
	xmm[2 * 7 + 1] = 0xbeef;
	CHECK_EQUAL(run(), EXIT_SYSCALL);
	CHECK_EQUAL(xmm[0], 42);
	CHECK_EQUAL(xmm[2 * 1], 0xfeed);
	CHECK_EQUAL(xmm[2 * 7 + 1], 0xbeef);
}

/* Wherever the context looks, it gets a fault and never a byte. */
static void cannot_read(u64 address)
{
	struct context_state *st = at(foreign_read);

	st->rdi = address;
	st->rsi = 0x5eed;
	CHECK_EQUAL(run(), EXIT_FAULT);
	CHECK_EQUAL(st->rsi, 0x5eed);
}

static void context_sees_nothing_of_its_personality_or_the_cpu_driver(void)
{
	REQUIRE(make_context());
	cannot_read(DOMAIN_START_VA);
	cannot_read(DOMAIN_PROGRAM_VA);
	cannot_read((u64)c.state);
	cannot_read(KERNEL_BASE);
	cannot_read(KERNEL_BASE + 0x1000);
	cannot_read(PHYSMAP_BASE);
	cannot_read(KIMAGE_BASE);
	cannot_read(APIC_BASE_VA);
}

static void malformed_state_is_refused(void)
{
	struct context_state *st;

	REQUIRE(make_context());
	st = at(foreign_syscall);
	st->rip = KERNEL_BASE;
	CHECK_EQUAL(sys_run(c.context), -EINVAL);
	st->rip = 0x8000000000000000;
	CHECK_EQUAL(sys_run(c.context), -EINVAL);
	st = at(foreign_syscall);
	st->fs_base = 0x8000000000000000;
	CHECK_EQUAL(sys_run(c.context), -EINVAL);
	st = at(foreign_syscall);
	*(u64 *)(st->xstate + XSTATE_BV) = UINT64_MAX;
	CHECK_EQUAL(sys_run(c.context), -EFAULT);
	/* Privileged flags are not honoured: I/O stays forbidden at any I/O privilege level. */
	st = at(foreign_out);
	st->rflags = 3ul << 12;
	CHECK_EQUAL(run(), EXIT_EXCEPTION);
	CHECK_EQUAL(st->vector, 13);
}

const struct test context_tests[] = {
	TEST(system_call_ends_the_run_and_can_be_answered),
	TEST(page_fault_ends_the_run_and_can_be_resolved),
	TEST(unmapped_page_faults_again),
	TEST(clearing_a_space_unmaps_all_and_frees_its_tables),
	TEST(exceptions_end_the_run_with_their_vector),
	TEST(event_ends_the_run_of_a_loop),
	TEST(registers_are_kept),
	TEST(vector_registers_are_kept_and_separate),
	TEST(context_sees_nothing_of_its_personality_or_the_cpu_driver),
	TEST(malformed_state_is_refused),
};
const u32 context_count = ARRAY_SIZE(context_tests);
