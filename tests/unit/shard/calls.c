/* Calls, tells, cancelling and death, one behaviour each. */
#include <stdio.h>
#include <string.h>

#include "world.h"

#define OP_ECHO  SHARD_OP(SHARD_FILES, 1)
#define OP_WAIT  SHARD_OP(SHARD_FILES, 2)
#define OP_NOTE  SHARD_OP(SHARD_FILES, 3)
#define OP_BACK  SHARD_OP(SHARD_INODES, 0)
#define OP_EARLY SHARD_OP(SHARD_INODES, 255)

static char notes[256];
static struct fiber_queue blocked;
static u32 nwaiting, early;
static u8 big[SHARD_BYTES_MAX + 1], back[SHARD_BYTES_MAX];

static s64 echo(struct shard_request *r)
{
	void *answer = shard_answer(r, r->bytes);

	if (!answer)
		return -EMSGSIZE;
	memcpy(answer, r->args, r->bytes);
	return r->core;
}

static s64 wait_until_woken(struct shard_request *r)
{
	int err;

	nwaiting++;
	err = fiber_wait(&world_loop, &blocked, FIBER_FOREVER);
	nwaiting--;
	if (r->cancelled)
		CHECK_EQUAL(err, -EINTR);
	return err ? err : 7;
}

static s64 note(struct shard_request *r)
{
	strncat(notes, r->args, r->bytes);
	return 0;
}

/* Asks the asking core for an echo before it answers. */
static s64 ask_back(struct shard_request *r)
{
	u64 x = 5, y = 0;
	s64 result = shard_call(r->net, r->core, OP_ECHO, &x, sizeof(x), &y, sizeof(y), NULL);

	CHECK_EQUAL(y, 5);
	return 100 + result;
}

static s64 answer_early(struct shard_request *r)
{
	CHECK_EQUAL(shard_answer_early(r, 9), 0);
	CHECK_EQUAL(shard_answer_early(r, 10), -EALREADY);
	CHECK(!shard_answer(r, 1));
	fiber_yield(&world_loop);
	fiber_yield(&world_loop);
	early++;
	return 11;
}

static void serve_all(u32 cores)
{
	notes[0] = 0;
	nwaiting = early = 0;
	for (u32 core = 0; core < cores; core++) {
		struct shard_net *net = net_of(core);

		CHECK_EQUAL(shard_serve(net, OP_ECHO, echo, NULL), 0);
		CHECK_EQUAL(shard_serve(net, OP_WAIT, wait_until_woken, NULL), 0);
		CHECK_EQUAL(shard_serve(net, OP_NOTE, note, NULL), 0);
		CHECK_EQUAL(shard_serve(net, OP_BACK, ask_back, NULL), 0);
		CHECK_EQUAL(shard_serve(net, OP_EARLY, answer_early, NULL), 0);
	}
}

static void echo_of_all_sizes(void)
{
	static const u32 sizes[] = {0, 1, 55, 56, 4096, SHARD_BYTES_MAX};
	u32 got = 1;

	serve_all(2);
	for (u32 i = 0; i < sizeof(big); i++)
		big[i] = (u8)(i * 7 + i / 251);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(back, 0, sizeof(back));
		CHECK_EQUAL(shard_call(net_of(0), 1, OP_ECHO, big, sizes[i], back, sizes[i], &got),
			    0);
		CHECK_EQUAL(got, sizes[i]);
		CHECK(memcmp(big, back, sizes[i]) == 0);
	}
	CHECK_EQUAL(shard_call(net_of(1), 0, OP_ECHO, big, 8, back, 8, NULL), 1);
	CHECK_EQUAL(shard_counts(net_of(0), 1, SHARD_FILES).sent, ARRAY_SIZE(sizes) + 1);
	CHECK_EQUAL(shard_counts(net_of(0), 1, SHARD_AREAS).received, ARRAY_SIZE(sizes) + 1);
	CHECK_EQUAL(shard_counts(net_of(0), 1, SHARD_INODES).received, 0);
}

TEST(a_call_brings_its_result_and_its_bytes)
{
	world_run(2, echo_of_all_sizes);
}

static void refused(void)
{
	u32 got = 1;

	serve_all(2);
	CHECK_EQUAL(shard_call(net_of(0), 1, OP_ECHO, big, sizeof(big), back, 1, NULL), -EMSGSIZE);
	CHECK_EQUAL(shard_tell(net_of(0), 1, OP_ECHO, big, sizeof(big)), -EMSGSIZE);
	CHECK_EQUAL(shard_call(net_of(0), 1, OP_ECHO, big, 9, back, 8, &got), -EMSGSIZE);
	CHECK_EQUAL(got, 0);
	CHECK_EQUAL(shard_call(net_of(0), 2, OP_ECHO, NULL, 0, NULL, 0, NULL), -EINVAL);
	CHECK_EQUAL(shard_tell(net_of(0), 2, OP_ECHO, NULL, 0), -EINVAL);
	CHECK_EQUAL(shard_call(net_of(0), 1, SHARD_OP(SHARD_FILES, 9), NULL, 0, NULL, 0, NULL),
		    -ENOSYS);
	CHECK_EQUAL(shard_call(net_of(0), 1, 0xffff, NULL, 0, NULL, 0, NULL), -ENOSYS);
	CHECK_EQUAL(shard_serve(net_of(0), OP_ECHO, echo, NULL), -EEXIST);
	CHECK_EQUAL(shard_serve(net_of(0), 0xffff, echo, NULL), -EINVAL);
}

TEST(calls_that_cannot_be_are_refused)
{
	world_run(2, refused);
}

static void pieces(void)
{
	char a[3], b[5], c[5];
	struct shard_in in[] = {{"he", 2}, {NULL, 0}, {"llo ", 4}, {"you", 3}};
	struct shard_out out[] = {{a, 3}, {b, 5}, {c, 5}};
	struct shard_parts parts = {.in = in, .out = out, .nin = 4, .nout = 3};

	serve_all(2);
	for (u32 core = 0; core < 2; core++) {
		CHECK_EQUAL(shard_call_parts(net_of(0), core, OP_ECHO, &parts), 0);
		CHECK_EQUAL(parts.got, 9);
		CHECK(memcmp(a, "hel", 3) == 0 && memcmp(b, "lo yo", 5) == 0 && c[0] == 'u');
	}
}

TEST(arguments_and_answers_may_be_in_pieces)
{
	world_run(2, pieces);
}

static void to_itself(void)
{
	u64 x = 3, y = 0;
	u32 got;

	serve_all(2);
	CHECK_EQUAL(shard_call(net_of(1), 1, OP_ECHO, &x, 8, &y, 8, &got), 1);
	CHECK_EQUAL(y, 3);
	CHECK_EQUAL(got, 8);
	CHECK_EQUAL(shard_tell(net_of(1), 1, OP_NOTE, "x", 1), 0);
	CHECK_STRING(notes, "");
	world_settle();
	CHECK_STRING(notes, "x");
	CHECK_EQUAL(shard_counts(net_of(1), 1, SHARD_AREAS).sent, 0);
}

TEST(a_call_to_the_own_core_needs_no_message)
{
	world_run(2, to_itself);
}

static void call_wait(void *arg)
{
	s64 *result = arg;

	*result = shard_call(net_of(0), 1, OP_WAIT, NULL, 0, NULL, 0, NULL);
}

static struct fiber *waiter;

static void call_wait_intr(void *arg)
{
	s64 *result = arg;

	waiter = fiber_self(&world_loop);
	*result = shard_call_intr(net_of(0), 1, OP_WAIT, NULL, 0, NULL, 0, NULL);
}

static void overtaking(void)
{
	s64 result[10];

	serve_all(2);
	for (u32 i = 0; i < 10; i++) {
		result[i] = 0;
		world_start(call_wait, &result[i]);
	}
	world_settle();
	CHECK_EQUAL(nwaiting, 10);
	CHECK_EQUAL(shard_call(net_of(0), 1, OP_ECHO, NULL, 0, NULL, 0, NULL), 0);
	CHECK_EQUAL(result[0], 0);
	fiber_wake_all(&blocked);
	world_settle();
	for (u32 i = 0; i < 10; i++)
		CHECK_EQUAL(result[i], 7);
}

TEST(handlers_that_wait_hold_nobody_up)
{
	world_run(2, overtaking);
}

static void calls_back(void)
{
	serve_all(3);
	CHECK_EQUAL(shard_call(net_of(0), 2, OP_BACK, NULL, 0, NULL, 0, NULL), 102);
	CHECK_EQUAL(shard_call(net_of(0), 0, OP_BACK, NULL, 0, NULL, 0, NULL), 100);
}

TEST(a_handler_may_call_the_core_that_asks)
{
	world_run(3, calls_back);
}

static void in_order(void)
{
	char text[2] = "a";

	serve_all(2);
	shard_loopback_limit(world, 3);
	shard_loopback_hold(world, 1, true);
	for (; text[0] <= 'z'; text[0]++)
		CHECK_EQUAL(shard_tell(net_of(0), 1, OP_NOTE, text, 1), 0);
	world_settle();
	CHECK_STRING(notes, "");
	shard_loopback_hold(world, 1, false);
	/* The answer comes behind all tells. */
	CHECK_EQUAL(shard_call(net_of(0), 1, OP_ECHO, NULL, 0, NULL, 0, NULL), 0);
	CHECK_STRING(notes, "abcdefghijklmnopqrstuvwxyz");
}

TEST(what_is_sent_begins_in_order_whether_or_not_there_is_space)
{
	world_run(2, in_order);
}

static s64 tell_then_answer(struct shard_request *r)
{
	CHECK_EQUAL(shard_tell(r->net, r->core, OP_NOTE, "first", 5), 0);
	return 0;
}

static void answer_behind_tell(void)
{
	serve_all(2);
	CHECK_EQUAL(shard_serve(net_of(1), SHARD_OP(SHARD_MOUNTS, 0), tell_then_answer, NULL), 0);
	CHECK_EQUAL(shard_call(net_of(0), 1, SHARD_OP(SHARD_MOUNTS, 0), NULL, 0, NULL, 0, NULL), 0);
	CHECK_STRING(notes, "first");
}

TEST(a_tell_that_was_sent_before_an_answer_has_begun_before_it)
{
	world_run(2, answer_behind_tell);
}

static void cancelling(void)
{
	s64 result = 0;

	serve_all(2);
	world_start(call_wait_intr, &result);
	world_settle();
	CHECK_EQUAL(nwaiting, 1);
	CHECK_EQUAL(result, 0);
	fiber_interrupt(waiter);
	world_settle();
	CHECK_EQUAL(nwaiting, 0);
	CHECK_EQUAL(result, -EINTR);

	result = 0; /* and before the request has arrived */
	shard_loopback_hold(world, 1, true);
	world_start(call_wait_intr, &result);
	fiber_yield(&world_loop);
	fiber_interrupt(waiter);
	world_settle();
	CHECK_EQUAL(result, 0);
	shard_loopback_hold(world, 1, false);
	world_settle();
	CHECK_EQUAL(result, -EINTR);
}

TEST(an_interrupt_of_the_caller_reaches_the_handler)
{
	world_run(2, cancelling);
}

static void holding(void)
{
	s64 result = 0;

	serve_all(2);
	world_start(call_wait, &result);
	world_settle();
	CHECK_EQUAL(nwaiting, 1);
	fiber_wake_all(&blocked);
	world_settle();
	CHECK_EQUAL(result, 7);
	world_start(call_wait_intr, &result);
	world_settle();
	fiber_wake_all(&blocked); /* the answer is under way: an interrupt is too late */
	fiber_interrupt(waiter);
	world_settle();
	CHECK_EQUAL(result, 7);
}

TEST(an_interrupt_that_comes_too_late_changes_nothing)
{
	world_run(2, holding);
}

static void answers_early(void)
{
	serve_all(2);
	shard_loopback_limit(world, 1);
	CHECK_EQUAL(shard_call(net_of(0), 1, OP_EARLY, NULL, 0, NULL, 0, NULL), 9);
	world_settle();
	CHECK_EQUAL(early, 1);
}

TEST(a_handler_may_answer_and_go_on)
{
	world_run(2, answers_early);
}

static void on_death(struct shard_net *net, u32 core, void *arg)
{
	char text[8];

	CHECK(!shard_lives(net, core));
	if (core == 2)
		CHECK_EQUAL(nwaiting, 0); /* nothing of it runs any more */
	snprintf(text, sizeof(text), "%s%u%u", (const char *)arg, shard_self(net), core);
	strcat(notes, text);
}

static void call_from_core_2(void *arg)
{
	s64 *result = arg;

	*result = shard_call_intr(net_of(2), 0, OP_WAIT, NULL, 0, NULL, 0, NULL);
}

static void dying(void)
{
	static s64 mine, its;

	serve_all(3);
	mine = its = 0;
	CHECK_EQUAL(shard_on_death(net_of(0), on_death, "a"), 0);
	CHECK_EQUAL(shard_on_death(net_of(0), on_death, "b"), 0);
	CHECK_EQUAL(shard_on_death(net_of(1), on_death, "c"), 0);
	world_start(call_wait, &mine); /* to core 1 */
	world_settle();
	CHECK_EQUAL(nwaiting, 1);
	shard_loopback_kill(world, 1); /* its handler's fiber waits for ever, as far as we know */
	world_settle();
	CHECK_EQUAL(mine, -EHOSTDOWN);
	CHECK_EQUAL(shard_call(net_of(0), 1, OP_ECHO, NULL, 0, NULL, 0, NULL), -EHOSTDOWN);
	CHECK_EQUAL(shard_tell(net_of(0), 1, OP_ECHO, NULL, 0), -EHOSTDOWN);
	CHECK(shard_lives(net_of(0), 2));
	fiber_wake_all(&blocked);
	world_settle();
	world_start(call_from_core_2, &its);
	world_settle();
	CHECK_EQUAL(nwaiting, 1);
	notes[0] = 0;
	shard_loopback_kill(world, 2);
	CHECK_STRING(notes, "");
	world_settle();
	CHECK_STRING(notes, "a02b02");
	shard_net_died(net_of(2), 0); /* so that the dead one's caller ends */
	world_settle();
}

TEST(the_death_of_a_core_ends_what_it_has_to_do_with)
{
	world_run(3, dying);
}

static void garbage(void)
{
	u64 state = 77;
	u8 body[128];
	struct shard_head head;

	serve_all(2);
	for (u32 i = 0; i < 20000; i++) {
		struct shard_in in = {body, unit_random(&state) % sizeof(body)};

		for (u32 k = 0; k < sizeof(body); k++)
			body[k] = (u8)unit_random(&state);
		memcpy(&head, body, sizeof(head));
		if (i % 2) {
			head.bytes = in.bytes;
			head.kind %= 8;
			head.op = i % 4 == 1 ? OP_ECHO : head.op;
		}
		CHECK_EQUAL(shard_net_receive(net_of(1), 0, &head, &in, 1), 0);
		if (i % 100 == 0)
			world_settle();
	}
	CHECK_EQUAL(shard_call(net_of(0), 1, OP_ECHO, NULL, 0, NULL, 0, NULL), 0);
}

TEST(malformed_packets_do_nothing)
{
	world_run(2, garbage);
}
