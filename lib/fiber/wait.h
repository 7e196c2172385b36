/*
 * What fiber.c and wait.c share. Private to lib/fiber.
 */
#ifndef FIBER_WAIT_H
#define FIBER_WAIT_H

#include <fiber/fiber.h>

enum fiber_state { FIBER_READY, FIBER_RUNNING, FIBER_WAITING, FIBER_ENDED };

/* Give control back to the loop until resumed. The caller has put @fiber where it is found. */
void fiber_suspend(struct fiber *fiber);

/* Put @fiber, which is in no queue, behind the ready ones. */
void fiber_make_ready(struct fiber *fiber);

/* Take the first fiber out of @queue; NULL if it is empty. */
struct fiber *fiber_take_first(struct fiber_queue *queue);

/* Wake fibers by events and deadlines; if none is ready, wait for some. False: none will be. */
bool fiber_poll(struct fiber_loop *loop);

#endif
