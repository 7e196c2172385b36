/*
 * Domains: native programs of this core, and all that can happen to them.
 *
 *   new -> runnable <-> waiting            (events, WAIT)
 *                   <-> calling -> reply   (CALL: queued at the server, then served)
 *   any -> dead                            (exit, stop, fault); never back
 *
 * A domain's memory is given by its creator; all domains of the core are in one list, at most
 * DOMAINS_MAX of them, which bounds every walk over it.
 */
#ifndef DOMAIN_H
#define DOMAIN_H

#include "cap.h"
#include "arch/x86_64/regs.h"

#define DOMAINS_MAX 256u

struct aspace;

struct domain {
	struct regs regs; /* first: entry.S saves here */
	u32 full;  /* all registers and extended state are to be restored, not just a call's */
	u32 state; /* DOMAIN_* */
	u32 priority;
	u32 death_bit;
	struct aspace *aspace;
	struct cap *table;
	u64 slots;
	u64 events; /* pending */
	u64 wait_mask;
	u32 wait_flags;
	cap_t receive; /* slot for the next capability, 0 if none */

	struct domain *run_next, *run_prev;    /* runnable: in its priority's queue */
	struct domain *callers, *callers_last; /* who waits to be served, through run_next */
	struct domain *caller;                 /* being served, reply right not saved */
	struct domain *server;                 /* calling, reply: whose answer it waits for */
	struct cap *reply_slot; /* reply: the slot that holds the right to answer it, if saved */
	u64 badge;              /* calling: of the endpoint that it used */
	cap_t sending;          /* calling: slot of the capability that goes along, or 0 */

	struct domain *supervisor;  /* gets death_bit */
	struct domain *next, *prev; /* all domains of this core */
	struct domain_info info;
	u64 image_offset;
	u8 xstate[4096] __attribute__((aligned(64))); /* while full */
};

static_assert(offsetof(struct domain, full) == D_FULL, "asm.h");
static_assert(sizeof(struct domain) <= DOMAIN_BYTES, "size that RETYPE wants");

extern struct domain *current; /* whose call is being served; NULL only when idle */
extern struct domain *domains; /* all */
extern u32 domain_count;
extern struct domain *monitor; /* without it the core is lost */

/** The slot @slot of @d's table, if it is within the table; else NULL. */
static inline struct cap *cap_slot(const struct domain *d, cap_t slot)
{
	return slot < d->slots ? &d->table[slot] : NULL;
}

/**
 * Find a capability of @type with all of @rights in the current domain's table. Inline, because
 * every local call and every run of a context begins with it.
 * Returns 0 and sets *@cap, or -EBADF, -EINVAL (other type), -EPERM.
 */
static inline int cap_find(cap_t slot, enum cap_type type, u32 rights, struct cap **cap)
{
	struct cap *c = &current->table[slot];

	if (likely(slot < current->slots && c->type == type && (c->rights & rights) == rights)) {
		*cap = c;
		return 0;
	}
	if (slot >= current->slots || c->type == CAP_NULL)
		return -EBADF;
	return c->type != type ? -EINVAL : -EPERM;
}

/** Make a domain object in zeroed memory. */
void domain_init(struct domain *d);

/** End @d for good: callers get -EPIPE, its supervisor the event. Does nothing if dead already. */
void domain_die(struct domain *d, u32 death, s64 status);

/** The same for an exception: reports it on the console with a symbolised backtrace. */
void domain_fault(struct domain *d, u32 vector, u64 error, u64 address);

/** Take a dead or new domain out of the list: its memory is going away. */
void domain_destroy(struct domain *d);

/** End whoever runs on @aspace or uses @table, because that is being destroyed. */
void domain_aspace_gone(struct aspace *aspace);
void domain_table_gone(struct cap *table);

/** Post events to @d; wakes it if it waits for one of them. */
void domain_post(struct domain *d, u64 events);

s64 call_domain_setup(u64 domain, u64 setup);
s64 call_domain_start(u64 domain);
s64 call_domain_stop(u64 domain);
s64 call_domain_info(u64 domain, u64 info);
s64 call_domain_exit(u64 status);

#endif
