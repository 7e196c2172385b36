/*
 * Running QEMU with its console on pipes. See guest.h.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE     1    /* Ctrl-A, as QEMU has it: then x ends, another Ctrl-A is sent */
#define EXIT_GRACE 5000 /* ms that QEMU has to end in after "@exit" */
#define TAIL_BYTES 2000
#define LINE_KEPT  4096 /* bytes of a line without an end */

static struct termios old_terminal;

static void restore_terminal(void)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &old_terminal);
}

/* Every key goes to the guest; output is not touched, but for newlines. */
static bool raw_terminal(void)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &old_terminal))
		return false;
	raw = old_terminal;
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST | ONLCR;
	atexit(restore_terminal);
	return tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

/* From now on a guest's programs move the cursor. */
static void raw_output(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &raw))
		return;
	raw.c_oflag &= ~(tcflag_t)OPOST;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

/* One run: the guest, its process, and where in a line its console is. */
struct run {
	struct guest *g;
	pid_t pid;
	int in, out, err;  /* our ends of its standard streams; -1: closed */
	struct buf line;   /* what of the current line has come */
	size_t shown;      /* ... and how much of it the terminal has been shown */
	bool sent, escape; /* @send is typed; Ctrl-A was the last key */
	bool up;           /* "@up" has come */
	u64 start;         /* now_ms() when QEMU was started */
	u64 deadline;      /* now_ms() at which to give up, 0: never */
};

static void start_qemu(struct run *r)
{
	int in[2], out[2], err[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		die("cannot make a pipe: %s", strerror(errno));
	fflush(NULL);
	r->pid = fork();
	if (r->pid < 0)
		die("cannot start QEMU: %s", strerror(errno));
	if (r->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* no QEMU outlives hake */
		execvp(r->g->argv.v[0], strv_argv(&r->g->argv));
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	r->in = in[1];
	r->out = out[0];
	r->err = err[0];
}

bool line_is(const char *line, const char *word)
{
	size_t n = strlen(word);

	return line[0] == '@' && strncmp(line + 1, word, n) == 0 &&
	       (line[n + 1] == ' ' || !line[n + 1]);
}

char *line_value(const char *line, const char *key)
{
	const char *at = line;
	size_t n = strlen(key);

	while ((at = strchr(at, ' '))) {
		at += strspn(at, " ");
		if (strncmp(at, key, n) == 0 && at[n] == '=') {
			at += n + 1;
			return *at == '"' ? strf("%.*s", (int)strcspn(at + 1, "\""), at + 1)
					  : strf("%.*s", (int)strcspn(at, " "), at);
		}
		/* Over a value in quotes, which may hold blanks and what looks like keys. */
		for (bool quoted = false; *at && (quoted || *at != ' '); at++)
			quoted ^= *at == '"';
	}
	return NULL;
}

static void take_report(struct run *r, const char *line)
{
	struct guest *g = r->g;
	char *code;

	strv_add(&g->lines, strf("%s", line));
	if (line_is(line, "up") && !r->up) {
		r->up = true;
		if (g->terminal && g->key)
			raw_output();
	}
	if (line_is(line, "up") && !g->up_ms)
		g->up_ms = now_ms() - r->start;
	if (line_is(line, "restart")) {
		g->restart = true;
		r->deadline = now_ms() + EXIT_GRACE;
	}
	if (!line_is(line, "exit"))
		return;
	code = line_value(line, "code");
	g->said_exit = code != NULL;
	g->code = code ? atoi(code) & 0xff : 0;
	r->deadline = now_ms() + EXIT_GRACE;
}

/* The line so far without what firmware and GRUB put before it to move the cursor (ECMA-48). */
static const char *line_text(const struct run *r)
{
	const char *text = r->line.v;

	while (text[0] == '\033' && text[1] == '[') {
		text += 2 + strspn(text + 2, "0123456789;?=");
		text += *text != 0;
	}
	return text;
}

/* Whether the line, as far as it has come, is, or may become, one for us. */
static bool is_report(const struct run *r)
{
	const char *text = line_text(r), *key = r->g->key;
	size_t n = strlen(text);

	if (text[0] != '@')
		return false;
	if (!key || !r->up)
		return true;
	/* Cores that come up late, and what has the key. */
	return strncmp(text, "@core id=", MIN(n, 9)) == 0 || strstr(text, strf(" key=%s", key)) ||
	       strncmp(text, "@exit code=", MIN(n, 11)) == 0 ||
	       strncmp(text, "@restart ", MIN(n, 9)) == 0;
}

/* Whether a whole line that may be one for us is. */
static bool has_key(const struct run *r)
{
	char *key = r->g->key && r->up ? line_value(line_text(r), "key") : NULL;

	return !r->g->key || !r->up || (key && strcmp(key, r->g->key) == 0) ||
	       starts_with(line_text(r), "@core id=");
}

static void show_bytes(struct run *r)
{
	fwrite(r->line.v + r->shown, 1, r->line.n - r->shown, stdout);
	r->shown = r->line.n;
}

/* Shows the terminal what of the line it has not seen; "@" lines wait until they are whole. */
static void show(struct run *r, bool whole)
{
	bool report = is_report(r) && (!whole || has_key(r));

	if (!r->g->terminal || (report && (!r->g->verbose || !whole)))
		return;
	show_bytes(r);
	if (whole)
		putchar('\n');
	fflush(stdout);
}

static void take_line(struct run *r)
{
	show(r, true);
	if (is_report(r) && has_key(r))
		take_report(r, line_text(r));
	r->line.n = r->shown = 0;
	r->line.v[0] = 0;
}

/* Whether what comes is what programs print, as it is. */
static bool is_programs(const struct run *r)
{
	return r->up && r->g->key;
}

/*
 * What of the line the terminal has not seen, but for lines that may be for us. A file gets its
 * newlines without the carriage returns of the guest's terminal.
 */
static void show_program(struct run *r, bool whole)
{
	bool file = !isatty(STDOUT_FILENO);
	const char *line = r->line.v;
	size_t end = r->line.n;

	if (!r->g->terminal || !end || (!whole && is_report(r)))
		return;
	if (file && line[end - 1] == '\r')
		end--;
	for (size_t i = r->shown; i < end; i++) {
		if (!file || line[i] != '\r' || line[i + 1] != '\n')
			putchar(line[i]);
	}
	r->shown = MAX(end, r->shown);
	fflush(stdout);
	if (r->shown == r->line.n && r->line.n > LINE_KEPT)
		r->line.n = r->shown = 1; /* it does not begin with "@": that is all to know */
}

static void end_program_line(struct run *r)
{
	size_t n = r->line.n - 1;
	bool report;
	char cut;

	while (n && r->line.v[n - 1] == '\r')
		n--;
	cut = r->line.v[n];
	r->line.v[n] = 0;
	report = is_report(r) && has_key(r);
	if (report)
		take_report(r, line_text(r));
	r->line.v[n] = cut;
	if (!report)
		show_program(r, true);
	r->line.n = r->shown = 0;
	r->line.v[0] = 0;
}

static void take_program_byte(struct run *r, char c)
{
	if (c != '\r')
		buf_add(&r->g->console, &c, 1);
	buf_add(&r->line, &c, 1);
	if (c == '\n')
		end_program_line(r);
}

static void type_when_shown(struct run *r)
{
	struct guest *g = r->g;

	if (!g->when || r->sent || !strstr(g->console.v, g->when))
		return;
	r->sent = true;
	if (g->send && write(r->in, g->send, strlen(g->send)) < 0)
		warn("QEMU takes no input: %s", strerror(errno));
}

/* What the console shows; a chunk ends anywhere. */
static void take_console(struct run *r, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_programs(r)) {
			take_program_byte(r, bytes[i]);
			continue;
		}
		if (bytes[i] == '\r' || bytes[i] == 0)
			continue;
		buf_add(&r->g->console, &bytes[i], 1);
		if (bytes[i] == '\n')
			take_line(r);
		else
			buf_add(&r->line, &bytes[i], 1);
	}
	if (is_programs(r))
		show_program(r, false);
	else
		show(r, false);
	type_when_shown(r);
	if (r->g->log >= 0 && write(r->g->log, bytes, n) < 0)
		warn("cannot write the log: %s", strerror(errno));
}

/* Keys for the guest, but Ctrl-A x is for us; another key takes the Ctrl-A along. */
static void take_keys(struct run *r, const char *bytes, size_t n)
{
	static const char ctrl_a = ESCAPE;

	for (size_t i = 0; i < n; i++) {
		bool escape = r->escape;

		if (escape && (bytes[i] == 'x' || bytes[i] == 'X')) {
			r->g->quit = true;
			kill(r->pid, SIGKILL);
			return;
		}
		r->escape = bytes[i] == ESCAPE && !escape && isatty(STDIN_FILENO);
		if (r->escape || r->in < 0)
			continue;
		if (escape && bytes[i] != ESCAPE && write(r->in, &ctrl_a, 1) < 0)
			return;
		if (write(r->in, &bytes[i], 1) < 0)
			return;
	}
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Reads from *@fd what there is. Returns false, and closes it, at its end. */
static bool read_some(int *fd, char *bytes, size_t room, size_t *n)
{
	ssize_t got = read(*fd, bytes, room);

	if (got < 0 && errno == EINTR)
		got = 0;
	else if (got <= 0)
		close_end(fd);
	*n = got > 0 ? (size_t)got : 0;
	return *fd >= 0;
}

/* Milliseconds until the deadline, for poll(2). */
static int time_left(const struct run *r)
{
	u64 now = now_ms();

	if (!r->deadline)
		return -1;
	return r->deadline <= now ? 0 : (int)MIN(r->deadline - now, 3600000ul);
}

/* Carries bytes to and fro until QEMU has closed its ends or time is up. */
static void carry(struct run *r)
{
	int keys = r->g->terminal ? STDIN_FILENO : -1;
	char bytes[4096];
	size_t n;

	while (r->out >= 0 || r->err >= 0) {
		struct pollfd p[] = {{r->out, POLLIN, 0}, {r->err, POLLIN, 0}, {keys, POLLIN, 0}};

		if (poll(p, 3, time_left(r)) == 0) {
			r->g->timed_out = !r->g->said_exit && !r->g->restart;
			kill(r->pid, SIGKILL);
			r->deadline = 0;
			continue;
		}
		if (p[0].revents) {
			read_some(&r->out, bytes, sizeof(bytes), &n);
			take_console(r, bytes, n);
		}
		if (p[1].revents) {
			read_some(&r->err, bytes, sizeof(bytes), &n);
			buf_add(&r->g->errors, bytes, n);
		}
		if (p[2].revents) {
			ssize_t got = read(keys, bytes, sizeof(bytes));

			if (got <= 0)
				keys = -1;
			else
				take_keys(r, bytes, (size_t)got);
		}
	}
	if (r->line.n)
		take_line(r);
}

int guest_run(struct guest *g)
{
	struct run r = {.g = g};
	bool raw = g->terminal && raw_terminal();

	int status;

	g->restart = g->said_exit = g->timed_out = g->quit = false;
	signal(SIGPIPE, SIG_IGN);
	buf_add(&g->console, "", 0);
	buf_add(&g->errors, "", 0);
	buf_add(&r.line, "", 0);
	if (g->timeout_s)
		r.deadline = now_ms() + 1000ul * g->timeout_s;
	r.start = now_ms();
	start_qemu(&r);
	carry(&r);
	close_end(&r.in);
	while (waitpid(r.pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (raw)
		restore_terminal();
	g->status = wait_status(status);
	if (g->said_exit)
		return g->code;
	if (g->restart)
		return 0;
	if (g->timed_out)
		return EXIT_TIMEOUT;
	/* isa-debug-exit makes N into 2N + 1, but 1 is also how QEMU fails by itself. */
	return g->status > 1 && g->status < 128 && g->status % 2 ? g->status >> 1 : EXIT_GUEST;
}

const char *guest_trouble(const struct guest *g)
{
	const char *tail =
		g->errors.n > TAIL_BYTES ? g->errors.v + g->errors.n - TAIL_BYTES : g->errors.v;

	if (g->said_exit || g->restart)
		return NULL;
	if (g->timed_out)
		return strf("the guest did not end in %u seconds", g->timeout_s);
	if (g->quit)
		return "ended by Ctrl-A x";
	if (g->status == 127)
		return "QEMU could not be started";
	if (g->status == 0)
		return "the guest reset or switched off without \"@exit\" (a triple fault resets)";
	if (g->status > 1 && g->status < 128 && g->status % 2)
		return NULL;
	return strf("QEMU ended with status %d without \"@exit\" of the guest%s%s", g->status,
		    *tail ? ":\n" : "", tail);
}
