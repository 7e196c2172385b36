/*
 * Contexts: foreign code that a personality runs. See skerry/context.h for what both sides see.
 */
#ifndef CPUDRIVER_CONTEXT_H
#define CPUDRIVER_CONTEXT_H

#include "aspace.h"
#include "arch/x86_64/regs.h"

struct context {
	struct aspace *aspace;       /* NULL: not bound, or its space is gone */
	struct context_state *state; /* in the physmap; NULL: not bound */
	struct context *next, *prev; /* of its aspace */
};

static_assert(sizeof(struct context) <= CONTEXT_BYTES, "size that RETYPE wants");

void context_unbind(struct context *ctx);
void context_destroy(struct context *ctx);

/** Unbind contexts on @as whose state lies in [@base, @base + @bytes): that memory is taken. */
void context_forget_states(struct aspace *as, u64 base, u64 bytes);

/**
 * The context of the current domain stopped running, for @reason (EXIT_*); the domain goes on. A
 * system call ends the run without it: entry.S, context_made_syscall.
 */
void context_exit(u32 reason);

/** The same for an exception or page fault. */
void context_trapped(u32 vector, u64 error, u64 address);

s64 call_context_setup(u64 context, u64 aspace, u64 frame, u64 offset);
s64 call_run(u64 context);

#endif
