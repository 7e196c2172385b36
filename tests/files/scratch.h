/*
 * A folder of its own for a case, and shorthands.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>
#include <sys/types.h>

/** Make an empty folder and go there. */
void scratch(void);

/** As scratch(), but the folder is the root of a tmpfs of its own with these mount options; -1. */
int mount_tmpfs(const char *options);

/** Be user and group @id without groups or capabilities from now on. */
int be_user(uid_t id);

/** The exit status of @fn in a child (0 if it returns), 128 + signal, or -1. */
int status_of_child(void (*fn)(void));

/** The first line of a file that begins with @key, in @buf; "" if there is none. */
char *line_of(const char *path, const char *key, char *buf, size_t size);

/** Make a file of that text; -1 and errno if it cannot be. */
int make(const char *name, const char *text);

/** The whole of a small file; "" if it cannot be read. */
const char *text_of(const char *name);

#endif
