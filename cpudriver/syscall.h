/* The calls of native domains: from number to function. */
#ifndef SYSCALL_H
#define SYSCALL_H

#include "domain.h"

/** What a call returns when it has set the caller's registers itself, or put it to sleep. */
#define CALL_DONE INT64_MIN

s64 call_wait(u64 mask, u64 flags);
s64 call_call(u64 endpoint);
s64 call_reply(u64 send);
s64 call_reply_wait(u64 send);
s64 call_reply_save(u64 slot);
s64 call_reply_to(u64 slot);
s64 call_receive_slot(u64 slot);

/** Hand the first waiting call to @d, which has one waiting and serves none. */
void ipc_take_call(struct domain *d);

/** Wake @d from WAIT with the pending events that it waits for. */
void ipc_wake_events(struct domain *d);

/** The right to answer @caller (NULL: it is dead itself) is gone without an answer. */
void ipc_reply_lost(struct domain *caller);

/** @d is dead: callers fail, and it calls nobody any more. */
void ipc_domain_gone(struct domain *d);

s64 call_io(u64 ioport, u64 port, u64 op, u64 value);
s64 call_io_write(u64 ioport, u64 port, u64 from, u64 bytes);
s64 call_ioport_mint(u64 core, u64 first, u64 last, u64 to);
s64 call_core_init(u64 core, u64 apic_id);
s64 call_core_startup(u64 core, u64 apic_id, u64 page);
s64 call_core_halt(u64 core, u64 how);
s64 call_core_mint(u64 core, u64 to);

#endif
