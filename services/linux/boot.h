/*
 * What the first process is, and what its end means. See boot.c.
 */
#ifndef LINUX_BOOT_H
#define LINUX_BOOT_H

#include "process.h"

/* What is said before, and where: nothing. A panic's exit status is the CPU driver's, too. */
#define BOOT_PANIC_STATUS 101
#define NOT_FOUND         127 /* what a shell says of a program that is not there */
#define NOT_A_PROGRAM     126

/** The command line that Linux programs see in /proc/cmdline. */
extern const char *kernel_cmdline;

/** Keep the command line; words that hake adds for the machine's sake are left out. 0 or -ENOMEM.
 */
int boot_set_cmdline(const char *line);

/**
 * Fill the root file system and start the first program in @t, which has none yet.
 *
 * @argv  a program to run as the first process, with its arguments; @argc 0: boot (boot.c)
 * Returns 0, or what the machine's status is to be, when why is on the console.
 */
int boot_first(struct thread *t, int argc, char **argv);

/** The first process has ended. Does not return. */
_Noreturn void boot_first_ended(const struct process *p);

/* How the machine ends: reboot(2). */
enum boot_end { BOOT_POWER_OFF, BOOT_HALT, BOOT_RESTART };

/** Show what was written, and end the machine. Does not return. */
_Noreturn void boot_end(enum boot_end how);

#endif
