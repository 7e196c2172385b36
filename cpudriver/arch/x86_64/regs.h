/*
 * Registers of a domain or a context as entry.S saves them. The first words of struct
 * context_state are the same, so one piece of assembly saves and loads both.
 */
#ifndef ARCH_REGS_H
#define ARCH_REGS_H

#include <skerry/context.h>
#include "arch/x86_64/asm.h"

struct regs {
	u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rip, rflags;
	u64 fs_base, gs_base;
};

/* What a trap in ring 0 leaves on the stack (entry.S, trap_kernel_entry). */
struct kernel_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

static_assert(offsetof(struct regs, rsp) == R_RSP, "asm.h");
static_assert(offsetof(struct regs, r11) == R_R11, "asm.h");
static_assert(offsetof(struct regs, r15) == R_R15, "asm.h");
static_assert(offsetof(struct regs, rip) == R_RIP, "asm.h");
static_assert(offsetof(struct regs, rflags) == R_RFLAGS, "asm.h");
static_assert(offsetof(struct regs, fs_base) == R_FS_BASE, "asm.h");
static_assert(offsetof(struct regs, gs_base) == R_GS_BASE, "asm.h");
static_assert(sizeof(struct regs) == R_BYTES, "asm.h");
static_assert(offsetof(struct context_state, reason) == C_REASON, "asm.h");
static_assert(offsetof(struct context_state, xstate) == C_XSTATE, "asm.h");
static_assert(EXIT_SYSCALL == REASON_SYSCALL, "asm.h");
static_assert(offsetof(struct context_state, rip) == R_RIP,
	      "a context's registers are struct regs");
static_assert(offsetof(struct context_state, gs_base) == offsetof(struct regs, gs_base), "same");

#endif
