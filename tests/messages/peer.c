/* See peer.h. */
#include "peer.h"
#include <stdlib.h>

#define CONNECT_TRIES 1000u /* until the peer offers its service, a millisecond apart */

int peer_start(u32 core, const struct rt_channel_size *size, struct peer *peer)
{
	static const char *const argv[] = {"bin/messages", "peer"};
	struct rt_spawn spawn = {.core = core, .argc = 2, .argv = argv};
	int err = rt_spawn(&spawn, &peer->task);

	if (err)
		return err;
	for (u32 n = 0; n < CONNECT_TRIES; n++) {
		err = rt_channel_open(core, TEST_SERVICE, size, &peer->channel);
		if (err != -ENOENT)
			break;
		rt_sleep_ns(1000000);
	}
	return err;
}

int peer_do(struct peer *peer, enum job job, u64 count, bool stalls)
{
	struct start start = {.job = job, .stalls = stalls, .count = count};

	return rt_channel_send(peer->channel, TEST_START, &start, sizeof(start), FIBER_FOREVER);
}

s64 peer_end(struct peer *peer)
{
	rt_channel_close(peer->channel);
	peer->channel = NULL;
	if (rt_task_wait(&peer->task, FIBER_FOREVER) || peer->task.death != DEATH_EXIT)
		return -1;
	return peer->task.status;
}

static int send_back(struct rt_channel *c, u64 count)
{
	struct msg m;
	int err = 0;

	for (u64 i = 0; i < count && !err; i++) {
		err = rt_channel_receive(c, &m, FIBER_FOREVER);
		if (!err)
			err = rt_channel_send(c, TEST_PING, m.payload, sizeof(u64), FIBER_FOREVER);
	}
	return err;
}

static int do_job(struct rt_channel *c, const struct start *start)
{
	switch (start->job) {
	case JOB_STREAM:
		return stream_run(c, start->count, start->stalls, clock_tsc() | 1);
	case JOB_PING:
		return send_back(c, start->count);
	case JOB_BULK:
		return bulk_receive(c, start->count);
	case JOB_EXIT:
		exit(3);
	case JOB_FAULT:
		__asm__ volatile("movl $1, 8"); /* a page fault: nothing is mapped there */
						/* fallthrough */
	default:
		return -EINVAL;
	}
}

int peer_main(void)
{
	struct rt_listener service;
	struct rt_channel *c;
	struct msg m;
	int err = rt_listen(TEST_SERVICE, &service);

	if (!err)
		err = rt_accept(&service, FIBER_FOREVER, &c);
	while (!err) {
		err = rt_channel_receive(c, &m, FIBER_FOREVER);
		if (err == -EPIPE)
			return 0;
		if (!err)
			err = do_job(c, (const struct start *)m.payload);
	}
	return 1;
}
