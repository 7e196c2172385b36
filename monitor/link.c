/* See link.h. */
#include "link.h"
#include "door.h"
#include "monitor.h"
#include "route.h"
#include "timer.h"
#include <rt/slots.h>
#include <stdlib.h>
#include <ump/ump.h>

#define POOL_PAGES 4u /* regions are made out of frames of so many pages */
#define POLL_BATCH 64u
#define RETRY_NS   10000000ul  /* after one side had no memory for its half */
#define KNOCK_NS   200000000ul /* without an answer to a letter, or to a knock */

enum link_state {
	LINK_EXPECTED, /* a child that has not written its hello */
	LINK_OPENING,
	LINK_OPEN,
	LINK_DEAD
};

/* A message that waits. */
struct parcel {
	struct parcel *next;
	struct msg msg;
	u32 len;
};

struct link {
	struct ump ump;
	u32 core;
	enum link_state state;
	bool armed;      /* the peer will ring at the next message */
	bool send_armed; /* ... or at the next free line */
	const void *rx;  /* our region; its address in rx_phys */
	u64 rx_phys;
	cap_t tx_frame;
	cap_t bell;
	struct parcel *waiting, **waiting_last;
	bool holding; /* @held was refused by its handler */
	struct msg held;
	struct timer retry;
};

static struct link **links;                       /* by core; NULL: closed */
static struct link **active;                      /* the same, dense */
static struct link nobody = {.state = LINK_DEAD}; /* to cores that died before there was one */
static u32 nactive;
static link_handler *handlers[MSG_CLASSES];

static struct {
	struct mem_frame frame;
	u8 *va;
	u32 used;
} pool;

/* ---- regions ---- */

/* Give the link a zeroed region of our memory, which we can only read. 0 or -ENOMEM. */
static int new_region(struct link *l)
{
	if (!pool.va || pool.used == POOL_PAGES) {
		struct mem_frame frame;
		void *va;

		if (mem_frame_new(POOL_PAGES * LINK_BYTES, MEM_OWNER_MONITOR, &frame))
			return -ENOMEM;
		va = vspace_attach(&mem_space, frame.frame, 0, frame.bytes, MAP_READ);
		if (!va) {
			mem_frame_put(&frame);
			return -ENOMEM;
		}
		pool.frame = frame; /* the one before stays in use for good */
		pool.va = va;
		pool.used = 0;
	}
	l->rx = pool.va + pool.used * LINK_BYTES;
	l->rx_phys = pool.frame.phys + pool.used * LINK_BYTES;
	pool.used++;
	return 0;
}

static struct link *new_link(u32 core, enum link_state state)
{
	struct link *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	if (new_region(l)) {
		free(l);
		return NULL;
	}
	l->core = core;
	l->state = state;
	l->waiting_last = &l->waiting;
	links[core] = l;
	active[nactive++] = l;
	door_show(core, l->rx_phys);
	return l;
}

static void ring(void *arg)
{
	struct link *l = arg;

	sys_doorbell_ring(l->bell);
}

/* The peer's region is at @tx_phys: from now on the link can be used. 0 or -ENOMEM. */
static int open_link(struct link *l, u64 tx_phys)
{
	void *tx = NULL;

	l->tx_frame = slot_new();
	l->bell = slot_new();
	if (l->tx_frame == CAP_NONE || l->bell == CAP_NONE)
		goto fail;
	if (sys_frame_mint(SLOT_PHYS, tx_phys, LINK_BYTES, l->tx_frame) ||
	    sys_doorbell_mint(SLOT_CORE, self.cores[l->core].apic_id, MONITOR_BELL, l->bell))
		goto fail;
	tx = vspace_attach(&mem_space, l->tx_frame, 0, LINK_BYTES, MAP_READ | MAP_WRITE);
	if (!tx || ump_init(&l->ump, tx, l->rx, LINK_BYTES, LINK_EPOCH, ring, l))
		goto fail;
	l->state = LINK_OPEN;
	return 0;
fail:
	if (tx)
		vspace_detach(&mem_space, tx, LINK_BYTES);
	slot_drop(l->bell);
	slot_drop(l->tx_frame);
	l->bell = l->tx_frame = CAP_NONE;
	return -ENOMEM;
}

/* ---- neighbours ---- */

int link_expect_child(u32 child, u64 *rx_phys)
{
	struct link *l = new_link(child, LINK_EXPECTED);

	if (!l)
		return -ENOMEM;
	*rx_phys = l->rx_phys;
	return 0;
}

/* Our parent made its half before we started: say where ours is. */
static void say_hello(struct link *l)
{
	u64 *hello = (u64 *)((u8 *)l->ump.own + LINK_HELLO_OFFSET);

	__atomic_store_n(hello, l->rx_phys + 1, __ATOMIC_RELEASE);
	ring(l);
}

static void open_parent(u32 parent)
{
	struct link *l = new_link(parent, LINK_OPENING);

	if (l && open_link(l, self.boot->link_phys) == 0)
		say_hello(l);
	else
		rt_panic("monitor: no link to its parent, core %u", parent);
}

static bool hear_child(struct link *l)
{
	const u64 *hello = (const u64 *)((const u8 *)l->rx + LINK_HELLO_OFFSET);
	u64 word = __atomic_load_n(hello, __ATOMIC_ACQUIRE);

	return word && open_link(l, word - 1) == 0;
}

/* ---- links on demand ---- */

static void ask(struct timer *timer);

/* The region that @core made for us is at @tx_phys; if there is no memory, try later. */
static void try_open(struct link *l, u64 tx_phys)
{
	if (open_link(l, tx_phys))
		timer_start(&l->retry, RETRY_NS, ask);
	else
		timer_stop(&l->retry);
}

/* No letter has brought an answer. */
static void ask_at_door(struct timer *timer)
{
	struct link *l = container_of(timer, struct link, retry);
	u64 tx_phys;

	if (l->state != LINK_OPENING)
		return;
	timer_start(&l->retry, KNOCK_NS, ask_at_door);
	tx_phys = door_look(l->core);
	if (tx_phys)
		try_open(l, tx_phys);
	else
		door_knock(l->core);
}

static void ask(struct timer *timer)
{
	struct link *l = container_of(timer, struct link, retry);
	struct letter_link letter = {.rx_phys = l->rx_phys, .epoch = LINK_EPOCH};

	if (l->state != LINK_OPENING)
		return;
	timer_start(&l->retry, KNOCK_NS, ask_at_door);
	if (route_is_neighbour(l->core))
		ask_at_door(&l->retry); /* the letter would have to take this very link */
	else
		route_send(l->core, LETTER_LINK_OPEN, &letter, sizeof(letter));
}

static void open_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_link *letter = data;
	struct link *l = from == self.core ? NULL : links[from];
	struct letter_link answer = {.epoch = LINK_EPOCH};

	(void)bytes;
	if (from == self.core || (l && l->state != LINK_OPENING))
		return;
	if (l) { /* both asked */
		try_open(l, letter->rx_phys);
		return;
	}
	l = new_link(from, LINK_OPENING);
	answer.status = l ? open_link(l, letter->rx_phys) : -ENOMEM;
	answer.rx_phys = l ? l->rx_phys : 0;
	route_send(from, LETTER_LINK_ACCEPT, &answer, sizeof(answer));
}

static void accept_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_link *letter = data;
	struct link *l = links[from];

	(void)bytes;
	if (!l || l->state != LINK_OPENING)
		return;
	if (letter->status)
		timer_start(&l->retry, RETRY_NS, ask);
	else
		try_open(l, letter->rx_phys);
}

void link_knocked(void)
{
	for (u32 core = 0; core < self.ncores; core++) {
		struct link *l = links[core];
		u64 tx_phys;

		if (core == self.core || (l && l->state != LINK_OPENING))
			continue;
		tx_phys = door_look(core);
		if (!tx_phys)
			continue;
		if (l) {
			try_open(l, tx_phys);
			continue;
		}
		l = new_link(core, LINK_OPENING);
		if (!l)
			continue; /* it knocks again */
		try_open(l, tx_phys);
		door_knock(core);
	}
}

/* ---- sending ---- */

static int put_aside(struct link *l, u16 type, const void *payload, size_t len)
{
	struct parcel *p = malloc(sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->next = NULL;
	p->len = (u32)len;
	p->msg.type = type;
	memcpy(p->msg.payload, payload, len);
	*l->waiting_last = p;
	l->waiting_last = &p->next;
	return 0;
}

int link_send(u32 core, u16 type, const void *payload, size_t len)
{
	struct link *l;

	if (core >= self.ncores || core == self.core || len > MSG_PAYLOAD)
		return -EINVAL;
	l = links[core];
	if (!l) {
		l = new_link(core, LINK_OPENING);
		if (!l)
			return -ENOMEM;
		ask(&l->retry);
	}
	if (l->state == LINK_DEAD)
		return -EHOSTDOWN;
	if (l->state == LINK_OPEN && !l->waiting) {
		int err = ump_send(&l->ump, type, payload, len);

		if (err != -EAGAIN)
			return err ? -EHOSTDOWN : 0;
	}
	return put_aside(l, type, payload, len);
}

/* Send what waits, as far as there is room. */
static bool flush(struct link *l)
{
	bool any = false;

	while (l->waiting) {
		struct parcel *p = l->waiting;

		if (ump_send(&l->ump, p->msg.type, p->msg.payload, p->len) == -EAGAIN)
			break;
		l->waiting = p->next;
		if (!l->waiting)
			l->waiting_last = &l->waiting;
		free(p);
		l->send_armed = false;
		any = true;
	}
	return any;
}

/* ---- receiving ---- */

/* The next message: the one that was held, or one from the ring. As ump_recv(). */
static int next_message(struct link *l, struct msg *m)
{
	if (!l->holding)
		return ump_recv(&l->ump, m);
	*m = l->held;
	l->holding = false;
	return 1;
}

/* Hand a message to who wants it; false: not now. */
static bool hand_over(struct link *l, const struct msg *m)
{
	u32 class = MSG_CLASS(m->type);

	if (!handlers[class] || handlers[class](l->core, m))
		return true;
	l->held = *m;
	l->holding = true;
	return false;
}

/* True if anything was received. */
static bool receive(struct link *l)
{
	struct msg m;
	int got = 0;
	u32 n;

	for (n = 0; n < POLL_BATCH && l->state == LINK_OPEN; n++) {
		got = next_message(l, &m);
		if (got <= 0)
			break;
		l->armed = false;
		if (!hand_over(l, &m))
			break;
	}
	if (got < 0)
		link_core_died(l->core);
	return n > 0;
}

bool link_drain(u32 core)
{
	struct link *l = links[core];

	while (l && l->state == LINK_OPEN && receive(l))
		;
	return !l || !l->holding;
}

bool link_poll(void)
{
	bool any = false;

	for (u32 i = 0; i < nactive; i++) {
		struct link *l = active[i];

		if (l->state == LINK_EXPECTED && hear_child(l))
			any = true;
		if (l->state != LINK_OPEN)
			continue;
		if (l->waiting && flush(l))
			any = true;
		if (receive(l))
			any = true;
	}
	return any;
}

bool link_arm(void)
{
	for (u32 i = 0; i < nactive; i++) {
		struct link *l = active[i];

		if (l->state != LINK_OPEN || l->holding)
			continue;
		if (!l->armed) {
			if (!ump_arm(&l->ump))
				return false;
			l->armed = true;
		}
		if (l->waiting && !l->send_armed) {
			if (!ump_arm_send(&l->ump))
				return false;
			l->send_armed = true;
		}
	}
	return true;
}

/* ---- the rest ---- */

void link_core_died(u32 core)
{
	struct link *l = links[core];

	if (!l) { /* nobody may make one any more */
		links[core] = &nobody;
		return;
	}
	if (l->state == LINK_DEAD)
		return;
	if (l->state == LINK_OPEN) {
		vspace_detach(&mem_space, l->ump.own, LINK_BYTES);
		slot_drop(l->tx_frame);
		slot_drop(l->bell);
	}
	l->state = LINK_DEAD;
	timer_stop(&l->retry);
	while (l->waiting) {
		struct parcel *p = l->waiting;

		l->waiting = p->next;
		free(p);
	}
	l->waiting_last = &l->waiting;
}

bool link_is_open(u32 core)
{
	return links[core] && links[core]->state == LINK_OPEN;
}

bool link_counts(u32 n, u32 class, struct domain_count *count)
{
	const struct link *l = n < nactive ? active[n] : NULL;

	if (!l)
		return false;
	*count = (struct domain_count){
		.core = (u16)l->core,
		.class = (u16) class,
		.used = 1,
		.sent = l->ump.counts.sent[class],
		.received = l->ump.counts.received[class],
	};
	return true;
}

void link_handle(u32 class, link_handler *handler)
{
	handlers[class] = handler;
}

void link_init(void)
{
	links = calloc(self.ncores, sizeof(*links));
	active = calloc(self.ncores, sizeof(struct link *));
	if (!links || !active ||
	    sys_doorbell_bind(SLOT_CORE, MONITOR_BELL, SLOT_DOMAIN, EVENT_BELL))
		rt_panic("monitor: cannot make links");
	route_handle(LETTER_LINK_OPEN, open_rx, sizeof(struct letter_link));
	route_handle(LETTER_LINK_ACCEPT, accept_rx, sizeof(struct letter_link));
	if (self.core != 0)
		open_parent(self.cores[self.core].parent);
}
