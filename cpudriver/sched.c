/*
 * The scheduler of one core. The current domain is in no queue; every other runnable one is in its
 * priority's, a doubly linked list, and a bit a priority says which have somebody. So a local call
 * hands the processor over without touching a queue, and what a call costs does not depend on how
 * many domains there are. Whatever could change who should run sets sched_pending.
 */
#include "sched.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/tramp.h"
#include "aspace.h"
#include "irq.h"
#include "kernel.h"

#define SLICE_MS 10u

struct queue {
	struct domain *first, *last;
};

static struct queue queues[PRIORITIES];
static u32 busy;                   /* bit p: queue p has somebody */
static struct domain *loaded;      /* whose extended state the processor holds, if full */
static const struct aspace *space; /* whose tables CR3 holds, NULL: the CPU driver's own */
static u64 slice_end;              /* of the current domain, TSC; 0: no rival was seen */
bool sched_pending;                /* see sched.h */
static bool rotated;               /* the current domain gives way to its equals */

struct domain *current;

static void enqueue_last(struct domain *d)
{
	struct queue *q = &queues[d->priority];

	d->run_next = NULL;
	d->run_prev = q->last;
	if (q->last)
		q->last->run_next = d;
	else
		q->first = d;
	q->last = d;
	busy |= 1u << d->priority;
}

static void enqueue_first(struct domain *d)
{
	struct queue *q = &queues[d->priority];

	d->run_prev = NULL;
	d->run_next = q->first;
	if (q->first)
		q->first->run_prev = d;
	else
		q->last = d;
	q->first = d;
	busy |= 1u << d->priority;
}

static void dequeue(struct domain *d)
{
	struct queue *q = &queues[d->priority];

	if (d->run_prev)
		d->run_prev->run_next = d->run_next;
	else
		q->first = d->run_next;
	if (d->run_next)
		d->run_next->run_prev = d->run_prev;
	else
		q->last = d->run_prev;
	d->run_next = d->run_prev = NULL;
	if (!q->first)
		busy &= ~(1u << d->priority);
}

void sched_wake(struct domain *d)
{
	d->state = DOMAIN_RUNNABLE;
	enqueue_last(d);
	sched_pending = true;
}

void sched_block(struct domain *d, u32 state)
{
	if (d->state == DOMAIN_RUNNABLE && d != current)
		dequeue(d);
	d->state = state;
	sched_pending = true;
}

static void rotate(void)
{
	rotated = true;
	sched_pending = true;
}

void sched_tick(void)
{
	if (!slice_end)
		return;
	if (rdtsc() < slice_end) {
		timer_want(slice_end);
		return;
	}
	slice_end = 0;
	rotate();
}

static void bases_save(struct domain *d)
{
	d->regs.fs_base = rdfsbase();
	d->regs.gs_base = rdgsbase();
}

void sched_load_bases(const struct domain *d)
{
	wrfsbase(d->regs.fs_base);
	wrgsbase(d->regs.gs_base);
}

void sched_forget(struct domain *d)
{
	if (loaded == d)
		loaded = NULL;
	if (current == d)
		current = NULL;
}

static void load_space(struct aspace *as)
{
	if (as == space && !as->flush)
		return;
	space = as;
	tramp_cr3 = aspace_enter_cr3(as);
	write_cr3(tramp_cr3);
	/* Coming back from a context must not drop what is cached. */
	if (cpu_has_pcid)
		tramp_cr3 |= CR3_NOFLUSH;
}

/*
 * Make @d, which is in no queue, the current domain. One that was interrupted keeps its extended
 * state in the processor until another one runs. One that made a call has none to keep, and must
 * not see what others left.
 */
static void switch_to(struct domain *d)
{
	if (d == current && d == loaded)
		return;
	if (loaded && loaded->full)
		xstate_save(loaded->xstate);
	if (d->full)
		xstate_load(d->xstate);
	else
		xstate_load(xstate_initial);
	loaded = d;
	load_space(d->aspace);
	if (current)
		bases_save(current);
	sched_load_bases(d);
	current = d;
	tramp_regs = &d->regs;
	d->info.switches++;
}

void sched_hand_over(struct domain *d)
{
	d->state = DOMAIN_RUNNABLE;
	switch_to(d);
	sched_pending = busy >> d->priority > 1;
}

void sched_forget_aspace(const struct aspace *aspace)
{
	if (space != aspace)
		return;
	space = NULL;
	tramp_cr3 = boot.kernel_root;
	write_cr3(tramp_cr3);
}

static _Noreturn void idle(void)
{
	if (current) /* it waits, so it has no extended state to keep */
		bases_save(current);
	loaded = NULL;
	current = NULL;
	idle_enter();
}

/* The domain that should run, taken out of its queue, or NULL. */
static struct domain *choose(void)
{
	u32 top = busy ? 31 - (u32)__builtin_clz(busy) : 0;
	struct domain *d;

	if (current && current->state == DOMAIN_RUNNABLE) {
		if (!busy || top < current->priority || (top == current->priority && !rotated))
			return current;
		if (rotated)
			enqueue_last(current);
		else
			enqueue_first(current);
	}
	if (!busy)
		return NULL;
	d = queues[top].first;
	dequeue(d);
	return d;
}

_Noreturn void sched_choose(void)
{
	struct domain *d = choose();

	sched_pending = rotated = false;
	if (!d)
		idle();
	if (d != current)
		slice_end = 0;
	switch_to(d);
	if (!slice_end && busy >> d->priority & 1) {
		slice_end = rdtsc() + boot.tsc_hz / 1000 * SLICE_MS;
		timer_want(slice_end);
	}
	domain_return(&d->regs);
}

s64 call_yield(void)
{
	rotate();
	return 0;
}
