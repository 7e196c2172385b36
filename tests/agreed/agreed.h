/*
 * What the tests of agreement and their benchmark share.
 */
#ifndef AGREED_AGREED_H
#define AGREED_AGREED_H

#include <rt/rt.h>

/** All messages that this core's monitor has sent to and received from others. */
u64 messages(void);

/** Run the helper's @command with @arg on @core to its end; its exit status, or an error. */
s64 help(u32 core, const char *command, const char *arg);

/** Begin the same, without waiting for its end. 0 or a negative errno. */
int help_begin(u32 core, const char *command, const char *arg, struct rt_task *task);

/** What agreement costs here, as lines of @bench. Returns the exit status. */
int bench_main(void);

#endif
