/*
 * Channels of messages between two cores, or two domains of one core.
 *
 * A channel is two regions of shared memory. Each has one writer: the end that transmits through
 * it. The other end maps it read-only. A region lies in memory of its *reader's* node.
 *
 *   region A to B, written by A:          region B to A, written by B:
 *     line 0  control: what A consumed      line 0  control: what B consumed
 *             from B, whether A sleeps              from A, whether B sleeps
 *     line 1  ring of messages A to B       line 1  ring of messages B to A
 *     ...                                   ...
 *
 * Sending writes the payload, then the header (msg.h). Receiving looks at the header of the next
 * line and at nothing else. Lines are free again when the receiver has acknowledged them, which
 * it does a quarter of the ring at a time; a sender never overwrites a line that is not free.
 * There is no atomic read-modify-write: every word has one writer.
 *
 * Sleeping without a lost wake-up. A receiver arms (ump_arm): it writes a fresh armed word, then
 * looks at the ring once more. A sender writes the header, then reads the peer's armed word. All
 * four accesses are sequentially consistent, so at least one of the two sees the other: either
 * the receiver finds the message and does not sleep, or the sender finds the armed word and rings
 * the doorbell, once for each arming. A sender without space does the same with the
 * acknowledgement in the place of the message (ump_arm_send).
 *
 *                 ump_close, ump_peer_died           all messages received
 *   open ---------------------------------> closing ----------------------> -EPIPE for ever
 *     \---- peer breaks the format: -EBADMSG for ever
 *
 * The peer is not trusted: whatever it writes, nothing here loops, crashes or reads beyond the
 * region. The end of a channel is final; a new one between the same regions has another epoch,
 * and what the old one left in the regions is ignored.
 *
 * Not here: setting up the shared memory, ringing a doorbell (the @ring callback), larger data
 * (bulk.h). A channel end belongs to one thread of control.
 * Runs in: monitors, native domains, host tests.
 */
#ifndef UMP_UMP_H
#define UMP_UMP_H

#include <skerry/msg.h>

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define UMP_MAX_EPOCH  0x7fffu
#define UMP_LAP        (1ul << 32) /* of a header */
#define UMP_END        (1ul << 31)
#define UMP_MIN_REGION PAGE_SIZE
#define UMP_MAX_REGION (64 * MiB)
#define UMP_BATCHES    4u /* acknowledgements in one round of the ring */

/* Line 0 of a region. Every word carries the epoch in bits 48-62. */
struct ump_control {
	u64 acked;      /* bits 0-31: how many messages the writer has consumed; wraps */
	u64 armed;      /* bit 0: wake me at a message; bit 1: closed; bits 2-47: counts changes */
	u64 send_armed; /* bit 0: wake me at an acknowledgement; bits 2-47: counts changes */
	u64 reserved[5];
};

static_assert(sizeof(struct ump_control) == MSG_LINE, "the control words share one line");

/* Messages by class, and doorbells. */
struct ump_counts {
	u64 sent[MSG_CLASSES];
	u64 received[MSG_CLASSES];
	u64 rings;
};

/* One end of a channel. Private but for @counts, which anyone on this end may read. */
struct ump {
	/* transmitting */
	struct ump_line *tx_next;
	struct ump_line *tx_limit; /* ump_refill() must look before this one is written: for
				    * acknowledgements, and at the end of the ring */
	u64 tx_header;             /* of this lap, without a type */
	u64 peer_armed;            /* as last seen */
	const struct ump_control *peer;

	/* receiving */
	const struct ump_line *rx_next;
	const struct ump_line *rx_mark; /* ump_batch() must acknowledge, and at the end wrap,
					 * before this one is read */
	u64 rx_header;                  /* of this lap, without a type */
	u64 peer_waits;                 /* peer's send_armed, as last seen */
	bool rx_wrapped; /* the ring has been round once: all its lines are of this epoch */

	bool peer_died;
	bool closed; /* by this end */
	int tx_error;
	int rx_error;
	u32 tx_before; /* messages sent in the laps before this one; wraps */
	u32 rx_before; /* the same of those received */
	u32 nlines;    /* of a ring, a multiple of UMP_BATCHES; one stays free for the end */
	u32 rx_acked;  /* messages acknowledged */
	u64 epoch;     /* as in control words */
	struct ump_control *own;
	struct ump_line *tx_ring;
	const struct ump_line *rx_ring;
	void (*ring)(void *arg);
	void *ring_arg;
	struct ump_counts counts;
};

/**
 * Prepare one end of a channel.
 *
 * @tx     region that this end writes; its old contents are overwritten
 * @rx     region that the peer writes; read only. The two ends may do this in any order.
 * @bytes  of each region: a power of two, UMP_MIN_REGION to UMP_MAX_REGION; both aligned to 64
 * @epoch  1 to UMP_MAX_EPOCH, the same at both ends; not one that these regions had before
 * @ring   called to ring the peer's doorbell; must not use the channel
 * Returns 0 or -EINVAL.
 */
int ump_init(struct ump *u, void *tx, const void *rx, size_t bytes, u32 epoch,
	     void (*ring)(void *arg), void *arg);

/* Slow paths of the functions below; not for callers. */
int ump_refill(struct ump *u);
int ump_send_slowly(struct ump *u, u16 type, const void *payload, size_t len);
int ump_peer_changed(struct ump *u, u64 armed);
int ump_no_message(struct ump *u, u64 header);
void ump_batch(struct ump *u);

/**
 * Send a message, and ring the peer's doorbell if it sleeps.
 *
 * @payload  @len bytes, at most MSG_PAYLOAD; may be NULL if @len is 0. What the receiver sees in
 * the payload's other bytes is not defined (they are old bytes of the same sender). Returns 0;
 * -EAGAIN (no space: receive or sleep, then try again), -EPIPE (the channel has ended), -EBADMSG
 * (the peer broke the format), -EINVAL (too long).
 */
static inline int ump_send(struct ump *u, u16 type, const void *payload, size_t len)
{
	struct ump_line *line;
	u64 armed;

	if (len > MSG_PAYLOAD)
		return -EINVAL;
	if (__builtin_expect(u->tx_next == u->tx_limit, 0))
		return ump_send_slowly(u, type, payload, len);
	line = u->tx_next;
	if (len > 0)
		memcpy(line->word, payload, len);
	u->tx_next = line + 1;
	u->counts.sent[MSG_CLASS(type)]++;
	/* Also a release: the payload is visible before the header. */
	__atomic_store_n(&line->header, u->tx_header | type, __ATOMIC_SEQ_CST);
	armed = __atomic_load_n(&u->peer->armed, __ATOMIC_SEQ_CST);
	if (__builtin_expect(armed != u->peer_armed, 0))
		return ump_peer_changed(u, armed);
	return 0;
}

/**
 * Receive the next message.
 *
 * Returns 1 and fills @m; 0 (none yet); -EPIPE (none, and none will come), -EBADMSG (the peer
 * broke the format).
 */
static inline int ump_recv(struct ump *u, struct msg *m)
{
	const struct ump_line *line = u->rx_next;
	u64 header = __atomic_load_n(&line->header, __ATOMIC_ACQUIRE);

	if (__builtin_expect((header ^ u->rx_header) >> 16 != 0, 0)) {
		int none = ump_no_message(u, header);

		return none < 0 ? none : 0; /* shows the compiler that only 1 fills @m */
	}
	memcpy(m->word, line->word, sizeof(m->word));
	/* From here on the copy counts: the compiler must not read the peer's memory again. */
	atomic_signal_fence(memory_order_seq_cst);
	m->type = (u16)header;
	u->rx_next = line + 1;
	u->counts.received[MSG_CLASS((u16)header)]++;
	if (__builtin_expect(line + 1 == u->rx_mark, 0))
		ump_batch(u);
	return 1;
}

/* Would ump_send() succeed? It will, unless the channel ends before. */
static inline bool ump_can_send(struct ump *u)
{
	return u->tx_next != u->tx_limit || ump_refill(u) == 0;
}

/**
 * Ask for the doorbell at the next message.
 *
 * True: the caller may sleep; the peer rings as soon as there is something to receive. False:
 * there is already (a message, or the end of the channel). Either way it is good for one
 * wake-up: arm again before the next sleep.
 */
bool ump_arm(struct ump *u);

/* Take the wish of ump_arm() back, when something else woke the caller. Saves the peer a
 * doorbell; not needed for correctness. */
void ump_disarm(struct ump *u);

/* The same for a sender that got -EAGAIN: true if it may sleep until there is space. */
bool ump_arm_send(struct ump *u);

/* End the channel from this side. The peer can still receive what was sent before, then gets
 * -EPIPE; it is woken. */
void ump_close(struct ump *u);

/* The peer is known to be dead: what it has sent can still be received, then -EPIPE. */
void ump_peer_died(struct ump *u);

#endif
