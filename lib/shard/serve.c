/*
 * Requests of other cores: a queue, and fibers (workers) that work it off.
 *
 * For every request that comes a worker is made ready, in the same order, so requests begin in the
 * order in which they came, and before whoever is woken by a later packet. A few workers stay when
 * there is nothing to do; one always does.
 *
 * Runs in: the personality, host tests.
 */
#include <shard/internal.h>

#include <stdlib.h>
#include <string.h>

/* ---- answers ---- */

void *shard_answer(struct shard_request *r, u32 bytes)
{
	struct request *q = container_of(r, struct request, r);
	u8 *answer;

	if (bytes > r->room || q->answered)
		return NULL;
	if (bytes > q->answer_size || !q->answer) {
		answer = realloc(q->answer, MAX(bytes, 16u));
		if (!answer)
			return NULL;
		q->answer = answer;
		q->answer_size = MAX(bytes, 16u);
	}
	q->answer_bytes = bytes;
	return q->answer;
}

static bool is_far_call(const struct shard_request *r)
{
	return r->is_call && r->core != r->net->self;
}

/* The packet of an answer; its memory is @block. */
static void answer_packet(struct request *q, s64 result, struct packet *packet, void *block)
{
	*packet = (struct packet){
		.head = {.call = q->call,
			 .op = q->r.op,
			 .kind = KIND_ANSWER,
			 .bytes = q->answer_bytes,
			 .result = result},
		.body = q->answer,
		.block = block,
		.body_block = q->answer,
	};
	q->answer = NULL;
	q->answer_bytes = 0;
	q->answered = true;
}

int shard_answer_early(struct shard_request *r, s64 result)
{
	struct request *q = container_of(r, struct request, r);
	struct packet *packet;

	if (!is_far_call(r))
		return -EINVAL;
	if (q->answered)
		return -EALREADY;
	packet = malloc(sizeof(*packet));
	if (!packet)
		return -ENOMEM;
	answer_packet(q, result, packet, packet);
	packet_hand_over(r->net, r->core, packet);
	return 0;
}

/* The handler has returned. */
static void finish(struct request *q, s64 result)
{
	if (is_far_call(&q->r) && !q->answered) {
		answer_packet(q, result, &q->packet, q);
		packet_hand_over(q->r.net, q->r.core, &q->packet);
		return;
	}
	free(q->answer);
	free(q);
}

/* ---- running handlers ---- */

static const struct served *find_handler(const struct shard_net *net, u16 op)
{
	const struct served *area =
		SHARD_AREA(op) < SHARD_AREAS ? net->served[SHARD_AREA(op)] : NULL;

	return area && area[op % AREA_OPS].handler ? &area[op % AREA_OPS] : NULL;
}

int shard_serve(struct shard_net *net, u16 op, shard_handler *handler, void *arg)
{
	struct served **area;

	if (SHARD_AREA(op) >= SHARD_AREAS)
		return -EINVAL;
	area = &net->served[SHARD_AREA(op)];
	if (!*area)
		*area = calloc(AREA_OPS, sizeof(**area));
	if (!*area)
		return -ENOMEM;
	if ((*area)[op % AREA_OPS].handler)
		return -EEXIST;
	(*area)[op % AREA_OPS] = (struct served){handler, arg};
	return 0;
}

static s64 handle(struct shard_request *r)
{
	const struct served *s = find_handler(r->net, r->op);

	if (!s)
		return -ENOSYS;
	r->arg = s->arg;
	return s->handler(r);
}

/* Of a core that dies: is it time for its funeral? */
static void check_dying(struct shard_net *net, u32 core)
{
	if (net->state[core] != CORE_DYING || (net->peer[core] && net->peer[core]->running))
		return;
	net->state[core] = CORE_DEAD;
	net->ndead++;
}

static void run_request(struct request *q)
{
	struct shard_net *net = q->r.net;
	u32 core = q->r.core;
	struct peer *p = net->peer[core];
	struct request **at;
	s64 result;

	q->fiber = fiber_self(net->loop);
	q->next = p->running;
	p->running = q;
	if (q->r.cancelled)
		fiber_interrupt(q->fiber);
	result = handle(&q->r);
	fiber_clear_interrupt(q->fiber);
	for (at = &p->running; *at != q;)
		at = &(*at)->next;
	*at = q->next;
	finish(q, result);
	check_dying(net, core);
}

/* All functions of shard_on_death(), for one core that is dead. */
static void bury(struct shard_net *net)
{
	u32 core = 0;

	while (net->state[core] != CORE_DEAD)
		core++;
	net->state[core] = CORE_GONE;
	net->ndead--;
	net->burying = true;
	for (struct death_call *d = net->deaths; d; d = d->next)
		d->fn(net, core, d->arg);
	net->burying = false;
}

/* ---- workers ---- */

static void net_free(struct shard_net *net)
{
	while (net->deaths) {
		struct death_call *d = net->deaths;

		net->deaths = d->next;
		free(d);
	}
	for (u32 core = 0; core < net->cores; core++)
		free(net->peer[core]);
	for (u32 a = 0; a < SHARD_AREAS; a++)
		free(net->served[a]);
	free(net->peer);
	free(net->state);
	free(net);
}

static struct request *take_first(struct shard_net *net)
{
	struct request *q = net->first;

	if (!q)
		return NULL;
	net->first = q->next;
	if (!net->first)
		net->end = &net->first;
	return q;
}

static void work(void *arg)
{
	struct shard_net *net = arg;
	struct request *q;

	for (;;) {
		q = take_first(net);
		if (q) {
			run_request(q);
		} else if (net->ndead && !net->burying) {
			bury(net);
		} else if (net->ending || net->nidle >= IDLE_WORKERS) {
			break;
		} else {
			net->nidle++;
			fiber_wait(net->loop, &net->idle, FIBER_FOREVER);
			net->nidle--;
		}
	}
	net->nworkers--;
	if (net->ending && !net->nworkers)
		net_free(net);
}

bool serve_wake(struct shard_net *net)
{
	if (fiber_wake_one(&net->idle))
		return true;
	if (net->io->fiber_start(net->io_arg, work, net))
		return false;
	net->nworkers++;
	return true;
}

struct shard_net *shard_net_new(struct fiber_loop *loop, u32 self, u32 cores,
				const struct shard_io *io, void *io_arg)
{
	struct shard_net *net = calloc(1, sizeof(*net));

	if (!net)
		return NULL;
	net->loop = loop;
	net->io = io;
	net->io_arg = io_arg;
	net->self = self;
	net->cores = cores;
	net->end = &net->first;
	net->state = calloc(cores, sizeof(*net->state));
	net->peer = calloc(cores, sizeof(struct peer *));
	if (net->state && net->peer && peer_get(net, self) && serve_wake(net))
		return net;
	if (net->peer)
		free(net->peer[self]);
	free(net->peer);
	free(net->state);
	free(net);
	return NULL;
}

void shard_net_free(struct shard_net *net)
{
	net->ending = true;
	fiber_wake_all(&net->idle);
	for (u32 core = 0; core < net->cores; core++)
		net_drop_packets(net, core);
}

/* ---- what comes ---- */

/* No fiber for a request that has just come: a call fails, a tell waits for a worker that is busy
 * now. */
static void no_worker(struct shard_net *net, struct request *q)
{
	struct request **at = &net->first;

	if (!q->r.is_call)
		return;
	while (*at != q)
		at = &(*at)->next;
	*at = NULL;
	net->end = at;
	finish(q, -ENOMEM);
}

int serve_received(struct shard_net *net, u32 core, const struct shard_head *head,
		   const struct shard_in *body, u32 nparts)
{
	struct request *q = malloc(sizeof(*q) + head->bytes);

	if (!q)
		return -ENOMEM;
	memset(q, 0, sizeof(*q));
	q->r = (struct shard_request){.net = net,
				      .core = core,
				      .op = head->op,
				      .is_call = head->kind == KIND_CALL,
				      .args = q->args,
				      .bytes = head->bytes,
				      .room = MIN(head->room, SHARD_BYTES_MAX)};
	q->call = head->call;
	parts_gather(q->args, body, nparts);
	*net->end = q;
	net->end = &q->next;
	if (!serve_wake(net))
		no_worker(net, q);
	return 0;
}

static bool is_call(const struct request *q, u32 core, u32 call)
{
	return q->r.core == core && q->r.is_call && q->call == call && !q->answered;
}

void serve_cancelled(struct shard_net *net, u32 core, u32 call)
{
	for (struct request *q = net->first; q; q = q->next) {
		if (is_call(q, core, call))
			q->r.cancelled = true;
	}
	for (struct request *q = net->peer[core]->running; q; q = q->next) {
		if (is_call(q, core, call)) {
			q->r.cancelled = true;
			fiber_interrupt(q->fiber);
		}
	}
}

void serve_core_died(struct shard_net *net, u32 core)
{
	struct request **at = &net->first;

	while (*at) {
		struct request *q = *at;

		if (q->r.core != core) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		free(q);
	}
	net->end = at;
	for (struct request *q = net->peer[core] ? net->peer[core]->running : NULL; q;
	     q = q->next) {
		q->r.cancelled = true;
		fiber_interrupt(q->fiber);
	}
	check_dying(net, core);
	if (net->ndead)
		serve_wake(net); /* without memory for a fiber: as soon as one is free */
}

/* ---- the own core ---- */

/* The arguments in one piece: those there are, or a copy of several (to be freed). */
static const void *gather(const struct shard_parts *parts, u32 bytes, void **copy)
{
	*copy = NULL;
	if (parts->nin == 1 && (uintptr_t)parts->in[0].at % 16 == 0)
		return parts->in[0].at;
	*copy = malloc(MAX(bytes, 16u));
	if (*copy)
		parts_gather(*copy, parts->in, parts->nin);
	return *copy;
}

s64 serve_own_call(struct shard_net *net, u16 op, struct shard_parts *parts, u32 bytes, u32 room)
{
	struct request q = {.r = {.net = net,
				  .core = net->self,
				  .op = op,
				  .is_call = true,
				  .bytes = bytes,
				  .room = room}};
	void *copy;
	bool held;
	s64 result;

	q.r.args = gather(parts, bytes, &copy);
	if (bytes && !q.r.args)
		return -ENOMEM;
	held = fiber_hold_interrupts(net->loop, !parts->interruptible);
	result = handle(&q.r);
	fiber_hold_interrupts(net->loop, held);
	result = ask_take_answer(parts, result, &(struct shard_in){q.answer, q.answer_bytes}, 1);
	free(q.answer);
	free(copy);
	return result;
}
