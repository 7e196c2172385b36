/*
 * Linux as the reference: the same programs, in the same QEMU, on the kernel that Debian ships.
 */
#ifndef HAKE_LINUX_H
#define HAKE_LINUX_H

#include "run.h"

/* So much longer than a test on Skerry one on Linux may take, in seconds: emulated, it starts
 * slowly. */
#define LINUX_START 60

/* The kernel's command line. Nothing in it makes Linux faster or slower: what Debian's kernel does
 * by itself against flaws of processors (mitigations=auto) it does here. */
#define LINUX_APPEND "console=ttyS0 quiet loglevel=1 panic=-1"

/** "hake linux --run": boots Linux on this terminal. */
int linux_main(int argc, char **argv);

/** "hake linux-test NAME": runs the program of that boot test on Linux; called by hake test. */
int linux_test_main(int argc, char **argv);

/** Whether @it is a boot test whose program is a Linux program. */
bool linux_can_run(const struct item *it);

/** The kernel's file: $SKERRY_LINUX, or fetched if it is not there. Ends hake if that fails. */
const char *linux_kernel(void);

/** Whether there is such a kernel, after looking for one; if not, that has been said. */
bool linux_find(void);

/** Writes the initramfs (all of it must be built); returns the QEMU command that boots @b. */
struct strv linux_command(const struct project *p, const struct boot *b);

/** What kernel that is: "7.3.4+deb13-amd64". */
const char *linux_version(void);

/** Appends what must be built before Linux is booted. */
void linux_targets(const struct project *p, struct strv *targets);

#endif
