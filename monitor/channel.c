/* See channel.h. */
#include "channel.h"
#include "monitor.h"
#include "route.h"
#include <rt/slots.h>
#include <stdlib.h>
#include <string.h>

struct service {
	struct service *next;
	u32 number;
	u32 owner;
	char name[SERVICE_NAME_MAX];
};

/* One end. It lives as long as its program holds it or the peer may write its region. */
struct channel {
	struct channel *next;
	u32 number;
	u32 owner; /* number of the program; 0: the monitor */
	u32 peer_core;
	u32 peer;      /* number of the other end there, 0: not known yet */
	bool answered; /* by the other monitor: the other end exists, or it refused */
	bool established;
	bool attached;
	bool parted;   /* the peer has been told that this end is gone */
	bool closed;   /* by its program: only the memory is left */
	bool hung_up;  /* by the peer */
	bool released; /* the peer no longer writes our region */
	u64 ring_bytes, region_bytes;
	struct mem_frame rx;
	cap_t view; /* of rx, read-only: what the program gets */
	cap_t tx;   /* the peer's region: minted, or a copy if it is of this core */
	cap_t bell; /* the peer's */
	channel_opened *opened;
	struct notice arrival, hangup;
};

static struct channel *channels;
static struct service *services;
static u32 last_number;

static u32 new_number(void)
{
	return ++last_number & 0x7fffffff;
}

static struct channel *find(u32 number)
{
	struct channel *c = channels;

	while (c && c->number != number)
		c = c->next;
	return c;
}

static struct channel *find_owned(const struct program *owner, u32 number)
{
	struct channel *c = find(number);

	return c && !c->closed && c->owner == (owner ? owner->number : 0) ? c : NULL;
}

static struct program *owner_of(const struct channel *c)
{
	return c->closed ? NULL : program_by_number(c->owner);
}

/* ---- making and unmaking an end ---- */

static struct channel *new_channel(u32 owner, u64 ring_bytes, u64 bulk_bytes)
{
	bool scarce = owner && mem_is_scarce(ring_bytes + bulk_bytes);
	struct channel *c = scarce ? NULL : calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->number = new_number();
	c->owner = owner;
	c->ring_bytes = ring_bytes;
	c->region_bytes = ring_bytes + bulk_bytes;
	c->view = slot_new();
	/* The monitor owns it: it must outlive its program if the peer's core still writes it. */
	if (c->view == CAP_NONE || mem_frame_new(c->region_bytes, MEM_OWNER_MONITOR, &c->rx))
		goto fail;
	if (sys_cap_copy(c->view, c->rx.frame, RIGHT_READ | RIGHT_GRANT, 0)) {
		mem_frame_put(&c->rx);
		goto fail;
	}
	c->next = channels;
	channels = c;
	return c;
fail:
	slot_put(c->view);
	free(c);
	return NULL;
}

static void free_channel(struct channel *c)
{
	struct channel **at = &channels;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	mem_frame_put(&c->rx);
	free(c);
}

/* Get at the peer's region and doorbell. 0 or -ENOMEM. */
static int connect(struct channel *c, u32 core, u32 peer, u64 phys, u32 bell)
{
	const struct channel *here = core == self.core ? find(peer) : NULL;
	int err;

	c->tx = slot_new();
	c->bell = slot_new();
	if (c->tx == CAP_NONE || c->bell == CAP_NONE)
		goto fail;
	if (here)
		err = (int)sys_cap_copy(c->tx, here->rx.frame,
					RIGHT_READ | RIGHT_WRITE | RIGHT_GRANT, 0);
	else
		err = (int)sys_frame_mint(SLOT_PHYS, phys, c->region_bytes, c->tx);
	if (!err)
		err = (int)sys_doorbell_mint(SLOT_CORE, self.cores[core].apic_id, bell, c->bell);
	if (err)
		goto fail;
	c->peer_core = core;
	c->peer = peer;
	c->answered = c->established = true;
	return 0;
fail:
	slot_drop(c->tx);
	slot_drop(c->bell);
	c->tx = c->bell = CAP_NONE;
	return -ENOMEM;
}

static void send_to_peer(const struct channel *c, enum letter_kind kind)
{
	struct letter_channel letter = {.channel = c->peer};

	route_send(c->peer_core, kind, &letter, sizeof(letter));
}

/* Tell the peer, once, that this end is gone and no longer writes what the peer lent. */
static void part(struct channel *c)
{
	if (c->parted)
		return;
	c->parted = true;
	if (!c->hung_up)
		send_to_peer(c, LETTER_HANGUP);
	send_to_peer(c, LETTER_RELEASED);
}

/*
 * Its program has let go. What is mapped of another core's memory is unmapped before that core
 * hears of it; a mapping of this core's own memory goes when that is freed.
 */
static void close_channel(struct channel *c)
{
	struct program *owner = owner_of(c);

	if (owner) {
		program_drop_notice(owner, &c->arrival);
		program_drop_notice(owner, &c->hangup);
	}
	c->closed = true;
	slot_drop(c->tx);
	slot_drop(c->bell);
	slot_drop(c->view);
	c->tx = c->bell = c->view = CAP_NONE;
	if (!c->answered)
		return; /* opened_rx() does the rest */
	part(c);
	if (c->released)
		free_channel(c);
}

/* ---- services ---- */

static struct service *find_service(const char *name)
{
	struct service *s = services;

	while (s && strcmp(s->name, name) != 0)
		s = s->next;
	return s;
}

s64 channel_listen(struct program *owner, const char *name)
{
	struct service *s;

	if (name[0] == 0 || !memchr(name, 0, SERVICE_NAME_MAX))
		return -EINVAL;
	if (find_service(name))
		return -EEXIST;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->number = new_number();
	s->owner = owner->number;
	strcpy(s->name, name);
	s->next = services;
	services = s;
	return s->number;
}

/* ---- opening ---- */

static bool good_sizes(u64 ring_bytes, u64 bulk_bytes)
{
	return ring_bytes >= PAGE_SIZE && (ring_bytes & (ring_bytes - 1)) == 0 &&
	       bulk_bytes % PAGE_SIZE == 0 && ring_bytes <= CHANNEL_BYTES_MAX &&
	       bulk_bytes <= CHANNEL_BYTES_MAX - ring_bytes;
}

s64 channel_open(struct program *owner, u32 core, const struct mon_open *what,
		 channel_opened *opened)
{
	u64 ring_bytes = what->ring_bytes ? what->ring_bytes : PAGE_SIZE;
	struct letter_open letter = {0};
	struct channel *c;
	int err;

	if (core >= self.ncores || !memchr(what->name, 0, sizeof(what->name)) ||
	    !good_sizes(ring_bytes, what->bulk_bytes))
		return -EINVAL;
	c = new_channel(owner ? owner->number : 0, ring_bytes, what->bulk_bytes);
	if (!c)
		return -ENOMEM;
	c->peer_core = core;
	c->opened = opened;
	letter.channel = c->number;
	letter.bell = owner ? owner->number : MONITOR_BELL;
	letter.rx_phys = c->rx.phys;
	letter.ring_bytes = (u32)ring_bytes;
	letter.bulk_bytes = (u32)what->bulk_bytes;
	strcpy(letter.name, what->name);
	err = route_send(core, LETTER_OPEN, &letter, sizeof(letter));
	if (err) {
		free_channel(c);
		return err;
	}
	return c->number;
}

/* Make the server's end. Returns 0 and *@out, or what to answer. */
static int accept_channel(u32 from, const struct letter_open *letter, struct channel **out)
{
	struct service *s =
		memchr(letter->name, 0, sizeof(letter->name)) ? find_service(letter->name) : NULL;
	struct channel *c;

	if (!s)
		return -ENOENT;
	if (!good_sizes(letter->ring_bytes, letter->bulk_bytes))
		return -EINVAL;
	c = new_channel(s->owner, letter->ring_bytes, letter->bulk_bytes);
	if (!c)
		return -ENOMEM;
	if (connect(c, from, letter->channel, letter->rx_phys, letter->bell)) {
		free_channel(c);
		return -ENOMEM;
	}
	c->arrival.what = NOTICE_ACCEPT;
	c->arrival.object = c->number;
	c->arrival.a = s->number;
	*out = c;
	return 0;
}

static void open_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_open *letter = data;
	struct letter_opened answer = {.channel = letter->channel};
	struct channel *c = NULL;

	(void)bytes;
	answer.status = accept_channel(from, letter, &c);
	if (c) {
		answer.peer = c->number;
		answer.rx_phys = c->rx.phys;
		answer.bell = c->owner;
		program_notify(program_by_number(c->owner), &c->arrival);
	}
	route_send(from, LETTER_OPENED, &answer, sizeof(answer));
}

static void opened_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_opened *letter = data;
	struct channel *c = find(letter->channel);
	s32 status = letter->status;
	struct program *owner;

	(void)bytes;
	if (!c || c->peer_core != from || c->answered)
		return;
	c->answered = true;
	c->peer = letter->peer;
	if (status)
		c->parted = c->released = true; /* there is no other end */
	else if (!c->closed)
		status = connect(c, from, letter->peer, letter->rx_phys, letter->bell);
	if (!c->established)
		part(c);
	owner = owner_of(c);
	c->arrival.what = NOTICE_CHANNEL;
	c->arrival.object = c->number;
	c->arrival.a = (u64)status;
	if (owner)
		program_notify(owner, &c->arrival);
	else if (c->opened)
		c->opened(c->number, status);
	if (c->closed && c->released)
		free_channel(c);
}

/* ---- attaching ---- */

static void tell_hangup(struct channel *c)
{
	struct program *owner = owner_of(c);

	c->hangup.what = NOTICE_HANGUP;
	c->hangup.object = c->number;
	if (owner)
		program_notify(owner, &c->hangup);
}

int channel_attach(struct program *owner, u32 number, cap_t to, struct channel_view *view)
{
	struct channel *c = find_owned(owner, number);
	cap_t domain = owner->caps[PROGRAM_DOMAIN];
	u32 done = 0;
	int err;

	if (!c)
		return -EINVAL;
	if (!c->established)
		return -EAGAIN;
	if (c->attached)
		return -EALREADY;
	err = (int)sys_cap_put(domain, to + CHANNEL_SLOT_TX, c->tx, RIGHT_READ | RIGHT_WRITE);
	if (!err && ++done)
		err = (int)sys_cap_put(domain, to + CHANNEL_SLOT_RX, c->view, RIGHT_READ);
	if (!err && ++done)
		err = (int)sys_cap_put(domain, to + CHANNEL_SLOT_BELL, c->bell, RIGHT_WRITE);
	if (err) {
		if (done > 0)
			sys_cap_revoke(c->tx);
		if (done > 1)
			sys_cap_revoke(c->view);
		return err;
	}
	c->attached = true;
	*view = (struct channel_view){c->peer_core, c->region_bytes, c->ring_bytes};
	if (c->hung_up)
		tell_hangup(c);
	return 0;
}

int channel_attach_own(u32 number, cap_t *tx, cap_t *rx, cap_t *bell, struct channel_view *view)
{
	struct channel *c = find_owned(NULL, number);

	if (!c)
		return -EINVAL;
	if (!c->established)
		return -EAGAIN;
	c->attached = true;
	*tx = c->tx;
	*rx = c->view;
	*bell = c->bell;
	*view = (struct channel_view){c->peer_core, c->region_bytes, c->ring_bytes};
	return 0;
}

/* ---- the end ---- */

int channel_close(struct program *owner, u32 number)
{
	struct channel *c = find_owned(owner, number);

	if (!c)
		return -EINVAL;
	close_channel(c);
	return 0;
}

static void hangup_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_channel *letter = data;
	struct channel *c = find(letter->channel);

	(void)bytes;
	if (!c || c->peer_core != from || c->hung_up)
		return;
	c->hung_up = true;
	if (c->attached)
		tell_hangup(c);
}

static void released_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_channel *letter = data;
	struct channel *c = find(letter->channel);

	(void)bytes;
	if (!c || c->peer_core != from)
		return;
	c->released = true;
	if (c->closed)
		free_channel(c);
}

void channel_program_died(struct program *owner)
{
	struct service **at = &services;
	struct channel *next;

	while (*at) {
		struct service *s = *at;

		if (s->owner == owner->number) {
			*at = s->next;
			free(s);
		} else {
			at = &s->next;
		}
	}
	for (struct channel *c = channels; c; c = next) {
		next = c->next;
		if (!c->closed && c->owner == owner->number)
			close_channel(c);
	}
}

void channel_core_died(u32 core)
{
	struct channel *next;

	for (struct channel *c = channels; c; c = next) {
		struct letter_channel gone = {.channel = c->number};
		struct letter_opened refused = {.channel = c->number, .status = -EHOSTDOWN};

		next = c->next;
		if (c->peer_core != core)
			continue;
		if (!c->answered) {
			opened_rx(core, &refused, sizeof(refused));
			continue;
		}
		hangup_rx(core, &gone, sizeof(gone));
		released_rx(core, &gone, sizeof(gone));
	}
}

void channel_init(void)
{
	route_handle(LETTER_OPEN, open_rx, sizeof(struct letter_open));
	route_handle(LETTER_OPENED, opened_rx, sizeof(struct letter_opened));
	route_handle(LETTER_HANGUP, hangup_rx, sizeof(struct letter_channel));
	route_handle(LETTER_RELEASED, released_rx, sizeof(struct letter_channel));
}
