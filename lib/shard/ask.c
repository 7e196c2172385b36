/*
 * Calls that this core makes. See shard.h and internal.h.
 *
 * Runs in: the personality, host tests.
 */
#include <shard/internal.h>

#include <string.h>

#define CANCEL_RETRY_NS 10000000ul /* when there is no memory for a cancel */

static struct pending **find(struct shard_net *net, u32 call)
{
	struct pending **at = &net->pending[call % PENDING_BUCKETS];

	while (*at && (*at)->call != call)
		at = &(*at)->next;
	return at;
}

/* A number that no call under way has. */
static u32 new_number(struct shard_net *net)
{
	do
		net->last_call++;
	while (*find(net, net->last_call));
	return net->last_call;
}

static void finish(struct pending *p, s64 result)
{
	p->result = result;
	p->done = true;
	fiber_wake_all(&p->caller);
}

/* Put @bytes at @from behind the @at bytes that are in the room of @parts. False: no room. */
static bool put(const struct shard_parts *parts, u32 at, const u8 *from, u32 bytes)
{
	for (u32 i = 0; i < parts->nout && bytes; i++) {
		u32 room = parts->out[i].bytes, here;

		if (at >= room) {
			at -= room;
			continue;
		}
		here = MIN(bytes, room - at);
		memcpy((u8 *)parts->out[i].at + at, from, here);
		from += here;
		bytes -= here;
		at = 0;
	}
	return !bytes;
}

s64 ask_take_answer(struct shard_parts *parts, s64 result, const struct shard_in *body, u32 nparts)
{
	parts->got = 0;
	for (u32 i = 0; i < nparts; i++) {
		if (!put(parts, parts->got, body[i].at, body[i].bytes)) {
			parts->got = 0;
			return -EBADMSG;
		}
		parts->got += body[i].bytes;
	}
	return result;
}

void ask_answered(struct shard_net *net, u32 core, const struct shard_head *head,
		  const struct shard_in *body, u32 nparts)
{
	struct pending *p = *find(net, head->call);

	if (p && p->core == core && !p->done)
		finish(p, ask_take_answer(p->parts, head->result, body, nparts));
}

void ask_core_died(struct shard_net *net, u32 core)
{
	for (u32 b = 0; b < PENDING_BUCKETS; b++) {
		for (struct pending *p = net->pending[b]; p; p = p->next) {
			if (p->core == core && !p->done)
				finish(p, -EHOSTDOWN);
		}
	}
}

/* The caller was interrupted: so shall be the handler. 0 or -ENOMEM. */
static int cancel(struct shard_net *net, const struct pending *p, u16 op)
{
	struct shard_head head = {.call = p->call, .op = op, .kind = KIND_CANCEL};

	return packet_send(net, p->core, &head, NULL, 0);
}

static void wait_for_answer(struct shard_net *net, struct pending *p, u16 op)
{
	u64 deadline_ns = FIBER_FOREVER;
	bool held = fiber_hold_interrupts(net->loop, !p->parts->interruptible);
	bool to_cancel = false;

	while (!p->done) {
		if (fiber_wait(net->loop, &p->caller, deadline_ns) == -EINTR) {
			to_cancel = true;
			fiber_hold_interrupts(net->loop, true);
		}
		if (p->done || !to_cancel)
			continue;
		deadline_ns = FIBER_FOREVER;
		if (cancel(net, p, op))
			deadline_ns = net->loop->io->now_ns(net->loop->io_arg) + CANCEL_RETRY_NS;
		else
			to_cancel = false;
	}
	fiber_hold_interrupts(net->loop, held);
}

static s64 call_far(struct shard_net *net, u32 core, u16 op, struct shard_parts *parts, u32 bytes,
		    u32 room)
{
	struct pending p = {.call = new_number(net), .core = core, .parts = parts};
	struct shard_head head = {
		.call = p.call, .op = op, .kind = KIND_CALL, .bytes = bytes, .room = room};
	struct pending **at = find(net, p.call);
	int err;

	*at = &p;
	err = packet_send(net, core, &head, parts->in, parts->nin);
	if (err)
		finish(&p, err);
	wait_for_answer(net, &p, op);
	at = find(net, p.call);
	*at = p.next;
	return p.result;
}

s64 shard_call_parts(struct shard_net *net, u32 core, u16 op, struct shard_parts *parts)
{
	u32 bytes = parts_bytes(parts->in, parts->nin);
	u64 room = 0;

	parts->got = 0;
	if (core >= net->cores || !fiber_self(net->loop) || parts->nin > SHARD_PARTS_MAX)
		return -EINVAL;
	if (bytes > SHARD_BYTES_MAX)
		return -EMSGSIZE;
	for (u32 i = 0; i < parts->nout; i++)
		room += parts->out[i].bytes;
	room = MIN(room, SHARD_BYTES_MAX);
	if (core == net->self)
		return serve_own_call(net, op, parts, bytes, (u32)room);
	if (!shard_lives(net, core))
		return -EHOSTDOWN;
	return call_far(net, core, op, parts, bytes, (u32)room);
}

static s64 call(struct shard_net *net, u32 core, u16 op, bool interruptible,
		const struct shard_in *in, const struct shard_out *out, u32 *got)
{
	struct shard_parts parts = {.in = in, .out = out, .nin = 1, .nout = 1};
	s64 result;

	parts.interruptible = interruptible;
	result = shard_call_parts(net, core, op, &parts);
	if (got)
		*got = parts.got;
	return result;
}

s64 shard_call(struct shard_net *net, u32 core, u16 op, const void *args, u32 bytes, void *answer,
	       u32 room, u32 *got)
{
	return call(net, core, op, false, &(struct shard_in){args, bytes},
		    &(struct shard_out){answer, room}, got);
}

s64 shard_call_intr(struct shard_net *net, u32 core, u16 op, const void *args, u32 bytes,
		    void *answer, u32 room, u32 *got)
{
	return call(net, core, op, true, &(struct shard_in){args, bytes},
		    &(struct shard_out){answer, room}, got);
}
