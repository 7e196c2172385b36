/*
 * Interrupts of this core: the timer and timer objects, doorbells, devices.
 */
#ifndef IRQ_H
#define IRQ_H

#include "domain.h"

#define IRQS 96u

struct timer {
	u64 deadline; /* TSC; 0: not armed */
	struct domain *domain;
	u32 bit;
	struct timer *next, *prev; /* armed, by deadline */
};

static_assert(sizeof(struct timer) <= TIMER_BYTES, "size that RETYPE wants");

/** An interrupt with @vector came: acknowledge it and post what it means. */
void irq_dispatch(u32 vector);

/** See that the core's timer interrupt comes no later than at @deadline (TSC). */
void timer_want(u64 deadline);

void timer_disarm(struct timer *t);
void irq_free(u32 number);

/** A domain is dead: nothing may be posted to it any more. */
void irq_domain_gone(struct domain *d);

s64 call_timer_set(u64 timer, u64 bit, u64 deadline);
s64 call_irq_alloc(u64 core, u64 to);
s64 call_irq_bind(u64 irq, u64 bit);
s64 call_doorbell_bind(u64 core, u64 number, u64 domain, u64 bit);
s64 call_doorbell_mint(u64 core, u64 apic_id, u64 number, u64 to);
s64 call_doorbell_ring(u64 doorbell);

#endif
