/*
 * Channels between this monitor and others.
 *
 * Neighbours in the start tree have theirs from the beginning; every other pair makes one when a
 * message is first sent (link_send), by letters along the tree. Each side allocates the region
 * that it reads, in its own memory, read-only to itself, and tells the other where it is; the
 * other maps it (FRAME_MINT) to write it. So a frame has one writer.
 *
 *   child's start:   parent makes its region, its address goes with the child's hand-off
 *                    child makes its own, writes its address into the parent's (struct link_hello)
 *
 *   on demand:       closed --send--> opening --LINK_ACCEPT or LINK_OPEN--> open
 *                       \------LETTER_LINK_OPEN (we accept)--------------/
 *                    If both ask at once, each finds in the other's request what it needs.
 *
 *   the same where no letter gets through (a core in between has died): after a while without an
 *   answer each side finds the other's region at its door (door.h).
 *
 * A link ends when its core is dead (link_core_died): first what it had sent is received.

 * What is sent while a link is opening, or full, waits here in order. Not here: letters (route.h).
 */
#ifndef MONITOR_LINK_H
#define MONITOR_LINK_H

#include "mem.h"
#include <skerry/msg.h>
#include <skerry/msg/monitor.h>

#define LINK_BYTES PAGE_SIZE /* of a region */
#define LINK_EPOCH 1u

/*
 * Where a child tells its region's address: at the end of the parent's region, behind the ring.
 * The word is the address + 1, so that zero says: not yet.
 */
#define LINK_HELLO_OFFSET (LINK_BYTES - sizeof(u64))

/* Takes a message, or returns false: then it comes again, before any other of its sender's. */
typedef bool link_handler(u32 from, const struct msg *m);

/** Make the link to the parent, if there is one; before everything else that sends. */
void link_init(void);

/** Take messages of a class (MSG_CLASS) from all links. */
void link_handle(u32 class, link_handler *handler);

/**
 * Send one line to any core, itself excluded, by a channel of the two. Messages of a pair arrive
 * in order.
 * Returns 0; -ENOMEM; -EHOSTDOWN: the core is known to be dead; -EINVAL: no such core.
 */
int link_send(u32 core, u16 type, const void *payload, size_t len);

/**
 * Make this side of the link to a child that is about to start.
 * *@rx_phys is what its hand-off shall say. Returns 0 or -ENOMEM.
 */
int link_expect_child(u32 child, u64 *rx_phys);

/** Whether the child has answered. */
bool link_is_open(u32 core);

/** EVENT_KNOCK: find who wants a link. */
void link_knocked(void);

/** Receive all that @core, which has stopped, had sent. False: try again later. */
bool link_drain(u32 core);

/** A core is dead: its link is closed and what waits for it dropped. */
void link_core_died(u32 core);

/** Receive from all links, and send what waits. True if anything was done. */
bool link_poll(void);

/** Ask all peers for doorbells. True: the monitor may sleep. */
bool link_arm(void);

/** The messages sent to and received from the @n-th link's core by class; false: no such link. */
bool link_counts(u32 n, u32 class, struct domain_count *count);

#endif
