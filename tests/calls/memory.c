/* Mappings: what the processor lets through, and what ends a domain. */
#include "calls.h"

#define PAGE_FAULT         14
#define GENERAL_PROTECTION 13

static void ends_by(const char *what, cap_t gift, u32 vector)
{
	struct rt_task task;

	REQUIRE_EQUAL(victim_run(what, gift, &task), 0);
	CHECK_EQUAL(task.death, DEATH_FAULT);
	CHECK_EQUAL(task.status, vector);
}

static void write_to_a_read_only_page_faults(void)
{
	struct rt_frame frame;
	volatile u64 *page = rt_frame_map_new(PAGE_SIZE, &frame);

	REQUIRE(page);
	*page = 1;
	ends_by("write-read-only", frame.cap, PAGE_FAULT);
	CHECK_EQUAL(*page, 1);
	vspace_detach(&rt_space, (void *)page, frame.bytes);
	rt_frame_put(&frame);
}

static void execution_of_data_faults(void)
{
	ends_by("execute-data", CAP_NONE, PAGE_FAULT);
}

static void write_to_code_faults(void)
{
	ends_by("write-code", CAP_NONE, PAGE_FAULT);
}

static void memory_of_the_cpu_driver_cannot_be_read(void)
{
	ends_by("read-kernel", CAP_NONE, PAGE_FAULT);
	ends_by("read-physmap", CAP_NONE, PAGE_FAULT);
}

static void stack_has_a_guard(void)
{
	ends_by("overflow-stack", CAP_NONE, PAGE_FAULT);
}

static void privileged_instructions_fault(void)
{
	ends_by("execute-privileged", CAP_NONE, GENERAL_PROTECTION);
	ends_by("do-port-io", CAP_NONE, GENERAL_PROTECTION);
}

static void revoke_unmaps(void)
{
	ends_by("use-revoked-memory", CAP_NONE, PAGE_FAULT);
}

static void page_is_writable_or_executable_never_both(void)
{
	struct rt_frame frame;
	struct aspace_op op = {.op = OP_MAP, .va = 33ul * GiB, .pages = 1};

	REQUIRE_EQUAL(rt_frame_new(PAGE_SIZE, &frame), 0);
	op.frame = frame.cap;
	op.flags = MAP_READ | MAP_WRITE | MAP_EXEC;
	sys_aspace_update(DOMAIN_SLOT_SPACE, &op, 1);
	CHECK_EQUAL(op.result, -EPERM);
	rt_frame_put(&frame);
}

static void query_tells_what_is_mapped(void)
{
	struct rt_frame frame;
	volatile u64 *page = rt_frame_map_new(PAGE_SIZE, &frame);
	struct aspace_op op = {.op = OP_QUERY, .va = (u64)page, .pages = 1};

	REQUIRE(page);
	*page = 1;
	CHECK_EQUAL(sys_aspace_update(DOMAIN_SLOT_SPACE, &op, 1), 1);
	CHECK_EQUAL(op.result, QUERY_PRESENT | QUERY_WRITE | QUERY_ACCESSED | QUERY_DIRTY);
	vspace_detach(&rt_space, (void *)page, frame.bytes);
	CHECK_EQUAL(sys_aspace_update(DOMAIN_SLOT_SPACE, &op, 1), 1);
	CHECK_EQUAL(op.result, -ENOENT);
	rt_frame_put(&frame);
}

static void programs_that_do_not_exist_are_enoent(void)
{
	const char *argv[] = {"bin/no-such-program"};
	struct rt_spawn spawn = {.argc = 1, .argv = argv};
	struct rt_task task;

	CHECK_EQUAL(rt_spawn(&spawn, &task), -ENOENT);
}

const struct test memory_tests[] = {
	TEST(write_to_a_read_only_page_faults),
	TEST(execution_of_data_faults),
	TEST(write_to_code_faults),
	TEST(memory_of_the_cpu_driver_cannot_be_read),
	TEST(stack_has_a_guard),
	TEST(privileged_instructions_fault),
	TEST(revoke_unmaps),
	TEST(page_is_writable_or_executable_never_both),
	TEST(query_tells_what_is_mapped),
	TEST(programs_that_do_not_exist_are_enoent),
};
const u32 memory_count = ARRAY_SIZE(memory_tests);
