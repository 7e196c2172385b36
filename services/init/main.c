/*
 * Process 1, for roots that have no /init of their own (services/linux/boot.c).
 *
 *   init                           runs what /etc/inittab says, for ever
 *   init --run PROGRAM [ARG...]    runs one program, and ends with its status
 *
 * Whoever loses his parent becomes our child, and is reaped.
 *
 * Runs on: Skerry, as a static Linux program; any Linux would do.
 */
#include "init.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Reaps whoever ends, until @pid does. Returns its status as a shell's. */
static int wait_for(pid_t pid)
{
	for (;;) {
		int status;
		pid_t who = wait(&status);

		if (who == pid)
			return status_of(status);
		if (who < 0 && errno != EINTR)
			return EXIT_FAILURE;
	}
}

static int run(char **argv)
{
	pid_t pid = spawn(argv, "/dev/console", true);

	if (pid < 0) {
		fprintf(stderr, "init: %s: %s\n", argv[0], strerror(errno));
		return EXIT_FAILURE;
	}
	return wait_for(pid);
}

int main(int argc, char **argv)
{
	if (getpid() != 1) {
		fprintf(stderr, "init: this is the first process's program, and no other's\n");
		return EXIT_FAILURE;
	}
	mount_usual();
	setenv("PATH", USUAL_PATH, 0);
	if (argc > 2 && strcmp(argv[1], "--run") == 0)
		return run(argv + 2);
	for (;;) {
		char *shell[] = {"/bin/sh", NULL};

		run(shell);
	}
}
