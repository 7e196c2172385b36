/*
 * Messages, strings, lists, files and processes for hake. See util.h.
 */
#include "util.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void say(const char *fmt, va_list args)
{
	fflush(stdout);
	fputs("hake: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	exit(EXIT_USAGE);
}

void warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
}

static void *check_memory(void *p)
{
	if (!p)
		die("out of memory");
	return p;
}

void *alloc(size_t bytes)
{
	return check_memory(calloc(1, bytes ? bytes : 1));
}

static char *strf_args(const char *fmt, va_list args)
{
	char *s;

	if (vasprintf(&s, fmt, args) < 0)
		die("out of memory");
	return s;
}

char *strf(const char *fmt, ...)
{
	va_list args;
	char *s;

	va_start(args, fmt);
	s = strf_args(fmt, args);
	va_end(args);
	return s;
}

bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && strcmp(s + n - m, suffix) == 0;
}

void strv_add(struct strv *list, const char *s)
{
	/* Room doubles at each power of two, so that no capacity need be kept. */
	if ((list->n & (list->n - 1)) == 0)
		list->v = check_memory(
			realloc(list->v, (list->n ? list->n * 2 : 1) * sizeof(*list->v)));
	list->v[list->n++] = s;
}

void strv_addf(struct strv *list, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	strv_add(list, strf_args(fmt, args));
	va_end(args);
}

void strv_cat(struct strv *list, const struct strv *more)
{
	for (size_t i = 0; i < more->n; i++)
		strv_add(list, more->v[i]);
}

bool strv_has(const struct strv *list, const char *s)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->v[i], s) == 0)
			return true;
	}
	return false;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void strv_sort(struct strv *list)
{
	if (list->n)
		qsort(list->v, list->n, sizeof(*list->v), compare_strings);
}

char *strv_join(const struct strv *list, const char *sep)
{
	struct buf b = {0};

	buf_add(&b, "", 0);
	for (size_t i = 0; i < list->n; i++)
		buf_addf(&b, "%s%s", i ? sep : "", list->v[i]);
	return b.v;
}

void strv_split(struct strv *list, const char *s)
{
	while (*s) {
		size_t n;

		s += strspn(s, " \t\n");
		n = strcspn(s, " \t\n");
		if (n)
			strv_addf(list, "%.*s", (int)n, s);
		s += n;
	}
}

/* Levenshtein's distance: letters put in, left out or changed. Words longer than 63 are far. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[64], n = strlen(b);

	if (n >= ARRAY_SIZE(row) || strlen(a) >= ARRAY_SIZE(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t change = diagonal + (tolower(a[i]) != tolower(b[j]));

			diagonal = row[j + 1];
			row[j + 1] = MIN(change, MIN(diagonal, row[j]) + 1);
		}
	}
	return row[n];
}

const char *suggest(const char *wrong, const struct strv *known)
{
	const char *best = NULL;
	size_t near = MAX(strlen(wrong) / 2, 2ul);

	for (size_t i = 0; i < known->n; i++) {
		size_t d = edit_distance(wrong, known->v[i]);

		if (strlen(wrong) > 2 && starts_with(known->v[i], wrong))
			d = 1;
		if (d <= near && (!best || d < near)) {
			best = known->v[i];
			near = d;
		}
	}
	return best ? strf("; did you mean \"%s\"?", best) : "";
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (b->n + n + 1 > b->room) {
		b->room = (b->n + n + 1) * 2;
		b->v = check_memory(realloc(b->v, b->room));
	}
	memcpy(b->v + b->n, bytes, n);
	b->n += n;
	b->v[b->n] = 0;
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	char *s;

	va_start(args, fmt);
	s = strf_args(fmt, args);
	va_end(args);
	buf_add(b, s, strlen(s));
	free(s);
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Appends all that can be read from @fd. Returns 0 or a negative errno value. */
static int read_all(int fd, struct buf *b)
{
	char part[16384];
	ssize_t n;

	buf_add(b, "", 0);
	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf_add(b, part, (size_t)n);
	}
	return 0;
}

int file_read(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = read_all(fd, b);
	close(fd);
	return err;
}

void make_parents(const char *path)
{
	char *dir = strf("%s", path);

	for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(dir, 0777) && errno != EEXIST)
			die("cannot make the folder %s: %s", dir, strerror(errno));
		*slash = '/';
	}
}

void file_write(const char *path, const void *bytes, size_t n)
{
	char *temporary = strf("%s.%d", path, getpid());
	struct buf old = {0};
	FILE *f;

	if (file_read(path, &old) == 0 && old.n == n && memcmp(old.v, bytes, n) == 0)
		return;
	make_parents(path);
	f = fopen(temporary, "we");
	if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) || rename(temporary, path))
		die("cannot write %s: %s", path, strerror(errno));
}

char **strv_argv(const struct strv *argv)
{
	char **v = alloc((argv->n + 1) * sizeof(*v));

	memcpy(v, argv->v, argv->n * sizeof(*v));
	return v;
}

int wait_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Starts @argv with @out as its standard output (-1: ours). Returns its process id. */
static pid_t start(const struct strv *argv, int out)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("cannot start %s: %s", argv->v[0], strerror(errno));
	if (pid > 0)
		return pid;
	if (out >= 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(out, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
	execvp(argv->v[0], strv_argv(argv));
	_exit(127);
}

static int finish(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return wait_status(status);
}

int run_program(const struct strv *argv)
{
	return finish(start(argv, -1));
}

int run_collect(const struct strv *argv, struct buf *out)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		die("cannot make a pipe: %s", strerror(errno));
	pid = start(argv, ends[1]);
	close(ends[1]);
	read_all(ends[0], out);
	close(ends[0]);
	return finish(pid);
}

u64 parse_size(const char *s)
{
	static const char units[] = "KMG";
	char *end;
	u64 n = strtoull(s, &end, 10);
	const char *unit = *end ? strchr(units, toupper(*end)) : NULL;

	if (!isdigit((unsigned char)*s) || (*end && (!unit || end[1])))
		return 0;
	return unit ? n << (10 * (unit - units + 1)) : n;
}

u32 text_hash(const char *s)
{
	u32 hash = 2166136261u; /* FNV-1a */

	for (; *s; s++)
		hash = (hash ^ (u8)*s) * 16777619u;
	return hash;
}

u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000;
}

const char *build_dir(void)
{
	const char *dir = getenv("SKERRY_BUILD");

	return dir && *dir ? dir : "build";
}
