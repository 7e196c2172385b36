/*
 * Channels (lib/ump), both ends in one thread: the rules of the ring, sleeping, the end, and
 * peers that break the rules. With real threads: ump_threads.c.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ump/ump.h>
#include <unit.h>

#define TYPE     MSG_TYPE(MSG_TEST, 1)
#define CAPACITY 59u /* of a region of one page: 60 lines, of which one stays free */

struct end {
	struct ump ump;
	u32 rings; /* of the other's doorbell */
};

/* Two ends. Each region is mapped twice: the reader's mapping cannot be written. */
struct channel {
	struct end a, b;
	u8 *region[2];     /* written by a, by b */
	const u8 *view[2]; /* the same memory, read-only */
	size_t bytes;
};

static void count_ring(void *arg)
{
	u32 *rings = arg;

	++*rings;
}

static int begin_a(struct channel *c, u32 epoch)
{
	return ump_init(&c->a.ump, c->region[0], c->view[1], c->bytes, epoch, count_ring,
			&c->a.rings);
}

static int begin_b(struct channel *c, u32 epoch)
{
	return ump_init(&c->b.ump, c->region[1], c->view[0], c->bytes, epoch, count_ring,
			&c->b.rings);
}

static struct channel *new_channel_of(size_t bytes)
{
	struct channel *c = calloc(1, sizeof(*c));

	REQUIRE(c != NULL);
	c->bytes = bytes;
	for (int i = 0; i < 2; i++) {
		c->region[i] = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				    -1, 0);
		REQUIRE(c->region[i] != MAP_FAILED);
		/* A shared mapping grown from size 0 is a second mapping: mremap(2). */
		c->view[i] = mremap(c->region[i], 0, bytes, MREMAP_MAYMOVE);
		REQUIRE(c->view[i] != MAP_FAILED);
		REQUIRE(mprotect((void *)c->view[i], bytes, PROT_READ) == 0);
	}
	REQUIRE(begin_a(c, 1) == 0 && begin_b(c, 1) == 0);
	return c;
}

static struct channel *new_channel(void)
{
	return new_channel_of(PAGE_SIZE);
}

static void put_channel(struct channel *c)
{
	for (int i = 0; i < 2; i++) {
		munmap(c->region[i], c->bytes);
		munmap((void *)c->view[i], c->bytes);
	}
	free(c);
}

static int send(struct end *e, u64 value)
{
	u64 word[7] = {value, value + 1, value + 2, value + 3, value + 4, value + 5, value + 6};

	return ump_send(&e->ump, TYPE, word, sizeof(word));
}

/* Receive one message and check that it is send()'s with @value. */
static void check_receive(struct end *e, u64 value)
{
	struct msg m;

	CHECK_EQUAL(ump_recv(&e->ump, &m), 1);
	CHECK_EQUAL(m.type, TYPE);
	for (u64 i = 0; i < 7; i++)
		CHECK_EQUAL(m.word[i], value + i);
}

static int receive(struct end *e)
{
	struct msg m;

	return ump_recv(&e->ump, &m);
}

static u32 fill(struct end *e)
{
	u32 n = 0;

	while (send(e, n) == 0)
		n++;
	return n;
}

/* Line 0 of the region that a, or b, writes. */
static struct ump_control *control(struct channel *c, int end)
{
	return (struct ump_control *)c->region[end];
}

static struct ump_line *line(struct channel *c, int end, u32 index)
{
	return (struct ump_line *)c->region[end] + 1 + index;
}

TEST(message_arrives_with_type_and_payload)
{
	struct channel *c = new_channel();

	CHECK_EQUAL(receive(&c->b), 0);
	CHECK_EQUAL(send(&c->a, 100), 0);
	check_receive(&c->b, 100);
	CHECK_EQUAL(receive(&c->b), 0);
	put_channel(c);
}

TEST(short_payload_arrives)
{
	struct channel *c = new_channel();
	struct msg m;

	CHECK_EQUAL(ump_send(&c->a.ump, 7, "abc", 4), 0);
	CHECK_EQUAL(ump_send(&c->a.ump, 8, NULL, 0), 0);
	CHECK_EQUAL(ump_recv(&c->b.ump, &m), 1);
	CHECK_STRING((char *)m.payload, "abc");
	CHECK_EQUAL(m.type, 7);
	CHECK_EQUAL(ump_recv(&c->b.ump, &m), 1);
	CHECK_EQUAL(m.type, 8);
	put_channel(c);
}

TEST(payload_longer_than_a_line_is_refused)
{
	struct channel *c = new_channel();
	u8 long_payload[MSG_PAYLOAD + 1] = {0};

	CHECK_EQUAL(ump_send(&c->a.ump, TYPE, long_payload, sizeof(long_payload)), -EINVAL);
	CHECK_EQUAL(receive(&c->b), 0);
	put_channel(c);
}

TEST(all_types_can_be_sent)
{
	struct channel *c = new_channel();
	struct msg m;

	for (u32 type = 0; type <= 0xffff; type++) {
		CHECK_EQUAL(ump_send(&c->a.ump, (u16)type, &type, sizeof(type)), 0);
		CHECK_EQUAL(ump_recv(&c->b.ump, &m), 1);
		CHECK_EQUAL(m.type, type);
		CHECK_EQUAL((u32)m.word[0], type);
	}
	put_channel(c);
}

TEST(full_ring_takes_no_more_and_loses_nothing)
{
	struct channel *c = new_channel();

	CHECK_EQUAL(fill(&c->a), CAPACITY);
	CHECK_EQUAL(send(&c->a, 0), -EAGAIN);
	CHECK(!ump_can_send(&c->a.ump));
	for (u32 i = 0; i < CAPACITY; i++)
		check_receive(&c->b, i);
	CHECK_EQUAL(receive(&c->b), 0);
	CHECK(ump_can_send(&c->a.ump));
	CHECK_EQUAL(send(&c->a, 5), 0);
	check_receive(&c->b, 5);
	put_channel(c);
}

TEST(space_comes_back_a_quarter_at_a_time)
{
	struct channel *c = new_channel();

	fill(&c->a);
	for (u32 i = 0; i < 14; i++)
		check_receive(&c->b, i);
	CHECK_EQUAL(send(&c->a, 0), -EAGAIN);
	check_receive(&c->b, 14);
	CHECK_EQUAL(fill(&c->a), 15);
	put_channel(c);
}

TEST(order_holds_over_many_rounds_of_both_rings)
{
	struct channel *c = new_channel();
	u64 sent[2] = {0}, received[2] = {0}, seed = 1;

	for (u32 i = 0; i < 200000; i++) {
		u64 r = unit_random(&seed) >> 32;
		u32 from = r & 1;
		struct end *e = from ? &c->b : &c->a, *peer = from ? &c->a : &c->b;

		if (r & 2) {
			if (send(e, sent[from]) == 0)
				sent[from]++;
			else
				CHECK(sent[from] - received[from] > CAPACITY - 15);
		} else if (received[from] < sent[from]) {
			check_receive(peer, received[from]++);
		} else {
			CHECK_EQUAL(receive(peer), 0);
		}
	}
	CHECK(sent[0] > 10000 && sent[1] > 10000);
	put_channel(c);
}

TEST(counts_of_laps_and_messages_wrap)
{
	struct channel *c = new_channel();
	const u32 before = 0xffffffe0, lap = 0xffffffff;
	const u64 header = (u64)lap << 32 | 1ul << 16;

	/* As if a had sent, and b consumed, that many messages. */
	c->a.ump.tx_header = c->b.ump.rx_header = header;
	c->a.ump.tx_before = c->b.ump.rx_before = c->b.ump.rx_acked = before;
	c->b.ump.rx_wrapped = true;
	control(c, 1)->acked = 1ul << 48 | before;
	for (u32 i = 0; i < 60; i++)
		line(c, 0, i)->header = header - UMP_LAP;
	for (u32 i = 0; i < 2000; i++) {
		CHECK_EQUAL(receive(&c->b), 0);
		CHECK_EQUAL(send(&c->a, i), 0);
		check_receive(&c->b, i);
	}
	CHECK(c->a.ump.tx_before < 2000);
	CHECK(c->a.ump.tx_header >> 32 < 2000);
	put_channel(c);
}

TEST(regions_of_every_size_work)
{
	for (size_t bytes = UMP_MIN_REGION; bytes <= 4 * MiB; bytes *= 2) {
		struct channel *c = new_channel_of(bytes);
		u32 n = fill(&c->a);

		CHECK_EQUAL(n, ROUND_DOWN(bytes / 64 - 1, 4) - 1);
		for (u32 i = 0; i < n; i++)
			check_receive(&c->b, i);
		CHECK_EQUAL(receive(&c->b), 0);
		put_channel(c);
	}
}

TEST(impossible_regions_and_epochs_are_refused)
{
	struct channel *c = new_channel();
	u8 *tx = c->region[0];
	const u8 *rx = c->view[1];
	struct ump u;

	CHECK_EQUAL(ump_init(&u, tx, rx, 2048, 1, count_ring, NULL), -EINVAL);
	CHECK_EQUAL(ump_init(&u, tx, rx, 3 * PAGE_SIZE, 1, count_ring, NULL), -EINVAL);
	CHECK_EQUAL(ump_init(&u, tx, rx, 2 * UMP_MAX_REGION, 1, count_ring, NULL), -EINVAL);
	CHECK_EQUAL(ump_init(&u, tx + 8, rx, PAGE_SIZE, 1, count_ring, NULL), -EINVAL);
	CHECK_EQUAL(ump_init(&u, tx, NULL, PAGE_SIZE, 1, count_ring, NULL), -EINVAL);
	CHECK_EQUAL(ump_init(&u, tx, rx, PAGE_SIZE, 0, count_ring, NULL), -EINVAL);
	CHECK_EQUAL(ump_init(&u, tx, rx, PAGE_SIZE, UMP_MAX_EPOCH + 1, count_ring, NULL), -EINVAL);
	CHECK_EQUAL(ump_init(&u, tx, rx, PAGE_SIZE, 1, NULL, NULL), -EINVAL);
	put_channel(c);
}

TEST(messages_are_counted_by_class)
{
	struct channel *c = new_channel();

	for (u32 i = 0; i < 3; i++)
		ump_send(&c->a.ump, MSG_TYPE(MSG_AGREE, i), NULL, 0);
	ump_send(&c->a.ump, MSG_TYPE(MSG_MONITOR, 1), NULL, 0);
	while (receive(&c->b) == 1)
		;
	CHECK_EQUAL(c->a.ump.counts.sent[MSG_AGREE], 3);
	CHECK_EQUAL(c->a.ump.counts.sent[MSG_MONITOR], 1);
	CHECK_EQUAL(c->b.ump.counts.received[MSG_AGREE], 3);
	CHECK_EQUAL(c->b.ump.counts.received[MSG_MONITOR], 1);
	CHECK_EQUAL(c->b.ump.counts.sent[MSG_AGREE], 0);
	put_channel(c);
}

/* --- Sleeping --- */

TEST(armed_receiver_is_rung_once_at_the_first_message)
{
	struct channel *c = new_channel();

	CHECK(ump_arm(&c->b.ump));
	CHECK_EQUAL(c->a.rings, 0);
	send(&c->a, 1);
	CHECK_EQUAL(c->a.rings, 1);
	send(&c->a, 2);
	CHECK_EQUAL(c->a.rings, 1);
	CHECK_EQUAL(c->a.ump.counts.rings, 1);
	put_channel(c);
}

TEST(each_arming_is_good_for_one_ring)
{
	struct channel *c = new_channel();

	for (u32 i = 1; i <= 1000; i++) {
		CHECK(ump_arm(&c->b.ump));
		send(&c->a, i);
		CHECK_EQUAL(c->a.rings, i);
		check_receive(&c->b, i);
	}
	put_channel(c);
}

TEST(receiver_that_is_not_armed_is_not_rung)
{
	struct channel *c = new_channel();

	send(&c->a, 1);
	CHECK(ump_arm(&c->a.ump)); /* the other direction */
	send(&c->a, 2);
	CHECK_EQUAL(c->a.rings, 0);
	put_channel(c);
}

TEST(arming_with_a_message_waiting_forbids_sleep)
{
	struct channel *c = new_channel();

	send(&c->a, 1);
	CHECK(!ump_arm(&c->b.ump));
	send(&c->a, 2);
	CHECK_EQUAL(c->a.rings, 0);
	put_channel(c);
}

TEST(disarmed_receiver_is_not_rung)
{
	struct channel *c = new_channel();

	CHECK(ump_arm(&c->b.ump));
	ump_disarm(&c->b.ump);
	send(&c->a, 1);
	CHECK_EQUAL(c->a.rings, 0);
	put_channel(c);
}

TEST(arming_gives_all_space_back)
{
	struct channel *c = new_channel();

	fill(&c->a);
	for (u32 i = 0; i < 59; i++)
		check_receive(&c->b, i);
	CHECK(ump_arm(&c->b.ump));
	CHECK_EQUAL(fill(&c->a), CAPACITY);
	put_channel(c);
}

TEST(sender_without_space_is_rung_when_there_is_some)
{
	struct channel *c = new_channel();

	fill(&c->a);
	CHECK(ump_arm_send(&c->a.ump));
	for (u32 i = 0; i < 14; i++)
		check_receive(&c->b, i);
	CHECK_EQUAL(c->b.rings, 0);
	check_receive(&c->b, 14);
	CHECK_EQUAL(c->b.rings, 1);
	CHECK_EQUAL(fill(&c->a), 15);
	while (receive(&c->b) == 1)
		;
	CHECK_EQUAL(c->b.rings, 1);
	put_channel(c);
}

TEST(sender_with_space_must_not_sleep)
{
	struct channel *c = new_channel();

	CHECK(!ump_arm_send(&c->a.ump));
	fill(&c->a);
	for (u32 i = 0; i < 15; i++)
		check_receive(&c->b, i);
	CHECK(!ump_arm_send(&c->a.ump));
	put_channel(c);
}

/* --- The end --- */

TEST(what_was_sent_before_the_end_is_received)
{
	struct channel *c = new_channel();

	send(&c->a, 1);
	send(&c->a, 2);
	ump_close(&c->a.ump);
	check_receive(&c->b, 1);
	check_receive(&c->b, 2);
	CHECK_EQUAL(receive(&c->b), -EPIPE);
	CHECK_EQUAL(receive(&c->b), -EPIPE);
	CHECK_EQUAL(send(&c->b, 1), -EPIPE);
	put_channel(c);
}

TEST(full_ring_can_be_closed)
{
	struct channel *c = new_channel();

	for (u32 rounds = 0; rounds < 60; rounds++) { /* wherever in the ring the end is */
		send(&c->a, 0);
		check_receive(&c->b, 0);
	}
	while (ump_arm(&c->b.ump), fill(&c->a) > 0)
		;
	ump_close(&c->a.ump);
	for (u32 i = 0; i < CAPACITY; i++)
		CHECK_EQUAL(receive(&c->b), 1);
	CHECK_EQUAL(receive(&c->b), -EPIPE);
	put_channel(c);
}

TEST(this_end_is_closed_at_once)
{
	struct channel *c = new_channel();

	send(&c->b, 1);
	ump_close(&c->a.ump);
	CHECK_EQUAL(send(&c->a, 1), -EPIPE);
	CHECK_EQUAL(receive(&c->a), -EPIPE);
	CHECK(!ump_arm(&c->a.ump));
	CHECK(!ump_arm_send(&c->a.ump));
	CHECK(!ump_can_send(&c->a.ump));
	put_channel(c);
}

TEST(sleeping_peer_is_woken_by_the_end)
{
	struct channel *c = new_channel();

	CHECK(ump_arm(&c->b.ump));
	ump_close(&c->a.ump);
	CHECK_EQUAL(c->a.rings, 1);
	CHECK_EQUAL(receive(&c->b), -EPIPE);
	CHECK(!ump_arm(&c->b.ump));
	ump_close(&c->a.ump);
	CHECK_EQUAL(c->a.rings, 1);
	put_channel(c);
}

TEST(sender_without_space_learns_of_the_end)
{
	struct channel *c = new_channel();

	fill(&c->a);
	CHECK(ump_arm_send(&c->a.ump));
	ump_close(&c->b.ump);
	CHECK_EQUAL(c->b.rings, 1);
	CHECK(!ump_arm_send(&c->a.ump));
	CHECK_EQUAL(send(&c->a, 1), -EPIPE);
	put_channel(c);
}

TEST(sender_with_space_learns_of_the_end)
{
	struct channel *c = new_channel();

	send(&c->a, 1);
	ump_close(&c->b.ump);
	CHECK_EQUAL(send(&c->a, 2), -EPIPE);
	CHECK_EQUAL(send(&c->a, 3), -EPIPE);
	put_channel(c);
}

TEST(both_may_close_at_once)
{
	struct channel *c = new_channel();

	ump_close(&c->a.ump);
	ump_close(&c->b.ump);
	CHECK_EQUAL(receive(&c->a), -EPIPE);
	CHECK_EQUAL(receive(&c->b), -EPIPE);
	put_channel(c);
}

TEST(whole_messages_of_a_dead_peer_are_received)
{
	struct channel *c = new_channel();
	u64 word = 4;

	send(&c->a, 1);
	send(&c->a, 2);
	memcpy(line(c, 0, 2), &word, sizeof(word)); /* it died before it wrote the header */
	ump_peer_died(&c->b.ump);
	CHECK_EQUAL(send(&c->b, 1), -EPIPE);
	CHECK(!ump_arm(&c->b.ump));
	check_receive(&c->b, 1);
	check_receive(&c->b, 2);
	CHECK_EQUAL(receive(&c->b), -EPIPE);
	ump_close(&c->b.ump);
	CHECK_EQUAL(c->b.rings, 0);
	put_channel(c);
}

/* --- Epochs --- */

TEST(new_epoch_begins_empty_whichever_end_is_first)
{
	for (u32 order = 0; order < 2; order++) {
		struct channel *c = new_channel();

		for (u32 i = 0; i < 100; i++) {
			send(&c->a, i);
			send(&c->b, i);
			receive(&c->a);
			receive(&c->b);
		}
		fill(&c->a);
		ump_arm(&c->a.ump);
		CHECK_EQUAL(order ? begin_a(c, 2) : begin_b(c, 2), 0);
		CHECK_EQUAL(receive(order ? &c->a : &c->b), 0);
		CHECK_EQUAL(send(order ? &c->a : &c->b, 77), 0);
		CHECK_EQUAL(order ? begin_b(c, 2) : begin_a(c, 2), 0);
		check_receive(order ? &c->b : &c->a, 77);
		CHECK_EQUAL(receive(order ? &c->b : &c->a), 0);
		CHECK_EQUAL(fill(order ? &c->b : &c->a), CAPACITY);
		put_channel(c);
	}
}

TEST(arming_of_an_old_epoch_rings_nobody)
{
	struct channel *c = new_channel();

	CHECK(ump_arm(&c->b.ump));
	CHECK_EQUAL(begin_a(c, 2), 0);
	send(&c->a, 1);
	CHECK_EQUAL(c->a.rings, 0);
	CHECK_EQUAL(begin_b(c, 2), 0);
	CHECK(!ump_arm(&c->b.ump));
	check_receive(&c->b, 1);
	CHECK(ump_arm(&c->b.ump));
	send(&c->a, 2);
	CHECK_EQUAL(c->a.rings, 1);
	put_channel(c);
}

TEST(peer_that_begins_anew_ends_the_old_epoch)
{
	struct channel *c = new_channel();

	for (u32 i = 0; i < 100; i++) {
		send(&c->a, i);
		receive(&c->b);
	}
	CHECK_EQUAL(begin_a(c, 2), 0);
	send(&c->a, 1);
	CHECK_EQUAL(receive(&c->b), -EBADMSG);
	put_channel(c);
}

/* --- Peers that break the rules --- */

static const u64 bad_headers[] = {
	3ul << 32 | 1ul << 16,             /* of a later lap */
	0ul << 32 | 1ul << 16,             /* of before the first */
	2ul << 32 | 1ul << 16 | 3ul << 30, /* the end, of another epoch */
	2ul << 32 | 2ul << 16,             /* of another epoch */
	~0ul,
};

TEST(header_of_another_lap_ends_the_channel)
{
	for (size_t i = 0; i < 2; i++) {
		struct channel *c = new_channel();

		line(c, 0, 0)->header = bad_headers[i];
		CHECK_EQUAL(receive(&c->b), -EBADMSG);
		line(c, 0, 0)->header = 1ul << 32 | 1ul << 16; /* too late */
		CHECK_EQUAL(receive(&c->b), -EBADMSG);
		CHECK_EQUAL(send(&c->b, 1), -EBADMSG);
		CHECK(!ump_arm(&c->b.ump));
		put_channel(c);
	}
}

TEST(every_bad_header_after_the_first_lap_ends_the_channel)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_headers); i++) {
		struct channel *c = new_channel();

		for (u32 n = 0; n < 60; n++) {
			send(&c->a, n);
			check_receive(&c->b, n);
		}
		line(c, 0, 0)->header = bad_headers[i];
		CHECK_EQUAL(receive(&c->b), -EBADMSG);
		put_channel(c);
	}
}

TEST(line_left_out_is_waited_for)
{
	struct channel *c = new_channel();

	send(&c->a, 1);
	*line(c, 0, 2) = *line(c, 0, 0);
	check_receive(&c->b, 1);
	CHECK_EQUAL(receive(&c->b), 0);
	CHECK(ump_arm(&c->b.ump));
	send(&c->a, 2);
	check_receive(&c->b, 2);
	put_channel(c);
}

TEST(acknowledging_what_was_never_sent_ends_the_channel)
{
	struct channel *c = new_channel();
	u32 sent = fill(&c->a);

	control(c, 1)->acked = 1ul << 48 | (sent + 1);
	CHECK_EQUAL(send(&c->a, 1), -EBADMSG);
	control(c, 1)->acked = 1ul << 48 | sent;
	CHECK_EQUAL(send(&c->a, 1), -EBADMSG);
	put_channel(c);
}

TEST(peer_told_of_its_error_by_closing)
{
	struct channel *c = new_channel();

	line(c, 0, 0)->header = bad_headers[0];
	CHECK_EQUAL(receive(&c->b), -EBADMSG);
	ump_close(&c->b.ump);
	CHECK_EQUAL(c->b.rings, 1);
	CHECK_EQUAL(receive(&c->a), -EPIPE);
	put_channel(c);
}

/* What a peer may write: mostly nonsense near to sense. */
static u64 nonsense(u64 *seed, u64 near)
{
	u64 r = unit_random(seed);

	switch (r >> 60 & 3) {
	case 0:
		return unit_random(seed);
	case 1:
		return near;
	case 2:
		return near + ((r & 7) << 32);
	default:
		return near ^ 1ul << (r & 63);
	}
}

TEST(nothing_a_peer_writes_makes_a_call_loop_or_crash)
{
	u64 seed = 4711;

	for (u32 round = 0; round < 300; round++) {
		struct channel *c = new_channel();

		for (u32 i = 0; i < 600; i++) {
			u64 *words = (u64 *)c->region[0];
			u64 r = unit_random(&seed) >> 16;

			if (i % 3 == 0) /* the header that b expects next, or nearly */
				line(c, 0, i / 3 % 60)->header =
					nonsense(&seed, c->b.ump.rx_header | (r & 0xffff));
			words[r % (PAGE_SIZE / 8)] = nonsense(&seed, words[r % 8]);
			for (u32 n = 0; n < 130 && receive(&c->b) == 1; n++)
				CHECK(n < 128); /* two rounds at most can look new */
			if (send(&c->b, i) == -EAGAIN)
				ump_arm_send(&c->b.ump);
			ump_arm(&c->b.ump);
			ump_disarm(&c->b.ump);
		}
		ump_close(&c->b.ump);
		put_channel(c);
	}
}
