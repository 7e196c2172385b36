/* See channel.h. */
#include <rt/channel.h>
#include <rt/count.h>
#include <rt/loop.h>
#include <rt/memory.h>
#include <rt/monitor.h>
#include <rt/slots.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL_EPOCH 1u /* regions are fresh and zeroed for each channel */

static struct rt_channel *channels;
static struct rt_listener *listeners;

/* Since channels were armed somebody has begun to wait, or one has ended: they are to be looked at
 * again. Otherwise they need no look until the doorbell rings, which is good for all of them: whose
 * arming a ring has used up, maybe for a message that had been received already, is not known. */
static bool look = true;

static void ring(void *arg)
{
	struct rt_channel *c = arg;

	sys_doorbell_ring(c->slots + CHANNEL_SLOT_BELL);
}

/* ---- beginning ---- */

static struct rt_channel *new_channel(u32 id)
{
	struct rt_channel *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->id = id;
	c->next = channels;
	channels = c;
	return c;
}

static void remove_channel(struct rt_channel *c)
{
	struct rt_channel **at = &channels;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c);
}

/* Take the capabilities of an established channel and map its regions. 0 or -ENOMEM. */
static int attach(struct rt_channel *c)
{
	struct sys_words words;
	u64 ring_bytes;

	c->slots = slot_new_run(CHANNEL_SLOTS);
	if (c->slots == CAP_NONE)
		return -ENOMEM;
	words = (struct sys_words){.w = {0, c->id, c->slots}};
	if (monitor_ask(MON_ATTACH, &words, CAP_NONE))
		return -ENOMEM;
	c->peer_core = (u32)words.w[1];
	c->region_bytes = words.w[2];
	ring_bytes = words.w[3];
	c->tx = vspace_attach(&rt_space, c->slots + CHANNEL_SLOT_TX, 0, c->region_bytes,
			      MAP_READ | MAP_WRITE);
	c->rx = vspace_attach(&rt_space, c->slots + CHANNEL_SLOT_RX, 0, c->region_bytes, MAP_READ);
	if (!c->tx || !c->rx)
		return -ENOMEM;
	c->bulk_tx = (u8 *)c->tx + ring_bytes;
	c->bulk_rx = (const u8 *)c->rx + ring_bytes;
	c->bulk_bytes = c->region_bytes - ring_bytes;
	return ump_init(&c->ump, c->tx, c->rx, ring_bytes, CHANNEL_EPOCH, ring, c);
}

/* Undo attach(), or what it got done of it, and tell the monitor. */
static void let_go(struct rt_channel *c)
{
	if (c->tx)
		vspace_detach(&rt_space, c->tx, c->region_bytes);
	if (c->rx)
		vspace_detach(&rt_space, c->rx, c->region_bytes);
	monitor_ask_simple(MON_CLOSE, c->id, 0, 0, 0);
	for (u32 i = 0; c->slots && i < CHANNEL_SLOTS; i++)
		slot_put(c->slots + i);
	remove_channel(c);
}

int rt_channel_open(u32 core, const char *name, const struct rt_channel_size *size,
		    struct rt_channel **out)
{
	struct mon_open *request = monitor_page();
	struct rt_channel *c;
	s64 id;
	int err;

	if (strlen(name) >= SERVICE_NAME_MAX)
		return -EINVAL;
	*request = (struct mon_open){
		.ring_bytes = size ? size->ring_bytes : 0,
		.bulk_bytes = size ? size->bulk_bytes : 0,
	};
	strcpy(request->name, name);
	id = monitor_ask_simple(MON_OPEN, core, 0, 0, 0);
	if (id < 0)
		return (int)id;
	c = new_channel((u32)id);
	if (!c) {
		monitor_ask_simple(MON_CLOSE, (u64)id, 0, 0, 0);
		return -ENOMEM;
	}
	while (!c->opened) {
		bool held = fiber_hold_interrupts(&rt_loop, true);

		fiber_wait(&rt_loop, &c->readers, FIBER_FOREVER);
		fiber_hold_interrupts(&rt_loop, held);
	}
	err = c->open_error ? c->open_error : attach(c);
	if (err) {
		let_go(c);
		return err;
	}
	*out = c;
	return 0;
}

int rt_listen(const char *name, struct rt_listener *listener)
{
	s64 id;

	if (strlen(name) >= SERVICE_NAME_MAX)
		return -EINVAL;
	strcpy(monitor_page(), name);
	id = monitor_ask_simple(MON_LISTEN, 0, 0, 0, 0);
	if (id < 0)
		return (int)id;
	*listener = (struct rt_listener){.next = listeners, .id = (u32)id};
	listeners = listener;
	return 0;
}

int rt_accept(struct rt_listener *listener, u64 deadline_ns, struct rt_channel **out)
{
	struct rt_channel *c;
	u32 id;
	int err;

	while (!listener->nbacklog) {
		err = fiber_wait(&rt_loop, &listener->waiting, deadline_ns);
		if (err)
			return err;
	}
	id = listener->backlog[0];
	listener->nbacklog--;
	memmove(listener->backlog, listener->backlog + 1,
		listener->nbacklog * sizeof(listener->backlog[0]));
	c = new_channel(id);
	if (!c) {
		monitor_ask_simple(MON_CLOSE, id, 0, 0, 0);
		return -ENOMEM;
	}
	err = attach(c);
	if (err) {
		let_go(c);
		return err;
	}
	c->opened = true;
	*out = c;
	return 0;
}

/* ---- messages ---- */

int rt_channel_send(struct rt_channel *c, u16 type, const void *payload, size_t len,
		    u64 deadline_ns)
{
	int err;

	while ((err = ump_send(&c->ump, type, payload, len)) == -EAGAIN) {
		err = rt_channel_wait(&c->writers, deadline_ns);
		if (err)
			break;
	}
	return err;
}

int rt_channel_receive(struct rt_channel *c, struct msg *m, u64 deadline_ns)
{
	int got;

	while ((got = ump_recv(&c->ump, m)) == 0) {
		int err = rt_channel_wait(&c->readers, deadline_ns);

		if (err)
			return err;
	}
	return got < 0 ? got : 0;
}

void rt_channel_close(struct rt_channel *c)
{
	if (!c)
		return;
	ump_close(&c->ump);
	count_note(c);
	let_go(c);
}

/* ---- with the loop ---- */

void channel_note_counts(void)
{
	for (struct rt_channel *c = channels; c; c = c->next)
		if (c->opened && !c->open_error)
			count_note(c);
}

static void prepare_channel(struct rt_channel *c)
{
	struct fiber_queue *readers = c->shared ? c->shared : &c->readers;
	struct fiber_queue *writers = c->wants_space ? c->shared : &c->writers;

	if (readers->first && !ump_arm(&c->ump))
		fiber_wake_all(readers);
	if (writers->first && !ump_arm_send(&c->ump))
		fiber_wake_all(writers);
}

void rt_channel_look(void)
{
	look = true;
}

int rt_channel_wait(struct fiber_queue *queue, u64 deadline_ns)
{
	look = true;
	return fiber_wait(&rt_loop, queue, deadline_ns);
}

void channel_rang(void)
{
	look = false;
	for (struct rt_channel *c = channels; c; c = c->next) {
		if (c->opened && !c->open_error)
			prepare_channel(c);
	}
}

void channel_prepare_sleep(void)
{
	if (look)
		channel_rang();
	if (!rt_loop.ready.first)
		channel_note_counts();
}

static void accept_noticed(u32 service, u32 id)
{
	struct rt_listener *l = listeners;

	while (l && l->id != service)
		l = l->next;
	if (!l || l->nbacklog == ARRAY_SIZE(l->backlog)) {
		monitor_ask_simple(MON_CLOSE, id, 0, 0, 0);
		return;
	}
	l->backlog[l->nbacklog++] = id;
	fiber_wake_one(&l->waiting);
}

void channel_noticed(u32 notice, u32 id, u64 a)
{
	struct rt_channel *c = channels;

	if (notice == NOTICE_ACCEPT) {
		accept_noticed((u32)a, id);
		return;
	}
	while (c && c->id != id)
		c = c->next;
	if (!c)
		return; /* closed by us in the meantime */
	if (notice == NOTICE_CHANNEL) {
		c->opened = true;
		c->open_error = (s32)a;
	} else if (c->opened && !c->open_error) {
		ump_peer_died(&c->ump);
	}
	look = true;
	fiber_wake_all(&c->readers);
	fiber_wake_all(&c->writers);
	if (c->shared)
		fiber_wake_all(c->shared);
}
