/*
 * Packets out and in, the death of cores, counts. See shard.h and internal.h.
 *
 * Invariant: while packets wait for a peer, nothing is sent to it past them.
 *
 * Runs in: the personality, host tests.
 */
#include <shard/internal.h>

#include <stdlib.h>
#include <string.h>

u32 shard_self(const struct shard_net *net)
{
	return net->self;
}

u32 shard_cores(const struct shard_net *net)
{
	return net->cores;
}

bool shard_lives(const struct shard_net *net, u32 core)
{
	return core < net->cores && net->state[core] == CORE_LIVES;
}

struct peer *peer_get(struct shard_net *net, u32 core)
{
	struct peer *p = net->peer[core];

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->end = &p->first;
	net->peer[core] = p;
	return p;
}

u32 area_of(u16 op)
{
	return SHARD_AREA(op) < SHARD_AREAS ? SHARD_AREA(op) : SHARD_CONTROL;
}

u32 parts_bytes(const struct shard_in *in, u32 nin)
{
	u32 bytes = 0;

	for (u32 i = 0; i < nin; i++) {
		if (in[i].bytes > SHARD_BYTES_MAX - bytes)
			return SHARD_BYTES_MAX + 1;
		bytes += in[i].bytes;
	}
	return bytes;
}

void parts_gather(void *to, const struct shard_in *in, u32 nin)
{
	u8 *at = to;

	for (u32 i = 0; i < nin; i++) {
		if (in[i].bytes)
			memcpy(at, in[i].at, in[i].bytes);
		at += in[i].bytes;
	}
}

/* ---- out ---- */

static void count_sent(struct peer *p, u16 op)
{
	p->count[area_of(op)].sent++;
}

static void packet_free(struct packet *packet)
{
	free(packet->body_block);
	free(packet->block);
}

static void enqueue(struct peer *p, struct packet *packet)
{
	packet->next = NULL;
	*p->end = packet;
	p->end = &packet->next;
}

/* Copy what could not be sent. 0 or -ENOMEM. */
static int keep_copy(struct peer *p, const struct shard_head *head, const struct shard_in *in,
		     u32 nparts)
{
	struct packet *packet = malloc(sizeof(*packet) + head->bytes);
	u8 *to;

	if (!packet)
		return -ENOMEM;
	to = (u8 *)(packet + 1);
	*packet = (struct packet){.head = *head, .body = to, .block = packet};
	parts_gather(to, in, nparts);
	enqueue(p, packet);
	return 0;
}

/* Try to send at once: as the transport's send(). */
static int send_now(struct shard_net *net, u32 core, struct peer *p, const struct shard_head *head,
		    const struct shard_in *in, u32 nparts)
{
	struct shard_in parts[SHARD_PARTS_MAX + 1] = {{head, sizeof(*head)}};

	if (p->first)
		return -EAGAIN;
	for (u32 i = 0; i < nparts; i++)
		parts[i + 1] = in[i];
	return net->io->send(net->io_arg, core, parts, nparts + 1);
}

int packet_send(struct shard_net *net, u32 core, struct shard_head *head, const struct shard_in *in,
		u32 nparts)
{
	struct peer *p = peer_get(net, core);
	int err;

	if (!p)
		return -ENOMEM;
	err = send_now(net, core, p, head, in, nparts);
	if (err == -EAGAIN)
		err = keep_copy(p, head, in, nparts);
	if (err == -ENOMEM)
		return err;
	count_sent(p, head->op);
	return 0; /* other errors: the core is dying, as we shall be told */
}

void packet_hand_over(struct shard_net *net, u32 core, struct packet *packet)
{
	struct peer *p = net->peer[core];
	struct shard_in in = {packet->body, packet->head.bytes};

	if (net->state[core] != CORE_LIVES) {
		packet_free(packet);
		return;
	}
	count_sent(p, packet->head.op);
	if (send_now(net, core, p, &packet->head, &in, 1) == -EAGAIN)
		enqueue(p, packet);
	else
		packet_free(packet);
}

void shard_net_can_send(struct shard_net *net, u32 core)
{
	struct peer *p = core < net->cores ? net->peer[core] : NULL;

	while (p && p->first) {
		struct packet *packet = p->first;
		struct shard_in parts[2] = {{&packet->head, sizeof(packet->head)},
					    {packet->body, packet->head.bytes}};

		if (net->io->send(net->io_arg, core, parts, 2) == -EAGAIN)
			return;
		p->first = packet->next;
		if (!p->first)
			p->end = &p->first;
		packet_free(packet);
	}
}

int shard_tell(struct shard_net *net, u32 core, u16 op, const void *args, u32 bytes)
{
	struct shard_head head = {.op = op, .kind = KIND_TELL, .bytes = bytes};
	struct shard_in in = {args, bytes};

	if (core >= net->cores)
		return -EINVAL;
	if (bytes > SHARD_BYTES_MAX)
		return -EMSGSIZE;
	if (core == net->self)
		return serve_received(net, core, &head, &in, 1);
	if (!shard_lives(net, core))
		return -EHOSTDOWN;
	return packet_send(net, core, &head, &in, 1);
}

/* ---- in ---- */

int shard_net_receive(struct shard_net *net, u32 core, const struct shard_head *head,
		      const struct shard_in *body, u32 nparts)
{
	struct peer *p;
	int err = 0;

	if (core >= net->cores || core == net->self || net->state[core] != CORE_LIVES ||
	    head->bytes > SHARD_BYTES_MAX || head->bytes != parts_bytes(body, nparts))
		return 0;
	p = peer_get(net, core);
	if (!p)
		return -ENOMEM;
	switch (head->kind) {
	case KIND_CALL:
	case KIND_TELL:
		err = serve_received(net, core, head, body, nparts);
		break;
	case KIND_CANCEL:
		serve_cancelled(net, core, head->call);
		break;
	case KIND_ANSWER:
		ask_answered(net, core, head, body, nparts);
		break;
	default:
		return 0;
	}
	if (!err)
		p->count[area_of(head->op)].received++;
	return err;
}

/* ---- cores ---- */

void net_drop_packets(struct shard_net *net, u32 core)
{
	struct peer *p = net->peer[core];

	while (p && p->first) {
		struct packet *packet = p->first;

		p->first = packet->next;
		packet_free(packet);
	}
	if (p)
		p->end = &p->first;
}

void shard_net_died(struct shard_net *net, u32 core)
{
	if (core >= net->cores || core == net->self || net->state[core] != CORE_LIVES)
		return;
	net->state[core] = CORE_DYING;
	net_drop_packets(net, core);
	ask_core_died(net, core);
	serve_core_died(net, core);
}

int shard_on_death(struct shard_net *net, void (*fn)(struct shard_net *net, u32 core, void *arg),
		   void *arg)
{
	struct death_call **at = &net->deaths;
	struct death_call *d = malloc(sizeof(*d));

	if (!d)
		return -ENOMEM;
	while (*at)
		at = &(*at)->next;
	*d = (struct death_call){.fn = fn, .arg = arg};
	*at = d;
	return 0;
}

struct shard_count shard_counts(const struct shard_net *net, u32 core, u32 area)
{
	const struct peer *p = core < net->cores ? net->peer[core] : NULL;
	struct shard_count sum = {0};

	for (u32 a = 0; p && a < SHARD_AREAS; a++) {
		if (area < SHARD_AREAS && a != area)
			continue;
		sum.sent += p->count[a].sent;
		sum.received += p->count[a].received;
	}
	return sum;
}
