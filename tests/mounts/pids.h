/*
 * Process 1 of a new PID namespace: what the programs about these share.
 */
#ifndef PIDS_H
#define PIDS_H

#include "place.h"

#define NR_pidfd_open        434
#define NR_pidfd_send_signal 424
#define NR_clone3            435

pid_t clone_(unsigned long flags);
/** The status of @fn as process 1 of a new namespace, with more new ones as @flags say. */
int first_of(void (*fn)(void), unsigned long flags);
#define IN_NAMESPACE(fn) CHECK(first_of(fn, CLONE_NEWNS) == 0)

/** Pipes over which a child tells numbers, and over which it is told to go on. */
void open_pipes(void);
void tell(int n);
int hear(void);
void go_on(void);
void await(void);
/** Close the end of the children's pipe that is the caller's: are all others closed, too? */
bool all_are_gone(void);

void pause_for_ever(void);
/** A process 1 that waits. Opens the pipes. */
pid_t start_waiting(void);
/** /proc of the caller's namespace, over the one there was. */
int mount_proc(void);
/** What follows @word in a file, up to the end of its line; "": it is not there. */
const char *line_of(const char *path, const char *word);

#endif
