/*
 * Letters: messages of any length up to LETTER_MAX between any two monitors.
 *
 * Letters that start cores, open links and print go along the tree, so that they need no links of
 * their own. All others, by which two monitors work on something together, go by the link of the
 * two (ROUTE_DIRECT in route.c): so the death of a third core loses none of them. When a core dies
 * its children in the tree become those of its nearest live ancestor, or, if there is none, of the
 * lowest live core; a letter that was on its way through the dead core is lost.
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

/** Whether letters along the tree go to @core without a stop. */
bool route_is_neighbour(u32 core);

/** A core is dead: the tree closes around it. */
void route_core_died(u32 core);

/** Whether @core is in the subtree of @root, itself included. */
bool route_is_below(u32 core, u32 root);

#endif
