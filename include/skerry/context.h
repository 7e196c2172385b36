/*
 * The state of a context: how a personality runs foreign code (RUN of skerry/calls.h).
 *
 * One page, memory of this core, mapped in the personality and known to the CPU driver by
 * CONTEXT_SETUP. RUN loads the registers from it and stores them back when it returns; between
 * two RUNs the personality may change all of it. What a processor would refuse (a segment, a
 * reserved flag, an address that is not canonical) is put right or refused by RUN, never
 * trusted.
 */
#ifndef SKERRY_CONTEXT_H
#define SKERRY_CONTEXT_H

#include <skerry/types.h>

/* What RUN returns. */
#define EXIT_SYSCALL   0 /* rax is the number; rcx and r11 hold rip and rflags, as on Linux */
#define EXIT_FAULT     1 /* page fault: address and error are set */
#define EXIT_EXCEPTION 2 /* vector and error are set */
#define EXIT_EVENT     3 /* an event of the personality is pending, or another domain had to run */

struct context_state {
	u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rip, rflags;
	u64 fs_base, gs_base;
	u32 reason; /* EXIT_* */
	/* Of the last exception or page fault: other exits leave them alone. */
	u32 vector;
	u64 error;
	u64 address; /* of a page fault, else 0 */
	u64 reserved[40];
	u8 xstate[3584] __attribute__((aligned(64))); /* XSAVE area, standard form (SDM 1, 13.4) */
};

static_assert(sizeof(struct context_state) == PAGE_SIZE, "a context's state is one page");
static_assert(offsetof(struct context_state, xstate) == 512, "XSAVE area's place");

#endif
