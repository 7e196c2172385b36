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
#include <sys/stat.h>
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

/*
 * The console is another name of a terminal, under which there is no job control: who has it as
 * its terminal wants to be told its own name.
 */
static const char *real_name(const char *tty)
{
	static const char *const names[] = {"/dev/ttyS0", "/dev/hvc0", "/dev/tty1"};
	unsigned dev;
	struct stat st;

	if (strcmp(tty, "/dev/console") != 0 || ioctl(STDIN_FILENO, TIOCGDEV, &dev))
		return tty;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (stat(names[i], &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == dev)
			return names[i];
	}
	return tty;
}

/* A terminal that cannot be opened leaves the console of process 1. */
static void take_terminal(const char *tty)
{
	int fd = open(real_name(tty), O_RDWR | O_NOCTTY);

	for (int i = STDIN_FILENO; fd >= 0 && i <= STDERR_FILENO; i++)
		dup2(fd, i);
	if (fd > STDERR_FILENO)
		close(fd);
	ioctl(STDIN_FILENO, TIOCSCTTY, 1);
}

static void wait_for_enter(void)
{
	static const char question[] = "\nPlease press Enter to activate this console. ";
	char key = 0;

	if (write(STDOUT_FILENO, question, sizeof(question) - 1) < 0)
		return;
	while (key != '\n' && read(STDIN_FILENO, &key, 1) == 1)
		continue;
}

static pid_t spawn_as(const char *path, char *const *argv, const char *tty, bool ask)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	default_signals();
	setsid();
	take_terminal(tty);
	if (ask)
		wait_for_enter();
	execvp(path, argv);
	fprintf(stderr, "init: %s: %s\n", path, strerror(errno));
	_exit(errno == ENOENT || errno == ENOTDIR ? NOT_FOUND : NOT_A_PROGRAM);
}

pid_t spawn(char *const *argv, const char *tty, bool ask)
{
	return spawn_as(argv[0], argv, tty, ask);
}

pid_t spawn_line(const char *line, const char *tty, bool ask)
{
	bool login = *line == '-';
	char text[256], name[256], *rest = text, *argv[32] = {NULL};
	int n = 0;

	line += login;
	if (strpbrk(line, "~`!$^&*()=|\\{}[];\"'<>?")) {
		char *shell[] = {"/bin/sh", "-c", (char *)line, NULL};

		return spawn_as(shell[0], shell, tty, ask);
	}
	snprintf(text, sizeof(text), "%s", line);
	for (char *word; n < 31 && (word = strsep(&rest, " \t"));) {
		if (*word)
			argv[n++] = word;
	}
	if (!n) {
		errno = ENOENT;
		return -1;
	}
	line = argv[0];
	snprintf(name, sizeof(name), "-%s", strrchr(line, '/') ? strrchr(line, '/') + 1 : line);
	if (login)
		argv[0] = name;
	return spawn_as(line, argv, tty, ask);
}

int status_of(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}
