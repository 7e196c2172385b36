/*
 * The local APIC: x2APIC where the processor has it, xAPIC otherwise (SDM vol. 3A, chapter 11).
 */
#ifndef ARCH_APIC_H
#define ARCH_APIC_H

#include <skerry/types.h>

/** Turn it on, in the right mode, with the timer stopped. */
void apic_init(void);

/** This core's APIC id. */
u32 apic_id(void);

void apic_eoi(void);

/** Send a fixed interrupt, INIT, or STARTUP at 4 KiB page @page. Returns 0 or -EINVAL (id). */
int apic_send(u32 id, u32 vector);
int apic_send_init(u32 id);
int apic_send_startup(u32 id, u32 page);

/** One timer interrupt @ticks of the TSC from now, or never if 0. */
void apic_timer(u64 ticks);

/** Whether [@phys, @phys + @bytes) touches this core's APIC registers: no domain may map them. */
bool apic_owns(u64 phys, u64 bytes);

#endif
