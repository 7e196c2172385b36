/*
 * Many messages both ways at once, each of which can be told from every other: lost, repeated,
 * reordered and torn ones all show as a message that is not the expected one.
 */
#include "peer.h"
#include "testing.h"

struct stream {
	struct rt_channel *c;
	u64 count;
	bool stalls;
	u64 seed;
	int send_error;
	bool sent;
	struct fiber_queue sender_done;
};

static void fill(struct data *d, u64 number)
{
	for (u32 i = 0; i < ARRAY_SIZE(d->word); i++)
		d->word[i] = number * (2 * i + 1) + i;
}

static bool is_number(const struct data *d, u64 number)
{
	u64 difference = 0;

	for (u32 i = 0; i < ARRAY_SIZE(d->word); i++)
		difference |= d->word[i] ^ (number * (2 * i + 1) + i);
	return difference == 0;
}

/* Now and then do nothing for a while: spin, let the other fiber run, or sleep. */
static void stall(struct stream *s)
{
	u64 r = test_random(&s->seed);

	if (!s->stalls)
		return;
	if (r % 64 == 0)
		fiber_yield(&rt_loop);
	else if (r % 256 == 1)
		for (u64 i = 0; i < (r >> 32) % 4096; i++)
			__builtin_ia32_pause();
	else if (r % 8192 == 2)
		rt_sleep_ns((r >> 32) % 50000);
}

static void send_all(void *arg)
{
	struct stream *s = arg;
	struct data d;

	for (u64 n = 0; n < s->count && !s->send_error; n++) {
		fill(&d, n);
		s->send_error = rt_channel_send(s->c, TEST_DATA, &d, sizeof(d), FIBER_FOREVER);
		stall(s);
	}
	s->sent = true;
	fiber_wake_all(&s->sender_done);
}

int stream_run(struct rt_channel *c, u64 count, bool stalls, u64 seed)
{
	struct stream s = {.c = c, .count = count, .stalls = stalls, .seed = seed};
	int err = rt_fiber_start(send_all, &s);
	struct msg m;

	if (err)
		return err;
	for (u64 n = 0; n < count && !err; n++) {
		err = rt_channel_receive(c, &m, FIBER_FOREVER);
		if (!err && (m.type != TEST_DATA || !is_number((struct data *)m.payload, n)))
			err = -EBADMSG;
		stall(&s);
	}
	while (!s.sent)
		fiber_wait(&rt_loop, &s.sender_done, FIBER_FOREVER);
	return err ? err : s.send_error;
}
