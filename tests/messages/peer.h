/*
 * The two ends of the message tests: this program, and a second instance of it ("peer") that is
 * spawned on another core or the same and offers the service "test".
 */
#ifndef MESSAGES_PEER_H
#define MESSAGES_PEER_H

#include <rt/rt.h>

#define TEST_SERVICE "test"

#define TEST_DATA    MSG_TYPE(MSG_TEST, 1) /* struct data */
#define TEST_DONE    MSG_TYPE(MSG_TEST, 2) /* struct done: what the receiver found */
#define TEST_PING    MSG_TYPE(MSG_TEST, 3) /* sent back as it is */
#define TEST_START   MSG_TYPE(MSG_TEST, 4) /* struct start: what to do */

/* A message whose every word follows from its number. */
struct data {
	u64 word[MSG_PAYLOAD / 8];
};

struct done {
	u64 received;
	u64 wrong; /* number of the first message that was not as expected, + 1; 0: none */
};

enum job { JOB_STREAM, JOB_PING, JOB_BULK, JOB_EXIT, JOB_FAULT };

struct start {
	u32 job;
	u32 stalls; /* whether to stall at random */
	u64 count;  /* messages each way */
};

MSG_FITS(struct data);
MSG_FITS(struct done);
MSG_FITS(struct start);

/* A running peer and the channel to it. */
struct peer {
	struct rt_task task;
	struct rt_channel *channel;
};

/** Start a peer on @core and open the channel. Returns 0 or a negative errno. */
int peer_start(u32 core, const struct rt_channel_size *size, struct peer *peer);

/** Tell it what to do. */
int peer_do(struct peer *peer, enum job job, u64 count, bool stalls);

/** Close the channel and wait for its end; returns its status, or -1 if it did not exit. */
s64 peer_end(struct peer *peer);

/** What the spawned instance does: serve one channel. Returns the exit status. */
int peer_main(void);

/** Send and receive @count messages at the same time; 0, or what went wrong first. */
int stream_run(struct rt_channel *c, u64 count, bool stalls, u64 seed);

/** Lend and take back @count blocks of the bulk area, as the owner, or check and return them. */
int bulk_send(struct rt_channel *c, u64 count);
int bulk_receive(struct rt_channel *c, u64 count);

#endif
