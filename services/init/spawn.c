/*
 * Starting programs, and what became of them.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND     127
#define NOT_A_PROGRAM 126

/* What a program begins with: no signal blocked, none ignored. */
static void default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A terminal that cannot be opened leaves the console of process 1. */
static void take_terminal(const char *tty, bool control)
{
	int fd = tty ? open(tty, O_RDWR | O_NOCTTY) : STDIN_FILENO;

	if (fd > STDERR_FILENO) {
		for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
			dup2(fd, i);
		close(fd);
	}
	if (control)
		ioctl(STDIN_FILENO, TIOCSCTTY, 1);
}

pid_t spawn(char *const *argv, const char *tty, bool control)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	default_signals();
	setsid();
	take_terminal(tty, control);
	execvp(argv[0], argv);
	fprintf(stderr, "init: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT || errno == ENOTDIR ? NOT_FOUND : NOT_A_PROGRAM);
}

int status_of(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}
