/*
 * Process 1 of roots that have none of their own: what its parts tell each other. See main.c.
 */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include <stdbool.h>
#include <sys/types.h>

/* mounts.c */

/** Mounts what every Linux program expects, where it is not mounted yet. */
void mount_usual(void);

/* spawn.c */

/**
 * Start @argv in a session of its own.
 *
 * @tty      the terminal that becomes its standard streams, and the session's if @control;
 *           NULL: what process 1 has
 * Returns its number; -1 and errno: there is no memory for another process.
 */
pid_t spawn(char *const *argv, const char *tty, bool control);

/** What a shell calls the status of waitpid(2): 128 + the signal that ended it. */
int status_of(int wait_status);

#endif
