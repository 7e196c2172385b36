/*
 * What happens seldom on a channel: beginning, batches, sleeping, the end.
 *
 * Order matters wherever a word of the shared regions is touched; each place says what it pairs
 * with. See ump.h for the whole.
 *
 * Runs in: monitors, native domains, host tests.
 */
#include <ump/ump.h>

#define EPOCH_SHIFT  48 /* in control words */
#define ARMED        1ul
#define CLOSED       2ul
#define CHANGE       4ul /* counts changes, in bits 2-47 */
#define CHANGES_MASK ((1ul << EPOCH_SHIFT) - CHANGE)

/* In the place of the next line once nothing more can be received: its header never fits. */
static const struct ump_line no_line;

static u64 control_word(const struct ump *u, u64 value)
{
	return u->epoch << EPOCH_SHIFT | value;
}

static bool of_this_epoch(const struct ump *u, u64 word)
{
	return word >> EPOCH_SHIFT == u->epoch;
}

/* How many messages have been sent, and received; both wrap. */
static u32 sent(const struct ump *u)
{
	return u->tx_before + (u32)(u->tx_next - u->tx_ring);
}

static u32 received(const struct ump *u)
{
	return u->rx_before + (u32)(u->rx_next - u->rx_ring);
}

static void ring(struct ump *u)
{
	u->counts.rings++;
	u->ring(u->ring_arg);
}

/* --- Beginning --- */

static bool good_region(const void *region, size_t bytes)
{
	return region && (uintptr_t)region % MSG_LINE == 0 && bytes >= UMP_MIN_REGION &&
	       bytes <= UMP_MAX_REGION && (bytes & (bytes - 1)) == 0;
}

int ump_init(struct ump *u, void *tx, const void *rx, size_t bytes, u32 epoch,
	     void (*ring_peer)(void *arg), void *arg)
{
	u32 nlines = ROUND_DOWN((u32)(bytes / MSG_LINE) - 1, UMP_BATCHES);

	if (!good_region(tx, bytes) || !good_region(rx, bytes) || !ring_peer)
		return -EINVAL;
	if (epoch == 0 || epoch > UMP_MAX_EPOCH)
		return -EINVAL;
	*u = (struct ump){
		.tx_header = UMP_LAP | (u64)epoch << 16,
		.rx_header = UMP_LAP | (u64)epoch << 16,
		.peer = rx,
		.own = tx,
		.tx_ring = (struct ump_line *)tx + 1,
		.rx_ring = (const struct ump_line *)rx + 1,
		.nlines = nlines,
		.epoch = epoch,
		.ring = ring_peer,
		.ring_arg = arg,
	};
	u->tx_next = u->tx_ring;
	u->tx_limit = u->tx_ring + nlines - 1;
	u->rx_next = u->rx_ring;
	u->rx_mark = u->rx_ring + nlines / UMP_BATCHES;
	/* The peer may be reading already, and takes nothing of another epoch for a message. */
	for (u32 i = 0; i < nlines; i++)
		__atomic_store_n(&u->tx_ring[i].header, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&u->own->acked, control_word(u, 0), __ATOMIC_RELEASE);
	__atomic_store_n(&u->own->send_armed, control_word(u, 0), __ATOMIC_RELEASE);
	__atomic_store_n(&u->own->armed, control_word(u, 0), __ATOMIC_RELEASE);
	return 0;
}

/* --- Sending --- */

static void end_sending(struct ump *u, int error)
{
	u->tx_error = error;
	u->tx_limit = u->tx_next; /* so that every ump_send() comes to ump_refill() */
}

/* How many messages the peer has consumed. */
static u32 peer_acked(const struct ump *u)
{
	/* Acquire: what the peer read before it acknowledged, it read before we overwrite it.
	 * Sequentially consistent for ump_arm_send(). */
	u64 acked = __atomic_load_n(&u->peer->acked, __ATOMIC_SEQ_CST);

	return of_this_epoch(u, acked) ? (u32)acked : 0;
}

/* At the end of the ring, go to its beginning. */
static void begin_lap(struct ump *u)
{
	if (u->tx_next != u->tx_ring + u->nlines)
		return;
	u->tx_before += u->nlines;
	u->tx_header += UMP_LAP;
	u->tx_next = u->tx_ring;
}

static bool peer_closed(const struct ump *u)
{
	u64 armed = __atomic_load_n(&u->peer->armed, __ATOMIC_SEQ_CST);

	return of_this_epoch(u, armed) && (armed & CLOSED);
}

/* Look for free lines. 0, -EAGAIN, or how the channel ended. */
int ump_refill(struct ump *u)
{
	u32 in_flight, to_end;

	if (u->tx_error)
		return u->tx_error;
	in_flight = sent(u) - peer_acked(u);
	if (in_flight >= u->nlines) /* it acknowledged what was never sent */
		end_sending(u, -EBADMSG);
	else if (peer_closed(u))
		end_sending(u, -EPIPE);
	if (u->tx_error)
		return u->tx_error;
	if (in_flight == u->nlines - 1)
		return -EAGAIN;
	begin_lap(u);
	to_end = (u32)(u->tx_ring + u->nlines - u->tx_next);
	u->tx_limit = u->tx_next + MIN(u->nlines - 1 - in_flight, to_end);
	return 0;
}

/* ump_send() when the limit is reached. It calls this last, so that its usual path needs no stack.
 */
int ump_send_slowly(struct ump *u, u16 type, const void *payload, size_t len)
{
	int err = ump_refill(u);

	return err ? err : ump_send(u, type, payload, len);
}

/* The peer's armed word is another one than at the last look. */
int ump_peer_changed(struct ump *u, u64 armed)
{
	u->peer_armed = armed;
	if (!of_this_epoch(u, armed))
		return 0; /* it has not begun yet; it will look before it sleeps */
	if (armed & CLOSED) {
		end_sending(u, -EPIPE);
		return -EPIPE;
	}
	if (armed & ARMED)
		ring(u);
	return 0;
}

/* --- Receiving --- */

static void end_receiving(struct ump *u, int error)
{
	u->rx_error = error;
	u->rx_next = &no_line;
}

/* Is @header, at the place of the next message, what was there before? */
static bool is_old(const struct ump *u, u64 header)
{
	if (u->rx_wrapped)
		return (header ^ (u->rx_header - UMP_LAP)) >> 16 == 0;
	return (header >> 16 & UMP_MAX_EPOCH) != u->epoch;
}

/* The next line holds no message: it is old, or the end of the channel, or nonsense. */
int ump_no_message(struct ump *u, u64 header)
{
	if (u->rx_error)
		return u->rx_error;
	if (is_old(u, header)) {
		if (!u->peer_died)
			return 0;
		end_receiving(u, -EPIPE);
	} else if ((header ^ u->rx_header) >> 16 == UMP_END >> 16) {
		end_receiving(u, -EPIPE);
		end_sending(u, -EPIPE);
	} else {
		end_receiving(u, -EBADMSG);
		end_sending(u, -EBADMSG);
	}
	return u->rx_error;
}

/* Tell the peer what has been consumed, and wake it if it waits for that. */
static void acknowledge(struct ump *u)
{
	u64 waits;

	u->rx_acked = received(u);
	/* Also a release: lines are read before they are given back. Pairs with ump_arm_send(). */
	__atomic_store_n(&u->own->acked, control_word(u, u->rx_acked), __ATOMIC_SEQ_CST);
	waits = __atomic_load_n(&u->peer->send_armed, __ATOMIC_SEQ_CST);
	if (waits == u->peer_waits)
		return;
	u->peer_waits = waits;
	if (of_this_epoch(u, waits) && (waits & ARMED))
		ring(u);
}

/* A quarter of the ring has been received. */
void ump_batch(struct ump *u)
{
	if (u->rx_next == u->rx_ring + u->nlines) {
		u->rx_before += u->nlines;
		u->rx_header += UMP_LAP;
		u->rx_next = u->rx_ring;
		u->rx_wrapped = true;
	}
	u->rx_mark = u->rx_next + u->nlines / UMP_BATCHES;
	acknowledge(u);
}

/* --- Sleeping --- */

/* Write a fresh value with @flags to one of our words that the peer watches. */
static void change_word(struct ump *u, u64 *word, u64 flags)
{
	u64 changes = (__atomic_load_n(word, __ATOMIC_RELAXED) & CHANGES_MASK) + CHANGE;

	__atomic_store_n(word, control_word(u, (changes & CHANGES_MASK) | flags), __ATOMIC_SEQ_CST);
}

bool ump_arm(struct ump *u)
{
	u64 header;

	if (u->rx_error || u->peer_died)
		return false;
	if (u->rx_acked != received(u))
		acknowledge(u);
	change_word(u, &u->own->armed, ARMED);
	header = __atomic_load_n(&u->rx_next->header, __ATOMIC_SEQ_CST);
	if (is_old(u, header))
		return true;
	ump_disarm(u);
	return false;
}

void ump_disarm(struct ump *u)
{
	u64 armed = __atomic_load_n(&u->own->armed, __ATOMIC_RELAXED);

	if (armed & ARMED)
		change_word(u, &u->own->armed, 0);
}

bool ump_arm_send(struct ump *u)
{
	if (u->tx_error || u->peer_died)
		return false;
	change_word(u, &u->own->send_armed, ARMED);
	if (!ump_can_send(u) && u->tx_error == 0)
		return true;
	change_word(u, &u->own->send_armed, 0);
	return false;
}

/* --- The end --- */

void ump_close(struct ump *u)
{
	bool tell = !u->closed && !u->peer_died;

	u->closed = true;
	end_sending(u, -EPIPE);
	end_receiving(u, -EPIPE);
	if (!tell)
		return;
	begin_lap(u);
	/* There is a line for this: ump_refill() keeps one free. */
	__atomic_store_n(&u->tx_next->header, u->tx_header | UMP_END, __ATOMIC_SEQ_CST);
	change_word(u, &u->own->armed, CLOSED); /* for a peer that only sends: ump_refill() */
	ring(u);
}

void ump_peer_died(struct ump *u)
{
	u->peer_died = true;
	if (u->tx_error == 0)
		end_sending(u, -EPIPE);
}
