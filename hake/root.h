/*
 * The root file system of a run: a folder of the build host, packed; or a file of archives, as it
 * is.
 */
#ifndef HAKE_ROOT_H
#define HAKE_ROOT_H

#include "util.h"

/** Ends hake unless @root is a folder or a file that root_write() could take. */
void root_check(const char *root);

/** About how many bytes of memory its files will take. */
u64 root_memory(const char *root);

/** Writes @root to @fd, as archives. Returns how many bytes that were. */
u64 root_write(int fd, const char *root);

#endif
