/*
 * Crowds of processes, and how much memory is left, for tests of what a system has room for.
 */
#ifndef CROWD_H
#define CROWD_H

/** A line of /proc/meminfo ("MemFree:"), in KiB; 0: it is not there. */
unsigned long meminfo(const char *key);

/** Wait for all children; returns how many there were, or -1 if one did not end well. */
int wait_all(void);

/** Fork @n children that live until the pipe's last writer is gone. Returns how many it was. */
int fork_waiting(int n, int gate[2]);

#endif
