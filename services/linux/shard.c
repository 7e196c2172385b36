/*
 * See shard.h. The transport of lib/shard: packets on channels (skerry/msg/shard.h).
 *
 * Between two cores there is one channel, or two if both opened one at the same time; what a core
 * sends goes through the first that it had. One fiber, the pump, receives from all of them and
 * sends what did not fit before; opening and accepting have fibers of their own.
 *
 * Runs in: the personality's domain.
 */
#include "shard.h"
#include "boot.h"
#include "bootwords.h"
#include "ram.h"

#include <errno.h>
#include <rt/rt.h>
#include <skerry/msg/shard.h>
#include <stdlib.h>
#include <string.h>

#define RING_BYTES   (8 * KiB)
#define REGION_BYTES (128 * KiB) /* ring and bulk area, of each direction */
#define BULK_BYTES   (REGION_BYTES - RING_BYTES)
#define TELL_READ    (BULK_BYTES / 4) /* say so when so much was read */
#define TURN         64u              /* messages of a channel before others have their turn */
#define RETRY_NS     20000000ul
#define RETRIES      500u /* ten seconds, for a personality that does not begin to listen */
#define STACK_BYTES  (48 * KiB)
#define STACK_MARK   0x6b6361747365626cul
#define SPARE_STACKS 4u

static_assert(sizeof(struct shard_head) == SHARD_HEAD, "one format");
static_assert(BULK_BYTES - TELL_READ >= SHARD_BYTES_MAX, "the largest body always fits in the end");

/* A channel to another core. */
struct link {
	struct link *next;
	struct rt_channel *c;
	u32 core;
	/* what is sent: the lines of a short packet that are still to go */
	u8 out[SHARD_HEAD + SHARD_INLINE];
	u32 out_at, out_bytes;
	u16 out_type;
	u64 bulk_sent, bulk_gone; /* bytes written into the area, and read by the peer */
	bool blocked;             /* somebody wanted to send */
	/* what is received */
	u8 in[SHARD_HEAD + SHARD_INLINE];
	u32 in_bytes;
	bool in_bulk, stalled; /* a whole packet, but no memory for it yet */
	u64 bulk_read, bulk_told;
};

struct shard_net *shards;

static u32 cores = 1;
static struct link *links;
static struct link **link_to; /* of each core: what is sent goes there; or NULL */
static bool *opening;
static struct fiber_queue pump_queue, cores_changed;
static struct rt_listener listener;

u32 linux_cores(void)
{
	return cores;
}

u32 linux_core(void)
{
	return domain_start()->core;
}

/* ---- sending ---- */

/* Send lines of the packet that is being sent. 0; -EAGAIN; -EPIPE, -EBADMSG. */
static int push(struct link *l)
{
	while (l->out_at < l->out_bytes) {
		u32 n = MIN(l->out_bytes - l->out_at, MSG_PAYLOAD);
		int err = ump_send(&l->c->ump, l->out_type, l->out + l->out_at, n);

		if (err)
			return err;
		l->out_at += n;
		l->out_type = SHARD_MSG_MORE;
	}
	return 0;
}

static void put_inline(struct link *l, const struct shard_in *parts, u32 nparts)
{
	l->out_at = l->out_bytes = 0;
	l->out_type = SHARD_MSG_BEGIN;
	for (u32 i = 0; i < nparts; i++) {
		if (parts[i].bytes)
			memcpy(l->out + l->out_bytes, parts[i].at, parts[i].bytes);
		l->out_bytes += parts[i].bytes;
	}
}

/* Put @bytes into the area behind the others. */
static void put_bulk(struct link *l, const u8 *from, u32 bytes)
{
	u64 at = l->bulk_sent % BULK_BYTES, here = MIN(bytes, BULK_BYTES - at);

	memcpy(l->c->bulk_tx + at, from, here);
	memcpy(l->c->bulk_tx, from + here, bytes - here);
	l->bulk_sent += bytes;
}

static int want_space(struct link *l)
{
	l->blocked = true;
	return -EAGAIN;
}

/* The transport's send(); @parts[0] is the head. */
static int send_on(struct link *l, const struct shard_in *parts, u32 nparts)
{
	u32 bytes = 0;
	int err;

	for (u32 i = 1; i < nparts; i++)
		bytes += parts[i].bytes;
	if (l->out_at < l->out_bytes)
		return want_space(l);
	if (bytes <= SHARD_INLINE) {
		put_inline(l, parts, nparts);
	} else {
		if (BULK_BYTES - (l->bulk_sent - l->bulk_gone) < bytes)
			return want_space(l);
		put_inline(l, parts, 1);
		l->out_type = SHARD_MSG_BULK;
		for (u32 i = 1; i < nparts; i++)
			put_bulk(l, parts[i].at, parts[i].bytes);
	}
	err = push(l);
	if (err == -EAGAIN) {
		l->c->wants_space = true;
		rt_channel_look();
	}
	return err == -EAGAIN ? 0 : err;
}

/* ---- receiving ---- */

/* Give the packet that is in l->in to the net. False: no memory, it stays. */
static bool deliver(struct link *l)
{
	struct shard_head head;
	struct shard_in body[2] = {{l->in + SHARD_HEAD, l->in_bytes - SHARD_HEAD}, {NULL, 0}};

	memcpy(&head, l->in, sizeof(head));
	if (l->in_bulk) {
		u64 at = l->bulk_read % BULK_BYTES;

		head.bytes = MIN(head.bytes, SHARD_BYTES_MAX);
		body[0] = (struct shard_in){l->c->bulk_rx + at,
					    (u32)MIN(head.bytes, BULK_BYTES - at)};
		body[1] = (struct shard_in){l->c->bulk_rx, head.bytes - body[0].bytes};
	}
	l->stalled = shard_net_receive(shards, l->core, &head, body, 2) == -ENOMEM;
	if (l->stalled)
		return false;
	if (l->in_bulk)
		l->bulk_read += head.bytes;
	l->in_bytes = 0;
	return true;
}

/* Say how much of the peer's area was read, if it is much. False: it could not be said yet. */
static bool tell_read(struct link *l)
{
	u64 read = l->bulk_read;

	if (read - l->bulk_told < TELL_READ)
		return true;
	if (ump_send(&l->c->ump, SHARD_MSG_READ, &read, sizeof(read)))
		return false;
	l->bulk_told = read;
	return true;
}

static void line_rx(struct link *l, const struct msg *m)
{
	struct shard_head head;
	u64 gone;

	switch (m->type) {
	case SHARD_MSG_BEGIN:
		l->in_bytes = 0;
		/* fall through */
	case SHARD_MSG_MORE:
		if (l->in_bytes > sizeof(l->in) - MSG_PAYLOAD)
			return;
		memcpy(l->in + l->in_bytes, m->payload, MSG_PAYLOAD);
		l->in_bytes += MSG_PAYLOAD;
		memcpy(&head, l->in, sizeof(head));
		if (head.bytes > l->in_bytes - SHARD_HEAD)
			return; /* there is more to come */
		l->in_bytes = SHARD_HEAD + head.bytes;
		l->in_bulk = false;
		deliver(l);
		return;
	case SHARD_MSG_BULK:
		memcpy(l->in, m->payload, SHARD_HEAD);
		l->in_bytes = SHARD_HEAD;
		l->in_bulk = true;
		deliver(l);
		return;
	case SHARD_MSG_READ:
		gone = m->word[0];
		if (gone >= l->bulk_gone && gone <= l->bulk_sent)
			l->bulk_gone = gone;
		return;
	}
}

/* ---- the pump ---- */

static void link_close(struct link *l)
{
	struct link **at = &links;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (link_to[l->core] == l)
		link_to[l->core] = NULL;
	shard_net_died(shards, l->core);
	rt_channel_close(l->c);
	free(l);
}

/* Do what can be done. Returns whether there was anything; @dead: the channel has ended. */
static bool pump_link(struct link *l, bool *dead)
{
	u32 n = 0;
	int got = 1;
	struct msg m;
	bool all_sent;

	if (l->stalled && !deliver(l))
		return false;
	while (n < TURN && !l->stalled && (got = ump_recv(&l->c->ump, &m)) > 0) {
		line_rx(l, &m);
		n++;
	}
	all_sent = (push(l) != -EAGAIN) & tell_read(l);
	l->c->wants_space = !all_sent;
	if (l->blocked && l->out_at == l->out_bytes) {
		l->blocked = false;
		shard_net_can_send(shards, l->core);
	}
	*dead = got < 0;
	return n > 0;
}

static void pump(void *arg)
{
	(void)arg;
	for (;;) {
		bool any = false, stalled = false;

		for (struct link *l = links, *next; l; l = next) {
			bool dead = false;

			next = l->next;
			any |= pump_link(l, &dead);
			stalled |= l->stalled;
			if (dead)
				link_close(l);
		}
		if (any)
			fiber_yield(&rt_loop);
		else
			rt_channel_wait(&pump_queue,
					stalled ? clock_now_ns() + RETRY_NS : FIBER_FOREVER);
	}
}

/* ---- channels ---- */

/* 0 or -ENOMEM: then @c is closed. */
static int link_add(struct rt_channel *c)
{
	struct link *l = c->bulk_bytes >= BULK_BYTES ? calloc(1, sizeof(*l)) : NULL;

	if (!l || c->peer_core >= cores) {
		free(l);
		rt_channel_close(c);
		return -ENOMEM;
	}
	l->c = c;
	l->core = c->peer_core;
	l->next = links;
	links = l;
	c->shared = &pump_queue;
	if (!link_to[l->core])
		link_to[l->core] = l;
	fiber_wake_all(&pump_queue);
	shard_net_can_send(shards, l->core);
	return 0;
}

static void open_link(void *arg)
{
	static const struct rt_channel_size size = {RING_BYTES, BULK_BYTES};
	u32 core = (u32)(uintptr_t)arg;

	for (u32 i = 0; i < RETRIES && !link_to[core] && shard_lives(shards, core); i++) {
		struct rt_channel *c;
		int err = rt_channel_open(core, SHARD_SERVICE, &size, &c);

		if (!err)
			err = link_add(c);
		if (err == -EHOSTDOWN)
			break;
		if (err)
			rt_sleep_ns(RETRY_NS);
	}
	opening[core] = false;
	if (!link_to[core])
		shard_net_died(shards, core);
}

static void accept_all(void *arg)
{
	struct rt_channel *c;

	(void)arg;
	for (;;) {
		if (rt_accept(&listener, FIBER_FOREVER, &c) == 0)
			link_add(c);
	}
}

static int io_send(void *arg, u32 core, const struct shard_in *parts, u32 nparts)
{
	(void)arg;
	if (link_to[core])
		return send_on(link_to[core], parts, nparts);
	if (!opening[core] && rt_fiber_start(open_link, (void *)(uintptr_t)core))
		return -ENOMEM;
	opening[core] = true;
	return -EAGAIN;
}

/* ---- fibers of handlers ---- */

struct handler_fiber {
	struct fiber fiber;
	struct handler_fiber *next; /* spare */
	u64 *stack;
};

static struct handler_fiber *spare;
static u32 nspare;

static void fiber_ended(struct fiber *fiber)
{
	struct handler_fiber *f = container_of(fiber, struct handler_fiber, fiber);

	if (*f->stack != STACK_MARK)
		rt_panic("linux: the stack of a call from another core has overflowed");
	if (nspare < SPARE_STACKS) {
		f->next = spare;
		spare = f;
		nspare++;
		return;
	}
	ram_block_put(f->stack, STACK_BYTES);
	free(f);
}

static int io_fiber_start(void *arg, void (*entry)(void *arg), void *fiber_arg)
{
	struct handler_fiber *f = spare;

	(void)arg;
	if (f) {
		spare = f->next;
		nspare--;
	} else {
		f = calloc(1, sizeof(*f));
		if (f)
			f->stack = ram_block_new(STACK_BYTES);
		if (!f || !f->stack) {
			free(f);
			return -ENOMEM;
		}
	}
	*f->stack = STACK_MARK;
	return fiber_start(&rt_loop, &f->fiber, f->stack, STACK_BYTES, entry, fiber_arg,
			   fiber_ended);
}

/* ---- cores ---- */

static void watch_cores(void *arg)
{
	(void)arg;
	for (;;) {
		for (u32 core = 0; core < cores; core++) {
			if (shard_lives(shards, core) && !rt_core_lives(core))
				shard_net_died(shards, core);
		}
		fiber_wait(&rt_loop, &cores_changed, FIBER_FOREVER);
	}
}

/* The kernel's word, within what there is. */
static u32 cores_wanted(void)
{
	char *word = bootwords_value(kernel_cmdline, "linux.cores");
	u32 n = !word || strcmp(word, "all") == 0 ? UINT32_MAX : (u32)strtoul(word, NULL, 0);

	free(word);
	return MIN(MAX(n, 1u), domain_start()->ncores);
}

int shard_init(void)
{
	static const struct shard_io io = {.send = io_send, .fiber_start = io_fiber_start};

	cores = cores_wanted();
	if (cores == 1)
		return 0;
	link_to = calloc(cores, sizeof(struct link *));
	opening = calloc(cores, sizeof(*opening));
	if (!link_to || !opening)
		return -ENOMEM;
	shards = shard_net_new(&rt_loop, linux_core(), cores, &io, NULL);
	return shards ? 0 : -ENOMEM;
}

int shard_open(void)
{
	int err = rt_fiber_start(pump, NULL);

	if (!err)
		err = rt_listen(SHARD_SERVICE, &listener);
	if (!err)
		err = rt_fiber_start(accept_all, NULL);
	if (!err)
		err = rt_watch_cores(&cores_changed);
	return err ? err : rt_fiber_start(watch_cores, NULL);
}
