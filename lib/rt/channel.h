/*
 * Channels to other domains, on any core: lib/ump between frames that the monitors set up.
 *
 *   client                               server
 *   rt_channel_open(core, "name")        rt_listen("name"), rt_accept()
 *   rt_channel_send, _receive, ...       the same
 *
 * Bulk data: each side may have an area behind its ring that it writes and the peer reads
 * (bulk_tx, bulk_rx); lib/ump/bulk.h lends blocks of it by message.
 *
 * Runs in: native domains. Not here: who may open what; what the messages mean.
 */
#ifndef RT_CHANNEL_H
#define RT_CHANNEL_H

#include <fiber/fiber.h>
#include <rt/calls.h>
#include <skerry/msg.h>
#include <ump/ump.h>

struct rt_channel {
	struct ump ump;
	struct rt_channel *next; /* all of this domain */
	u32 id;                  /* the monitor's number */
	u32 peer_core;
	bool opened; /* the monitors have finished, for better or worse */
	s32 open_error;
	cap_t slots;      /* CHANNEL_SLOT_* */
	void *tx, *rx;    /* both regions, mapped */
	u64 region_bytes; /* of each */
	u8 *bulk_tx;
	const u8 *bulk_rx;
	u64 bulk_bytes;
	struct fiber_queue readers, writers;
	/* For who serves several channels on one fiber, by lib/ump itself, and waits by
	 * rt_channel_wait(): not NULL, and it is woken when there is something to receive; if
	 * @wants_space, when there is space. */
	struct fiber_queue *shared;
	bool wants_space;
	u64 noted_sent[MSG_CLASSES]; /* in the count page already */
	u64 noted_received[MSG_CLASSES];
};

struct rt_listener {
	struct rt_listener *next;
	u32 id;
	u32 backlog[512]; /* channels that nobody has accepted: one from each core at least */
	u32 nbacklog;
	struct fiber_queue waiting;
};

/* How large a channel shall be; zero for the least. */
struct rt_channel_size {
	u64 ring_bytes; /* of each direction: a power of two */
	u64 bulk_bytes; /* of each direction */
};

/**
 * Open a channel to the service @name of @core.
 *
 * @size  may be NULL
 * @out   to be freed by rt_channel_close()
 * Returns 0; -ENOENT (no such service), -ENOMEM, -EINVAL, -EHOSTDOWN.
 */
int rt_channel_open(u32 core, const char *name, const struct rt_channel_size *size,
		    struct rt_channel **out);

/** Offer a service to all cores. 0; -EEXIST, -EINVAL (name), -ENOMEM. */
int rt_listen(const char *name, struct rt_listener *listener);

/** Wait for the next channel to it. 0; -ETIMEDOUT, -EINTR, -ENOMEM (that one is closed). */
int rt_accept(struct rt_listener *listener, u64 deadline_ns, struct rt_channel **out);

/**
 * Send a message, waiting for space.
 * Returns 0; -EPIPE (the peer closed or died), -EBADMSG, -EINVAL, -ETIMEDOUT, -EINTR.
 */
int rt_channel_send(struct rt_channel *c, u16 type, const void *payload, size_t len,
		    u64 deadline_ns);

/** Wait for the next message. 0; -EPIPE (none will come), -EBADMSG, -ETIMEDOUT, -EINTR. */
int rt_channel_receive(struct rt_channel *c, struct msg *m, u64 deadline_ns);

/** @wants_space of a channel has been set while somebody waits already. */
void rt_channel_look(void);

/** Wait on @queue, where channels wake (rt_channel.shared). As fiber_wait(). */
int rt_channel_wait(struct fiber_queue *queue, u64 deadline_ns);

/** End it and free it; no fiber may be waiting on it. NULL is ignored. */
void rt_channel_close(struct rt_channel *c);

/** Bring the count page (skerry/domain.h) up to date: before sleeping, and at the end. */
void channel_note_counts(void);

/* By loop.c and notice.c only: arm what fibers wait for, waking those that need not, before the
 * domain sleeps and when its doorbell has rung; a notice. */
void channel_prepare_sleep(void);
void channel_rang(void);
void channel_noticed(u32 notice, u32 id, u64 a);

#endif
