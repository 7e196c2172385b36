/*
 * The timing model's parts without QEMU: a few cores whose clocks the test holds.
 *
 * The slot (slot.c) is not here: its functions that memory.c calls are those below, for which no
 * core is ever ahead of another.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <timing.h>
#include <unistd.h>

#include <unit.h>

#define NCORES 4

struct timing timing;

static uint64_t spent[NCORES];
static uint32_t parked = UINT32_MAX, unparked = UINT32_MAX;
static uint64_t written_meanwhile; /* by core 0, while a core is parked */

void slot_strict(struct core *c)
{
	(void)c;
}

void slot_park(struct core *c, uint64_t cycles)
{
	(void)cycles;
	parked = c->index;
	c->state = CORE_PARKED;
	if (written_meanwhile)
		memory_access(&timing.cores[0], written_meanwhile, true, false);
}

void slot_unpark(uint32_t index, uint64_t clock)
{
	(void)clock;
	unparked = index;
	timing.cores[index].state = CORE_READY;
}

/* --- Machine descriptions --- */

#define X(key) #key " = 1\n"
static const char all_keys[] = MACHINE_KEYS(X);
#undef X

/* What machine_read() says of @text: "" if nothing. */
static const char *read_text(const char *text, struct machine *m)
{
	static char message[512];
	char path[] = "/tmp/timing-test-XXXXXX";
	int fd = mkstemp(path);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	message[0] = 0;
	if (machine_read(m, path, message, sizeof(message)) == 0)
		message[0] = 0;
	unlink(path);
	return message;
}

TEST(a_description_with_all_keys_is_read)
{
	char text[4096];
	struct machine m;

	snprintf(text, sizeof(text), "# of a test\n%s\n", all_keys);
	CHECK_STRING(read_text(text, &m), "");
	CHECK_EQUAL(m.mhz, 1);
	CHECK_EQUAL(m.fence, 1);
}

TEST(a_missing_key_is_named)
{
	struct machine m;

	CHECK(strstr(read_text("mhz = 2000\n", &m), "\"cycles_per_kinsn\" is missing") != NULL);
}

TEST(a_wrong_line_is_named_by_its_number)
{
	struct machine m;

	CHECK(strstr(read_text("mhz = 2000\nmhz = 1\n", &m), "line 2 has a key that was given") !=
	      NULL);
	CHECK(strstr(read_text("\n\nspeed = 1\n", &m), "line 3 has an unknown key") != NULL);
	CHECK(strstr(read_text("mhz 2000\n", &m), "line 1 is not") != NULL);
	CHECK(strstr(read_text("mhz = 2000 x\n", &m), "line 1 is not") != NULL);
	CHECK(strstr(read_text("mhz = 99999999999999999999999\n", &m), "line 1 has a number") !=
	      NULL);
}

TEST(a_description_without_caches_is_refused)
{
	char text[4096], *ways;
	struct machine m;

	snprintf(text, sizeof(text), "%s", all_keys);
	ways = strstr(text, "l2_ways = 1");
	REQUIRE(ways != NULL);
	ways[strlen("l2_ways = ")] = '0';
	CHECK(strstr(read_text(text, &m), "ways") != NULL);
}

/* --- Instructions --- */

static struct insn_info look(const char *bytes, size_t len)
{
	return insn_look((const uint8_t *)bytes, len, UINT64_MAX);
}

#define LOOK(bytes) look(bytes, sizeof(bytes) - 1)

TEST(instructions_are_told_apart)
{
	timing.machine.syscall = 70;
	timing.machine.iret = 700;
	CHECK_EQUAL(LOOK("\x0f\x05").cycles, 70);
	CHECK_EQUAL(LOOK("\x48\xcf").cycles, 700);
	CHECK_EQUAL(LOOK("\xf3\x90").event, INSN_PAUSE);
	CHECK_EQUAL(LOOK("\x90").event, INSN_PLAIN);
	CHECK_EQUAL(LOOK("\x0f\x31").event, INSN_TSC);
	CHECK_EQUAL(LOOK("\x0f\x01\xf9").event, INSN_TSC);
	CHECK_EQUAL(LOOK("\x0f\x22\xd8").event, INSN_CR3);
	CHECK_EQUAL(LOOK("\x0f\x22\xc0").event, INSN_PLAIN);
	CHECK_EQUAL(LOOK("\x0f\x01\x38").event, INSN_INVLPG);
	CHECK_EQUAL(LOOK("\xee").event, INSN_IO);
	CHECK_EQUAL(LOOK("\xe8\x00\x00\x00\x00").event, INSN_PLAIN);
	CHECK_EQUAL(LOOK("\xeb\x00").event, INSN_PLAIN);
	CHECK(LOOK("\xf0\x48\xff\x00").atomic);
	CHECK(LOOK("\x48\x87\x03").atomic);
	CHECK(!LOOK("\x48\x87\xc3").atomic);
}

TEST(only_the_two_markers_are_markers)
{
	CHECK_EQUAL(LOOK("\x0f\x1f\x84\x00\x01\x00\x54\x53").event, INSN_MARKER);
	CHECK_EQUAL(LOOK("\x0f\x1f\x84\x00\x02\x00\x54\x53").marker, MARKER_REPORT);
	CHECK_EQUAL(LOOK("\x0f\x1f\x84\x00\x00\x00\x00\x00").event, INSN_PLAIN);
}

TEST(a_write_of_a_register_of_the_apic_may_start_something)
{
	struct insn_info mov = LOOK("\xb9\x30\x08\x00\x00");

	CHECK(mov.sets_ecx);
	CHECK_EQUAL(insn_look((const uint8_t *)"\x0f\x30", 2, mov.ecx).event, INSN_IO);
	CHECK_EQUAL(insn_look((const uint8_t *)"\x0f\x30", 2, 0xc0000100).event, INSN_PLAIN);
	CHECK_EQUAL(LOOK("\x0f\x30").event, INSN_IO);
}

/* --- Memory: four cores in two sockets, memory of both --- */

static uint64_t cost(uint32_t core, uint64_t paddr, bool store, bool atomic)
{
	struct core *c = &timing.cores[core];
	uint64_t before = core_clock(c);

	memory_access(c, paddr, store, atomic);
	return (core_clock(c) - before) / MILLI;
}

/* The clocks of all go on together, so that nobody waits for what is long over. */
static void pass(uint64_t cycles)
{
	for (uint32_t i = 0; i < NCORES; i++)
		spent[i] += cycles * MILLI;
}

static void begin(void)
{
	static bool begun;
	char message[256];

	if (begun)
		return;
	begun = true;
	timing.ncores = NCORES;
	timing.nsockets = 2;
	REQUIRE(machine_read(&timing.machine, "hake/timing/machines/2socket.machine", message,
			     sizeof(message)) == 0);
	for (uint32_t i = 0; i < NCORES; i++) {
		timing.cores[i].index = i;
		timing.cores[i].socket = i / 2;
		timing.cores[i].spent = &spent[i];
	}
	REQUIRE(memory_add_node(0, 0, 64 << 20) == 0);
	REQUIRE(memory_add_node(1, 64 << 20, 64 << 20) == 0);
	REQUIRE(memory_init() == 0);
}

TEST(what_was_read_is_cached)
{
	begin();
	CHECK_EQUAL(cost(0, 0x10000, false, false), timing.machine.dram_local);
	CHECK_EQUAL(cost(0, 0x10000, false, false), 0);
	CHECK_EQUAL(cost(1, 0x10000, false, false), timing.machine.llc_hit);
	CHECK_EQUAL(cost(2, 0x10000, false, false), timing.machine.far_clean);
}

TEST(memory_of_the_other_node_is_further)
{
	begin();
	CHECK_EQUAL(cost(0, 0x5000000, false, false), timing.machine.dram_remote);
	CHECK_EQUAL(cost(2, 0x5800000, false, false), timing.machine.dram_local);
}

TEST(a_write_makes_other_copies_stale)
{
	begin();
	cost(0, 0x20000, false, false);
	cost(1, 0x20000, false, false);
	pass(1000);
	CHECK_EQUAL(cost(0, 0x20000, true, false), timing.machine.near_upgrade);
	CHECK_EQUAL(cost(0, 0x20000, true, false), 0);
	pass(1000);
	CHECK_EQUAL(cost(1, 0x20000, false, false), timing.machine.near_dirty);
	pass(1000);
	CHECK_EQUAL(cost(3, 0x20000, true, false),
		    MAX(timing.machine.far_upgrade, timing.machine.far_clean));
	pass(1000);
	CHECK_EQUAL(cost(0, 0x20000, false, false), timing.machine.far_dirty);
}

TEST(a_line_that_only_one_core_read_is_written_for_nothing)
{
	begin();
	cost(0, 0x30000, false, false);
	CHECK_EQUAL(cost(0, 0x30000, true, false), 0);
}

TEST(a_locked_instruction_pays_once)
{
	begin();
	cost(0, 0x40000, true, false);
	CHECK_EQUAL(cost(0, 0x40000, false, true), timing.machine.atomic);
	CHECK_EQUAL(cost(0, 0x40000, true, true), 0);
}

TEST(a_line_moves_once_at_a_time)
{
	uint64_t first, second;

	begin();
	cost(0, 0x50000, true, false);
	pass(1000);
	spent[1] = spent[2] = spent[0];
	timing.cores[1].base = timing.cores[2].base = timing.cores[0].base;
	first = cost(1, 0x50000, false, true);
	second = cost(2, 0x50000, false, true);
	CHECK(second > first);
	CHECK(second >= timing.machine.far_dirty + first - timing.machine.atomic);
}

TEST(who_spins_on_a_line_sleeps_until_it_is_written)
{
	begin();
	cost(0, 0x60000, true, false);
	pass(100000);
	parked = unparked = UINT32_MAX;
	written_meanwhile = 0x60000;
	for (int i = 0; i < 8 && parked == UINT32_MAX; i++) {
		cost(1, 0x60000, false, false);
		memory_pause(&timing.cores[1], 0x1234);
	}
	written_meanwhile = 0;
	CHECK_EQUAL(parked, 1);
	CHECK_EQUAL(unparked, 1);
}

TEST(who_writes_in_its_loop_does_not_sleep)
{
	begin();
	parked = UINT32_MAX;
	for (int i = 0; i < 8; i++) {
		cost(2, 0x70000, true, false);
		memory_pause(&timing.cores[2], 0x5678);
	}
	CHECK_EQUAL(parked, UINT32_MAX);
}

TEST(bandwidth_is_shared)
{
	uint64_t alone = 0, together = 0;

	begin();
	pass(1000000);
	for (uint64_t i = 0; i < 2000; i++)
		alone += cost(0, 0x1000000 + i * 64, false, false);
	pass(1000000);
	for (uint64_t i = 0; i < 2000; i++) {
		/* All at the same time: as far as the one core has come. */
		for (uint32_t c = 1; c < NCORES; c++)
			timing.cores[c].base = core_clock(&timing.cores[0]) - spent[c];
		for (int n = 0; n < 20; n++)
			cost(1, 0x2000000 + i * 64 + (uint64_t)n * 0x40000, false, false);
		together += cost(0, 0x1100000 + i * 64, false, false);
	}
	CHECK(together > alone);
}
