/*
 * The requests that programs of this core make (skerry/monitor.h).
 */
#ifndef MONITOR_SERVER_H
#define MONITOR_SERVER_H

#include <rt/calls.h>

void server_init(void);

/**
 * Serve one local call: @got as WAIT gave it, @with_cap whether a capability came along, which
 * is in the receive slot. Answers the caller in any case.
 */
void server_call(const struct sys_wait *got, bool with_cap);

#endif
