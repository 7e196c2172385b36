/*
 * This monitor's part in what the monitors agree on: lib/agree over the links.
 *
 *   requests  -> lib/agree -> outbox -> agreement_poll() -> link_send(), results, fences
 *   links     -> agreement's handler -> lib/agree
 *   a timer   -> agree_tick()
 *
 * A core that does not answer is stopped by INIT (fence_send), which a moment later has been
 * obeyed: then what it had sent is taken, and only then does the library hear that it has stopped.
 * When a core is known to be dead, every part of this monitor hears so (core_died).
 *
 * Command line: agree.suspect_ms=N, how long a core may owe an answer to the question whether it is
 * there; agree.ping_ms=N, how long any answer may take until that is asked.
 *
 * Not here: what programs may ask for (agreed.h).
 */
#ifndef MONITOR_AGREEMENT_H
#define MONITOR_AGREEMENT_H

#include <agree/agree.h>
#include <agree/names.h>

/* Numbers of the types of objects, the same on all cores. */
enum agreement_type { AGREEMENT_MAP, AGREEMENT_NAMES, AGREEMENT_LEDGER };

/* A request's way back: its address is the token that the library gets. */
struct agreement_request {
	void (*done)(struct agreement_request *request, s64 status);
};

extern struct agree *agreement;
extern struct names agreement_names;

/** After link_init(). */
void agreement_init(void);

static inline u64 agreement_token(struct agreement_request *request)
{
	return (u64)request;
}

/** Do what the library has put into its outbox. True if anything was done. */
bool agreement_poll(void);

#endif
