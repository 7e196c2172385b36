/*
 * Interrupts of one core. The timer hardware holds the earliest of what was asked for; asking for
 * a later time than it holds costs nothing, and an early tick does no harm.
 */
#include "irq.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "kernel.h"
#include "sched.h"
#include "syscall.h"

struct binding {
	struct domain *domain;
	u32 bit;
};

static struct binding doorbells[DOORBELLS];
static struct binding irqs[IRQS];
static u64 irqs_used[(IRQS + 63) / 64];
static struct timer *timers; /* armed, earliest first */
static u32 timers_armed;
static u64 programmed; /* what the hardware timer is set to, TSC; 0: nothing */

static void post(const struct binding *b)
{
	if (b->domain)
		domain_post(b->domain, 1ul << b->bit);
}

/* ---- timers ---- */

void timer_want(u64 deadline)
{
	u64 now;

	if (programmed && programmed <= deadline)
		return;
	now = rdtsc();
	programmed = deadline;
	apic_timer(deadline > now ? deadline - now : 1);
}

void timer_disarm(struct timer *t)
{
	if (!t->deadline)
		return;
	if (t->prev)
		t->prev->next = t->next;
	else
		timers = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->deadline = 0;
	timers_armed--;
}

static void timer_arm(struct timer *t, u64 deadline)
{
	struct timer *prev = NULL, *next = timers;

	while (next && next->deadline <= deadline) {
		prev = next;
		next = next->next;
	}
	t->deadline = deadline;
	t->prev = prev;
	t->next = next;
	if (prev)
		prev->next = t;
	else
		timers = t;
	if (next)
		next->prev = t;
	timers_armed++;
	timer_want(timers->deadline);
}

static void timer_interrupt(void)
{
	u64 now = rdtsc();

	programmed = 0;
	while (timers && timers->deadline <= now) {
		struct timer *t = timers;

		timer_disarm(t);
		domain_post(t->domain, 1ul << t->bit);
	}
	if (timers)
		timer_want(timers->deadline);
	sched_tick();
}

s64 call_timer_set(u64 timer, u64 bit, u64 deadline)
{
	struct cap *cap;
	struct timer *t;
	int err = cap_find((cap_t)timer, CAP_TIMER, RIGHT_WRITE, &cap);

	if (err)
		return err;
	if (bit >= EVENTS)
		return -EINVAL;
	t = cap->obj.ptr;
	if (deadline && !t->deadline && timers_armed >= TIMERS_MAX)
		return -ENOSPC;
	timer_disarm(t);
	t->domain = current;
	t->bit = (u32)bit;
	if (deadline)
		timer_arm(t, deadline);
	return 0;
}

/* ---- device interrupts and doorbells ---- */

void irq_dispatch(u32 vector)
{
	if (vector == VECTOR_SPURIOUS) /* nothing to acknowledge (SDM vol. 3A, 11.9) */
		return;
	apic_eoi();
	if (vector == VECTOR_TIMER)
		timer_interrupt();
	else if (vector >= VECTOR_IRQ && vector < VECTOR_IRQ + IRQS)
		post(&irqs[vector - VECTOR_IRQ]);
	else if (vector >= VECTOR_DOORBELL && vector < VECTOR_DOORBELL + DOORBELLS)
		post(&doorbells[vector - VECTOR_DOORBELL]);
}

s64 call_irq_alloc(u64 core, u64 to)
{
	struct cap *authority, *dst;
	int err = cap_find_mint(core, RIGHT_WRITE, to, &authority, &dst);

	if (err)
		return err;
	for (u32 n = 0; n < IRQS; n++) {
		if (irqs_used[n / 64] >> n % 64 & 1)
			continue;
		irqs_used[n / 64] |= 1ul << n % 64;
		cap_insert(dst,
			   &(struct cap){.type = CAP_IRQ,
					 .rights = RIGHTS_ALL,
					 .flags = CAPF_ORIGINAL,
					 .obj = {.badge = n}},
			   authority);
		return VECTOR_IRQ + n;
	}
	return -ENOSPC;
}

void irq_free(u32 number)
{
	irqs_used[number / 64] &= ~(1ul << number % 64);
	irqs[number].domain = NULL;
}

s64 call_irq_bind(u64 irq, u64 bit)
{
	struct cap *cap;
	int err = cap_find((cap_t)irq, CAP_IRQ, RIGHT_WRITE, &cap);

	if (err)
		return err;
	if (bit >= EVENTS)
		return -EINVAL;
	irqs[cap->obj.badge] = (struct binding){current, (u32)bit};
	return 0;
}

s64 call_doorbell_bind(u64 core, u64 number, u64 domain, u64 bit)
{
	struct cap *authority, *target;
	int err = cap_find((cap_t)core, CAP_CORE, RIGHT_WRITE, &authority);

	if (!err)
		err = cap_find((cap_t)domain, CAP_DOMAIN, 0, &target);
	if (err)
		return err;
	if (number >= DOORBELLS || bit >= EVENTS)
		return -EINVAL;
	if (doorbells[number].domain)
		return -EBUSY;
	if (((struct domain *)target->obj.ptr)->state == DOMAIN_DEAD)
		return -EPIPE;
	doorbells[number] = (struct binding){target->obj.ptr, (u32)bit};
	return 0;
}

s64 call_doorbell_mint(u64 core, u64 id, u64 number, u64 to)
{
	struct cap *authority, *dst;
	int err = cap_find_mint(core, RIGHT_RING, to, &authority, &dst);

	if (err)
		return err;
	if (number >= DOORBELLS || id > UINT32_MAX)
		return -EINVAL;
	cap_insert(dst,
		   &(struct cap){.type = CAP_DOORBELL,
				 .rights = RIGHTS_ALL,
				 .obj = {.badge = number, .base = id}},
		   authority);
	return 0;
}

s64 call_doorbell_ring(u64 doorbell)
{
	struct cap *cap;
	int err = cap_find((cap_t)doorbell, CAP_DOORBELL, RIGHT_WRITE, &cap);

	if (err)
		return err;
	current->info.rings++;
	if (cap->obj.base != boot.apic_id)
		return apic_send((u32)cap->obj.base, (u32)(VECTOR_DOORBELL + cap->obj.badge));
	post(&doorbells[cap->obj.badge]);
	return 0;
}

void irq_domain_gone(struct domain *d)
{
	for (u32 i = 0; i < DOORBELLS; i++)
		if (doorbells[i].domain == d)
			doorbells[i].domain = NULL;
	for (u32 i = 0; i < IRQS; i++)
		if (irqs[i].domain == d)
			irqs[i].domain = NULL;
	for (struct timer *t = timers, *next; t; t = next) {
		next = t->next;
		if (t->domain == d)
			timer_disarm(t);
	}
}
