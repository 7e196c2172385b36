/*
 * The calls of the CPU driver as C functions, one line of wrapper each; what they do, take and
 * return stands in skerry/calls.h alone.
 *
 * Runs in: native domains and the monitor, ring 3 only.
 */
#ifndef RT_CALLS_H
#define RT_CALLS_H

#include <errno.h>
#include <skerry/calls.h>

/* The words that travel in registers: w[0] to w[4] of a local call, or of its reply. */
struct sys_words {
	u64 w[5];
};

/* What WAIT brings: events, or a caller's badge; and the caller's words. */
struct sys_wait {
	u64 first;
	struct sys_words words;
};

/* To vector and x87 state a call is a function call (skerry/calls.h). */
#define SYS_CLOBBERS                                                                               \
	"rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",      \
		"xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",      \
		"st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"

/** Any call that leaves its arguments' registers alone; so not RUN. */
static inline s64 sys_simple(u32 number, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
	register u64 r10 __asm__("r10") = a3;
	register u64 r8 __asm__("r8") = a4;
	s64 result = number;

	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8)
			 : SYS_CLOBBERS);
	return result;
}

/** Any call whatever, made as if it lost all registers that one may lose; for tests. */
static inline s64 sys_any(u32 number, const u64 a[5])
{
	register u64 r10 __asm__("r10") = a[3];
	register u64 r8 __asm__("r8") = a[4];
	u64 rdi = a[0], rsi = a[1], rdx = a[2];
	s64 result = number;

	__asm__ volatile("syscall"
			 : "+a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8)
			 :
			 : "rbx", "r9", "r12", "r13", "r14", "r15", SYS_CLOBBERS);
	return result;
}

/** Any call that brings words back: all of them are replaced. */
static inline s64 sys_worded(u32 number, u64 *a0, struct sys_words *words)
{
	register u64 r10 __asm__("r10") = words->w[2];
	register u64 r8 __asm__("r8") = words->w[3];
	register u64 r9 __asm__("r9") = words->w[4];
	u64 rdi = *a0, rsi = words->w[0], rdx = words->w[1];
	s64 result = number;

	__asm__ volatile("syscall"
			 : "+a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8),
			   "+r"(r9)
			 :
			 : SYS_CLOBBERS);
	*a0 = rdi;
	*words = (struct sys_words){.w = {rsi, rdx, r10, r8, r9}};
	return result;
}

static inline s64 sys_null(void)
{
	return sys_simple(CALL_NULL, 0, 0, 0, 0, 0);
}

static inline s64 sys_wait(u64 mask, u32 flags, struct sys_wait *got)
{
	got->first = mask;
	got->words.w[0] = flags;
	return sys_worded(CALL_WAIT, &got->first, &got->words);
}

static inline s64 sys_yield(void)
{
	return sys_simple(CALL_YIELD, 0, 0, 0, 0, 0);
}

/** @target  the endpoint, possibly with SEND_CAP; @words are sent, and replaced by the reply */
static inline s64 sys_call(u64 target, struct sys_words *words)
{
	return sys_worded(CALL_CALL, &target, words);
}

static inline s64 sys_reply(u64 send_cap, const struct sys_words *words)
{
	struct sys_words copy = *words;

	return sys_worded(CALL_REPLY, &send_cap, &copy);
}

/** @got->words is the reply, and is replaced by what WAIT brings. */
static inline s64 sys_reply_wait(u64 send_cap, struct sys_wait *got)
{
	got->first = send_cap;
	return sys_worded(CALL_REPLY_WAIT, &got->first, &got->words);
}

static inline s64 sys_reply_save(cap_t slot)
{
	return sys_simple(CALL_REPLY_SAVE, slot, 0, 0, 0, 0);
}

/** @target  the saved right to answer, possibly with SEND_CAP */
static inline s64 sys_reply_to(u64 target, const struct sys_words *words)
{
	struct sys_words copy = *words;

	return sys_worded(CALL_REPLY_TO, &target, &copy);
}

static inline s64 sys_receive_slot(cap_t slot)
{
	return sys_simple(CALL_RECEIVE_SLOT, slot, 0, 0, 0, 0);
}

static inline s64 sys_cap_copy(cap_t to, cap_t from, u32 rights, u64 badge)
{
	return sys_simple(CALL_CAP_COPY, to, from, rights, badge, 0);
}

static inline s64 sys_cap_delete(cap_t slot)
{
	return sys_simple(CALL_CAP_DELETE, slot, 0, 0, 0, 0);
}

/** All steps of CAP_REVOKE. */
static inline s64 sys_cap_revoke(cap_t slot)
{
	s64 err;

	do
		err = sys_simple(CALL_CAP_REVOKE, slot, 0, 0, 0, 0);
	while (err == -EAGAIN);
	return err;
}

static inline s64 sys_cap_put(cap_t domain, cap_t to, cap_t from, u32 rights)
{
	return sys_simple(CALL_CAP_PUT, domain, to, from, rights, 0);
}

static inline s64 sys_cap_info(cap_t slot, struct cap_info *info)
{
	return sys_simple(CALL_CAP_INFO, slot, (u64)info, 0, 0, 0);
}

static inline s64 sys_retype(cap_t ram, u32 type, u64 bytes, cap_t to)
{
	return sys_simple(CALL_RETYPE, ram, type, bytes, to, 0);
}

static inline s64 sys_frame_mint(cap_t phys, u64 base, u64 bytes, u64 to)
{
	return sys_simple(CALL_FRAME_MINT, phys, base, bytes, to, 0);
}

static inline s64 sys_aspace_donate(cap_t aspace, cap_t table)
{
	return sys_simple(CALL_ASPACE_DONATE, aspace, table, 0, 0, 0);
}

static inline s64 sys_aspace_update(cap_t aspace, struct aspace_op *ops, u32 count)
{
	return sys_simple(CALL_ASPACE_UPDATE, aspace, (u64)ops, count, 0, 0);
}

static inline s64 sys_domain_setup(cap_t domain, const struct domain_setup *setup)
{
	return sys_simple(CALL_DOMAIN_SETUP, domain, (u64)setup, 0, 0, 0);
}

static inline s64 sys_domain_start(cap_t domain)
{
	return sys_simple(CALL_DOMAIN_START, domain, 0, 0, 0, 0);
}

static inline s64 sys_domain_stop(cap_t domain)
{
	return sys_simple(CALL_DOMAIN_STOP, domain, 0, 0, 0, 0);
}

static inline s64 sys_domain_info(cap_t domain, struct domain_info *info)
{
	return sys_simple(CALL_DOMAIN_INFO, domain, (u64)info, 0, 0, 0);
}

static inline _Noreturn void sys_domain_exit(s64 status)
{
	for (;;)
		sys_simple(CALL_DOMAIN_EXIT, (u64)status, 0, 0, 0, 0);
}

static inline s64 sys_context_setup(cap_t context, cap_t aspace, cap_t frame, u64 offset)
{
	return sys_simple(CALL_CONTEXT_SETUP, context, aspace, frame, offset, 0);
}

/* The call that is made most often, and the only one that loses its caller's registers. */
static inline s64 sys_run(cap_t context)
{
	s64 result = CALL_RUN;
	u64 slot = context;

	__asm__ volatile("syscall"
			 : "+a"(result), "+D"(slot)
			 :
			 : "rbx", "rdx", "rsi", "r8", "r9", "r10", "r12", "r13", "r14", "r15",
			   SYS_CLOBBERS);
	return result;
}

static inline s64 sys_timer_set(cap_t timer, u32 bit, u64 deadline_tsc)
{
	return sys_simple(CALL_TIMER_SET, timer, bit, deadline_tsc, 0, 0);
}

static inline s64 sys_irq_alloc(cap_t core, cap_t to)
{
	return sys_simple(CALL_IRQ_ALLOC, core, to, 0, 0, 0);
}

static inline s64 sys_irq_bind(cap_t irq, u32 bit)
{
	return sys_simple(CALL_IRQ_BIND, irq, bit, 0, 0, 0);
}

static inline s64 sys_io(cap_t ioport, u16 port, u32 op, u32 value)
{
	return sys_simple(CALL_IO, ioport, port, op, value, 0);
}

static inline s64 sys_io_write(cap_t ioport, u16 port, const void *text, u32 bytes)
{
	return sys_simple(CALL_IO_WRITE, ioport, port, (u64)text, bytes, 0);
}

static inline s64 sys_ioport_mint(cap_t core, u16 first, u16 last, cap_t to)
{
	return sys_simple(CALL_IOPORT_MINT, core, first, last, to, 0);
}

static inline s64 sys_doorbell_bind(cap_t core, u32 number, cap_t domain, u32 bit)
{
	return sys_simple(CALL_DOORBELL_BIND, core, number, domain, bit, 0);
}

static inline s64 sys_doorbell_mint(cap_t core, u32 apic_id, u32 number, cap_t to)
{
	return sys_simple(CALL_DOORBELL_MINT, core, apic_id, number, to, 0);
}

static inline s64 sys_doorbell_ring(cap_t doorbell)
{
	return sys_simple(CALL_DOORBELL_RING, doorbell, 0, 0, 0, 0);
}

static inline s64 sys_core_init(cap_t core, u32 apic_id)
{
	return sys_simple(CALL_CORE_INIT, core, apic_id, 0, 0, 0);
}

static inline s64 sys_core_startup(cap_t core, u32 apic_id, u32 page)
{
	return sys_simple(CALL_CORE_STARTUP, core, apic_id, page, 0, 0);
}

static inline s64 sys_core_halt(cap_t core, u32 how)
{
	return sys_simple(CALL_CORE_HALT, core, how, 0, 0, 0);
}

static inline s64 sys_core_mint(cap_t core, cap_t to)
{
	return sys_simple(CALL_CORE_MINT, core, to, 0, 0, 0);
}

static inline s64 sys_log_read(cap_t core, void *text, u64 bytes)
{
	return sys_simple(CALL_LOG_READ, core, (u64)text, bytes, 0, 0);
}

static inline s64 sys_log_write(const void *text, u64 bytes)
{
	return sys_simple(CALL_LOG_WRITE, (u64)text, bytes, 0, 0, 0);
}

static inline s64 sys_log_direct(cap_t core, bool on)
{
	return sys_simple(CALL_LOG_DIRECT, core, on, 0, 0, 0);
}

#endif
