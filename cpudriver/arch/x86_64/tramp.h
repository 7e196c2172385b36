/*
 * The entry trampoline: the only memory of the CPU driver that is mapped while foreign code runs.
 * Its data tell entry.S where the registers of whoever runs are to be saved, and on which address
 * space; it holds nothing that foreign code may not know.
 */
#ifndef ARCH_TRAMP_H
#define ARCH_TRAMP_H

#include "arch/x86_64/regs.h"

extern struct regs *tramp_regs; /* of the current domain, or of the context that runs */
extern u64 tramp_cr3;           /* the current domain's address space, to come back to */
extern u32 tramp_in_context;

/* Symbols of the linker script: the trampoline's pages. */
extern char tramp_text_start[], tramp_text_end[], tramp_data_start[], tramp_data_end[];

/* IDT gates lead here, 16 bytes each (entry.S). */
extern char trap_stubs[];
void syscall_entry(void);
void syscall32_entry(void);

/**
 * Leave for the registers in @st with @cr3, in which only the trampoline is mapped; from now on
 * @st is where they are saved. @fast: rcx and r11 hold rip and rflags.
 */
_Noreturn void context_enter(struct context_state *st, u64 cr3, bool fast);

/** Wait for an interrupt, with interrupts on; comes back through trap_kernel() only. */
_Noreturn void idle_enter(void);
extern char idle_halt[], idle_halt_end[];

/** Reset the stack and return to @regs, the first member of the current struct domain. */
_Noreturn void domain_return(struct regs *regs);

#endif
