/* See loop.h. */
#include <rt/loop.h>
#include <rt/channel.h>
#include <rt/clock.h>
#include <rt/memory.h>
#include <rt/notice.h>
#include <rt/slots.h>
#include <skerry/domain.h>
#include <stdlib.h>

/* While messages keep fibers busy, events and local calls are looked for once in so many times. */
#define EVENTS_EVERY 16u

struct fiber_loop rt_loop;

static rt_server *server;
static void *server_arg;
static cap_t receive_slot;
static u64 timer_set_ns = FIBER_FOREVER;
static u32 skipped;

/* ---- local calls ---- */

int rt_serve(rt_server *fn, void *arg)
{
	if (receive_slot == CAP_NONE) {
		receive_slot = slot_new();
		if (receive_slot == CAP_NONE)
			return -ENOMEM;
		slot_receive_calls(receive_slot);
	}
	server = fn;
	server_arg = arg;
	return 0;
}

/* The capability that came is its handler's; the next one goes to another slot. */
static cap_t take_received(void)
{
	cap_t got = receive_slot;

	receive_slot = slot_new();
	slot_receive_calls(receive_slot);
	return got;
}

static void serve(const struct sys_wait *got, bool with_cap)
{
	struct rt_call call = {.badge = got->first, .words = got->words};

	call.cap = with_cap ? take_received() : CAP_NONE;
	server(&call, server_arg);
	if (!call.saved)
		sys_reply(SEND_CAP(call.send), &call.words);
	slot_drop(call.cap);
	if (receive_slot == CAP_NONE) {
		receive_slot = slot_new();
		slot_receive_calls(receive_slot);
	}
}

int rt_call_save(struct rt_call *call, cap_t *reply)
{
	cap_t slot = slot_new();

	if (slot == CAP_NONE)
		return -ENOMEM;
	if (sys_reply_save(slot)) {
		slot_put(slot);
		return -ENOMEM;
	}
	call->saved = true;
	*reply = slot;
	return 0;
}

cap_t rt_endpoint_new(u64 badge)
{
	cap_t slot = slot_new();

	if (slot == CAP_NONE)
		return CAP_NONE;
	if (sys_cap_copy(slot, DOMAIN_SLOT_SELF, RIGHT_CALL | RIGHT_GRANT, badge)) {
		slot_put(slot);
		return CAP_NONE;
	}
	return slot;
}

/* ---- waiting ---- */

static u64 now_ns(void *arg)
{
	(void)arg;
	return clock_now_ns();
}

/* The hardware timer is for the loop's earliest deadline. */
static void set_timer(u64 deadline_ns)
{
	if (deadline_ns == timer_set_ns)
		return;
	timer_set_ns = deadline_ns;
	sys_timer_set(DOMAIN_SLOT_TIMER, DOMAIN_BIT_TIMER,
		      deadline_ns == FIBER_FOREVER ? 0 : clock_to_tsc(deadline_ns));
}

static u64 take_events(u64 events)
{
	if (events & 1ul << DOMAIN_BIT_TIMER)
		timer_set_ns = FIBER_FOREVER;
	if (events & 1ul << DOMAIN_BIT_BELL)
		channel_rang();
	return events & ~(1ul << DOMAIN_BIT_TIMER | 1ul << DOMAIN_BIT_BELL);
}

void rt_loop_look(void)
{
	skipped = EVENTS_EVERY - 1;
}

/*
 * Wait for what concerns the loop. Ends when there are events of the program's, when a fiber has
 * become ready (by a message, notice or local call), or at the deadline.
 */
static u64 wait_events(void *arg, u64 mask, u64 deadline_ns)
{
	(void)arg;
	(void)mask;
	for (;;) {
		u32 flags = server ? WAIT_CALLS : 0;
		struct sys_wait got;
		s64 result;
		u64 events;

		notice_poll();
		channel_prepare_sleep();
		if (rt_loop.ready.first && ++skipped % EVENTS_EVERY)
			return 0;
		if (rt_loop.ready.first || deadline_ns <= clock_now_ns())
			flags |= WAIT_POLL;
		else
			set_timer(deadline_ns);
		result = sys_wait(UINT64_MAX, flags, &got);
		if (result == -EAGAIN)
			return 0;
		if (result & WAIT_CALLED) {
			serve(&got, result & WAIT_CAP);
			continue;
		}
		events = take_events(got.first);
		if (events)
			return events;
		if (flags & WAIT_POLL)
			return 0;
	}
}

static const struct fiber_io io = {.now_ns = now_ns, .wait_events = wait_events};

void loop_init(void)
{
	fiber_loop_init(&rt_loop, &io, NULL);
}

/* ---- fibers with stacks ---- */

struct owned_fiber {
	struct fiber fiber;
	struct rt_frame frame;
	void *stack;
};

static void fiber_ended(struct fiber *fiber)
{
	struct owned_fiber *f = container_of(fiber, struct owned_fiber, fiber);

	vspace_detach_guarded(&rt_space, f->stack, RT_STACK_BYTES);
	rt_frame_put(&f->frame);
	free(f);
}

int rt_fiber_start(void (*entry)(void *arg), void *arg)
{
	struct owned_fiber *f = calloc(1, sizeof(*f));

	if (!f || rt_frame_new(RT_STACK_BYTES, &f->frame))
		goto fail;
	f->stack = vspace_attach_guarded(&rt_space, f->frame.cap, RT_STACK_BYTES,
					 MAP_READ | MAP_WRITE);
	if (!f->stack) {
		rt_frame_put(&f->frame);
		goto fail;
	}
	return fiber_start(&rt_loop, &f->fiber, f->stack, RT_STACK_BYTES, entry, arg, fiber_ended);
fail:
	free(f);
	return -ENOMEM;
}

_Noreturn void rt_sleep_forever(void)
{
	static struct fiber_queue nobody;

	for (;;)
		fiber_wait(&rt_loop, &nobody, FIBER_FOREVER);
}

int rt_sleep_ns(u64 ns)
{
	return fiber_sleep_until(&rt_loop, clock_now_ns() + ns);
}
