/* Capabilities: copying, rights, deleting, revoking, and RETYPE's bookkeeping. */
#include "calls.h"

static cap_t new_ram(u64 bytes)
{
	struct rt_frame ram;

	return rt_ram_new(bytes, &ram) ? CAP_NONE : ram.cap;
}

static u32 type_of(cap_t slot)
{
	struct cap_info info;

	return sys_cap_info(slot, &info) ? CAP_NULL : info.type;
}

static void copy_has_the_rights_asked_for(void)
{
	cap_t ram = new_ram(PAGE_SIZE), frame = slot_new(), copy = slot_new(), again = slot_new();
	struct cap_info info, original;

	REQUIRE_EQUAL(sys_retype(ram, CAP_FRAME, PAGE_SIZE, frame), 0);
	REQUIRE_EQUAL(sys_cap_copy(copy, frame, RIGHT_READ | RIGHT_GRANT, 0), 0);
	CHECK_EQUAL(sys_cap_info(frame, &original), 0);
	CHECK_EQUAL(sys_cap_info(copy, &info), 0);
	CHECK_EQUAL(info.rights, RIGHT_READ | RIGHT_GRANT);
	CHECK_EQUAL(info.base, original.base);
	CHECK_EQUAL(info.bytes, original.bytes);
	CHECK_EQUAL(sys_cap_copy(again, copy, RIGHT_WRITE, 0), -EPERM);
	CHECK_EQUAL(sys_cap_copy(again, copy, RIGHT_READ, 0), 0);
	slot_drop(ram);
}

static void copy_without_grant_cannot_be_copied(void)
{
	cap_t ram = new_ram(PAGE_SIZE), frame = slot_new(), copy = slot_new();

	REQUIRE_EQUAL(sys_retype(ram, CAP_FRAME, PAGE_SIZE, frame), 0);
	REQUIRE_EQUAL(sys_cap_copy(copy, frame, RIGHT_READ, 0), 0);
	CHECK_EQUAL(sys_cap_copy(slot_new(), copy, RIGHT_READ, 0), -EPERM);
	slot_drop(ram);
}

static void delete_with_descendants_is_ebusy(void)
{
	cap_t endpoint = rt_endpoint_new(5), copy = slot_new();

	REQUIRE_EQUAL(sys_cap_copy(copy, endpoint, RIGHT_CALL, 0), 0);
	CHECK_EQUAL(sys_cap_delete(endpoint), -EBUSY);
	CHECK_EQUAL(sys_cap_delete(copy), 0);
	CHECK_EQUAL(sys_cap_delete(endpoint), 0);
	CHECK_EQUAL(type_of(endpoint), CAP_NULL);
	slot_put(copy);
	slot_put(endpoint);
}

static void revoke_deletes_all_that_derives(void)
{
	cap_t ram = new_ram(64 * KiB), frame = slot_new(), copy = slot_new(), inner = slot_new();
	cap_t below = slot_new();
	struct cap_info info;

	REQUIRE_EQUAL(sys_retype(ram, CAP_FRAME, PAGE_SIZE, frame), 0);
	REQUIRE_EQUAL(sys_cap_copy(copy, frame, RIGHT_READ | RIGHT_GRANT, 0), 0);
	REQUIRE_EQUAL(sys_retype(ram, CAP_RAM, 2 * PAGE_SIZE, inner), 0);
	REQUIRE_EQUAL(sys_retype(inner, CAP_FRAME, PAGE_SIZE, below), 0);
	CHECK_EQUAL(sys_cap_revoke(ram), 0);
	CHECK_EQUAL(type_of(frame), CAP_NULL);
	CHECK_EQUAL(type_of(copy), CAP_NULL);
	CHECK_EQUAL(type_of(inner), CAP_NULL);
	CHECK_EQUAL(type_of(below), CAP_NULL);
	CHECK_EQUAL(type_of(ram), CAP_RAM);
	CHECK_EQUAL(sys_cap_info(ram, &info), 0);
	CHECK_EQUAL(info.used, 0);
	slot_drop(ram);
}

static void retype_gives_each_byte_once(void)
{
	cap_t ram = new_ram(16 * PAGE_SIZE);
	struct cap_info before, info;
	u64 end;

	REQUIRE_EQUAL(sys_cap_info(ram, &before), 0);
	end = before.base;
	for (u32 i = 0; i < 16; i++) {
		cap_t frame = slot_new();

		REQUIRE_EQUAL(sys_retype(ram, CAP_FRAME, PAGE_SIZE, frame), 0);
		REQUIRE_EQUAL(sys_cap_info(frame, &info), 0);
		CHECK(info.base >= end);
		end = info.base + info.bytes;
	}
	CHECK_EQUAL(end, before.base + before.bytes);
	CHECK_EQUAL(sys_retype(ram, CAP_FRAME, PAGE_SIZE, slot_new()), -ENOMEM);
	CHECK_EQUAL(sys_retype(ram, CAP_TIMER, TIMER_BYTES, slot_new()), -ENOMEM);
	slot_drop(ram);
}

static void memory_returns_when_all_objects_are_gone(void)
{
	cap_t ram = new_ram(PAGE_SIZE), timer = slot_new();

	for (u32 i = 0; i < 3; i++) {
		REQUIRE_EQUAL(sys_retype(ram, CAP_FRAME, PAGE_SIZE, timer), 0);
		CHECK_EQUAL(sys_retype(ram, CAP_FRAME, PAGE_SIZE, slot_new()), -ENOMEM);
		CHECK_EQUAL(sys_cap_delete(timer), 0);
	}
	slot_drop(ram);
}

static void endpoint_carries_its_badge(void)
{
	cap_t endpoint = rt_endpoint_new(0x1234567890abcdef), copy = slot_new();
	struct cap_info info;

	REQUIRE_EQUAL(sys_cap_copy(copy, endpoint, RIGHT_CALL, 99), 0);
	CHECK_EQUAL(sys_cap_info(endpoint, &info), 0);
	CHECK_EQUAL(info.type, CAP_ENDPOINT);
	CHECK_EQUAL(info.base, 0x1234567890abcdef);
	CHECK_EQUAL(sys_cap_info(copy, &info), 0);
	CHECK_EQUAL(info.base, 0x1234567890abcdef); /* a copy's badge cannot be chosen */
	slot_drop(endpoint);
}

static void running_out_of_memory_is_an_error(void)
{
	struct rt_frame frame;
	struct sys_words words = {.w = {MON_MEMORY}};

	sys_call(DOMAIN_SLOT_MONITOR, &words);
	CHECK_EQUAL(rt_frame_new(words.w[1] + 1, &frame), words.w[1] < GiB ? -ENOMEM : -EINVAL);
	CHECK_EQUAL(rt_frame_new(4 * GiB, &frame), -EINVAL);
	CHECK_EQUAL(rt_frame_new(PAGE_SIZE, &frame), 0);
	rt_frame_put(&frame);
}

/* All that the core has, taken and given back; meanwhile others get an error, and nothing dies. */
static void memory_can_be_used_up_and_comes_back(void)
{
	static struct rt_frame frames[256];
	struct rt_task task;
	u32 n = 0;

	for (u64 bytes = 16 * MiB; bytes >= 16 * KiB; bytes /= 2)
		while (n < ARRAY_SIZE(frames) && rt_frame_new(bytes, &frames[n]) == 0)
			n++;
	REQUIRE(n < ARRAY_SIZE(frames));
	CHECK_EQUAL(rt_frame_new(16 * KiB, &frames[n]), -ENOMEM);
	CHECK_EQUAL(victim_run("write-code", CAP_NONE, &task), -ENOMEM);
	test_note("%u frames", n);
	while (n > 0)
		rt_frame_put(&frames[--n]);
	CHECK_EQUAL(victim_run("write-code", CAP_NONE, &task), 0);
	CHECK_EQUAL(task.death, DEATH_FAULT);
}

/* What one domain wrote must not be read by the next that gets the memory. */
static void memory_is_zero_for_its_next_owner(void)
{
	struct rt_frame frame;
	u64 *page;
	u64 seen = 0;

	REQUIRE_EQUAL(rt_frame_new(MiB, &frame), 0);
	page = vspace_attach(&rt_space, frame.cap, 0, MiB, MAP_READ | MAP_WRITE);
	REQUIRE(page);
	memset(page, 0xa5, MiB);
	vspace_detach(&rt_space, page, MiB);
	rt_frame_put(&frame);
	REQUIRE_EQUAL(rt_frame_new(MiB, &frame), 0);
	page = vspace_attach(&rt_space, frame.cap, 0, MiB, MAP_READ);
	REQUIRE(page);
	for (u64 i = 0; i < MiB / sizeof(u64); i++)
		seen |= page[i];
	CHECK_EQUAL(seen, 0);
	vspace_detach(&rt_space, page, MiB);
	rt_frame_put(&frame);
}

const struct test cap_tests[] = {
	TEST(copy_has_the_rights_asked_for),        TEST(copy_without_grant_cannot_be_copied),
	TEST(delete_with_descendants_is_ebusy),     TEST(revoke_deletes_all_that_derives),
	TEST(retype_gives_each_byte_once),          TEST(memory_returns_when_all_objects_are_gone),
	TEST(endpoint_carries_its_badge),           TEST(running_out_of_memory_is_an_error),
	TEST(memory_can_be_used_up_and_comes_back), TEST(memory_is_zero_for_its_next_owner),
};
const u32 cap_count = ARRAY_SIZE(cap_tests);
