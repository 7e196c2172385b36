/*
 * What is left when a core stops: scenarios, each a process on core 0, or wherever it goes, that
 * prepares something with others on the doomed core, and checks what has become of it.
 *
 *   SCENARIO(its_child_is_seen_to_be_killed)
 *   {
 *           pid_t child = on_core(DOOMED, sleep_for_ever, NULL);
 *
 *           the_core_dies();
 *           CHECK(end_of(child) == -SIGKILL);
 *   }
 *
 * All prepare first, then the core is halted once for all of them. Nothing may take for ever: an
 * alarm ends a scenario that hangs.
 */
#ifndef DEATH_H
#define DEATH_H

#include "check.h"
#include "cores.h"

#define DOOMED 3
#define LIVING 1 /* a core other than that, and other than the first */

void scenario_register(const char *name, void (*fn)(void));

#define SCENARIO(name)                                                                             \
	static void name(void);                                                                    \
	__attribute__((constructor)) static void register_##name(void)                             \
	{                                                                                          \
		scenario_register(#name, name);                                                    \
	}                                                                                          \
	static void name(void)

/** This scenario, or its children on other cores, are ready; returns when the core is dead. */
void the_core_dies(void);
/** For children of a scenario that live on: return when the core is dead. */
void await_death(void);

/** For on_core(): closes the descriptor that *@arg says, if any, and sleeps. */
int sleep_for_ever(void *arg);

/** What the children of a scenario share with it, made on core 0: zeroes at first. */
extern volatile int *shared;
/** Wait until shared[@i] is @value. */
void await_shared(int i, int value);

#endif
