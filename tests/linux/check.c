/* See check.h. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CASES_MAX    256
#define CASE_SECONDS 30

static struct {
	const char *name;
	void (*fn)(void);
} cases[CASES_MAX];

static int ncases;
static int report[2]; /* pipe: what has failed, from the case to its parent */

void case_register(const char *name, void (*fn)(void))
{
	cases[ncases].name = name;
	cases[ncases++].fn = fn;
}

void case_failed(const char *file, int line, const char *what, int error)
{
	const char *slash = strrchr(file, '/');
	char text[200];
	int n = snprintf(text, sizeof(text), "%s:%d:%s,errno=%d", slash ? slash + 1 : file, line,
			 what, error);

	for (int i = 0; i < n && i < (int)sizeof(text) - 1; i++) {
		if (text[i] == ' ' || text[i] == '\n')
			text[i] = '_';
	}
	if (write(report[1], text, strnlen(text, sizeof(text))) < 0)
		_exit(99);
	_exit(1);
}

int in_child(void (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		fn(arg);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static int run(int i)
{
	char detail[256] = "";
	int status = 0;
	ssize_t n;
	pid_t pid;

	fflush(NULL);
	if (pipe(report))
		return 1;
	pid = fork();
	if (pid == 0) {
		close(report[0]);
		alarm(CASE_SECONDS);
		cases[i].fn();
		_exit(0);
	}
	close(report[1]);
	n = read(report[0], detail, sizeof(detail) - 1);
	close(report[0]);
	if (waitpid(pid, &status, 0) != pid || n < 0)
		snprintf(detail, sizeof(detail), "lost");
	else if (WIFSIGNALED(status) && !detail[0])
		snprintf(detail, sizeof(detail), "signal-%d", WTERMSIG(status));
	if (status == 0 && !detail[0])
		printf("@test name=%s result=pass\n", cases[i].name);
	else
		printf("@test name=%s result=fail detail=%s\n", cases[i].name, detail);
	return status != 0 || detail[0];
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 0; i < ncases; i++) {
		if (argc < 2 || strstr(cases[i].name, argv[1]))
			failed += run(i);
	}
	return failed != 0;
}
