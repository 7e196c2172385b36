/*
 * Calls with bad arguments: each gives its error, and none changes anything. What could have
 * changed is seen by comparing everything that CAP_INFO tells about every slot.
 */
#include "calls.h"
#include <skerry/handoff.h>

#define BAD_SLOT   (DOMAIN_SLOTS + 5)
#define KERNEL_PTR KERNEL_BASE
#define UNMAPPED   0x1000ul

/* Capabilities to make mistakes with. */
static struct {
	cap_t empty, ram, frame, read_only, table, space, context_space, domain, endpoint, context,
		timer, cnode, core, ports, bell, irq;
} s;

/* ---- what is there before and after ---- */

static struct cap_info before[DOMAIN_SLOTS];

static void look(struct cap_info *info)
{
	memset(info, 0, DOMAIN_SLOTS * sizeof(*info));
	for (cap_t slot = 0; slot < DOMAIN_SLOTS; slot++)
		sys_cap_info(slot, &info[slot]);
}

static cap_t first_change(void)
{
	static struct cap_info after[DOMAIN_SLOTS];

	look(after);
	for (cap_t slot = 0; slot < DOMAIN_SLOTS; slot++)
		if (memcmp(&before[slot], &after[slot], sizeof(after[slot])) != 0)
			return slot;
	return CAP_NONE;
}

/* ---- the capabilities ---- */

static bool ask_authority(cap_t *slot)
{
	struct sys_words words = {.w = {MON_AUTHORITY}};

	*slot = slot_new();
	sys_receive_slot(*slot);
	return sys_call(DOMAIN_SLOT_MONITOR, &words) == WAIT_CAP && words.w[0] == 0;
}

static bool make_capabilities(void)
{
	struct rt_frame ram;

	if (s.ram)
		return true;
	if (rt_ram_new(256 * KiB, &ram) || !ask_authority(&s.core))
		return false;
	s.ram = ram.cap;
	s.frame = slot_new();
	s.read_only = slot_new();
	s.table = slot_new();
	s.space = slot_new();
	s.context_space = slot_new();
	s.domain = slot_new();
	s.context = slot_new();
	s.timer = slot_new();
	s.cnode = slot_new();
	s.ports = slot_new();
	s.bell = slot_new();
	s.irq = slot_new();
	s.empty = slot_new();
	s.endpoint = rt_endpoint_new(1);
	return !sys_retype(s.ram, CAP_FRAME, 2 * PAGE_SIZE, s.frame) &&
	       !sys_cap_copy(s.read_only, s.frame, RIGHT_READ | RIGHT_GRANT, 0) &&
	       !sys_retype(s.ram, CAP_TABLE, PAGE_SIZE, s.table) &&
	       !sys_retype(s.ram, CAP_ASPACE, ASPACE_BYTES, s.space) &&
	       !sys_retype(s.ram, CAP_ASPACE | ASPACE_CONTEXT, ASPACE_BYTES, s.context_space) &&
	       !sys_retype(s.ram, CAP_DOMAIN, DOMAIN_BYTES, s.domain) &&
	       !sys_retype(s.ram, CAP_CONTEXT, CONTEXT_BYTES, s.context) &&
	       !sys_retype(s.ram, CAP_TIMER, TIMER_BYTES, s.timer) &&
	       !sys_retype(s.ram, CAP_CNODE, 16 * CNODE_SLOT_BYTES, s.cnode) &&
	       !sys_ioport_mint(s.core, 0x80, 0x80, s.ports) &&
	       !sys_doorbell_mint(s.core, 0, DOORBELLS - 1, s.bell) &&
	       sys_irq_alloc(s.core, s.irq) > 0;
}

/* ---- the calls ---- */

struct bad_call {
	u32 number;
	s64 expected;
	u64 a[5];
};

/* Try them all; report the first that is not as it should be. */
static void try_all(const struct bad_call *calls, u32 count)
{
	look(before);
	for (u32 i = 0; i < count; i++) {
		s64 got = sys_any(calls[i].number, calls[i].a);
		cap_t changed = first_change();

		if (got != calls[i].expected) {
			test_differs(__FILE__, __LINE__, "call of the table", got,
				     calls[i].expected);
			test_note(" (entry %u, call %u)", i, calls[i].number);
			return;
		}
		if (changed != CAP_NONE) {
			test_failed(__FILE__, __LINE__, "nothing changed");
			test_note(" (entry %u, call %u, slot %u)", i, calls[i].number, changed);
			return;
		}
	}
	test_note("%u calls", count);
}

static void unknown_calls_are_enosys(void)
{
	static const struct bad_call calls[] = {
		{CALL_COUNT, -ENOSYS, {0}},
		{CALL_COUNT + 1000, -ENOSYS, {0}},
		{UINT32_MAX, -ENOSYS, {0}},
	};

	REQUIRE(make_capabilities());
	try_all(calls, ARRAY_SIZE(calls));
}

/* Every call whose first argument is a capability, with none, and with one of another type. */
static void slots_that_are_empty_or_of_another_type_are_refused(void)
{
	static const u32 numbers[] = {
		CALL_CALL,
		CALL_CAP_DELETE,
		CALL_CAP_REVOKE,
		CALL_CAP_INFO,
		CALL_RETYPE,
		CALL_FRAME_MINT,
		CALL_ASPACE_DONATE,
		CALL_ASPACE_UPDATE,
		CALL_DOMAIN_SETUP,
		CALL_DOMAIN_START,
		CALL_DOMAIN_STOP,
		CALL_CONTEXT_SETUP,
		CALL_RUN,
		CALL_TIMER_SET,
		CALL_IRQ_ALLOC,
		CALL_IRQ_BIND,
		CALL_IO,
		CALL_IO_WRITE,
		CALL_IOPORT_MINT,
		CALL_DOORBELL_BIND,
		CALL_DOORBELL_MINT,
		CALL_DOORBELL_RING,
		CALL_CORE_INIT,
		CALL_CORE_STARTUP,
		CALL_CORE_HALT,
		CALL_CORE_MINT,
		CALL_LOG_READ,
		CALL_LOG_DIRECT,
	};
	struct bad_call calls[4 * ARRAY_SIZE(numbers)];
	u32 n = 0;

	REQUIRE(make_capabilities());
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		u32 call = numbers[i];
		bool any_type =
			call == CALL_CAP_DELETE || call == CALL_CAP_REVOKE || call == CALL_CAP_INFO;
		/* A good first type and size for RETYPE: the capability is to be looked at. */
		u64 a1 = call == CALL_RETYPE ? CAP_FRAME : 0;
		u64 a2 = call == CALL_RETYPE ? PAGE_SIZE : 0;

		calls[n++] = (struct bad_call){call, -EBADF, {BAD_SLOT, a1, a2}};
		calls[n++] = (struct bad_call){call, -EBADF, {CAP_NONE, a1, a2}};
		calls[n++] = (struct bad_call){call, -EBADF, {s.empty, a1, a2}};
		if (!any_type)
			calls[n++] = (struct bad_call){call, -EINVAL, {s.cnode, a1, a2}};
	}
	try_all(calls, n);
}

static void bad_arguments_of_capability_calls_are_refused(void)
{
	REQUIRE(make_capabilities());
	const struct bad_call calls[] = {
		{CALL_CAP_COPY, -EEXIST, {s.frame, s.frame, RIGHT_READ}},
		{CALL_CAP_COPY, -EBADF, {BAD_SLOT, s.frame, RIGHT_READ}},
		{CALL_CAP_COPY, -EBADF, {s.empty, BAD_SLOT, RIGHT_READ}},
		{CALL_CAP_COPY, -EPERM, {s.empty, s.read_only, RIGHT_READ | RIGHT_WRITE}},
		{CALL_CAP_COPY, -ENOTSUP, {s.empty, s.cnode, RIGHT_READ}},
		{CALL_CAP_COPY, -ENOTSUP, {s.empty, s.table, RIGHT_READ}},
		{CALL_CAP_PUT, -EBADF, {s.domain, BAD_SLOT, BAD_SLOT, RIGHT_READ}},
		{CALL_CAP_PUT, -EINVAL, {s.frame, 1, s.frame, RIGHT_READ}},
		{CALL_CAP_PUT, -EEXIST, {DOMAIN_SLOT_SELF, s.timer, s.frame, RIGHT_READ}},
		{CALL_CAP_DELETE, -EBUSY, {s.ram}},
		{CALL_CAP_DELETE, -EBUSY, {s.frame}},
		{CALL_CAP_INFO, -EFAULT, {s.frame, KERNEL_PTR}},
		{CALL_CAP_INFO, -EFAULT, {s.frame, UNMAPPED}},
		{CALL_CAP_INFO, -EFAULT, {s.frame, DOMAIN_START_VA}},
		{CALL_CAP_INFO, -EFAULT, {s.frame, UINT64_MAX - 8}},
		{CALL_RETYPE, -ENOTSUP, {s.ram, CAP_TYPES, PAGE_SIZE, s.empty}},
		{CALL_RETYPE, -ENOTSUP, {s.ram, CAP_CORE, PAGE_SIZE, s.empty}},
		{CALL_RETYPE, -ENOTSUP, {s.ram, CAP_PHYS, PAGE_SIZE, s.empty}},
		{CALL_RETYPE, -EINVAL, {s.ram, CAP_FRAME, 0, s.empty}},
		{CALL_RETYPE, -EINVAL, {s.ram, CAP_FRAME, PAGE_SIZE + 1, s.empty}},
		{CALL_RETYPE, -ENOMEM, {s.ram, CAP_FRAME, 1ul << 40, s.empty}},
		{CALL_RETYPE,
		 -ENOMEM,
		 {s.ram, CAP_FRAME, ROUND_DOWN(UINT64_MAX, PAGE_SIZE), s.empty}},
		{CALL_RETYPE, -EINVAL, {s.ram, CAP_CNODE, 15 * CNODE_SLOT_BYTES, s.empty}},
		{CALL_RETYPE,
		 -EINVAL,
		 {s.ram, CAP_CNODE, (CNODE_SLOTS_MAX + 1) * CNODE_SLOT_BYTES, s.empty}},
		{CALL_RETYPE, -EINVAL, {s.ram, CAP_DOMAIN, DOMAIN_BYTES + 1, s.empty}},
		{CALL_RETYPE, -EEXIST, {s.ram, CAP_FRAME, PAGE_SIZE, s.frame}},
		{CALL_RETYPE, -EINVAL, {s.frame, CAP_FRAME, PAGE_SIZE, s.empty}},
		{CALL_REPLY, -ESRCH, {0}},
		{CALL_REPLY_SAVE, -EEXIST, {s.frame}},
		{CALL_REPLY_SAVE, -ESRCH, {s.empty}},
		{CALL_REPLY_TO, -EINVAL, {s.frame}},
		{CALL_RECEIVE_SLOT, -EEXIST, {s.frame}},
		{CALL_RECEIVE_SLOT, -EBADF, {BAD_SLOT}},
		{CALL_CALL, -EBADF, {s.endpoint | SEND_CAP(BAD_SLOT)}},
		{CALL_CALL, -ENOTSUP, {s.endpoint | SEND_CAP(s.cnode)}},
		{CALL_CALL, -EDEADLK, {s.endpoint}},
		{CALL_WAIT, -EINVAL, {0, 0x100}},
	};

	try_all(calls, ARRAY_SIZE(calls));
}

static void bad_arguments_of_memory_and_domain_calls_are_refused(void)
{
	static struct domain_setup setup = {.priority = PRIORITIES};
	static struct domain_setup high = {.entry = USER_END};

	REQUIRE(make_capabilities());
	setup.aspace = high.aspace = s.space;
	setup.cnode = high.cnode = s.cnode;
	const struct bad_call calls[] = {
		{CALL_ASPACE_UPDATE, -EINVAL, {s.space, DOMAIN_CALL_VA, ASPACE_OPS + 1}},
		{CALL_ASPACE_UPDATE, -EFAULT, {s.space, KERNEL_PTR, 1}},
		{CALL_ASPACE_UPDATE, -EFAULT, {s.space, DOMAIN_START_VA, 1}},
		{CALL_ASPACE_DONATE, -EINVAL, {s.space, s.frame}},
		{CALL_DOMAIN_SETUP, -EFAULT, {s.domain, KERNEL_PTR}},
		{CALL_DOMAIN_SETUP, -EFAULT, {s.domain, UNMAPPED}},
		{CALL_DOMAIN_SETUP, -EINVAL, {s.domain, (u64)&setup}},
		{CALL_DOMAIN_SETUP, -EINVAL, {s.domain, (u64)&high}},
		{CALL_DOMAIN_START, -EBUSY, {s.domain}},
		{CALL_DOMAIN_INFO, -EFAULT, {0, KERNEL_PTR}},
		{CALL_DOMAIN_INFO, -EINVAL, {s.frame, DOMAIN_CALL_VA}},
		{CALL_CONTEXT_SETUP, -EINVAL, {s.context, s.space, s.frame, 0}},
		{CALL_CONTEXT_SETUP, -EPERM, {s.context, s.context_space, s.read_only, 0}},
		{CALL_CONTEXT_SETUP, -EINVAL, {s.context, s.context_space, s.frame, 1}},
		{CALL_CONTEXT_SETUP, -EINVAL, {s.context, s.context_space, s.frame, 2 * PAGE_SIZE}},
		{CALL_CONTEXT_SETUP,
		 -EINVAL,
		 {s.context, s.context_space, s.frame, ROUND_DOWN(UINT64_MAX, PAGE_SIZE)}},
		{CALL_RUN, -EBUSY, {s.context}},
		{CALL_TIMER_SET, -EINVAL, {s.timer, EVENTS, 1}},
		{CALL_IRQ_ALLOC, -EEXIST, {s.core, s.frame}},
		{CALL_IRQ_BIND, -EINVAL, {s.irq, EVENTS}},
		{CALL_IO, -EINVAL, {s.ports, 0x81, IO_IN8}},
		{CALL_IO, -EINVAL, {s.ports, 0x80, IO_IN16}},
		{CALL_IO, -EINVAL, {s.ports, 0x80, 3}},
		{CALL_IO, -EINVAL, {s.ports, UINT64_MAX, IO_IN32}},
		{CALL_IO_WRITE, -EINVAL, {s.ports, 0x80, (u64) "x", IO_WRITE_MAX + 1}},
		{CALL_IO_WRITE, -EFAULT, {s.ports, 0x80, KERNEL_PTR, 1}},
		{CALL_IOPORT_MINT, -EINVAL, {s.core, 5, 4, s.empty}},
		{CALL_IOPORT_MINT, -EINVAL, {s.core, 0, 0x10000, s.empty}},
		{CALL_DOORBELL_BIND, -EINVAL, {s.core, DOORBELLS, DOMAIN_SLOT_SELF, 5}},
		{CALL_DOORBELL_BIND, -EINVAL, {s.core, 90, DOMAIN_SLOT_SELF, EVENTS}},
		{CALL_DOORBELL_BIND, -EBUSY, {s.core, 0, DOMAIN_SLOT_SELF, 5}},
		{CALL_DOORBELL_MINT, -EINVAL, {s.core, 0, DOORBELLS, s.empty}},
		{CALL_DOORBELL_MINT, -EEXIST, {s.core, 0, 1, s.frame}},
		{CALL_CORE_INIT, -EINVAL, {s.core, 0}},
		{CALL_CORE_INIT, -EINVAL, {s.core, UINT32_MAX}},
		{CALL_CORE_STARTUP, -EINVAL, {s.core, 1, 256}},
		{CALL_CORE_HALT, -EINVAL, {s.core, 2}},
		{CALL_CORE_MINT, -EEXIST, {s.core, s.frame}},
		{CALL_LOG_WRITE, -EINVAL, {(u64) "x", LOG_WRITE_MAX + 1}},
		{CALL_LOG_WRITE, -EFAULT, {KERNEL_PTR, 10}},
	};

	try_all(calls, ARRAY_SIZE(calls));
}

/* One map operation on the test's own space; its result. */
static s64 map_op(struct aspace_op op)
{
	s64 done = sys_aspace_update(DOMAIN_SLOT_SPACE, &op, 1);

	return done < 0 ? done : op.result;
}

static void bad_map_operations_are_refused(void)
{
	u64 va = 32ul * GiB;
	struct aspace_op good;

	REQUIRE(make_capabilities());
	good = (struct aspace_op){
		.op = OP_MAP, .flags = MAP_READ, .va = va, .pages = 1, .frame = s.frame};
#define BAD(expected, ...)                                                                         \
	do {                                                                                       \
		struct aspace_op op = good;                                                        \
		__VA_ARGS__;                                                                       \
		CHECK_EQUAL(map_op(op), expected);                                                 \
	} while (0)
	BAD(-EINVAL, op.op = 99);
	BAD(-EINVAL, op.va = va + 1);
	BAD(-EINVAL, op.va = USER_END);
	BAD(-EINVAL, op.va = KERNEL_BASE);
	BAD(-EINVAL, op.va = USER_END - PAGE_SIZE; op.pages = 2);
	BAD(-EINVAL, op.pages = OP_PAGES_MAX + 1);
	BAD(-EINVAL, op.offset = 1);
	BAD(-EINVAL, op.pages = 3);
	BAD(-EINVAL, op.offset = 2 * PAGE_SIZE);
	BAD(-EINVAL, op.offset = ROUND_DOWN(UINT64_MAX, PAGE_SIZE));
	BAD(-EBADF, op.frame = s.empty);
	BAD(-EINVAL, op.frame = s.timer);
	BAD(-EPERM, op.frame = s.read_only; op.flags = MAP_READ | MAP_WRITE);
	BAD(-EEXIST, op.va = DOMAIN_CALL_VA);
#undef BAD
}

const struct test bad_tests[] = {
	TEST(unknown_calls_are_enosys),
	TEST(slots_that_are_empty_or_of_another_type_are_refused),
	TEST(bad_arguments_of_capability_calls_are_refused),
	TEST(bad_arguments_of_memory_and_domain_calls_are_refused),
	TEST(bad_map_operations_are_refused),
};
const u32 bad_count = ARRAY_SIZE(bad_tests);
