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
 * Start @argv in a session of its own, with @tty as its terminal and standard streams.
 *
 * @ask  wait for the Enter key first
 * Returns its number; -1 and errno: there is no memory for another process.
 */
pid_t spawn(char *const *argv, const char *tty, bool ask);

/**
 * Start a command line: by /bin/sh if it has characters that are a shell's, else as it is. With "-"
 * before it, it is a login shell.
 */
pid_t spawn_line(const char *line, const char *tty, bool ask);

/** What a shell calls the status of waitpid(2): 128 + the signal that ended it. */
int status_of(int wait_status);

/* inittab.c */

enum action {
	SYSINIT,    /* first, each to its end */
	WAIT,       /* then these, each to its end */
	ONCE,       /* started then */
	RESPAWN,    /* started again whenever it ends */
	ASKFIRST,   /* the same, when somebody has pressed Enter */
	CTRLALTDEL, /* when asked to restart, by a SIGINT */
	SHUTDOWN,   /* at the end */
	RESTART,    /* instead of process 1, after a SIGQUIT */
	ACTIONS
};

struct entry {
	struct entry *next;
	enum action action;
	pid_t pid;         /* that runs; 0: none */
	bool listed;       /* in the file as it is now */
	char terminal[40]; /* its path */
	char line[256];
};

extern struct entry *entries;

/** Read /etc/inittab, or make do without one; what runs goes on. */
void inittab_read(void);

#endif
