/*
 * Linux as the reference: the same programs, in the same QEMU, on the kernel that Debian ships.
 */
#ifndef HAKE_LINUX_H
#define HAKE_LINUX_H

#include "model.h"

/* So much longer than a test on Skerry one on Linux may take, in seconds: emulated, it starts
 * slowly. */
#define LINUX_START 60

/** "hake linux --run": boots Linux on this terminal. */
int linux_main(int argc, char **argv);

/** "hake linux-test NAME": runs the program of that boot test on Linux; called by hake test. */
int linux_test_main(int argc, char **argv);

/** Whether @it is a boot test whose program is a Linux program. */
bool linux_can_run(const struct item *it);

/** The kernel's file: $SKERRY_LINUX, or fetched if it is not there. Ends hake if that fails. */
const char *linux_kernel(void);

/** What kernel that is: "7.3.4+deb13-amd64". */
const char *linux_version(void);

/** Appends what must be built before Linux is booted. */
void linux_targets(const struct project *p, struct strv *targets);

#endif
