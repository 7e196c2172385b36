/*
 * The event loop of a native program: fibers (lib/fiber) over WAIT, timers over one timer object,
 * local calls that others make, notices of the monitor, channels.
 *
 * When no fiber is ready the loop arms every channel that a fiber waits for and sleeps. Until the
 * doorbell rings or somebody else waits they stay armed and cost nothing. Bits of events from
 * DOMAIN_BIT_USER on are the program's: fiber_wait_events(&rt_loop, ...).
 *
 * Runs in: native domains.
 */
#ifndef RT_LOOP_H
#define RT_LOOP_H

#include <fiber/fiber.h>
#include <rt/calls.h>

#define RT_STACK_BYTES (32 * KiB) /* of a fiber */

extern struct fiber_loop rt_loop;

/* A local call that somebody made to this domain, while its handler runs. */
struct rt_call {
	u64 badge;              /* of the caller's endpoint */
	struct sys_words words; /* what it sent; then the answer */
	cap_t cap;  /* that came along, or CAP_NONE; whoever keeps it sets this to CAP_NONE */
	cap_t send; /* to go along with the answer */
	bool saved;
};

typedef void rt_server(struct rt_call *call, void *arg);

/**
 * From now on take local calls. @server runs outside of any fiber and must not wait; it leaves the
 * answer in the call, or saves the caller for later.
 * Returns 0 or -ENOMEM (no slot).
 */
int rt_serve(rt_server *server, void *arg);

/** Answer later: *@reply is for sys_reply_to(), and slot_put() then. 0 or -ENOMEM. */
int rt_call_save(struct rt_call *call, cap_t *reply);

/** Make an endpoint to this domain with @badge; CAP_NONE: no slot. */
cap_t rt_endpoint_new(u64 badge);

/** Start a fiber of @entry(@arg) with a stack of its own. 0 or -ENOMEM. */
int rt_fiber_start(void (*entry)(void *arg), void *arg);

/** There is an event: it is looked for before ready fibers run again. */
void rt_loop_look(void);

/** Wait without end; for programs that only serve. */
_Noreturn void rt_sleep_forever(void);

/** Sleep; 0 or -EINTR. */
int rt_sleep_ns(u64 ns);

/** The loop's, and everybody who must be asked before it sleeps. Called by entry.c. */
void loop_init(void);

#endif
