/*
 * What the kernel's command line says to the first process.
 *
 * Words are separated by blanks; double quotes keep blanks together, around a word or around a
 * value. Words that a kernel knows are the kernel's; of the others, those with "=" become
 * environment and the rest arguments, and so does all behind "--". Names with a dot before "="
 * are a module's and nobody's else.
 *
 * Source: Linux, Documentation/admin-guide/kernel-parameters.rst; bootparam(7).
 * Runs in: the personality's domain, host tests.
 */
#ifndef LINUX_BOOTWORDS_H
#define LINUX_BOOTWORDS_H

#include "args.h"

struct bootwords {
	struct strings args; /* of the first process, without its name */
	struct strings env;
	char *rdinit, *init; /* NULL: not said */
};

/** Read @line. 0, or -ENOMEM. The words are to be given to bootwords_free() in any case. */
int bootwords_read(struct bootwords *words, const char *line);
void bootwords_free(struct bootwords *words);

/** The value of @key in @line, to be freed; NULL: it is not there. What is behind "--" is not. */
char *bootwords_value(const char *line, const char *key);

#endif
