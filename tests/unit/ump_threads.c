/*
 * Channels between two real threads (lib/ump): nothing lost, repeated, reordered or torn, and no
 * wake-up lost, with either side stalling at random. Run twice: under ThreadSanitizer, which sees
 * whether the order of accesses is guaranteed and not just lucky; and without, so that the
 * processor reorders what it may.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <ump/ump.h>
#include <unit.h>

#define REGION   PAGE_SIZE
#define MESSAGES 10000000u
#ifdef __SANITIZE_THREAD__
#define CYCLES 200000u /* wake-ups; the order of accesses does not need as many as the races do */
#else
#define CYCLES 1000000u
#endif
#define BATCH 15u /* messages that are acknowledged at a time in a region of one page */

/* A doorbell as the CPU driver has them: rings are latched, waiting takes them all. */
struct bell {
	u32 pending; /* futex(2) */
};

static long futex(u32 *word, int operation, u32 value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

static void bell_ring(void *arg)
{
	struct bell *bell = arg;

	if (__atomic_exchange_n(&bell->pending, 1, __ATOMIC_SEQ_CST) == 0)
		futex(&bell->pending, FUTEX_WAKE, 1, NULL);
}

/* False if it did not ring in a time that only a lost wake-up explains. */
static bool bell_wait(struct bell *bell)
{
	const struct timespec timeout = {.tv_sec = 30};

	/* Most rings come soon; being awake for them keeps the two sides close to each other. */
	for (u32 i = 0; i < 1000; i++) {
		if (__atomic_load_n(&bell->pending, __ATOMIC_RELAXED) != 0)
			break;
		__builtin_ia32_pause();
	}
	while (__atomic_exchange_n(&bell->pending, 0, __ATOMIC_SEQ_CST) == 0) {
		if (futex(&bell->pending, FUTEX_WAIT, 0, &timeout) != 0 && errno == ETIMEDOUT)
			return false;
	}
	return true;
}

/* One end of the channel and the thread that has it. */
struct end {
	struct ump ump;
	struct bell bell; /* rung by the peer */
	u64 seed;
	u64 count;   /* of messages or cycles */
	u64 armings; /* of this end */
	u64 sleeps;
	u64 wrong; /* messages that were not the one expected */
	bool lost; /* a wake-up */
	int error; /* other than those the test expects */
};

struct pair {
	_Alignas(PAGE_SIZE) u8 region[2][REGION];
	struct end end[2];
};

static struct pair *new_pair(u64 count)
{
	struct pair *p = aligned_alloc(PAGE_SIZE, ROUND_UP(sizeof(*p), PAGE_SIZE));

	REQUIRE(p != NULL);
	memset(p, 0, sizeof(*p));
	for (int i = 0; i < 2; i++) {
		p->end[i].seed = 12345 + (u64)i;
		p->end[i].count = count;
	}
	for (int i = 0; i < 2; i++)
		CHECK_EQUAL(ump_init(&p->end[i].ump, p->region[i], p->region[1 - i], REGION, 1,
				     bell_ring, &p->end[1 - i].bell),
			    0);
	return p;
}

static void run_threads(struct pair *p, void *(*first)(void *), void *(*second)(void *))
{
	pthread_t thread[2];

	REQUIRE(pthread_create(&thread[0], NULL, first, &p->end[0]) == 0);
	REQUIRE(pthread_create(&thread[1], NULL, second, &p->end[1]) == 0);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	for (int i = 0; i < 2; i++) {
		CHECK(!p->end[i].lost);
		CHECK_EQUAL(p->end[i].wrong, 0);
		CHECK_EQUAL(p->end[i].error, 0);
	}
}

/* Now and then, be slow: a moment, or until the scheduler comes by again. */
static void stall(struct end *e)
{
	u64 r = unit_random(&e->seed) >> 40;

	if (r % 1024 == 0)
		sched_yield();
	else if (r % 128 == 0)
		for (u64 i = 0; i < (r >> 10); i++)
			atomic_signal_fence(memory_order_seq_cst);
}

/* Every word of message @n, so that a torn one shows. */
static void fill(u64 word[7], u64 n)
{
	for (u64 i = 0; i < 7; i++)
		word[i] = n * 7 + i;
}

static void send_one(struct end *e, u64 n)
{
	u64 word[7];
	int err;

	fill(word, n);
	while ((err = ump_send(&e->ump, MSG_TYPE(MSG_TEST, n & 0xff), word, sizeof(word))) ==
	       -EAGAIN) {
		if (!ump_arm_send(&e->ump))
			continue;
		e->sleeps++;
		if (!bell_wait(&e->bell)) {
			__atomic_store_n(&e->lost, true, __ATOMIC_RELAXED);
			return;
		}
	}
	e->error |= err;
}

static void expect_one(struct end *e, u64 n)
{
	struct msg m = {0}; /* gcc 14 does not see that ump_recv() fills it */
	u64 word[7];
	int got;

	while ((got = ump_recv(&e->ump, &m)) == 0) {
		e->armings++;
		if (!ump_arm(&e->ump))
			continue;
		e->sleeps++;
		if (!bell_wait(&e->bell)) {
			__atomic_store_n(&e->lost, true, __ATOMIC_RELAXED);
			return;
		}
	}
	if (got != 1) {
		e->error = got;
		return;
	}
	fill(word, n);
	if (m.type != MSG_TYPE(MSG_TEST, n & 0xff) || memcmp(m.word, word, sizeof(word)) != 0)
		e->wrong++;
}

static bool going(const struct end *e)
{
	return !e->lost && e->error == 0;
}

static void *sender(void *arg)
{
	struct end *e = arg;

	for (u64 n = 0; n < e->count && going(e); n++) {
		stall(e);
		send_one(e, n);
	}
	return NULL;
}

static void *receiver(void *arg)
{
	struct end *e = arg;

	for (u64 n = 0; n < e->count && going(e); n++) {
		stall(e);
		expect_one(e, n);
	}
	return NULL;
}

TEST(ten_million_messages_arrive_once_whole_and_in_order)
{
	struct pair *p = new_pair(MESSAGES);
	struct ump_counts *sent = &p->end[0].ump.counts, *received = &p->end[1].ump.counts;

	run_threads(p, sender, receiver);
	CHECK_EQUAL(sent->sent[MSG_TEST], MESSAGES);
	CHECK_EQUAL(received->received[MSG_TEST], MESSAGES);
	CHECK(sent->rings <= p->end[1].armings); /* a ring answers an arming */
	printf("slept %lu times for space, %lu for messages; ", p->end[0].sleeps, p->end[1].sleeps);
	free(p);
}

static void pause_for(u64 turns)
{
	for (u64 i = 0; i < turns; i++)
		__builtin_ia32_pause();
}

static u64 turns; /* how often the sleeper was about to sleep; orders nothing */

/* Wait until the other end, @peer, has had @n turns, and a moment longer. False: it has failed. */
static bool await_turn(struct end *e, struct end *peer, u64 n)
{
	for (u32 i = 1; __atomic_load_n(&turns, __ATOMIC_RELAXED) < n; i++) {
		if (i % 1000 == 0)
			sched_yield();
		if (__atomic_load_n(&peer->lost, __ATOMIC_RELAXED))
			return false;
	}
	pause_for(unit_random(&e->seed) >> 58);
	return true;
}

/*
 * Goes to sleep after every message, and the other side sends the next one just then: the moment
 * that matters is the one between the receiver's last look and its sleep.
 */
static void *sleeping_receiver(void *arg)
{
	struct end *e = arg;

	for (u64 n = 0; n < e->count && going(e); n++) {
		__atomic_store_n(&turns, n, __ATOMIC_RELAXED);
		expect_one(e, n);
	}
	return NULL;
}

static void *waking_sender(void *arg)
{
	struct end *e = arg;

	for (u64 n = 0; n < e->count && going(e) && await_turn(e, e + 1, n); n++)
		send_one(e, n);
	return NULL;
}

/* The same for a sender without space: it goes to sleep, and just then the last of a batch
 * is received. */
static void *sleeping_sender(void *arg)
{
	struct end *e = arg;

	for (u64 n = 0; n < e->count && going(e); n++) {
		if (!ump_can_send(&e->ump))
			__atomic_store_n(&turns, turns + 1, __ATOMIC_RELAXED);
		send_one(e, n);
	}
	__atomic_store_n(&turns, UINT64_MAX, __ATOMIC_RELAXED);
	return NULL;
}

static void *waking_receiver(void *arg)
{
	struct end *e = arg;

	for (u64 n = 0; n < e->count && going(e); n++) {
		if (n % BATCH == BATCH - 1 && !await_turn(e, e - 1, n / BATCH + 1))
			break;
		expect_one(e, n);
	}
	return NULL;
}

static void check_sleeps(u64 count, void *(*first)(void *), void *(*second)(void *), u64 sleeps)
{
	struct pair *p = new_pair(count);
	u64 slept;

	turns = 0;
	run_threads(p, first, second);
	slept = p->end[0].sleeps + p->end[1].sleeps;
	printf("slept %lu times; ", slept);
	CHECK(slept > sleeps);
	free(p);
}

TEST(receiver_asleep_is_always_woken)
{
	check_sleeps(CYCLES, waking_sender, sleeping_receiver, CYCLES / 4);
}

TEST(sender_without_space_is_always_woken)
{
	check_sleeps(3 * CYCLES, sleeping_sender, waking_receiver, 3 * CYCLES / BATCH / 4);
}
