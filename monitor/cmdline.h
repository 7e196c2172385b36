/*
 * The kernel command line: words `key=value`, and after ` -- ` the program to run.
 */
#ifndef MONITOR_CMDLINE_H
#define MONITOR_CMDLINE_H

#include <skerry/monitor.h>

/** The number behind `key=`, or @otherwise if there is no such word. */
u64 cmdline_number(const char *key, u64 otherwise);

/** What to start: false if the line names nothing. Words are split at spaces. */
bool cmdline_program(struct mon_spawn *what);

/** The Linux personality, with the whole command line. */
void cmdline_linux(struct mon_spawn *what);

#endif
