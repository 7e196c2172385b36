/*
 * The end of the machine's work: flush the console, tell the emulator, halt.
 */
#ifndef MONITOR_POWER_H
#define MONITOR_POWER_H

#include <skerry/types.h>

void power_init(void);

/** Print `@exit code=@status` as the last line and stop. From any core. */
void power_off(s64 status);

/** Print `@restart` as the last line and reset the machine. From any core. */
void power_restart(void);

#endif
