/*
 * Interrupts of devices: from the ISA numbers that drivers know, through the IOAPIC, to a vector
 * of this core.
 */
#ifndef MONITOR_IRQ_H
#define MONITOR_IRQ_H

#include <rt/calls.h>

/**
 * Make an interrupt capability in the empty slot @to for ISA interrupt @irq, edge by the CPU
 * driver's view, and point the IOAPIC at this core.
 * Returns 0; -ENODEV (no IOAPIC has it), -ENOMEM, or IRQ_ALLOC's error.
 */
int irq_route_isa(u32 irq, cap_t to);

#endif
