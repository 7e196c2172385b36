/* See person.h. */
#include "person.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 60000
#define ESC_WAIT_MS 400 /* after which a program takes ESC for a key of its own */
#define BURST       8   /* keys at a time, as a fast typist's */

struct screen screen;

static int terminal = -1;
static pid_t child;
static const char *prompt = "# ";

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void person_begin(char *const *argv, const char *term)
{
	const struct winsize size = {.ws_row = ROWS, .ws_col = COLS};

	screen_init(&screen);
	child = forkpty(&terminal, NULL, NULL, &size);
	if (child < 0) {
		perror("forkpty");
		exit(EXIT_FAILURE);
	}
	if (child)
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setenv("TERM", term, 1);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static void send_bytes(const char *bytes, size_t n)
{
	while (n) {
		ssize_t done = write(terminal, bytes, n);

		if (done < 0 && errno != EINTR)
			return;
		bytes += done > 0 ? done : 0;
		n -= done > 0 ? (size_t)done : 0;
	}
}

/* Takes what the terminal shows within @ms. False: nothing came, or its end. */
static bool look(int ms)
{
	struct pollfd p = {terminal, POLLIN, 0};
	char bytes[4096];
	ssize_t n;

	if (terminal < 0 || poll(&p, 1, ms) <= 0)
		return false;
	n = read(terminal, bytes, sizeof(bytes));
	if (n <= 0) {
		if (n == 0 || errno != EINTR) {
			close(terminal);
			terminal = -1;
		}
		return false;
	}
	screen_take(&screen, bytes, (size_t)n);
	if (screen.answer_len)
		send_bytes(screen.answer, screen.answer_len);
	screen.answer_len = 0;
	return true;
}

static void pause_ms(int ms)
{
	long end = now_ms() + ms;

	for (long left = ms; left > 0; left = end - now_ms())
		look((int)left);
}

void type(const char *keys)
{
	while (*keys) {
		size_t n = strnlen(keys, BURST);
		const char *esc = memchr(keys, '\033', n);

		if (esc)
			n = (size_t)(esc - keys) + 1;
		send_bytes(keys, n);
		keys += n;
		if (esc && *keys != '[' && *keys != 'O')
			pause_ms(ESC_WAIT_MS);
		else if (esc) {
			n = strcspn(keys, "ABCDFH~");
			send_bytes(keys, keys[n] ? n + 1 : n);
			keys += keys[n] ? n + 1 : n;
		}
		while (look(0))
			continue;
	}
}

bool see(bool (*seen)(const void *arg), const void *arg)
{
	long end = now_ms() + PATIENCE_MS;

	while (!seen(arg)) {
		if (terminal < 0 || now_ms() >= end)
			return false;
		look(200);
	}
	return true;
}

static bool has_text(const void *arg)
{
	return screen_shows(&screen, arg);
}

bool see_text(const char *text)
{
	return see(has_text, text);
}

struct row_text {
	int row;
	const char *text;
};

static bool row_is(const void *arg)
{
	const struct row_text *wanted = arg;

	return strcmp(screen_row(&screen, wanted->row), wanted->text) == 0;
}

bool see_row(int row, const char *text)
{
	const struct row_text wanted = {row, text};

	return see(row_is, &wanted);
}

void set_prompt(const char *text)
{
	prompt = text;
}

/* The cursor is behind the prompt, and nothing else is in its line. */
static bool is_at_prompt(void)
{
	size_t n = strlen(prompt);
	const char *line = screen_row(&screen, screen.row);

	return screen.col == (int)n && strncmp(line, prompt, n - 1) == 0 && strlen(line) <= n;
}

static bool at_prompt(const void *arg)
{
	return is_at_prompt() && (arg ? screen.row == 0 : screen.row > 0);
}

bool see_prompt(void)
{
	return see(at_prompt, NULL);
}

bool fresh_line(void)
{
	type("\f");
	return see(at_prompt, "");
}

bool run(const char *command)
{
	if (!fresh_line())
		return false;
	type(command);
	type("\r");
	return see_prompt();
}

bool prints(const char *command, const char *output)
{
	return run(command) && strcmp(screen_row(&screen, 1), output) == 0;
}

void show_screen(void)
{
	for (int row = 0; row < ROWS; row++) {
		const char *text = screen_row(&screen, row);

		if (*text)
			printf("  %2d| %s\n", row, text);
	}
	printf("    cursor in line %d, column %d\n", screen.row, screen.col);
}

int person_end(void)
{
	long end = now_ms() + PATIENCE_MS;
	int status;

	while (terminal >= 0 && now_ms() < end)
		look(200);
	for (;;) {
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (now_ms() >= end) {
			kill(child, SIGTERM);
			return -1;
		}
		usleep(20000);
	}
}
