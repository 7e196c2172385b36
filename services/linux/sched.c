/* See sched.h. */
#include "sched.h"
#include "move.h"
#include "rseq.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "trap.h"

#include <rt/rt.h>
#include <errno.h>
#include <stdlib.h>

#define STACK_BYTES (48 * KiB)
#define STACK_MARK  0x6b63617473657562ul
#define PARKED_MAX  8u /* runners without work that stay fibers */
#define SPARE_MAX   16u
/* Runners beyond one a thread: the standby, and one that is between two threads. */
#define RUNNERS_MORE 2u
#define SLICE_BIT    DOMAIN_BIT_USER
#define FAIR_KEY     (1ul << 63)
#define WEIGHT_0     1024u
#define GRANULE_NS   500000ul /* a thread is not preempted for less virtual time */
#define LOAD_NS      5000000000ul
#define YIELD_ROUNDS 16u /* of the loop, at most, in which a thread lets others run */

struct runner {
	struct runner *next; /* while it is no fiber */
	struct fiber fiber;
	struct thread *thread; /* whose call it handles */
	u64 *stack;
};

struct fiber_queue signal_wait;

static struct fiber_timer *queue; /* runnable threads, by key */
static u32 nqueued;
static u64 min_vruntime, sequence;
static struct fiber_queue parked; /* runners without work */
static struct runner *spare;      /* no fibers yet, or no more */
static u32 nparked, nrunners;
static struct runner *baton, *standby;
static bool yielding, preempt;
static cap_t slice_timer;
static u64 slice_timer_ns = FIBER_FOREVER;
static u64 accounted; /* until when the time of who runs is counted, in ticks */
static u64 loads[3], loads_ns;

/* Weights of nice -20 to 19: each step is about 25 % (as Linux's sched_prio_to_weight). */
static const u32 weights[40] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
	9548,  7620,  6100,  4904,  3906,  3121,  2501,  1991,  1586,  1277,
	1024,  820,   655,   526,   423,   335,   272,   215,   172,   137,
	110,   87,    70,    56,    45,    36,    29,    23,    18,    15,
};

static void runner_main(void *arg);

struct fiber_loop *sched_loop(void)
{
	return &rt_loop;
}

struct fiber *sched_fiber(void)
{
	return fiber_self(&rt_loop);
}

struct thread *sched_current(void)
{
	struct fiber *fiber = sched_fiber();

	/* A call that has waited finishes without the baton. */
	return fiber && fiber->entry == runner_main
		       ? container_of(fiber, struct runner, fiber)->thread
		       : NULL;
}

/* ---- the run queue ---- */

static bool is_real_time(const struct thread *t)
{
	return t->policy == SCHED_FIFO || t->policy == SCHED_RR;
}

static u64 key_of(const struct thread *t)
{
	if (is_real_time(t))
		return (u64)(99 - t->priority) << 48 | (sequence++ & 0xffffffffffff);
	return FAIR_KEY | t->vruntime;
}

static struct thread *head(void)
{
	return queue ? container_of(queue, struct thread, run_node) : NULL;
}

static u32 weight(const struct thread *t)
{
	return t->policy == SCHED_IDLE ? 3 : weights[t->nice + 20];
}

/* Charge @t for what it has used since it was last charged. Its slice may be over then. */
static void charge(struct thread *t)
{
	u64 used = t->user_ticks + t->system_ticks;
	u64 ns = clock_ticks_to_ns(used - t->charged_ticks);

	t->charged_ticks = used;
	t->slice_left_ns -= MIN(t->slice_left_ns, ns);
	if (is_real_time(t))
		return;
	t->vruntime += ns * WEIGHT_0 / weight(t);
	min_vruntime = MAX(min_vruntime, MIN(t->vruntime, min_vruntime + ns));
}

static void enqueue(struct thread *t)
{
	if (baton && baton->thread) /* it may have run long, alone: where it is now, others begin */
		charge(baton->thread);
	if (!is_real_time(t))
		t->vruntime = MAX(t->vruntime, min_vruntime - MIN(min_vruntime, SLICE_NS));
	t->run_node.deadline_ns = key_of(t);
	fiber_timer_add(&queue, &t->run_node);
	t->queued = true;
	nqueued++;
}

static void dequeue(struct thread *t)
{
	fiber_timer_remove(&queue, &t->run_node);
	t->queued = false;
	nqueued--;
}

void sched_inherit(struct thread *child, struct thread *parent)
{
	charge(parent);
	child->policy = parent->policy;
	child->priority = parent->priority;
	child->nice = parent->nice;
	child->cpus = parent->cpus;
	child->vruntime = parent->vruntime;
	if (parent->reset_on_fork) {
		child->policy = SCHED_OTHER;
		child->priority = 0;
		child->nice = MAX(child->nice, 0);
	}
}

void sched_requeue(struct thread *t)
{
	if (t->queued) {
		dequeue(t);
		enqueue(t);
	}
	preempt = true;
}

void sched_preempt(void)
{
	preempt = true;
}

u32 sched_runnable(void)
{
	return nqueued + (baton && baton->thread);
}

/* Averages over 1, 5 and 15 minutes, a step every 5 s (getloadavg(3)); lost steps are made up. */
static void update_loads(u64 now_ns)
{
	static const u32 decay[3] = {1884, 2014, 2037}; /* e^(-5/60), e^(-5/300), e^(-5/900) */

	while (now_ns - loads_ns >= LOAD_NS) {
		for (u32 i = 0; i < 3; i++)
			loads[i] = (loads[i] * decay[i] +
				    ((u64)sched_runnable() << 11) * (2048 - decay[i])) >>
				   11;
		loads_ns += LOAD_NS;
	}
}

void sched_loads(u64 out[3])
{
	update_loads(clock_now_ns());
	for (u32 i = 0; i < 3; i++)
		out[i] = loads[i];
}

/* ---- runners ---- */

static void runner_free(struct runner *r)
{
	ram_block_put(r->stack, STACK_BYTES);
	free(r);
	nrunners--;
}

static u32 runners_wanted(void)
{
	return thread_count() + RUNNERS_MORE;
}

int sched_reserve(void)
{
	while (nrunners < runners_wanted()) {
		struct runner *r = calloc(1, sizeof(*r));

		if (r)
			r->stack = ram_block_new(STACK_BYTES);
		if (!r || !r->stack) {
			free(r);
			return -ENOMEM;
		}
		nrunners++;
		r->next = spare;
		spare = r;
	}
	return 0;
}

void sched_unreserve(void)
{
	while (spare && nrunners > runners_wanted() + SPARE_MAX) {
		struct runner *r = spare;

		spare = r->next;
		runner_free(r);
	}
}

/* On the loop's stack: a runner is not needed now. */
static void ended(struct fiber *fiber)
{
	struct runner *r = container_of(fiber, struct runner, fiber);

	r->next = spare;
	spare = r;
	sched_unreserve();
}

/* There is always one: every other runner has a thread, and there are more runners than threads. */
static void need_standby(void)
{
	if (standby)
		return;
	if (parked.first) {
		standby = container_of(parked.first, struct runner, fiber);
		fiber_wake_one(&parked);
		return;
	}
	assert(spare);
	standby = spare;
	spare = spare->next;
	*standby->stack = STACK_MARK;
	fiber_start(&rt_loop, &standby->fiber, standby->stack, STACK_BYTES, runner_main, standby,
		    ended);
}

void sched_add(struct thread *t)
{
	t->state = THREAD_RUNNABLE;
	enqueue(t);
	need_standby();
}

bool sched_remove(struct thread *t)
{
	bool queued = t->queued;

	if (queued)
		dequeue(t);
	return queued;
}

void sched_signal_waiters(struct process *p)
{
	(void)p;
	fiber_wake_all(&signal_wait);
}

int sched_wait(struct thread *t, struct fiber_queue *wait_queue, u64 deadline_ns)
{
	if (signal_pending(t))
		return -EINTR;
	return fiber_wait(&rt_loop, wait_queue, deadline_ns);
}

/* Others of the loop want to run: not only the standby. */
static bool others_ready(void)
{
	const struct fiber *first = rt_loop.ready.first;

	return first && (first->next || !standby || first != &standby->fiber);
}

/* Lets others run, and whom they wake: a thread of a program may not come back for a slice. */
static void yield(void)
{
	u32 rounds = 0;

	yielding = true;
	do
		fiber_yield(&rt_loop);
	while (others_ready() && ++rounds < YIELD_ROUNDS);
	yielding = false;
}

int sched_breathe(struct thread *t)
{
	if (queue)
		need_standby();
	fiber_yield(&rt_loop);
	return signal_pending(t) ? -EINTR : 0;
}

void sched_yield_thread(struct thread *t)
{
	charge(t);
	if (head() && !is_real_time(t))
		t->vruntime = MAX(t->vruntime, head()->vruntime);
	t->slice_left_ns = 0;
	preempt = true;
}

/* ---- running a thread ---- */

/* Make sure that RUN ends in time: for the end of the slice, and for what sleeps. */
static void arm_slice(struct thread *t, u64 now_ns)
{
	u64 deadline_ns = FIBER_FOREVER;

	if (queue && t->policy != SCHED_FIFO)
		deadline_ns = now_ns + MAX(t->slice_left_ns, GRANULE_NS);
	if (t->process->has_cpu_timers)
		deadline_ns = MIN(deadline_ns, now_ns + MIN(cpu_timers_left(t), NS_PER_S));
	if (rt_loop.timers)
		deadline_ns = MIN(deadline_ns, rt_loop.timers->deadline_ns);
	if (slice_timer_ns <= now_ns)
		slice_timer_ns = FIBER_FOREVER; /* it has rung */
	if (deadline_ns >= slice_timer_ns)
		return; /* it will ring early enough */
	slice_timer_ns = deadline_ns;
	sys_timer_set(slice_timer, SLICE_BIT, clock_to_tsc(deadline_ns));
}

static bool needs_delivery(const struct thread *t)
{
	s64 result = (s64)t->regs->rax;

	return signal_pending(t) || t->restore_sigmask ||
	       (t->call_number != UINT64_MAX && result <= -E_RESTARTSYS &&
		result >= -E_RESTARTBLOCK);
}

/* Whether another thread should run instead of @t, which could go on. */
static bool should_switch(const struct thread *t)
{
	const struct thread *next = head();

	if (!next)
		return false;
	if (is_real_time(t) != is_real_time(next))
		return is_real_time(next);
	if (is_real_time(t))
		return next->priority > t->priority ||
		       (t->policy == SCHED_RR && next->priority == t->priority &&
			!t->slice_left_ns);
	return !t->slice_left_ns || next->vruntime + GRANULE_NS < t->vruntime;
}

/* Count the time since it was last counted. */
static inline void account(u64 *ticks)
{
	u64 now = clock_tsc();

	*ticks += now - accounted;
	accounted = now;
}

/* The same after a call of @t, unless that has waited: then nobody knows. */
static inline void account_system(struct thread *t, u64 switches)
{
	if (likely(rt_loop.switches == switches))
		account(&t->system_ticks);
	else
		accounted = clock_tsc();
}

/*
 * Whether there is more to do before @t, whose call or fault is done, goes back to user mode. This
 * is on the way of every call, so it asks as little as it can: whatever is unusual is go_on()'s.
 */
static inline bool must_look(const struct thread *t, u64 switches)
{
	const struct process *p = t->process;
	u64 signals = (t->pending.set | p->pending.set) & ~t->sigmask;
	bool flags = t->restore_sigmask | t->exiting;

	return ((u64)queue | (u64)rt_loop.ready.first | (rt_loop.switches ^ switches) | signals |
		flags | p->unusual) ||
	       t->regs->rax + E_RESTARTBLOCK <= E_RESTARTBLOCK - E_RESTARTSYS ||
	       (rt_loop.timers && rt_loop.timers->deadline_ns < slice_timer_ns);
}

/* Before @t runs, or runs on after something unusual. */
static void prepare(struct thread *t)
{
	u64 now_ns = clock_now_ns();

	preempt = false;
	fiber_clear_interrupt(t->fiber); /* by a signal that came as the last call ended */
	if (queue)
		need_standby();
	if (now_ns - loads_ns >= LOAD_NS)
		update_loads(now_ns);
	arm_slice(t, now_ns);
}

/* @t leaves the runner, but for what it may still have to do as it ends. */
static void release(struct runner *self, struct thread *t)
{
	t->fiber = NULL;
	self->thread = NULL;
	t->state = THREAD_RUNNABLE;
}

/* The process of @t is to move. Whether @t is still this runner's. */
static bool move_on(struct runner *self, struct thread *t)
{
	enum move_result result = move_thread(t);

	if (result == MOVE_STAYS)
		return true;
	if (result == MOVE_WAITS)
		release(self, t);
	else
		self->thread = NULL; /* and @t is gone */
	return false;
}

/* After something unusual: take signals, let others have their turn. Whether @t runs on here. */
static bool go_on(struct runner *self, struct thread *t, s64 reason)
{
	u64 switches = rt_loop.switches;
	bool ready;

	if (t->process->has_cpu_timers)
		cpu_timers_check(t);
	do {
		if (unlikely(t->process->leaving) && !t->exiting && !move_on(self, t))
			return false;
		if (needs_delivery(t))
			signal_deliver(t);
	} while (unlikely(t->process->leaving) && !t->exiting);
	if (*self->stack != STACK_MARK)
		rt_panic("linux: the stack of a call has overflowed (call %lu)", t->call_number);
	account_system(t, switches);
	charge(t);
	if (t->exiting) {
		release(self, t);
		thread_end(t);
		return false;
	}
	if (reason == EXIT_EVENT)
		rt_loop_look();
	ready = baton == self && (reason == EXIT_EVENT || others_ready());
	if (baton == self && !ready && !should_switch(t) && !(preempt && queue))
		return true;
	release(self, t);
	enqueue(t);
	if (ready)
		yield();
	return false;
}

/* Run @t until it waits, ends, or another one's turn comes. The baton may be lost meanwhile. */
static void run_thread(struct runner *self, struct thread *t)
{
	s64 reason;

	self->thread = t;
	t->fiber = &self->fiber;
	t->state = THREAD_IN_CALL; /* whenever anybody can look */
	t->slice_left_ns = SLICE_NS;
	if (t->rseq)
		rseq_interrupted(t);
	/* What was sent while it waited for its turn comes first: its next call might never end. */
	t->look_first |= needs_delivery(t);
	accounted = clock_tsc();
	do {
		u64 switches = rt_loop.switches;

		prepare(t);
		reason = EXIT_SYSCALL;
		while (likely(!t->look_first)) {
			reason = sys_run(t->context->cap);
			account(&t->user_ticks);
			if (likely(reason == EXIT_SYSCALL))
				syscall_make(t);
			else
				trap_handle(t, reason);
			account_system(t, switches);
			if (unlikely(reason == EXIT_EVENT || must_look(t, switches)))
				break;
		}
		t->look_first = false;
	} while (go_on(self, t, reason));
}

/* The runner has nothing to do, or is not wanted: until it is the standby. False: it shall end. */
static bool park(struct runner *self)
{
	if (standby == self)
		standby = NULL;
	if (nparked >= PARKED_MAX)
		return false;
	nparked++;
	fiber_wait(&rt_loop, &parked, FIBER_FOREVER);
	nparked--;
	return true;
}

static void runner_main(void *arg)
{
	struct runner *self = arg;
	bool wanted = true;

	while (wanted) {
		struct thread *t;

		if (baton != self && baton && yielding) {
			if (!standby)
				standby = self;
			if (standby == self)
				fiber_yield(&rt_loop);
			else
				wanted = park(self);
			continue;
		}
		/* Nobody has the baton, or its holder waits in a call. */
		if (baton && baton != self && baton->thread)
			baton->thread->switches++;
		baton = self;
		if (standby == self)
			standby = NULL;
		t = head();
		if (t) {
			dequeue(t);
			run_thread(self, t);
			continue;
		}
		baton = NULL;
		wanted = park(self);
	}
}

int sched_init(void)
{
	slice_timer = rt_object_new(CAP_TIMER, TIMER_BYTES);
	if (slice_timer == CAP_NONE || sched_reserve())
		return -ENOMEM;
	loads_ns = clock_now_ns();
	need_standby();
	return 0;
}
