/*
 * Processes on different cores: the same cases run on Linux and on Skerry, where each core has a
 * system of its own.
 */
#ifndef CORES_H
#define CORES_H

#include <stdbool.h>
#include <sys/types.h>

/** The calling process goes to core @n (of those there are: it counts from 0 again). */
void to_core(int n);

/** A child on core @n that runs @fn(@arg) and ends with what that returns. */
pid_t on_core(int n, int (*fn)(void *arg), void *arg);

/** The exit status of a child; -N if signal N ended it. */
int end_of(pid_t child);

/** For a child: what must be true; else it ends with status 99 and a line that says where. */
#define MUST(condition) must(condition, __FILE__, __LINE__, #condition)
void must(bool condition, const char *file, int line, const char *what);

#endif
