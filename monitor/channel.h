/*
 * Channels between programs, of one core or two: their memory, doorbells and end.
 *
 *   opener's monitor                          server's monitor
 *   channel_open: region -LETTER_OPEN->       open_rx: finds the service, makes its region
 *   opened_rx: maps the server's <-OPENED-    ... NOTICE_ACCEPT to the server
 *   NOTICE_CHANNEL to the opener
 *   channel_attach: both ends, when they like
 *
 *   channel_close, or death: -LETTER_HANGUP-> hangup_rx: NOTICE_HANGUP (once attached)
 *                                             channel_close: what was lent is revoked
 *   released_rx: <-LETTER_RELEASED-           own region is free
 *
 * Each end's region is memory of its own core, which it reads and the peer writes: it returns
 * when both ends have let go. A channel of two programs of one core is the same with itself.
 *
 * The monitor itself may be the opener (owner NULL), for the console.
 */
#ifndef MONITOR_CHANNEL_H
#define MONITOR_CHANNEL_H

#include "program.h"
#include <skerry/msg/monitor.h>

/* What the monitor's own channels are told. */
typedef void channel_opened(u32 number, s32 status);

void channel_init(void);

/** MON_LISTEN: returns a service's number, or -EEXIST, -EINVAL, -ENOMEM. */
s64 channel_listen(struct program *owner, const char *name);

/** MON_OPEN: returns a channel's number or -EINVAL, -ENOMEM. @opened: if @owner is NULL. */
s64 channel_open(struct program *owner, u32 core, const struct mon_open *what,
		 channel_opened *opened);

struct channel_view {
	u32 peer_core;
	u64 region_bytes, ring_bytes;
};

/** MON_ATTACH: 0, -EINVAL, -EAGAIN, -EALREADY, -EEXIST. */
int channel_attach(struct program *owner, u32 number, cap_t to, struct channel_view *view);

/** The same for the monitor's own: capabilities in its own table. */
int channel_attach_own(u32 number, cap_t *tx, cap_t *rx, cap_t *bell, struct channel_view *view);

/** MON_CLOSE: 0 or -EINVAL. */
int channel_close(struct program *owner, u32 number);

/** All channels and services of a program end. */
void channel_program_died(struct program *owner);

/** A core is dead: so are the peers there. */
void channel_core_died(u32 core);

#endif
