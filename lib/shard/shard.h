/*
 * Calls between the shards of a system: one on each core, that trust each other's code but not
 * each other's bytes, and that may die.
 *
 *   asking core                                   serving core
 *   shard_call(net, core, op, args)  -- CALL -->  the handler of op, on a fiber of its own
 *        waits (other fibers run)                  may wait, may call other cores
 *        its result                  <- ANSWER --  what it returned, and shard_answer()'s bytes
 *
 *   shard_call_intr(): interrupted   -- CANCEL ->  the handler's fiber is interrupted
 *        still waits: its result     <- ANSWER --  -ERESTARTSYS, a short count, or all of it
 *
 *   shard_tell(): never waits        -- TELL -->   the handler; nothing comes back
 *
 * Order: what one core sends to another, calls and tells, begins there in the order in which it
 * was sent. Handlers that wait overtake each other. An answer may overtake nothing that was sent
 * before it: when a caller goes on, the tells that the serving core had sent to it have begun.
 *
 * A call to the own core runs the handler on the fiber of the caller, without a message; a tell to
 * it is handled on another fiber, soon.
 *
 * Deadlock: a handler may call other cores, but then must hold nothing that others wait for, but
 * in an order that is documented where it is. Nobody waits for space here: what cannot be sent yet
 * is kept in memory.
 *
 * Death of a core: calls to it end with -EHOSTDOWN, new ones fail at once, tells vanish. Requests
 * of it that have not begun vanish; the fibers of those that have are interrupted (and find
 * shard_request.cancelled). When the last of them has returned, all functions of shard_on_death()
 * run, in the order of registration: from then on nothing of that core is under way. A handler
 * must therefore wait interruptibly, or only for what comes to an end by itself.
 *
 * Transport: packets of any length up to SHARD_PACKET_MAX, in order, to be provided by the user
 * (struct shard_io): services/linux/shard.c over channels, lib/shard/loopback.h within one loop of
 * fibers, for tests.
 *
 * Memory comes from malloc(). Not here: what operations mean (include/skerry/shard.h and the
 * areas' own files).
 * Runs in: the personality, host tests. One net belongs to one loop of fibers.
 */
#ifndef SHARD_SHARD_H
#define SHARD_SHARD_H

#include <fiber/fiber.h>
#include <skerry/shard.h>

#include <errno.h>

struct shard_net;

/* ---- asking ---- */

/**
 * Call @op of @core and wait for the answer, whatever signals come meanwhile.
 *
 * @args    @bytes of arguments, up to SHARD_BYTES_MAX; may be NULL if @bytes is 0
 * @answer  room for @room bytes; the call fails with -EMSGSIZE there if its answer is longer
 * @got     how many bytes came, also with a negative result; may be NULL
 * Returns the handler's result; -EHOSTDOWN (the core is dead, or dies before it answers), -ENOMEM
 * (here or there, nothing was done), -ENOSYS (no such operation there), -EMSGSIZE (@bytes too
 * many), -EINVAL (no such core).
 */
s64 shard_call(struct shard_net *net, u32 core, u16 op, const void *args, u32 bytes, void *answer,
	       u32 room, u32 *got);

/**
 * The same for what may take long: if the calling fiber is interrupted, so is the handler's, and
 * the result is what it makes of that. An interrupt that is pending already counts.
 */
s64 shard_call_intr(struct shard_net *net, u32 core, u16 op, const void *args, u32 bytes,
		    void *answer, u32 room, u32 *got);

/* Arguments and answers in several pieces, one behind the other. */
struct shard_in {
	const void *at;
	u32 bytes;
};

struct shard_out {
	void *at;
	u32 bytes;
};

struct shard_parts {
	const struct shard_in *in;
	const struct shard_out *out;
	u32 nin, nout;
	bool interruptible;
	u32 got; /* out: bytes of the answer */
};

/** shard_call() or shard_call_intr() with arguments and answer in pieces. */
s64 shard_call_parts(struct shard_net *net, u32 core, u16 op, struct shard_parts *parts);

/**
 * Send without waiting for anything, from a fiber or not.
 * Returns 0 (it will arrive, unless one of the two cores dies), -EHOSTDOWN, -ENOMEM, -EMSGSIZE,
 * -EINVAL: it has not been sent.
 */
int shard_tell(struct shard_net *net, u32 core, u16 op, const void *args, u32 bytes);

/* ---- serving ---- */

/* A call or tell while its handler runs. */
struct shard_request {
	struct shard_net *net;
	u32 core; /* that asks */
	u16 op;
	bool is_call;
	bool cancelled;   /* the caller was interrupted, or its core has died */
	const void *args; /* untrusted; aligned to 16 bytes; the handler's until it returns */
	u32 bytes;
	u32 room;  /* for the answer, at most SHARD_BYTES_MAX */
	void *arg; /* of shard_serve() */
};

/** Serves a request; the result is the call's. What it returns for a tell is ignored. */
typedef s64 shard_handler(struct shard_request *r);

/** Serve @op from now on. 0; -EEXIST (it is served), -ENOMEM, -EINVAL (no such area). */
int shard_serve(struct shard_net *net, u16 op, shard_handler *handler, void *arg);

/** Arguments as a structure of @size at least; NULL: they are shorter (-EBADMSG). */
static inline const void *shard_args(const struct shard_request *r, u32 size)
{
	return r->bytes >= size ? r->args : NULL;
}

/**
 * Memory for @bytes of answer, to be filled before the handler returns (they go with any result).
 * A second time: the same memory, longer or shorter, what was there is kept.
 * NULL: longer than r->room, or no memory; the answer is what it was.
 */
void *shard_answer(struct shard_request *r, u32 bytes);

/**
 * Answer now, though the handler goes on; what it returns later is ignored, and a cancel does not
 * reach it any more. 0; -ENOMEM (it is not answered), -EALREADY, -EINVAL (a tell, or this core's).
 */
int shard_answer_early(struct shard_request *r, s64 result);

/* ---- cores ---- */

/** Call @fn when a core has died, on a fiber; see above. 0 or -ENOMEM. */
int shard_on_death(struct shard_net *net, void (*fn)(struct shard_net *net, u32 core, void *arg),
		   void *arg);

u32 shard_self(const struct shard_net *net);
u32 shard_cores(const struct shard_net *net);
bool shard_lives(const struct shard_net *net, u32 core);

/* What was sent and received: every CALL, ANSWER, CANCEL, TELL is one message. */
struct shard_count {
	u64 sent;
	u64 received;
};

/** Messages from and to @core since the beginning; with area: SHARD_AREAS or more for all. */
struct shard_count shard_counts(const struct shard_net *net, u32 core, u32 area);

/* ---- the net and its transport ---- */

/* In front of every packet. Filled and read by lib/shard alone. */
struct shard_head {
	u32 call; /* its number at the asking core */
	u16 op;
	u8 kind;
	u8 flags;
	u32 bytes; /* behind this head */
	u32 room;  /* for the answer */
	s64 result;
};

static_assert(sizeof(struct shard_head) == 24, "no holes");

#define SHARD_PACKET_MAX (sizeof(struct shard_head) + SHARD_BYTES_MAX)

struct shard_io {
	/**
	 * Send a packet, which lies in @nparts pieces, without waiting. 0; -EAGAIN: not now
	 * (shard_net_can_send() follows); -EHOSTDOWN or another error: never (shard_net_died()
	 * follows).
	 */
	int (*send)(void *arg, u32 core, const struct shard_in *parts, u32 nparts);
	/** Start a fiber of the net's loop. 0 or -ENOMEM. */
	int (*fiber_start)(void *arg, void (*entry)(void *arg), void *fiber_arg);
};

#define SHARD_PARTS_MAX 8u /* of a call, in each direction */

/** Make the net of core @self of @cores. NULL: no memory. */
struct shard_net *shard_net_new(struct fiber_loop *loop, u32 self, u32 cores,
				const struct shard_io *io, void *io_arg);

/** End it: all its fibers must have ended or be idle; those that are idle end soon after. */
void shard_net_free(struct shard_net *net);

/**
 * A packet of @core has arrived: its head, and a body in pieces, which are copied. What is
 * malformed is ignored.
 * Returns 0, or -ENOMEM: to be given again later, and until then no other packet of @core.
 */
int shard_net_receive(struct shard_net *net, u32 core, const struct shard_head *head,
		      const struct shard_in *body, u32 nparts);

/** After send() said -EAGAIN: it is worth trying again. */
void shard_net_can_send(struct shard_net *net, u32 core);

/** @core is dead. Does nothing if that is known. */
void shard_net_died(struct shard_net *net, u32 core);

#endif
