/*
 * The kernel command line: words `key=value`, and after ` -- ` the program to run.
 */
#ifndef MONITOR_CMDLINE_H
#define MONITOR_CMDLINE_H

#include <skerry/monitor.h>

#define LINUX_PATH "sbin/linux" /* the personality */

/** The number behind `key=`, or @otherwise if there is no such word. */
u64 cmdline_number(const char *key, u64 otherwise);

/** What to start: false if the line names nothing. Words are split at spaces. */
bool cmdline_program(struct mon_spawn *what);

/** The Linux personality, with the whole command line. */
void cmdline_linux(struct mon_spawn *what);

/** The personality of another core than 0, with the kernel's words. */
void cmdline_linux_shard(struct mon_spawn *what);

/** On how many cores, from 0 on, Linux is to run: linux.cores=N, or "all"; otherwise 1. */
u32 cmdline_linux_cores(void);

#endif
