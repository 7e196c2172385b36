/*
 * The calls of the CPU driver: the one table, and the structures that calls pass.
 *
 * A call is the SYSCALL instruction from a native domain:
 *
 *   rax                              number of the call (enum call)
 *   rdi, rsi, rdx, r10, r8, r9       arguments a0..a5
 *   rax                              result: zero or a positive value, or a negative errno
 *   rdi, rsi, rdx, r10, r8, r9       after CALL, REPLY_WAIT, WAIT: words (see there); else kept
 *   rcx, r11                         destroyed
 *
 * To the processor's vector and x87 state a call is a function call: every such register may be
 * different after it, and MXCSR and the x87 control word are at their defaults.
 *
 * A capability is named by its slot (cap_t) in the caller's own table; slot 0 is always empty.
 * Every call decides first whether all of it can be done, and only then does it: a call that
 * returns an error has changed nothing. Errors that any call can return:
 *
 *   -ENOSYS   no such call
 *   -EBADF    a slot is outside the table, or empty
 *   -EINVAL   a capability of another type than the call wants, or an argument out of range
 *   -EPERM    the capability lacks the right
 *
 * Calls with a bounded part of unbounded work (CAP_REVOKE) return -EAGAIN: call again to go on.
 */
#ifndef SKERRY_CALLS_H
#define SKERRY_CALLS_H

#include <skerry/types.h>

typedef u32 cap_t;

#define CAP_NONE 0u

/*
 * X(number, NAME, "arguments", "errors beside those above", "what it does")
 *
 * This table is what the CPU driver dispatches on (cpudriver/syscall.c) and what the README's
 * list of calls is made from.
 */
#define SKERRY_CALLS(X)                                                                            \
	X(0, NULL, "", "", "nothing; returns CALLS_VERSION")                                       \
	X(1, WAIT, "mask, flags: WAIT_*", "-EAGAIN: WAIT_POLL and nothing there",                  \
	  "sleep until one of the events in mask is pending, or a local call arrives; "            \
	  "returns WAIT_EVENTS with rdi = events, now cleared; or WAIT_CALLED with rdi = badge, "  \
	  "rsi rdx r10 r8 r9 = the caller's words, +WAIT_CAP if a capability came")                \
	X(2, YIELD, "", "", "let other domains of the same priority run first")                    \
	X(3, CALL, "endpoint | SEND_CAP(slot, flags), w0..w4",                                     \
	  "-EPIPE: the server is dead or dies before it replies; -EDEADLK: the server waits for "  \
	  "the caller",                                                                            \
	  "local call; returns 0, +WAIT_CAP if a capability came, rsi rdx r10 r8 r9 = the reply")  \
	X(4, REPLY, "SEND_CAP(slot, flags), w0..w4", "-ESRCH: no caller waits for it",             \
	  "answer the caller")                                                                     \
	X(5, REPLY_WAIT, "SEND_CAP(slot, flags), w0..w4",                                          \
	  "-ESRCH: no caller waits for it, and it does not wait",                                  \
	  "REPLY, then WAIT with the mask and flags of the last WAIT")                             \
	X(6, REPLY_SAVE, "slot", "-ESRCH: no caller; -EEXIST: slot in use",                        \
	  "put the right to answer the caller in an empty slot, to answer others first")           \
	X(7, REPLY_TO, "slot | SEND_CAP(slot, flags), w0..w4", "-EPIPE: the caller is gone",       \
	  "answer a saved caller; the slot is empty afterwards, whatever the result")              \
	X(8, RECEIVE_SLOT, "slot or 0", "-EEXIST: slot in use",                                    \
	  "where the next capability sent to the caller goes; one that comes without is dropped")  \
	X(9, CAP_COPY, "to, from, rights, badge", "-EEXIST: slot in use; -ENOTSUP: not copyable",  \
	  "derive a copy with the same or fewer rights; of a domain with RIGHT_CALL: an "          \
	  "endpoint with this badge")                                                              \
	X(10, CAP_DELETE, "slot", "-EBUSY: others are derived from it, or it may be mapped",       \
	  "empty a slot; the last capability of an object destroys it")                            \
	X(11, CAP_REVOKE, "slot", "-EAGAIN: call again",                                           \
	  "delete all capabilities derived from this one, with their objects, and unmap its "      \
	  "memory everywhere on this core")                                                        \
	X(12, CAP_PUT, "domain, to, from, rights", "-EEXIST: slot in use; -ENOTSUP: not copyable", \
	  "derive a copy into another domain's table")                                             \
	X(13, CAP_INFO, "slot, pointer to struct cap_info", "-EFAULT",                             \
	  "type, rights, base, length")                                                            \
	X(14, RETYPE, "ram, type, bytes, to",                                                      \
	  "-EEXIST: slot in use; -ENOMEM: less than that is left in ram; -ENOTSUP: no such "       \
	  "object",                                                                                \
	  "make an object out of the next free bytes of ram; returns 0")                           \
	X(15, FRAME_MINT, "phys, base, bytes, to | MINT_DEVICE",                                   \
	  "-EEXIST: slot in use; -EPERM: the range is this core's own",                            \
	  "a frame for memory of another core or of a device, from the monitor's authority")       \
	X(16, ASPACE_DONATE, "aspace, table", "-EBUSY: given already",                             \
	  "give the pages of a page-table capability to an address space")                         \
	X(17, ASPACE_UPDATE, "aspace, pointer to struct aspace_op[], count <= ASPACE_OPS",         \
	  "-EFAULT",                                                                               \
	  "map, unmap, protect, query, clear: each op has its own result; returns how many were "  \
	  "done, stops at the first that fails")                                                   \
	X(18, DOMAIN_SETUP, "domain, pointer to struct domain_setup",                              \
	  "-EFAULT; -EBUSY: set up already", "give a new domain its address space, table, entry")  \
	X(19, DOMAIN_START, "domain", "-EBUSY: not set up, or started", "make it runnable")        \
	X(20, DOMAIN_STOP, "domain", "", "stop it for good; those who wait for it get -EPIPE")     \
	X(21, DOMAIN_INFO, "domain or 0 for the caller, pointer to struct domain_info", "-EFAULT", \
	  "state, fault, counters")                                                                \
	X(22, DOMAIN_EXIT, "status", "", "stop the caller for good")                               \
	X(23, CONTEXT_SETUP, "context, aspace, frame, offset",                                     \
	  "-EPERM: the frame is not this core's, or not writable",                                 \
	  "bind a context to an address space and to the page that holds its struct "              \
	  "context_state")                                                                         \
	X(24, RUN, "context", "-EBUSY: not set up; -EFAULT: its extended state is malformed",      \
	  "enter the context until something happens; returns EXIT_*; of the caller's registers "  \
	  "only rsp, rbp and the base of FS are kept")                                             \
	X(25, TIMER_SET, "timer, bit, deadline in TSC ticks or 0", "-ENOSPC: over TIMERS_MAX",     \
	  "post event bit to the caller at the deadline; 0 disarms")                               \
	X(26, IRQ_ALLOC, "core, to", "-EEXIST: slot in use; -ENOSPC: no vector left",              \
	  "an interrupt of this core; returns its vector, for an IOAPIC entry or an MSI")          \
	X(27, IRQ_BIND, "irq, bit", "", "post event bit to the caller at this interrupt (edge)")   \
	X(28, IO, "ioport, port, op: IO_*, value", "", "one access to an I/O port")                \
	X(29, IO_WRITE, "ioport, port, pointer, bytes <= IO_WRITE_MAX", "-EFAULT",                 \
	  "write a string to a byte port")                                                         \
	X(30, IOPORT_MINT, "core, first, last, to", "-EEXIST: slot in use",                        \
	  "a capability for a range of I/O ports")                                                 \
	X(31, DOORBELL_BIND, "core, number, domain, bit", "-EBUSY: number is bound",               \
	  "a ring of this doorbell on this core posts event bit to the domain")                    \
	X(32, DOORBELL_MINT, "core, apic id, number, to", "-EEXIST: slot in use",                  \
	  "the right to ring a doorbell of a core")                                                \
	X(33, DOORBELL_RING, "doorbell", "", "post the event, on another core by an interrupt")    \
	X(34, CORE_INIT, "core, apic id", "-EINVAL: its own", "send INIT: stop another core")      \
	X(35, CORE_STARTUP, "core, apic id, page number < 256", "-EINVAL: its own",                \
	  "send STARTUP: real-mode execution at the page")                                         \
	X(36, CORE_HALT, "core, how: HALT_*", "", "stop this core for good (fault injection)")     \
	X(37, CORE_MINT, "core, to", "-EEXIST: slot in use",                                       \
	  "a copy of the core capability for doorbells only (RIGHT_RING)")                         \
	X(38, LOG_READ, "core, pointer, bytes", "-EFAULT",                                         \
	  "take what the CPU driver has printed on this core; returns bytes")                      \
	X(39, LOG_WRITE, "pointer, bytes <= LOG_WRITE_MAX", "-EFAULT",                             \
	  "append to the CPU driver's log of this core")                                           \
	X(40, LOG_DIRECT, "core, on", "",                                                          \
	  "whether the CPU driver writes its log to the serial port itself")

#define CALLS_VERSION 1

enum call {
#define X(number, name, args, errors, what) CALL_##name = number,
	SKERRY_CALLS(X)
#undef X
		CALL_COUNT
};

/* Types of capabilities. */
enum cap_type {
	CAP_NULL,
	CAP_RAM,      /* memory of this core that can become objects */
	CAP_FRAME,    /* memory that can be mapped */
	CAP_TABLE,    /* pages for an address space's page tables */
	CAP_ASPACE,   /* an address space, of a domain or of contexts */
	CAP_CNODE,    /* a table of capabilities */
	CAP_DOMAIN,   /* a native program; RIGHT_CALL: its endpoint can be derived */
	CAP_ENDPOINT, /* the right to call a domain, with a badge that tells who calls */
	CAP_CONTEXT,  /* a thread of foreign code */
	CAP_TIMER,
	CAP_IRQ,
	CAP_IOPORT,
	CAP_DOORBELL,
	CAP_PHYS,  /* the monitor's authority over memory that is not this core's */
	CAP_CORE,  /* the monitor's authority over its core */
	CAP_REPLY, /* the right to answer one caller once */
	CAP_TYPES
};

/* Sizes that RETYPE wants, in bytes: a fixed size, or a range for those with a variable one. */
#define CNODE_SLOT_BYTES 64u /* CAP_CNODE: slots * this; 16 to CNODE_SLOTS_MAX slots */
#define CNODE_SLOTS_MAX  32768u
#define DOMAIN_BYTES     8192u
#define ASPACE_BYTES     8192u       /* its object, and its root page table */
#define ASPACE_CONTEXT   0x80000000u /* in RETYPE's type: for contexts, not for a domain */
#define CONTEXT_BYTES    256u
#define TIMER_BYTES      64u
#define TIMERS_MAX       128u /* armed at a time on a core */
#define TABLE_PAGES_MAX  64u  /* pages of one CAP_TABLE */

/* Rights. */
#define RIGHT_READ  1u
#define RIGHT_WRITE 2u
#define RIGHT_EXEC  4u
#define RIGHT_GRANT 8u  /* may be copied, put and sent */
#define RIGHT_CALL  16u /* of a domain: an endpoint may be derived */
#define RIGHT_OWN   32u /* of a domain, aspace, context: may be changed, started, stopped */
#define RIGHT_RING  64u /* of a core: doorbells may be minted, and nothing else */
#define RIGHTS_ALL  127u

/* WAIT's flags and results. */
#define WAIT_CALLS  1u /* take local calls too */
#define WAIT_POLL   2u /* do not sleep */
#define WAIT_EVENTS 0
#define WAIT_CALLED 1
#define WAIT_CAP    2 /* or-ed into a result: a capability was put in the receive slot */

/* A capability to send along with a call or a reply: in the upper half of the first argument. */
#define SEND_CAP(slot) ((u64)(slot) << 32)
#define SEND_SLOT(a0)  ((cap_t)((a0) >> 32))

/* FRAME_MINT: device memory, mapped uncached. */
#define MINT_DEVICE (1ul << 32)

struct cap_info {
	u32 type;   /* enum cap_type */
	u32 rights; /* RIGHT_* */
	u64 base;  /* RAM, FRAME: physical address; IOPORT: first port; ENDPOINT: badge; IRQ: vector
		    */
	u64 bytes; /* RAM, FRAME; CNODE: slots; IOPORT: number of ports */
	u64 used;  /* RAM: bytes taken already */
};

/* ASPACE_UPDATE. */
#define ASPACE_OPS 64u
#define OP_MAP     1u /* -EEXIST: something is mapped there; -ENOMEM: donate page tables */
#define OP_UNMAP   2u /* what is not mapped is skipped */
#define OP_PROTECT 3u /* takes rights away (OP_MAP with MAP_REPLACE gives); the same */
#define OP_QUERY   4u /* of one page: result is QUERY_* or -ENOENT */
/* Of a space of contexts, alone: unmap all of it and take its page tables back; -E2BIG: they are
 * more than CLEAR_TABLES_MAX. */
#define OP_CLEAR         5u
#define OP_PAGES_MAX     512u
#define CLEAR_TABLES_MAX 256u

#define MAP_READ         1u
#define MAP_WRITE        2u
#define MAP_EXEC         4u /* with MAP_WRITE only in a context's address space (W^X) */
#define MAP_LARGE        8u /* 2 MiB pages: va, offset and the frame's base are multiples of 2 MiB */
#define MAP_REPLACE      16u /* in place of what is mapped there */
#define MAP_UNCACHED     32u

#define QUERY_PRESENT    1
#define QUERY_WRITE      2
#define QUERY_ACCESSED   4 /* cleared by the query when MAP_REPLACE is given */
#define QUERY_DIRTY      8
#define QUERY_LARGE      16

struct aspace_op {
	u32 op;
	u32 flags;   /* MAP_* */
	u64 va;      /* lower half, page aligned */
	u64 offset;  /* into the frame, bytes, page aligned */
	u32 pages;   /* 4 KiB each, or 2 MiB with MAP_LARGE; up to OP_PAGES_MAX */
	cap_t frame; /* OP_MAP */
	s64 result;  /* pages done or QUERY_*, or negative errno */
};

static_assert(sizeof(struct aspace_op) == 40, "aspace_op layout");

/* DOMAIN_SETUP. */
#define PRIORITIES       8u
#define PRIORITY_DRIVER  6u
#define PRIORITY_MONITOR 5u
#define PRIORITY_SERVICE 4u
#define PRIORITY_DEFAULT 3u

struct domain_setup {
	cap_t aspace;
	cap_t cnode;
	u64 entry; /* user addresses */
	u64 stack;
	u64 arg;       /* in rdi at entry */
	u32 priority;  /* 0 to PRIORITIES - 1, higher runs first */
	u32 death_bit; /* event posted to the caller of DOMAIN_SETUP when the domain stops; 64: none
			*/
	u64 image_offset; /* of its ELF file in the boot image, for symbols; 0 if it has none */
	char name[24];
};

/* DOMAIN_INFO. */
#define DOMAIN_NEW      1u
#define DOMAIN_RUNNABLE 2u
#define DOMAIN_WAITING  3u /* for events or calls */
#define DOMAIN_CALLING  4u /* until the server takes its call */
#define DOMAIN_REPLY    5u /* until the server answers */
#define DOMAIN_DEAD     6u

#define DEATH_EXIT      1u /* status: DOMAIN_EXIT's */
#define DEATH_STOP      2u /* by DOMAIN_STOP, or because an object that it needs was revoked */
#define DEATH_FAULT     3u /* vector, error, rip, address */

struct domain_info {
	u32 state; /* DOMAIN_* */
	u32 death; /* DEATH_* when dead */
	s64 status;
	u32 vector; /* of the exception */
	u32 error;  /* its error code */
	u64 rip;
	u64 address;  /* CR2 */
	u64 switches; /* times it was switched to */
	u64 calls;    /* calls of the CPU driver that it made */
	u64 rings;    /* doorbells that it rang */
	char name[24];
};

/* IO's operations. */
#define IO_IN8        0u
#define IO_IN16       1u
#define IO_IN32       2u
#define IO_OUT8       4u
#define IO_OUT16      5u
#define IO_OUT32      6u
#define IO_WRITE_MAX  256u
#define LOG_WRITE_MAX 512u

#define DOORBELLS     96u /* numbers of doorbells of a core */
#define EVENTS        64u /* event bits of a domain */

/* CORE_HALT. */
#define HALT_SILENT 0u /* interrupts off, for ever */
#define HALT_PANIC  1u /* a panic, with its report */

#endif
