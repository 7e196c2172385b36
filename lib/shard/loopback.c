/* See loopback.h: a queue for each core, and one fiber that delivers. */
#include <shard/loopback.h>

#include <stdlib.h>
#include <string.h>

#define STACK_BYTES (128 * KiB) /* sanitizers make frames large */

struct parcel {
	struct parcel *next;
	u32 from, bytes;
	_Alignas(16) u8 packet[];
};

struct post {
	struct shard_loopback *lo;
	struct shard_net *net;
	struct parcel *first, **end;
	u32 waiting;
	bool dead, held;
	bool refused[SHARD_LOOPBACK_CORES]; /* senders that wait for space */
};

struct shard_loopback {
	struct fiber_loop *loop;
	u32 cores, limit;
	bool ending;
	struct fiber_queue postman;
	struct post post[SHARD_LOOPBACK_CORES];
};

struct stacked_fiber {
	struct fiber fiber;
	_Alignas(16) u8 stack[STACK_BYTES];
};

static void fiber_ended(struct fiber *fiber)
{
	free(container_of(fiber, struct stacked_fiber, fiber));
}

static int start_fiber(struct fiber_loop *loop, void (*entry)(void *arg), void *arg)
{
	struct stacked_fiber *f = malloc(sizeof(*f));

	return f ? fiber_start(loop, &f->fiber, f->stack, STACK_BYTES, entry, arg, fiber_ended)
		 : -ENOMEM;
}

static int io_fiber_start(void *arg, void (*entry)(void *arg), void *fiber_arg)
{
	const struct post *post = arg;

	return start_fiber(post->lo->loop, entry, fiber_arg);
}

static int io_send(void *arg, u32 core, const struct shard_in *parts, u32 nparts)
{
	struct post *from = arg, *to = &from->lo->post[core];
	u32 bytes = 0;
	struct parcel *p;

	if (from->dead || to->dead)
		return -EHOSTDOWN;
	if (from->lo->limit && to->waiting >= from->lo->limit) {
		to->refused[from - from->lo->post] = true;
		return -EAGAIN;
	}
	for (u32 i = 0; i < nparts; i++)
		bytes += parts[i].bytes;
	p = malloc(sizeof(*p) + bytes);
	if (!p)
		abort();
	p->next = NULL;
	p->from = (u32)(from - from->lo->post);
	p->bytes = 0;
	for (u32 i = 0; i < nparts; i++) {
		if (parts[i].bytes)
			memcpy(p->packet + p->bytes, parts[i].at, parts[i].bytes);
		p->bytes += parts[i].bytes;
	}
	*to->end = p;
	to->end = &p->next;
	to->waiting++;
	fiber_wake_one(&from->lo->postman);
	return 0;
}

static const struct shard_io io = {.send = io_send, .fiber_start = io_fiber_start};

/* Deliver the first packet to @core, if there is one that can be. */
static bool deliver(struct shard_loopback *lo, u32 core)
{
	struct post *to = &lo->post[core];
	struct parcel *p = to->first;
	struct shard_head head;
	struct shard_in body;

	if (!p || to->held)
		return false;
	memcpy(&head, p->packet, sizeof(head));
	body = (struct shard_in){p->packet + sizeof(head), p->bytes - (u32)sizeof(head)};
	if (shard_net_receive(to->net, p->from, &head, &body, 1))
		return false;
	to->first = p->next;
	if (!to->first)
		to->end = &to->first;
	to->waiting--;
	free(p);
	for (u32 from = 0; from < lo->cores; from++) {
		if (to->refused[from]) {
			to->refused[from] = false;
			shard_net_can_send(lo->post[from].net, core);
		}
	}
	return true;
}

static void postman(void *arg)
{
	struct shard_loopback *lo = arg;

	while (!lo->ending) {
		bool any = false;

		for (u32 core = 0; core < lo->cores; core++)
			any |= deliver(lo, core);
		if (any)
			fiber_yield(lo->loop);
		else
			fiber_wait(lo->loop, &lo->postman, FIBER_FOREVER);
	}
	free(lo);
}

struct shard_loopback *shard_loopback_new(struct fiber_loop *loop, u32 cores)
{
	struct shard_loopback *lo = calloc(1, sizeof(*lo));

	if (!lo || cores > SHARD_LOOPBACK_CORES || start_fiber(loop, postman, lo)) {
		free(lo);
		return NULL;
	}
	lo->loop = loop;
	lo->cores = cores;
	for (u32 core = 0; core < cores; core++) {
		struct post *p = &lo->post[core];

		p->lo = lo;
		p->end = &p->first;
		p->net = shard_net_new(loop, core, cores, &io, p);
		if (!p->net)
			abort();
	}
	return lo;
}

struct shard_net *shard_loopback_net(struct shard_loopback *lo, u32 core)
{
	return lo->post[core].net;
}

static void drop_parcels(struct post *post)
{
	while (post->first) {
		struct parcel *p = post->first;

		post->first = p->next;
		free(p);
	}
	post->end = &post->first;
	post->waiting = 0;
}

void shard_loopback_kill(struct shard_loopback *lo, u32 core)
{
	lo->post[core].dead = true;
	drop_parcels(&lo->post[core]);
	for (u32 other = 0; other < lo->cores; other++) {
		if (!lo->post[other].dead)
			shard_net_died(lo->post[other].net, core);
	}
}

void shard_loopback_hold(struct shard_loopback *lo, u32 core, bool hold)
{
	lo->post[core].held = hold;
	fiber_wake_one(&lo->postman);
}

void shard_loopback_limit(struct shard_loopback *lo, u32 packets)
{
	lo->limit = packets;
}

void shard_loopback_free(struct shard_loopback *lo)
{
	for (u32 core = 0; core < lo->cores; core++) {
		drop_parcels(&lo->post[core]);
		shard_net_free(lo->post[core].net);
	}
	lo->ending = true;
	fiber_wake_all(&lo->postman);
}
