/*
 * Messages as lines, and the outbox.
 *
 * A message longer than a line goes as its first line followed by AGREE_MORE lines. Channels
 * keep order, so the receiver puts it together in one buffer a peer. The buffer is made when a
 * peer's first long message comes; without memory for it the line is not taken, and the owner
 * hands it in again.
 *
 * Everything that is decoded here came from another core: a length, a core number or a set that
 * is out of range makes the message malformed, and it is counted and dropped.
 *
 * Not here: what the messages mean.
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

/* The outbox. */

const struct agree_out *agree_out(const struct agree *a)
{
	return a->out_count ? &a->cfg.out[a->out_head] : NULL;
}

void agree_out_done(struct agree *a)
{
	if (!a->out_count)
		return;
	a->out_head = (a->out_head + 1) % a->cfg.out_slots;
	a->out_count--;
}

/* There is room: every event asks for agree_step_max() entries first (agree_ready). */
static struct agree_out *out_next(struct agree *a)
{
	struct agree_out *o;

	if (a->out_count == a->cfg.out_slots)
		__builtin_trap(); /* a message lost here would be an agreement lost */
	o = &a->cfg.out[(a->out_head + a->out_count++) % a->cfg.out_slots];
	memset(o, 0, sizeof(*o));
	return o;
}

void agree_out_add(struct agree *a, const struct agree_out *o)
{
	*out_next(a) = *o;
}

void wire_out(struct agree *a, u16 kind, u32 core, u64 token, s64 status)
{
	struct agree_out *o = out_next(a);

	o->kind = kind;
	o->core = (u16)core;
	o->token = token;
	o->status = status;
}

/* Sending. */

struct piece {
	const void *at;
	u32 len;
};

static void send_pieces(struct agree *a, u32 to, u16 type, const struct piece *piece)
{
	struct agree_out *o = NULL;
	u32 fill = AGREE_LINE;

	if (core_set_has(&a->view.dead, to))
		return;
	a->stirred = true;
	for (u32 i = 0; i < 3; i++) {
		for (u32 done = 0; done < piece[i].len;) {
			u32 n;

			if (fill == AGREE_LINE) {
				u16 line_type = o ? (u16)AGREE_MORE : type;

				o = out_next(a);
				o->kind = AGREE_OUT_SEND;
				o->core = (u16)to;
				o->type = line_type;
				a->counts.sent[line_type - AGREE_MORE]++;
				fill = 0;
			}
			n = MIN(piece[i].len - done, AGREE_LINE - fill);
			memcpy(o->line + fill, (const u8 *)piece[i].at + done, n);
			fill += n;
			done += n;
		}
	}
}

void agree_send(struct agree *a, u32 to, u16 type, const void *msg, u32 len)
{
	const struct piece piece[3] = {{msg, len}};

	send_pieces(a, to, type, piece);
}

/* Send @head, which starts with the length to fill in, then @data. */
void wire_send(struct agree *a, u32 to, u16 type, void *head, u32 head_len, const void *data,
	       u32 len)
{
	const u16 total = (u16)(head_len + len);
	const struct piece piece[3] = {{head, head_len}, {data, len}};

	memcpy(head, &total, sizeof(total));
	send_pieces(a, to, type, piece);
}

/*
 * Send @head, then @set, then @data. @set_at and @set_len are fields of @head; the length that
 * @head starts with is filled in too.
 */
void wire_send_set(struct agree *a, u32 to, u16 type, void *head, u32 head_len, u8 *set_at,
		   u8 *set_len, const struct core_set *set, const void *data, u32 len)
{
	u8 bytes[CORE_SET_BYTES];
	u8 n = core_set_pack(set, set_at, bytes);
	const u16 total = (u16)(head_len + n + len);
	const struct piece piece[3] = {{head, head_len}, {bytes, n}, {data, len}};

	*set_len = n;
	memcpy(head, &total, sizeof(total));
	send_pieces(a, to, type, piece);
}

void agree_send_set(struct agree *a, u32 to, u16 type, void *head, u32 head_len, u8 *set_at,
		    u8 *set_len, const struct core_set *set)
{
	wire_send_set(a, to, type, head, head_len, set_at, set_len, set, NULL, 0);
}

/* Receiving. */

/* A message whole; the set and data that follow its structure are found by these. */
struct message {
	u32 from;
	u16 type;
	const u8 *at;
	u32 len;
};

static bool read_set(const struct agree *a, const struct message *m, u32 head, u32 set_at,
		     u32 set_len, struct core_set *set)
{
	return set_len <= m->len - head &&
	       core_set_unpack(set, set_at, m->at + head, set_len, a->ncores);
}

static bool rx_view(struct agree *a, const struct message *m)
{
	const struct msg_agree_view *v = (const void *)m->at;
	struct core_set set;

	if (!read_set(a, m, sizeof(*v), v->set_at, v->set_len, &set))
		return false;
	if (m->type == AGREE_VIEW_PREPARE)
		view_prepare_rx(a, m->from, v->epoch, &set);
	else if (m->type == AGREE_VIEW_ACK)
		view_ack_rx(a, m->from, v->epoch);
	else
		view_commit_rx(a, m->from, v->epoch);
	return true;
}

static bool rx_suspect(struct agree *a, const struct message *m)
{
	const struct msg_agree_suspect *s = (const void *)m->at;

	if (s->core >= a->ncores || s->core == a->cfg.self)
		return false;
	view_suspect_rx(a, m->from, s);
	return true;
}

static bool rx_rehome(struct agree *a, const struct message *m)
{
	const struct msg_agree_rehome *r = (const void *)m->at;
	struct core_set set;

	if (!read_set(a, m, sizeof(*r), r->set_at, r->set_len, &set))
		return false;
	rehome_rx(a, m->from, r->id, &set);
	return true;
}

static bool rx_where(struct agree *a, const struct message *m)
{
	const struct msg_agree_where *w = (const void *)m->at;

	if (m->type == AGREE_WHERE) {
		rehome_where_rx(a, m->from, w);
		return true;
	}
	if (w->home >= a->ncores && w->home != AGREE_HOME_LOST)
		return false;
	request_where_rx(a, m->from, w);
	return true;
}

static bool rx_change(struct agree *a, const struct message *m)
{
	const struct msg_agree_change *c = (const void *)m->at;
	u32 head = sizeof(*c) + c->set_len;
	struct core_set set;

	if (!read_set(a, m, sizeof(*c), c->set_at, c->set_len, &set) || c->home >= a->ncores ||
	    c->origin >= a->ncores || c->kind == 0 || c->kind >= AGREE_KIND_END)
		return false;
	change_rx(a, m->from, c, &set, m->at + head, m->len - head);
	return true;
}

static bool rx_snap(struct agree *a, const struct message *m)
{
	const struct msg_agree_snap *s = (const void *)m->at;
	u32 head = sizeof(*s) + s->set_len;
	struct core_set set;

	if (!read_set(a, m, sizeof(*s), s->set_at, s->set_len, &set))
		return false;
	if (m->type == AGREE_SNAP_BEGIN)
		share_begin_rx(a, m->from, s, &set);
	else if (m->type == AGREE_SNAP_DATA)
		share_data_rx(a, m->from, s, m->at + head, m->len - head);
	else if (m->type == AGREE_SNAP_END)
		share_end_rx(a, m->from, s);
	else
		share_ack_rx(a, m->from, s);
	return true;
}

static bool rx_short(struct agree *a, const struct message *m)
{
	switch (m->type) {
	case AGREE_PING:
	case AGREE_PONG:
		view_pong_due(a, m->from, m->type, (const void *)m->at);
		return true;
	case AGREE_CLAIM:
		rehome_claim_rx(a, m->from, (const void *)m->at);
		return true;
	case AGREE_REPLY:
		request_reply_rx(a, m->from, (const void *)m->at);
		return true;
	case AGREE_ACK:
		change_ack_rx(a, m->from, (const void *)m->at);
		return true;
	case AGREE_GONE:
		change_gone_rx(a, m->from, (const void *)m->at);
		return true;
	}
	return false;
}

static bool rx_ask(struct agree *a, const struct message *m)
{
	const struct msg_agree_ask *ask = (const void *)m->at;

	object_ask_rx(a, m->from, m->type, ask, m->at + sizeof(*ask), m->len - (u32)sizeof(*ask));
	return true;
}

/* By type less AGREE_MORE: the length of the structure, and who decodes it. */
static const struct {
	u32 head;
	bool (*rx)(struct agree *a, const struct message *m);
} decoders[] = {
	[AGREE_PING - AGREE_MORE] = {sizeof(struct msg_agree_short), rx_short},
	[AGREE_PONG - AGREE_MORE] = {sizeof(struct msg_agree_short), rx_short},
	[AGREE_SUSPECT - AGREE_MORE] = {sizeof(struct msg_agree_suspect), rx_suspect},
	[AGREE_VIEW_PREPARE - AGREE_MORE] = {sizeof(struct msg_agree_view), rx_view},
	[AGREE_CLAIM - AGREE_MORE] = {sizeof(struct msg_agree_claim), rx_short},
	[AGREE_VIEW_ACK - AGREE_MORE] = {sizeof(struct msg_agree_view), rx_view},
	[AGREE_VIEW_COMMIT - AGREE_MORE] = {sizeof(struct msg_agree_view), rx_view},
	[AGREE_REHOME - AGREE_MORE] = {sizeof(struct msg_agree_rehome), rx_rehome},
	[AGREE_WHERE - AGREE_MORE] = {sizeof(struct msg_agree_where), rx_where},
	[AGREE_HOME_IS - AGREE_MORE] = {sizeof(struct msg_agree_where), rx_where},
	[AGREE_SHARE_ASK - AGREE_MORE] = {sizeof(struct msg_agree_ask), rx_ask},
	[AGREE_CHANGE_ASK - AGREE_MORE] = {sizeof(struct msg_agree_ask), rx_ask},
	[AGREE_LEAVE_ASK - AGREE_MORE] = {sizeof(struct msg_agree_ask), rx_ask},
	[AGREE_DESTROY_ASK - AGREE_MORE] = {sizeof(struct msg_agree_ask), rx_ask},
	[AGREE_TXN_PREPARE - AGREE_MORE] = {sizeof(struct msg_agree_ask), rx_ask},
	[AGREE_TXN_COMMIT - AGREE_MORE] = {sizeof(struct msg_agree_ask), rx_ask},
	[AGREE_TXN_ABORT - AGREE_MORE] = {sizeof(struct msg_agree_ask), rx_ask},
	[AGREE_TXN_RESOLVE - AGREE_MORE] = {sizeof(struct msg_agree_ask), rx_ask},
	[AGREE_TXN_DONE - AGREE_MORE] = {sizeof(struct msg_agree_ask), rx_ask},
	[AGREE_REPLY - AGREE_MORE] = {sizeof(struct msg_agree_reply), rx_short},
	[AGREE_CHANGE - AGREE_MORE] = {sizeof(struct msg_agree_change), rx_change},
	[AGREE_ACK - AGREE_MORE] = {sizeof(struct msg_agree_ack), rx_short},
	[AGREE_GONE - AGREE_MORE] = {sizeof(struct msg_agree_object), rx_short},
	[AGREE_SNAP_BEGIN - AGREE_MORE] = {sizeof(struct msg_agree_snap), rx_snap},
	[AGREE_SNAP_DATA - AGREE_MORE] = {sizeof(struct msg_agree_snap), rx_snap},
	[AGREE_SNAP_END - AGREE_MORE] = {sizeof(struct msg_agree_snap), rx_snap},
	[AGREE_SNAP_ACK - AGREE_MORE] = {sizeof(struct msg_agree_snap), rx_snap},
};

static void message_rx(struct agree *a, const struct message *m)
{
	u32 i = m->type - AGREE_MORE;

	if (m->type >= AGREE_OWN_END) {
		for (struct agree_client *c = a->clients; c; c = c->next)
			c->rx(c, m->from, m->type, m->at, m->len);
	} else if (!decoders[i].rx || m->len < decoders[i].head || !decoders[i].rx(a, m)) {
		a->counts.malformed++;
	}
}

/* The next part of a long message; the last one completes it. */
static void more_rx(struct agree *a, u32 from, const u8 *line)
{
	struct agree_peer *p = &a->peers[from];
	u32 n = MIN((u32)(p->want - p->have), AGREE_LINE);

	if (!p->want) {
		a->counts.malformed++;
		return;
	}
	memcpy(p->buf + p->have, line, n);
	p->have = (u16)(p->have + n);
	if (p->have == p->want) {
		struct message m = {from, p->type, p->buf, p->want};

		p->want = 0;
		message_rx(a, &m);
	}
}

/* Take one line. @line may be anywhere in memory. 0, or -ENOMEM: not taken. */
int wire_rx(struct agree *a, u32 from, u16 type, const void *line)
{
	struct agree_peer *p = &a->peers[from];
	u64 words[AGREE_LINE / 8];
	u16 len;

	memcpy(words, line, sizeof(words));
	memcpy(&len, words, sizeof(len));
	if (type != AGREE_MORE && len > AGREE_LINE && len <= a->cfg.data_max && !p->buf) {
		p->buf = agree_alloc(a, a->cfg.data_max);
		if (!p->buf)
			return -ENOMEM;
	}
	p->heard_ns = a->now_ns;
	a->counts.received[type - AGREE_MORE]++;
	if (type == AGREE_MORE) {
		more_rx(a, from, (const u8 *)words);
		return 0;
	}
	if (p->want) { /* the message before was cut short */
		p->want = 0;
		a->counts.malformed++;
	}
	if (len > a->cfg.data_max || len < 2) {
		a->counts.malformed++;
	} else if (len <= AGREE_LINE) {
		struct message m = {from, type, (const u8 *)words, len};

		message_rx(a, &m);
	} else {
		p->type = type;
		p->want = len;
		p->have = AGREE_LINE;
		memcpy(p->buf, words, AGREE_LINE);
	}
	return 0;
}

/* @core has stopped: what it had begun to say is forgotten. */
void wire_close(struct agree *a, u32 core)
{
	struct agree_peer *p = &a->peers[core];

	if (p->buf)
		agree_free(a, p->buf, a->cfg.data_max);
	p->buf = NULL;
	p->want = 0;
}
