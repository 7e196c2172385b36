/*
 * What ends a context's run beside system calls: page faults and exceptions, which become signals;
 * and running out of memory.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_TRAP_H
#define LINUX_TRAP_H

#include "process.h"

/** Handle what RUN returned: EXIT_FAULT, EXIT_EXCEPTION, or an error (a state RUN refused). */
void trap_handle(struct thread *t, s64 reason);

/** There is no memory: end the largest process, with a line on the console. */
void trap_out_of_memory(void);

#endif
