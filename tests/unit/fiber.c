/*
 * Fibers (lib/fiber): turns, waiting, deadlines, events, interrupts. Time is a counter here that
 * jumps to the next deadline, so nothing depends on the build host's clock.
 */
#include <errno.h>
#include <fenv.h>
#include <fiber/fiber.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unit.h>

#define STACK      (64 * KiB)
#define MAX_FIBERS 64

/* A world of fibers: its clock, its events, and what the fibers write down. */
static struct world {
	struct fiber_loop loop;
	struct fiber fiber[MAX_FIBERS];
	void *stack[MAX_FIBERS];
	u32 nfibers, nended;
	u64 now_ns;
	u64 coming; /* events that the next wait returns */
	u64 mask;   /* that the last wait was called with */
	u32 nwaits;
	struct fiber_queue queue;
	char log[256];
} w;

static u64 now_ns(void *arg)
{
	(void)arg;
	return w.now_ns;
}

static u64 wait_events(void *arg, u64 mask, u64 deadline_ns)
{
	u64 events = w.coming;

	(void)arg;
	w.mask = mask;
	w.nwaits++;
	w.coming = 0;
	if (events == 0 && deadline_ns != FIBER_FOREVER && deadline_ns > w.now_ns)
		w.now_ns = deadline_ns;
	return events;
}

static const struct fiber_io io = {.now_ns = now_ns, .wait_events = wait_events};

static void new_world(void)
{
	memset(&w, 0, sizeof(w));
	w.now_ns = 1000;
	fiber_loop_init(&w.loop, &io, NULL);
}

static void ended(struct fiber *fiber)
{
	free(w.stack[fiber - w.fiber]);
	w.nended++;
}

static struct fiber *start(void (*entry)(void *), const char *arg)
{
	u32 i = w.nfibers++;

	w.stack[i] = malloc(STACK);
	CHECK_EQUAL(fiber_start(&w.loop, &w.fiber[i], w.stack[i], STACK, entry, (void *)arg, ended),
		    0);
	return &w.fiber[i];
}

static void note(const char *text)
{
	strncat(w.log, text, sizeof(w.log) - strlen(w.log) - 1);
}

/* Run to the end; check that all fibers ended, and what they wrote down. */
static void check_run(const char *log)
{
	CHECK_EQUAL(fiber_loop_run(&w.loop), 0);
	CHECK_EQUAL(w.nended, w.nfibers);
	CHECK_EQUAL(w.loop.nfibers, 0);
	CHECK_STRING(w.log, log);
}

static void note_arg(void *arg)
{
	note(arg);
}

TEST(fibers_run_in_the_order_they_were_started)
{
	new_world();
	start(note_arg, "a");
	start(note_arg, "b");
	start(note_arg, "c");
	check_run("abc");
}

static void note_thrice(void *arg)
{
	for (int i = 0; i < 3; i++) {
		note(arg);
		fiber_yield(&w.loop);
	}
}

TEST(yielding_fibers_take_turns)
{
	new_world();
	start(note_thrice, "a");
	start(note_thrice, "b");
	check_run("ababab");
}

static void start_another(void *arg)
{
	note(arg);
	start(note_arg, "new");
}

TEST(fiber_can_start_fibers)
{
	new_world();
	start(start_another, "old ");
	check_run("old new");
}

static void check_self(void *arg)
{
	(void)arg;
	CHECK(fiber_self(&w.loop) == &w.fiber[1]);
	note("x");
}

TEST(running_fiber_knows_itself)
{
	new_world();
	start(note_arg, "");
	start(check_self, "");
	CHECK(fiber_self(&w.loop) == NULL);
	check_run("x");
	CHECK(fiber_self(&w.loop) == NULL);
}

TEST(stack_that_is_too_small_is_refused)
{
	static u8 stack[FIBER_MIN_STACK];

	new_world();
	CHECK_EQUAL(fiber_start(&w.loop, &w.fiber[0], stack, sizeof(stack) - 1, note_arg, NULL,
				NULL),
		    -EINVAL);
	CHECK_EQUAL(w.loop.nfibers, 0);
}

static void use_odd_stack(void *arg)
{
	_Alignas(16) u8 aligned[16];

	(void)arg;
	CHECK_EQUAL((uintptr_t)aligned % 16, 0);
	note("x");
}

TEST(stack_of_any_alignment_will_do)
{
	static u8 stack[STACK + 16];

	new_world();
	for (u32 i = 0; i < 16; i++)
		CHECK_EQUAL(fiber_start(&w.loop, &w.fiber[0], stack + i, STACK, use_odd_stack, NULL,
					NULL) ||
				    fiber_loop_run(&w.loop),
			    0);
	CHECK_EQUAL(strlen(w.log), 16);
}

/* Keeps values in registers across a switch; @arg seeds them. */
static void keep_registers(void *arg)
{
	u64 r[12];

	for (u64 i = 0; i < 12; i++)
		r[i] = (uintptr_t)arg * i;
	fesetround(*(char *)arg == 'a' ? FE_UPWARD : FE_DOWNWARD);
	for (u32 turn = 0; turn < 10; turn++) {
		fiber_yield(&w.loop);
		for (u64 i = 0; i < 12; i++)
			CHECK_EQUAL(r[i], (uintptr_t)arg * i);
		CHECK_EQUAL(fegetround(), *(char *)arg == 'a' ? FE_UPWARD : FE_DOWNWARD);
	}
}

TEST(registers_and_rounding_are_each_fibers_own)
{
	new_world();
	start(keep_registers, "a");
	start(keep_registers, "b");
	check_run("");
	CHECK_EQUAL(fegetround(), FE_TONEAREST);
}

/* --- Queues --- */

static void wait_in_queue(void *arg)
{
	CHECK_EQUAL(fiber_wait(&w.loop, &w.queue, FIBER_FOREVER), 0);
	note(arg);
}

static void wake_one_by_one(void *arg)
{
	(void)arg;
	while (fiber_wake_one(&w.queue)) {
		note("-");
		fiber_yield(&w.loop);
	}
}

TEST(queue_wakes_the_longest_waiting_first)
{
	new_world();
	start(wait_in_queue, "a");
	start(wait_in_queue, "b");
	start(wait_in_queue, "c");
	start(wake_one_by_one, NULL);
	check_run("-a-b-c");
}

static void wake_all(void *arg)
{
	(void)arg;
	CHECK_EQUAL(fiber_wake_all(&w.queue), 3);
	CHECK_EQUAL(fiber_wake_all(&w.queue), 0);
	CHECK(!fiber_wake_one(&w.queue));
	note("-");
}

TEST(all_that_wait_can_be_woken_at_once)
{
	new_world();
	start(wait_in_queue, "a");
	start(wait_in_queue, "b");
	start(wait_in_queue, "c");
	start(wake_all, NULL);
	check_run("-abc");
}

TEST(waiting_for_what_cannot_come_is_a_deadlock)
{
	new_world();
	start(wait_in_queue, "a");
	CHECK_EQUAL(fiber_loop_run(&w.loop), -EDEADLK);
	CHECK(fiber_wake_one(&w.queue)); /* help from outside */
	check_run("a");
}

TEST(only_fibers_can_wait)
{
	u64 events;

	new_world();
	CHECK_EQUAL(fiber_wait(&w.loop, &w.queue, FIBER_FOREVER), -EINVAL);
	CHECK_EQUAL(fiber_sleep_until(&w.loop, 0), -EINVAL);
	CHECK_EQUAL(fiber_wait_events(&w.loop, 1, 0, &events), -EINVAL);
	CHECK(!fiber_hold_interrupts(&w.loop, true));
	fiber_yield(&w.loop);
}

/* --- Deadlines --- */

static void sleep_for(void *arg)
{
	u64 deadline_ns = w.now_ns + strlen(arg);

	CHECK_EQUAL(fiber_sleep_until(&w.loop, deadline_ns), 0);
	CHECK_EQUAL(w.now_ns, deadline_ns);
	note(arg);
	note(" ");
}

TEST(sleepers_wake_in_the_order_of_their_deadlines)
{
	new_world();
	start(sleep_for, "ccc");
	start(sleep_for, "a");
	start(sleep_for, "dddd");
	start(sleep_for, "bb");
	check_run("a bb ccc dddd ");
	CHECK_EQUAL(w.now_ns, 1004);
}

static void sleep_in_the_past(void *arg)
{
	CHECK_EQUAL(fiber_sleep_until(&w.loop, 0), 0);
	CHECK_EQUAL(fiber_sleep_until(&w.loop, w.now_ns), 0);
	note(arg);
}

TEST(deadline_in_the_past_is_met_at_once)
{
	new_world();
	start(sleep_in_the_past, "x");
	check_run("x");
	CHECK_EQUAL(w.now_ns, 1000);
}

static void wait_until_late(void *arg)
{
	CHECK_EQUAL(fiber_wait(&w.loop, &w.queue, w.now_ns + 50), -ETIMEDOUT);
	CHECK(w.queue.first == NULL);
	note(arg);
}

TEST(wait_ends_at_its_deadline)
{
	new_world();
	start(wait_until_late, "a");
	start(wait_until_late, "b");
	check_run("ab");
	CHECK_EQUAL(w.now_ns, 1050);
}

static void wait_in_time(void *arg)
{
	CHECK_EQUAL(fiber_wait(&w.loop, &w.queue, w.now_ns + 50), 0);
	CHECK_EQUAL(fiber_sleep_until(&w.loop, w.now_ns + 100), 0); /* the old one is gone */
	CHECK_EQUAL(w.now_ns, 1110);
	note(arg);
}

static void wake_later(void *arg)
{
	CHECK_EQUAL(fiber_sleep_until(&w.loop, w.now_ns + 10), 0);
	note(arg);
	fiber_wake_all(&w.queue);
}

TEST(waking_before_the_deadline_takes_it_away)
{
	new_world();
	start(wait_in_time, "a");
	start(wake_later, "-");
	check_run("-a");
}

/* --- Events --- */

static void wait_for_bits(void *arg)
{
	u64 mask = strtoul(arg, NULL, 0), events = 0;
	char text[32];

	CHECK_EQUAL(fiber_wait_events(&w.loop, mask, FIBER_FOREVER, &events), 0);
	snprintf(text, sizeof(text), "%lx ", events);
	note(text);
}

static void send_bits(void *arg)
{
	w.coming = strtoul(arg, NULL, 0);
}

TEST(event_wakes_all_that_wait_for_it)
{
	new_world();
	start(wait_for_bits, "0x3");
	start(wait_for_bits, "0x6");
	start(wait_for_bits, "0x8000000000000000");
	start(send_bits, "0x8000000000000002");
	check_run("2 2 8000000000000000 ");
}

static void yield_then_wait(void *arg)
{
	for (int i = 0; i < 5; i++)
		fiber_yield(&w.loop);
	wait_for_bits(arg);
}

TEST(event_that_nobody_waits_for_is_kept)
{
	new_world();
	w.coming = 0x15;
	start(yield_then_wait, "0x5");
	start(yield_then_wait, "0x10");
	check_run("5 10 ");
}

static void wait_twice(void *arg)
{
	u64 events;

	wait_for_bits(arg);
	CHECK_EQUAL(fiber_wait_events(&w.loop, 1, w.now_ns + 5, &events), -ETIMEDOUT);
	note("late");
}

TEST(event_is_delivered_once)
{
	new_world();
	w.coming = 1;
	start(wait_twice, "1");
	check_run("1 late");
}

TEST(loop_asks_for_the_events_that_are_waited_for)
{
	new_world();
	start(wait_for_bits, "0x3");
	start(wait_for_bits, "0x10");
	CHECK_EQUAL(fiber_loop_run(&w.loop), -EDEADLK);
	CHECK_EQUAL(w.mask, 0x13);
	w.coming = 0x11;
	check_run("1 10 ");
}

static void wait_for_nothing(void *arg)
{
	u64 events;

	CHECK_EQUAL(fiber_wait_events(&w.loop, 0, FIBER_FOREVER, &events), -EINVAL);
	note(arg);
}

TEST(waiting_for_no_event_is_refused)
{
	new_world();
	start(wait_for_nothing, "x");
	check_run("x");
}

static void count_until_event(void *arg)
{
	u64 events;

	(void)arg;
	CHECK_EQUAL(fiber_wait_events(&w.loop, 1, FIBER_FOREVER, &events), 0);
	w.loop.stopping = true;
	note("event");
}

static void yield_for_ever(void *arg)
{
	(void)arg;
	for (;;) {
		if (++w.nfibers == 100)
			w.coming = 1;
		fiber_yield(&w.loop);
	}
}

TEST(busy_fibers_do_not_keep_events_away)
{
	new_world();
	start(count_until_event, NULL);
	start(yield_for_ever, NULL);
	CHECK_EQUAL(fiber_loop_run(&w.loop), 0);
	CHECK_STRING(w.log, "event");
	CHECK(w.nfibers < 110);
	free(w.stack[1]);
}

/* --- Interrupts --- */

static void be_interrupted(void *arg)
{
	u64 events;

	CHECK_EQUAL(fiber_wait(&w.loop, &w.queue, w.now_ns + 1000), -EINTR);
	CHECK(w.queue.first == NULL && w.loop.timers == NULL);
	CHECK_EQUAL(fiber_sleep_until(&w.loop, w.now_ns + 1000), -EINTR);
	CHECK_EQUAL(fiber_wait_events(&w.loop, 1, FIBER_FOREVER, &events), -EINTR);
	CHECK_EQUAL(fiber_sleep_until(&w.loop, w.now_ns + 5), 0);
	note(arg);
}

static void interrupt_thrice(void *arg)
{
	for (int i = 0; i < 3; i++) {
		fiber_interrupt(&w.fiber[0]);
		fiber_yield(&w.loop);
	}
	note(arg);
}

TEST(every_wait_can_be_interrupted)
{
	new_world();
	start(be_interrupted, "b");
	start(interrupt_thrice, "a");
	check_run("ab");
	CHECK_EQUAL(w.now_ns, 1005);
}

static void interrupt_self(void *arg)
{
	fiber_interrupt(fiber_self(&w.loop));
	fiber_interrupt(fiber_self(&w.loop));
	CHECK_EQUAL(fiber_sleep_until(&w.loop, w.now_ns + 5), -EINTR);
	CHECK_EQUAL(fiber_sleep_until(&w.loop, w.now_ns + 5), 0);
	note(arg);
}

TEST(interrupt_of_a_running_fiber_ends_its_next_wait)
{
	new_world();
	start(interrupt_self, "x");
	check_run("x");
}

static void hold_interrupts(void *arg)
{
	CHECK(!fiber_hold_interrupts(&w.loop, true));
	CHECK_EQUAL(fiber_sleep_until(&w.loop, w.now_ns + 50), 0);
	CHECK(fiber_hold_interrupts(&w.loop, false));
	CHECK_EQUAL(fiber_sleep_until(&w.loop, w.now_ns + 50), -EINTR);
	note(arg);
}

TEST(held_interrupt_comes_later)
{
	new_world();
	start(hold_interrupts, "b");
	start(interrupt_thrice, "a");
	check_run("ab");
	CHECK_EQUAL(w.now_ns, 1050);
}

static void interrupt_then_wake(void *arg)
{
	fiber_interrupt(&w.fiber[0]);
	CHECK(!fiber_wake_one(&w.queue));
	note(arg);
}

static void wait_interrupted(void *arg)
{
	CHECK_EQUAL(fiber_wait(&w.loop, &w.queue, FIBER_FOREVER), -EINTR);
	note(arg);
}

TEST(wait_ends_once_by_its_first_cause)
{
	new_world();
	start(wait_interrupted, "b");
	start(interrupt_then_wake, "a");
	check_run("ab");
}

/* --- The loop --- */

static void stop_loop(void *arg)
{
	note(arg);
	fiber_loop_stop(&w.loop);
	fiber_yield(&w.loop);
	note(arg);
}

TEST(stopped_loop_can_go_on)
{
	new_world();
	start(stop_loop, "x");
	start(note_arg, "y");
	CHECK_EQUAL(fiber_loop_run(&w.loop), 0);
	CHECK_STRING(w.log, "x");
	CHECK_EQUAL(w.loop.nfibers, 2);
	check_run("xyx");
}

/* Overflows the stack unless it has the whole of it. */
static u64 use_stack(u32 depth)
{
	volatile u8 frame[512];

	frame[0] = (u8)depth;
	return depth == 0 ? 0 : use_stack(depth - 1) + frame[0];
}

static void use_much_stack(void *arg)
{
	CHECK(use_stack(64) > 0);
	note(arg);
}

TEST(fiber_has_its_stack_and_nothing_else)
{
	const size_t bytes = 256 * KiB;
	u8 *memory =
		mmap(NULL, bytes + 2 * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(memory != MAP_FAILED);
	REQUIRE(mprotect(memory + PAGE_SIZE, bytes, PROT_READ | PROT_WRITE) == 0);
	new_world();
	CHECK_EQUAL(fiber_start(&w.loop, &w.fiber[0], memory + PAGE_SIZE, bytes, use_much_stack,
				"x", NULL),
		    0);
	CHECK_EQUAL(fiber_loop_run(&w.loop), 0);
	CHECK_STRING(w.log, "x");
	munmap(memory, bytes + 2 * PAGE_SIZE);
}

/* --- Many fibers at random, against simple expectations --- */

static u64 seed;
static u32 progress[MAX_FIBERS], ntimeouts, nwoken, ninterrupted;

static void do_anything(void *arg)
{
	u32 *mine = arg;

	for (*mine = 0; *mine < 2000; ++*mine) {
		u64 r = unit_random(&seed) >> 20, events, until = w.now_ns + (r >> 8) % 50;
		int result = 0;

		switch (r % 8) {
		case 0:
			result = fiber_wait(&w.loop, &w.queue, until);
			CHECK(result != -ETIMEDOUT || w.now_ns >= until);
			break;
		case 1:
			result = fiber_sleep_until(&w.loop, until);
			CHECK(result == -EINTR || w.now_ns >= until);
			break;
		case 2:
			result = fiber_wait_events(&w.loop, r, until, &events);
			CHECK(result != 0 || (events & r) != 0);
			break;
		case 3:
			w.coming |= r;
			break;
		case 4:
			fiber_wake_one(&w.queue);
			break;
		case 5:
			fiber_interrupt(&w.fiber[(r >> 10) % MAX_FIBERS]);
			break;
		default:
			fiber_yield(&w.loop);
		}
		ntimeouts += result == -ETIMEDOUT;
		ninterrupted += result == -EINTR;
		nwoken += result == 0 && r % 8 == 0;
	}
}

TEST(many_fibers_doing_anything_all_come_to_their_end)
{
	new_world();
	seed = 99;
	ntimeouts = nwoken = ninterrupted = 0;
	for (u32 i = 0; i < MAX_FIBERS; i++)
		start(do_anything, (char *)&progress[i]);
	check_run("");
	for (u32 i = 0; i < MAX_FIBERS; i++)
		CHECK_EQUAL(progress[i], 2000);
	CHECK(ntimeouts > 100 && nwoken > 100 && ninterrupted > 100);
	CHECK(w.queue.first == NULL && w.loop.timers == NULL);
}

TEST(timers_come_out_in_order_after_any_additions_and_removals)
{
	static struct fiber_timer timer[500];
	struct fiber_timer *heap = NULL;
	bool in[500] = {false};
	u64 random = 5, last = 0, n = 0;

	for (u32 i = 0; i < 20000; i++) {
		u64 r = unit_random(&random) >> 30;
		u64 t = r % 500;

		if (in[t]) {
			fiber_timer_remove(&heap, &timer[t]);
		} else {
			timer[t].deadline_ns = r >> 10 & 0xff;
			fiber_timer_add(&heap, &timer[t]);
		}
		in[t] = !in[t];
	}
	for (u32 i = 0; i < 500; i++)
		n += in[i];
	for (; heap; n--) {
		CHECK(heap->deadline_ns >= last);
		last = heap->deadline_ns;
		fiber_timer_remove(&heap, heap);
	}
	CHECK_EQUAL(n, 0);
}
