/*
 * The scheduler of one core. Queues are doubly linked lists, a bit a priority says which have
 * somebody; choosing is a bit scan. The current domain is runnable and stays in its queue.
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
static u64 slice_end;              /* of the current domain, TSC; 0: no rival */
static bool rotated;               /* the current domain gave way to its equals */

struct domain *current;

static void enqueue(struct domain *d)
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
	enqueue(d);
}

void sched_block(struct domain *d, u32 state)
{
	if (d->state == DOMAIN_RUNNABLE)
		dequeue(d);
	d->state = state;
}

void sched_rotate(void)
{
	if (!current || current->state != DOMAIN_RUNNABLE)
		return;
	dequeue(current);
	enqueue(current);
	rotated = true;
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
	sched_rotate();
}

static struct domain *best(void)
{
	return busy ? queues[31 - __builtin_clz(busy)].first : NULL;
}

/* A server that was called directly keeps the processor though its equals wait in the queue. */
bool sched_should_switch(void)
{
	struct domain *d = best();

	if (!current || current->state != DOMAIN_RUNNABLE)
		return d;
	return d != current && (rotated || d->priority > current->priority);
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
 * A domain that was interrupted keeps its extended state in the processor until another one runs.
 * One that made a call has none to keep, and must not see what others left.
 */
void sched_switch(struct domain *d)
{
	if (d == current && d == loaded)
		return;
	if (loaded && loaded->full)
		xstate_save(loaded->xstate);
	if (d->full)
		xstate_load(d->xstate);
	else
		xstate_load_initial();
	loaded = d;
	load_space(d->aspace);
	if (current)
		bases_save(current);
	sched_load_bases(d);
	current = d;
	tramp_regs = &d->regs;
	slice_end = 0;
	d->info.switches++;
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

_Noreturn void sched_resume(void)
{
	struct domain *d = current;

	if (sched_should_switch())
		d = best();
	else if (!d || d->state != DOMAIN_RUNNABLE)
		idle();
	rotated = false;
	sched_switch(d);
	if (!slice_end && queues[d->priority].first != queues[d->priority].last) {
		slice_end = rdtsc() + boot.tsc_hz / 1000 * SLICE_MS;
		timer_want(slice_end);
	}
	domain_return(&d->regs);
}

s64 call_yield(void)
{
	current->regs.rax = 0;
	sched_rotate();
	return 0;
}
