/*
 * What every part of hake uses: messages, strings, lists, files, processes.
 *
 * hake is a program that runs for a moment and ends: memory is never given back, and whatever
 * goes wrong that a person must put right ends it at once, with one line that says what to do.
 */
#ifndef HAKE_UTIL_H
#define HAKE_UTIL_H

#include <skerry/types.h>
#include <sys/types.h>

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Exit statuses of hake itself; a guest's own status may be anything else. */
#define EXIT_USAGE   2   /* the command or a Hakefile is wrong */
#define EXIT_SKIP    77  /* a test cannot run here (the convention of Automake) */
#define EXIT_TIMEOUT 124 /* as timeout(1) */
#define EXIT_GUEST   125 /* QEMU ended without the guest saying how */

/** Prints "hake: ..." and ends with EXIT_USAGE. */
_Noreturn void die(const char *fmt, ...) PRINTF(1, 2);

/** Prints "hake: ..." on standard error, and goes on. */
void warn(const char *fmt, ...) PRINTF(1, 2);

/** malloc that cannot fail; the memory is zeroed. */
void *alloc(size_t bytes);

/** A new string, as sprintf makes it. */
char *strf(const char *fmt, ...) PRINTF(1, 2);

bool starts_with(const char *s, const char *prefix);
bool ends_with(const char *s, const char *suffix);

/* A list of strings that grows. All zero is the empty list. */
struct strv {
	const char **v;
	size_t n;
};

void strv_add(struct strv *list, const char *s);
void strv_addf(struct strv *list, const char *fmt, ...) PRINTF(2, 3);
void strv_cat(struct strv *list, const struct strv *more);
bool strv_has(const struct strv *list, const char *s);
void strv_sort(struct strv *list);

/** The strings of @list with @sep between them. */
char *strv_join(const struct strv *list, const char *sep);

/** The words of @s (between blanks), appended to @list. */
void strv_split(struct strv *list, const char *s);

/**
 * '; did you mean "x"?' for the string of @known nearest to @wrong, or "" when none is near.
 */
const char *suggest(const char *wrong, const struct strv *known);

/* A text or a file in memory; @v[n] is always a NUL that does not count. */
struct buf {
	char *v;
	size_t n, room;
};

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

bool file_exists(const char *path);
bool is_dir(const char *path);

/** Reads @path whole into @b. Returns 0 or a negative errno value. */
int file_read(const char *path, struct buf *b);

/** Makes the folders that @path, a file, needs above it. */
void make_parents(const char *path);

/**
 * Writes @path through a temporary file, so that a reader sees the old or the new one; does
 * nothing when it holds just that already (so that its time stays).
 */
void file_write(const char *path, const void *bytes, size_t n);

/**
 * Runs @argv (looked up in PATH), waits for it.
 * Returns its exit status, 128 + signal, or 127 if there is no such program.
 */
int run_program(const struct strv *argv);

/** As run_program, with its standard output collected in @out, its standard error dropped. */
int run_collect(const struct strv *argv, struct buf *out);

/** @argv as an array for execvp(3), NULL at its end. */
char **strv_argv(const struct strv *argv);

/** The status that waitpid(2) gave, as an exit status of a shell. */
int wait_status(int status);

/** "64M", "2G", "4096" as bytes; 0 if @s is no size. */
u64 parse_size(const char *s);

/** A number that different texts rarely share, for names of files. */
u32 text_hash(const char *s);

/** Monotonic time. */
u64 now_ms(void);

/** The folder that everything made is put into: $SKERRY_BUILD, else "build". */
const char *build_dir(void);

#endif
