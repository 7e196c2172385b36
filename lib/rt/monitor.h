/*
 * Asking the monitor of this core: see skerry/monitor.h for the requests.
 */
#ifndef RT_MONITOR_H
#define RT_MONITOR_H

#include <rt/calls.h>
#include <skerry/domain.h>
#include <skerry/monitor.h>

/** The page for what does not fit in words: fill it, then ask. */
static inline void *monitor_page(void)
{
	return (void *)DOMAIN_CALL_VA;
}

/**
 * One request. @words holds the arguments in w[1] to w[4]; the answer replaces them.
 *
 * @send  a capability to send along, or CAP_NONE
 * Returns zero or a positive result, or a negative errno.
 */
s64 monitor_ask(enum monitor_request what, struct sys_words *words, cap_t send);

/** The same for requests whose answer is the result alone. */
s64 monitor_ask_simple(enum monitor_request what, u64 a1, u64 a2, u64 a3, u64 a4);

/**
 * A request whose answer brings a capability.
 *
 * @slot  where it is on success
 * Returns as monitor_ask(); -ENOMEM also if no slot is free here.
 */
s64 monitor_ask_cap(enum monitor_request what, struct sys_words *words, cap_t *slot);

#endif
