/*
 * Letters: messages of any length up to LETTER_MAX between any two monitors, along the tree.
 *
 * A monitor that gets a piece for another hands it on to the neighbour that is nearer; each pair
 * of cores has one path, so order holds. A letter to oneself is delivered by the loop as any other.
 */
#ifndef MONITOR_ROUTE_H
#define MONITOR_ROUTE_H

#include <skerry/msg/monitor.h>

typedef void letter_handler(u32 from, const void *data, u32 bytes);

void route_init(void);

/** Take letters of a kind. @least: shorter ones are dropped, so the handler may rely on it. */
void route_handle(enum letter_kind kind, letter_handler *handler, u32 least);

/** 0; -ENOMEM; -EINVAL (no such core, or too long); -EHOSTDOWN. */
int route_send(u32 to, enum letter_kind kind, const void *data, u32 bytes);

/** Deliver letters to oneself. True if there were any. */
bool route_poll(void);

/** Whether @core is in the subtree of @root, itself included. */
bool route_is_below(u32 core, u32 root);

#endif
