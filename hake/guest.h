/*
 * Running QEMU: its console, what the guest reports there, and how it ended.
 *
 * Lines of the console that begin with "@" are for programs: "@word key=value key=value". The
 * last one is "@exit code=N"; the guest then writes N to the port of isa-debug-exit.
 *
 * A guest with a key runs programs of somebody else: once it is up ("@up"), the terminal gets what
 * they print, byte by byte, and only lines with the key are for us.
 */
#ifndef HAKE_GUEST_H
#define HAKE_GUEST_H

#include "util.h"

struct guest {
	struct strv argv; /* QEMU's command */
	u32 timeout_s;    /* 0: none */
	int log;          /* file descriptor that gets all the console shows, or -1 */
	bool terminal;    /* our terminal is its console */
	bool verbose;     /* show the terminal the "@" lines, too */
	const char
		*key; /* "@exit" counts only with it: programs may print anything. NULL: always */
	const char *when; /* once the console has shown this ... */
	const char *send; /* ... type that */

	/* What came of it: */
	struct buf console; /* all that it showed, without carriage returns */
	struct strv lines;  /* those that begin with "@" */
	struct buf errors;  /* QEMU's own */
	bool timed_out, quit;
	bool said_exit;
	bool restart; /* it wants to be started again */
	int code;     /* of "@exit" */
	int status;   /* QEMU's exit status */
	u64 up_ms;    /* from QEMU's start to the first line "@up", 0: there was none */
};

/**
 * Runs it to its end; may be called again, for a guest that restarts. Returns the guest's exit
 * code, EXIT_TIMEOUT, or EXIT_GUEST if it ended without one.
 */
int guest_run(struct guest *g);

/** Why guest_run() returned EXIT_TIMEOUT or EXIT_GUEST, in words; NULL if there was a code. */
const char *guest_trouble(const struct guest *g);

/** Whether @line is "@word ...". */
bool line_is(const char *line, const char *word);

/** The value of @key in @line ("..." may hold blanks), or NULL. */
char *line_value(const char *line, const char *key);

#endif
