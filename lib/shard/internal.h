/*
 * A net from the inside. Private to lib/shard.
 *
 *   net.c    packets out and in, death of cores, counts
 *   ask.c    calls that this core makes
 *   serve.c  requests of other cores: the queue, and the fibers that work it off
 */
#ifndef SHARD_INTERNAL_H
#define SHARD_INTERNAL_H

#include <shard/shard.h>

enum kind { KIND_CALL = 1, KIND_ANSWER, KIND_CANCEL, KIND_TELL };

#define AREA_OPS        256u
#define PENDING_BUCKETS 64u /* a power of two */
#define IDLE_WORKERS    4u  /* kept for the next requests */

/* What waits to be sent. */
struct packet {
	struct packet *next;
	struct shard_head head;
	const void *body; /* head.bytes */
	void *block;      /* to be freed with it: where this structure lies ... */
	void *body_block; /* ... and the body, or NULL */
};

/* A call of this core that is not answered yet; on the stack of the caller. */
struct pending {
	struct pending *next; /* in its bucket */
	u32 call, core;
	bool done;
	s64 result;
	struct shard_parts *parts;
	struct fiber_queue caller;
};

/* A request of another core: waits in net.first, then is in running of its peer. */
struct request {
	struct shard_request r;
	struct request *next;
	u32 call;
	struct fiber *fiber; /* of its handler */
	bool answered;
	u8 *answer;
	u32 answer_bytes, answer_size;
	struct packet packet; /* of the answer: it can be sent without memory */
	_Alignas(16) u8 args[];
};

struct peer {
	struct packet *first, **end; /* to be sent, when the transport can */
	struct request *running;
	struct shard_count count[SHARD_AREAS];
};

struct served {
	shard_handler *handler;
	void *arg;
};

struct death_call {
	struct death_call *next;
	void (*fn)(struct shard_net *net, u32 core, void *arg);
	void *arg;
};

/* Dying: requests of it run still. Dead: shard_on_death()'s functions are to be called. Gone:
 * they have been, or are. */
enum core_state { CORE_LIVES, CORE_DYING, CORE_DEAD, CORE_GONE };

struct shard_net {
	struct fiber_loop *loop;
	const struct shard_io *io;
	void *io_arg;
	u32 self, cores;
	u32 last_call;
	u32 ndead; /* cores in CORE_DEAD */
	bool burying;
	bool ending;
	u32 nworkers, nidle;
	struct fiber_queue idle;
	struct request *first, **end; /* that have not begun */
	struct served *served[SHARD_AREAS];
	struct death_call *deaths;
	struct pending *pending[PENDING_BUCKETS];
	u8 *state;          /* of the cores: enum core_state */
	struct peer **peer; /* of the cores; NULL: not heard of */
};

/* ---- net.c ---- */

/** The peer @core; NULL: no memory. */
struct peer *peer_get(struct shard_net *net, u32 core);

u32 area_of(u16 op);

/** Send @head with @nparts of body behind it, or keep a copy until it can be. 0, -ENOMEM. */
int packet_send(struct shard_net *net, u32 core, struct shard_head *head, const struct shard_in *in,
		u32 nparts);

/** Send @packet, or keep it; it is freed in the end. Cannot fail. */
void packet_hand_over(struct shard_net *net, u32 core, struct packet *packet);

/** Forget what waits to be sent to @core. */
void net_drop_packets(struct shard_net *net, u32 core);

/** The sum of pieces; more than SHARD_BYTES_MAX: that and one. */
u32 parts_bytes(const struct shard_in *in, u32 nin);

/** Copy pieces to one place. */
void parts_gather(void *to, const struct shard_in *in, u32 nin);

/* ---- ask.c ---- */

void ask_answered(struct shard_net *net, u32 core, const struct shard_head *head,
		  const struct shard_in *body, u32 nparts);
void ask_core_died(struct shard_net *net, u32 core);

/** Take a call's answer; returns @result, or -EBADMSG if there is no room for the bytes. */
s64 ask_take_answer(struct shard_parts *parts, s64 result, const struct shard_in *body, u32 nparts);

/* ---- serve.c ---- */

/** 0 or -ENOMEM: nothing has happened. */
int serve_received(struct shard_net *net, u32 core, const struct shard_head *head,
		   const struct shard_in *body, u32 nparts);
void serve_cancelled(struct shard_net *net, u32 core, u32 call);
void serve_core_died(struct shard_net *net, u32 core);

/** A call of this core to itself. */
s64 serve_own_call(struct shard_net *net, u16 op, struct shard_parts *parts, u32 bytes, u32 room);

/** See that a fiber works on what is due. False: no memory for one, and none is idle. */
bool serve_wake(struct shard_net *net);

#endif
